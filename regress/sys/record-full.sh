#!/bin/sh
# SPDX-License-Identifier: ISC
# A terminal that cannot be recorded is refused, and one that cannot be recorded
# any more ends; the client is told.  Commands go on.  What is recorded never
# takes all of a disk.
. regress/sys/lib.sh

own_machine "$0"
folder=/var/log/skypty

terminal() {
	# shellcheck disable=SC2046 # words
	$(as_ssh) -tt -F none "$pk@127.0.0.1" "$1" </dev/null >"$dir/seen" \
		2>"$dir/err.terminal"
}

# told TEXT: a terminal is refused, and the log says why.
told() {
	rm -f "$dir/mark"
	terminal "touch $dir/mark" && fail "a terminal was given: $1"
	has "$dir/err.terminal" "this session is to be recorded"
	has "$log" "$1"
	[ ! -e "$dir/mark" ] || fail "the command has run: $1"
	set -- "$folder"/*.cast
	[ ! -e "$1" ] || fail "a file was left"
	equal "$(on_host -- echo on 2>"$dir/err.on")" on "a command"
}

free_blocks() {
	stat -f -c %a "$folder"
}

refused() {
	wl="\"$client\"" && conf record "\"$folder\""
	start_host
	mkdir -m 777 "$folder"
	told "$folder: "
	chmod 770 "$folder"
	told "$folder: "
	chmod 700 "$folder"
	chown nobody "$folder"
	told "$folder: "
	rmdir "$folder"
	ln -s /nowhere "$folder"
	told "$folder: "
	rm "$folder"
	echo >"$folder"
	told "$folder: "
	rm "$folder"
	mkdir "$dir/mine"
	chmod 777 "$dir/mine"
	ln -s "$dir/mine" "$folder"
	told "$folder: others may write to it (mode 0777)"
	rm "$folder"
	chmod 700 "$dir/mine"

	# Without the program, and with one that says nothing.
	mv "$bin/skypty-record" "$bin/elsewhere"
	told "skypty-record: "
	ln -s /bin/true "$bin/skypty-record"
	told "skypty-record did not start"
	rm "$bin/skypty-record"
	mv "$bin/elsewhere" "$bin/skypty-record"

	# A command that cannot be started leaves nothing to be kept.
	terminal /nonexistent/program && fail "it was started"
	# The account's shell says that; a program of its own is not found.
	rm -f "$folder"/*
	run skypty shell -c /nonexistent/program -i "$dir/client" \
		--no-visor-key "$(dest)" </dev/null >"$dir/out" 2>&1 &&
		fail "it was started"
	has "$dir/out" "no such file"
	equal "$(ls "$folder")" "" "what is left"

	terminal "echo works" || fail "a terminal: $(cat "$dir/err.terminal")"
	has "$dir/seen" works
	stop_host
}

full() {
	rm -rf "$folder"
	mkdir "$folder"
	mount -t tmpfs -o size=20m,mode=700 none "$folder" || exit 1
	start_host
	terminal "yes no end" && fail "it went on"
	tail -c 200 "$dir/seen" >"$dir/last"
	has "$dir/last" "this session is recorded, which cannot go on"
	wait_for "a line in the log" grep -q "Recording failed: no space" "$log"
	set -- "$folder"/*.cast
	"$PYTHON" "$LIB/cast.py" o "$1" >"$dir/told" || fail "it is cut off"
	[ "$(free_blocks)" -gt 64 ] || fail "$(free_blocks) blocks are free"
	monitors_gone
	mv "$1" "$folder/kept"
	told "less than a twentieth is free"

	# Somebody else takes the rest while one runs: a write that fails.
	rm "$folder/kept"
	terminal "head -c 100000 /dev/zero; while :; do echo more; done" &
	slow=$!
	pids="$pids $slow"
	wait_for "the recording" recording_grows
	head -c 30000000 /dev/zero >"$folder/other" 2>/dev/null
	wait_gone "the client" "$slow"
	monitors_gone
	set -- "$folder"/*.cast
	"$PYTHON" "$LIB/cast.py" o "$1" >"$dir/told" || fail "it is cut off"
	rm "$folder"/*
	terminal "echo works again" || fail "a terminal"
	has "$dir/seen" "works again"
	stop_host
	umount "$folder"
}

recording_grows() {
	[ -n "$(find "$folder" -name '*.cast' -size +64k)" ]
}

monitors_gone() {
	wait_for "the end of the monitor" has_no_child "$host"
}

refusals() {
	refused
	full
}

as_root refusals
