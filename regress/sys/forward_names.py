# SPDX-License-Identifier: ISC
# forward_names.py PROGRAM UID GID FOLDER, in network and mount namespaces of
# its own: has skypty-forward look names up, by a file and by a name server on
# loopback that is slow for some, and connect meanwhile.
import array
import os
import socket
import struct
import subprocess
import sys
import threading

PROGRAM, UID, GID, FOLDER = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
OPEN = 76
SLOW = 40  # more than are looked up at once
slow = threading.Event()


def put(name, text):
    path = os.path.join(FOLDER, name.replace("/", "_"))
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o644)
    if os.path.exists(name):
        subprocess.run(["mount", "--bind", path, name], check=True)


def answer(query):
    end = 12
    labels = []
    while query[end]:
        labels.append(query[end + 1 : end + 1 + query[end]].decode())
        end += 1 + query[end]
    kind = struct.unpack(">H", query[end + 1 : end + 3])[0]
    name = ".".join(labels)
    flags, records = 0x8180, []
    if name == "mute.test":
        return None
    if name.startswith("slow"):
        slow.wait(60)
    if name.startswith("slow") or name == "dns.test":
        if kind == 1:
            records.append(socket.inet_aton("127.0.0.1"))
    elif name == "two.test":  # the first has nobody
        if kind == 1:
            records += [socket.inet_aton("127.0.0.9"), socket.inet_aton("127.0.0.1")]
    else:
        flags |= 3
    head = query[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0)
    body = b"".join(
        b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(r)) + r
        for r in records
    )
    return head + query[12 : end + 5] + body


def serve_udp(s):
    def reply(query, peer):
        said = answer(query)
        if said is not None:
            s.sendto(said, peer)

    while True:
        threading.Thread(
            target=reply, args=s.recvfrom(4096), daemon=True
        ).start()


def start():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def prepare():
        os.dup2(theirs.fileno(), 3)
        os.setgroups([])
        os.setresgid(GID, GID, GID)
        os.setresuid(UID, UID, UID)

    p = subprocess.Popen(
        [PROGRAM],
        preexec_fn=prepare,
        close_fds=False,
        stdin=subprocess.DEVNULL,
        env={},
    )
    theirs.close()
    return p, ours


def ask(number, host, port):
    name = host.encode()
    ours.send(
        struct.pack(">HHBI", OPEN, number, 0, len(name))
        + name
        + struct.pack(">H", port)
    )


def hear():
    message, control, _, _ = ours.recvmsg(4096, 256)
    if len(message) < 8:
        sys.exit("it has ended: %r, %r" % (message, forward.poll()))
    number = struct.unpack(">H", message[2:4])[0]
    for _, _, data in control:
        for fd in array.array("i", data[:4]):
            os.close(fd)
            return number, "connected"
    return number, message[8:].decode()


def expect(what, host, to, wanted):
    ask(9, host, to)
    number, got = hear()
    if number != 9 or wanted not in got:
        sys.exit("%s: %r, expected %r" % (what, got, wanted))


subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
put("/etc/resolv.conf", "nameserver 127.0.0.1\n")
put("/etc/hosts", "127.0.0.9 localhost\n127.0.0.1 file.test\n")
put("/etc/nsswitch.conf", "hosts: nowhere [!UNAVAIL=return] mymachines\n")
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 53))
threading.Thread(target=serve_udp, args=(udp,), daemon=True).start()
server = socket.create_server(("127.0.0.1", 0), backlog=128)
port = server.getsockname()[1]

forward, ours = start()
ours.settimeout(120)
expect("an address", "127.0.0.1", port, "connected")
expect("a name that is known, whatever a file says", "localhost", port, "connected")
if os.path.exists("/etc/hosts"):
    expect("a name in the file", "file.test", port, "connected")
expect("a name in DNS", "dns.test", port, "connected")
expect("the second address of a name", "two.test", port, "connected")
expect("a name of nobody", "no.test", port, "no.test: Name or service not known")
expect("a closed port", "dns.test", 1, "Connection refused")
expect("an address of a link", "fe80::1%lo", port, "a zone")

# One that is slow holds up no other.
for i in range(SLOW):
    ask(100 + i, "slow%d.test" % i, port)
expect("an address meanwhile", "127.0.0.1", port, "connected")
slow.set()
got = dict(hear() for _ in range(SLOW))
if set(got) != set(range(100, 100 + SLOW)) or set(got.values()) != {"connected"}:
    sys.exit("slow names: %r" % got)

# Nobody answers: that is told in the end, and nothing is left behind.
expect("a name server that is mute", "mute.test", port, "")
ours.close()
if forward.wait(60) != 0:
    sys.exit("it has ended with %d" % forward.returncode)
print("all looked up")
