# SPDX-License-Identifier: ISC
"""Prints a TCP port of loopback that is free at the moment."""
import socket

with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
