#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""xlpolicyd as a service of a real dom0: started by its init script before any guest is there, and
what it records replayed elsewhere.

Prints TAP. Usage: check_service.py [CHECK...]
"""

import json
import os
import subprocess
import sys
import tempfile

import daemon
import lab
from common import REPO, program
from loaded import affinities, host_with
from tap import Tap, expect

TAP = Tap()
claim = TAP.claim

INIT = "/etc/init.d/xlpolicyd"
SETTLE_S = 120
GUESTS = [f"vm{n}" for n in range(1, 5)]


def main():
    lab.end_orderly()
    return TAP.run([check_boot, check_recording], sys.argv[1:])


def check_boot():
    shipped = os.path.join(REPO, "daemon", "init")
    files = lab.project_files() | {
        INIT: os.path.join(shipped, "xlpolicyd"),
        "/etc/default/xlpolicyd": os.path.join(shipped, "xlpolicyd.default"),
        daemon.CONFIG: b'cpu_affinity = "hard"\nadopt = 1\nmem_policy = "off"\n',
    }
    with lab.boot("plain", files=files) as host:
        with claim("booted: the init script starts the daemon when xenstored is up and no guest is"):
            expect(set(host.domids()) <= {"Domain-0"}, host.domids())
            said = host.run(f"sh {INIT} start")
            expect(said.strip().endswith("xlpolicyd started"), said)
            expect("is running" in host.run(f"sh {INIT} status"), "no pidfile")
        with claim("as shipped it advises, and has nothing to say of an empty host"):
            state = json.loads(host.run("xlpolicy --json status"))
            expect(state["daemon"]["mode"] == "advise" and state["planned"] == 0, state)

        host.create(*(lab.Guest(name=name, memory_mib=128, maxmem_mib=128, cpus="1")
                      for name in GUESTS))
        host.order({name: "burn 100" for name in GUESTS})
        with claim("guests that start after it are seen, and advised about, but not touched"):
            host.until("moves are planned", lambda: json.loads(
                host.run("xlpolicy --json plan"))["plan"]["actions"], SETTLE_S, 2)
            expect(all(hard == {1} for hard, _ in affinities(host).values()), affinities(host))
        with claim("told to act, it places them"):
            host.run("xlpolicy act")
            host.until("they are spread", lambda: len(set(
                frozenset(hard) for hard, _ in affinities(host).values())) > 2, SETTLE_S, 2)
        with claim("stopped, it leaves guests where they are"):
            before = affinities(host)
            expect("xlpolicyd stopped" in host.run(f"sh {INIT} stop"), "it did not say so")
            expect(affinities(host) == before, affinities(host))


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
