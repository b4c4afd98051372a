#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""xlpolicyd as a service of a real dom0: the session of docs/operations.md, from the package's installation
to a balanced host; and what it records replayed elsewhere.

Prints TAP. Usage: check_service.py [--write] [CHECK...]

--write puts what the commands of the session print now into the document.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import daemon
import debian
import lab
import session
from common import REPO, program
from loaded import affinities, host_with, places
from tap import Tap, expect

TAP = Tap()
claim = TAP.claim

INIT = "/etc/init.d/xlpolicyd"
SETTLE_S = 60
DOCUMENT = os.path.join(REPO, "docs", "operations.md")
WRITE = "--write" in sys.argv
WRITE_AFTER_S = 15  # for what a block shows to have come about
WEB1_MIB = 128
GUESTS = {"web1": WEB1_MIB, "web2": 140, "web3": 140}  # in MiB; the others have what they need
HELD_MIB = 30  # what web1 takes of the 76 MiB or so that it has to itself


def main():
    lab.end_orderly()
    checks = [check_session] if WRITE else [check_session, check_recording]
    return TAP.run(checks, [name for name in sys.argv[1:] if name != "--write"])


def check_session():
    with open(DOCUMENT, encoding="utf-8") as file:
        document = file.read()
    install, *rest = session.blocks(document)
    with lab.boot("agents") as host:
        debian.prepare(host, "xlpolicy")
        with claim("booted: no guest is there yet when the package is installed"):
            expect(set(host.domids()) <= {"Domain-0"}, host.domids())
        _play(host, install)
        with claim("installed: the init script has started the daemon, which only advises"):
            expect("is running" in host.run(f"sh {INIT} status"), "no pidfile")
            state = json.loads(host.run("xlpolicy --json status"))
            expect(state["daemon"]["mode"] == "advise" and state["planned"] == 0, state)
        _guests_in_need(host)
        for block in rest:
            _play(host, block)
        with claim("in the end, each guest has a pCPU of its own, and web1 the memory that it needs"):
            expect(sorted(places(host).values()) == [1, 2, 3], affinities(host))
            expect(host.guests["web1"].actual_kib() > (WEB1_MIB + 32) << 10, "web1 has not grown")
        with claim("stopped, it leaves guests where they are"):
            before = affinities(host)
            expect("xlpolicyd stopped" in host.run(f"sh {INIT} stop"), "it did not say so")
            expect(affinities(host) == before, affinities(host))
    if WRITE:
        with open(DOCUMENT, "w", encoding="utf-8") as file:
            file.write(session.rewritten(document, [install, *rest]))


def _guests_in_need(host):
    """As the document has it: three busy guests pinned to one pCPU, one of them short of memory."""
    host.create(*(lab.Guest(name=name, memory_mib=memory_mib, maxmem_mib=256, cpus="1")
                  for name, memory_mib in GUESTS.items()))
    host.order({name: "burn 100" for name in GUESTS})
    host.guests["web1"].alloc(HELD_MIB)


def _play(host, steps):
    """Types what the document has, and compares; what only looks is repeated until it is the same."""
    if WRITE:
        time.sleep(WRITE_AFTER_S)
    for step in steps:
        if TAP.failed:
            return  # what follows would not be the same either
        with claim(f"as documented: {step.command}"):
            if WRITE:
                step.output = host.run(debian.typed(step.command))
                continue
            found = host.run(debian.typed(step.command))
            deadline = time.monotonic() + SETTLE_S
            while (not session.same(step.output, found) and step.looks()
                   and time.monotonic() < deadline):
                time.sleep(2)
                found = host.run(debian.typed(step.command))
            expect(session.same(step.output, found), session.difference(step.output, found))


def check_recording():
    busy = {f"vm{n}": 100 for n in range(1, 9)}
    with host_with("eight", busy, {name: "0" for name in busy}) as host:
        keeper = daemon.running(host, options="--record /run/seen.jsonl", cpu_affinity="hard",
                                adopt=1, mem_boot_hold_s=0)
        host.until("guests are spread", lambda: len(set(
            frozenset(hard) for hard, _ in affinities(host).values())) > 3, SETTLE_S, 4)
        keeper.cli("pause")
        host.run("sleep 3")
        keeper.cli("act")
        keeper.cli("release --all")
        host.run("sleep 5")
        keeper.kill("TERM")
        recording = host.get("/run/seen.jsonl")
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        file.write(recording)
        file.flush()
        done = subprocess.run([program("xlpolicy"), "--json", "replay", file.name],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    with claim("a recording made here gives, elsewhere, the plans the daemon took, byte for byte"):
        expect(done.returncode == 0, done.stdout.decode(errors="replace")[-500:])
        result = json.loads(done.stdout)
        expect(result["differing"] == 0 and result["compared"] > 10, result["differing"])
        expect(result["actions"], "it took none")
    TAP.note(f"{result['compared']} plans of {result['ticks']} ticks")


if __name__ == "__main__":
    sys.exit(main())
