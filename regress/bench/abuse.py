#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What a refusal costs, and how a listed key gets in meanwhile.

Runs in a network of its own, where all of 127/8 is ours.  The processor time is
that of the listener, by connection offered; beside it that of a program which
does nothing but accept and close.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

BIN = os.path.abspath(os.environ.get("BIN", "."))
RATE = int(os.environ.get("BENCH_FLOOD_RATE", "1500"))
SECONDS = float(os.environ.get("BENCH_FLOOD_SECONDS", "6"))
FLOOD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sys",
                     "flood.py")
MESSAGE = "003102" + "%096d" % 7  # as long as one of a handshake, and wrong


def cpu(pid):
    """Microseconds; of a program with one thread."""
    with open("/proc/%d/schedstat" % pid) as f:
        return int(f.read().split()[0]) / 1000


class Host:
    def __init__(self, folder, **conf):
        self.identity = os.path.join(folder, "identity")
        path = os.path.join(folder, "host.json")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([BIN + "/skyptyd", "confgen", path], check=True, **quiet)
        subprocess.run([BIN + "/skypty", "keygen", self.identity], check=True,
                       stdin=subprocess.DEVNULL, **quiet)
        pk = subprocess.check_output(
            [BIN + "/skypty", "pk", "-i", self.identity], text=True,
            stderr=subprocess.DEVNULL).strip()
        with open(path) as f:
            made = json.load(f)
        self.pk = made["pk"]
        made.update(conf)
        with open(path, "w") as f:
            json.dump(made, f)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.proc = subprocess.Popen(
            [BIN + "/skyptyd", "tcp", "-c", path, "--allow", pk, "--addr",
             "127.0.0.1:%d" % self.port, "--cliaddr",
             os.path.join(folder, "sock")], stderr=subprocess.PIPE, text=True)
        for line in self.proc.stderr:
            if "Serving as" in line:
                break
        self.pid = self.proc.pid
        # Nobody reads on: what it logs is not to wait for us.
        self.log = subprocess.Popen(["cat"], stdin=self.proc.stderr,
                                    stdout=subprocess.DEVNULL)

    def login(self):
        begin = time.monotonic()
        ok = subprocess.run(
            [BIN + "/skypty", "exec", "-i", self.identity, "--no-visor-key",
             "tcp://%s@127.0.0.1:%d" % (self.pk, self.port), "--", "true"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        return time.monotonic() - begin if ok == 0 else None

    def end(self):
        self.proc.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        self.proc.send_signal(signal.SIGTERM)
        self.proc.wait()
        self.log.wait()


class Bare:
    """Accepts and closes."""

    def __init__(self):
        self.s = socket.socket()
        self.s.bind(("127.0.0.1", 0))
        self.s.listen(1024)
        self.port = self.s.getsockname()[1]
        self.pid = os.fork()
        if self.pid == 0:
            while True:
                fd, _ = self.s._accept()
                os.close(fd)
        self.s.close()

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def flooded(host, source, said, login):
    """Microseconds a connection, and the logins' times."""
    flood = subprocess.Popen(
        [sys.executable, FLOOD, str(host.port), str(RATE), source, said],
        stdout=subprocess.PIPE, text=True)
    while int(flood.stdout.readline()) < RATE:  # it has begun
        pass
    first, begin, times = cpu(host.pid), time.monotonic(), []
    while time.monotonic() - begin < SECONDS:
        if login:
            times.append(host.login())
        else:
            time.sleep(0.2)
    used, took = cpu(host.pid) - first, time.monotonic() - begin
    flood.terminate()
    made = [int(n) for n in flood.stdout.read().split()]
    flood.wait()
    n = made[-1] - RATE
    return used / n, n / took, times


def report(what, figures, bare):
    each, rate, _ = figures
    print("%-44s %5.0f us of CPU (%.1f times accept and close) at %.0f/s" %
          (what, each, each / bare, rate))


def main():
    if "--inside" not in sys.argv:
        os.execvp("unshare", ["unshare", "-n", sys.executable] + sys.argv +
                  ["--inside"])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    bare = Bare()
    floor = flooded(bare, "any", "", False)[0]
    bare.end()
    with tempfile.TemporaryDirectory() as folder:
        host = Host(folder, penalty_exempt=[],
                    penalties="handshake:1h min:0 max:1h")
        report("refused, by a penalty",
               flooded(host, "127.9.9.9", MESSAGE, False), floor)
        host.end()
    with tempfile.TemporaryDirectory() as folder:
        host = Host(folder, penalties="off")
        report("refused, its address has used up its bucket",
               flooded(host, "127.9.9.9", MESSAGE, False), floor)
        host.end()
    for what, said in (("who say nothing", ""), ("who fail", MESSAGE)):
        with tempfile.TemporaryDirectory() as folder:
            host = Host(folder, penalty_exempt=[])
            figures = flooded(host, "any", said, True)
            report("of distinct addresses " + what, figures, floor)
            times = sorted(t for t in figures[2] if t is not None)
            failed = figures[2].count(None)
            print("    login meanwhile: median %.0f ms, p99 %.0f ms, "
                  "%d of %d failed" %
                  (1000 * times[len(times) // 2],
                   1000 * times[int(len(times) * 0.99)],
                   failed, len(figures[2])))
            host.end()


if __name__ == "__main__":
    main()
