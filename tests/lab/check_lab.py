#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""Checks the laboratory itself: what the tests of xlpolicy rely on when they say "on a real host".

Prints TAP. Usage: check_lab.py [CHECK...]
"""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import lab
from common import LAB, LabError
from guest import REPORT_KEY
from tap import Tap, expect

TAP = Tap()
claim = TAP.claim


def main():
    lab.end_orderly()
    checks = [check_fresh_host, check_saved_state, check_processors, check_guests,
              check_memory_profile, check_two_sockets, check_clean_end]
    return TAP.run(checks, sys.argv[1:])


def check_fresh_host():
    with lab.boot("plain") as host:
        with claim("Xen 4.17 boots and dom0 answers"):
            info = host.run("xl info")
            expect("xen_version            : 4.17." in info, info)
            expect("nr_cpus                : 4" in info, info)
        with claim("dom0 has the directories that a daemon of Xen's expects"):
            host.run("for d in /etc/xen /etc/xlpolicy /run/xen /var/run /var/log/xen /var/lib/xen;"
                     " do test -d $d && touch $d/.t && rm $d/.t || exit; done")
        with claim("a guest with two vCPUs boots, and burns on both"):
            host.create(lab.Guest("duo", memory_mib=128, maxmem_mib=128, vcpus=2, cpus="1-3"))
            duo = host.guests["duo"]
            duo.burn(100)
            usage = host.cpu_usage(3)
            for vcpu in (0, 1):
                expect(usage.vcpu["duo", vcpu] > 80, usage)
        with claim("a guest that is told to shut down does, and its domain goes away"):
            host.run("xl shutdown duo")
            host.until("duo is gone", lambda: "duo" not in host.domids())


def check_saved_state():
    with lab.state("eight", files={"/root/note": b"first"}) as host:
        first = {name: status["uptime_ms"] for name, status in host.statuses().items()}
        with claim("eight guests are up, and their agents report"):
            expect(sorted(host.guests) == [f"vm{n}" for n in range(1, 9)], sorted(host.guests))
            for name, status in host.statuses().items():
                expect(status["agent"] == "running", f"{name}: {status}")
            keys = " ".join(guest.path(REPORT_KEY) for guest in host.guests.values())
            reports = host.run(f"xenstore-read {keys}").splitlines()
            expect(len(reports) == 8 and all("avail=" in report for report in reports), reports)
        with claim("a command's exit status comes back"):
            expect(host.sh("exit 7")[0] == 7, "not 7")
        with claim("a command's output comes back whole, short or long, text or not"):
            for size in (0, 1, 999, 1000, 1001, 3000000):
                made = host.run(f"head -c {size} /dev/urandom >/tmp/x; md5sum </tmp/x").split()[0]
                got = host.get("/tmp/x")
                expect(len(got) == size and hashlib.md5(got).hexdigest() == made, f"{size} bytes")
        with claim("a command that takes too long is ended with all it started"):
            status, _ = host.sh("sleep 4321 & sleep 4321", timeout=2)
            expect(status == 137, f"status {status}")
            host.until("no sleep is left", lambda: "sleep 4321" not in host.run("ps"))
        with claim("files can be brought along again and again"):
            expect(host.run("cat /root/note") == "first", "not the first")
            host.put({"/root/note": b"second"})
            expect(host.run("cat /root/note") == "second", "not the second")
            host.run("touch /root/left-behind")

    began = time.monotonic()
    with lab.state("eight", files={"/root/note": b"third"}) as host:
        TAP.note(f"restored in {time.monotonic() - began:.1f} s")
        with claim("a restored host knows nothing of what happened after it was saved"):
            status, _ = host.sh("test -e /root/left-behind")
            expect(status == 1, "it has a file that was made later")
            for name, status in host.statuses().items():
                # Both were read within seconds of the saved moment, but for a busy machine.
                expect(abs(status["uptime_ms"] - first[name]) < 60000, f"{name}: {status}")
        with claim("a restored host gets the files of today, not of the day it was saved"):
            expect(host.run("cat /root/note") == "third", "not the third")
        with claim("a dynamically linked program that was brought along runs, with its libraries"):
            host.put({"/root/tool": shutil.which("readelf")})
            expect("GNU readelf" in host.run("/root/tool --version"), "it says something else")


def check_processors():
    with lab.state("eight") as host:
        everyone = list(host.guests)
        with claim("idle guests come to cost little"):
            # At first QEMU has to translate all code anew, and that costs most of the time.
            usage = host.until("the guests are quiet", lambda: _quiet_usage(host))
            TAP.note(usage)
        with claim("eight busy guests pinned to pCPU 0 fill it and no other"):
            host.place({name: "0" for name in everyone})
            host.order({name: "burn 100" for name in everyone})
            usage = host.cpu_usage(5)
            TAP.note(usage)
            expect(usage.pcpu[0] > 97, usage)
            expect(max(usage.pcpu[cpu] for cpu in (1, 2, 3)) < 5, usage)
        with claim("and each of them gets an eighth of what dom0 leaves"):
            fair = (100 - usage.domain["Domain-0"]) / 8
            for name in everyone:
                expect(abs(usage.domain[name] - fair) < 2.5, usage)
        with claim("pinning them two to a pCPU fills all four, and each guest gets near a half"):
            host.place({name: str(n // 2) for n, name in enumerate(everyone)})
            places = host.vcpus()
            for n, name in enumerate(everyone):
                expect(places[name, 0].hard == {n // 2}, places[name, 0])
            usage = host.cpu_usage(5)
            TAP.note(usage)
            expect(min(usage.pcpu.values()) > 97, usage)
            for name in everyone[2:]:
                expect(40 < usage.domain[name] < 52, usage)
        with claim("what Xen charges to domains adds up to what its pCPUs were busy"):
            charged, busy = sum(usage.domain.values()), sum(usage.pcpu.values())
            expect(abs(charged - busy) < 0.03 * busy, f"{charged:.1f} and {busy:.1f}: {usage}")
        with claim("a guest's own count of its work grows while it burns, and stops with it"):
            before = host.guests["vm3"].status()["work"]
            host.until("vm3 works", lambda: host.guests["vm3"].status()["work"] > before + 100)
            host.order({name: "burn 0" for name in everyone})
            stopped = host.guests["vm3"].status()
            later = host.until("vm3 reports again", lambda: _newer(host.guests["vm3"], stopped))
            expect(later["work"] == stopped["work"], f"{stopped} {later}")
        with claim("a guest that burns 80 % does about four times the work of one that burns 20 %"):
            host.place({name: "3" for name in everyone[2:]})
            host.place({"vm1": "1", "vm2": "2"})
            host.order({"vm1": "burn 20", "vm2": "burn 80"})
            before = host.statuses(["vm1", "vm2"])
            usage = host.cpu_usage(8)
            TAP.note(usage)
            after = host.statuses(["vm1", "vm2"])
            light, heavy = (after[name]["work"] - before[name]["work"] for name in ("vm1", "vm2"))
            expect(light > 0 and 2.5 < heavy / light < 6, f"{heavy} and {light}")
            expect(usage.domain["vm2"] > usage.domain["vm1"] + 20, usage)


def check_guests():
    with lab.state("eight", dom0_alone=True) as host:
        guest = host.guests["vm1"]
        with claim("dom0 can have pCPU 0 to itself"):
            places = host.vcpus()
            for name in host.guests:
                expect(places[name, 0].hard == {1, 2, 3}, places[name, 0])
            expect(places["Domain-0", 0].hard == {0}, places["Domain-0", 0])
        with claim("a growing balloon moves memory from Xen into the guest"):
            _balloon(host, guest, 200)
        with claim("a shrinking balloon moves memory from the guest back to Xen"):
            _balloon(host, guest, 112)
        with claim("memory that a guest takes is missing from what it has available"):
            available = guest.meminfo()[1]
            guest.alloc(24)
            taken = available - guest.meminfo()[1]
            expect(22 << 10 < taken < 30 << 10, f"{taken} KiB")
            guest.free()
            host.until("it is available again",
                       lambda: guest.meminfo()[1] > available - (4 << 10))
        with claim("shared memory counts the same"):
            guest.shm(16)
            taken = available - guest.meminfo()[1]
            expect(14 << 10 < taken < 22 << 10, f"{taken} KiB")
            guest.free()
        with claim("a guest that takes more than it has loses the taker, says so, and lives"):
            guest.alloc(400, wait=False)
            status = host.until("the kernel kills the holder",
                                lambda: (s := guest.status())["oom"] and s)
            expect(status["oom"] == 1 and status["agent"] == "running", status)
            guest.alloc(8)
        with claim("a lie in the agent's place stands until the agent goes on"):
            guest.lie("1 seq=1 total=1 avail=1")
            expect(guest.report() == "1 seq=1 total=1 avail=1", guest.report())
            expect(guest.status()["agent"] == "stopped", guest.status())
            guest.agent_start()
            host.until("the agent puts it right", lambda: "total=1 " not in guest.report())
        with claim("garbage in the agent's place stands until the agent goes on"):
            honest = guest.report()
            guest.garbage()
            expect("%n" in guest.report() and guest.report() != honest, guest.report())
            guest.agent_start()
            host.until("the agent puts it right", lambda: "%n" not in guest.report())
        with claim("an agent can be killed, and another one started"):
            guest.agent_kill()
            host.until("the agent is dead", lambda: guest.status()["agent_exits"] == 1)
            expect(guest.status()["agent"] == "killed", guest.status())
            guest.agent_start()
            host.until("another runs", lambda: guest.status()["agent"] == "running")
            expect(guest.status()["agent_exits"] == 1, guest.status())
        with claim("an order that a guest does not know is refused"):
            try:
                host.order({"vm1": "fly"})
            except LabError as error:
                expect("refused" in str(error), error)
            else:
                raise AssertionError("it was carried out")


def check_memory_profile():
    with lab.state("memory") as host:
        with claim("the memory profile's four guests leave Xen little to give away"):
            free_mib = host.free_kib() >> 10
            sizes = {name: host.guests[name].actual_kib() >> 10 for name in host.guests}
            TAP.note(f"{free_mib} MiB free; guests {sizes}; seen inside: "
                     f"{ {name: guest.meminfo() for name, guest in host.guests.items()} }")
            expect(sorted(host.guests) == ["vm1", "vm2", "vm3", "vm4"], sorted(host.guests))
            expect(all(250 <= size <= 257 for size in sizes.values()), sizes)
            expect(100 < free_mib < 200, f"{free_mib} MiB")
        with claim("memory taken from three of them can be given to the fourth"):
            for name in ("vm2", "vm3", "vm4"):
                host.guests[name].mem_set(160)
            host.until("Xen has it", lambda: host.free_kib() >> 10 >= free_mib + 280)
            host.guests["vm1"].mem_set(600)
            host.until("vm1 has it", lambda: host.guests["vm1"].actual_kib() >> 10 >= 599)
            host.until("vm1 sees it", lambda: host.guests["vm1"].meminfo()[0] >> 10 > 500)
            host.guests["vm1"].alloc(450)
            expect(host.guests["vm1"].status()["oom"] == 0, host.guests["vm1"].status())


def check_two_sockets():
    with lab.state("two-sockets") as host:
        with claim("two sockets make two run queues of two pCPUs"):
            host.run("xl debug-keys r")
            queues = re.findall(r"Active queues: (\d+)", host.run("xl dmesg"))
            expect(queues[-1:] == ["2"], f"active queues: {queues}")
            expect(len(host.guests) == 8, sorted(host.guests))


def check_clean_end():
    with claim("nothing of a laboratory is left when its block ends"):
        with lab.boot("plain") as host:
            directory, qemu = host.machine.directory, host.machine.process.pid
        expect(not os.path.exists(directory), f"{directory} is there")
        expect(not os.path.exists(f"/proc/{qemu}"), f"QEMU {qemu} is there")
    with claim("nor when the test that used it is told to end"):
        _end_by_signal(signal.SIGTERM, signal.SIGINT)
    with claim("nor its QEMU when the test is killed, and the next one tidies up the rest"):
        _end_by_signal(signal.SIGKILL)


def _balloon(host, guest, mib):
    """Sets a guest's size, and holds Xen's view and the guest's against each other."""
    free, actual, total = host.free_kib(), guest.actual_kib(), guest.meminfo()[0]
    wanted = mib * 1024 - actual
    guest.mem_set(mib)
    close = lambda moved: abs(moved - wanted) < 2048
    host.until(f"{guest.name} has {mib} MiB", lambda: close(guest.actual_kib() - actual))
    host.until(f"{guest.name} sees it", lambda: close(guest.meminfo()[0] - total))
    host.until("Xen's free memory shows it", lambda: close(free - host.free_kib()))


def _quiet_usage(host):
    """The usage of the next seconds if no guest needed much; None if one did."""
    usage = host.cpu_usage(3)
    return usage if all(usage.real(name) < 12 for name in host.guests) else None


def _newer(guest, status):
    """The guest's status, once it is two reports newer than this one."""
    now = guest.status()
    return now if now["seq"] >= status["seq"] + 2 else None


def _end_by_signal(*numbers):
    """Starts a test that holds a laboratory, ends it by each signal, and looks for what is left."""
    program = ("import lab, sys\nlab.end_orderly()\nwith lab.boot('plain') as host:\n"
               "    print(host.machine.process.pid, host.machine.directory, flush=True)\n"
               "    host.sh('sleep 600', 600)\n")
    for number in numbers:
        with subprocess.Popen([sys.executable, "-c", program], cwd=LAB, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True) as test:
            qemu, directory = test.stdout.readline().split()
            test.send_signal(number)
        deadline = time.monotonic() + 60
        while _runs(qemu) and time.monotonic() < deadline:
            time.sleep(0.05)
        expect(not _runs(qemu), f"QEMU {qemu} outlives {number.name}")
        if number == signal.SIGKILL:
            lab.sweep()
        expect(not os.path.exists(directory), f"{directory} is left after {number.name}")


def _runs(pid):
    """Whether a process is there and not just waiting to be buried."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


if __name__ == "__main__":
    sys.exit(main())
