# SPDX-License-Identifier: LGPL-2.1-only
"""A peer of the control socket, well-behaved or not.

peer.py SOCKET ask LINE...      sends each line, prints each reply
peer.py SOCKET send             sends what is on stdin, prints all that comes back
peer.py SOCKET crowd COUNT      connects COUNT times, then once more: prints what that one is told
peer.py SOCKET hold COUNT       connects COUNT times, says so, and holds on to that until killed
peer.py SOCKET stall SECONDS    asks for the state again and again, and reads none of it
"""
import signal
import socket
import sys
import time


def connect(path):
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.settimeout(20)
    peer.connect(path)
    return peer


def ask(path, *lines):
    peer = connect(path)
    replies = peer.makefile("r", encoding="utf-8")
    for line in lines:
        try:
            peer.sendall(line.encode() + b"\n")
        except BrokenPipeError:
            pass
        sys.stdout.write(replies.readline())


def send(path):
    peer = connect(path)
    try:
        peer.sendall(sys.stdin.buffer.read())
        peer.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        pass
    try:
        while data := peer.recv(65536):
            sys.stdout.buffer.write(data)
    except ConnectionResetError:
        pass


def occupy(path, count):
    ping = b'{"xlpolicy":1,"command":"ping"}\n'
    peers = [connect(path) for _ in range(int(count))]
    for peer in peers:
        peer.sendall(ping)
        assert b'"ok":true' in peer.recv(65536), "a client within the limit was not served"
    return peers


def hold(path, count):
    peers = occupy(path, count)
    print(len(peers), "held", flush=True)
    signal.pause()


def crowd(path, count):
    peers = occupy(path, count)  # connected until this returns
    late = connect(path)
    sys.stdout.write(late.makefile("r", encoding="utf-8").readline())


def stall(path, seconds):
    peer = connect(path)
    peer.setblocking(False)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        try:
            peer.send(b'{"xlpolicy":1,"command":"state"}\n')
        except BlockingIOError:
            pass
        time.sleep(0.001)


if __name__ == "__main__":
    {"ask": ask, "send": send, "crowd": crowd, "hold": hold, "stall": stall}[sys.argv[2]](
        sys.argv[1], *sys.argv[3:])
