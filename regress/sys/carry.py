# SPDX-License-Identifier: ISC
"""carry.py HOST PORT: standard input and output are a connection over TCP.

As many a program that does so, it does not end with its input."""
import os
import socket
import sys
import threading

s = socket.create_connection((sys.argv[1], int(sys.argv[2])))


def up():
    while data := os.read(0, 65536):
        s.sendall(data)
    threading.Event().wait()


threading.Thread(target=up, daemon=True).start()
while data := s.recv(65536):
    while data:
        data = data[os.write(1, data):]
