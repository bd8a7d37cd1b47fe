# SPDX-License-Identifier: ISC
"""odd_host.py PORT HOW: a host that is none.

silent: takes connections and says nothing.  garbage: says what is no handshake.
closes: hangs up at once.  full: takes none, and its queue is full, so that the
kernel does not answer.  Says "listening" when it is there.
"""
import os
import signal
import socket
import sys

s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
kept = []
if sys.argv[2] == "full":
    s.bind(("0.0.0.0", int(sys.argv[1])))
    s.listen(0)
    for _ in range(4):
        c = socket.socket()
        c.setblocking(False)
        c.connect_ex(("127.0.0.1", int(sys.argv[1])))
        kept.append(c)
    print("listening", flush=True)
    signal.pause()
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(128)
print("listening", flush=True)
while True:
    c, _ = s.accept()
    if sys.argv[2] == "silent":
        kept.append(c)
    elif sys.argv[2] == "garbage":
        c.sendall(os.urandom(4096))
        kept.append(c)
    else:
        c.close()
