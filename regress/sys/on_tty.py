# SPDX-License-Identifier: ISC
"""Runs a command on a terminal of its own and plays a script with it.

on_tty.py ROWS COLS COMMAND..., the script on standard input, a step a line:

    send TEXT       types it; \\r, \\n and \\xHH as in Python
    expect TEXT     waits for it in the output that has not been looked at yet
    shows TEXT      the same, with \\x1b and the like
    exists FILE     waits for a file that is not empty
    size ROWS COLS  changes the window
    signal NAME     to the command itself
    raw, cooked     the state the terminal must be in (or come into)
    sleep SECONDS   does nothing
    stopped         waits until the command has been stopped
    end             waits for the command's end; prints its status, or minus
                    the signal's number

Exits with 0 when all steps succeeded.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

PATIENCE = 60


def set_size(fd, rows, cols):
    fcntl.ioctl(fd, termios.TIOCSWINSZ,
                struct.pack("HHHH", int(rows), int(cols), 0, 0))


class Player:
    def __init__(self, rows, cols, command):
        self.seen = b""
        self.status = None
        # Whoever owns the terminal keeps it open: its state outlives the
        # command, as a user's terminal does.
        self.master, self.slave = pty.openpty()
        set_size(self.master, rows, cols)
        # As a shell with job control does it: the session is ours, the
        # command is the foreground process group.
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        self.pid = os.fork()
        if self.pid == 0:
            self.become(command)
        self.to_foreground(self.pid)

    def to_foreground(self, pid):
        try:
            os.setpgid(pid, pid)
        except PermissionError:
            pass  # it has done so itself and gone on
        os.tcsetpgrp(self.slave, pid)

    def become(self, command):
        self.to_foreground(os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        for fd in range(3):
            os.dup2(self.slave, fd)
        os.closerange(3, 64)
        os.execvp(command[0], command)

    def read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            self.seen += os.read(self.master, 65536)

    def until(self, what, condition):
        limit = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > limit:
                sys.exit(f"on_tty: waited in vain for {what}; "
                         f"output: {self.seen!r}")
            self.read(0.02)

    def is_raw(self):
        flags = termios.tcgetattr(self.slave)[3]
        return not flags & (termios.ICANON | termios.ECHO | termios.ISIG)

    def is_cooked(self):
        flags = termios.tcgetattr(self.slave)[3]
        wanted = termios.ICANON | termios.ECHO | termios.ISIG
        return flags & wanted == wanted

    def poll(self, options):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG | options)
            if pid == 0:
                return None
            if os.WIFSTOPPED(status):
                return "stopped"
            self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def expect(self, text):
        data = text.encode()
        self.until(repr(text), lambda: data in self.seen)
        self.seen = self.seen[self.seen.index(data) + len(data):]

    def step(self, verb, rest):
        if verb == "send":
            os.write(self.master,
                     rest.encode().decode("unicode_escape").encode("latin1"))
        elif verb == "expect":
            self.expect(rest)
        elif verb == "shows":
            self.expect(rest.encode().decode("unicode_escape"))
        elif verb == "exists":
            self.until(rest, lambda: os.path.exists(rest) and
                       os.path.getsize(rest) > 0)
        elif verb == "size":
            set_size(self.master, *rest.split())
        elif verb == "signal":
            os.kill(self.pid, getattr(signal, "SIG" + rest))
        elif verb == "raw":
            self.until("raw mode", self.is_raw)
        elif verb == "cooked":
            self.until("cooked mode", self.is_cooked)
        elif verb == "sleep":
            time.sleep(float(rest))
        elif verb == "stopped":
            self.until("stop", lambda: self.poll(os.WUNTRACED) == "stopped")
        elif verb == "end":
            self.until("end", lambda: self.poll(0) is not None)
            print(self.status)
        else:
            sys.exit(f"on_tty: unknown step: {verb}")


def main():
    if os.fork() != 0:
        sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
    os.setsid()
    player = Player(sys.argv[1], sys.argv[2], sys.argv[3:])
    try:
        for line in sys.stdin:
            verb, _, rest = line.strip("\n").partition(" ")
            if verb:
                player.step(verb, rest)
    finally:
        if player.status is None:
            os.kill(player.pid, signal.SIGKILL)
            os.waitpid(player.pid, 0)


main()
