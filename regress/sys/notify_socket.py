# SPDX-License-Identifier: ISC
"""A service manager's notification socket: notify_socket.py NAME.

Prints what is sent to it, a message a line; @NAME is an abstract socket.
"""
import socket
import sys

name = sys.argv[1]
if name.startswith("@"):
    name = "\0" + name[1:]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(name)
print("bound", flush=True)
while True:
    print(receiver.recv(4096).decode().replace("\n", " "), flush=True)
