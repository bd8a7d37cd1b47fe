#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Measures our own C: prints a table, with -v also where each count is from.

    metrics.py [-v] [FOLDER...]

It reads KNF, not C: a function's return type stands on its own line, its name
begins the next, and "{" and "}" stand alone in the first column.
"""
import collections
import os
import re
import statistics
import sys

FOLDERS = ["common", "monitor", "daemon", "client"]
LONG, TOO_LONG = 60, 80
NAME = re.compile(r"([A-Za-z_]\w*)\(")
WORD = re.compile(r"[A-Za-z_]\w*")
TAG = re.compile(r"\b(?:struct|union)\s+(\w+)\s*\{")
MACRO = re.compile(r"[A-Z_]+\(")
HANDLER = re.compile(r"typedef [\w\s*]*?\b(\w+)\(.*\);$")
IF = re.compile(r"#\s*if")
# Comments, strings and characters; what they hold is no code.
TEXT = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\""
                  r"|'(?:\\.|[^'\\\n])*'", re.S)
Place = collections.namedtuple("Place", "path line name")
Function = collections.namedtuple("Function", "path line name static length")


def blank(found):
    """The lines of a comment or string, without what is written in it."""
    text = found[0]
    if text.startswith("/"):
        return re.sub(r"[^\n]", " ", text)
    return text[0] + re.sub(r"[^\n]", " ", text[1:-1]) + text[-1]


class Source:
    def __init__(self, path):
        self.path = path
        with open(path, encoding="utf-8") as f:
            self.text = f.read()
        self.lines = self.text.split("\n")[:-1]
        self.code = TEXT.sub(blank, self.text).split("\n")[:-1]
        self.conditionals = list(self.find_conditionals())
        for i in self.directives():
            self.code[i] = ""
        self.functions = []
        self.declarations = []  # (first line, text) outside of functions
        self.read()

    def place(self, line, name):
        return Place(self.path, line + 1, name)

    def directives(self):
        """The lines of the preprocessor, those they go on in among them."""
        goes_on = False
        for i, line in enumerate(self.code):
            if goes_on or line.lstrip().startswith("#"):
                goes_on = line.rstrip().endswith("\\")
                yield i

    def find_conditionals(self):
        """Each #if but the guard of a header."""
        for i, line in enumerate(self.code):
            if not IF.match(line.lstrip()):
                continue
            after = self.code[i + 1] if i + 1 < len(self.code) else ""
            guard = line.split()[-1]
            if not (self.path.endswith(".h") and
                    after.split()[:2] == ["#define", guard]):
                yield self.place(i, line.strip())

    def read(self):
        begin, depth, kept = None, 0, []
        i = 0
        while i < len(self.code):
            line = self.code[i]
            if depth == 0 and line == "{" and begin is not None:
                end = self.code.index("}", i)
                self.function(begin, i, end)
                begin, kept, i = None, [], end + 1
                continue
            if line.strip() and begin is None:
                begin, kept = i, []
            if begin is not None:
                kept.append(line)
            depth += line.count("{") - line.count("}")
            if depth == 0 and line.rstrip().endswith((";", "}")):
                if begin is not None:
                    self.declarations.append((begin, "\n".join(kept)))
                begin, kept = None, []
            i += 1

    def function(self, begin, brace, end):
        for i in range(begin, brace):
            found = NAME.match(self.code[i])
            if found and found[1] != "__attribute__":
                static = "static" in WORD.findall(self.code[begin])
                self.functions.append(Function(self.path, i + 1, found[1],
                                               static, end - i + 1))
                return
        print(f"{self.path}:{begin + 1}: not read", file=sys.stderr)

    def prototypes(self):
        """(line, name) of each function that a declaration announces."""
        for begin, text in self.declarations:
            flat = " ".join(text.split())
            if "{" in flat or flat.startswith("typedef"):
                continue
            found = re.match(r"[\w\s*]*?\b(\w+)\(.*\)[\w\s(),]*;$", flat)
            if found and "=" not in flat and not MACRO.match(flat):
                yield begin, text, found[1]

    def variables(self, handlers):
        """(line, text) of each variable of the file."""
        called = {begin for begin, *_ in self.prototypes()}
        for begin, text in self.declarations:
            head = re.sub(r"\{.*\}", "", " ".join(text.split()))
            head = " ".join(head.split()).split("=")[0]
            head = re.sub(r"__attribute__\(\(.*?\)\)", "", head).strip(" ;")
            words = WORD.findall(head)
            if begin in called or MACRO.match(head) or not words or \
                words[0] in ("typedef", "_Static_assert") or \
                handlers.intersection(words) or \
                re.fullmatch(r"(struct|union|enum)( \w+)?", head):
                continue
            yield begin, head

    def handlers(self):
        """The names of types that are functions."""
        for _, text in self.declarations:
            if found := HANDLER.match(" ".join(text.split())):
                yield found[1]


def sources(folders):
    for top in folders:
        for folder, below, names in os.walk(top):
            below[:] = sorted(b for b in below if b != "node_modules")
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield Source(os.path.join(folder, name))


def constant(declared):
    """Whether the variable itself cannot be written."""
    behind = declared.rsplit("*", 1)[-1]
    return "(*const " in declared or "const" in WORD.findall(behind)


def places_of(pairs):
    """From (name, Place) those of names with places in two files."""
    seen = collections.defaultdict(list)
    for name, place in pairs:
        seen[name].append(place)
    return {n: p for n, p in sorted(seen.items())
            if len({x.path for x in p}) > 1}


def measure(files):
    """Rows of (what, value, offenders)."""
    functions = [f for s in files for f in s.functions]
    lengths = sorted(f.length for f in functions)
    lines = sum(len(s.lines) for s in files)
    yield "files / lines", f"{len(files)} / {lines:,}", []
    yield ("function median / p90 / longest", "%d / %d / %d of %s" % (
        statistics.median(lengths), lengths[int(len(lengths) * 0.9)],
        lengths[-1], f"{len(functions):,}"), [])
    for limit in LONG, TOO_LONG:
        over = [f._replace(name=f"{f.name}, {f.length} lines")
                for f in functions if f.length > limit]
        yield f"functions over {limit} lines", str(len(over)), over
    yield from measure_variables(files)
    found = [p for s in files for p in s.conditionals]
    yield "#if per 1,000 lines", f"{1000 * len(found) / lines:.2f}", found
    yield from measure_names(functions)
    once = [f for s in files for f in used_once(s)]
    yield ("static functions used exactly once",
           share(once, [f for f in functions if f.static]), once)
    yield from measure_headers(files)


def share(part, whole):
    percent = round(100 * len(part) / len(whole)) if whole else 0
    return f"{percent} % ({len(part)} of {len(whole):,})"


def measure_variables(files):
    extern, mutable = [], []
    handlers = {name for s in files for name in s.handlers()}
    for s in files:
        for line, text in s.variables(handlers):
            if text.startswith("extern"):
                extern.append(s.place(line, text))
            elif not constant(text):
                mutable.append(s.place(line, text))
    yield ("extern variables / file-scope mutable",
           f"{len(extern)} / {len(mutable)}", extern + mutable)


def measure_names(functions):
    named = [f for f in functions if f.name != "main"]
    shared = [p for places in places_of((f.name, f) for f in named).values()
              for p in places]
    yield ("definitions that share their name with another file's",
           share(shared, named), shared)
    bare = [f for f in named if "_" not in f.name]
    yield "one-word function names", share(bare, named), bare


def used_once(source):
    words = collections.Counter(WORD.findall("\n".join(source.code)))
    announced = collections.Counter(n for *_, n in source.prototypes())
    for f in source.functions:
        if f.static and words[f.name] - announced[f.name] == 2:
            yield f


def measure_headers(files):
    headers = [s for s in files if s.path.endswith(".h")]
    public = [s.place(line, name) for s in headers
              for line, _, name in s.prototypes()]
    silent = [s.place(line, name) for s in headers
              for line, text, name in s.prototypes()
              if not commented(s, line, text)]
    yield "public prototypes without a comment", share(silent, public), silent
    tags = places_of((t, s.place(line, "struct " + t))
                     for s in files for line, t in tags_of(s))
    yield ("struct tags with two meanings", listed(tags),
           [p for places in tags.values() for p in places])
    names = places_of((os.path.basename(s.path), s.place(0, ""))
                      for s in files)
    yield ("file names that stand in two folders", listed(names),
           [p for places in names.values() for p in places])


def listed(places):
    return " ".join([str(len(places)), *places]) if places else "0"


def tags_of(source):
    for i, line in enumerate(source.code):
        for found in TAG.finditer(line):
            yield i, found[1]


def commented(source, line, text):
    """A comment ends above it, or above others that it stands among, or
    stands behind it."""
    behind = source.lines[line + text.count("\n")]
    if "*/" in behind:
        return True
    above = line - 1
    while above >= 0 and source.code[above].strip():
        above -= 1
    return above >= 0 and source.lines[above].rstrip().endswith("*/")


def main():
    arguments = sys.argv[1:]
    verbose = "-v" in arguments
    folders = [a for a in arguments if a != "-v"] or FOLDERS
    files = list(sources(folders))
    if not files:
        sys.exit("metrics: no C files in " + " ".join(folders))
    for what, value, offenders in measure(files):
        print(f"{what:54}{value}")
        for o in offenders if verbose else []:
            print(f"    {o.path}:{o.line}: {o.name}".rstrip(": "))


if __name__ == "__main__":
    main()
