#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""Checks the Xen adapter alone, on real Xen: what it sees against what xl says, what it changes and
records, and that being killed at any point loses nothing. hosttool.c is the adapter's hand in dom0.

Prints TAP. Usage: check_adapter.py [CHECK...]
"""

import json
import sys
import time

import lab
from common import program
from tap import Tap, expect

TAP = Tap()
claim = TAP.claim

LEDGER = "/tool/xlpolicyd/domains"
UUID = "11111111-2222-3333-4444-555555555555"


def main():
    lab.end_orderly()
    checks = [check_observing, check_placing, check_weights, check_killed, check_others,
              check_targets, check_reboot, check_samples, check_pools, check_passthrough]
    return TAP.run(checks, sys.argv[1:])


class Adapter:
    """hosttool in dom0."""

    def __init__(self, host):
        self.host = host
        self.said = ""  # what it said of its last steps

    def look(self, steps="", read_only=False):
        """Takes the steps, then returns the snapshot."""
        option = "--read-only " if read_only else ""
        output = self.host.run(f"hosttool {option}{steps} 2>/run/said")
        self.said = self.host.run("cat /run/said")
        return json.loads(output[output.index("{\n"):])

    def meanwhile(self, command, steps):
        """Takes the steps while a command runs after two seconds; returns what it said."""
        return self.host.run(f"(sleep 2; {command}) & hosttool {steps} 2>&1 >/dev/null; wait")

    def entry(self, uuid, key):
        """An entry of the ledger, or None."""
        status, text = self.host.sh(f"xenstore-read {LEDGER}/{uuid}/{key}")
        return text.strip() if status == 0 else None


def running(profile):
    """A host of this profile with hosttool in its dom0."""
    return lab.state(profile, files={"/usr/bin/hosttool": program("hosttool")}, dom0_alone=False)


def domain(snapshot, domid):
    return next(d for d in snapshot["domains"] if d["domid"] == domid)


def vcpu(snapshot, domid, number=0):
    return domain(snapshot, domid)["vcpus"][number]


def check_observing():
    with running("eight") as host:
        adapter, one, two = Adapter(host), host.guests["vm1"].domid, host.guests["vm2"].domid
        host.create(lab.Guest("duo", memory_mib=128, maxmem_mib=192, vcpus=2))
        duo = host.guests["duo"].domid
        host.run(f"xl vcpu-pin {one} 0 2 1-3 && xl vcpu-pin {duo} 1 3 2-3 && "
                 f"xl sched-credit2 -d {one} -w 512 -c 80 && xl mem-set {one} 192 && "
                 f"xl pause {two} && sleep 5")
        seen = adapter.look(read_only=True)
        with claim("affinity, hard and soft, is what xl set, of every vCPU"):
            expect((vcpu(seen, one)["hard"], vcpu(seen, one)["soft"]) == ("2", "1-3"), seen)
            expect("hard" not in vcpu(seen, duo, 0), seen)
            expect((vcpu(seen, duo, 1)["hard"], vcpu(seen, duo, 1)["soft"]) == ("3", "2-3"), seen)
        with claim("a pinned vCPU is seen where it is pinned"):
            expect(vcpu(seen, one)["pcpu"] == 2 and vcpu(seen, duo, 1)["pcpu"] == 3, seen)
        with claim("weight and cap are what xl set"):
            expect((domain(seen, one)["weight"], domain(seen, one)["cap_pct"]) == (512, 80), seen)
        with claim("what every guest has, and what is free, agrees with Xen's counters"):
            counters = host.sample()
            for domid, kib in counters.actual_kib.items():
                expect(domain(seen, domid)["memory"]["actual_kib"] == kib, (domid, kib))
            expect(abs(seen["memory"]["free_kib"] - counters.free_kib) < 4096, counters)
        with claim("target and limit follow xl mem-set, in the same terms"):
            memory = domain(seen, one)["memory"]
            expect(memory["target_kib"] == memory["actual_kib"] == memory["max_kib"] == 192 << 10,
                   memory)
            expect(memory["static_max_kib"] == 256 << 10, memory)
        with claim("the guest agent's report is read, and rubbish in its place is called that"):
            expect(domain(seen, one)["memory"]["report"]["source"] == "agent", seen)
            host.guests["vm1"].garbage()
            expect(domain(adapter.look(read_only=True), one)["memory"]["report_bad"], "not seen")
        with claim("a paused guest is paused, and one that never ran is being built"):
            host.run("sed 's/vm2/vm9/' /run/lab/vm2.cfg >/run/vm9.cfg; xl create -qp /run/vm9.cfg")
            seen = adapter.look(read_only=True)
            expect(domain(seen, two)["flags"] == ["paused"], domain(seen, two))
            expect(domain(seen, host.domids()["vm9"])["flags"] == ["building"], seen)
        with claim("domains may come and go while it looks"):
            host.run("(for i in 1 2 3; do xl destroy vm9; xl create -q /run/vm9.cfg; done) & "
                     "hosttool watch 40 200 >/dev/null && wait", timeout=300)


def check_placing():
    with running("eight") as host:
        adapter, one, two = Adapter(host), host.guests["vm1"].domid, host.guests["vm2"].domid
        seen = adapter.look(f"place {one} 0 3 all")
        uuid = domain(seen, one)["uuid"]
        with claim("a vCPU is placed, and what was there is recorded for dom0 alone"):
            expect(host.vcpus()["vm1", 0].hard == {3}, adapter.said)
            expect(adapter.entry(uuid, "vcpu/0") == "all all 3 all", adapter.entry(uuid, "vcpu/0"))
            listing = host.run(f"xenstore-ls -fp {LEDGER}")
            expect(all("(n0)" in line for line in listing.splitlines()), listing)
        with claim("the same masks are not written again"):
            adapter.look(f"place {one} 0 3 all")
            expect("refused: it has this affinity already" in adapter.said, adapter.said)
        with claim("every pCPU of the machine is the same as all"):
            seen = adapter.look(f"place {one} 0 0-3 1")
            expect("hard" not in vcpu(seen, one), vcpu(seen, one))
            expect(vcpu(seen, one)["ledger"]["our_hard"] == "all", vcpu(seen, one))
        with claim("pCPUs that the machine has not, and domains that are not there, are refused"):
            adapter.look(f"place {one} 0 9 all place 99 0 1 all")
            expect("none of these pCPUs" in adapter.said, adapter.said)
            expect("gone: domain 99 is no longer there" in adapter.said, adapter.said)
            expect(adapter.entry(uuid, "vcpu/0") == "all all all 1", adapter.entry(uuid, "vcpu/0"))
        with claim("a release restores the masks and forgets the record"):
            adapter.look(f"unplace {one} 0 all all")
            expect(host.vcpus()["vm1", 0].hard == {0, 1, 2, 3}, adapter.said)
            expect(adapter.entry(uuid, "vcpu/0") is None, adapter.entry(uuid, "vcpu/0"))
        with claim("adopting a pinned vCPU changes nothing, and a release gives the pin back"):
            host.guests["vm2"].pin("1")
            seen = adapter.look(f"adopt {two} 0 place {two} 0 2 all")
            expect(vcpu(seen, two)["ledger"]["original_hard"] == "1", vcpu(seen, two))
        with claim("hands off a domain is remembered, until it is taken back"):
            expect(domain(adapter.look(f"release {one}"), one)["released"], adapter.said)
            expect("released" not in domain(adapter.look(f"keep {one}"), one), adapter.said)


def check_weights():
    with running("eight") as host:
        adapter, one = Adapter(host), host.guests["vm1"].domid
        host.run(f"xl sched-credit2 -d {one} -w 300 -c 50")
        seen = domain(adapter.look(f"weigh {one} 600"), one)
        uuid = seen["uuid"]
        with claim("a weight is set, the cap stays, and the weight that was there is recorded"):
            expect((seen["weight"], seen["cap_pct"]) == (600, 50), seen)
            expect(seen["ledger"] == {"original_weight": 300, "our_weight": 600}, seen)
            expect(adapter.entry(uuid, "weight") == "300 600", adapter.entry(uuid, "weight"))
            listing = host.run(f"xl sched-credit2 -d {one}")
            expect(listing.split()[-2:] == ["600", "50"], listing)
        with claim("the same weight is not written again, and what is no weight is refused"):
            adapter.look(f"weigh {one} 600 weigh {one} 0 weigh {one} 65536")
            expect("refused: it has this weight already" in adapter.said, adapter.said)
            expect("there is no weight 0" in adapter.said, adapter.said)
            expect("there is no weight 65536" in adapter.said, adapter.said)
        with claim("a weight that xl changed since the look is left alone"):
            said = adapter.meanwhile(f"xl sched-credit2 -d {one} -w 123",
                                     f"look wait 6000 wait 6000 blind weigh {one} 700")
            expect("its weight was changed a moment ago" in said, said)
            expect(domain(adapter.look(read_only=True), one)["weight"] == 123, said)
        with claim("set by hand since, a release forgets the record and leaves the weight"):
            seen = domain(adapter.look(f"unweigh {one} 123"), one)
            expect(seen["weight"] == 123 and "ledger" not in seen, seen)
            expect(adapter.entry(uuid, "weight") is None, adapter.entry(uuid, "weight"))
        with claim("else it gives back the weight that was there before us"):
            seen = domain(adapter.look(f"weigh {one} 64 weigh {one} 600 unweigh {one} 123"), one)
            expect(seen["weight"] == 123 and "ledger" not in seen, seen)
        with claim("adopting a weight changes nothing but the record"):
            seen = domain(adapter.look(f"keepweight {one}"), one)
            expect(seen["weight"] == 123, seen)
            expect(seen["ledger"] == {"original_weight": 123, "our_weight": 123}, seen)
        with claim("killed before or after a write, what was written is known to be ours"):
            adapter.look(f"weigh {one} 600")
            for entry in ("123 600 99", "123 99 600"):
                host.run(f"xenstore-write {LEDGER}/{uuid}/weight '{entry}'")
                ledger = domain(adapter.look("look"), one)["ledger"]
                expect(ledger == {"original_weight": 123, "our_weight": 600}, (entry, ledger))
                expect(adapter.entry(uuid, "weight") == "123 600", adapter.entry(uuid, "weight"))


def check_killed():
    with running("eight") as host:
        adapter, one = Adapter(host), host.guests["vm1"].domid
        uuid = domain(adapter.look(f"place {one} 0 3 all target {one} 131072 131071"), one)["uuid"]
        with claim("killed before a write: what was ours still is"):
            host.run(f"xenstore-write {LEDGER}/{uuid}/vcpu/0 'all all 3 all 1 all'")
            ledger = vcpu(adapter.look("look"), one)["ledger"]
            expect((ledger["original_hard"], ledger["our_hard"]) == ("all", "3"), ledger)
        with claim("killed after a write: what was written is ours"):
            host.run(f"xenstore-write {LEDGER}/{uuid}/vcpu/0 'all all 1 all 3 all'")
            ledger = vcpu(adapter.look("look"), one)["ledger"]
            expect((ledger["original_hard"], ledger["our_hard"]) == ("all", "3"), ledger)
        with claim("the same for targets"):
            for entry in ("131072 131072 131072 99999", "131072 131072 99999 131072"):
                host.run(f"xenstore-write {LEDGER}/{uuid}/memory '{entry}'")
                ledger = domain(adapter.look("look"), one)["memory"]["ledger"]
                expect(ledger["our_target_kib"] == 131072, ledger)
        with claim("a look settles it in xenstore, once and for all"):
            expect(adapter.entry(uuid, "vcpu/0") == "all all 3 all", adapter.entry(uuid, "vcpu/0"))
            expect(adapter.entry(uuid, "memory") == "131072 131072 131072",
                   adapter.entry(uuid, "memory"))


def check_others():
    with running("eight") as host:
        adapter, one = Adapter(host), host.guests["vm1"].domid
        with claim("an affinity that xl changed since the look is left alone"):
            said = adapter.meanwhile(f"xl vcpu-pin {one} 0 1",
                                     f"look wait 6000 wait 6000 blind place {one} 0 2 all")
            expect("changed a moment ago" in said, said)
            expect(host.vcpus()["vm1", 0].hard == {1}, host.vcpus())
        with claim("a target that xl changed since the look is left alone"):
            said = adapter.meanwhile(f"xl mem-set {one} 160",
                                     f"look wait 6000 wait 6000 blind target {one} 140000 0")
            expect("changed a moment ago" in said, said)
            expect(host.guests["vm1"].target_kib() == 160 << 10, said)
        with claim("libxl is not waited for while another process holds its lock on a guest"):
            uuid = domain(adapter.look(), one)["uuid"]
            lock = f"/var/lib/xen/userdata-l.{one}.{uuid}.domain-userdata-lock"
            adapter.look(f"lock {lock} target {one} 140000 0")
            expect("busy: another process is changing its configuration" in adapter.said,
                   adapter.said)
            host.run(f"rm {lock}")
        with claim("what xl set by hand is what a release gives back"):
            ledger = vcpu(adapter.look(f"place {one} 0 2 all"), one)["ledger"]
            expect(ledger["original_hard"] == "1", ledger)
        with claim("a second process that would change the host is told to go away"):
            said = adapter.meanwhile("hosttool", "watch 1 5000")
            expect("another process is managing this host" in said, said)
        with claim("opened for reading only, it refuses to act"):
            adapter.look(f"place {one} 0 3 all", read_only=True)
            expect("refused" in adapter.said, adapter.said)


def check_targets():
    with running("eight") as host:
        adapter, guest = Adapter(host), host.guests["vm1"]
        one = guest.domid

        def memory():
            return domain(adapter.look(read_only=True), one)["memory"]
        with claim("a larger target comes with a larger limit, and the guest grows"):
            adapter.look(f"target {one} 180000 180000")
            host.until("it has grown", lambda: guest.actual_kib() == 180000)
            expect(memory()["max_kib"] == memory()["target_kib"] == 180000, memory())
        with claim("a limit is not lowered below what a guest still has"):
            seen = domain(adapter.look(f"target {one} 120000 120000"), one)["memory"]
            expect(seen["max_kib"] >= seen["actual_kib"], seen)
            host.until("it has shrunk", lambda: guest.actual_kib() == 120000)
        with claim("it follows when the guest has arrived"):
            adapter.look(f"target {one} 120000 120000")
            expect(memory()["max_kib"] == 120000, memory())
        with claim("what must not be is refused"):
            adapter.look(f"target {one} 999999 0 target {one} 0 0 target 0 1000 0")
            for why in ("above its static maximum", "more than nothing", "target 0: refused"):
                expect(why in adapter.said, adapter.said)
        with claim("a release restores target and limit in steps, and forgets the record with the last"):
            adapter.look(f"untarget {one} 125000 125000")
            expect(memory()["ledger"]["releasing"], memory())
            adapter.look(f"untarget {one} 131072 131072")
            expect("ledger" not in memory() and memory()["max_kib"] == 131072, memory())
            host.until("it is back", lambda: guest.actual_kib() == 131072)
        with claim("of a guest that has to give back for it, the record stays until it has"):
            adapter.look(f"target {one} 180000 180000")
            host.until("it has grown", lambda: guest.actual_kib() == 180000)
            seen = domain(adapter.look(f"untarget {one} 131072 131072"), one)["memory"]
            expect("follows when it has given back" in adapter.said and "ledger" in seen, adapter.said)
            host.until("it has given back", lambda: guest.actual_kib() == 131072)
            seen = domain(adapter.look(f"untarget {one} 131072 131072"), one)["memory"]
            expect("done" in adapter.said and "ledger" not in seen, adapter.said)
            expect(seen["max_kib"] == seen["target_kib"] == 131072, seen)


def check_reboot():
    with running("eight") as host:
        adapter = Adapter(host)
        host.run("sed -e 's/vm1/vm9/' -e 's/on_reboot.*/on_reboot = \"restart\"/' "
                 f"/run/lab/vm1.cfg >/run/vm9.cfg && echo 'uuid = \"{UUID}\"' >>/run/vm9.cfg && "
                 "xl create -q /run/vm9.cfg && sleep 10")
        before = host.domids()["vm9"]
        adapter.look(f"place {before} 0 2 all weigh {before} 512 "
                     f"target {before} 163840 163840 release {before}")
        host.run("sleep 3; xl reboot vm9 || xl reboot -F vm9")
        host.until("vm9 has rebooted", lambda: host.domids().get("vm9", before) != before)
        time.sleep(10)
        after = host.domids()["vm9"]
        seen = domain(adapter.look("look"), after)
        with claim("across a reboot a guest keeps its target, and the record of it"):
            expect(seen["memory"]["target_kib"] == 163840, seen)
            expect(seen["memory"]["ledger"]["original_target_kib"] == 131072, seen)
        with claim("its weight, too, and that hands are off it; but not the masks, which are gone"):
            expect(seen["weight"] == 512 and seen["ledger"]["original_weight"] == 256, seen)
            expect(seen["released"] and "ledger" not in seen["vcpus"][0], seen)
            expect(adapter.entry(UUID, "vcpu/0") is None, adapter.entry(UUID, "vcpu/0"))
        with claim("created anew with another size and weight, neither is ours any more"):
            host.run("xl destroy vm9; xl create -q /run/vm9.cfg; sleep 10")
            seen = domain(adapter.look("look"), host.domids()["vm9"])
            expect("ledger" not in seen["memory"] and "ledger" not in seen, seen)
            expect(seen["released"] and adapter.entry(UUID, "weight") is None, seen)


def check_samples():
    with running("eight") as host:
        one, two, three = (host.guests[name].domid for name in ("vm1", "vm2", "vm3"))
        host.place({f"vm{n}": "1" for n in range(1, 9)})
        host.place({"vm1": "3", "vm2": "3", "vm3": "2"})
        host.order({"vm1": "burn 100", "vm2": "burn 100", "vm3": "burn 100"})
        last = _samples(host.run("hosttool watch 4 3000"), 3)
        with claim("two that share a full pCPU wait half of the time and never block"):
            for domid in (one, two):
                looks, waiting, blocked = last[domid]
                expect(looks > 20 and waiting > looks * 0.2 and blocked <= looks * 0.05, last)
        with claim("one that has a full pCPU to itself hardly waits"):
            looks, waiting, _ = last[three]
            expect(looks > 20 and waiting < looks * 0.2, last)
        with claim("nobody is looked at where pCPUs have time left"):
            for domid, (looks, _, _) in last.items():
                expect(domid in (0, one, two, three) or looks == 0, last)
        with claim("dom0's own kernel tells that it blocks, and hardly waits on a pCPU of its own"):
            looks, waiting, blocked = last[0]
            expect(looks > 200 and blocked > looks * 0.5 and waiting < looks * 0.2, last)


def _samples(output, round_number):
    """{domid: (looks, waiting, blocked)} of one round of hosttool watch."""
    rows = (line.split() for line in output.splitlines() if line.startswith(f"{round_number} dom"))
    return {int(row[2]): (int(row[8]), int(row[10]), int(row[12])) for row in rows}


def check_pools():
    with running("eight") as host:
        adapter, one = Adapter(host), host.guests["vm1"].domid
        host.run("xl cpupool-cpu-remove Pool-0 3 && "
                 "xl cpupool-create 'name=\"second\"' 'sched=\"credit\"' 'cpus=\"3\"' && "
                 "xl cpupool-migrate vm1 second && xl sched-credit -d vm1 -w 300 -c 50")
        seen = adapter.look(f"place {one} 0 1 all")
        with claim("pools, their schedulers and the weights in them are seen"):
            pools = [(p["name"], p["sched"], p["pcpus"]) for p in seen["pools"]]
            expect(pools == [("Pool-0", "credit2", "0-2"), ("second", "credit", "3")], pools)
            mine = domain(seen, one)
            expect((mine["pool_id"], mine["weight"], mine["cap_pct"]) == (1, 300, 50), mine)
        with claim("a place outside the pool is refused in words"):
            expect("online in the domain's cpupool" in adapter.said, adapter.said)
        with claim("a weight is set where the scheduler is credit, too"):
            mine = domain(adapter.look(f"weigh {one} 400"), one)
            expect((mine["weight"], mine["cap_pct"]) == (400, 50), mine)
        with claim("a pCPU in no pool is still a pCPU"):
            host.run("xl cpupool-migrate vm1 Pool-0 && xl cpupool-destroy second")
            seen = adapter.look(read_only=True)
            expect(seen["pools"][0]["pcpus"] == "0-2" and len(seen["pcpus"]) == 4, seen)
        with claim("a mask that Xen widens, as its pCPU leaves, is still ours, and its origin known"):
            two = host.guests["vm2"].domid
            host.guests["vm2"].pin("1-2")
            adapter.look(f"place {two} 0 2 all")
            host.run("xl cpupool-cpu-remove Pool-0 2")
            expect(host.vcpus()["vm2", 0].hard == {0, 1, 2, 3}, host.vcpus())
            ledger = vcpu(adapter.look("look"), two)["ledger"]
            expect((ledger["original_hard"], ledger["our_hard"]) == ("1-2", "all"), ledger)
            ledger = vcpu(adapter.look(f"place {two} 0 1 all"), two)["ledger"]
            expect((ledger["original_hard"], ledger["our_hard"]) == ("1-2", "1"), ledger)


def check_passthrough():
    device = "0000:00:06.0"
    with running("passthrough") as host:
        adapter = Adapter(host)
        host.run(f"modprobe xen-pciback && xl pci-assignable-add {device}")
        for name, extra in (("holds", f"pci=['{device}']"), ("may", "passthrough='enabled'")):
            config = lab.Guest(name, memory_mib=128, maxmem_mib=128).config() + extra
            host.run(f"cat >/run/{name}.cfg <<'EOF'\n{config}\nEOF\nxl create -q /run/{name}.cfg; "
                     "sleep 3")
        for name, what in (("holds", "with a PCI device"), ("may", "made for passthrough")):
            with claim(f"a guest {what} is not ballooned"):
                domid = host.domids()[name]
                seen = adapter.look(f"target {domid} 100000 0")
                expect(domain(seen, domid)["passthrough_devices"] == 1, domain(seen, domid))
                expect("PCI passthrough" in adapter.said, adapter.said)
        with claim("nor one that was created with a device, and has none at this moment"):
            domid = host.domids()["holds"]
            host.run(f"xenstore-rm /local/domain/0/backend/pci/{domid}/0/num_devs")
            seen = adapter.look(read_only=True)
            expect(domain(seen, domid)["passthrough_devices"] == 1, domain(seen, domid))


if __name__ == "__main__":
    sys.exit(main())
