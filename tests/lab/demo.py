#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""What xlpolicyd does for a badly placed host, shown on real Xen in a few minutes.

Eight guests share one pCPU while three idle, and one of them has hardly any memory left. The demonstration
prints the host before and after, the reasons for each change, and writes a picture of it all. It
ends with 0 only if the host is balanced in the end, by Xen's own counters.
"""

import os
import subprocess
import sys
import time

import daemon
import lab
from common import REPO, LabError, program

PICTURE = os.path.join(REPO, "build", "demo.svg")
RECORDING = os.path.join(REPO, "build", "demo.jsonl")
GUESTS = [f"vm{n}" for n in range(1, 9)]
BUSY_PCT = 100    # of each guest's time: two of these to a pCPU is fair
HELD_MIB = 44     # what vm1 takes of the 76 MiB or so that it has to itself
SETTLE_S = 120
EVEN_POINTS = 5   # between the most and the least used pCPU
LEAST_PART = 0.85 # of a fair part each guest must get; two beside dom0 share what it leaves them


def main():
    lab.end_orderly()
    try:
        return show()
    except LabError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def show():
    say("Booting the real Xen hypervisor, dom0 and eight guests in QEMU "
        "(the first time this takes a minute or two)")
    with lab.state("eight", files=lab.project_files()) as host:
        say("Pinning all eight to pCPU 0, and letting vm1 use up its memory")
        host.place({name: "0" for name in GUESTS})
        host.order({name: f"burn {BUSY_PCT}" for name in GUESTS})
        host.guests["vm1"].alloc(HELD_MIB)
        short = host.guests["vm1"].meminfo()[1]
        before = host.cpu_usage(5)
        say("Before: what xlpolicy sees without a daemon, straight from Xen")
        print(host.run("xlpolicy pcpu-list; echo; xlpolicy mem-list"))

        say("Starting xlpolicyd, told to act and to take over pinned guests")
        keeper = daemon.running(host, options="--record /run/demo.jsonl", cpu_affinity="hard",
                                adopt=1, mem_boot_hold_s=0)
        usage = settle(host, short)

        say("What it did, and why")
        print(keeper.cli("history"))
        say("After")
        print(keeper.cli("pcpu-list"))
        print(keeper.cli("mem-list"))
        say("Why each guest is where it is")
        print(keeper.cli("why"))
        draw(host)
        kept = host.guests["vm1"].meminfo()[1]
    say(f"By Xen's own counters the pCPUs are used within {spread(usage):.1f} points of each other, "
        f"no guest gets less than {least(usage):.0f} % (before: {least(before):.0f}); "
        f"vm1 has {kept >> 10} MiB to spare instead of {short >> 10}")
    say(f"The picture is {os.path.relpath(PICTURE)}; the recording, for `xlpolicy replay`, is "
        f"{os.path.relpath(RECORDING)}")
    fair = (100 - usage.domain["Domain-0"]) / 2
    if spread(usage) > EVEN_POINTS or least(usage) < LEAST_PART * fair:
        raise LabError(f"the host is not balanced: {usage}")
    return 0


def spread(usage):
    return max(usage.pcpu.values()) - min(usage.pcpu.values())


def least(usage):
    return min(usage.domain[name] for name in GUESTS)


def settle(host, short_kib):
    """Waits until guests are placed and vm1 has room. Returns Xen's counters of the next 10 s."""
    def placed():
        return two_each(host) and host.guests["vm1"].meminfo()[1] > short_kib + (32 << 10)
    host.until("guests are placed two to a pCPU and vm1 has room", placed, SETTLE_S, 4)
    return host.cpu_usage(10)


def two_each(host):
    pins = [next(iter(vcpu.hard)) for (name, _), vcpu in host.vcpus().items()
            if name in GUESTS and len(vcpu.hard) == 1]
    return all(pins.count(pcpu) == 2 for pcpu in range(4))


def draw(host):
    with open(RECORDING, "wb") as file:
        file.write(host.get("/run/demo.jsonl"))
    done = subprocess.run([program("xlpolicy"), "replay", RECORDING, "--svg",
                           PICTURE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise LabError("cannot draw the recording: " + done.stdout.decode(errors="replace").strip())


BEGAN = time.monotonic()


def say(text):
    print(f"\n[{time.monotonic() - BEGAN:4.0f} s] {text}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
