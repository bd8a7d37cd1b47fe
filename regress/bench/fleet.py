#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""skypty fleet on 1,000 hosts: one skyptyd with as many addresses of
127.0.0.0/8, all on this machine, 64 at a time.

Prints the time for "true" against xargs -P64 with "skypty exec" and, where they
are installed, with ssh to an sshd on the same addresses by xargs and by clush,
in the same run; and what the client needs for a host that has its turn.
With Go, a stub of very many hosts follows that takes commands and runs none, so
that most of what is seen is ours.  Host and client share the machine, so that
only ratios are worth quoting.  HOSTS=1000 JOBS=64 MANY=10000 BIN=.
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

BIN = os.path.abspath(os.environ.get("BIN", "."))
HOSTS = int(os.environ.get("HOSTS", "1000"))
JOBS = int(os.environ.get("JOBS", "64"))
MANY = int(os.environ.get("MANY", "10000"))
QUIET = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
             stderr=subprocess.DEVNULL)


def address(i):
    return f"127.1.{i // 250}.{i % 250 + 1}"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def await_port(port):
    while True:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


def seconds(argv, **more):
    begin = time.monotonic()
    how = {**QUIET, **more}
    if "input" in how:
        del how["stdin"]
    status = subprocess.run(argv, **how).returncode
    if status != 0:
        sys.exit(f"bench: {argv[:4]}... ended with status {status}")
    return time.monotonic() - begin


def sums(pid):
    text = ""
    for name in "smaps_rollup", "status":
        with open(f"/proc/{pid}/{name}", encoding="ascii") as f:
            text += f.read()
    return dict(re.findall(r"(\w+):\s+(\d+) kB", text))


def memory(fleet, folder):
    """Of the processes of hosts while a command runs on each, in kB."""
    ran = f"{folder}/ran"
    client = subprocess.Popen(
        fleet + ["--", "sh", "-c", f"echo x >>{ran}; sleep 60"], **QUIET)
    while not os.path.exists(ran) or os.path.getsize(ran) < 2 * JOBS:
        time.sleep(0.1)
    time.sleep(1)
    kids = subprocess.run(["ps", "-o", "pid=", "--ppid", str(client.pid)],
                          stdout=subprocess.PIPE, text=True).stdout.split()
    all_of = [sums(k) for k in kids]
    own = sums(client.pid)
    client.terminate()
    client.wait()
    for name in "Pss", "Private_Dirty", "VmPTE":
        mean = sum(int(s[name]) for s in all_of) / len(all_of)
        print(f"{name:14} {mean:6.0f} kB a host in flight, "
              f"{own[name]:>6} kB the client itself")


def by_clush(ssh, took):
    """clush runs a command on many hosts by the same ssh."""
    hosts = list(map(address, range(HOSTS)))
    clush = shutil.which("clush")
    if not clush:
        print("clush          is not here")
        return
    other = seconds([clush, "-q", "-f", str(JOBS), "-o", " ".join(ssh[1:]),
                     "-w", ",".join(hosts), "true"])
    print(f"clush          {other:6.1f} s, {other / took:.2f} of fleet's")


def many(folder, started):
    """A fleet that is one process, which answers and runs nothing."""
    go = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "..", "interop")
    if not shutil.which("go"):
        print("(no Go: the stub of very many hosts is left out)")
        return
    subprocess.run(["go", "build", "-o", f"{folder}/gopeer", "./cmd/gopeer"],
                   cwd=go, check=True)
    stub = subprocess.Popen([f"{folder}/gopeer", "host", "-stub", "0.0.0.0:0"],
                            stdout=subprocess.PIPE, text=True)
    started.append(stub)
    pk, at = stub.stdout.readline().strip().split("@")
    port = at.rsplit(":", 1)[1]
    with open(f"{folder}/many", "w", encoding="ascii") as f:
        for i in range(MANY):
            f.write(f"{pk}@127.{4 + i // 62500}.{i // 250 % 250}."
                    f"{i % 250 + 1}:{port}\n")
    os.environ["XDG_STATE_HOME"] = f"{folder}/state"
    begin = time.monotonic()
    client = subprocess.Popen(
        [BIN + "/skypty", "fleet", "-i", f"{folder}/id", "--no-visor-key",
         "-j", str(JOBS), f"@{folder}/many", "--", "true"], **QUIET)
    most = 0
    while client.poll() is None:
        try:
            most = max(most, int(sums(client.pid)["Private_Dirty"]))
        except (OSError, KeyError):
            pass
        time.sleep(0.2)
    took = time.monotonic() - begin
    if client.returncode != 0:
        sys.exit(f"bench: many hosts: status {client.returncode}")
    runs = f"{folder}/state/skypty/fleet"
    journal = os.path.getsize(f"{runs}/{os.listdir(runs)[0]}")
    print(f"stub           {took:6.1f} s for {MANY} hosts, "
          f"{1000 * took / MANY:.1f} ms each; {1024 * most / MANY:.0f} bytes "
          f"of memory and {journal / MANY:.0f} of the journal")
    print(f"stub           of 100,000: {took / MANY * 1e5 / 60:.0f} minutes, "
          f"{most / MANY * 1e5 / 1024:.0f} MB, "
          f"{journal / MANY * 1e5 / 1e6:.0f} MB of the journal")


def ssh_arguments(folder, port, started):
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    if not sshd or not shutil.which("ssh"):
        return None
    for name in "host", "user":
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                        f"{folder}/{name}"], check=True, **QUIET)
    shutil.copy(f"{folder}/user.pub", f"{folder}/authorized")
    os.makedirs("/run/sshd", exist_ok=True)
    started.append(subprocess.Popen([sshd, "-D", "-f", "/dev/null", "-p", str(port),
                      "-h", f"{folder}/host", "-o", "StrictModes=no", "-o",
                      f"AuthorizedKeysFile={folder}/authorized", "-o",
                      "MaxStartups=1000", "-o", "PidFile=none"], **QUIET))
    await_port(port)
    return ["ssh", "-F", "none", "-i", f"{folder}/user", "-p", str(port),
            "-o", "StrictHostKeyChecking=no", "-o",
            "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"]


def run(folder, started):
    port = free_port()
    os.environ["XDG_STATE_HOME"] = folder
    subprocess.run([BIN + "/skyptyd", "confgen", f"{folder}/conf"], check=True,
                   **QUIET)
    subprocess.run([BIN + "/skypty", "keygen", f"{folder}/id"], check=True,
                   **QUIET)
    ask = dict(stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    us = subprocess.run([BIN + "/skypty", "pk", "-i", f"{folder}/id"],
                        **ask).stdout.strip()
    told = subprocess.run([BIN + "/skyptyd", "check", "-c", f"{folder}/conf",
                           "--cliaddr", ""], **ask).stdout
    pk = re.search(r"^identity +(\w+)", told, re.M)[1]
    started.append(subprocess.Popen(
        [BIN + "/skyptyd", "tcp", "-c", f"{folder}/conf", "--allow", us,
         "--addr", f"0.0.0.0:{port}", "--cliaddr", f"{folder}/sock"], **QUIET))
    await_port(port)
    dests = [f"{pk}@{address(i)}:{port}" for i in range(HOSTS)]
    with open(f"{folder}/hosts", "w", encoding="ascii") as f:
        f.write("\n".join(dests) + "\n")
    fleet = [BIN + "/skypty", "fleet", "-i", f"{folder}/id", "--no-visor-key",
             "-j", str(JOBS), f"@{folder}/hosts"]
    xargs = ["xargs", "-P", str(JOBS), "-I", "{}"]
    took = seconds(fleet + ["--", "true"])
    print(f"fleet          {took:6.1f} s for {HOSTS} hosts, {JOBS} at a time")
    with open(f"{folder}/hosts", encoding="ascii") as f:
        other = seconds(xargs + [BIN + "/skypty", "exec", "-i", f"{folder}/id",
                                 "--no-visor-key", "tcp://{}", "--", "true"],
                        stdin=f)
    print(f"xargs exec     {other:6.1f} s, {other / took:.2f} of fleet's")
    ssh = ssh_arguments(folder, free_port(), started)
    if ssh:
        other = seconds(xargs + ssh + ["{}", "true"],
                        input="\n".join(map(address, range(HOSTS))).encode())
        print(f"xargs ssh      {other:6.1f} s, {other / took:.2f} of fleet's")
        by_clush(ssh, took)
    else:
        print("xargs ssh      there is no ssh here")
    memory(fleet, folder)
    many(folder, started)


def main():
    started = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            run(folder, started)
        finally:
            for process in started:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    main()
