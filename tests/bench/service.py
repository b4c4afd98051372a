#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only
"""What the daemon and the command line cost on a host with many domains.

service.py [DOMAINS [SECONDS]]     a simulated host with 1000 domains, watched for 30 seconds

The daemon runs on a simulated host, at a tick of one second, in mode act; what the simulator itself
needs is included in the daemon's figures, which are therefore upper bounds. CPU is in percent of one
core, from /proc; answers are medians, from the start of xlpolicy to its end.
"""
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("XLP_BUILD", "build")
RUNS = 21
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def main(domains=1000, seconds=30):
    domains, seconds = int(domains), float(seconds)
    with tempfile.TemporaryDirectory() as place:
        daemon = start_daemon(place, domains)
        try:
            measure(place, daemon.pid, domains, seconds)
        finally:
            daemon.kill()
            daemon.wait()


def start_daemon(place, domains):
    with open(f"{place}/host.json", "w", encoding="utf-8") as file:
        json.dump(scenario(domains), file)
    with open(f"{place}/conf", "w", encoding="utf-8") as file:
        file.write('tick_ms = 1000\nmode = "act"\n')
    log = open(f"{place}/log", "w", encoding="utf-8")
    daemon = subprocess.Popen(
        [f"{BUILD}/xlpolicyd", "-F", "-f", f"{place}/conf", "--host", f"sim:{place}/host.json",
         "--socket", f"{place}/socket", "--pidfile", f"{place}/pid"], stderr=log)
    while subprocess.run(xlpolicy(place, "list"), capture_output=True).returncode != 0:
        if daemon.poll() is not None:
            sys.exit(open(f"{place}/log", encoding="utf-8").read())
        time.sleep(0.2)
    return daemon


def scenario(domains):
    """Half of them keep changing what they want, so that there is always something to do."""
    pcpus = max(4, domains // 16)
    calm = {"name": "calm%d", "count": domains // 2, "memory_mib": 512, "max_memory_mib": 1024,
            "used_mib": 200, "age_s": 600, "load_pct": 4}
    busy = {"name": "busy%d", "count": domains - domains // 2, "memory_mib": 512,
            "max_memory_mib": 1024, "age_s": 600,
            "used_mib": [[0, 200], [20, 450], [40, 200], [60, 450]],
            "load_pct": [[0, 5], [10, 15], [20, 5], [30, 15], [40, 5], [50, 15]]}
    return {"xlpolicy_scenario": 1, "title": f"{domains} guests", "run_s": 100000,
            "host": {"pcpus": min(pcpus, 256), "free_mib": 4000}, "guests": [calm, busy]}


def xlpolicy(place, *arguments):
    return [f"{BUILD}/xlpolicy", "--socket", f"{place}/socket", *arguments]


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def memory_mib(pid, key):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        for line in file:
            if line.startswith(key):
                return int(line.split()[1]) / 1024
    return 0.0


def children_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def answer(place, pid, command):
    """On a machine that has more to do, CPU tells more than the time: xlpolicy's, and the daemon's."""
    times, cpu, daemon = [], children_s(), cpu_s(pid)
    for _ in range(RUNS):
        start = time.monotonic()
        subprocess.run(xlpolicy(place, command), stdout=subprocess.DEVNULL, check=True)
        times.append((time.monotonic() - start) * 1000)
    cpu = (children_s() - cpu + cpu_s(pid) - daemon) * 1000 / RUNS
    return f"{statistics.median(times):.1f} ms, {min(times):.1f} at best; {cpu:.1f} ms of CPU"


def page(place):
    """Of top: what a page takes beside the delay."""
    pages, delay = 20, 0.1
    start, cpu = time.monotonic(), children_s()
    subprocess.run(xlpolicy(place, "top", "-b", "-n", str(pages), "-d", str(delay)),
                   stdout=subprocess.DEVNULL, check=True)
    took = (time.monotonic() - start - (pages - 1) * delay) * 1000 / pages
    return f"{took:.1f} ms a page; {(children_s() - cpu) * 1000 / pages:.1f} ms of CPU"


def measure(place, pid, domains, seconds):
    used, start = cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    used = (cpu_s(pid) - used) / (time.monotonic() - start)
    print(f"{domains} domains, one tick a second, {seconds:.0f} s")
    print(f"daemon: {used * 100:.2f} % of a core, nobody asking (simulator included)")
    for command in ("list", "why", "status"):
        print(f"xlpolicy {command}: {answer(place, pid, command)}")
    print(f"xlpolicy top: {page(place)}")
    print(f"daemon: {memory_mib(pid, 'VmRSS'):.1f} MiB resident, {memory_mib(pid, 'VmHWM'):.1f} at most")
    status = subprocess.run(xlpolicy(place, "--json", "status"), capture_output=True, check=True)
    done = json.loads(status.stdout)["daemon"]["done"]
    print("done meanwhile:", ", ".join(f"{k} {v}" for k, v in done.items()) or "nothing")


if __name__ == "__main__":
    main(*sys.argv[1:])
