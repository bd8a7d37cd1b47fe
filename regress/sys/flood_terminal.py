# SPDX-License-Identifier: ISC
"""^C in a flood on a terminal that prints slowly: flood_terminal.py COMMAND...

The command is a client whose remote shell is sh.  Prints how many bytes still
come between ^C and the prompt.
"""
import os
import pty
import select
import sys
import time

RATE = 500_000  # bytes in a second
BEFORE = 1_500_000  # printed when ^C is typed

pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])


def read():
    if not select.select([fd], [], [], 60)[0]:
        sys.exit("flood_terminal: nothing comes")
    try:
        return os.read(fd, 4096)
    except OSError:
        sys.exit("flood_terminal: the command has ended")


def wait_for(text):
    got = b""
    while text not in got:
        got = got[-4096:] + read()


def slowly(done):
    n, got, begun = 0, b"", time.monotonic()
    while not done(n, got):
        data = read()
        n += len(data)
        got = got[-64:] + data
        ahead = n / RATE - (time.monotonic() - begun)
        if ahead > 0:
            time.sleep(ahead)
    return n


os.write(fd, b"PS1='rea''dy> '\r")
wait_for(b"ready> ")
os.write(fd, b"yes abcdefghijklmnopqrstuvwxyz\r")
slowly(lambda n, got: n >= BEFORE)
os.write(fd, b"\x03")
print(slowly(lambda n, got: b"ready> " in got))
os.write(fd, b"exit\r")
