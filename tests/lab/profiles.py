# SPDX-License-Identifier: LGPL-2.1-only
"""The hosts that the laboratory can boot: one table of machines and their guests."""

import dataclasses

# For dom0's kernel and the guests'. The last one skips self-tests that take two emulated seconds.
LINUX_OPTIONS = "quiet mitigations=off clocksource=xen cryptomgr.notests"


@dataclasses.dataclass(frozen=True)
class Guest:
    """One guest to be: a paravirtualised Linux with the laboratory's process 1 and the agent."""
    name: str
    memory_mib: int
    maxmem_mib: int
    vcpus: int = 1
    cpus: str = "all"  # hard affinity, as xl writes it

    def config(self):
        """The guest's xl configuration file."""
        return f"""\
name = "{self.name}"
type = "pv"
kernel = "/lab/guest/vmlinux"
ramdisk = "/lab/guest/ramdisk"
extra = "console=hvc0 {LINUX_OPTIONS}"
memory = {self.memory_mib}
maxmem = {self.maxmem_mib}
vcpus = {self.vcpus}
cpus = "{self.cpus}"
on_crash = "destroy"
on_reboot = "destroy"
"""


@dataclasses.dataclass(frozen=True)
class Profile:
    """One machine. What is here is an input of the saved state; what a test may choose is not."""
    name: str
    about: str
    pcpus: int = 4
    sockets: int = 1
    memory_mib: int = 6144
    numa_nodes: int = 1
    dom0_memory_mib: int = 1024
    dom0_vcpus: int = 1
    agent: bool = True       # guests run the guest agent under test
    passthrough: bool = False  # an emulated IOMMU and devices to give away
    xen_options: str = ""
    guests: tuple = ()


def _guests(count, **same):
    return tuple(Guest(name=f"vm{n}", **same) for n in range(1, count + 1))


# A guest's kernel takes some 50 MiB of what xl calls its memory, and an idle guest uses about
# 20 MiB of the rest: 128 MiB is as small as a guest that does something gets.
_SMALL = {"memory_mib": 128, "maxmem_mib": 256}

PROFILES = {profile.name: profile for profile in (
    Profile(
        name="plain", agent=False,
        about="4 pCPUs, dom0 with one vCPU pinned to pCPU 0, no guests"),
    Profile(
        name="agents",
        about="plain, but guests that are created run the guest agent"),
    Profile(
        name="eight",
        about="plain with eight idle one-vCPU guests vm1..vm8 that may run anywhere",
        guests=_guests(8, **_SMALL)),
    # The memory scenarios at half their size: guests of 256 MiB rather than 512. What makes them
    # hard is that memory is short, so the machine has little more than its guests: Xen has about
    # 150 MiB left when the four are up. Three donors can give some 100 MiB each before they are in
    # need, so vm1 can be given about 600 MiB, and maxmem leaves room for more than that.
    Profile(
        name="memory", memory_mib=2232,
        about="four one-vCPU guests vm1..vm4 of 256 MiB (at most 768) and about 150 MiB free",
        guests=_guests(4, memory_mib=256, maxmem_mib=768)),
    # As memory, but dom0 has a GiB more than it has to keep.
    Profile(
        name="large-dom0", memory_mib=3256, dom0_memory_mib=2048,
        about="memory, with a dom0 of 2 GiB",
        guests=_guests(4, memory_mib=256, maxmem_mib=768)),
    Profile(
        name="two-sockets", sockets=2,
        about="eight, on two sockets of two pCPUs: credit2 makes a run queue of each",
        guests=_guests(8, **_SMALL)),
    Profile(
        name="pairs",
        about="plain with six idle two-vCPU guests vm1..vm6 that may run anywhere",
        guests=_guests(6, vcpus=2, **_SMALL)),
    Profile(
        name="numa", sockets=2, numa_nodes=2, agent=False,
        about="plain with two NUMA nodes of two pCPUs and 3 GiB each"),
    Profile(
        name="passthrough", sockets=2, numa_nodes=2, passthrough=True, agent=False,
        xen_options="iommu=verbose,no-sharept",
        about="numa with an IOMMU, a network card on node 1, a VGA + audio pair and a test device"),
)}
