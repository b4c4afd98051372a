# SPDX-License-Identifier: LGPL-2.1-only
"""What it takes to install a Debian package in dom0, whose image is busybox and Xen's tools.

dpkg, and what the scripts of packages count on, come from this machine, file by file as its packages
list them; so do the records of the packages whose libraries dom0 has, by which dpkg sees that what is
depended upon is there.
"""

import glob
import os
import re
import shlex

from common import REPO, LabError, tool

DEBS = os.path.join(REPO, "build", "deb")
ESSENTIAL = ("dash", "dpkg", "init-system-helpers", "libc-bin", "perl-base", "tar")
LEFT_OUT = re.compile(r"/usr/share/(?!perl|debconf)|/usr/lib/locale/|/etc/|\.(pod|e2x)$")
DPKG = "/var/lib/dpkg"


def prepare(host, package):
    """Puts a package of build/deb into dom0's /root, and all that `dpkg -i` needs to install it."""
    deb = _built(package)
    files = {f"/root/{os.path.basename(deb)}": deb}
    for name in ESSENTIAL:
        files |= _contents(name)
    fields = tool("dpkg-deb", "-f", deb, "Depends", "Pre-Depends")
    needed = sorted(set(re.findall(r"[:,] ([a-z0-9.+-]+)", fields)) | set(ESSENTIAL))
    for listing in (path for name in needed for path in _listings(name)):
        files[listing] = listing
    files[f"{DPKG}/info/format"] = b"1\n"
    files[f"{DPKG}/status"] = "\n".join(map(_record, needed)).encode()
    # invoke-rc.d asks for both before it starts anything: busybox's init has no runlevels.
    files["/usr/sbin/runlevel"] = b"#!/bin/sh\necho N 2\n"
    host.put(files)
    host.run("chmod 755 /usr/sbin/runlevel && ln -s /init /usr/sbin/init")


def typed(command):
    """The command as a user's shell there runs it. busybox's takes its own dpkg, whatever PATH says."""
    return f"dash -c {shlex.quote(command)}"


def _built(package):
    found = glob.glob(os.path.join(DEBS, f"{package}_*.deb"))
    if len(found) != 1:
        raise LabError(f"build/deb should hold one package {package}: run make deb")
    return found[0]


def _contents(package):
    """The files of an installed package that a program may need: {path: path}."""
    paths = tool("dpkg", "-L", package).splitlines()
    return {path: path for path in paths if os.path.isfile(path) and not LEFT_OUT.search(path)}


def _record(package):
    record = tool("dpkg-query", "-s", package, mend="run make deps")
    return re.sub(r"^Conffiles:\n( .*\n)*", "", record, flags=re.M)


def _listings(package):
    return (glob.glob(f"{DPKG}/info/{package}.list")
            or glob.glob(f"{DPKG}/info/{package}:*.list"))
