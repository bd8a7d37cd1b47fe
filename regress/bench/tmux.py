# SPDX-License-Identifier: ISC
"""A shell in tmux, measured from outside: tmux.py FILE COMMAND...

Prints, as JSON, the milliseconds from a key to its echo on the screen, the
median of many, and the seconds that FILE takes to run through.
"""
import fcntl
import json
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

KEYS = 200


def read_until(fd, text, seconds=120):
    got, end = b"", time.monotonic() + seconds
    while text not in got:
        if not select.select([fd], [], [], end - time.monotonic())[0]:
            sys.exit("tmux.py: no %r in %r" % (text, got[-200:]))
        got = got[-len(text):] + os.read(fd, 65536)


def drain(fd, quiet):
    while select.select([fd], [], [], quiet)[0]:
        os.read(fd, 65536)


def main():
    file, command = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        tmux = ["tmux", "-S", os.path.join(folder, "s"), "-f", "/dev/null"]
        pid, fd = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.environ["LC_ALL"] = "C.UTF-8"
            os.execvp("tmux", tmux + ["new-session"] + command)
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        read_until(fd, b"$ ", 10)
        os.write(fd, b"cat >/dev/null\r")
        drain(fd, 0.5)
        times = []
        for i in range(KEYS):
            key = bytes([ord("a") + i % 26])
            begun = time.monotonic()
            os.write(fd, key)
            read_until(fd, key, 5)
            times.append(time.monotonic() - begun)
            drain(fd, 0.02)
        os.write(fd, b"\x03")
        drain(fd, 0.3)
        begun = time.monotonic()
        os.write(fd, b"cat %s; printf %%s-%%s the end\r" % file.encode())
        read_until(fd, b"the-end")
        bulk = time.monotonic() - begun
        subprocess.run(tmux + ["kill-server"], check=False)
        os.waitpid(pid, 0)
    print(json.dumps({"key_ms": 1000 * statistics.median(times), "bulk_s": bulk}))


main()
