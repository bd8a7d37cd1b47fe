# SPDX-License-Identifier: ISC
"""odd_host.py PORT HOW: a host that is none, on all addresses.

silent: takes connections and says nothing.  garbage: says what is no handshake.
closes: hangs up at once.  Says "listening" when it is there.
"""
import os
import socket
import sys

s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(128)
print("listening", flush=True)
kept = []
while True:
    c, _ = s.accept()
    if sys.argv[2] == "silent":
        kept.append(c)
    elif sys.argv[2] == "garbage":
        c.sendall(os.urandom(4096))
        kept.append(c)
    else:
        c.close()
