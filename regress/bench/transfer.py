#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Ratios of moving bytes and files: skypty against OpenSSH with aes128-gcm.

Everything runs on loopback between the same two daemons as in bench.py; each
figure is the median of interleaved runs.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import bench

RUNS = int(os.environ.get("BENCH_TRANSFER_RUNS", "3"))
STREAM = int(os.environ.get("BENCH_STREAM_MB", "1024")) << 20
FILE = int(os.environ.get("BENCH_FILE_MB", "512")) << 20
SMALL = int(os.environ.get("BENCH_SMALL_FILES", "2000"))
CIPHER = ["-o", "Ciphers=aes128-gcm@openssh.com"]


def timed(func):
    start = time.monotonic()
    func()
    return time.monotonic() - start


def interleaved(**runs):
    """Medians; each run is a function, or a pair: prepare and run."""
    times = {name: [] for name in runs}
    for _ in range(RUNS):
        for name, r in runs.items():
            prepare, func = r if isinstance(r, tuple) else (None, r)
            if prepare:
                prepare()
            times[name].append(timed(func))
    return {name: statistics.median(t) for name, t in times.items()}


def call(cmd, **kw):
    kw.setdefault("stdin", subprocess.DEVNULL)
    kw.setdefault("stdout", subprocess.DEVNULL)
    subprocess.run(cmd, check=True, stderr=subprocess.DEVNULL, **kw)


def shell(text):
    call(["sh", "-c", text])


def words(cmd):
    return " ".join("'%s'" % w for w in cmd)


class Transfer:
    def __init__(self, sky, ssh, folder):
        self.sky, self.ssh, self.folder = sky, ssh, folder
        self.host = sky.dest.rsplit(":", 1)[0]
        self.big = os.path.join(folder, "big")
        with open(self.big, "wb") as f:
            for _ in range(FILE >> 20):
                f.write(os.urandom(1 << 20))
        self.tree = os.path.join(folder, "tree")
        os.mkdir(self.tree)
        for i in range(SMALL):
            with open(os.path.join(self.tree, "f%04d" % i), "wb") as f:
                f.write(os.urandom(4096))
        self.out = os.path.join(folder, "out")

    def path(self, name):
        return os.path.join(self.folder, name)

    def clean(self):
        shutil.rmtree(self.out, ignore_errors=True)
        if os.path.exists(self.out):
            os.unlink(self.out)

    def ssh_exec(self, text):
        return words(["ssh"] + CIPHER + self.ssh.opts + ["127.0.0.1", text])

    def cp(self, *args):
        return [bench.BIN + "/skypty", "cp", "-q", "-i", self.sky.identity,
                "--port", str(self.sky.port)] + list(args)

    def sftp(self, batch):
        opts = [o if o != "-p" else "-P" for o in self.ssh.opts]
        return "echo '%s' | " % batch + words(
            ["sftp", "-q", "-b", "-"] + CIPHER + opts + ["127.0.0.1"])

    def streams(self):
        head = "head -c %d /dev/zero" % STREAM
        m = interleaved(
            sky=lambda: call(self.sky.exec("sh", "-c", head)),
            ssh=lambda: shell(self.ssh_exec(head)))
        r = m["ssh"] / m["sky"]
        bench.report("exec output, throughput: skypty / ssh", r, ">= 1.0",
                     r >= 1)
        m = interleaved(
            sky=lambda: shell("%s | %s" % (head, words(self.sky.exec(
                "sh", "-c", "cat >/dev/null")))),
            ssh=lambda: shell("%s | %s" % (head, self.ssh_exec(
                "cat >/dev/null"))))
        r = m["ssh"] / m["sky"]
        bench.report("exec input, throughput: skypty / ssh", r, ">= 1.0",
                     r >= 1)

    def files(self):
        remote = "%s:%s" % (self.host, self.big)
        m = interleaved(
            sky=(self.clean, lambda: call(self.cp(remote, self.out))),
            ssh=(self.clean, lambda: shell(self.sftp(
                "get %s %s" % (self.big, self.out)))))
        r = m["ssh"] / m["sky"]
        bench.report("get of a large file, throughput: skypty cp / sftp", r,
                     ">= 1.0", r >= 1)
        m = interleaved(
            sky=(self.clean, lambda: call(self.cp(
                self.big, "%s:%s" % (self.host, self.out)))),
            ssh=(self.clean, lambda: shell(self.sftp(
                "put %s %s" % (self.big, self.out)))))
        r = m["ssh"] / m["sky"]
        bench.report("put of a large file, throughput: skypty cp / sftp", r,
                     ">= 1.0", r >= 1)

    def trees(self):
        tar = "mkdir %s && tar -C %s -cf - . | %s" % (
            self.out, self.tree, self.ssh_exec("tar -C %s -xf -" % self.out))
        m = interleaved(
            sky=(self.clean, lambda: call(self.cp(
                "-r", self.tree, "%s:%s" % (self.host, self.out)))),
            tar=(self.clean, lambda: shell(tar)),
            sftp=(self.clean, lambda: shell(self.sftp(
                "mkdir %s\nput -r %s/. %s" % (self.out, self.tree,
                                              self.out)))))
        r = m["sky"] / m["tar"]
        bench.report("%d files of 4 KiB, time: skypty cp -r / tar, ssh" %
                     SMALL, r, "<= 1.0", r <= 1)
        r = m["sky"] / m["sftp"]
        bench.report("%d files of 4 KiB, time: skypty cp -r / sftp put -r" %
                     SMALL, r, "-", True)

    def read_mounted(self, mount, umount):
        folder = self.path("mnt")
        os.makedirs(folder, exist_ok=True)
        call(mount(folder))
        try:
            return timed(lambda: shell("cat %s/big >/dev/null" % folder))
        finally:
            call(umount(folder))
            time.sleep(0.3)

    def mounts(self):
        if not os.path.exists("/dev/fuse") or not shutil.which("sshfs"):
            print("(no sshfs or no /dev/fuse: the mount is left out)")
            return
        times = {"sky": [], "ssh": []}
        conf = words(["ssh"] + CIPHER + self.ssh.opts).replace("'", "")
        for _ in range(RUNS):
            times["sky"].append(self.read_mounted(
                lambda d: [bench.BIN + "/skypty", "fs", "mount",
                           "--background", "-i", self.sky.identity,
                           "--remote-root", self.folder, self.sky.dest, d],
                lambda d: [bench.BIN + "/skypty", "fs", "umount", d]))
            times["ssh"].append(self.read_mounted(
                lambda d: ["sshfs", "127.0.0.1:" + self.folder, d, "-o",
                           "ssh_command=" + conf],
                lambda d: ["fusermount3", "-u", d]))
        r = statistics.median(times["ssh"]) / statistics.median(times["sky"])
        bench.report("sequential read, mounted: skypty / sshfs over ssh", r,
                     ">= 1.0", r >= 1)


def main():
    if os.geteuid() != 0:
        sys.exit("bench: run as root, sshd needs it")
    with tempfile.TemporaryDirectory() as folder:
        hosts = []
        try:
            hosts.append(bench.Skypty(folder))
            hosts.append(bench.Ssh(folder))
            t = Transfer(hosts[0], hosts[1], folder)
            t.streams()
            t.files()
            t.trees()
            t.mounts()
        finally:
            for h in hosts:
                h.proc.terminate()


if __name__ == "__main__":
    main()
