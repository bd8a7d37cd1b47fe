#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""closed_fds.py COMMAND...: runs it with each set of its standard descriptors
closed.  While it waits for a word on descriptors 3 and 4, which are one end
each of a socket pair that nobody speaks on, or for its input's end, the closed
ones must be /dev/null.  Exits 0 if they were, each time."""
import os
import signal
import socket
import sys
import time

LIMIT = 60


def start(command, closed):
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
             for _ in range(2)]
    into, out = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        ours = [into[0], out[1], out[1]] + [p[1].fileno() for p in pairs]
        high = [os.dup(fd) for fd in ours]
        while min(high) <= 4:
            high = [os.dup(fd) for fd in high]
        for where, fd in enumerate(high):
            os.dup2(fd, where)
        os.closerange(5, 4096)
        for fd in closed:
            os.close(fd)
        os.execv(command[0], command)
    os.close(into[0])
    os.close(out[1])
    return pid, pairs, into[1], out[0]


def standard(pid):
    links = []
    for fd in range(3):
        try:
            links.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            links.append(None)
    return links


def good(pid, closed):
    links = standard(pid)
    return all(links[fd] == "/dev/null" if fd in closed else links[fd]
               for fd in range(3))


def attempt(command, closed):
    pid, pairs, into, out = start(command, closed)
    until = time.monotonic() + LIMIT
    try:
        while not good(pid, closed):
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                pid = 0
                return "it ended"
            if time.monotonic() > until:
                return str(standard(pid))
            time.sleep(0.005)
        return None
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for pair in pairs:
            pair[0].close()
            pair[1].close()
        os.close(into)
        os.close(out)


def main():
    for bits in range(8):
        closed = [fd for fd in range(3) if bits >> fd & 1]
        why = attempt(sys.argv[1:], closed)
        if why:
            sys.exit(f"{' '.join(sys.argv[1:])}: closed {closed}: {why}")


main()
