#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""Memory that is reserved, and agents that are not to be trusted, on real Xen.

Judged from Xen's own counters and the guests' /proc/meminfo; what the daemon says of a reservation is
only asked to know when it believes itself done.
"""

import sys
import time

import daemon
import lab
from profiles import Guest
from tap import Tap, expect
from watch import Watch

TAP = Tap()
claim = TAP.claim

RESERVED_MIB = 256
RESERVE_MIB = 72    # mem_reserve where nothing is said: kept free on the host in any case
PAGES_MIB = 4       # Xen's own pages come and go
SPARE_KIB = 32 << 10  # an honest guest keeps at least so much of its margin of 64 MiB
SHORT_S = 5         # and may be short for so long on end


def main():
    lab.end_orderly()
    usual = [check_reservation, check_killed_agent, check_liar]
    return TAP.run(usual + [check_dom0] if sys.argv[1:] else usual, sys.argv[1:])


def _memory_host():
    return lab.state("memory", files=lab.project_files(), dom0_alone=True)


def _start(host):
    # By their size, guests of at most 768 MiB would keep 200; what idle ones use is far less.
    return daemon.running(host, cpu_policy="off", mem_boot_hold_s=3, domains=["*: floor=128m"])


def _nobody_was_short(watch, names):
    short_s = {name: watch.longest_short_s(name) for name in names}
    expect(max(short_s.values()) <= SHORT_S, f"seconds on end: {short_s}")


def check_reservation():
    with _memory_host() as host:
        watch = Watch(host)
        old = sorted(host.guests)
        watch.consume([{"vm1": 60}])
        keeper = _start(host)
        TAP.note(f"{watch.looks[-1]['free_kib'] >> 10} MiB are free")
        with claim("what floors do not leave is refused, with the sum"):
            status, output = host.sh("xlpolicy reserve 4g")
            expect(status == 4 and "4096 MiB cannot be had, at most" in output, f"{status} {output}")
        with claim(f"running guests make room for {RESERVED_MIB} MiB, beyond the host's reserve"):
            begin = time.monotonic()
            number = keeper.cli(f"reserve --for new --wait {RESERVED_MIB}m 2>/dev/null").strip()
            free_mib = watch.look()["free_kib"] >> 10
            TAP.note(f"reservation {number} was ready after {time.monotonic() - begin:.0f} s, "
                     f"with {free_mib} MiB free")
            expect(number == "1", number)
            expect(free_mib >= RESERVED_MIB + RESERVE_MIB - PAGES_MIB, free_mib)
        with claim("and nobody grows into it"):
            watch.consume([{"vm1": mib} for mib in (80, 100)])
            time.sleep(5)
            free_mib = watch.look()["free_kib"] >> 10
            expect(free_mib >= RESERVED_MIB + RESERVE_MIB - PAGES_MIB, free_mib)
        with claim("the daemon may be killed meanwhile: the next one keeps it"):
            keeper.kill("KILL")
            keeper.restart()
            entries = keeper.json("mem-list")["reservations"]
            expect(len(entries) == 1 and
                   entries[0]["reservation"]["granted_kib"] == RESERVED_MIB << 10, entries)
        with claim("a guest is really created in it"):
            host.create(Guest(name="new", memory_mib=RESERVED_MIB, maxmem_mib=RESERVED_MIB))
            watch.look()
            expect(watch.actual_mib("new") >= RESERVED_MIB - PAGES_MIB, watch.looks[-1]["new"])
        with claim("and the reservation is over"):
            host.until("it is over", lambda: not keeper.json("mem-list")["reservations"], 60, 2)
            expect("has taken what it was for" in keeper.cli("history"), keeper.cli("history"))
        with claim(f"no running guest was short for more than {SHORT_S} s on end"):
            _nobody_was_short(watch, old)
        with claim("one that nobody uses ends by itself"):
            keeper.cli("reserve --ttl 5s 8m 2>/dev/null")
            host.until("its time is over", lambda: not keeper.json("mem-list")["reservations"], 60, 2)


def check_killed_agent():
    with _memory_host() as host:
        watch = Watch(host)
        keeper = _start(host)
        watch.consume([{"vm2": 60}])
        host.guests["vm2"].agent_kill()
        with claim("why says that a guest's agent is silent"):
            host.until("why tells", lambda: _is_silent(keeper, "vm2"), 60, 2)
        watch.look()
        before_mib = watch.actual_mib("vm2")
        with claim("it keeps what it has while others grow"):
            watch.consume([{"vm1": mib} for mib in range(20, 161, 20)])
            time.sleep(5)
            watch.look()
            TAP.note(f"{before_mib} MiB before, {watch.actual_mib('vm2')} MiB after")
            expect(watch.actual_mib("vm2") >= before_mib - PAGES_MIB, watch.looks[-1]["vm2"])
        with claim("and the others have what they need"):
            expect(watch.looks[-1]["vm1"]["avail_kib"] > SPARE_KIB, watch.looks[-1])
            _nobody_was_short(watch, host.guests)
        with claim("an agent that is started again makes it an ordinary guest"):
            host.guests["vm2"].agent_start()
            host.until("it is heard again", lambda: not _is_silent(keeper, "vm2"), 60, 2)


def _is_silent(keeper, name):
    return "its last memory report is" in keeper.cli(f"why {name}")


def check_liar():
    with _memory_host() as host:
        watch = Watch(host)
        _start(host)
        total = host.guests["vm3"].meminfo()[0]
        with claim("a liar that claims to use all it has may take what is free"):
            host.guests["vm3"].lie(f"1 seq=99 total={total} avail=0")
            time.sleep(5)
            watch.look()
        honest = ("vm1", "vm2", "vm4")
        with claim("but the honest ones get what they need, and keep it"):
            watch.consume([{"vm1": mib, "vm2": mib} for mib in range(20, 81, 20)])
            host.until("they have their margin",
                       lambda: all(watch.look()[name]["avail_kib"] > SPARE_KIB for name in honest),
                       60, 2)
            _nobody_was_short(watch, honest)


# By name only: it takes a dom0 that has something to give, and a boot of its own.
def check_dom0():
    with lab.state("large-dom0", files=lab.project_files(), dom0_alone=True) as host:
        watch = Watch(host)
        watch.look()
        keeper = _start_with_dom0(host, 0)
        with claim("dom0 is left alone unless it is said to take part, though a guest is short"):
            watch.consume([{"vm1": mib} for mib in range(20, 201, 20)])
            expect(_dom0_mib(host) >= 2048 - PAGES_MIB, _dom0_mib(host))
        keeper.kill("TERM")
        keeper = _start_with_dom0(host, 1)
        with claim("it gives what a guest lacks, and keeps its floor"):
            host.until("dom0 gives", lambda: _dom0_mib(host) < 2048 - PAGES_MIB, 60, 2)
            watch.consume([{"vm1": mib} for mib in range(215, 501, 15)])
            TAP.note(f"dom0 has {_dom0_mib(host)} MiB, vm1 {watch.actual_mib('vm1')}")
            expect(1024 <= _dom0_mib(host) < 2048 - PAGES_MIB, _dom0_mib(host))
        with claim("why says so of it"):
            TAP.note(keeper.cli("why 0"))
            expect("MiB" in keeper.cli("why 0"), keeper.cli("why 0"))
        with claim("released, it has what it had"):
            host.guests["vm1"].free()
            keeper.cli("release 0")
            host.until("dom0 is as large as before",
                       lambda: _dom0_mib(host) >= 2048 - PAGES_MIB, 120, 2)


def _start_with_dom0(host, mem_dom0):
    """The guests but vm1 have nothing to give."""
    return daemon.running(host, cpu_policy="off", mem_boot_hold_s=3, mem_dom0=mem_dom0,
                          domains=["vm2: memory=0", "vm3: memory=0", "vm4: memory=0"])


def _dom0_mib(host):
    return host.sample().actual_kib[0] >> 10


if __name__ == "__main__":
    sys.exit(main())
