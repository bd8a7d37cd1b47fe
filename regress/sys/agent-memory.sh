#!/bin/sh
# SPDX-License-Identifier: ISC
# Where secrets are while an agent is used: in no client, at no time; in the
# agent in locked memory alone; nowhere while it is locked, and none behind
# "add -D", the end of a key's life or a handshake.
. regress/sys/lib.sh
need_root "read the memory of others"
need_filter

PASS=correct-horse-battery-staple

with_agent() {
	SKYPTY_AUTH_SOCK=$auth $as "$bin/skypty" "$@"
}

# memory PID: in locked pages, and in others.
memory() {
	"$PYTHON" "$LIB/memory_of.py" "$1" "$sk" "$PASS"
}

# In the agent: locked WANTED, elsewhere none.
in_agent() {
	found=$(memory "$keeper")
	equal "${found#* }" 0 "$2: secrets in memory that is not locked"
	case $1 in
	none) equal "${found% *}" 0 "$2: secrets in locked memory" ;;
	some) [ "${found% *}" -ge 1 ] || fail "$2: nothing is found" ;;
	esac
	equal "$(memory "$door")" "0 0" "$2: secrets before the agent"
}

add() {
	with_agent add -q --passphrase-file "$dir/pass" "$@" "$dir/key" ||
		fail "add"
}

where() {
	echo "$PASS" >"$dir/pass"
	chmod 644 "$dir/pass"
	new_key key
	made=$key
	sk=$(cat "$dir/key")
	run skypty keygen -p --new-passphrase-file "$dir/pass" "$dir/key" \
		2>"$dir/err.p" || fail "keygen -p"
	wl="\"$made\"" && conf
	start_host

	auth=$dir/auth.sock
	$as "$bin/skypty" agent -a "$auth" >"$dir/lines" </dev/null ||
		fail "agent"
	door=$(sed -n 's/^SKYPTY_AGENT_PID=\([0-9]*\);.*/\1/p' "$dir/lines")
	keeper=$(children "$door")
	pids="$pids $door"
	in_agent none "an empty agent"
	# Nobody may look into it, but root.
	equal "$(stat -c %u "/proc/$keeper/environ")" 0 "owner of its memory"
	grep -qE '^Max core file size +0 +0 ' "/proc/$keeper/limits" ||
		fail "it may leave a core"
	if [ -n "$as" ]; then
		! $as cat "/proc/$keeper/mem" >/dev/null 2>&1 ||
			fail "its user reads its memory"
		! $as cat "/proc/$door/mem" >/dev/null 2>&1 ||
			fail "its user reads the memory before it"
	fi

	add
	in_agent some "a key"

	# A client that uses it, while its command runs, and before the host
	# has answered.
	mkfifo "$dir/fifo"
	spawn "$dir/out" env SKYPTY_AUTH_SOCK="$auth" "$bin/skypty" exec \
		--no-visor-key -i "$dir/key" "$(dest)" -- \
		sh -c "echo begun; cat $dir/fifo"
	wait_for "the command" grep -q begun "$dir/out"
	equal "$(memory "$pid")" "0 0" "secrets in a client"
	in_agent some "behind a handshake"
	echo end >"$dir/fifo"
	wait_gone "the client" "$pid"
	for _ in 1 2 3 4 5; do
		with_agent exec --no-visor-key -i "$dir/key" "$(dest)" -- true ||
			fail "exec"
	done
	in_agent some "behind more of them"

	# In the middle of one: the host says nothing.
	kill -STOP "$host"
	spawn "$dir/out.2" env SKYPTY_AUTH_SOCK="$auth" "$bin/skypty" exec \
		--no-visor-key -v -i "$dir/key" "$(dest)" -- true
	wait_for "the connection" grep -q "connected to" "$dir/out.2"
	equal "$(memory "$pid")" "0 0" "secrets in a client that waits"
	in_agent some "in the middle of a handshake"
	with_agent add -q -D || fail "add -D"
	in_agent none "behind add -D in the middle of a handshake"
	kill -CONT "$host"
	wait_gone "the client" "$pid"
	has "$dir/out.2" "the agent"

	add -t 2
	in_agent some "a key for two seconds"
	wait_for "its end" forgotten
	in_agent none "behind a key's time"

	add
	with_agent add -q -x --passphrase-file "$dir/pass" || fail "add -x"
	in_agent none "a locked agent"
	with_agent add -q -X --passphrase-file "$dir/pass" || fail "add -X"
	in_agent some "an agent that was unlocked"
	with_agent add -q -D || fail "add -D"
	in_agent none "behind add -D"

	# The search finds what a client has that asks for the passphrase.
	spawn "$dir/out.3" env "$bin/skypty" exec --no-visor-key \
		--sk "$sk" "$(dest)" -- sh -c "echo begun; cat $dir/fifo"
	wait_for "the command" grep -q begun "$dir/out.3"
	[ "$(memory "$pid")" != "0 0" ] || fail "the search finds nothing"
	echo end >"$dir/fifo"
	stop_host
	with_agent agent -k >"$dir/out" || fail "agent -k"

	# Where little may be locked there are the fewer handshakes.
	$as prlimit --memlock=65536:65536 "$bin/skypty" agent -s -a "$auth" \
		>"$dir/lines" </dev/null || fail "agent"
	door=$(sed -n 's/^SKYPTY_AGENT_PID=\([0-9]*\);.*/\1/p' "$dir/lines")
	keeper=$(children "$door")
	pids="$pids $door"
	add
	found=$("$PYTHON" "$LIB/agent_peer.py" shakes "$auth" "$made" "$pk" \
		40 "$PYTHON" "$LIB/memory_of.py" "$keeper" "$sk") ||
		fail "many handshakes"
	equal "${found#* }" 0 "many handshakes: secrets that are not locked"
	[ "${found% *}" -ge 2 ] || fail "no handshake waits: $found"
	with_agent agent -k >"$dir/out" || fail "agent -k"
}

forgotten() {
	! with_agent add -l
}

both where
