# SPDX-License-Identifier: ISC
"""Prints a TCP port of loopback that is free at the moment, out of those that
the kernel gives nobody by itself: other tests run beside this one."""
import random
import socket

while True:
    port = random.randrange(10000, 32000)
    with socket.socket() as s:
        try:
            s.bind(("", port))
        except OSError:
            continue
    print(port)
    break
