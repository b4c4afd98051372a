# SPDX-License-Identifier: LGPL-2.1-only
"""Gathers files for an image: a tree in memory, the libraries its programs need, a cpio or a tar.

The archives are written here rather than by cpio(1), so that they are the same for root and for an
ordinary user: everything belongs to root, and the order and times are fixed.
"""

import io
import os
import re
import stat
import tarfile

from common import LabError, tool

# Debian keeps these directories below /usr, with a link of the old name.
MERGED = ("bin", "sbin", "lib", "lib64")


class Tree:
    """Files to be: a path (without a leading slash) to its mode and contents or link target."""

    def __init__(self):
        self.entries = {}

    def directory(self, path, mode=0o755):
        self._add(path, stat.S_IFDIR | mode, b"")

    def link(self, path, target):
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def data(self, path, contents, mode=0o644):
        self._add(path, stat.S_IFREG | mode, contents)

    def file(self, path, source):
        """Copies a file of this machine; symbolic links are followed."""
        try:
            with open(source, "rb") as opened:
                contents = opened.read()
                mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
        except OSError as error:
            raise LabError(f"cannot read {source}: {error.strerror}") from None
        self.data(path, contents, mode)

    def tree(self, path, source, wanted=lambda name: True):
        """Copies a directory of this machine with all below it for which wanted(path) holds."""
        for folder, _, names in os.walk(source):
            for name in sorted(names):
                inside = os.path.relpath(os.path.join(folder, name), source)
                if wanted(inside):
                    self.file(os.path.join(path, inside), os.path.join(folder, name))

    def program(self, path, source):
        """Copies a program and, to where the dynamic linker looks for them, its libraries."""
        self.file(path, source)
        for library in libraries_of(source):
            if merged(library) not in self.entries:
                self.file(library, library)

    def _add(self, path, mode, contents):
        path = merged(path)
        parent = os.path.dirname(path)
        if parent and parent not in self.entries:
            self.directory(parent)
        self.entries[path] = (mode, contents)

    def cpio(self):
        """The tree as a cpio archive in the "newc" format, which the kernel unpacks at boot."""
        out = io.BytesIO()
        for inode, (path, (mode, contents)) in enumerate(self.entries.items(), 1):
            _cpio_entry(out, path, inode, mode, contents)
        _cpio_entry(out, "TRAILER!!!", 0, 0, b"")
        return out.getvalue()

    def tar(self):
        """The tree as a tar archive."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for path, (mode, contents) in self.entries.items():
                info = tarfile.TarInfo(path)
                info.mode = stat.S_IMODE(mode)
                if stat.S_ISDIR(mode):
                    info.type = tarfile.DIRTYPE
                elif stat.S_ISLNK(mode):
                    info.type, info.linkname = tarfile.SYMTYPE, contents.decode()
                else:
                    info.size = len(contents)
                tar.addfile(info, io.BytesIO(contents))
        return out.getvalue()


def libraries_of(source):
    """The paths of the libraries that a program loads on this machine; none if it is static."""
    try:
        with open(source, "rb") as opened:
            if opened.read(4) != b"\x7fELF":
                return []
        listing = tool("ldd", source)
    except OSError as error:
        raise LabError(f"cannot read {source}: {error.strerror}") from None
    except LabError:
        return []  # ldd's way to say "not a dynamic executable"
    missing = re.findall(r"(\S+) => not found", listing)
    if missing:
        raise LabError(f"{source} needs {missing[0]}, which is not installed: run make deps")
    return re.findall(r"(/\S+) \(0x", listing)


def merged(path):
    """The path as an image has it: no leading slash, and /bin, /lib and so on below /usr."""
    path = path.strip("/")
    return "usr/" + path if path.split("/")[0] in MERGED and "/" in path else path


def _cpio_entry(out, path, inode, mode, contents):
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (inode, mode, 0, 0, links, 0, len(contents), 0, 0, 0, 0, len(name), 0)
    out.write(b"070701" + b"".join(b"%08x" % field for field in fields) + name)
    out.write(b"\0" * (-out.tell() % 4))
    out.write(contents)
    out.write(b"\0" * (-out.tell() % 4))
