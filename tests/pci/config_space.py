# SPDX-License-Identifier: LGPL-2.1-only
"""Config space from a description by capability: the opposite of what the programs do, written
independently of them, from the specifications."""

import struct

PORT_TYPES = {"endpoint": 0, "legacy": 1, "root-port": 4, "upstream": 5, "downstream": 6,
              "pcie-to-pci": 7, "integrated": 9}
SPEEDS = {"2.5": 1, "5": 2, "8": 3, "16": 4, "32": 5}
ACS = {"V": 0, "B": 1, "R": 2, "C": 3, "U": 4, "E": 5, "T": 6}
UNITS = {"K": 10, "M": 20, "G": 30, "T": 40}


def size(text):
    """Bytes: "128", "16M"."""
    if text[-1] in UNITS:
        return int(text[:-1]) << UNITS[text[-1]]
    return int(text)


class Words:
    """ "msi 64 capable=4": the name, the flags, and the values by their keys. Each must be asked
    for: a word that nobody knows is a mistake."""

    def __init__(self, text):
        self.text = text
        self.name, *words = text.split()
        self.flags = {w for w in words if "=" not in w}
        self.values = dict(w.split("=", 1) for w in words if "=" in w)
        self.asked = set()

    def flag(self, name):
        self.asked.add(name)
        return int(name in self.flags)

    def number(self, name, default=0):
        self.asked.add(name)
        return int(self.values.get(name, str(default)), 0)

    def word(self, name, default=""):
        self.asked.add(name)
        return self.values.get(name, default)

    def done(self):
        unknown = (self.flags | self.values.keys()) - self.asked
        if unknown:
            raise ValueError(f"{self.text}: what is {', '.join(sorted(unknown))}?")


class Config:
    """Bytes, and where the next capability goes."""

    def __init__(self):
        self.bytes = bytearray(4096)
        self.size = 256
        self.next, self.link = 0x40, 0x34
        self.next_extended, self.link_extended = 0x100, None

    def put(self, offset, width, value):
        self.bytes[offset:offset + width] = (value & ((1 << 8 * width) - 1)).to_bytes(
            width, "little")

    def get(self, offset, width):
        return int.from_bytes(self.bytes[offset:offset + width], "little")

    # ---- the header ----

    def header(self, d):
        vendor, device = (int(x, 16) for x in d["id"].split(":"))
        code = int(d["class"], 16)
        bridge = d.get("bridge")
        self.put(0x00, 2, vendor)
        self.put(0x02, 2, device)
        self.put(0x04, 2, d.get("command", 0x0407))
        self.put(0x06, 2, 0x0010)
        self.put(0x08, 1, d.get("revision", 0))
        self.put(0x09, 3, code)
        self.put(0x0e, 1, (1 if bridge else 0) | (0x80 if d.get("multifunction") else 0))
        self.put(0x3c, 1, d.get("irq", 0) or 0xff)
        self.put(0x3d, 1, " ABCD".index(d.get("pin", " ")))
        if bridge:
            secondary, subordinate = (int(x, 16) for x in bridge.split("-"))
            self.put(0x18, 4, d["bus"] | secondary << 8 | subordinate << 16)
            self.put(0x1c, 4, 0x000001f1)     # no I/O window
            self.put(0x20, 4, 0x0000fff0)     # no memory window
            self.put(0x24, 4, 0x0001fff1)     # no prefetchable one
        elif "subsystem" in d:
            vendor, device = (int(x, 16) for x in d["subsystem"].split(":"))
            self.put(0x2c, 2, vendor)
            self.put(0x2e, 2, device)

    def bars(self, regions, rom):
        at = 0
        for r in regions:
            if r and not r.virtual:
                self.put(0x10 + 4 * at, 8 if r.is_64 else 4, r.base | r.low_bits)
            at += 1
        if rom and not rom.virtual:
            self.put(0x30, 4, rom.base)

    # ---- capabilities ----

    def add(self, text):
        w = Words(text)
        body = getattr(self, "cap_" + w.name.replace("-", "_"))(w)
        identity = {"pm": 0x01, "vpd": 0x03, "msi": 0x05, "vendor": 0x09, "ssvid": 0x0d,
                    "express": 0x10, "msix": 0x11, "af": 0x13}[w.name]
        w.done()
        at = self.next
        self.put(self.link, 1, at)
        self.put(at, 1, identity)
        self.bytes[at + 2:at + 2 + len(body)] = body
        self.link, self.next = at + 1, (at + 2 + len(body) + 7) & ~7
        if self.next > 256:
            raise ValueError(f"{text}: no room")

    def add_extended(self, text):
        w = Words(text)
        identity, version = {"aer": (1, 2), "serial": (3, 1), "acs": (0x0d, 1), "ari": (0x0e, 1),
                             "sriov": (0x10, 1), "rebar": (0x15, 1), "ltr": (0x18, 1)}[w.name]
        body = getattr(self, "ext_" + w.name)(w)
        w.done()
        at = self.next_extended
        if self.link_extended:
            self.put(self.link_extended, 4, self.get(self.link_extended, 4) | at << 20)
        self.put(at, 4, identity | version << 16)
        self.bytes[at + 4:at + 4 + len(body)] = body
        self.link_extended, self.next_extended = at, (at + 4 + len(body) + 15) & ~15
        self.size = 4096

    @staticmethod
    def cap_pm(w):
        capabilities = (3 | w.flag("dsi") << 5 | w.number("aux") << 6 | w.flag("d1") << 9 |
                        w.flag("d2") << 10 | w.number("pme") << 11)
        control = (w.number("state") | w.flag("no-soft-reset") << 3 | w.flag("pme-en") << 8)
        return struct.pack("<HHBB", capabilities, control, 0, 0)

    @staticmethod
    def cap_msi(w):
        wide, mask = w.flag("64"), w.flag("maskable")
        log2 = {1: 0, 2: 1, 4: 2, 8: 3, 16: 4, 32: 5}
        control = (w.flag("enabled") | log2[w.number("capable", 1)] << 1 |
                   log2[w.number("granted", 1)] << 4 | wide << 7 | mask << 8)
        address, data = w.number("address"), w.number("data")
        body = struct.pack("<H", control)
        body += struct.pack("<QHH" if wide else "<IHH", address, data, 0)
        if mask:
            body += struct.pack("<II", w.number("mask"), w.number("pending"))
        return body

    @staticmethod
    def cap_msix(w):
        table_bar, table = (int(x, 16) for x in w.word("table").split(":"))
        pba_bar, pba = (int(x, 16) for x in w.word("pba").split(":"))
        control = (w.number("vectors") - 1) | w.flag("masked") << 14 | w.flag("enabled") << 15
        return struct.pack("<HII", control, table | table_bar, pba | pba_bar)

    @staticmethod
    def cap_af(w):
        return struct.pack("<BBBB", 6, w.flag("tp") | w.flag("flr") << 1, 0, 0)

    @staticmethod
    def cap_vendor(w):
        length = w.number("length", 16)
        return struct.pack("<B", length) + bytes(length - 3)

    @staticmethod
    def cap_vpd(w):
        return struct.pack("<HI", 0, 0)

    @staticmethod
    def cap_ssvid(w):
        return struct.pack("<HHH", 0, w.number("vendor"), w.number("device"))

    def cap_express(self, w):
        kind = next((k for k in PORT_TYPES if w.flag(k)), "endpoint")
        w.flag(kind)
        version, has_link = w.number("version", 2), kind != "integrated"
        speed, width = SPEEDS[w.word("speed", "8")], w.number("width", 16)
        self.size = 4096
        capabilities = (version | PORT_TYPES[kind] << 4 | w.flag("slot") << 8 |
                        w.number("message") << 9)
        device = (w.number("payload", 1) | w.flag("ext-tag") << 5 | 1 << 15 | w.flag("flr") << 28 |
                  (4 << 6 | 6 << 9 if kind in ("endpoint", "legacy") else 0))
        control = 0x2910 if w.flag("no-errors") else 0x291f
        status = w.flag("pending") << 5 | w.flag("aux-power") << 4
        link = (speed | width << 4 | 3 << 10 | 4 << 12 | 5 << 15 | w.flag("clock-pm") << 18 |
                w.number("port") << 24) if has_link else 0
        link_control = 0x40 if has_link else 0
        link_status = (speed | width << 4 | 1 << 12) if has_link else 0
        slot = w.number("slot-number") << 19 | w.number("slot-watts") << 7 if w.flag("slot") else 0
        slot_status = 0x40 if w.flag("slot") else 0
        device_2 = (0xf | 1 << 4 | w.flag("ari-forwarding") << 5 | w.flag("ltr") << 11) \
            if version > 1 else 0
        control_2 = w.flag("ari-enabled") << 5
        link_2 = ((2 << speed) - 2) if version > 1 and has_link else 0
        body = struct.pack("<HIHHIHHIHHHHI", capabilities, device, control, status, link,
                           link_control, link_status, slot, 0, slot_status, 0, 0, 0)
        return body + struct.pack("<IHHIHHIHH", device_2, control_2, 0, link_2,
                                  speed if link_2 else 0, 0, 0, 0, 0)

    @staticmethod
    def ext_aer(w):
        return struct.pack("<IIIIIIIIII", 0, 0, 0x00062030, 0, 0x2000, 0xa0, 0, 0, 0, 0)

    @staticmethod
    def ext_ltr(w):
        return struct.pack("<HH", 0x1003, 0x1003)

    @staticmethod
    def ext_serial(w):
        return struct.pack("<Q", int(w.word("number").replace("-", ""), 16))

    @staticmethod
    def ext_acs(w):
        def bits(key):
            return sum(1 << ACS[letter] for letter in w.word(key))
        return struct.pack("<HH", bits("can"), bits("does"))

    @staticmethod
    def ext_ari(w):
        return struct.pack("<HH", w.number("next") << 8, 0)

    @staticmethod
    def ext_sriov(w):
        body = struct.pack("<IHHHHHBxHHHHII", w.flag("ari-preserved") << 1,
                           w.flag("enabled") * 9 | w.flag("ari") << 4, 0, w.number("total"),
                           w.number("total"), w.number("count"), 0, w.number("offset"),
                           w.number("stride"), 0, w.number("device"), 0x553, 1)
        bars = [int(x, 16) for x in w.word("bars", "0").split(",")]
        return body + struct.pack("<6I", *(bars + [0] * 6)[:6]) + struct.pack("<I", 0)

    @staticmethod
    def ext_rebar(w):
        """bars=1:256M:64M-16G,...: which, its size, and the sizes it can have."""
        entries = [e.split(":") for e in w.word("bars").split(",")]
        body = b""
        for i, (bar, now, can) in enumerate(entries):
            low, high = (size(x).bit_length() - 21 for x in can.split("-"))
            sizes = sum(1 << bit for bit in range(low, high + 1))
            control = int(bar) | (len(entries) << 5 if i == 0 else 0) | \
                (size(now).bit_length() - 21) << 8
            body += struct.pack("<II", sizes << 4 & 0xffffffff, control | sizes >> 28 << 16)
        return body
