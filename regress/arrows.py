#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Who includes whom: prints each include that breaks the rule of the layout.

common/ is four libraries that know each other in one direction only; a
program's folder knows them and itself, and no other program's.  monitor/half/
is a library of the two monitors that name it.
"""
import os
import re
import sys

LIBRARIES = {
    "common/base": [],
    "common/pty": ["common/base"],
    "common/dmsg": ["common/base", "common/pty"],
    "common/privsep": ["common/base", "common/pty"],
    "monitor/half": ["common/base", "common/privsep", "common/pty"],
}
# A program with the folders that it is made of.
PROGRAMS = {
    "daemon": ["daemon"],
    "daemon/connect": ["daemon/connect"],
    "daemon/dmsg": ["daemon/dmsg"],
    "daemon/forward": ["daemon/forward"],
    "daemon/http": ["daemon/http", "daemon/http/page"],
    "daemon/keeper": ["daemon/keeper"],
    "daemon/net": ["daemon/net"],
    "daemon/record": ["daemon/record"],
    "daemon/tls": ["daemon/tls"],
    "monitor": ["monitor", "monitor/half"],
    "monitor/dmsg": ["monitor/dmsg", "monitor/half"],
    "monitor/http": ["monitor/http"],
    "client/agent": ["client/agent"],
    "client": ["client", "client/cp", "client/dmsg", "client/fleet",
               "client/forward", "client/hub", "client/sftp", "client/ssh"],
}
MADE = "places.h"  # by make: for common/base/paths.h alone
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def known():
    """What each folder may include from, itself among it."""
    rules = {f: [f] + others for f, others in LIBRARIES.items()}
    common = [f for f in LIBRARIES if f.startswith("common/")]
    for folders in PROGRAMS.values():
        for folder in folders:
            if folder not in LIBRARIES:
                rules[folder] = folders + common
    return rules


def sources():
    for top in ("client", "common", "daemon", "monitor"):
        for folder, below, names in os.walk(top):
            below[:] = [b for b in below if b != "node_modules"]
            for name in names:
                if name.endswith((".c", ".h")):
                    yield os.path.join(folder, name)


def includes(path):
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if found := INCLUDE.match(line):
                yield number, found[1]


def broken(rules):
    for path in sorted(sources()):
        folder = os.path.dirname(path)
        if folder not in rules:
            yield f"{path}: {folder}/ is of no program (regress/arrows.py)"
            continue
        for number, header in includes(path):
            if header == MADE and path == "common/base/paths.h":
                continue
            if not os.path.exists(header):
                yield f"{path}:{number}: {header}: write the whole path"
            elif os.path.dirname(header) not in rules[folder]:
                yield (f"{path}:{number}: {folder} -> "
                       f"{os.path.dirname(header)} ({header})")


def unlisted():
    """A file that no program names is built by nobody."""
    with open("sources.mk", encoding="utf-8") as f:
        listed = set(re.findall(r"\S+\.c\b", f.read()))
    found = {s for s in sources() if s.endswith(".c")}
    for path in sorted(found - listed):
        yield f"{path}: not in sources.mk"
    for path in sorted(listed - found):
        yield f"sources.mk: {path}: there is no such file"


def main():
    if len(sys.argv) > 1:
        os.chdir(sys.argv[1])
    wrong = [*broken(known()), *unlisted()]
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
