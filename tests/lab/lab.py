#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only
"""The laboratory: a real Xen host, emulated by QEMU, for tests and for people.

In a test:

    import lab

    with lab.state("eight", files=lab.project_files()) as host:
        host.guests["vm1"].burn(50)
        print(host.cpu_usage(seconds=5))

For people: python3 tests/lab/lab.py --help, and README.md beside this file.
"""

import argparse
import os
import shutil
import signal
import sys
import time

from common import BUILD, LabError, program
from profiles import PROFILES, Guest
from machine import sweep
from states import AGENT, STATES, boot, state
import terminal

__all__ = ["Guest", "LabError", "PROFILES", "boot", "end_orderly", "project_files", "state",
           "sweep"]


def project_files():
    """What a test of the daemon brings into dom0, for state(files=...)."""
    return {"/usr/sbin/xlpolicyd": program("xlpolicyd"), "/usr/bin/xlpolicy": program("xlpolicy")}


def end_orderly():
    """Makes a request to end, as ^C does already, leave through every `with`: QEMU ends too."""
    def leave(number, _):
        print(f"lab: ended by {signal.Signals(number).name}", file=sys.stderr)
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def main():
    end_orderly()
    options = _parse_arguments()
    try:
        return options.function(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
    return 1


def _parse_arguments():
    parser = argparse.ArgumentParser(prog="lab.py", description="A real Xen host under emulation.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    host = argparse.ArgumentParser(add_help=False)
    host.add_argument("-p", "--profile", default="eight", choices=PROFILES,
                      help="which machine, see status (default: eight)")
    host.add_argument("--agent", default=AGENT, metavar="FILE",
                      help="the guest agent to run (default: build/xlpolicy-guest-agent)")
    live = argparse.ArgumentParser(add_help=False, parents=[host])
    live.add_argument("--fresh", action="store_true", help="boot, do not use a saved state")
    live.add_argument("--dom0-alone", action="store_true", help="keep the guests off pCPU 0")
    live.add_argument("--put", action="append", default=[], metavar="FILE:PATH",
                      help="copy a file into dom0; may be given again")

    command = commands.add_parser("status", help="what can be booted, and what is saved")
    command.set_defaults(function=_status)
    command = commands.add_parser("boot", parents=[host], help="fetch, build, boot and save")
    command.set_defaults(function=_boot)
    command = commands.add_parser("run", parents=[live], help="run a shell command in dom0")
    command.add_argument("--timeout", type=int, default=600, metavar="S")
    command.add_argument("command", nargs="+")
    command.set_defaults(function=_run)
    command = commands.add_parser("shell", parents=[live], help="a shell in dom0, on its console")
    command.set_defaults(function=_shell)
    command = commands.add_parser("clean", help="remove saved states and images, keep downloads")
    command.set_defaults(function=_clean)
    return parser.parse_args()


def _status(_):
    for profile in PROFILES.values():
        print(f"{profile.name:12} {_saved(profile.name):24} {profile.about}")
    return 0


def _boot(options):
    began = time.monotonic()
    with state(options.profile, agent=options.agent) as host:
        ready = time.monotonic() - began
        print(host.run("xl list"), end="")
        print(f"ready after {ready:.1f} s")
    return 0


def _run(options):
    with _live(options) as host:
        status, output = host.sh(" ".join(options.command), options.timeout)
    sys.stdout.write(output)
    return status


def _shell(options):
    with _live(options) as host:
        terminal.attach(host)
    return 0


def _clean(_):
    for name in ("states", "images", "logs"):
        shutil.rmtree(os.path.join(BUILD, name), ignore_errors=True)
    return 0


def _live(options):
    """The host that the options ask for, with the project's programs if they are built."""
    start = boot if options.fresh else state
    return start(options.profile, files=_files(options), dom0_alone=options.dom0_alone,
                 agent=options.agent)


def _files(options):
    try:
        files = project_files()
    except LabError:
        files = {}
    for pair in options.put:
        source, colon, path = pair.partition(":")
        if not colon or not path.startswith("/"):
            raise LabError(f"--put wants FILE:PATH with a path from the root, not {pair}")
        files[path] = source
    return files


def _saved(profile_name):
    names = os.listdir(STATES) if os.path.isdir(STATES) else []
    for name in names:
        if name.rsplit("-", 1)[0] == profile_name and "." not in name:
            saved = os.stat(os.path.join(STATES, name))
            minutes = (time.time() - saved.st_mtime) / 60
            return f"saved {minutes:.0f} min ago, {saved.st_size >> 20} MiB"
    return "not saved"


if __name__ == "__main__":
    sys.exit(main())
