# SPDX-License-Identifier: LGPL-2.1-only
"""A person's terminal on dom0's console; or, without a terminal, commands from standard input."""

import os
import select
import sys
import termios
import tty

ESCAPE = b"\x1d"  # ^]


def attach(host):
    """Joins this terminal and dom0's console until ^] is pressed, or runs the lines of stdin."""
    if sys.stdin.isatty():
        _join(host)
        return
    for line in sys.stdin:
        status, output = host.sh(line)
        sys.stdout.write(output)
        if status:
            print(f"[exit status {status}]")
        sys.stdout.flush()


def _join(host):
    print("This is dom0's console; press Ctrl-] to leave, which ends the machine.")
    keyboard, screen = sys.stdin.fileno(), sys.stdout.fileno()
    before = termios.tcgetattr(keyboard)
    with host.machine.connect("console.sock") as console:
        try:
            tty.setraw(keyboard)
            console.sendall(b"\n")
            while True:
                ready, _, _ = select.select([keyboard, console], [], [])
                if console in ready:
                    shown = console.recv(4096)
                    if not shown:
                        break
                    os.write(screen, shown)
                if keyboard in ready:
                    typed = os.read(keyboard, 256)
                    if not typed or ESCAPE in typed:
                        break
                    console.sendall(typed)
        finally:
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
            print()
