# SPDX-License-Identifier: LGPL-2.1-only
"""What dom0 needs for HVM guests with PCI devices, as files for state(files=...).

It is no part of dom0's image: 70 MB that one test needs. The guest boots a kernel directly, with a
ramdisk whose process 1 (hvm_init.sh) looks at its devices and tries its network card.
"""

import os
import shutil

import fetch
from archive import Tree
from common import ENV, LAB, LabError, tool

KERNEL = "/lab/guest/vmlinuz"
RAMDISK = "/lab/guest/hvm-ramdisk"
SEABIOS = ("bios-256k.bin", "vgabios-stdvga.bin")
OPTION_ROMS = ("kvmvapic.bin", "linuxboot.bin", "linuxboot_dma.bin", "multiboot.bin")
NETWORK_MODULE = "e1000e"


def files():
    """{path in dom0: path here, or contents}."""
    fetch.unpacked()
    xen = "usr/lib/xen-4.17/boot/hvmloader"
    model = "usr/libexec/xen-qemu-system-i386"
    result = {f"/{path}": os.path.join(fetch.ROOT, path) for path in (xen, model)}
    result.update({f"/usr/share/seabios/{name}": f"/usr/share/seabios/{name}" for name in SEABIOS})
    result.update({f"/usr/share/qemu/{name}": f"/usr/share/qemu/{name}" for name in OPTION_ROMS})
    keymap = "/usr/share/qemu/keymaps/en-us"
    result[keymap] = keymap
    result[KERNEL] = os.path.join(fetch.ROOT, "boot", "vmlinuz-" + fetch.kernel_release())
    result[RAMDISK] = _ramdisk()
    missing = [path for path in result.values()
               if isinstance(path, str) and not os.path.exists(path)]
    if missing:
        raise LabError(f"{missing[0]} is missing: run make deps")
    return result


def settings(log):
    """What is put after the file on the command line of `xl create`, for the shell: the guest boots
    our kernel, from no disk, on no network of dom0's, and writes what it sees into a log of dom0's."""
    values = {"kernel": f'"{KERNEL}"', "ramdisk": f'"{RAMDISK}"', "serial": f'"file:{log}"',
              "cmdline": '"console=ttyS0 quiet mitigations=off cryptomgr.notests"',
              "disk": "[]", "vif": "[]"}
    return " ".join(f"'{name}={value}'" for name, value in values.items())


def _ramdisk():
    tree = Tree()
    for name in ("dev", "proc", "sys", "modules", "usr/bin"):
        tree.directory(name)
    tree.link("bin", "usr/bin")  # Tree keeps what is in /bin there
    tree.file("bin/busybox", shutil.which("busybox", path=ENV["PATH"]) or "busybox")
    for number, path in enumerate(_with_dependencies(NETWORK_MODULE, {})):
        tree.file(f"modules/{number:02}-{os.path.basename(path)}", path)
    with open(os.path.join(LAB, "hvm_init.sh"), "rb") as script:
        tree.data("init", script.read(), 0o755)
    return tree.cpio()


def _with_dependencies(name, seen):
    """The files of a module and of those it depends on, in the order in which to load them."""
    if not seen:
        folder = os.path.join(fetch.ROOT, "lib", "modules", fetch.kernel_release())
        for inside, _, names in os.walk(folder):
            seen.update({n[:-3].replace("-", "_"): os.path.join(inside, n)
                         for n in names if n.endswith(".ko")})
    path = seen.get(name.replace("-", "_"))
    if path is None:
        raise LabError(f"the kernel package has no module {name}")
    result = []
    for needed in tool("modinfo", "-F", "depends", path).strip().split(","):
        if needed:
            result += [p for p in _with_dependencies(needed, seen) if p not in result]
    return result + [path]
