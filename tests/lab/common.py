# SPDX-License-Identifier: LGPL-2.1-only
"""What every part of the laboratory shares: its places on disk, its error, running a tool."""

import os
import subprocess
import time

LAB = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(LAB))
BUILD = os.path.join(REPO, "build", "lab")
PROGRAMS = os.path.join(REPO, os.environ.get("XLP_BUILD") or "build")  # those under test

# depmod and friends live in sbin, which an ordinary user's PATH lacks.
ENV = dict(os.environ, LC_ALL="C", PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class LabError(Exception):
    """Something the laboratory needs is not there or did not happen. The text is for the user."""


def program(name):
    """The path of a program of the project that has been built."""
    path = os.path.join(PROGRAMS, name)
    if not os.path.exists(path):
        short = os.path.relpath(path, REPO)
        raise LabError(f"{short} is missing: run make {short}")
    return path


def tool(*argv, cwd=None, mend=None):
    """Runs a program, returns its standard output; LabError with its last words if it fails."""
    try:
        done = subprocess.run(argv, cwd=cwd, env=ENV, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is not installed: {mend or 'run make deps'}") from None
    if done.returncode != 0:
        words = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        said = words[-1] if words else f"exit status {done.returncode}"
        raise LabError(f"{argv[0]} failed: {said}" + (f" ({mend})" if mend else ""))
    return done.stdout.decode(errors="replace")


def until(claim, condition, timeout, every=0.2):
    """Polls condition() until it is true, and returns its value; LabError after timeout."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise LabError(f"{claim}: not so after {timeout:g} s")
        time.sleep(every)
