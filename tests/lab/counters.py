# SPDX-License-Identifier: LGPL-2.1-only
"""Reads what Xen says about processors and placement: xenstat's counters and xl vcpu-list."""

import dataclasses

from common import LabError


@dataclasses.dataclass
class Sample:
    """Xen's counters at one moment. Domains by domid, vCPUs by (domid, vcpu)."""
    now_ns: int = 0
    span_ns: int = 0  # how far apart its first and its last counter are
    free_kib: int = 0
    idle_ns: dict = dataclasses.field(default_factory=dict)      # of each pCPU
    run_ns: dict = dataclasses.field(default_factory=dict)       # of each domain
    actual_kib: dict = dataclasses.field(default_factory=dict)   # memory of each domain
    max_kib: dict = dataclasses.field(default_factory=dict)      # and the most Xen lets it have
    vcpu_run_ns: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Usage:
    """Percent of one pCPU's time, over a window that Xen's clock measured."""
    seconds: float
    pcpu: dict    # pCPU number: how busy it was
    domain: dict  # domain name: how much it ran, all its vCPUs together
    vcpu: dict    # (domain name, vCPU number): the same for one vCPU
    starved: float = 0.0  # the part (0 to 1) of the time QEMU wanted in which it could not run

    def real(self, name):
        """What a domain ran by the real machine's clock, on average.

        Xen cannot see that its own processors were kept waiting, and charges that to whoever ran.
        """
        return self.domain[name] * (1 - self.starved)

    def real_pcpu(self, number):
        """The same for what kept a pCPU busy."""
        return self.pcpu[number] * (1 - self.starved)

    def __str__(self):
        pcpus = " ".join(f"{cpu}:{pct:.0f}" for cpu, pct in sorted(self.pcpu.items()))
        domains = " ".join(f"{name}:{pct:.1f}" for name, pct in sorted(self.domain.items()))
        return (f"pCPU % {pcpus} | domain % {domains} | over {self.seconds:.1f} s, "
                f"starved {self.starved:.0%}")


@dataclasses.dataclass
class Vcpu:
    """Where one vCPU last ran, and where it may and would like to run."""
    pcpu: int  # None while the vCPU is offline
    hard: frozenset
    soft: frozenset


def parse_sample(text):
    """xenstat's output as a Sample."""
    sample = Sample()
    for line in text.splitlines():
        kind, *words = line.split()
        numbers = [int(word) for word in words]
        if kind == "now":
            sample.now_ns, sample.span_ns = numbers
        elif kind == "free":
            sample.free_kib = numbers[0]
        elif kind == "pcpu":
            sample.idle_ns[numbers[0]] = numbers[1]
        elif kind == "domain":
            domid = numbers[0]
            sample.run_ns[domid] = numbers[1]
            sample.actual_kib[domid] = numbers[2]
            sample.max_kib[domid] = numbers[3]
        elif kind == "vcpu":
            sample.vcpu_run_ns[numbers[0], numbers[1]] = numbers[2]
        else:
            raise LabError(f"xenstat wrote a line that the laboratory does not know: {line}")
    return sample


def usage_between(before, after, names):
    """What ran between two samples. Names are by domid; who came or went is left out."""
    window = after.now_ns - before.now_ns
    percent = lambda later, earlier: 100.0 * (later - earlier) / window
    return Usage(
        seconds=window / 1e9,
        pcpu={cpu: 100.0 - percent(idle, before.idle_ns[cpu])
              for cpu, idle in after.idle_ns.items() if cpu in before.idle_ns},
        domain={names[domid]: percent(run, before.run_ns[domid])
                for domid, run in after.run_ns.items()
                if domid in before.run_ns and domid in names},
        vcpu={(names[key[0]], key[1]): percent(run, before.vcpu_run_ns[key])
              for key, run in after.vcpu_run_ns.items()
              if key in before.vcpu_run_ns and key[0] in names})


def parse_domains(text):
    """`xl list` as {name: domid}."""
    rows = (line.split() for line in text.splitlines()[1:])
    return {row[0]: int(row[1]) for row in rows}


def parse_vcpus(text, pcpus):
    """`xl vcpu-list` as {(name, vcpu): Vcpu}."""
    vcpus = {}
    for line in text.splitlines()[1:]:
        name, _, vcpu, pcpu, _, _, affinity = line.split(None, 6)
        hard, soft = affinity.split(" / ")
        vcpus[name, int(vcpu)] = Vcpu(pcpu=None if pcpu == "-" else int(pcpu),
                                      hard=parse_cpus(hard, pcpus), soft=parse_cpus(soft, pcpus))
    return vcpus


def parse_cpus(text, pcpus):
    """A list of pCPUs as xl writes it ("0,2-3", "all", "none") as a set of numbers."""
    text = text.strip()
    if text == "all":
        return frozenset(range(pcpus))
    cpus = set()
    for part in text.split(",") if text != "none" else []:
        first, _, last = part.partition("-")
        cpus |= set(range(int(first), int(last or first) + 1))
    return frozenset(cpus)
