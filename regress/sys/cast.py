# SPDX-License-Identifier: ISC
"""Reads a recording by the book and prints what there is in it.

cast.py WHAT FILE: "o", "i" or "r" prints the text of these events, "r" a line
each; "head NAME" the value of that member of the first line, "env.NAME" of its
environment.  Whatever is not asciicast of version 2 is an error, and so is a
line that is not complete.
"""
import json
import sys


def no(text):
    sys.exit(f"cast: {text}")


def read(path):
    with open(path, "rb") as f:
        data = f.read()
    if not data.endswith(b"\n"):
        no("the last line is cut off")
    lines = data[:-1].split(b"\n")
    return [json.loads(line.decode("utf-8")) for line in lines]


def check_head(head):
    if not isinstance(head, dict) or head["version"] != 2:
        no("not of version 2")
    for name in "width", "height", "timestamp":
        if not isinstance(head[name], int) or head[name] < 1:
            no(name)
    for value in head["env"].values():
        if not isinstance(value, str):
            no("env")


def check_event(event, before):
    time, code, text = event
    if not isinstance(time, (int, float)) or time < before:
        no(f"time {time} behind {before}")
    if code not in ("o", "i", "r") or not isinstance(text, str) or not text:
        no(f"event {event}")
    return time


def main():
    what, path = sys.argv[1], sys.argv[-1]
    head, *events = read(path)
    check_head(head)
    time = 0
    for event in events:
        time = check_event(event, time)
    if what == "head":
        value = head
        for name in sys.argv[2].split("."):
            value = value[name]
        print(value)
        return
    end = "\n" if what == "r" else ""
    for _, code, text in events:
        if code == what:
            sys.stdout.buffer.write((text + end).encode("utf-8"))


main()
