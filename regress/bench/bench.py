#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Ratios of skypty against OpenSSH and the bare kernel pty, in one run.

Both daemons run on loopback for the current user (root for a fair sshd), with
private configurations.  run.sh gives that user a lean shell, so that neither side is
charged for what root's own reads when it starts.  Each figure is the median of interleaved runs; only
ratios are worth quoting.
"""

import contextlib
import json
import os
import pty
import pwd
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import tty

BIN = os.path.abspath(os.environ.get("BIN", "."))
RUNS = int(os.environ.get("BENCH_RUNS", "15"))
BULK = int(os.environ.get("BENCH_BULK_MB", "256")) << 20
KEYS = int(os.environ.get("BENCH_KEYS", "9"))
ECHOES = int(os.environ.get("BENCH_ECHOES", "2000"))
SHELL = "/bin/sh"  # on both sides
PAM_SERVICE = "/etc/pam.d/skypty"  # contrib/pam/skypty
SESSIONS = int(os.environ.get("BENCH_SESSIONS", "20"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port):
    for _ in range(200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("bench: nobody listens on port %d" % port)


def run(cmd, **kw):
    return subprocess.run(cmd, check=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, **kw)


def seconds(cmd, text=None):
    start = time.monotonic()
    subprocess.run(cmd, check=True, input=text, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL,
                   stdin=None if text else subprocess.DEVNULL)
    return time.monotonic() - start


def write_table(conf, path, lines, pk):
    """Keys of nobody, with options every other line, and ours."""
    with open(path, "w") as f:
        for i in range(lines - 1):
            f.write("%s02%s user-%d@example\n" % (
                'restrict,pty,from="192.0.2.0/24,dmsg" ' if i % 2 else "",
                os.urandom(32).hex(), i))
        f.write(pk + " bench\n")
    os.chmod(path, 0o600)
    set_value(conf, "authorized_pks", path)


def set_value(conf, name, value):
    with open(conf) as f:
        text = f.read()
    with open(conf, "w") as f:
        f.write(text.replace("{", '{\n    "%s": %s,' %
                             (name, json.dumps(value)), 1))


def end(proc):
    """The second signal is for connections that are still there."""
    proc.terminate()
    try:
        proc.wait(2)
    except subprocess.TimeoutExpired:
        proc.terminate()
        proc.wait(5)


class Skypty:
    """A host, and who is let in: by --allow, or by the last line of a table."""

    def __init__(self, folder, lines=0, pam=None):
        self.port = free_port()
        conf = os.path.join(folder, "host.json")
        self.identity = os.path.join(folder, "identity")
        run([BIN + "/skyptyd", "confgen", conf])
        pk = subprocess.check_output(
            [BIN + "/skypty", "keygen", self.identity], text=True).split()[-1]
        who = ["--allow", pk] if lines == 0 else []
        if lines:
            write_table(conf, os.path.join(folder, "pks"), lines, pk)
        if pam is not None:
            set_value(conf, "pam", pam)
        host = re.search(r'"pk": "([0-9a-f]+)"', open(conf).read()).group(1)
        self.dest = "%s@127.0.0.1:%d" % (host, self.port)
        self.proc = subprocess.Popen(
            [BIN + "/skyptyd", "tcp", "-c", conf, "--addr",
             "127.0.0.1:%d" % self.port, "--cliaddr",
             os.path.join(folder, "pty.sock")] + who,
            stderr=subprocess.DEVNULL)
        self.procs = [self.proc]
        wait_port(self.port)

    def start_agent(self, folder):
        """With the same key; a file names it by its public half."""
        self.auth = os.path.join(folder, "agent.sock")
        env = dict(os.environ, SKYPTY_AUTH_SOCK=self.auth)
        agent = subprocess.Popen(
            [BIN + "/skypty", "agent", "-D", "-a", self.auth],
            stdout=subprocess.PIPE)
        self.procs.append(agent)
        agent.stdout.readline()
        run([BIN + "/skypty", "add", self.identity], env=env)
        with open(self.identity + ".pub", "w") as f:
            f.write(subprocess.check_output(
                [BIN + "/skypty", "add", "-L"], env=env, text=True))

    def close(self):
        for p in self.procs:
            end(p)

    def exec_by_agent(self, *cmd):
        return ["env", "SKYPTY_AUTH_SOCK=" + self.auth, BIN + "/skypty",
                "exec", "-i", self.identity + ".pub", "tcp://" + self.dest,
                "--"] + list(cmd)

    def exec(self, *cmd):
        return [BIN + "/skypty", "exec", "-i", self.identity,
                "tcp://" + self.dest, "--"] + list(cmd)

    def shared(self, *cmd):
        path = os.path.join(os.path.dirname(self.identity), "hub")
        return [BIN + "/skypty", "exec", "-M", "--control-persist", "yes",
                "-S", path, "-i", self.identity, "tcp://" + self.dest,
                "--"] + list(cmd)

    def unshare(self):
        run(self.shared()[:2] + ["-O", "exit"] + self.shared()[2:-1])

    def shell(self, *flags):
        return [BIN + "/skypty", "shell", "-c", SHELL, "-i", self.identity,
                "--no-visor-key", *flags, self.dest]


def sftp_server():
    for path in ("/usr/lib/openssh/sftp-server",
                 "/usr/libexec/openssh/sftp-server"):
        if os.path.exists(path):
            return path
    return "internal-sftp"


class Ssh:
    def __init__(self, folder):
        self.port = free_port()
        key = os.path.join(folder, "ssh_key")
        hostkey = os.path.join(folder, "ssh_host_key")
        for k in (key, hostkey):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", k])
        shutil.copy(key + ".pub", os.path.join(folder, "authorized_keys"))
        conf = os.path.join(folder, "sshd_config")
        with open(conf, "w") as f:
            f.write("""ListenAddress 127.0.0.1
Port %d
HostKey %s
AuthorizedKeysFile %s/authorized_keys
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
StrictModes no
KexAlgorithms curve25519-sha256
PrintMotd no
PrintLastLog no
Subsystem sftp %s
""" % (self.port, hostkey, folder, sftp_server()))
        os.makedirs("/run/sshd", exist_ok=True)
        self.sshd = shutil.which("sshd") or "/usr/sbin/sshd"
        self.conf = conf
        self.proc = subprocess.Popen([self.sshd, "-D", "-f", conf],
                                     stderr=subprocess.DEVNULL)
        wait_port(self.port)
        self.opts = ["-F", "none", "-i", key, "-p", str(self.port),
                     "-o", "StrictHostKeyChecking=no",
                     "-o", "UserKnownHostsFile=/dev/null",
                     "-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR",
                     "-o", "KexAlgorithms=curve25519-sha256"]

    def exec(self, *cmd):
        return ["ssh"] + self.opts + ["127.0.0.1"] + list(cmd)

    def shared(self, *cmd):
        path = os.path.join(os.path.dirname(self.conf), "master")
        return ["ssh"] + self.opts + [
            "-o", "ControlMaster=auto", "-o", "ControlPersist=yes",
            "-S", path, "127.0.0.1"] + list(cmd)

    def unshare(self):
        run(["ssh", "-O", "exit"] + self.shared()[1:])

    def inetd(self, *cmd):
        proxy = "ProxyCommand=%s -i -f %s" % (self.sshd, self.conf)
        return ["ssh"] + self.opts + ["-o", proxy, "127.0.0.1"] + list(cmd)

    def close(self):
        end(self.proc)

    def shell(self):
        return ["ssh", "-tt"] + self.opts + ["127.0.0.1"]

    def shell_as_typed(self):
        """Older ones know no other way."""
        hide = "ObscureKeystrokeTiming"
        return ["ssh", "-tt", "-oIgnoreUnknown=" + hide,
                "-o%s=no" % hide] + self.opts + ["127.0.0.1"]


def median_of(commands):
    """Interleaved: every round runs each command once."""
    times = {name: [] for name in commands}
    for name in commands:
        seconds(commands[name])
    for _ in range(RUNS):
        for name, cmd in commands.items():
            times[name].append(seconds(cmd))
    return {name: statistics.median(t) for name, t in times.items()}


class Terminal:
    """A program on a pty of ours, in raw mode, its shell running cat."""

    def __init__(self, cmd):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvp(cmd[0], cmd)
        tty.setraw(self.fd)
        os.write(self.fd, b"stty raw -echo; echo READ''Y\n")
        seen = b""
        while b"READY" not in seen:
            seen += os.read(self.fd, 65536)

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def echo_time(cmd):
    """As fast as it goes: where keys leave at a cadence, without that."""
    t = Terminal(cmd)
    os.write(t.fd, b"exec cat\n")
    time.sleep(0.3)
    times = []
    for _ in range(ECHOES):
        start = time.monotonic()
        os.write(t.fd, b"x")
        while b"x" not in os.read(t.fd, 4096):
            pass
        times.append(time.monotonic() - start)
    t.close()
    return statistics.median(times)


def key_time(cmd):
    """Of a first key, behind a pause in which nothing is sent any more."""
    t = Terminal(cmd)
    os.write(t.fd, b"exec cat\n")
    times = []
    for _ in range(KEYS):
        time.sleep(2.5)
        start = time.monotonic()
        os.write(t.fd, b"x")
        while b"x" not in os.read(t.fd, 4096):
            pass
        times.append(time.monotonic() - start)
    t.close()
    return statistics.median(times)


def bulk_time(cmd):
    """Seconds from the command's start to its last byte, login excluded."""
    t = Terminal(cmd)
    os.write(t.fd, b"head -c %d /dev/zero; echo EN''D\n" % BULK)
    start = time.monotonic()
    tail = b""
    while b"END" not in tail:
        tail = tail[-8:] + os.read(t.fd, 65536)
    elapsed = time.monotonic() - start
    t.close()
    return elapsed


def pipe_bulk_time(cmd):
    """The same, the client's output going to a pipe and not to a pty."""
    p = subprocess.Popen(cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    p.stdin.write(b"stty raw -echo; echo READ''Y\n")
    p.stdin.flush()
    tail = b""
    while b"READY" not in tail:
        tail = tail[-16:] + os.read(p.stdout.fileno(), 65536)
    p.stdin.write(b"head -c %d /dev/zero; echo EN''D\n" % BULK)
    p.stdin.flush()
    start = time.monotonic()
    tail = b""
    while b"END" not in tail:
        tail = tail[-8:] + os.read(p.stdout.fileno(), 1 << 20)
    elapsed = time.monotonic() - start
    p.kill()
    p.wait()
    return elapsed


def descendants(pid):
    found, todo = set(), [pid]
    parents = {}
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = open("/proc/%s/stat" % p).read()
        except OSError:
            continue
        parents.setdefault(int(stat.rsplit(")", 1)[1].split()[1]),
                           []).append(int(p))
    while todo:
        p = todo.pop()
        found.add(p)
        todo += parents.get(p, [])
    return found


def pss(pids, ours):
    total = 0
    for p in pids:
        try:
            exe = os.readlink("/proc/%d/exe" % p)
            if re.search(ours, exe):
                total += int(re.search(r"^Pss:\s+(\d+)", open(
                    "/proc/%d/smaps_rollup" % p).read(), re.M).group(1))
        except OSError:
            pass
    return total


def idle_memory(host, ours):
    """kB for each idle shell: what SESSIONS of them add to the daemon's."""
    before = pss(descendants(host.proc.pid), ours)
    shells = [Terminal(host.shell()) for _ in range(SESSIONS)]
    time.sleep(0.5)
    after = pss(descendants(host.proc.pid), ours)
    for s in shells:
        s.close()
    time.sleep(0.5)
    return (after - before) / SESSIONS


def report(what, ratio, goal, ok):
    print("%-58s %6.3f   goal %-8s %s" %
          (what, ratio, goal, "met" if ok else "MISSED"), flush=True)


def bench_connect(sky, ssh):
    # ssh gives every command to the user's shell.
    m = median_of({"sky": sky.exec("true"), "ssh": ssh.exec("true"),
                   "shell": sky.exec(SHELL, "-c", "true"),
                   "env": ["env"] + sky.exec("true"),
                   "agent": sky.exec_by_agent("true"),
                   "inetd": ssh.inetd("true")})
    r = m["sky"] / m["ssh"]
    report("exec true: skypty / ssh", r, "<= 0.1", r <= 0.1)
    report("exec sh -c true: skypty / ssh", m["shell"] / m["ssh"], "-", True)
    report("exec true: skypty with the agent / without",
           m["agent"] / m["env"], "-", True)
    r = m["sky"] / m["inetd"]
    report("exec true: skypty / ssh over sshd -i", r, "<= 0.25", r <= 0.25)


def bench_shared(sky, ssh):
    """The first, which makes the connection, is not among them."""
    m = median_of({"sky": sky.shared("true"), "ssh": ssh.shared("true"),
                   "shell": sky.shared(SHELL, "-c", "true"),
                   "own": sky.exec("true")})
    sky.unshare()
    ssh.unshare()
    r = m["sky"] / m["ssh"]
    report("exec true, shared: skypty / ssh's ControlMaster", r, "<= 1",
           r <= 1)
    report("exec sh -c true, shared: skypty / ssh's ControlMaster",
           m["shell"] / m["ssh"], "-", True)
    report("exec true: skypty shared / by itself", m["sky"] / m["own"], "-",
           True)


def bench_tables(sky, ssh):
    """authorized_pks is read for each connection."""
    sizes = (10, 1000, 100000)
    with contextlib.ExitStack() as stack:
        commands = {"none": sky.exec("true")}
        for n in sizes:
            host = Skypty(stack.enter_context(tempfile.TemporaryDirectory()),
                          n)
            stack.callback(host.close)
            commands[n] = host.exec("true")
        m = median_of(commands)
    for n in sizes:
        report("exec true: authorized_pks of %d keys / --allow" % n,
               m[n] / m["none"], "-", True)
    print("  (%s; %.1f ms without)" % (", ".join(
        "%d: %+.1f ms" % (n, 1000 * (m[n] - m["none"])) for n in sizes),
        1000 * m["none"]))


def bench_bulk(sky, ssh):
    script = ["script", "-qfc", SHELL, "/dev/null"]
    kernel, ours, theirs = [], [], []
    for _ in range(3):
        kernel.append(pipe_bulk_time(script))
        ours.append(pipe_bulk_time(sky.shell()))
        theirs.append(pipe_bulk_time(ssh.shell()))
    k, o, t = map(statistics.median, (kernel, ours, theirs))
    report("bulk through a pty: skypty / kernel pty (script)", k / o,
           ">= 0.9", k / o >= 0.9)
    report("bulk through a pty: skypty / ssh", t / o, "-", True)


def bench_pam(sky, ssh):
    """Its modules are looked up, loaded and run for each session."""
    if not os.path.exists(PAM_SERVICE):
        print("(%s is not there: PAM is not measured)" % PAM_SERVICE)
        return
    with contextlib.ExitStack() as stack:
        commands = {}
        for pam in (True, False):
            host = Skypty(stack.enter_context(tempfile.TemporaryDirectory()),
                          pam=pam)
            stack.callback(host.close)
            commands[pam] = host.exec("true")
        m = median_of(commands)
    report("exec true: with PAM / without", m[True] / m[False], "-", True)


def bench_echo(sky, ssh):
    ours, theirs = [], []
    for _ in range(3):
        ours.append(echo_time(sky.shell("--obscure", "no")))
        theirs.append(echo_time(ssh.shell_as_typed()))
    r = statistics.median(ours) / statistics.median(theirs)
    report("one-byte echo through a pty: skypty / ssh", r, "<= 1.0", r <= 1)
    plain = key_time(sky.shell("--obscure", "no"))
    hidden = key_time(sky.shell())
    report("echo of a first key: hidden cadence / as typed", hidden / plain,
           "-", True)
    report("echo of a first key: hidden cadence / ssh",
           hidden / key_time(ssh.shell()), "-", True)


def bench_memory(sky, ssh):
    ours = idle_memory(sky, r"/skyptyd(-monitor|-net)?$")
    theirs = idle_memory(ssh, r"/sshd(-session|-auth)?$")
    r = ours / theirs
    report("memory of an idle shell (PSS): skyptyd / sshd", r, "<= 0.3",
           r <= 0.3)
    print("  (%.0f kB and %.0f kB)" % (ours, theirs))


def main():
    if os.geteuid() != 0:
        sys.exit("bench: run as root, sshd needs it")
    if pwd.getpwuid(0).pw_shell != SHELL:
        print("(root's shell is not %s: ssh is charged for its start)" % SHELL)
    with tempfile.TemporaryDirectory() as folder:
        hosts = []
        try:
            sky = Skypty(folder)
            hosts.append(sky)
            sky.start_agent(folder)
            ssh = Ssh(folder)
            hosts.append(ssh)
            for bench in (bench_connect, bench_shared, bench_tables,
                          bench_pam, bench_echo, bench_memory, bench_bulk):
                bench(sky, ssh)
        finally:
            for h in hosts:
                h.close()


if __name__ == "__main__":
    main()
