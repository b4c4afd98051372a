# SPDX-License-Identifier: LGPL-2.1-only
"""What all guests of a host have and lack, looked at again and again."""

import time

from tap import expect

SHORT_KIB = 8 << 10  # a guest with less to spare than this is short


class Watch:
    """Looks at all guests and Xen, and keeps what it saw."""

    def __init__(self, host):
        self.host = host
        self.looks = []

    def look(self):
        sample, statuses = self.host.sample(), self.host.statuses()
        for name, status in statuses.items():
            status["actual_kib"] = sample.actual_kib[self.host.guests[name].domid]
        statuses["free_kib"] = sample.free_kib
        statuses["at_s"] = time.monotonic()
        self.looks.append(statuses)
        for name in self.host.guests:
            expect(statuses[name]["oom"] == 0, f"{name} ran out of memory: {statuses[name]}")
        return statuses

    def actual_mib(self, name):
        return self.looks[-1][name]["actual_kib"] >> 10

    def longest_short_s(self, name):
        """For how long on end a guest was seen to be short, at the longest."""
        longest, since = 0, None
        for look in self.looks:
            if look[name]["avail_kib"] >= SHORT_KIB:
                since = None
                continue
            since = look["at_s"] if since is None else since
            longest = max(longest, look["at_s"] - since)
        return longest

    def consume(self, steps):
        """Walks through {guest: MiB held}, one step at a time, and looks after each."""
        for step in steps:
            self.host.order({name: f"alloc {mib}" for name, mib in step.items()})
            self.host.until(f"guests hold {step}",
                            lambda wanted=step: _hold(self.look(), wanted), 60, 1)


def _hold(look, wanted):
    return all(look[name]["alloc"] == mib for name, mib in wanted.items())
