# SPDX-License-Identifier: ISC
"""memory_of.py PID HEX [TEXT...]: how often bytes are in a process's memory.

Prints two counts: in pages that are locked, and in others.  Looked for are the
bytes of HEX, backwards and in words of 32 and 64 bits of the other order, its
text, and each TEXT.
"""
import re
import sys


def mappings(pid):
    """Start, end and whether it is locked, of those that can be read."""
    with open(f"/proc/{pid}/smaps") as f:
        here = None
        for line in f:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (.)\S+ .*?(\S*)$", line)
            if found and not re.match(r"\w+:", line):
                here = (int(found[1], 16), int(found[2], 16), found[3],
                        found[4])
            elif line.startswith("VmFlags:"):
                start, end, mode, name = here
                if mode == "r" and not name.startswith("[v"):
                    yield start, end, "lo" in line.split()


def swapped(key, size):
    return b"".join(key[i:i + size][::-1] for i in range(0, len(key), size))


def main():
    pid, digits, *texts = sys.argv[1:]
    key = bytes.fromhex(digits)
    wanted = {key, key[::-1], digits.encode(), swapped(key, 4),
              swapped(key, 8), swapped(key[::-1], 4), swapped(key[::-1], 8)}
    wanted |= {t.encode() for t in texts}
    count = [0, 0]
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for start, end, locked in mappings(pid):
            mem.seek(start)
            try:
                data = mem.read(end - start)
            except OSError:
                continue  # a guard page
            count[not locked] += sum(data.count(w) for w in wanted)
    print(*count)


main()
