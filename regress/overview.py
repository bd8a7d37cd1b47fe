#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""overview.py [FILE]: whether what OVERVIEW says of the sources is so.

Each file it names is there.  Each function, written with (), and each table,
written with [], is defined in the file that was named last before it, or in the
one that follows behind "of" or "in".
"""
import os
import re
import sys

FILE = (r"\b(?:(?:client|common|contrib|daemon|monitor|regress)/[\w./-]*[\w/]"
        r"|sources\.mk|Makefile|PROTOCOL(?:\.\w+)?)")
TOKEN = re.compile(rf"(?P<file>{FILE})|\b(?P<name>\w+)(?P<kind>\(\)|\[\])"
                   rf"(?:\s+(?:of|in)\s+(?P<its>{FILE}))?")


def defines(path, name, kind):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if kind == "()":
        return re.search(rf"^{name}\(", text, re.M)
    return re.search(rf"\b{name}\[\w*\] = \{{", text)


def wrong(name, text):
    last = None
    for found in TOKEN.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        path = found["file"] or found["its"]
        if path and not os.path.exists(path):
            yield f"{name}:{line}: {path}: there is no such file"
            continue
        last = path or last
        if not found["name"]:
            continue
        what = found["name"] + found["kind"]
        if last is None or not os.path.isfile(last):
            yield f"{name}:{line}: {what}: in which file?"
        elif not defines(last, found["name"], found["kind"]):
            yield f"{name}:{line}: {what} is not in {last}"


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "OVERVIEW"
    with open(name, encoding="utf-8") as f:
        lines = list(wrong(name, f.read()))
    print("\n".join(lines), end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
