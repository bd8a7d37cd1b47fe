#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""echo_at.py PORTS SOCKET: says what is said to it, on loopback and on SOCKET.

PORTS gets four ports when all is there: of 127.0.0.1, of ::1 (0: there is no
IPv6), one that takes nobody in, as its queue is full, and one that is closed.
"""
import os
import socket
import sys
import threading


def serve(conn):
    with conn:
        while data := conn.recv(65536):
            conn.sendall(data)


def listen(family, address):
    s = socket.socket(family)
    s.bind(address)
    s.listen(64)

    def accept():
        while True:
            threading.Thread(target=serve, args=(s.accept()[0],),
                             daemon=True).start()
    threading.Thread(target=accept).start()
    return s


def full():
    """Nobody is ever accepted, and who waits fills the queue."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(0)
    waiting = []
    for _ in range(4):
        c = socket.socket()
        c.setblocking(False)
        c.connect_ex(s.getsockname())
        waiting.append(c)
    return s, waiting


v4 = listen(socket.AF_INET, ("127.0.0.1", 0)).getsockname()[1]
try:
    v6 = listen(socket.AF_INET6, ("::1", 0)).getsockname()[1]
except OSError:
    v6 = 0
listen(socket.AF_UNIX, sys.argv[2])
queue = full()
closed = socket.socket()
closed.bind(("127.0.0.1", 0))
with open(sys.argv[1] + ".new", "w", encoding="ascii") as f:
    print(v4, v6, queue[0].getsockname()[1], closed.getsockname()[1], file=f)
os.rename(sys.argv[1] + ".new", sys.argv[1])
threading.Event().wait()
