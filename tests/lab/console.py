# SPDX-License-Identifier: LGPL-2.1-only
"""Commands in dom0: the test's end of the second serial port. The other end is dom0/agent.sh."""

import base64
import secrets
import socket
import time

from common import LabError

# How long beyond its own limit an emulated machine may take to deliver a command's result.
GRACE_S = 60


class Console:
    """Runs one command at a time in dom0."""

    def __init__(self, connection, drive):
        """Takes the connection to the port, and the file behind the drive that dom0 writes to."""
        self.connection = connection
        self.drive = drive
        self.received = b""

    def wait_for_agent(self, timeout):
        """Waits for a booting dom0's agent; LabError with the boot script's word if it failed."""
        deadline = time.monotonic() + timeout
        while not (line := self._line(deadline)).startswith("agent "):
            pass
        if line != "agent ready":
            raise LabError(f"dom0 did not boot: {line[len('agent '):]}")

    def run(self, command, timeout):
        """Runs a shell command in dom0. Returns its exit status and its output as bytes."""
        deadline = time.monotonic() + timeout + GRACE_S
        nonce = secrets.token_hex(8)
        text = base64.b64encode(command.encode()).decode()
        self.connection.sendall(f"{nonce} {max(1, round(timeout))} {text}\n".encode())
        while not (line := self._line(deadline)).startswith(nonce + " "):
            pass
        _, status, length, way = line.split()
        if way == "drive":
            with open(self.drive, "rb") as drive:
                return int(status), drive.read(int(length))
        return int(status), self._bytes(int(length), deadline)

    def close(self):
        self.connection.close()

    def _line(self, deadline):
        while b"\n" not in self.received:
            self._receive(deadline)
        line, self.received = self.received.split(b"\n", 1)
        return line.decode(errors="replace").strip()

    def _bytes(self, count, deadline):
        while len(self.received) < count:
            self._receive(deadline)
        result, self.received = self.received[:count], self.received[count:]
        return result

    def _receive(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise LabError("dom0 does not answer")
        self.connection.settimeout(left)
        try:
            more = self.connection.recv(65536)
        except socket.timeout:
            raise LabError("dom0 does not answer") from None
        if not more:
            raise LabError("QEMU ended while dom0 was at work")
        self.received += more
