# SPDX-License-Identifier: ISC
# reset_relay.py PORTS SEEN: listens on two ports of loopback, whose numbers it
# writes to PORTS.  Who says something to the first is cut off with a reset; for
# each who comes to the second, where nobody should, SEEN gets a line.
import os
import selectors
import socket
import struct
import sys

relay = socket.create_server(("127.0.0.1", 0))
inner = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1] + ".new", "w") as f:
    f.write("%d %d\n" % (relay.getsockname()[1], inner.getsockname()[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])

both = selectors.DefaultSelector()
both.register(relay, selectors.EVENT_READ)
both.register(inner, selectors.EVENT_READ)
while True:
    for key, _ in both.select():
        if key.fileobj is relay:
            both.register(relay.accept()[0], selectors.EVENT_READ)
            continue
        if key.fileobj is inner:
            peer, _ = inner.accept()
            with open(sys.argv[2], "a") as f:
                f.write("somebody came\n")
        else:
            peer = key.fileobj
            both.unregister(peer)
        peer.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        peer.close()
