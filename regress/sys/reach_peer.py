# SPDX-License-Identifier: ISC
"""A discovery that names any address, and a port that counts who comes.

reach_peer.py ADDRESS_FILE SERVER_PK: a discovery on port 80, in which every key
is on the server SERVER_PK, whose address is the file's text.  reach_peer.py
alone is without it.  Prints "ready", then "came to A" for each connection to
port 4000.
"""
import http.server
import json
import socket
import sys
import threading


def entry(pk, **more):
    return {"version": "0.0.1", "sequence": 0, "timestamp": 0, "static": pk, **more}


class Discovery(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with open(sys.argv[1], encoding="ascii") as f:
            address = f.read().strip()
        server = entry(sys.argv[2], server={"address": address, "availableSessions": 9})
        pk = self.path.rsplit("/", 1)[1]
        answer = server
        if pk.endswith("servers"):
            answer = [server]
        elif pk != sys.argv[2]:
            answer = entry(pk, client={"delegated_servers": [sys.argv[2]]})
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def listen(port):
    s = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True,
                             backlog=64)
    return s


if len(sys.argv) > 1:
    web = http.server.ThreadingHTTPServer(("::", 80), Discovery, bind_and_activate=False)
    web.socket.close()
    web.socket = listen(80)
    threading.Thread(target=web.serve_forever, daemon=True).start()
port = listen(4000)
print("ready", flush=True)
while True:
    connection, _ = port.accept()
    print("came to", connection.getsockname()[0], flush=True)
    connection.close()
