#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""What xlpolicy decodes of each made host is what the real lspci decodes, from its files and from its
dump; prints TAP. Every flag and number that lspci shows of the capabilities that both know has to be
found in ours: what neither table below names is a failure, too."""

import glob
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("XLP_BUILD", "build")

# Sections of lspci's text, and the register that they show.
REGISTERS = {
    "Flags": "Power Management Capabilities (PMC)",
    "Status": "Power Management Control/Status (PMCSR)",
    "MSI": "Message Control", "MSI-X": "Message Control",
    "Express": "PCI Express Capabilities Register",
    "DevCap": "Device Capabilities Register", "DevCtl": "Device Control Register",
    "DevSta": "Device Status Register", "LnkCap": "Link Capabilities Register",
    "LnkCtl": "Link Control Register", "LnkSta": "Link Status Register",
    "SltCap": "Slot Capabilities Register", "SltCtl": "Slot Control Register",
    "SltSta": "Slot Status Register", "RootCtl": "Root Control Register",
    "RootCap": "Root Capabilities Register", "RootSta": "Root Status Register",
    "DevCap2": "Device Capabilities 2 Register", "DevCtl2": "Device Control 2 Register",
    "LnkCap2": "Link Capabilities 2 Register", "LnkCtl2": "Link Control 2 Register",
    "LnkSta2": "Link Status 2 Register",
    "AFCap": "AF Capabilities", "AFCtrl": "AF Control", "AFStatus": "AF Status",
    "ACSCap": "ACS Capability Register", "ACSCtl": "ACS Control Register",
    "ARICap": "ARI Capability Register", "ARICtl": "ARI Control Register",
    "IOVCap": "SR-IOV Capabilities", "IOVCtl": "SR-IOV Control", "IOVSta": "SR-IOV Status",
}

ACS = {"SrcValid": "ACS Source Validation", "TransBlk": "ACS Translation Blocking",
       "ReqRedir": "ACS P2P Request Redirect", "CmpltRedir": "ACS P2P Completion Redirect",
       "UpstreamFwd": "ACS Upstream Forwarding", "EgressCtrl": "ACS P2P Egress Control",
       "DirectTrans": "ACS Direct Translated P2P"}
LETTERS = dict(zip(ACS, "VBRCUET"))

# lspci's flags, NAME+ and NAME-, by section.
FLAGS = {
    "Flags": {"PMEClk": "PME Clock", "DSI": "Device Specific Initialization", "D1": "D1_Support",
              "D2": "D2_Support"},
    "Status": {"NoSoftRst": "No_Soft_Reset", "PME-Enable": "PME_En", "PME": "PME_Status"},
    "MSI": {"Enable": "MSI Enable", "Maskable": "Per-vector masking capable",
            "64bit": "64 bit address capable"},
    "MSI-X": {"Enable": "MSI-X Enable", "Masked": "Function Mask"},
    "Express": {"Slot": "Slot Implemented"},
    "DevCap": {"ExtTag": "Extended Tag Field Supported", "RBE": "Role-Based Error Reporting",
               "FLReset": "Function Level Reset Capability"},
    "DevCtl": {"CorrErr": "Correctable Error Reporting Enable",
               "NonFatalErr": "Non-Fatal Error Reporting Enable",
               "FatalErr": "Fatal Error Reporting Enable",
               "UnsupReq": "Unsupported Request Reporting Enable",
               "RlxdOrd": "Enable Relaxed Ordering", "ExtTag": "Extended Tag Field Enable",
               "PhantFunc": "Phantom Functions Enable", "AuxPwr": "Aux Power PM Enable",
               "NoSnoop": "Enable No Snoop",
               "FLReset": "Bridge Configuration Retry Enable / Initiate Function Level Reset",
               "BrConfRtry": "Bridge Configuration Retry Enable / Initiate Function Level Reset"},
    "DevSta": {"CorrErr": "Correctable Error Detected",
               "NonFatalErr": "Non-Fatal Error Detected", "FatalErr": "Fatal Error Detected",
               "UnsupReq": "Unsupported Request Detected", "AuxPwr": "AUX Power Detected",
               "TransPend": "Transactions Pending"},
    "LnkCap": {"ClockPM": "Clock Power Management",
               "Surprise": "Surprise Down Error Reporting Capable",
               "LLActRep": "Data Link Layer Link Active Reporting Capable",
               "BwNot": "Link Bandwidth Notification Capability",
               "ASPMOptComp": "ASPM Optionality Compliance"},
    "LnkCtl": {"Disabled": "Link Disable", "CommClk": "Common Clock Configuration",
               "ExtSynch": "Extended Synch", "ClockPM": "Enable Clock Power Management",
               "AutWidDis": "Hardware Autonomous Width Disable",
               "BWInt": "Link Bandwidth Management Interrupt Enable",
               "AutBWInt": "Link Autonomous Bandwidth Interrupt Enable"},
    "LnkSta": {"Train": "Link Training", "SlotClk": "Slot Clock Configuration",
               "DLActive": "Data Link Layer Link Active",
               "BWMgmt": "Link Bandwidth Management Status",
               "ABWMgmt": "Link Autonomous Bandwidth Status"},
    "SltCap": {"AttnBtn": "Attention Button Present", "PwrCtrl": "Power Controller Present",
               "MRL": "MRL Sensor Present", "AttnInd": "Attention Indicator Present",
               "PwrInd": "Power Indicator Present", "HotPlug": "Hot-Plug Capable",
               "Surprise": "Hot-Plug Surprise", "NoCompl": "No Command Completed Support",
               "Interlock": "Electromechanical Interlock Present"},
    "SltCtl": {"AttnBtn": "Attention Button Pressed Enable",
               "PwrFlt": "Power Fault Detected Enable", "MRL": "MRL Sensor Changed Enable",
               "PresDet": "Presence Detect Changed Enable",
               "CmdCplt": "Command Completed Interrupt Enable", "HPIrq": "Hot-Plug Interrupt Enable",
               "LinkChg": "Data Link Layer State Changed Enable",
               "Power": "Power Controller Control",
               "Interlock": "Electromechanical Interlock Control"},
    "RootCtl": {"ErrCorrectable": "System Error on Correctable Error Enable",
                "ErrNon-Fatal": "System Error on Non-Fatal Error Enable",
                "ErrFatal": "System Error on Fatal Error Enable",
                "PMEIntEna": "PME Interrupt Enable",
                "CRSVisible": "CRS Software Visibility Enable"},
    "RootCap": {"CRSVisible": "CRS Software Visibility"},
    "RootSta": {"PMEStatus": "PME Status", "PMEPending": "PME Pending"},
    "DevCap2": {"TimeoutDis": "Completion Timeout Disable Supported",
                "NROPrPrP": "No RO-enabled PR-PR Passing", "LTR": "LTR Mechanism Supported",
                "10BitTagComp": "10-Bit Tag Completer Supported",
                "10BitTagReq": "10-Bit Tag Requester Supported",
                "ExtFmt": "Extended Fmt Field Supported",
                "EETLPPrefix": "End-End TLP Prefix Supported",
                "EmergencyPowerReductionInit": "Emergency Power Reduction Initialization Required",
                "FRS": "FRS Supported", "ARIFwd": "ARI Forwarding Supported",
                "Routing": "AtomicOp Routing Supported",
                "32bit": "32-bit AtomicOp Completer Supported",
                "64bit": "64-bit AtomicOp Completer Supported",
                "128bitCAS": "128-bit CAS Completer Supported"},
    "DevCtl2": {"TimeoutDis": "Completion Timeout Disable", "LTR": "LTR Mechanism Enable",
                "10BitTagReq": "10-Bit Tag Requester Enable", "ARIFwd": "ARI Forwarding Enable",
                "ReqEn": "AtomicOp Requester Enable", "EgressBlck": "AtomicOp Egress Blocking"},
    "LnkCap2": {"Crosslink": "Crosslink Supported",
                "Retimer": "Retimer Presence Detect Supported",
                "2Retimers": "Two Retimers Presence Detect Supported", "DRS": "DRS Supported"},
    "LnkCtl2": {"EnterCompliance": "Enter Compliance",
                "SpeedDis": "Hardware Autonomous Speed Disable",
                "EnterModifiedCompliance": "Enter Modified Compliance",
                "ComplianceSOS": "Compliance SOS"},
    "LnkSta2": {"EqualizationComplete": "Equalization 8.0 GT/s Complete",
                "EqualizationPhase1": "Equalization 8.0 GT/s Phase 1 Successful",
                "EqualizationPhase2": "Equalization 8.0 GT/s Phase 2 Successful",
                "EqualizationPhase3": "Equalization 8.0 GT/s Phase 3 Successful",
                "LinkEqualizationRequest": "Link Equalization Request 8.0 GT/s",
                "Retimer": "Retimer Presence Detected",
                "2Retimers": "Two Retimers Presence Detected"},
    "AFCap": {"TP": "Transactions Pending Capability (TP_CAP)",
              "FLR": "Function Level Reset Capability (FLR_CAP)"},
    "AFCtrl": {"FLR": "Initiate FLR (INITIATE_FLR)"},
    "AFStatus": {"TP": "Transactions Pending (TP)"},
    "ACSCap": {k: f"{v} ({LETTERS[k]})" for k, v in ACS.items()},
    "ACSCtl": {k: f"{v} Enable ({LETTERS[k]})" for k, v in ACS.items()},
    "ARICap": {"MFVC": "MFVC Function Groups Capability (M)",
               "ACS": "ACS Function Groups Capability (A)"},
    "ARICtl": {"MFVC": "MFVC Function Groups Enable (M)", "ACS": "ACS Function Groups Enable (A)"},
    "IOVCap": {"Migration": "VF Migration Capable",
               "10BitTagReq": "VF 10-Bit Tag Requester Supported"},
    "IOVCtl": {"Enable": "VF Enable", "Migration": "VF Migration Enable",
               "Interrupt": "VF Migration Interrupt Enable", "MSE": "VF MSE",
               "ARIHierarchy": "ARI Capable Hierarchy",
               "10BitTagReq": "VF 10-Bit Tag Requester Enable"},
    "IOVSta": {"Migration": "VF Migration Status"},
}

# What later specifications have made reserved, or lspci takes from two fields at once.
IGNORED = {("DevCap", "AttnBtn"), ("DevCap", "AttnInd"), ("DevCap", "PwrInd"),
           ("LnkSta", "TrErr"), ("DevCap2", "TPHComp"), ("DevCap2", "ExtTPHComp"),
           ("SltSta", "AttnBtn"), ("SltSta", "PowerFlt"), ("SltSta", "MRL"),
           ("SltSta", "CmdCplt"), ("SltSta", "PresDet"), ("SltSta", "Interlock"),
           ("SltSta", "LinkState"), ("Flags", "D0"), ("Flags", "D3hot"), ("Flags", "D3cold")}

SPEEDS = {"2.5": 1, "5": 2, "8": 3, "16": 4, "32": 5}
TYPES = {"Endpoint": 0, "Legacy Endpoint": 1, "Root Port": 4, "Upstream Port": 5,
         "Downstream Port": 6, "PCI-Express to PCI/PCI-X Bridge": 7,
         "Root Complex Integrated Endpoint": 9}


def hexed(text):
    return int(text, 16)


def log2(text):
    return int(text).bit_length() - 1


def payload(text):
    return log2(text) - 7


# lspci's numbers: section, how it writes them, and the field with each one's conversion.
NUMBERS = [
    ("Status", r"Status: D(\d)", [("PowerState", int)]),
    ("Status", r"DSel=(\d+) DScale=(\d+)", [("Data_Select", int), ("Data_Scale", int)]),
    ("MSI", r"Count=(\d+)/(\d+)", [("Multiple Message Enable", log2),
                                    ("Multiple Message Capable", log2)]),
    ("MSI-X", r"Count=(\d+)", [("Table Size", lambda t: int(t) - 1)]),
    ("Express", r"Express \(v(\d)\) (.*?)(?: \(Slot.\))?, MSI ([0-9a-f]+)",
     [("Capability Version", int), ("Device/Port Type", TYPES.get),
      ("Interrupt Message Number", hexed)]),
    ("DevCap", r"MaxPayload (\d+)", [("Max_Payload_Size Supported", payload)]),
    ("DevCtl", r"MaxPayload (\d+) bytes, MaxReadReq (\d+)",
     [("Max_Payload_Size", payload), ("Max_Read_Request_Size", payload)]),
    ("LnkCap", r"Port #(\d+), Speed ([\d.]+)GT/s, Width x(\d+)",
     [("Port Number", int), ("Max Link Speed", SPEEDS.get), ("Maximum Link Width", int)]),
    ("LnkSta", r"Speed ([\d.]+)GT/s[^,]*, Width x(\d+)",
     [("Current Link Speed", SPEEDS.get), ("Negotiated Link Width", int)]),
    ("SltCap", r"Slot #(\d+)", [("Physical Slot Number", int)]),
    ("RootSta", r"PME ReqID ([0-9a-f]+)", [("PME Requester ID", hexed)]),
    ("LnkCtl2", r"Target Link Speed: ([\d.]+)GT/s", [("Target Link Speed", SPEEDS.get)]),
    ("ARICap", r"Next Function: (\d+)", [("Next Function Number", int)]),
    ("ARICtl", r"Function Group: (\d+)", [("Function Group", int)]),
    ("IOVCap", r"Interrupt Message Number: ([0-9a-f]+)",
     [("VF Migration Interrupt Message Number", hexed)]),
]

PME_STATES = ["D0", "D1", "D2", "D3hot", "D3cold"]


def run(*command):
    """Exit codes tell of findings, not of failing to read."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if not done.stdout:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


# ---- lspci ----

def lspci(arguments):
    """{address: [(extended, offset, version, header, text)]}, the text on one line."""
    devices, block = {}, None
    for line in run("lspci", "-vvv", "-D", "-n", *arguments).splitlines():
        if line and not line[0].isspace():
            devices[line.split()[0]] = capabilities = []
            block = None
        elif m := re.match(r"\tCapabilities: \[([0-9a-f]+)(?: v(\d+))?\] (.*)", line):
            block = [len(m[1]) > 2, int(m[1], 16), int(m[2] or 0), m[3], m[3]]
            capabilities.append(block)
        elif block and line.startswith("\t\t"):
            block[4] += " " + line.strip()
        else:
            block = None
    return devices


def sections(text):
    """Of one capability: [(section, text)]."""
    parts = re.split(r"(?:^|(?<=\s))(" + "|".join(sorted(REGISTERS, key=len, reverse=True)) +
                     r")(?=[: ])", text)
    return [(parts[i], parts[i] + parts[i + 1]) for i in range(1, len(parts), 2)]


def lspci_fields(block):
    """{(register, field): value} of one capability."""
    found = {}
    extended, _, _, header, text = block
    for section, part in sections(text):
        if section == "Status" and not text.startswith("Power Management"):
            continue    # a part of SltSta
        if section in ("MSI", "Express") and not header.startswith(section):
            continue    # a word within another's text
        for name, sign in re.findall(r"([A-Za-z0-9/-]+?)([+-])(?=[\s,;)]|$)", part):
            if (section, name) in IGNORED or (section == "Flags" and name in PME_STATES and
                                              name not in FLAGS["Flags"]):
                continue
            if section == "Flags" and name in ("D1", "D2") and \
                    (REGISTERS[section], FLAGS[section][name]) in found:
                continue    # once more, of PME
            found[REGISTERS[section], FLAGS[section][name]] = int(sign == "+")
        for where, pattern, fields in NUMBERS:
            if where == section and (m := re.search(pattern, part)):
                for (field, convert), word in zip(fields, m.groups()):
                    found[REGISTERS[section], field] = convert(word)
        if section == "Flags":
            pme = re.search(r"PME\((.*?)\)", part)[1]
            found[REGISTERS[section], "PME_Support"] = sum(
                (s + "+" in pme.split(",")) << i for i, s in enumerate(PME_STATES))
    found.update(special(header, text))
    return found


def special(header, text):
    """What lspci shows otherwise than by sections."""
    found = {}
    if m := re.search(r"Vector table: BAR=(\d) offset=(\w+) PBA: BAR=(\d) offset=(\w+)", text):
        found["Table Offset/Table BIR", "Table BIR"] = int(m[1])
        found["Table Offset/Table BIR", "Table Offset"] = int(m[2], 16)
        found["PBA Offset/PBA BIR", "PBA BIR"] = int(m[3])
        found["PBA Offset/PBA BIR", "PBA Offset"] = int(m[4], 16)
    if header.startswith("MSI:"):
        m = re.search(r"Address: (\w+) +Data: (\w+)", text)
        found["message"] = (int(m[1], 16), int(m[2], 16))
        if m := re.search(r"Masking: (\w+) +Pending: (\w+)", text):
            found["Mask Bits", "Mask Bits"] = int(m[1], 16)
            found["Pending Bits", "Pending Bits"] = int(m[2], 16)
    if m := re.match(r"Device Serial Number ([0-9a-f-]+)", header):
        found["serial"] = int(m[1].replace("-", ""), 16)
    if "Initial VFs" in text:
        for name, register, base in (("Initial VFs", "InitialVFs", 10),
                                     ("Total VFs", "TotalVFs", 10),
                                     ("Number of VFs", "NumVFs", 10),
                                     ("Function Dependency Link", "Function Dependency Link", 16),
                                     ("VF offset", "First VF Offset", 10),
                                     ("stride", "VF Stride", 10), ("Device ID", "VF Device ID", 16),
                                     ("Supported Page Size", "Supported Page Sizes", 16),
                                     ("System Page Size", "System Page Size", 16)):
            found[register, register] = int(re.search(name + r": (\w+)", text)[1], base)
    if header.startswith("Physical Resizable BAR"):
        units = {"MB": 0, "GB": 10, "TB": 20}
        found["rebar"] = [
            (int(bar), mib(now, units), [mib(s, units) for s in can.split()])
            for bar, now, can in re.findall(
                r"BAR (\d): current size: (\w+), supported: ((?:\d+[MGT]B ?)+)", text)]
    return found


def mib(text, units):
    return int(text[:-2]) << units[text[-2:]]


# ---- ours ----

def our_fields(capability):
    found, bars = {}, []
    for f in capability["fields"]:
        value = int(f["value"], 16) if isinstance(f["value"], str) else f["value"]
        found[f["register"], f["name"]] = value
        if f["register"] == "Resizable BAR Capability Register":
            bars.append([None, None, [1 << bit for bit in range(28) if value >> bit & 1]])
        elif f["name"] == "BAR Index":
            bars[-1][0] = value
        elif f["name"] == "BAR Size":
            bars[-1][1] = 1 << value
    address = found.get(("Message Address", "Interrupt Message Address (0FEEH)"))
    if address is not None:
        found["message"] = message(found)
    if capability["name"] == "Device Serial Number":
        low, high = [int(f["value"], 16) for f in capability["fields"]]
        found["serial"] = high << 32 | low
    if bars:
        found["rebar"] = [tuple(b) for b in bars]
    return found


def message(found):
    """Address and data, put together again from their fields."""
    def a(name):
        return found.get(("Message Address", name), 0)

    def d(name):
        return found.get(("Message Data", name), 0)
    address = (a("Interrupt Message Address (0FEEH)") << 20 | a("Destination ID") << 12 |
               a("Handle[14:0]") << 5 | a("Interrupt Format") << 4 |
               a("Redirection Hint Indication (RH)") << 3 | a("Subhandle Valid (SHV)") << 3 |
               a("Destination Mode (DM)") << 2 | a("Handle[15]") << 2 |
               found.get(("Message Upper Address", "Message Upper Address"), 0) << 32)
    data = (d("Vector") | d("Delivery Mode") << 8 | d("Level for Trigger Mode") << 14 |
            d("Trigger Mode") << 15 | d("Subhandle"))
    return address, data


# ---- one against the other ----

def compare(theirs, ours):
    """What differs in one device, as sentences."""
    wrong = []
    flawed = {False: ours["list_flaw"], True: ours["extended_list_flaw"]}
    for extended in (False, True):
        they = [b for b in theirs if b[0] == extended]
        we = [c for c in ours["capabilities"] if c["extended"] == extended]
        broken = [b for b in they if b[3].startswith("<") or b[1] < (0x100 if extended else 0x40)]
        # Where a list is broken lspci goes on for a while, and we say where it breaks.
        if broken and not flawed[extended]:
            wrong.append(f"lspci finds a broken list: {broken[0][3]}")
        if broken:
            they = they[:they.index(broken[0])]
        if [(b[1], b[2]) for b in they] != [(int(c["offset"], 16), c["version"]) for c in we]:
            wrong.append(f"capabilities: lspci has {[hex(b[1]) for b in they]}, "
                         f"xlpolicy {[c['offset'] for c in we]}")
        for block, capability in zip(they, we):
            mine = our_fields(capability)
            # Of others we know the name only.
            if not capability["fields"]:
                continue
            for key, value in lspci_fields(block).items():
                COMPARED[0] += 1
                if mine.get(key) != value:
                    wrong.append(f"{capability['name']}: {key}: lspci {value}, "
                                 f"xlpolicy {mine.get(key)}")
    return wrong


COMPARED = [0]


def check(host, kind, theirs_from, ours_from):
    wrong, before = [], COMPARED[0]
    theirs = lspci(theirs_from)
    listed = json.loads(run(f"{BUILD}/xlpolicy", "--json", "pci-list", "--all", *ours_from))
    if sorted(theirs) != [d["address"] for d in listed["devices"]]:
        wrong.append("not the same devices")
    for address in sorted(theirs):
        ours = json.loads(run(f"{BUILD}/xlpolicy", "--json", "pci-info", address, *ours_from))
        wrong += [f"{address} {w}" for w in compare(theirs[address], ours)]
    result = "not ok" if wrong else "ok"
    print(f"{result} - {host}, {kind}: as lspci decodes it ({COMPARED[0] - before} values)")
    for w in wrong:
        print(f"# {w}")
    return not wrong


def main():
    good = count = 0
    ids = ["-i", f"{HERE}/pci.ids"]
    for path in sorted(glob.glob(f"{HERE}/hosts/*.toml")):
        host = os.path.basename(path)[:-5]
        root = os.path.abspath(f"{BUILD}/pci/hosts/{host}")
        subprocess.run([sys.executable, "-B", f"{HERE}/make_host.py", path, root], check=True)
        good += check(host, "files",
                      ids + ["-A", "linux-sysfs", "-O", f"sysfs.path={root}/sys/bus/pci"],
                      ["--sysroot", root])
        good += check(host, "dump", ids + ["-F", root + ".dump"], ["--dump", root + ".dump"])
        count += 2
    print(f"1..{count}")
    return 0 if good == count else 1


if __name__ == "__main__":
    sys.exit(main())
