# SPDX-License-Identifier: ISC
"""Accepts one connection and runs a command with it.

accept_one.py FD COMMAND...: the connection is descriptor FD of the command.
Prints "port N" first and "status N" at the command's end.  With "gone" for FD
it calls itself, and hangs up before the command comes to it as descriptor 0.
"""
import os
import socket
import struct
import sys

gone = sys.argv[1] == "gone"
where = 0 if gone else int(sys.argv[1])
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print("port", listener.getsockname()[1], flush=True)
if gone:
    caller = socket.create_connection(listener.getsockname())
connection, _ = listener.accept()
if gone:
    # A reset, after which there is no peer.
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack("ii", 1, 0))
    caller.close()
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
