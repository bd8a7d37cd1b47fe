# SPDX-License-Identifier: ISC
"""A control socket whose host is hostile.

say_status.py SOCKET FILE [refuse]: accepts whatever is asked for, or refuses
it, and answers with the bytes of the file; "-" goes on for ever.  Prints
"ready".
"""
import os
import socket
import sys

path, text = sys.argv[1:3]
answer = b"\1" if len(sys.argv) > 3 else b"\0"
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
os.chmod(path, 0o777)
listener.listen()
print("ready", flush=True)
while True:
    connection, _ = listener.accept()
    try:
        connection.recv(65536)
        connection.sendall(answer)
        if text == "-":
            while True:
                connection.sendall(b" " * 65536)
        with open(text, "rb") as f:
            connection.sendall(f.read())
    except OSError:
        pass
    connection.close()
