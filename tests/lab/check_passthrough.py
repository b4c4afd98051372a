#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""PCI passthrough on real Xen with an emulated IOMMU, by the project's own commands and no hand edit:
a network card, and the VGA and audio pair that stands in for a graphics card, to two HVM guests at a
time and back, while the daemon runs.

Prints TAP. Usage: check_passthrough.py [CHECK...]
"""

import json
import os
import sys
import time

import daemon
import hvm
import lab
from common import REPO
from tap import Tap, expect

TAP = Tap()
claim = TAP.claim

NIC = "0000:81:00.0"  # on the second NUMA node, which has pCPUs 2 and 3
NIC_NODE, NIC_PCPUS = 1, {2, 3}
VGA, AUDIO = "0000:00:07.0", "0000:00:07.1"  # on a bus of which Xen knows no node
TEMPLATES = ("windows10-nvidia", "windows10-amd", "windows11", "linux-compute", "network-vf",
             "usb-controller", "nvme", "windows7")
NO_BRIDGE = 410  # this dom0 has no network bridge; the guest is created without a network
GUEST_MIB = 256
SILENT_S = 600     # a guest that says nothing for so long, or
SILENT_CPU_S = 150  # while it uses so much processor time, will not come up: both stand for a hang
WATCH_S = 20        # how long the daemon is watched for what it must not do


def main():
    lab.end_orderly()
    checks = [check_templates, check_guests]
    return TAP.run(checks, sys.argv[1:])


class Passthrough:
    """The commands in dom0, and a guest that one of them wrote."""

    def __init__(self, host):
        self.host = host
        host.run("modprobe e1000e; modprobe xen-pciback")

    def look(self, arguments, allowed=(0,)):
        """The JSON of a command that only reads."""
        status, output = self.host.sh(f"xlpolicy --json {arguments} 2>/run/said")
        expect(status in allowed, (arguments, status, output, self.host.sh("cat /run/said")))
        return json.loads(output)

    def device(self, address):
        listed = self.look("pci-list --all")["devices"]
        return next(d for d in listed if d["address"] == address)

    def driver(self, address):
        """The driver that dom0 has for it, as the kernel says."""
        return self.host.sh(f"basename $(readlink /sys/bus/pci/devices/{address}/driver)")[1].strip()

    def prepare(self, address):
        """Binds it now; with --force only where dom0's console hangs on it."""
        status, output = self.host.sh(f"xlpolicy pci-prepare --now {address}")
        if status == 4 and "console" in output:
            status, output = self.host.sh(f"xlpolicy pci-prepare --now --force {address}")
        expect(status == 0, output)

    def config(self, name, template, address):
        self.host.run(f"xlpolicy pci-config --template {template} --device {address} "
                      f"--memory {GUEST_MIB}m --vcpus 1 --name {name} --force >/run/{name}.cfg")

    def create(self, name):
        """Starts it and waits until its process 1 has looked at everything; its log then."""
        self.host.run(f"xl create -q /run/{name}.cfg {hvm.settings(log_of(name))}")
        return self.ready(name)

    def reboot(self, name):
        """Has it reboot, as an operator does, and waits until it is up again; its log then."""
        domid = self.host.domids()[name]
        self.host.run(f"rm {log_of(name)}; xl reboot {name}")  # the next device model makes a new one
        try:
            self.host.until(f"{name} reboots",
                            lambda: self.host.domids().get(name, domid) != domid, SILENT_S, 1)
        except lab.LabError as error:
            raise lab.LabError(f"{error}; {self.last_words(name)}") from None
        return self.ready(name)

    def ready(self, name):
        """Waits for as long as the guest gets on, however slow the machine is."""
        said, heard, heard_cpu_s = "", time.monotonic(), 0.0
        while "LAB ready" not in said:
            time.sleep(1)
            log, cpu_s = self.log(name), self.cpu_s(name)
            if log != said:
                said, heard, heard_cpu_s = log, time.monotonic(), cpu_s
            if time.monotonic() - heard > SILENT_S or cpu_s - heard_cpu_s > SILENT_CPU_S:
                raise lab.LabError(f"{name} does not come up: silent for "
                                   f"{time.monotonic() - heard:.0f} s and {cpu_s - heard_cpu_s:.0f} s "
                                   f"of its own; {self.last_words(name)}")
        return said

    def cpu_s(self, name):
        """The processor time it has used, 0 while it is being made."""
        listed = self.host.sh(f"xl list {name} 2>/dev/null | tail -n 1")[1].split()
        return float(listed[-1]) if listed and listed[0] == name else 0.0

    def last_words(self, name):
        more = self.host.sh(f"xl vcpu-list; tail -n 5 /var/log/xen/xl-{name}.log "
                            f"/var/log/xen/qemu-dm-{name}.log; xl dmesg | tail -n 5")[1]
        return f"it said: {self.log(name)[-800:]}; {more}"

    def target_kib(self, name):
        domid = self.host.domids()[name]
        return self.host.run(f"xenstore-read /local/domain/{domid}/memory/target").strip()

    def destroy(self, name):
        """Ends it, also when it is just rebooting."""
        self.host.until(f"{name} is gone", lambda: self.host.sh(
            f"xl destroy {name}; sleep 1; xl domid {name}")[0] != 0, 60, 1)

    def log(self, name):
        return self.host.sh(f"cat {log_of(name)} 2>/dev/null")[1]


def log_of(name):
    return f"/var/log/xen/{name}.log"


def running():
    files = dict(lab.project_files(), **hvm.files())
    folder = os.path.join(REPO, "xen-configs")
    files.update({f"/usr/local/share/xlpolicy/xen-configs/{name}": os.path.join(folder, name)
                  for name in os.listdir(folder)})
    return lab.state("passthrough", files=files)


def check_templates():
    with running() as host:
        commands = Passthrough(host)
        with claim("pci-check finds the IOMMU, and pciback, and says so"):
            found = {f["code"]: f["grade"] for f in commands.look("pci-check", (0, 1, 2))["findings"]}
            expect(found["iommu"] == "ok" and found["pciback"] == "ok", found)
        for template in TEMPLATES:
            with claim(f"xl create -n accepts what pci-config makes of {template}"):
                commands.config(template, template, VGA)
                host.run(f"xl create -n /run/{template}.cfg >/dev/null")


def check_guests():
    with running() as host:
        commands = Passthrough(host)
        before = {address: commands.driver(address) for address in (NIC, VGA, AUDIO)}
        prepare_and_validate(host, commands, before)
        xlpolicyd = daemon.running(host, adopt=1)
        with claim("an HVM guest gets the network card and pings QEMU's gateway through it, with MSI-X"):
            expect_network(commands.create("net"))
        with claim("a second one has the VGA and audio pair, beside its emulated card"):
            log = commands.create("gpu")
            expect(log.count("LAB device 0x1234 0x1111 0x030000") == 2, log)
            expect("LAB device 0x8086 0x2668" in log, log)
        watch_the_daemon(host, commands, xlpolicyd)
        with claim("pci-list says whose each is, and pci-release refuses to take one away"):
            for name, address in (("net", NIC), ("gpu", VGA), ("gpu", AUDIO)):
                found = commands.device(address)
                expect(found["owner_domid"] == host.domids()[name], found)
                status, output = host.sh(f"xlpolicy pci-release {address}")
                expect(status == 4 and f"belongs to the guest {name}" in output, (status, output))
        with claim("after a reboot of the guest the same configuration starts again, and pings"):
            expect_network(commands.reboot("net"))
        with claim("after a reboot the other one has both functions, too"):
            expect("LAB device 0x8086 0x2668" in commands.reboot("gpu"), commands.log("gpu"))
        with claim("pci-release gives each back to dom0's driver"):
            for name in ("net", "gpu"):
                commands.destroy(name)
            for address in (NIC, VGA):
                host.run(f"xlpolicy pci-release {address}")
            after = {address: commands.driver(address) for address in before}
            expect(after == before, (before, after))
            expect(host.sh(f"ls /sys/bus/pci/devices/{NIC}/net")[0] == 0, "no interface")


def prepare_and_validate(host, commands, before):
    with claim("pci-prepare --now binds the card and both functions of the pair to pciback"):
        expect(before[NIC] == "e1000e", before)
        for address in (NIC, VGA):
            commands.prepare(address)
        for address in (NIC, VGA, AUDIO):
            expect(commands.driver(address) == "pciback", (address, commands.driver(address)))
            expect(address in host.run("xl pci-assignable-list"), f"{address} is not listed")
    with claim("pci-check of each, by name, finds nothing that keeps it from a guest"):
        found = commands.look(f"pci-check {NIC} {VGA} {AUDIO}", (0, 2))
        expect(all(f["grade"] != "fail" for f in found["findings"]), found)
    with claim("pci-config puts the guest on the card's node, where Xen knows it"):
        expect(commands.device(NIC)["node"] == NIC_NODE, commands.device(NIC))
        expect(commands.device(VGA)["node"] is None, commands.device(VGA))
        commands.config("net", "network-vf", NIC)
        commands.config("gpu", "linux-compute", VGA)
        host.run(f"grep -q '^cpus_soft = \"node:{NIC_NODE}\"' /run/net.cfg")
        expect(host.sh("grep -q ^cpus_soft /run/gpu.cfg")[0] != 0, "a node for the pair")
    with claim("pci-validate finds nothing that keeps the guests from starting, and misses a function"):
        for name in ("net", "gpu"):
            found = commands.look(f"pci-validate /run/{name}.cfg", (0, 1, 2))
            wrong = {f["number"] for f in found["findings"] if f["severity"] == "error"}
            expect(wrong <= {NO_BRIDGE}, found)
        host.run(f"grep -v {AUDIO} /run/gpu.cfg >/run/half.cfg")
        found = commands.look("pci-validate /run/half.cfg", (0, 1, 2))
        expect(any(f["number"] == 403 for f in found["findings"]), found)


def expect_network(log):
    """The card works by DMA, or there would be no answer, and with MSI-X interrupts that came."""
    expect("LAB ping OK" in log, log)
    counts = [int(word) for line in log.splitlines()
              if "LAB interrupt" in line and "msi-x" in line.lower()
              for word in line.split() if word.isdigit()]
    expect(sum(counts) > 0, log)


def watch_the_daemon(host, commands, xlpolicyd):
    with claim("the daemon leaves both guests' memory alone, even where it is asked for, and says why"):
        targets = {name: commands.target_kib(name) for name in ("net", "gpu")}
        more_mib = host.free_kib() // 1024 + GUEST_MIB // 4
        status, output = host.sh(f"xlpolicy reserve {more_mib}m")
        expect(status == 4, (status, output))
        time.sleep(WATCH_S)
        for name, count in (("net", 1), ("gpu", 2)):
            expect(commands.target_kib(name) == targets[name], (name, targets))
            why = xlpolicyd.cli(f"why {name}")
            expect(f"holds {count} PCI device(s), and ballooning would break its next reboot" in why,
                   why)
    with claim("the daemon keeps the vCPUs of the card's guest on the card's node, and says why"):
        host.run("xlpolicy rebalance")
        time.sleep(WATCH_S)
        places = {number: cpu.pcpu for (name, number), cpu in host.vcpus().items() if name == "net"}
        expect(places and set(places.values()) <= NIC_PCPUS, places)
        why = xlpolicyd.cli("why net")
        expect(f"node {NIC_NODE}, where its PCI device is" in why, why)


if __name__ == "__main__":
    sys.exit(main())
