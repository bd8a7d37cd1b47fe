# SPDX-License-Identifier: ISC
"""Accepts one connection and runs a command with it.

accept_one.py FD COMMAND...: the connection is descriptor FD of the command.
Prints "port N" first and "status N" at the command's end.
"""
import os
import socket
import sys

where = int(sys.argv[1])
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print("port", listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
listener.close()
pid = os.fork()
if pid == 0:
    os.dup2(connection.fileno(), where, inheritable=True)
    if connection.fileno() != where:
        connection.close()
    os.execv(sys.argv[2], sys.argv[2:])
connection.close()
_, status = os.waitpid(pid, 0)
print("status", os.waitstatus_to_exitcode(status), flush=True)
