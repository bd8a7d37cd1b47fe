# SPDX-License-Identifier: ISC
"""Passes connections on to a host and notes the frames that the client sends.

wire_sizes.py HOST-PORT NOTES: prints its own port.  A line of NOTES is a time in
seconds, the direction (">": to the host) and the size of a frame's body, as
somebody on the way sees it.
"""
import socket
import sys
import threading
import time


def passes(source, sink, direction, notes, lock):
    held = b""
    while True:
        data = source.recv(65536)
        now = time.monotonic()
        if not data:
            break
        sink.sendall(data)
        held += data
        while len(held) >= 2:
            size = int.from_bytes(held[:2], "big")
            if len(held) < 2 + size:
                break
            held = held[2 + size:]
            with lock:
                print(f"{now:.6f} {direction} {size}", file=notes, flush=True)
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    lock = threading.Lock()
    with open(sys.argv[2], "w", encoding="ascii") as notes:
        while True:
            client, _ = listener.accept()
            host = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            for s in (client, host):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for way in ((client, host, ">"), (host, client, "<")):
                threading.Thread(target=passes, args=(*way, notes, lock),
                                 daemon=True).start()


main()
