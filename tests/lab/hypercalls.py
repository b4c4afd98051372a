# SPDX-License-Identifier: LGPL-2.1-only
"""The daemon's hypercalls, as hypercalls.c sees them: how many a tick takes, and what they write."""

import dataclasses
import os

from common import BUILD, LAB, tool

LIBRARY = "/usr/lib/hypercalls.so"
LOG = "/run/hypercalls"
# For daemon.running(environment=...).
ENVIRONMENT = f"LD_PRELOAD={LIBRARY} HYPERCALLS={LOG}"


@dataclasses.dataclass
class Write:
    """An affinity that was written; a mask that was not named is None."""
    domid: int
    vcpu: int
    hard: frozenset
    soft: frozenset
    same: bool  # it was so before


@dataclasses.dataclass
class Burst:
    """What the daemon asked of Xen without waiting in between."""
    calls: dict   # by name
    writes: list

    def is_tick(self):
        """Whether this is a tick, rather than a look at who waits for a full pCPU."""
        return "physinfo" in self.calls

    def total(self):
        return sum(self.calls.values())


def library():
    """What a test brings into dom0 for this, for lab.state(files=...)."""
    path = os.path.join(BUILD, "hypercalls.so")
    tool("cc", "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC", "-o", path,
         os.path.join(LAB, "hypercalls.c"), "-lxenctrl")
    return {LIBRARY: path}


def bursts(host):
    """All that the daemon did since it was started, but for a burst that has not ended."""
    found, writes = [], []
    for line in host.run(f"cat {LOG}").splitlines():
        kind, *words = line.split()
        if kind == "set":
            writes.append(Write(int(words[0]), int(words[1]), _mask(words[2]), _mask(words[3]),
                                words[4] == "same"))
        else:
            calls = {name: int(count) for name, count in (word.split("=") for word in words)}
            found.append(Burst(calls, writes))
            writes = []
    return found


def ticks(host):
    """Those that are ticks, the first of which is also the daemon's start."""
    return [burst for burst in bursts(host) if burst.is_tick()]


def looks_after(host, count):
    """Looks at who waits, made since so many ticks."""
    found, seen = [], 0
    for burst in bursts(host):
        seen += burst.is_tick()
        if seen > count and not burst.is_tick():
            found.append(burst)
    return found


def _mask(word):
    if word == "-":
        return None
    mask = int(word, 16)
    return frozenset(pcpu for pcpu in range(mask.bit_length()) if mask >> pcpu & 1)
