# SPDX-License-Identifier: ISC
"""A flood of connections to 127.0.0.1 until it is ended, or for ten minutes.

flood.py PORT RATE SOURCE HEX

SOURCE is an address, or "any": each connection comes from another one, but
never from 127.0.0.0/16.  HEX is what is said, which may be nothing.  RATE is
connections a second.  Prints how many there are, a line for each hundred.
"""

import os
import random
import socket
import sys
import time

port, rate = int(sys.argv[1]), float(sys.argv[2])
source, said = sys.argv[3], bytes.fromhex(sys.argv[4])
HELD = 700


def connect():
    s = socket.socket()
    s.setblocking(False)
    addr = source
    if source == "any":
        addr = ".".join(
            ["127"] + [str(random.randint(1, 254)) for _ in range(3)])
    s.bind((addr, 0))
    try:
        s.connect(("127.0.0.1", port))
    except BlockingIOError:
        pass
    return s


held, fresh, made = [], [], 0
begin = time.monotonic()
while time.monotonic() - begin < 600:
    due = int((time.monotonic() - begin) * rate) - made
    for s in fresh:
        try:
            s.send(said)
        except OSError:
            pass
    held += fresh
    fresh = []
    for _ in range(min(due, 50)):
        fresh.append(connect())
        made += 1
        if made % 100 == 0:
            print(made, flush=True)
    while len(held) > HELD:
        held.pop(0).close()
    time.sleep(0.005)
os._exit(0)
