#!/bin/sh
# SPDX-License-Identifier: ISC
# Killed before each thing that it does, a fleet goes on later, and no host runs
# its command twice: a file for each host counts.
. regress/sys/fleet_lib.sh

# dying PLAN ARGUMENT...: see regress/preload/dies_at.c.
dying() {
	plan=$1
	shift
	status=0
	$as env LD_PRELOAD="$dir/dies_at.so" DIES_AT="$plan" \
		ASAN_OPTIONS=verify_asan_link_order=0 "$bin/skypty" fleet \
		-i "$dir/client" --no-visor-key -j 2 "$@" \
		>"$dir/out" 2>"$dir/err.fleet" </dev/null || status=$?
}

# The address that the connection came to names the host.
counting() {
	rm -rf "$dir/count" "$HOME/.local"
	$as mkdir "$dir/count"
	# shellcheck disable=SC2016 # expanded on the host
	dying "$1" "@$dir/hosts" -- sh -c \
		'set -- $SSH_CONNECTION && echo x >>'"$dir"'/count/$3'
}

# No host more than once; one that is hung up may have got as far as the file.
at_most_once() {
	for f in "$dir"/count/*; do
		[ ! -e "$f" ] || [ "$(wc -l <"$f")" -le 1 ] ||
			fail "more than one run at ${f##*/} ($1)"
	done
}

# resumed WHEN [=ID]
resumed() {
	status=0
	run skypty fleet "--resume${2-}" -i "$dir/client" --no-visor-key \
		>"$dir/out" 2>"$dir/err.resumed" </dev/null || status=$?
	at_most_once "$1, and resumed"
	ran=$(find "$dir/count" -type f | wc -l)
	lost=$(sed -n 's/.* \([0-9]*\) began and.*/\1/p' "$dir/err.resumed")
	[ $((ran + ${lost:-0})) -ge 3 ] || {
		cat "$dir/err.resumed"
		fail "$ran ran, and ${lost:-0} are lost, of 3 ($1)"
	}
}

planned() {
	grep -q "^planned " "$HOME"/.local/state/skypty/fleet/*.journal
}

ready() {
	cp "$OBJ/regress/preload/dies_at.so" "$dir" ||
		fail "the preload was not built"
	scene 3
}

client() {
	ready
	n=1
	killed=0
	whole=
	while [ -z "$whole" ]; do
		counting $n
		at_most_once "killed before call $n"
		if [ $status -ne 137 ]; then
			equal $status 0 "status of a run that nobody killed"
			whole=yes
		elif planned; then
			killed=$((killed + 1))
			resumed "killed before call $n"
		elif [ -n "$(ls "$dir/count")" ]; then
			fail "a command ran before there was a plan"
		fi
		n=$((n + 1))
	done
	# Three hosts take more than a few steps.
	[ $killed -ge 15 ] || fail "killed only $killed times"
	stop_host
}

# Each host's process is: the run ends, and knows which it is in doubt of.
hosts() {
	ready
	n=1
	lost=0
	while :; do
		counting child:$n
		at_most_once "each host's process killed before call $n"
		[ $status -ne 0 ] || break
		equal $status 1 "status where each host's process was killed"
		# It may have run only where that is said.
		ran=$(find "$dir/count" -type f | wc -l)
		ok=$(sed -n 's/^3 hosts: \([0-9]*\) ok.*/\1/p' "$dir/err.fleet")
		told=$(sed -n 's/.* \([0-9]*\) began and.*/\1/p' "$dir/err.fleet")
		[ "$ran" -le $((ok + ${told:-0})) ] || {
			cat "$dir/err.fleet"
			fail "$ran ran, and $ok and ${told:-0} may have"
		}
		lost=$((lost + ${told:-0}))
		resumed "each host's process killed before call $n" \
			"=$(run_id)"
		n=$((n + 1))
	done
	equal "$(find "$dir/count" -type f | wc -l)" 3 "hosts that ran it"
	[ $n -ge 10 ] || fail "killed only $n times"
	[ "$lost" -ge 1 ] || fail "no command had begun when it was killed"
	stop_host
}

either client
either hosts
