#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""PCI passthrough on real Xen with an emulated IOMMU, by the project's own commands and no hand edit:
a network card, and the VGA and audio pair that stands in for a graphics card, to HVM guests and back.

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

NIC = "0000:00:05.0"
VGA, AUDIO = "0000:00:07.0", "0000:00:07.1"
TEMPLATES = ("windows10-nvidia", "windows10-amd", "windows11", "linux-compute", "network-vf",
             "usb-controller", "nvme", "windows7")
NO_BRIDGE = 410  # this dom0 has no network bridge; the guest is created without a network
GUEST_MIB = 256
BOOT_S = 300   # an HVM guest, its firmware and its kernel, interpreted
WATCH_S = 20   # how long the daemon is watched for what it must not do


def main():
    lab.end_orderly()
    checks = [check_templates, check_network, check_graphics]
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
                      f"--memory {GUEST_MIB} --vcpus 1 --name {name} --force >/run/{name}.cfg")

    def create(self, name):
        """Starts it and waits until its process 1 has looked at everything; its log then."""
        self.host.run(f"xl create -q /run/{name}.cfg {hvm.settings(log_of(name))}")
        return self.ready(name)

    def ready(self, name):
        try:
            self.host.until(f"{name} is up", lambda: "LAB ready" in self.log(name), BOOT_S, 2)
        except lab.LabError as error:
            more = self.host.sh(f"xl vcpu-list; tail -n 5 /var/log/xen/xl-{name}.log "
                                f"/var/log/xen/qemu-dm-{name}.log; xl dmesg | tail -n 5")
            raise lab.LabError(f"{error}; it said: {self.log(name)[-800:]}; {more[1]}") from None
        return self.log(name)

    def destroy(self, name):
        """Ends it, also when it is just rebooting."""
        self.host.until(f"{name} is gone", lambda: self.host.sh(
            f"xl destroy {name}; sleep 1; xl domid {name}")[0] != 0, 60, 1)

    def log(self, name):
        return self.host.sh(f"cat {log_of(name)}")[1]


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


def check_network():
    with running() as host:
        commands = Passthrough(host)
        before = commands.driver(NIC)
        with claim("pci-prepare --now binds the network card to pciback, and xl lists it"):
            expect(before == "e1000e", before)
            commands.prepare(NIC)
            expect(commands.driver(NIC) == "pciback", commands.driver(NIC))
            expect(NIC in host.run("xl pci-assignable-list"), "not listed")
        with claim("pci-validate finds nothing that keeps the guest from starting"):
            commands.config("net", "network-vf", NIC)
            found = commands.look("pci-validate /run/net.cfg", (0, 2))
            expect(found["errors"] == 0, found)
        xlpolicyd = daemon.running(host, adopt=1)
        with claim("an HVM guest gets it and pings QEMU's gateway through it, with MSI-X"):
            log = commands.create("net")
            expect("LAB ping OK" in log, log)
            expect("LAB interrupt" in log and "msi-x" in log.lower(), log)
        domid = host.domids()["net"]
        with claim("pci-list says whose it is, and pci-release refuses to take it away"):
            expect(commands.device(NIC)["owner_domid"] == domid, commands.device(NIC))
            status, output = host.sh(f"xlpolicy pci-release {NIC}")
            expect(status == 4 and "belongs to the guest net" in output, (status, output))
        with claim("the daemon leaves its memory alone, and why says so"):
            target = host.run(f"xenstore-read /local/domain/{domid}/memory/target")
            time.sleep(WATCH_S)
            expect(host.run(f"xenstore-read /local/domain/{domid}/memory/target") == target, target)
            why = xlpolicyd.cli("why net")
            expect("holds 1 PCI device(s), and ballooning would break its next reboot" in why, why)
        with claim("after a reboot of the guest the same configuration starts again, and pings"):
            host.until("net reboots", lambda: host.domids().get("net", domid) != domid, BOOT_S, 2)
            expect("LAB ping OK" in commands.ready("net"), commands.log("net"))
        with claim("pci-release gives it back to dom0's driver"):
            commands.destroy("net")
            host.run(f"xlpolicy pci-release {NIC}")
            expect(commands.driver(NIC) == before, commands.driver(NIC))
            expect(host.sh("ls /sys/bus/pci/devices/" + NIC + "/net")[0] == 0, "no interface")


def check_graphics():
    with running() as host:
        commands = Passthrough(host)
        before = commands.driver(VGA), commands.driver(AUDIO)
        with claim("both functions go to pciback together"):
            commands.prepare(VGA)
            expect((commands.driver(VGA), commands.driver(AUDIO)) == ("pciback", "pciback"),
                   commands.driver(AUDIO))
        with claim("a configuration with one of the two missing is found at fault, ours is not"):
            commands.config("gpu", "linux-compute", VGA)
            found = commands.look("pci-validate /run/gpu.cfg", (0, 1, 2))
            wrong = {f["number"] for f in found["findings"] if f["severity"] == "error"}
            expect(wrong <= {NO_BRIDGE}, found)
            host.run(f"grep -v {AUDIO} /run/gpu.cfg >/run/half.cfg")
            found = commands.look("pci-validate /run/half.cfg", (0, 1, 2))
            expect(any(f["number"] == 403 for f in found["findings"]), found)
        xlpolicyd = daemon.running(host, adopt=1)
        with claim("an HVM guest has both, beside its emulated card"):
            log = commands.create("gpu")
            expect(log.count("LAB device 0x1234 0x1111 0x030000") == 2, log)
            expect("LAB device 0x8086 0x2668" in log, log)
        with claim("the daemon leaves its memory alone, and why says so"):
            why = xlpolicyd.cli("why gpu")
            expect("holds 2 PCI device(s), and ballooning would break its next reboot" in why, why)
        with claim("pci-release gives both back"):
            commands.destroy("gpu")
            host.run(f"xlpolicy pci-release {VGA}")
            expect((commands.driver(VGA), commands.driver(AUDIO)) == before, before)


if __name__ == "__main__":
    sys.exit(main())
