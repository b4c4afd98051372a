#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""make_host.py DESCRIPTION.toml ROOT: a host's files below ROOT, and its dump in ROOT.dump.

README.md describes the descriptions."""

import json
import os
import re
import shutil
import sys
import tomllib

from config_space import Config, size

HERE = os.path.dirname(os.path.abspath(__file__))
DEVICE_KEYS = {"address", "id", "class", "revision", "subsystem", "command", "multifunction", "irq",
               "pin", "bridge", "driver", "bars", "rom", "caps", "ext", "raw", "readable",
               "attributes", "slot", "physical", "node", "owner", "owner_name", "group",
               "reserved", "permissive", "dead"}
HOST_KEYS = {"title", "kernel", "command_line", "xen", "device", "files", "links", "pciback",
             "fields"}
XEN_KEYS = {"version", "dom0", "hvm_directio", "interrupt_remapping", "facts"}


class Region:
    """ "e0000000 256M 64 pref": where, how large, and what kind."""

    def __init__(self, text):
        base, length, *kind = text.split()
        unknown = set(kind) - {"io", "64", "pref", "virtual"}
        if unknown:
            raise ValueError(f"{text}: what is {unknown}?")
        self.base, self.size = int(base, 16), size(length)
        self.io, self.is_64, self.pref = "io" in kind, "64" in kind, "pref" in kind
        self.virtual = "virtual" in kind    # known to the kernel, and not in config space
        self.low_bits = 1 if self.io else (4 if self.is_64 else 0) | (8 if self.pref else 0)

    def line(self, rom=False):
        flags = 0x40000 | (0x100 if self.io else 0x200) | self.low_bits
        flags |= 0x2000 if self.pref or rom else 0
        flags |= 0x4000 if rom else 0
        flags |= 0x100000 if self.is_64 else 0
        return f"0x{self.base:016x} 0x{self.base + self.size - 1:016x} 0x{flags:016x}\n"


EMPTY = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"


def full(address):
    return address if address.count(":") == 2 else "0000:" + address


class Host:
    def __init__(self, description, root):
        check_keys(description, HOST_KEYS, "the host")
        check_keys(description.get("xen", {}), XEN_KEYS, "xen")
        self.d, self.root = description, root
        self.devices = {}
        for d in description["device"]:
            check_keys(d, DEVICE_KEYS, d["address"])
            d["address"] = full(d["address"])
            domain, bus, _ = d["address"].split(":")
            d["domain"], d["bus"] = int(domain, 16), int(bus, 16)
            self.devices[d["address"]] = d
        for d in self.devices.values():
            d["path"] = self.path(d)

    def path(self, d):
        """As sysfs has it: below the bridges that lead to its bus."""
        below = [b for b in self.devices.values() if "bridge" in b and b["domain"] == d["domain"]
                 and int(b["bridge"].split("-")[0], 16) <= d["bus"] <=
                 int(b["bridge"].split("-")[1], 16)]
        below.sort(key=lambda b: int(b["bridge"].split("-")[0], 16))
        parts = [b["address"] for b in below] + [d["address"]]
        return f"/sys/devices/pci{d['domain']:04x}:00/" + "/".join(parts)

    def write(self, path, text):
        full_path = self.root + path
        os.makedirs(os.path.dirname(full_path), exist_ok=True)
        with open(full_path, "wb" if isinstance(text, bytes) else "w") as file:
            file.write(text)

    def link(self, path, target):
        """target is absolute below the root; the link is relative, as sysfs's are."""
        full_path = self.root + path
        os.makedirs(os.path.dirname(full_path), exist_ok=True)
        os.makedirs(self.root + target, exist_ok=True)
        os.symlink(os.path.relpath(self.root + target, os.path.dirname(full_path)), full_path)

    def make(self):
        shutil.rmtree(self.root, ignore_errors=True)
        dump = ""
        for address in sorted(self.devices):
            dump += self.device(self.devices[address])
        with open(self.root + ".dump", "w") as file:
            file.write(dump)
        self.machine()
        self.pciback()
        for path, text in self.d.get("files", {}).items():
            self.write(self.expand(path), self.expand(text))
        for path, target in self.d.get("links", {}).items():
            self.link(self.expand(path), self.expand(target))
        self.write("/usr/share/misc/pci.ids", open(os.path.join(HERE, "pci.ids")).read())

    def expand(self, text):
        """{01:00.0} stands for the path of a device, {path 01:00.0} for it without /sys."""
        text = re.sub(r"\{path ([0-9a-f:.]+)\}",
                      lambda m: self.devices[full(m[1])]["path"][4:], text)
        return re.sub(r"\{([0-9a-f:]+\.[0-7])\}",
                      lambda m: self.devices[full(m[1])]["path"], text)

    # ---- one device ----

    def config(self, d, regions, rom):
        c = Config()
        c.header(d)
        c.bars(regions, rom)
        for text in d.get("caps", []):
            c.add(text)
        for text in d.get("ext", []):
            c.add_extended(text)
        for offset, values in d.get("raw", {}).items():
            data = bytes.fromhex(values)
            c.bytes[int(offset, 16):int(offset, 16) + len(data)] = data
        if d.get("dead"):
            c.bytes[:] = b"\xff" * 4096
        return bytes(c.bytes[:d.get("readable", c.size)])

    def device(self, d):
        regions = [Region(text) if text else None for text in d.get("bars", [])]
        rom = Region(d["rom"]) if "rom" in d else None
        config = self.config(d, regions, rom)
        lines = [r.line() if r else EMPTY for r in (regions + [None] * 6)[:6]]
        lines.append(rom.line(rom=True) if rom else EMPTY)
        lines += [EMPTY] * (10 if "bridge" in d else 6)
        vendor, device = d["id"].split(":")
        subsystem = d.get("subsystem", "0000:0000").split(":")
        attributes = {"vendor": f"0x{vendor}", "device": f"0x{device}",
                      "class": f"0x{d['class']}", "revision": f"0x{d.get('revision', 0):02x}",
                      "subsystem_vendor": f"0x{subsystem[0]}",
                      "subsystem_device": f"0x{subsystem[1]}",
                      "irq": str(d.get("irq", 0)), "numa_node": "-1",
                      **d.get("attributes", {})}
        for name, value in attributes.items():
            self.write(f"{d['path']}/{name}", f"{value}\n")
        self.write(f"{d['path']}/config", config)
        self.write(f"{d['path']}/resource", "".join(lines))
        self.link(f"/sys/bus/pci/devices/{d['address']}", d["path"])
        if "driver" in d:
            self.link(f"{d['path']}/driver", f"/sys/bus/pci/drivers/{d['driver']}")
        if "physical" in d:
            self.link(f"{d['path']}/physfn", self.devices[full(d["physical"])]["path"])
        if "slot" in d:
            self.write(f"/sys/bus/pci/slots/{d['slot']}/address", d["address"][:-2] + "\n")
        return dump(d["address"], config)

    # ---- the rest ----

    def machine(self):
        xen = self.d.get("xen", {})
        self.write("/proc/sys/kernel/osrelease", self.d.get("kernel", "6.1.0-44-amd64") + "\n")
        self.write("/proc/cmdline", self.d.get("command_line", "root=/dev/sda1 ro") + "\n")
        if xen.get("dom0", bool(xen)):
            self.write("/proc/xen/capabilities", "control_d\n")
        if "version" in xen:
            major, minor, extra = re.fullmatch(r"(\d+)\.(\d+)(.*)", xen["version"]).groups()
            self.write("/sys/hypervisor/type", "xen\n")
            for name, value in (("major", major), ("minor", minor), ("extra", extra)):
                self.write(f"/sys/hypervisor/version/{name}", value + "\n")
        if xen.get("facts", bool(xen)):
            self.facts(xen)

    def facts(self, xen):
        facts = {"xlpolicy": 1}
        facts.update({k: xen[k] for k in ("hvm_directio", "interrupt_remapping") if k in xen})
        facts["devices"] = []
        for address, d in sorted(self.devices.items()):
            known = {k: d[k] for k in ("node", "owner", "owner_name", "group") if k in d}
            if "reserved" in d:
                known["reserved"] = [{"start": int(r.split()[0], 16), "size": size(r.split()[1])}
                                     for r in d["reserved"]]
            if known:
                facts["devices"].append({"address": address, **known})
        self.write("/xen-facts.json", json.dumps(facts, indent=1) + "\n")

    def pciback(self):
        mine = sorted(a for a, d in self.devices.items() if d.get("driver") == "pciback")
        if not self.d.get("pciback", bool(mine)):
            return
        base = "/sys/bus/pci/drivers/pciback"
        self.write(f"{base}/slots", "".join(a + "\n" for a in mine))
        self.write(f"{base}/permissive",
                   "".join(a + "\n" for a in mine if self.devices[a].get("permissive")))


def check_keys(table, known, where):
    if unknown := table.keys() - known:
        raise ValueError(f"{where}: unknown: {', '.join(sorted(unknown))}")


def dump(address, config):
    """As `lspci -xxxx` prints it."""
    text = f"{address} device\n"
    for at in range(0, len(config), 16):
        text += f"{at:02x}: {config[at:at + 16].hex(' ')}\n"
    return text + "\n"


def main():
    description, root = sys.argv[1:]
    with open(description, "rb") as file:
        Host(tomllib.load(file), os.path.abspath(root)).make()


if __name__ == "__main__":
    main()
