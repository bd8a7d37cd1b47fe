# SPDX-License-Identifier: ISC
"""Runs a daemon whose log is read no longer at times.

unread_log.py KIND STOP COMMAND...

KIND is pipe, socket (as of systemd's journal) or terminal; it is the command's
standard error.  What is read goes to our standard output, while there is no
file STOP.  Prints nothing of its own, and ends with the command's status.
"""
import fcntl
import os
import pty
import select
import socket
import subprocess
import sys
import time

F_SETPIPE_SZ = 1031
kind, stop, command = sys.argv[1], sys.argv[2], sys.argv[3:]
if kind == "pipe":
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, F_SETPIPE_SZ, 4096)
elif kind == "socket":
    a, b = socket.socketpair()
    b.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    ours, theirs = a.fileno(), b.fileno()
else:
    ours, theirs = pty.openpty()
daemon = subprocess.Popen(command, stderr=theirs, stdin=subprocess.DEVNULL)
os.close(theirs)
if kind == "socket":
    b.detach()
print(daemon.pid, file=sys.stderr, flush=True)
while True:
    if os.path.exists(stop):
        if daemon.poll() is not None:
            break
        time.sleep(0.05)
        continue
    if not select.select([ours], [], [], 0.1)[0]:
        continue
    try:
        data = os.read(ours, 65536)
    except OSError:  # how a terminal ends
        data = b""
    if not data:
        break
    os.write(1, data.replace(b"\r", b""))
sys.exit(daemon.wait())
