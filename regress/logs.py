#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""logs.py: whether skyptyd(8) tells of the log's events and members as they
are in the source, both ways, and whether every line of level info has an event.

An event is what a struct log_fields is made with; a member's name is what is
put into one.  In the manual they are the rows of the table behind "Events"
and the list behind "Members".
"""
import glob
import re
import sys

MANUAL = "daemon/skyptyd.8"
EVENT = re.compile(r'\.event = ([^};]*)|LOG_EVENT\("([a-z-]+)"\)'
                   r'|job_describe\(\w+, \w+, ("[a-z-]+")\)'
                   r'|lists_tell\(\w+, ("[a-z-]+")')
MEMBER = re.compile(r'log_put(?:_number)?\(&?\w+, ("[a-z_]+")'
                    r'|[>.]field = ([^;]*);')
LITERAL = re.compile(r'"([a-z_-]+)"')
# What stands in every line: log_format.c.
ALWAYS = {"time", "level", "pid", "id", "address", "key", "event", "message",
          "cut"}
failed = 0


def complain(text):
    global failed
    failed += 1
    print(f"{MANUAL}: {text}")


def literals(found):
    return {w for groups in found for part in groups
            for w in (LITERAL.findall(part) or [part] if part else [])
            if re.fullmatch("[a-z_-]+", w)}


def section(lines, begin, row):
    """The rows, by each name of their first column: the last column's names."""
    told, inside = {}, False
    for line in lines:
        if line == begin:
            inside = True
        elif inside and line == ".El":
            return told
        elif inside and line.startswith(row):
            columns = line[len(row):].split(" Ta ")
            for name in columns[0].split(" , "):
                told[name] = set(columns[-1].split(", ")) - {"none"}
    complain(f"nothing behind '{begin}'")
    return told


def compare(what, told, there):
    for name in sorted(there - set(told)):
        complain(f"the {what} {name} is not told of")
    for name in sorted(set(told) - there):
        complain(f"there is no {what} {name}")


# All or some of their members are put by a function that knows no event.
BY_ANOTHER = {"ended", "left", "closed", "authorize", "revoke"}
events, members, of_event = set(), set(), {}
for path in glob.glob("monitor/**/*.c", recursive=True) + \
        glob.glob("daemon/*.c"):
    with open(path, encoding="ascii") as f:
        text = f.read()
    events |= literals(EVENT.findall(text))
    members |= literals(MEMBER.findall(text))
    for function in text.split("\n}\n"):
        for event in literals(EVENT.findall(function)):
            of_event.setdefault(event, set()).update(
                literals(MEMBER.findall(function)))
    # skyptyd http is a service of its own, without a connection's lines.
    if "log_info(" in text and not path.startswith("monitor/http/"):
        print(f"{path}: log_info(): a line of this level has an event")
        failed += 1
with open(MANUAL, encoding="ascii") as f:
    lines = f.read().split("\n")
table = section(lines, ".\\\" Events", ".It Li ")
compare("event", table, events)
for event in sorted(set(table) & events - BY_ANOTHER):
    compare(f"member of {event},", table[event], of_event[event])
for event in sorted(set(table) & BY_ANOTHER):
    compare(f"member of {event},", table[event], table[event] & members)
compare("member", section(lines, ".\\\" Members", ".It Li "), members | ALWAYS)
sys.exit(failed != 0)
