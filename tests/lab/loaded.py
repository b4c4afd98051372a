# SPDX-License-Identifier: LGPL-2.1-only
"""A host whose guests are busy, and where their vCPUs are: what tests of placement start from."""

import contextlib

import lab


@contextlib.contextmanager
def host_with(profile, duties, pins=None, files=None, prepare=None):
    """A host of this profile whose guests burn: {name: percent}. Those not named are destroyed.

    pins     hard affinities to start from, {name: "1-3"}
    files    what to bring into dom0 besides the project's programs
    prepare  called with the host before anything is pinned or burns
    """
    with lab.state(profile, files=lab.project_files() | (files or {})) as host:
        for name in set(host.guests) - set(duties):
            host.run(f"xl destroy {name}")
        host.refresh()
        if prepare:
            prepare(host)
        if pins:
            host.place(pins)
        host.order({name: f"burn {duty}" for name, duty in duties.items()})
        host.duties = duties
        yield host


def affinities(host):
    """{(guest, vCPU): (hard, soft)}."""
    return {key: (vcpu.hard, vcpu.soft) for key, vcpu in host.vcpus().items()
            if key[0] != "Domain-0"}


def places(host, soft=True):
    """{(guest, vCPU): its pCPU}, of those that are bound to one or, if soft, would rather be on one."""
    found = {}
    for key, (hard, preferred) in affinities(host).items():
        for mask in (hard, preferred) if soft else (hard,):
            if len(mask) == 1 and key not in found:
                found[key] = next(iter(mask))
    return found
