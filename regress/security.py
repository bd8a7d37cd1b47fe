#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""security.py [FILE]: whether the tests that docs/security.md names are there.

In a table whose last column is "Shown by" each cell of it names a test at
least, and each name in `...` is that of one.
"""
import glob
import os
import re
import sys


def tests():
    names = {os.path.basename(f).rsplit(".", 1)[0]
             for f in glob.glob("regress/sys/*.sh") +
             glob.glob("regress/unit/test_*.c") +
             glob.glob("regress/fuzz/fuzz_*.c")}
    names |= {os.path.basename(f) for f in glob.glob("regress/web/*.mjs")}
    for f in glob.glob("regress/interop/*_test.go"):
        with open(f, encoding="utf-8") as text:
            names |= set(re.findall(r"^func (Test\w+)", text.read(), re.M))
    return names


def wrong(name, lines):
    there = tests()
    shows = False
    for n, line in enumerate(lines, 1):
        if not line.startswith("|"):
            shows = False
            continue
        cell = line.rstrip().rstrip("|").rsplit("|", 1)[-1].strip()
        if cell == "Shown by":
            shows = True
        elif shows and not set(cell) <= {"-"}:
            named = re.findall(r"`([^`]+)`", cell)
            if not named:
                yield f"{name}:{n}: no test is named"
            for test in named:
                if test not in there:
                    yield f"{name}:{n}: {test}: there is no such test"


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "docs/security.md"
    with open(name, encoding="utf-8") as f:
        bad = list(wrong(name, f.read().split("\n")))
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
