# SPDX-License-Identifier: ISC
# Tries to make a set-user-ID file by SFTP: sftp_bits.py FOLDER COMMAND...
# COMMAND is the client's end.  Says of changing a mode by name, by handle, and
# of making a file with one, whether it was done, and of an ordinary mode.
import struct
import subprocess
import sys

folder = sys.argv[1]
client = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE)
number = 0
PERMISSIONS = 4


def string(text):
    text = text if isinstance(text, bytes) else text.encode()
    return struct.pack(">I", len(text)) + text


def packet(kind, body):
    data = bytes([kind]) + body
    client.stdin.write(struct.pack(">I", len(data)) + data)
    client.stdin.flush()
    n, = struct.unpack(">I", client.stdout.read(4))
    data = client.stdout.read(n)
    return data[0], data[1:]


def ask(kind, body):
    global number
    number += 1
    kind, body = packet(kind, struct.pack(">I", number) + body)
    return kind, body[4:]


def mode(bits):
    return struct.pack(">II", PERMISSIONS, bits)


def said(kind, body):
    if kind == 102:
        return "done"
    code, = struct.unpack(">I", body[:4])
    return {0: "done", 3: "refused"}.get(code, "status %d" % code)


def handle(name, attributes):
    kind, body = ask(3, string(folder + name) + struct.pack(">I", 0x1a) +
                     attributes)
    if kind != 102:
        return said(kind, body), None
    n, = struct.unpack(">I", body[:4])
    return "done", body[4:4 + n]


packet(1, struct.pack(">I", 3))
how, file = handle("/bits", mode(0o755))
if how != "done":
    sys.exit("no file: " + how)
out = [said(*ask(9, string(folder + "/bits") + mode(0o4755))),
       said(*ask(10, string(file) + mode(0o2755))),
       handle("/made", mode(0o4755))[0],
       said(*ask(10, string(file) + mode(0o700)))]
print(" ".join(out))
client.stdin.close()
client.wait()
