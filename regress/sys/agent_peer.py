# SPDX-License-Identifier: ISC
"""agent_peer.py: who is at the other end of an agent's socket, and means ill.

    serve PATH WHAT     stands for an agent: silent, closes, garbage, long,
                        other, keys (more than there can be), asking (for ever)
    flood PATH          what no client sends; the agent has to serve behind it
    knock PATH          says whether it is let in
    shakes PATH PK PEER N COMMAND...
                        runs a command while so many handshakes wait
    asks PATH PK PEER   asks for more confirmations than are kept, and leaves
"""
import os
import random
import socket
import struct
import subprocess
import sys

KEYS = 5
ASKING = 9


def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(path)
    return s


ANSWERS = {
    "garbage": [b"\xff" * 300],
    "empty": [b"\x05"],
    "long": [b"\x05\x00\x01" + b"x" * 100000],
    "other": [b"\x0d" + b"k" * 64],
    "keys": [bytes([KEYS, 0, 255]) + b"\x02" * 38 * 200],
    "cut": [bytes([KEYS, 0, 2]) + b"\x02" * 33 + struct.pack(">BIB", 0, 0, 9)],
    "asking": [bytes([ASKING])] * 100,
}


def serve(path, what):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.bind(path)
    s.listen(64)
    held = []
    print("listening", flush=True)
    while True:
        c, _ = s.accept()
        if what == "closes":
            c.close()
            continue
        held.append(c)
        if what == "silent":
            continue
        c.recv(65536)
        try:
            for packet in ANSWERS[what]:
                c.send(packet)
        except OSError:
            pass


def ask(s, packet):
    try:
        s.send(packet)
        return s.recv(65536)
    except OSError:
        return b""


def flood(path):
    rng = random.Random(1)
    valid = [bytes([2]), bytes([4]) + b"\x01" * 32 + b"\x00" * 5 + b"\x00",
             bytes([6]) + b"\x02" * 33, bytes([12]) + b"\x03" * 31,
             bytes([16, 0]) + b"\x02" * 66, bytes([16, 1]) + b"\x02" * 70,
             bytes([18]) + b"\x05" * 200]
    # Each kind, cut, lengthened and changed; none of it is a good request.
    for base in valid[1:]:
        for n in range(len(base)):
            s = connect(path)
            ask(s, base[:n] or b"\x00")
            s.close()
    s = connect(path)
    for _ in range(3000):
        base = bytearray(rng.choice(valid) + rng.randbytes(rng.randrange(9)))
        base[rng.randrange(len(base))] = rng.randrange(256)
        if base[0] in (8, 12, 20):  # remove all, lock and quit are its right
            continue
        if not ask(s, bytes(base)):
            s = connect(path)
    for size in (8191, 8192, 8193, 20000, 200000):
        for kind in (1, 2, 3, 4, 18, 255):
            ask(s, bytes([kind]) * size)
    # More callers than there may be, of which none says a word.
    crowd = [connect(path) for _ in range(100)]
    # Who does not read is not waited for.
    deaf = crowd[0]
    deaf.setblocking(False)
    try:
        for _ in range(10000):
            deaf.send(bytes([2]))
    except OSError:
        pass
    for c in crowd:
        c.close()
    # A descriptor that comes along is not kept.
    s = connect(path)
    r, _ = os.pipe()
    socket.send_fds(s, [bytes([2])], [r])
    answer = s.recv(65536)
    assert answer[:1] == bytes([KEYS]), answer
    print("served")


def knock(path):
    s = connect(path)
    s.settimeout(30)
    print("in" if ask(s, bytes([2])) else "out")


def asks(path, pk, peer):
    begin = bytes([16, 0]) + bytes.fromhex(pk) + bytes.fromhex(peer)
    for _ in range(100):
        s = connect(path)
        print(ask(s, begin)[:1] == bytes([ASKING]))
        s.close()


def shakes(path, pk, peer, number, *command):
    begin = bytes([16, 0]) + bytes.fromhex(pk) + bytes.fromhex(peer)
    held = [connect(path) for _ in range(int(number))]
    assert ask(held[0], begin)[:1] == bytes([11])
    for s in held[1:]:
        ask(s, begin)
    subprocess.run(command, check=True)


{"serve": serve, "flood": flood, "knock": knock, "asks": asks,
 "shakes": shakes}[sys.argv[1]](*sys.argv[2:])
