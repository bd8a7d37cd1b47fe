# SPDX-License-Identifier: ISC
# connect_names.py PROGRAM UID GID FOLDER, in network and mount namespaces of
# its own: has skyptyd-connect resolve names by a file and by a name server on
# loopback, and looks at how it is confined meanwhile.
import array
import os
import socket
import struct
import subprocess
import sys
import threading

PROGRAM, UID, GID, FOLDER = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
PUBLIC, LOCAL = "0", "2"
slow = threading.Event()
asked = threading.Event()


def put(name, text):
    path = os.path.join(FOLDER, name.replace("/", "_"))
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o644)
    if os.path.exists(name):
        subprocess.run(["mount", "--bind", path, name], check=True)


def answer(query, over_tcp):
    end = 12
    labels = []
    while query[end]:
        labels.append(query[end + 1 : end + 1 + query[end]].decode())
        end += 1 + query[end]
    kind = struct.unpack(">H", query[end + 1 : end + 3])[0]
    question = query[12 : end + 5]
    name = ".".join(labels)
    flags, records = 0x8180, []
    if name == "slow.test":
        asked.set()
        slow.wait(60)
    if name == "truncated.test" and not over_tcp:
        flags |= 0x0200
    elif name in ("dns.test", "slow.test", "truncated.test"):
        if kind == 1:
            records.append(socket.inet_aton("127.0.0.1"))
    elif name == "dns6.test":
        if kind == 28:
            records.append(socket.inet_pton(socket.AF_INET6, "::1"))
    else:
        flags |= 3
    head = query[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0)
    body = b"".join(
        b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(r)) + r
        for r in records
    )
    return head + question + body


def serve_udp(s):
    def reply(query, peer):
        s.sendto(answer(query, False), peer)

    while True:
        threading.Thread(
            target=reply, args=s.recvfrom(4096), daemon=True
        ).start()


def serve_tcp(s):
    while True:
        peer, _ = s.accept()
        while True:
            head = peer.recv(2, socket.MSG_WAITALL)
            if len(head) < 2:
                break
            n = struct.unpack(">H", head)[0]
            got = answer(peer.recv(n, socket.MSG_WAITALL), True)
            peer.sendall(struct.pack(">H", len(got)) + got)
        peer.close()


def start(host, port, reach):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def prepare():
        os.dup2(theirs.fileno(), 3)
        os.setgroups([])
        os.setresgid(GID, GID, GID)
        os.setresuid(UID, UID, UID)

    p = subprocess.Popen(
        [PROGRAM, host, str(port), reach],
        preexec_fn=prepare,
        close_fds=False,
        stdin=subprocess.DEVNULL,
        env={},
    )
    theirs.close()
    return p, ours


def result(p, ours):
    message, control, _, _ = ours.recvmsg(4096, 256)
    status = p.wait()
    if status != 0 or len(message) < 8:
        sys.exit("status %d, %r" % (status, message))
    for _, _, data in control:
        for fd in array.array("i", data[:4]):
            os.close(fd)
            return "connected"
    return message[8:].decode()


def expect(what, host, port, reach, wanted):
    # The resolver gives a busy machine ten seconds.
    for _ in range(6):
        got = result(*start(host, port, reach))
        if "Temporary failure" not in got:
            break
    if wanted not in got:
        sys.exit("%s: %r, expected %r" % (what, got, wanted))


def look(p):
    with open("/proc/%d/status" % p.pid) as f:
        status = dict(line.split(":", 1) for line in f)
    with open("/proc/%d/limits" % p.pid) as f:
        limits = f.read()
    for key, wanted in (
        ("Seccomp", "2"),
        ("NoNewPrivs", "1"),
        ("CapEff", "0000000000000000"),
        ("Uid", "\t".join([str(UID)] * 4)),
        ("Groups", ""),
    ):
        if status[key].strip() != wanted:
            sys.exit("%s: %r" % (key, status[key]))
    for name in ("Max processes", "Max file size", "Max core file size"):
        if [name, "0", "0"] not in [
            [li[:26].strip()] + li[26:].split()[:2] for li in limits.splitlines()
        ]:
            sys.exit(limits)


subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
put("/etc/resolv.conf", "nameserver 127.0.0.1\n")
put("/etc/hosts", "127.0.0.1 localhost file.test\n")
put("/etc/nsswitch.conf", "hosts: nowhere [!UNAVAIL=return] mymachines\n")
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 53))
tcp = socket.create_server(("127.0.0.1", 53))
threading.Thread(target=serve_udp, args=(udp,), daemon=True).start()
threading.Thread(target=serve_tcp, args=(tcp,), daemon=True).start()
server = socket.create_server(
    ("::", 0), family=socket.AF_INET6, dualstack_ipv6=True
)
port = server.getsockname()[1]
closed = socket.socket()
closed.bind(("127.0.0.1", 0))

expect("an address", "127.0.0.1", port, LOCAL, "connected")
expect("an IPv6 address", "::1", port, LOCAL, "connected")
if os.path.exists("/etc/hosts"):
    expect("a name in the file", "file.test", port, LOCAL, "connected")
expect("a name in DNS", "dns.test", port, LOCAL, "connected")
expect("a name with AAAA", "dns6.test", port, LOCAL, "connected")
expect("an answer by TCP", "truncated.test", port, LOCAL, "connected")
expect("a name of nobody", "no.test", port, LOCAL, "Name or service not known")
expect(
    "a closed port",
    "dns.test",
    closed.getsockname()[1],
    LOCAL,
    "Connection refused",
)
expect("a name farther in", "dns.test", port, PUBLIC, "a private or local")

# A name server of a link, and an address of one.
subprocess.run(
    ["ip", "addr", "add", "fe80::1/64", "dev", "lo", "nodad"], check=True
)
put("/etc/resolv.conf", "nameserver fe80::1%lo\n")
link = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
link.bind(socket.getaddrinfo("fe80::1%lo", 53, type=socket.SOCK_DGRAM)[0][4])
threading.Thread(target=serve_udp, args=(link,), daemon=True).start()
if os.path.exists("/etc/resolv.conf"):  # else it is that of loopback
    expect("a link's name server", "dns.test", port, LOCAL, "connected")
expect("an address of a link", "fe80::1%lo", port, LOCAL, "connected")

connector, ours = start("slow.test", port, LOCAL)
asked.wait(60)
look(connector)
slow.set()
if result(connector, ours) != "connected":
    sys.exit("a slow name server")
print("all resolved")
