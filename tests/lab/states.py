# SPDX-License-Identifier: LGPL-2.1-only
"""Hosts on demand: booted once, saved, and from then on restored in a second or two.

build/lab/states/PROFILE-KEY is a machine's state as QEMU saved it, KEY a hash of all that it came
from. Of each profile the newest is kept, and of the images those that a kept state needs.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil

import image
import machine
from common import BUILD, REPO, LabError
from console import Console
from host import Host
from profiles import PROFILES

AGENT = os.path.join(REPO, "build", "xlpolicy-guest-agent")
STATES = os.path.join(BUILD, "states")
LOGS = os.path.join(BUILD, "logs")


@contextlib.contextmanager
def state(profile_name, files=None, dom0_alone=False, agent=AGENT):
    """A host of this profile, restored from its saved state; made and saved first if need be.

    files       what to copy into dom0, as for Host.put()
    dom0_alone  keep the guests off pCPU 0, so that dom0 answers fast whatever they burn
    agent       the guest agent to run in the guests, where the profile wants one
    """
    profile = _profile(profile_name)
    agent = _agent_for(profile, agent)
    with contextlib.ExitStack() as stack:
        with _building():  # until it is loaded: another process might put a newer one in its place
            images, saved = _saved_state(profile, agent)
            host = stack.enter_context(_running(profile, images, saved))
        if profile.guests:
            host.refresh()
        _prepare(host, files, dom0_alone)
        yield host


@contextlib.contextmanager
def boot(profile_name, files=None, dom0_alone=False, agent=AGENT):
    """The same, but booted afresh; nothing is saved."""
    profile = _profile(profile_name)
    agent = _agent_for(profile, agent)
    with contextlib.ExitStack() as stack:
        with _building():
            host = stack.enter_context(_running(profile, image.built(agent), None))
        host.create(*profile.guests)
        _prepare(host, files, dom0_alone)
        yield host


def _prepare(host, files, dom0_alone):
    if files:
        host.put(files)
    if dom0_alone and host.guests:
        host.place({name: f"1-{host.profile.pcpus - 1}" for name in host.guests})


def _saved_state(profile, agent):
    """The images and the saved state of a profile, made if they are not there or out of date."""
    images = image.built(agent)
    saved = os.path.join(STATES, f"{profile.name}-{_key(profile, agent, images)}")
    if not os.path.exists(saved):
        _boot_and_save(profile, images, saved)
        _prune(profile, images, saved)
    return images, saved


def _boot_and_save(profile, images, saved):
    os.makedirs(STATES, exist_ok=True)
    partial = saved + ".partial"
    try:
        with _running(profile, images, None) as host:
            host.create(*profile.guests)
            host.machine.save(partial)
        os.rename(partial, saved)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(partial)
    with open(saved + ".images", "w", encoding="utf-8") as file:
        file.write(os.path.basename(images))


def _prune(profile, images, saved):
    """Removes the profile's older states, and the images that no state needs any more."""
    keep = {os.path.basename(saved), os.path.basename(saved) + ".images"}
    for name in os.listdir(STATES):
        if name.rsplit("-", 1)[0] == profile.name and name not in keep:
            os.remove(os.path.join(STATES, name))
    needed = {os.path.basename(images)}
    for name in os.listdir(STATES):
        if name.endswith(".images"):
            with open(os.path.join(STATES, name), encoding="utf-8") as file:
                needed.add(file.read())
    for name in set(os.listdir(image.IMAGES)) - needed:
        shutil.rmtree(os.path.join(image.IMAGES, name), ignore_errors=True)


def _key(profile, agent, images):
    parts = [image.inputs(agent), machine.version(), repr(machine.command_line(profile, images))]
    parts += [guest.config() for guest in profile.guests]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@contextlib.contextmanager
def _running(profile, images, saved):
    """A machine that answers, with its host; what it said is kept if the block fails."""
    with machine.Machine(profile, images, saved) as running:
        try:
            console = Console(running.connect("agent.sock"), running.path("from-dom0"))
            with contextlib.closing(console):
                if saved is None:
                    console.wait_for_agent(machine.BOOT_TIMEOUT_S)
                with open(os.path.join(images, "manifest"), encoding="utf-8") as file:
                    manifest = set(file.read().splitlines())
                yield Host(profile, running, console, manifest)
        except BaseException:
            _keep_logs(profile, running)
            raise


def _keep_logs(profile, running):
    directory = os.path.join(LOGS, profile.name)
    os.makedirs(directory, exist_ok=True)
    for name in ("serial.log", "qemu.log"):
        with contextlib.suppress(OSError):
            shutil.copy(running.path(name), directory)


@contextlib.contextmanager
def _building():
    """One process at a time fetches, builds and saves; the others wait and find it done."""
    os.makedirs(BUILD, exist_ok=True)
    with open(os.path.join(BUILD, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _profile(name):
    if name not in PROFILES:
        raise LabError(f"no profile is called {name}; there are {', '.join(PROFILES)}")
    return PROFILES[name]


def _agent_for(profile, agent):
    if not profile.agent:
        return None
    if not os.path.exists(agent):
        raise LabError(f"the guest agent {os.path.relpath(agent)} is missing: run "
                       "make build/xlpolicy-guest-agent")
    return agent
