# SPDX-License-Identifier: LGPL-2.1-only
"""One guest, as a test sees it. What happens inside is in guest/init.c."""

# Where the guest agent reports, below the guest's own part of xenstore.
REPORT_KEY = "data/xlpolicy/memory"


class Guest:
    """Orders for the guest's process 1, and what the guest and Xen say about it."""

    def __init__(self, host, name, domid):
        self.host = host
        self.name = name
        self.domid = domid

    def burn(self, pct):
        """Keeps every vCPU busy for this much of each 15 ms, by the guest's clock. 0: idle."""
        self.host.order({self.name: f"burn {pct}"})

    def alloc(self, mib, wait=True, timeout=120):
        """Makes the guest hold this much touched memory, and waits until it does."""
        self._hold("alloc", mib, wait, timeout)

    def shm(self, mib, wait=True, timeout=120):
        """The same with shared memory, which Linux counts as page cache but cannot drop."""
        self._hold("shm", mib, wait, timeout)

    def free(self):
        """Lets go of all memory that alloc() and shm() took."""
        self.alloc(0)
        self.shm(0)

    def agent_kill(self):
        """Ends the guest agent with SIGKILL."""
        self.host.order({self.name: "agent-kill"})

    def agent_stop(self):
        """Freezes the guest agent: it is there, and its reports grow old."""
        self.host.order({self.name: "agent-stop"})

    def agent_start(self):
        """Lets a frozen agent go on, or starts another if there is none."""
        self.host.order({self.name: "agent-start"})

    def lie(self, text, key=REPORT_KEY):
        """Freezes the agent and writes a report in its place."""
        self.host.order({self.name: f"lie {key} {text}"})

    def garbage(self, key=REPORT_KEY):
        """Freezes the agent and writes bytes in place of its report that mean nothing."""
        self.host.order({self.name: f"garbage {key}"})

    def status(self):
        """What the guest last reported: numbers by name, and "agent" in words (see init.c)."""
        return self.host.statuses([self.name])[self.name]

    def meminfo(self):
        """MemTotal and MemAvailable as the guest's kernel sees them, in KiB."""
        status = self.status()
        return status["total_kib"], status["avail_kib"]

    def report(self):
        """The guest agent's report as it stands in xenstore."""
        return self.host.run(f"xenstore-read {self.path(REPORT_KEY)}").rstrip("\n")

    def mem_set(self, mib):
        """Asks the guest's balloon driver for this size, as an operator does."""
        self.host.run(f"xl mem-set {self.domid} {mib}")

    def actual_kib(self):
        """How much memory Xen says the guest has now."""
        return self.host.sample().actual_kib[self.domid]

    def target_kib(self):
        """The balloon target that stands in xenstore."""
        return int(self.host.run(f"xenstore-read {self.path('memory/target')}"))

    def pin(self, cpus, vcpu="all"):
        """Sets the hard affinity of a vCPU or all of them, as an operator does."""
        self.host.run(f"xl vcpu-pin {self.domid} {vcpu} {cpus}")

    def path(self, key):
        """A key below the guest's own part of xenstore, as dom0 names it."""
        return f"/local/domain/{self.domid}/{key}"

    def _hold(self, verb, mib, wait, timeout):
        self.host.order({self.name: f"{verb} {mib}"})
        if wait:
            self.host.until(f"{self.name} holds {mib} MiB", lambda: self.status()[verb] == mib,
                            timeout)
