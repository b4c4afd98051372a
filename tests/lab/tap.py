# SPDX-License-Identifier: LGPL-2.1-only
"""Test results in the Test Anything Protocol: one line a claim, diagnostics after it."""

import contextlib
import time

from common import LabError


def expect(condition, otherwise):
    """Fails the claim that is being checked, with what was found instead, unless it holds."""
    if not condition:
        raise AssertionError(otherwise)


class Tap:
    """Prints claims as they are settled, and counts them."""

    def __init__(self):
        self.count = self.failed = 0

    @contextlib.contextmanager
    def claim(self, text):
        """Reports the claim as kept if the block comes to its end, and as broken if it raises."""
        began = time.monotonic()
        try:
            yield
        except (AssertionError, LabError, KeyError, ValueError, OSError) as error:
            self.failed += 1
            self._line("not ok", text, began)
            self.note(f"{type(error).__name__}: {error}")
        else:
            self._line("ok", text, began)

    def note(self, text):
        """A diagnostic, which belongs to the claim above it."""
        for line in str(text).splitlines():
            print(f"# {line}", flush=True)

    def run(self, checks, wanted):
        """Runs check functions, of those named in wanted (without "check_") if any, and ends."""
        for check in checks:
            if wanted and check.__name__.removeprefix("check_") not in wanted:
                continue
            try:
                check()
            except LabError as error:
                # What the function had yet to claim is not checked, and that is a failure too.
                with self.claim(f"{check.__name__} comes to its end"):
                    raise error
        return self.end()

    def end(self):
        """Prints the plan. Returns the exit status: 0 if every claim was kept and there was one."""
        print(f"1..{self.count}", flush=True)
        if self.failed:
            self.note(f"{self.failed} of {self.count} claims do not hold")
        return 1 if self.failed or not self.count else 0

    def _line(self, verdict, text, began):
        self.count += 1
        print(f"{verdict} {self.count} - {text} # {time.monotonic() - began:.1f} s", flush=True)
