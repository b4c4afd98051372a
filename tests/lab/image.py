# SPDX-License-Identifier: LGPL-2.1-only
"""Builds what QEMU boots: the hypervisor, the kernel, and dom0's file system with the guests'.

build/lab/images/KEY/ holds `xen` (a multiboot ELF), `vmlinux`, `dom0.cpio` and its `manifest`. KEY
is a hash of everything that went into them.
"""

import gzip
import hashlib
import os
import re
import shutil
import struct
import subprocess

import fetch
from archive import MERGED, Tree, libraries_of
from common import BUILD, ENV, LAB, REPO, LabError, tool

IMAGES = os.path.join(BUILD, "images")
XENBUS = os.path.join(REPO, "tools", "guest-agent")
XEN_BIN = "usr/lib/xen-4.17/bin"

DOM0_MODULES = (
    "xenfs", "xen-privcmd", "xen-evtchn", "xen-gntdev", "xen-gntalloc",  # the toolstack
    "virtio_pci", "virtio_blk",                                          # files in
    "xen-pciback", "e1000e",                                             # passthrough
)
XEN_PROGRAMS = ("xl", "xenstored", "xenconsoled", "xenconsole", "xen-init-dom0", "xentop", "xenpm",
                "libxl-save-helper", "xen-diag", "xenctx", "xenpaging", "xenperf", "xentrace")
XENSTORE_PROGRAMS = ("xenstore", "xenstore-chmod", "xenstore-exists", "xenstore-list",
                     "xenstore-ls", "xenstore-read", "xenstore-rm", "xenstore-watch",
                     "xenstore-write")
# Libraries that programs brought in later need, or that are loaded by name at run time: glibc's
# pthread_cancel loads libgcc_s, and without it xl create aborts.
LIBRARIES = ("libgcc_s.so.1", "libxenlight.so.4.17", "libxlutil.so.4.17", "libxenstat.so.4.17",
             "libyajl.so.2", "libpci.so.3", "libncurses.so.6", "libncursesw.so.6", "libtinfo.so.6")
DIRECTORIES = ("dev", "proc", "sys", "tmp", "root", "run", "etc/xen/auto", "etc/xlpolicy", "lab",
               "usr/local/bin", "var/lib/xen", "var/lib/xlpolicy", "var/log/xen",
               "var/log/xlpolicy")


def inputs(agent):
    """What the images depend on, for hashing: sources by contents, what is installed by date."""
    parts = [fetch.unpacked()]
    sources = [os.path.join(LAB, name) for name in ("archive.py", "fetch.py", "image.py")]
    sources += [os.path.join(XENBUS, "xenbus.c"), os.path.join(XENBUS, "xenbus.h")]
    for folder in ("dom0", "guest"):
        inside = os.path.join(LAB, folder)
        sources += sorted(os.path.join(inside, name) for name in os.listdir(inside))
    if agent:
        sources.append(agent)
    for path in sources:
        parts.append(f"{os.path.relpath(path, REPO)} {_digest(path)}")
    for path in [_busybox()] + [_library(name) for name in LIBRARIES]:
        state = os.stat(path)
        parts.append(f"{path} {state.st_size} {state.st_mtime_ns}")
    return "\n".join(parts)


def built(agent):
    """The directory of the images with this guest agent (None: without one), built if need be."""
    key = hashlib.sha256(inputs(agent).encode()).hexdigest()[:16]
    directory = os.path.join(IMAGES, key)
    if os.path.isdir(directory):
        return directory

    partial = directory + ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    os.makedirs(partial)
    vmlinux = _vmlinux()
    _write(partial, "xen", _hypervisor())
    _write(partial, "vmlinux", vmlinux)
    dom0 = _dom0(partial, vmlinux, _guest(partial, agent))
    _write(partial, "dom0.cpio", dom0.cpio())
    _write(partial, "manifest", "\n".join(dom0.entries).encode())
    os.rename(partial, directory)
    return directory


def _hypervisor():
    """Xen as a plain ELF file, which QEMU's multiboot loader takes without a boot loader."""
    with gzip.open(os.path.join(fetch.ROOT, "boot", "xen-4.17-amd64.gz")) as packed:
        return packed.read()


def _vmlinux():
    """The kernel out of its self-extracting wrapper: under emulation that extraction takes seconds.

    The offsets are those of Linux's boot protocol: setup_sects, payload_offset, payload_length.
    """
    with open(os.path.join(fetch.ROOT, "boot", "vmlinuz-" + fetch.kernel_release()), "rb") as file:
        vmlinuz = file.read()
    offset, length = struct.unpack_from("<II", vmlinuz, 0x248)
    start = (vmlinuz[0x1f1] + 1) * 512 + offset
    payload = vmlinuz[start:start + length - 4]  # the last four bytes are the unpacked size
    done = subprocess.run(["xz", "-dc"], input=payload, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0 or not done.stdout.startswith(b"\x7fELF"):
        raise LabError("the kernel package's vmlinuz does not hold an XZ-compressed ELF file")
    return done.stdout


def _guest(work, agent):
    """The guests' ramdisk: one static process 1, and the agent under test."""
    init = os.path.join(work, "init")
    _compile(init, os.path.join(LAB, "guest", "init.c"), os.path.join(XENBUS, "xenbus.c"),
             "-I" + XENBUS, "-static")
    tree = Tree()
    _merged_layout(tree)
    for name in ("dev", "proc", "sys", "run", "tmp"):
        tree.directory(name)
    tree.file("init", init)
    tree.link("sbin/poweroff", "/init")
    if agent:
        tree.program("agent", agent)
    os.remove(init)
    return tree.cpio()


def _dom0(work, vmlinux, guest_ramdisk):
    """dom0's whole system, in memory from boot: busybox, Xen's tools, and the laboratory's part."""
    tree = Tree()
    _merged_layout(tree)
    for name in DIRECTORIES:
        tree.directory(name)
    tree.directory("tmp", 0o1777)
    tree.link("var/run", "/run")
    tree.link("var/lock", "/run/lock")
    _busybox_links(tree)
    for name in XEN_PROGRAMS:
        tree.program(f"{XEN_BIN}/{name}", os.path.join(fetch.ROOT, XEN_BIN, name))
        tree.link(f"usr/sbin/{name}", f"/{XEN_BIN}/{name}")
    for name in XENSTORE_PROGRAMS:
        tree.program(f"usr/bin/{name}", os.path.join(fetch.ROOT, "usr/bin", name))
    for name in LIBRARIES:
        tree.program(_library(name), _library(name))
    tree.tree("etc/xen", os.path.join(fetch.ROOT, "etc/xen"))
    _modules(tree, work)

    xenstat = os.path.join(work, "xenstat")
    _compile(xenstat, os.path.join(LAB, "dom0", "xenstat.c"), "-lxenctrl")
    tree.program("usr/local/bin/xenstat", xenstat)
    os.remove(xenstat)

    tree.data("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    tree.data("etc/group", b"root:x:0:\n")
    tree.data("etc/hostname", b"dom0\n")
    tree.file("etc/inittab", os.path.join(LAB, "dom0", "inittab"))
    tree.file("etc/profile", os.path.join(LAB, "dom0", "profile"))
    for name in ("boot", "agent"):
        with open(os.path.join(LAB, "dom0", name + ".sh"), "rb") as script:
            tree.data("lab/" + name, script.read(), 0o755)
    tree.data("lab/guest/vmlinux", vmlinux)
    tree.data("lab/guest/ramdisk", guest_ramdisk)
    tree.link("init", "/bin/busybox")
    return tree


def _merged_layout(tree):
    for name in MERGED:
        tree.directory("usr/" + name)
        tree.link(name, "usr/" + name)


def _busybox_links(tree):
    tree.file("bin/busybox", _busybox())
    for applet in tool(_busybox(), "--list").split():
        if applet != "busybox":
            tree.link("bin/" + applet, "busybox")


def _modules(tree, work):
    """The few kernel modules dom0 needs, with those they depend on, and a fresh modules.dep."""
    release = fetch.kernel_release()
    inside = f"usr/lib/modules/{release}"
    source = os.path.join(fetch.ROOT, "lib", "modules", release)
    where = {}
    for folder, _, names in os.walk(source):
        for name in names:
            if name.endswith(".ko"):
                where[name[:-3].replace("-", "_")] = os.path.join(folder, name)

    trimmed = os.path.join(work, "modules")
    waiting = [name.replace("-", "_") for name in DOM0_MODULES]
    taken = set()
    while waiting:
        name = waiting.pop()
        if name in taken:
            continue
        if name not in where:
            raise LabError(f"the kernel package has no module {name}")
        taken.add(name)
        target = os.path.join(trimmed, "lib/modules", release, os.path.basename(where[name]))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(where[name], target)
        depends = tool("modinfo", "-F", "depends", where[name]).strip()
        waiting += [needed.replace("-", "_") for needed in depends.split(",") if needed]
    for name in ("modules.builtin", "modules.order"):
        shutil.copy(os.path.join(source, name), os.path.join(trimmed, "lib/modules", release))
    tool("depmod", "-b", trimmed, release)
    tree.tree(inside, os.path.join(trimmed, "lib/modules", release),
              lambda name: not name.endswith(".bin"))
    shutil.rmtree(trimmed)


def _compile(output, *arguments):
    # Xen's headers are written in GNU's dialect of C.
    flags = ("-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror")
    tool(os.environ.get("CC") or "cc", *flags, "-o", output, *arguments)


def _busybox():
    path = shutil.which("busybox", path=ENV["PATH"])
    if not path or libraries_of(path):
        raise LabError("no statically linked busybox: install Debian's busybox-static")
    return path


def _library(name):
    """Where this machine has a shared library."""
    if not _LIBRARY_PATHS:
        listing = tool("ldconfig", "-p")
        for found, path in re.findall(r"^\s*(\S+) \(.*x86-64.*\) => (\S+)$", listing, re.M):
            _LIBRARY_PATHS.setdefault(found, path)
    if name not in _LIBRARY_PATHS:
        raise LabError(f"{name} is not installed: run make deps")
    return _LIBRARY_PATHS[name]


_LIBRARY_PATHS = {}


def _digest(path):
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except FileNotFoundError:
        raise LabError(f"{os.path.relpath(path, REPO)} is missing") from None


def _write(directory, name, contents):
    with open(os.path.join(directory, name), "wb") as file:
        file.write(contents)
