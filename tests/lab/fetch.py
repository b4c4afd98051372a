# SPDX-License-Identifier: LGPL-2.1-only
"""Fetches Debian's Xen and kernel packages and unpacks them, without installing them.

Installing a hypervisor or a kernel package would run hooks that change this machine's boot loader;
`apt-get download` and `dpkg -x` change nothing outside build/lab and need no root.
"""

import os
import re
import shutil

from common import BUILD, LabError, tool

PACKAGES = (
    "xen-hypervisor-4.17-amd64",
    "xen-utils-4.17",
    "xen-utils-common",
    "xenstore-utils",
    "qemu-system-xen",  # the device model of HVM guests
)
KERNEL_METAPACKAGE = "linux-image-amd64"

DEBS = os.path.join(BUILD, "debs")
ROOT = os.path.join(BUILD, "root")
STAMP = os.path.join(ROOT, ".packages")


def unpacked():
    """Makes sure that build/lab/root is there; returns the list of its packages, one string."""
    try:
        with open(STAMP, encoding="utf-8") as stamp:
            return stamp.read()
    except FileNotFoundError:
        pass
    return _unpack(_download(PACKAGES + (_kernel_package(),)))


def kernel_release():
    """The release of the unpacked kernel, as in /lib/modules/RELEASE."""
    releases = os.listdir(os.path.join(ROOT, "lib", "modules"))
    if len(releases) != 1:
        raise LabError(f"{ROOT}/lib/modules should hold one kernel: remove {BUILD} and try again")
    return releases[0]


def _kernel_package():
    """The kernel package that the distribution's metapackage stands for today."""
    depends = tool("apt-cache", "depends", KERNEL_METAPACKAGE)
    found = re.search(r"Depends: (linux-image-\S+)", depends)
    if not found:
        raise LabError(f"apt knows no {KERNEL_METAPACKAGE}: run apt-get update as root")
    return found.group(1)


def _download(packages):
    """Downloads what build/lab/debs lacks; returns the file names of all the packages."""
    os.makedirs(DEBS, exist_ok=True)
    mend = "is this Debian 12, and has apt-get update been run?"
    apt = ("apt-get", "-o", "APT::Sandbox::User=", "download")
    uris = tool(*apt, "--print-uris", *packages, mend=mend)
    names = re.findall(r"^'\S+' (\S+\.deb) ", uris, re.MULTILINE)
    if len(names) != len(packages):
        raise LabError(f"apt offers {len(names)} of the {len(packages)} packages needed: {mend}")

    present = [name for name in names if os.path.exists(os.path.join(DEBS, name))]
    missing = [package for package in packages
               if not any(name.startswith(package + "_") for name in present)]
    if missing:
        tool(*apt, *missing, cwd=DEBS, mend="is the Debian mirror reachable?")
    for name in set(os.listdir(DEBS)) - set(names):
        os.remove(os.path.join(DEBS, name))
    return names


def _unpack(names):
    """Unpacks the packages beside the final place, so that half a job is never taken for one."""
    partial = ROOT + ".partial"
    for old in (partial, ROOT):
        shutil.rmtree(old, ignore_errors=True)
    os.makedirs(partial)
    for name in names:
        tool("dpkg", "-x", os.path.join(DEBS, name), partial)
    listing = "".join(name + "\n" for name in sorted(names))
    with open(os.path.join(partial, os.path.basename(STAMP)), "w", encoding="utf-8") as stamp:
        stamp.write(listing)
    os.rename(partial, ROOT)
    return listing
