# SPDX-License-Identifier: ISC
# A browser's terminal without a browser: open_terminal.py http://HOST:PORT/
# opens one, lets a command run in it and ends it.
import base64
import os
import socket
import struct
import sys

host = sys.argv[1].split("/")[2]
name, port = host.rsplit(":", 1)
s = socket.create_connection((name, int(port)), timeout=60)
s.sendall((f"GET / HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
           "Connection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
           f"{base64.b64encode(os.urandom(16)).decode()}\r\n\r\n").encode())
typed = b"echo wor''ks; exit\n"
mask = os.urandom(4)
frame = struct.pack("!BB", 0x82, 0x80 | len(typed)) + mask + bytes(
    c ^ mask[i % 4] for i, c in enumerate(typed))
got = b""
sent = False
while b"works" not in got:
    data = s.recv(65536)
    if not data:
        sys.exit(f"no answer: {got!r}")
    got += data
    if b"\r\n" in got and b" 101 " not in got.split(b"\r\n")[0]:
        sys.exit(f"refused: {got!r}")
    if not sent and b"PTY-HOST" in got:
        s.sendall(frame)
        sent = True
