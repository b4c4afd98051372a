# SPDX-License-Identifier: LGPL-2.1-only
"""A running laboratory host: commands and files for dom0, its guests, and Xen's counters."""

import shlex
import time

import common
from archive import Tree, libraries_of, merged
from common import LabError
from counters import parse_domains, parse_sample, parse_vcpus, usage_between
from guest import Guest

# An emulated dom0 that shares its processor with a busy host is slow, not broken.
COMMAND_TIMEOUT_S = 300
GUEST_TIMEOUT_S = 300


class Host:
    """One booted Xen. `guests` holds those that are up, by name."""

    def __init__(self, profile, machine, console, manifest):
        self.profile = profile
        self.machine = machine
        self.console = console
        self.manifest = manifest  # what dom0's image has already
        self.guests = {}
        self._order_number = time.time_ns() // 1000  # never one that a saved guest has seen

    def sh(self, command, timeout=COMMAND_TIMEOUT_S):
        """Runs a shell command in dom0. Returns (exit status, standard output and error)."""
        status, output = self.console.run(command, timeout)
        return status, output.decode(errors="replace")

    def run(self, command, timeout=COMMAND_TIMEOUT_S):
        """Runs a shell command in dom0 and returns its output; LabError if it fails."""
        status, output = self.sh(command, timeout)
        if status != 0:
            said = output.strip().splitlines()
            raise LabError(f"in dom0, `{command}` ended with {status}: {said[-1] if said else ''}")
        return output

    def put(self, files):
        """Copies files into dom0: {path there: path here, or contents as bytes}.

        A program's shared libraries come along if dom0 does not have them.
        """
        tree = Tree()
        for path, source in files.items():
            if isinstance(source, bytes):
                tree.data(path, source)
                continue
            tree.file(path, source)
            for library in libraries_of(source):
                if merged(library) not in self.manifest:
                    tree.file(library, library)
        archive = tree.tar()
        self.machine.load_drive(archive)
        # The kernel may still have what the drive held before; and tar would read all of the drive.
        self.run("blockdev --flushbufs /dev/vda && "
                 f"dd if=/dev/vda bs=2k count={len(archive) // 2048} 2>/dev/null | tar -x -C /")

    def get(self, path):
        """The contents of a file in dom0, as bytes."""
        status, contents = self.console.run(f"cat {shlex.quote(path)}", COMMAND_TIMEOUT_S)
        if status != 0:
            raise LabError(f"cannot read {path} in dom0: {contents.decode(errors='replace')}")
        return contents

    def until(self, claim, condition, timeout=GUEST_TIMEOUT_S, every=0.2):
        """Waits until condition() is true, and returns its value; LabError if it never is."""
        def checked():
            self.machine.check_alive()
            return condition()
        return common.until(claim, checked, timeout, every)

    # Guests

    def create(self, *specifications):
        """Creates guests (profiles.Guest) and waits until each reports from its user space."""
        for spec in specifications:
            self.run(f"cat >/run/lab/{spec.name}.cfg <<'EOF'\n{spec.config()}EOF\n"
                     f"xl create -q /run/lab/{spec.name}.cfg")
        if not specifications:
            return
        self.refresh()
        self.until("the new guests report", lambda: self._all_up([s.name for s in specifications]))

    def refresh(self):
        """Learns anew which guests there are."""
        domains = self.domids()
        self.guests = {name: Guest(self, name, domid) for name, domid in domains.items() if domid}

    def domids(self):
        """The domains that xl lists, dom0 too: {name: domid}."""
        return parse_domains(self.run("xl list"))

    def order(self, orders):
        """Gives guests an order each, {name: "VERB ARGUMENTS"}; returns when all are carried out.

        The orders are init.c's. LabError if a guest refuses one.
        """
        self._order_number += 1
        pairs = " ".join(f"{self.guests[name].path('data/cmd')} "
                         + shlex.quote(f"{self._order_number} {order}")
                         for name, order in orders.items())
        self.run(f"xenstore-write {pairs}")

        def carried_out():
            statuses = self.statuses(orders)
            return statuses if all(status["ack"] == self._order_number
                                   for status in statuses.values()) else None
        answers = self.until(f"guests carry out {sorted(set(orders.values()))}", carried_out)
        for name, status in answers.items():
            if status["result"] != 0:
                raise LabError(f"{name} refused `{orders[name]}`: error {-status['result']}")

    def statuses(self, names=None):
        """What guests last reported, {name: Guest.status()}; of all if no names are given."""
        names = list(names or self.guests)
        lines = self.run(self._read_statuses(names)).splitlines()
        return {name: _parse_status(line) for name, line in zip(names, lines)}

    # Processors and memory

    def sample(self):
        """Xen's counters as they are now (counters.Sample)."""
        return parse_sample(self.run("xenstat"))

    def cpu_usage(self, seconds=5.0):
        """How busy pCPUs and domains are over the next seconds (counters.Usage)."""
        names = {domid: name for name, domid in self.domids().items()}
        run_before, wait_before = self.machine.scheduling()
        before = self.sample()
        time.sleep(seconds)  # the window; its true length is taken from Xen's clock
        usage = usage_between(before, self.sample(), names)
        run, wait = self.machine.scheduling()
        wanted = run - run_before + wait - wait_before
        usage.starved = (wait - wait_before) / wanted if wanted else 0.0
        return usage

    def vcpus(self):
        """Where every vCPU runs and may run: {(domain name, vcpu): counters.Vcpu}."""
        return parse_vcpus(self.run("xl vcpu-list"), self.profile.pcpus)

    def place(self, cpus_by_guest):
        """Sets affinities, {guest name: "1-3", or "all 1-3" for a soft one}, in one go."""
        self.run(" && ".join(f"xl vcpu-pin {self.guests[name].domid} all {cpus}"
                             for name, cpus in cpus_by_guest.items()))

    def favour_dom0(self, weight=2048):
        """Gives dom0 more of a pCPU that it shares, so that commands are quick under load.

        It is what Xen's documentation advises for real hosts, and changes what guests get there.
        """
        self.run(f"xl sched-credit2 -d Domain-0 -w {weight}")

    def free_kib(self):
        """Memory that no domain has, pages that Xen has yet to scrub too."""
        return self.sample().free_kib

    def _all_up(self, names):
        status, output = self.sh(self._read_statuses(names))
        if status != 0:
            return False
        agent = "running" if self.profile.agent else "none"
        return all(_parse_status(line)["agent"] == agent for line in output.splitlines())

    def _read_statuses(self, names):
        return "xenstore-read " + " ".join(self.guests[name].path("data/status") for name in names)


def _parse_status(line):
    pairs = (word.split("=", 1) for word in line.split())
    return {name: value if name == "agent" else int(value) for name, value in pairs}
