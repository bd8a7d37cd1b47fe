#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""An SFTP server that does what the file "mode" beside it says.

It has one directory with one file of a mebibyte in it; each mode is good up to
the point that it is named after.
"""
import os
import struct
import sys
import time

OPEN, READ, WRITE = 3, 5, 6
OPENDIR, READDIR, REALPATH, STAT, READLINK = 11, 12, 16, 17, 19
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
EXTENDED = 200
SIZE = 1 << 20
GAP = 2 * 131072
NAMES = {
    "slash": [b"a/b"],
    "dotdot-path": [b"../evil"],
    "absolute": [b"/tmp/skypty-evil"],
    "empty": [b""],
    "nul": [b"a\0b"],
    "long": [b"x" * 256],
    "escape": [b"e\x1b[2J/\n"],
    "dots": [b".", b".."],
}

# Answers that are given again and again: names of which nothing becomes.
def entry(name):
    return struct.pack(">I", len(name)) + name + struct.pack(">II", 0, 0)


MANY = 15000
ENDLESS = {
    "endless-dots": struct.pack(">I", MANY) + MANY * entry(b"."),
    "endless-others": struct.pack(">I", MANY) + MANY * entry(b"x"),
    "endless-nonsense": struct.pack(">I", 100) + 100 * entry(b"/"),
}

here = os.path.dirname(os.path.abspath(sys.argv[0]))
with open(os.path.join(here, "mode"), encoding="ascii") as f:
    mode = f.read().strip()
listed = 0


def string(b):
    return struct.pack(">I", len(b)) + b


def raw(b):
    while b:
        b = b[os.write(1, b):]


def say(kind, ident, content):
    raw(struct.pack(">IBI", 5 + len(content), kind, ident) + content)


def status(ident, code):
    say(STATUS, ident, struct.pack(">I", code) + string(b"so") + string(b""))


def exactly(n):
    b = b""
    while len(b) < n:
        more = os.read(0, n - len(b))
        if not more:
            sys.exit(0)
        b += more
    return b


def attrs(perm, size=SIZE):
    return struct.pack(">IQI", 1 | 4, size, perm)


def entries(names):
    out = struct.pack(">I", len(names))
    for name, perm in names:
        out += string(name) + string(b"-") + attrs(perm)
    return out


def read_dir(ident):
    global listed
    listed += 1
    if mode == "endless-tree":
        if listed % 2:
            return say(NAME, ident, entries([(b"d", 0o40755)]))
        return status(ident, 1)
    if mode == "ring":
        if listed % 2:
            return say(NAME, ident, entries([(b"good", 0o100644),
                                             (b"loop", 0o120777)]))
        return status(ident, 1)
    if mode == "endless-names":
        return say(NAME, ident, entries([(b"good%d" % (listed * 1000 + i),
                                          0o100644) for i in range(1000)]))
    if mode in ENDLESS:
        return raw(struct.pack(">IBI", 5 + len(ENDLESS[mode]), NAME, ident) +
                   ENDLESS[mode])
    if listed > 1:
        return status(ident, 4 if mode == "half-list" else 1)
    if mode == "count":
        return say(NAME, ident, struct.pack(">I", 0xFFFFFFFF) + string(b"f"))
    if mode == "no-names":
        return say(NAME, ident, struct.pack(">I", 0))
    bad = [(n, 0o100644) for n in NAMES.get(mode, [])]
    return say(NAME, ident, entries(bad + [(b"good", 0o100644)]))


def read_file(ident, at, n):
    if at >= (0 if mode == "empty-file" else SIZE) and mode != "endless":
        return status(ident, 1)
    if mode.startswith("gap") and at == GAP:
        if mode == "gap-error":
            status(ident, 4)
        return None
    if mode != "endless":
        n = min(n, SIZE - at)
    if mode == "too-much":
        n += 1
    if mode == "nothing":
        n = 0
    if mode == "short":
        n = min(n, 1000)
    say(DATA, ident, string(pattern(at, n)))
    if mode == "gap-close" and at + n == SIZE:
        time.sleep(0.3)
        sys.exit(0)
    return None


def pattern(at, n):
    first = at // 8
    text = b"".join(b"%07d\n" % i for i in range(first, (at + n) // 8 + 1))
    return text[at % 8:at % 8 + n]


def stat(ident, path):
    if b"*" in path:
        return status(ident, 2)
    if mode == "wrong-id":
        return status(ident + 1, 2)
    if mode == "far-id":
        return status(ident + 128, 2)
    if mode == "twice":
        say(ATTRS, ident, attrs(0o40755))
    if mode == "wrong-type":
        return say(HANDLE, ident, string(b"h"))
    if mode == "cut":
        raw(struct.pack(">IBI", 50, ATTRS, ident) + b"\0\0")
        sys.exit(0)
    if mode == "short-packet":
        return raw(struct.pack(">IBI", 7, ATTRS, ident) + b"\0\0")
    if mode == "huge-packet":
        return raw(b"\x7f\xff\xff\xff")
    if mode == "no-packet":
        return raw(b"\0\0\0\0")
    if mode in ("huge-size", "empty-file"):
        return say(ATTRS, ident, attrs(0o100644, (1 << 64) - 1))
    return say(ATTRS, ident, attrs(
        0o40755 if path.endswith((b"dir", b"loop")) else 0o100644))


def serve():
    (n,) = struct.unpack(">I", exactly(4))
    packet = exactly(n)
    kind = packet[0]
    (ident,) = struct.unpack(">I", packet[1:5])
    body = packet[5:]
    (size,) = struct.unpack(">I", body[:4])
    text, rest = body[4:4 + size], body[4 + size:]
    if kind == STAT:
        stat(ident, text)
    elif kind == REALPATH:
        say(NAME, ident, entries([(b"/" + text.lstrip(b"/"), 0)]))
    elif kind == EXTENDED:
        # Where a home is: what was asked for, somewhere else.
        say(NAME, ident, entries([(b"/evil/dir", 0)]))
    elif kind == READLINK and text.endswith(b"loop"):
        say(NAME, ident, entries([(b"../dir/.", 0)]))
    elif kind == READLINK:
        status(ident, 4)
    elif kind in (OPEN, OPENDIR):
        handle = b"h" * 257 if mode == "handle" else b"h"
        say(HANDLE, ident, string(handle))
    elif kind == READDIR:
        read_dir(ident)
    elif kind == READ:
        read_file(ident, *struct.unpack(">QI", rest))
    elif kind == WRITE and mode == "full":
        (at,) = struct.unpack(">Q", rest[:8])
        status(ident, 4 if at >= GAP else 0)
    else:
        status(ident, 0)


if mode == "version":
    raw(struct.pack(">IBI", 5, 2, 6))
elif mode == "shell":
    raw(b"Welcome to this host!\n")
else:
    raw(struct.pack(">IBI", 5, 2, 3))
exactly(9)
while True:
    serve()
