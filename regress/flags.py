#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""flags.py BIN: whether all that tells of flags tells of the same ones.

What counts is the programs' own help, and for ssh's command line the list of
what is done in skypty-ssh(1).  Compared with it, both ways, are the manual
pages and the completions for bash, fish and zsh, as these shells see them.
Fails with a line for each flag that is missing somewhere or is told of and not
there.  A shell that is not installed is said to be left out.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

FLAG = re.compile(r"(?<![\w-])(--?[A-Za-z0-9][\w-]*)")
GENERIC = {"-h", "--help", "-V", "--version"}
MACRO = re.compile(r"[A-Z][a-z][a-z]?$|%[A-Z]$")
COMPLETION = "contrib/completion/"
failed = 0


def complain(place, text):
    global failed
    failed += 1
    print(f"{place}: {text}")


def run(*argv, **more):
    done = subprocess.run(argv, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, **more)
    return done.stdout


# --- what the programs say -----------------------------------------------------

def flags_of_help(text, mode=None):
    """Behind the usage; what a line keeps for one mode is of that one only."""
    flags = set()
    for line in text.partition("\n\n")[2].splitlines():
        only = re.match(r" +-.*  +(\w+): ", line)
        if not only or mode in (None, only[1]):
            flags |= set(FLAG.findall(line))
    return flags - GENERIC


def commands_of_help(text):
    return re.findall(r"^  ([a-z-]+)(?: |$)", text.split("flags of")[0], re.M)


def flags_by_command(bin):
    """By the words that stand before a flag."""
    def ask(program, *words):
        return run(os.path.join(bin, program), *words)

    daemon = ask("skyptyd", "--help")
    modes = list(dict.fromkeys(re.findall(r"^(?:usage:|      ) skyptyd (\w+)",
                                          daemon, re.M)))
    commands = commands_of_help(ask("skypty", "help"))
    if len(modes) < 7 or len(commands) < 17:
        complain("help", f"only {modes} and {commands} are there")
    ssh = done_by_ssh()
    flags = {"skypty-ssh": ssh, "skypty ssh": ssh}
    for mode in modes:
        text = ask("skyptyd", mode, "--help") if mode in (
            "http", "confgen", "authorize", "revoke", "keys", "kill",
            "status") \
            else daemon if mode != "version" else ""
        flags[f"skyptyd {mode}"] = flags_of_help(text, mode)
    for command in commands:
        words = {"fs": "fs mount", "dmsg": "dmsg status"}.get(command, command)
        if command == "host":
            flags["skypty host"] = flags["skyptyd host"]
        elif command != "ssh":
            text = ask("skypty", "help", command)
            own = text.startswith(f"usage: skypty {command} ")
            flags[f"skypty {words}"] = flags_of_help(text) if own else set()
    return flags, {"skypty": set(commands), "skyptyd": set(modes)}


# --- what the manual pages say ---------------------------------------------------

def flags_of_line(line):
    """Those of each Fl, to the next macro."""
    flags, inside = set(), False
    for word in line.split():
        if MACRO.match(word):
            inside = word == "Fl"
        elif inside and word[0] not in ",.;:()|=":
            flags.add("-" + word)
    return flags


def lines_of(page):
    """With those joined that a backslash continues."""
    with open(page, encoding="utf-8") as f:
        return f.read().replace("\\\n", " ").splitlines()


def flags_of_page(page):
    """Those that head an entry, and all of them."""
    heads, all_flags = set(), set()
    for line in lines_of(page):
        found = flags_of_line(line[1:]) if line.startswith(".") else set()
        all_flags |= found
        if line.startswith(".It"):
            heads |= found
    return heads - GENERIC, all_flags


def done_by_ssh():
    flags, inside = set(), False
    for line in lines_of("client/skypty-ssh.1"):
        inside |= line.startswith("These flags are done")
        if inside and line == ".El":
            break
        if inside and line.startswith(".It"):
            flags |= flags_of_line(line[1:])
    return flags


def compare_page(page, flags, commands):
    heads, all_flags = flags_of_page(page)
    wanted = {}
    for command in commands:
        for flag in flags[command]:
            wanted.setdefault(flag, command)
    for flag in sorted(set(wanted) - all_flags):
        complain(page, f"{flag} of '{wanted[flag]}' is missing")
    for flag in sorted(heads - set(wanted)):
        complain(page, f"{flag} is a flag of no command")


# --- what the shells offer --------------------------------------------------------

# Each prints "= WORDS" and then, a line each, what is offered behind them.
BASH = r"""
source "$1"; shift
for words; do
	echo "= $words"
	COMP_LINE=$words COMP_POINT=${#words} COMPREPLY=()
	case $words in
	skyptyd*) _skyptyd ;;
	skypty-ssh*) _skypty_ssh ;;
	*) _skypty ;;
	esac
	printf '%s\n' "${COMPREPLY[@]}"
done
"""

FISH = r"""
source $argv[1]
for words in $argv[2..-1]
	echo "= $words"
	complete -C $words
end
"""

# What it gives to the functions of zsh's own that do the rest.
ZSH = r"""
_arguments() { print -rl -- "$@" }
_describe() { print -rl -- ${(P)4} }
_values() { }
_names() { }
file=$1; shift
for line; do
	print -r -- "= $line"
	words=("${(@s: :)line}") CURRENT=$#words service=$words[1]
	source $file
done
"""

SPEC = re.compile(r"(?:\([^)]*\))?\*?(--?[A-Za-z0-9][\w-]*)[+=]?\[")


def offered_of_zsh(line):
    spec = SPEC.match(line)
    if spec:
        return spec[1]
    return None if line.startswith("-") else line.partition(":")[0]


def offers(shell, argv, lines, name, home):
    """By line."""
    where, found = None, {line: set() for line in lines}
    env = dict(os.environ, HOME=home, XDG_CONFIG_HOME=home, XDG_DATA_HOME=home)
    for line in run(*argv, name, *lines, env=env).splitlines():
        if line.startswith("= "):
            where = line[2:]
            continue
        word = offered_of_zsh(line) if shell == "zsh" else \
            re.split(r"[\t ]", line)[0]
        if where in found and word:
            found[where].add(word)
    return found


def compare_completion(shell, flags, commands, home):
    name, argv = {
        "bash": (COMPLETION + "skypty.bash",
                 ["bash", "--norc", "-c", BASH, "bash"]),
        "fish": (COMPLETION + "skypty.fish", ["fish", "-N", "-c", FISH]),
        "zsh": (COMPLETION + "_skypty", ["zsh", "-f", "-c", ZSH, "zsh"]),
    }[shell]
    lines = [f"{words} -" for words in flags] + [f"{p} " for p in commands]
    found = offers(shell, argv, lines, name, home)
    for words, wanted in flags.items():
        seen = {f for f in found[f"{words} -"] if FLAG.fullmatch(f)}
        for flag in sorted(wanted - seen):
            complain(name, f"{flag} is missing for '{words}'")
        for flag in sorted(seen - wanted - GENERIC):
            complain(name, f"{flag} is no flag of '{words}'")
    for program, wanted in commands.items():
        seen = found[f"{program} "]
        for word in sorted(wanted ^ seen):
            complain(name, f"'{program} {word}' is " +
                     ("missing" if word in wanted else "no command"))


def main():
    flags, commands = flags_by_command(sys.argv[1])
    for page, names in {
            "client/skypty.1": [c for c in flags if c.startswith("skypty ") and
                                c not in ("skypty ssh", "skypty host",
                                          "skypty fleet")],
            "client/skypty-fleet.1": ["skypty fleet"],
            "daemon/skyptyd.8": [c for c in flags if c.startswith("skyptyd ")
                                 and c != "skyptyd http"],
            "daemon/http/skyptyd-http.8": ["skyptyd http"]}.items():
        compare_page(page, flags, names)
    with tempfile.TemporaryDirectory() as home:
        for shell in ("bash", "fish", "zsh"):
            if shutil.which(shell):
                compare_completion(shell, flags, commands, home)
            else:
                print(f"lint: there is no {shell}: its completion was not "
                      "looked at")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
