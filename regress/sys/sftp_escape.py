# SPDX-License-Identifier: ISC
# Tries to leave the folder of sftp-root by SFTP itself: sftp_escape.py SECRET
# COMMAND...  SECRET is a file outside whose content is "secret"; COMMAND is
# the client's end.  Prints what got out, or "nothing got out".
import struct
import subprocess
import sys

secret = sys.argv[1]
client = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE)
number = 0
out = []


def string(text):
    if isinstance(text, str):
        text = text.encode()
    return struct.pack(">I", len(text)) + text


def exactly(n):
    data = b""
    while len(data) < n:
        more = client.stdout.read(n - len(data))
        if not more:
            sys.exit("the server is gone")
        data += more
    return data


def packet(kind, body):
    data = bytes([kind]) + body
    client.stdin.write(struct.pack(">I", len(data)) + data)
    client.stdin.flush()
    n, = struct.unpack(">I", exactly(4))
    data = exactly(n)
    return data[0], data[1:]


def ask(kind, body):
    global number
    number += 1
    kind, body = packet(kind, struct.pack(">I", number) + body)
    return kind, body[4:]


def taken(body):
    n, = struct.unpack(">I", body[:4])
    return body[4:4 + n]


def read(path):
    kind, body = ask(3, string(path) + struct.pack(">II", 1, 0))
    if kind != 102:
        return None
    handle = taken(body)
    kind, body = ask(5, string(handle) + struct.pack(">QI", 0, 4096))
    ask(4, string(handle))
    return taken(body) if kind == 103 else b""


def names(path):
    kind, body = ask(11, string(path))
    if kind != 102:
        return None
    handle = taken(body)
    found = []
    while True:
        kind, body = ask(12, string(handle))
        if kind != 104:
            break
        n, = struct.unpack(">I", body[:4])
        body = body[4:]
        for _ in range(n):
            for part in range(2):
                text = taken(body)
                body = body[4 + len(text):]
                if part == 0:
                    found.append(text.decode())
            flags, = struct.unpack(">I", body[:4])
            body = body[4:]
            for bit, size in ((1, 8), (2, 8), (4, 4), (8, 8)):
                if flags & bit:
                    body = body[size:]
    ask(4, string(handle))
    return sorted(set(found) - {".", ".."})


def extended(name, *parts):
    return ask(200, string(name) + b"".join(string(p) for p in parts))


packet(1, struct.pack(">I", 3))
own = names("/")
if own != ["own", "tree"]:
    out.append("/ is not the folder: %s" % own)
if read("/own") != b"mine\n":
    out.append("its own file cannot be read")

ups = ["/..", "..", "/../..", "tree/../..", "../" * 20, "/." * 9 + "/.."]
for up in ups:
    if names(up) not in (["own", "tree"], None):
        out.append("%s shows %s" % (up, names(up)))
for path in [secret, "../" * 20 + secret, "/.." + secret, "/etc/passwd",
             "/proc/self/environ", "/proc/self/root" + secret,
             "/proc/1/root" + secret, "/dev/fd/0", "/dev/stdin"]:
    got = read(path)
    if got is not None:
        out.append("%s: %r" % (path, got[:40]))

# Links that lead out lead nowhere, whoever makes them.
for i, to in enumerate([secret, "../" * 20 + secret, "/proc/self/root",
                        "/", ".."]):
    link = "/tree/link%d" % i
    ask(20, string(to) + string(link))
    got = read(link)
    if got is not None and b"secret" in got:
        out.append("symlink to %s: %r" % (to, got))
    for behind in (secret, "../" * 20 + secret):
        got = read(link + "/" + behind)
        if got is not None:
            out.append("behind symlink to %s: %r" % (to, got))
for to in [secret, "../" * 20 + secret]:
    kind, body = extended("hardlink@openssh.com", to, "/tree/hard")
    if kind == 101 and body[:4] == b"\0\0\0\0":
        out.append("hard link to %s" % to)
    kind, body = extended("posix-rename@openssh.com", to, "/tree/moved")
    if kind == 101 and body[:4] == b"\0\0\0\0":
        out.append("renamed %s" % to)
    # Modes, times, owners: what Landlock would not have kept.
    kind, body = ask(9, string(to) + struct.pack(">II", 4, 0o777))
    if kind == 101 and body[:4] == b"\0\0\0\0":
        out.append("chmod of %s" % to)
    kind, body = ask(17, string(to))
    if kind == 105:
        out.append("stat of %s" % to)
print("\n".join(out) if out else "nothing got out")
client.stdin.close()
client.wait()
