# SPDX-License-Identifier: LGPL-2.1-only
"""The session that stands in a document, held against a real host: what is typed there is typed here.

Its commands and what they print are the blocks that begin with ```console; a line "dom0# COMMAND" is
typed, those below it are what it prints. Two outputs are the same if they are so when

* every number is any number, every span of time any span, and runs of spaces are one,
* a vCPU or domain that runs just then ("r") is as good as one that waits ("-"),
* lines that are then alike count once, and may come in any order: which guest is moved where, and which
  stays, is not the same each time.
"""

import re

PROMPT = "dom0# "
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)


class Step:
    """One command of the document, and what it prints."""

    def __init__(self, command, output):
        self.command = command
        self.output = output

    def looks(self):
        """It changes nothing, and may be given again."""
        return not re.match(r"dpkg|xlpolicy (-a |--all )?(act|adopt)\b", self.command)


def blocks(document):
    """The session: a list of steps for each of the document's blocks."""
    return [_steps(block) for block in BLOCK.findall(document)]


def rewritten(document, played):
    """The document with the outputs in these blocks."""
    left = iter(played)
    return BLOCK.sub(lambda _: _block(next(left)), document)


def same(one, other):
    return _essence(one) == _essence(other)


def difference(expected, found):
    """What is not as it should be, for a person."""
    wanted, there = _essence(expected), _essence(found)
    lines = [f"missing: {line}" for line in sorted(wanted - there)]
    lines += [f"unexpected: {line}" for line in sorted(there - wanted)]
    return "\n".join(lines + ["all of it:", found])


def _steps(block):
    steps = []
    for line in block.splitlines():
        if line.startswith(PROMPT):
            steps.append(Step(line.removeprefix(PROMPT), ""))
        else:
            steps[-1].output += line + "\n"
    return steps


def _block(steps):
    text = "".join(f"{PROMPT}{step.command}\n{step.output}" for step in steps)
    return f"```console\n{text}```"


def _essence(output):
    return {_essential(line) for line in output.splitlines()}


def _essential(line):
    line = re.sub(r"\d+(\.\d+)?", "N", line)
    line = re.sub(r"N (d|h|min|s|ms|µs)\b( N (h|min|s)\b)*", "N s", line)
    line = re.sub(r"\br(?=--)", "-", line)
    return " ".join(line.split())
