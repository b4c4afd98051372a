#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""The CPU balancer beside credit2, on real Xen: guests with several vCPUs, demand that full pCPUs
hide, two run queues, weights, and what a tick asks of the hypervisor.

Everything is judged by Xen's counters, by the guests' own counts of their work, and by the daemon's
hypercalls as they are made, never by what the daemon says of itself. What takes ticks is counted in
ticks, since emulated seconds are not worth much. Without arguments the short checks run; any check
runs by its name.
"""

import math
import statistics
import sys
import time

import daemon
import hypercalls
import lab
from loaded import affinities, host_with, places
from tap import Tap, expect

TAP = Tap()
claim = TAP.claim

# The daemon's first look measures nothing, having nothing to compare with. Then:
DECISIONS = 2      # ticks in which a placement has to be right
HIDDEN_TICKS = 5   # ticks until the first correction where full pCPUs hide who is starved
NEW_TICKS = 12     # a domain is looked at more closely in its first ten
QUIET_TICKS = 20   # how long a settled host is watched for moves
TICKS_S = 240      # a generous limit: dom0 is slow where it shares its pCPU
SETTLE_S = 5       # credit2 settles in less

# Hypercalls of a tick, whatever the number of domains: one each for memory, idle times, pCPUs in no
# pool and the end of the pools' list, and one a pool; and what is read again in turn, of 16 vCPUs
# their affinity, their state, and the weight of their domain.
TICK_CALLS = 5 + 3 * 16

SIX = [f"vm{n}" for n in range(1, 7)]
HOGS = {name: 100 for name in SIX}
OFF_DOM0 = {name: "1-3" for name in SIX}  # two run queues: pCPU 1 is in one, 2 and 3 in the other


def main():
    lab.end_orderly()
    short = [check_hidden_demand, check_two_queues]
    long = [check_c1_hard, check_c2_hard, check_c3_hard, check_c4_hard, check_c5_hard,
            check_c1_soft, check_c2_soft, check_c3_soft, check_c4_soft, check_c5_soft,
            check_c5_soft_single, check_soft_across_queues, check_weights, check_fair_alone,
            check_hypercalls]
    return TAP.run(short + long if sys.argv[1:] else short, sys.argv[1:])


# ---- the daemon, watched ----

class Watched:
    """A daemon whose hypercalls are counted."""

    def __init__(self, host, **settings):
        self.host = host
        self.daemon = daemon.running(host, environment=hypercalls.ENVIRONMENT, mem_policy="off",
                                     **settings)

    def ticks(self, at_least=1):
        """Its ticks, once there are so many; the first one is its start, and measures nothing."""
        return self.host.until(f"{at_least} ticks", lambda: self._ticks_if(at_least), TICKS_S, 1)

    def writes(self):
        """[(tick, hypercalls.Write)], of all affinities that it wrote."""
        return [(number, write) for number, tick in enumerate(self.ticks()) for write in tick.writes]

    def places_after(self, count):
        """Where vCPUs are after so many ticks that could measure; fails if any was placed later."""
        self.ticks(1 + count)
        found, writes = places(self.host), self.writes()
        TAP.note(f"written in ticks {[tick for tick, _ in writes]}: {found}")
        expect(all(tick <= count for tick, _ in writes), writes)
        return found

    def stays_quiet(self):
        """Fails unless it writes nothing for QUIET_TICKS, and never wrote what was there already."""
        before = self.writes()
        self.ticks(len(self.ticks()) + QUIET_TICKS)
        after = self.writes()
        expect(after == before, f"moved: {after[len(before):]}")
        expect(not [write for _, write in after if write.same], after)

    def _ticks_if(self, at_least):
        ticks = hypercalls.ticks(self.host)
        return ticks if len(ticks) >= at_least else None


def _watched_host(profile, duties, pins=None, prepare=None):
    return host_with(profile, duties, pins, hypercalls.library(), prepare)


def _guests_have_a_pool(host):
    """Gives the guests a cpupool of pCPUs 1-3, and leaves pCPU 0 to dom0."""
    host.run("xl cpupool-cpu-remove Pool-0 1-3 && "
             "xl cpupool-create 'name=\"guests\"' 'sched=\"credit2\"' 'cpus=\"1-3\"' && "
             + " && ".join(f"xl cpupool-migrate {name} guests" for name in host.guests))


# ---- the scenarios with guests of two vCPUs ----

PAIRS = {name: 100 for name in SIX[:4]}
# All of them together, with dom0, are less than the two processors that a build machine has: what it
# steals would be charged to whoever runs, light ones too. A vCPU that does nothing costs some 8 % here.
HEAVY_PCT, LIGHT_PCT = 24, 2
STEADY_MS = 3000  # a tick long enough for such loads to be told apart
MIXED = {name: HEAVY_PCT if name in ("vm1", "vm4", "vm5") else LIGHT_PCT for name in SIX}
ALL_ON_0 = {name: "0" for name in PAIRS}
HALF_ON_3 = {name: "0" if name in ("vm1", "vm2") else "3" for name in PAIRS}


def check_c1_hard():
    _balances("C1", ALL_ON_0, "hard")


def check_c2_hard():
    _balances("C2", HALF_ON_3, "hard")


def check_c3_hard():
    _left_alone("C3", "hard", lambda host: _pin_apart(host, "{} all"))


def check_c4_hard():
    # Free to run anywhere, they leave dom0 its pCPU while it starts the daemon, which counts as its load.
    _balances("C4", None, "hard", daemon.START_TICKS)


def check_c1_soft():
    _balances("C1", ALL_ON_0, "soft")


def check_c2_soft():
    _balances("C2", HALF_ON_3, "soft")


def check_c3_soft():
    _left_alone("C3", "soft", lambda host: _pin_apart(host, "all {}"))


def check_c4_soft():
    _left_alone("C4", "soft")


def _balances(name, pins, mode, ticks=DECISIONS):
    with _watched_host("pairs", PAIRS, pins) as host:
        watched = Watched(host, cpu_affinity=mode, adopt=1)
        with claim(f"{name}, 2-vCPU guests, {mode}: two vCPUs on each pCPU, none with its sibling, after "
                   f"{ticks} ticks"):
            found = watched.places_after(ticks)
            for pcpu in range(4):
                there = [guest for (guest, _), place in found.items() if place == pcpu]
                expect(len(there) == 2 and len(set(there)) == 2, found)
        with claim(f"{name}, 2-vCPU guests, {mode}: no move in the {QUIET_TICKS} ticks after"):
            watched.stays_quiet()
        _equal_service(host, f"{name}, 2-vCPU guests, {mode}")


def _left_alone(name, mode, prepare=None):
    with _watched_host("pairs", PAIRS, prepare=prepare) as host:
        watched = Watched(host, cpu_affinity=mode, adopt=1)
        with claim(f"{name}, 2-vCPU guests, {mode}: no write at all in {QUIET_TICKS} ticks"):
            watched.stays_quiet()
            expect(not watched.writes(), watched.writes())
        _equal_service(host, f"{name}, 2-vCPU guests, {mode}")


def _pin_apart(host, masks):
    """Each vCPU on one pCPU, two to a pCPU, none with its sibling; masks are hard and soft affinity."""
    host.run(" && ".join(f"xl vcpu-pin {name} {vcpu} {masks.format(2 * (n % 2) + vcpu)}"
                         for n, name in enumerate(PAIRS) for vcpu in range(2)))


def _equal_service(host, name):
    with claim(f"{name}: pCPUs equally used, vCPUs equally served"):
        usage = host.cpu_usage(10)
        TAP.note(usage)
        expect(max(usage.pcpu.values()) - min(usage.pcpu.values()) <= 5, usage)
        served = [pct for (guest, _), pct in usage.vcpu.items() if guest in PAIRS]
        TAP.note(f"vCPUs {sorted(round(pct, 1) for pct in served)}")
        # The two beside dom0 share what it leaves them.
        expect(len(served) == 8 and min(served) > 33 and max(served) < 55, served)


def check_c5_hard():
    with _watched_host("pairs", MIXED, OFF_DOM0) as host:
        watched = Watched(host, cpu_affinity="hard", tick_ms=STEADY_MS)
        with claim("C5, 2-vCPU guests, hard: four vCPUs on each pCPU, none with its sibling, after "
                   f"{DECISIONS} ticks"):
            found = watched.places_after(DECISIONS)
            for pcpu in (1, 2, 3):
                there = [name for (name, _), place in found.items() if place == pcpu]
                TAP.note(f"pCPU {pcpu}: {[MIXED[name] for name in there]}")
                expect(len(set(there)) == len(there) == 4, found)
        with claim(f"C5, 2-vCPU guests, hard: no move in the {QUIET_TICKS} ticks after"):
            watched.stays_quiet()
        _equal_use(host, "C5, 2-vCPU guests, hard")


def check_c5_soft():
    _left_to_credit2("C5, 2-vCPU guests, soft", "pairs")


def check_c5_soft_single():
    _left_to_credit2("C5, soft", "eight")


def _left_to_credit2(name, profile):
    with _watched_host(profile, MIXED, prepare=_guests_have_a_pool) as host:
        watched = Watched(host, cpu_affinity="soft")
        with claim(f"{name}, one run queue: left to credit2, no write at all"):
            watched.stays_quiet()
            expect(not watched.writes(), watched.writes())
        _equal_use(host, name)


def _equal_use(host, name):
    with claim(f"{name}: guests use every pCPU alike, by Xen's counters"):
        usage = host.cpu_usage(10)
        TAP.note(usage)
        used = [usage.pcpu[pcpu] for pcpu in (1, 2, 3)]
        expect(max(used) - min(used) <= 12, usage)


# ---- demand that full pCPUs hide ----

# Two guests that want this much fill a pCPU between them, and block now and then.
LOAD_PCT = 92
HIDDEN = {f"vm{n}": 100 if n <= 4 else LOAD_PCT for n in range(1, 9)}
HIDDEN_PINS = {"vm1": "1", "vm2": "1", "vm3": "1", "vm4": "1",
               "vm5": "2", "vm6": "2", "vm7": "3", "vm8": "3"}


def check_hidden_demand():
    with _watched_host("eight", HIDDEN, HIDDEN_PINS, _guests_have_a_pool) as host:
        with claim("hidden demand: four hogs share a pCPU, two loads each of two others, all are full"):
            usage = host.cpu_usage(10)
            TAP.note(usage)
            expect(min(usage.pcpu[pcpu] for pcpu in (1, 2, 3)) > 97, usage)
        watched = Watched(host, cpu_affinity="hard", adopt=1)
        with claim(f"hidden demand: a hog is moved within {HIDDEN_TICKS} ticks"):
            watched.ticks(1 + HIDDEN_TICKS)
            writes = watched.writes()
            TAP.note(f"moves {_moves(host, writes)}")
            expect(writes and writes[0][0] <= HIDDEN_TICKS, writes)
            expect(_moves(host, writes)[0][1] in SIX[:4], writes)
        with claim(f"hidden demand: nobody comes back to where it was, {QUIET_TICKS} ticks on"):
            watched.ticks(len(watched.ticks()) + QUIET_TICKS)
            TAP.note(f"moves {_moves(host, watched.writes())}")
            trails = {name: [int(pin)] for name, pin in HIDDEN_PINS.items()}
            for _, name, pcpu in _moves(host, watched.writes()):
                trails[name].append(pcpu)
            for trail in trails.values():
                expect(len(set(trail)) == len(trail), trails)
        with claim("hidden demand: no hog is left with a quarter of a pCPU"):
            usage = host.cpu_usage(10)
            TAP.note(usage)
            expect(min(usage.domain[name] for name in SIX[:4]) > 28, usage)


def _moves(host, writes):
    """[(tick, guest, pCPU)] of writes that pin."""
    names = {guest.domid: name for name, guest in host.guests.items()}
    return [(tick, names[write.domid], min(write.hard or write.soft)) for tick, write in writes]


# ---- two run queues ----

def check_two_queues():
    with _watched_host("two-sockets", HOGS, OFF_DOM0) as host:
        time.sleep(SETTLE_S)
        with claim("two run queues, credit2 alone: three hogs get a third, three more than a half"):
            usage = host.cpu_usage(10)
            TAP.note(usage)
            served = sorted(usage.domain[name] for name in HOGS)
            expect(served[2] < 42 and served[3] > 50, usage)
        watched = Watched(host, cpu_affinity="hard")
        with claim(f"two run queues, hard: two hogs on each pCPU after {DECISIONS} ticks"):
            found = list(watched.places_after(DECISIONS).values())
            expect([found.count(pcpu) for pcpu in range(4)] == [0, 2, 2, 2], found)
        with claim("two run queues, hard: every hog gets within 5 points of 50 %"):
            usage = host.cpu_usage(10)
            TAP.note(usage)
            expect(all(abs(usage.domain[name] - 50) < 5 for name in HOGS), usage)
        with claim(f"two run queues, hard: no move in the {QUIET_TICKS} ticks after"):
            watched.stays_quiet()


def check_soft_across_queues():
    """What docs/architecture.md says of soft affinity and credit2's run queues."""
    wanted = {"vm1": 1, "vm2": 1, "vm3": 2, "vm4": 2, "vm5": 3, "vm6": 3}
    with _watched_host("two-sockets", HOGS, OFF_DOM0) as host:
        time.sleep(SETTLE_S)
        with claim("a soft affinity does not keep two hogs in one run queue and four in the other"):
            _pin(host, {name: f"- {pcpu}" for name, pcpu in wanted.items()})
            counts = _hogs_beside_dom0(host, 60)
            TAP.note(f"hogs in dom0's run queue, at each look: {counts}")
            expect(statistics.median(counts) == 3, counts)
            TAP.note(host.cpu_usage(10))
        with claim("a hard affinity to the run queue with a soft one to the pCPU does"):
            _pin(host, {name: f"{'1' if pcpu == 1 else '2-3'} {pcpu}" for name, pcpu in wanted.items()})
            counts = _hogs_beside_dom0(host, 20)
            expect(set(counts) == {2}, counts)
            usage = host.cpu_usage(10)
            TAP.note(usage)
            expect(all(abs(usage.domain[name] - 50) < 5 for name in HOGS), usage)
        _pin(host, {name: "1-3 all" for name in wanted})
        watched = Watched(host, cpu_affinity="soft")
        with claim("two run queues, soft: the daemon does not chase what credit2 undoes"):
            watched.ticks(1 + DECISIONS)
            watched.stays_quiet()
        with claim("two run queues, soft: and no pCPU time is lost"):
            usage = host.cpu_usage(10)
            TAP.note(usage)
            expect(min(usage.pcpu[pcpu] for pcpu in (1, 2, 3)) > 97, usage)


def _pin(host, masks):
    host.run(" && ".join(f"xl vcpu-pin {host.guests[name].domid} 0 {words}"
                         for name, words in masks.items()))


def _hogs_beside_dom0(host, looks):
    """How many vCPUs Xen has in the run queue of pCPUs 0 and 1, at looks some 0.3 s apart."""
    listing = host.run(f"for i in $(seq {looks}); do xenstat | grep ^vcpu; echo; sleep 0.1; done")
    return [sum(line.split()[1] != "0" and int(line.split()[4]) < 2 for line in look.splitlines())
            for look in listing.strip().split("\n\n")]


# ---- weights ----

WEIGHTS = {"vm1": 512, "vm2": 512, "vm3": 256, "vm4": 256}


def check_weights():
    """One pCPU of each run queue, and four hogs: those of weight 512 are due 2/3 of a pCPU."""
    def prepare(host):
        host.run("xl cpupool-cpu-remove Pool-0 1-2 && "
                 "xl cpupool-create 'name=\"guests\"' 'sched=\"credit2\"' 'cpus=\"1-2\"' && "
                 + " && ".join(f"xl cpupool-migrate {name} guests && "
                               f"xl sched-credit2 -d {name} -w {WEIGHTS[name]}" for name in WEIGHTS))
    pins = {"vm1": "1", "vm2": "1", "vm3": "2", "vm4": "2"}
    with _watched_host("two-sockets", {name: 100 for name in WEIGHTS}, pins, prepare) as host:
        time.sleep(SETTLE_S)
        with claim("weights: two heavy hogs share a pCPU, and two light ones"):
            usage = host.cpu_usage(10)
            TAP.note(usage)
            expect(all(abs(usage.domain[name] - 50) < 5 for name in WEIGHTS), usage)
        watched = Watched(host, cpu_affinity="hard", adopt=1)
        with claim(f"weights, hard: a heavy and a light hog on each pCPU after {DECISIONS} ticks"):
            found = {name: place for (name, _), place in watched.places_after(DECISIONS).items()}
            expect(found["vm1"] != found["vm2"] and found["vm3"] != found["vm4"], found)
        with claim("weights, hard: each hog is within 10 % of its share"):
            usage = host.cpu_usage(10)
            TAP.note(usage)
            expect(all(abs(usage.domain[name] - _due(name)) < 0.1 * _due(name) for name in WEIGHTS),
                   usage)


def _due(name):
    return 200 * WEIGHTS[name] / sum(WEIGHTS.values())


# ---- where credit2 needs no help ----

ROUNDS = 8
WINDOW_S = 5
# All in one run queue; and with dom0's no more busy pCPUs than the build machine has processors, or
# one that waits for a processor while it has a lock of Xen's lets the others spin for that.
THREE = {name: 100 for name in SIX[:3]}
ON_TWO = {name: "1-2" for name in THREE}


def check_fair_alone():
    with _watched_host("eight", THREE, ON_TWO) as host:
        watched = Watched(host)
        watched.ticks(NEW_TICKS)
        # Each round alone, watched over, watched over, alone: what drifts is in both. Stopped for so
        # long, the daemon measures afresh in every round, when it is likeliest to move something.
        rounds = [[_work(host, signal) for signal in ("STOP", "CONT", "CONT", "STOP")]
                  for _ in range(ROUNDS)]
        host.run(f"kill -CONT $(cat {daemon.PID})")
        watched.ticks(len(watched.ticks()) + 2)  # so that the last of its writes are on record
        with claim("one run queue: no affinity is written"):
            expect(not watched.writes(), watched.writes())
        with claim("one run queue: each guest runs within 2 % of what it runs under credit2 alone"):
            for name in THREE:
                _alike(rounds, name)
        with claim("one run queue: and all do within 2 % of the work, by their own count"):
            _alike(rounds, "loops")


def _alike(rounds, what):
    """What was done under the daemon, over what was done while it was stopped."""
    ratios = [(first[what] + second[what]) / (before[what] + after[what])
              for before, first, second, after in rounds]
    TAP.note(f"{what}: " + " ".join(f"{ratio:.3f}" for ratio in ratios))
    expect(abs(statistics.median(ratios) - 1) <= 0.02, f"{what}: {statistics.median(ratios)}")


def _work(host, signal):
    """What is done after the daemon got this signal: by each guest, in percent of a pCPU by Xen's
    counters; and by all, `loops` by their own count, for each second that the real machine ran these
    pCPUs.
    """
    host.run(f"kill -{signal} $(cat {daemon.PID})")
    time.sleep(1)
    statuses, ran_ns, at_s = host.statuses(), host.machine.pcpu_run_ns(), time.monotonic()
    usage = host.cpu_usage(WINDOW_S)
    after, after_ns = host.statuses(), host.machine.pcpu_run_ns()
    real_s = sum(after_ns[pcpu] - ran_ns[pcpu] for pcpu in (1, 2)) / 1e9 / (time.monotonic() - at_s)
    loops = sum((after[name]["work"] - before["work"]) * 1000
                / (after[name]["uptime_ms"] - before["uptime_ms"])
                for name, before in statuses.items())
    return {name: usage.domain[name] for name in THREE} | {"loops": loops / real_s}


# ---- what a tick asks of the hypervisor ----

def check_hypercalls():
    _tick_calls("eight", 8, several=0)
    _tick_calls("pairs", 6, several=12)


def _tick_calls(profile, guests, several):
    """several: how many vCPUs domains have that have more than one."""
    idle = {f"vm{n}": 0 for n in range(1, guests + 1)}
    with _watched_host(profile, idle) as host:
        watched = Watched(host, cpu_affinity="hard")
        domains = 1 + guests
        most = math.ceil(domains / 1024) + several + TICK_CALLS
        with claim(f"{domains} domains, {several} of their vCPUs in pairs: a steady tick takes at most "
                   f"{most} hypercalls"):
            steady = watched.ticks(NEW_TICKS + QUIET_TICKS)[NEW_TICKS:]
            _note_calls(steady)
            expect(max(tick.total() for tick in steady) <= most, f"up to {most} were expected")
        with claim(f"{domains} domains: between ticks there are none while no pCPU is full"):
            looks = hypercalls.looks_after(host, NEW_TICKS)
            expect(not looks, looks)
        host.place({"vm1": "3", "vm2": "3"})
        host.order({"vm1": "burn 100", "vm2": "burn 100"})
        watched.ticks(len(watched.ticks()) + QUIET_TICKS)
        with claim(f"{domains} domains: a look at who waits is one hypercall, and one a vCPU in pairs"):
            looks = hypercalls.looks_after(host, NEW_TICKS)
            _note_calls(looks)
            expect(looks and max(look.total() for look in looks) <= 1 + several, "there are more")
        with claim(f"{domains} domains: no affinity was written that was there already"):
            TAP.note(f"{len(watched.writes())} writes")
            expect(watched.writes() and not any(write.same for _, write in watched.writes()),
                   watched.writes())


def _note_calls(bursts):
    """What they took, each kind of hypercall on average."""
    kinds = sorted({kind for burst in bursts for kind in burst.calls})
    average = {kind: round(sum(burst.calls.get(kind, 0) for burst in bursts) / len(bursts), 2)
               for kind in kinds}
    TAP.note(f"{len(bursts)}, of {min(burst.total() for burst in bursts)} to "
             f"{max(burst.total() for burst in bursts)} hypercalls; on average {average}")


if __name__ == "__main__":
    sys.exit(main())
