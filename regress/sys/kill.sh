#!/bin/sh
# SPDX-License-Identifier: ISC
# skyptyd kill ends connections by id or by key, for those who may change the
# whitelist; each line that the log has of a connection begins with its id.
. regress/sys/lib.sh

kill_those() {
	run skyptyd kill --cliaddr "$sock" "$@"
}

# ended STATUS TEXT ARGUMENT...: what kill says and returns.
ended() {
	want=$1 text=$2
	shift 2
	status=0
	kill_those "$@" >"$dir/out" 2>&1 || status=$?
	has "$dir/out" "$text"
	equal "$status" "$want" "status of kill $*"
}

# begin_command NAME KEY: one that stays; pid of its client in $pid, the id of
# its connection in $id.
begin_command() {
	spawn "$dir/log.$1" "$bin/skypty" exec -t 0 -i "$dir/$2" \
		--no-visor-key --via "$(dest)" -- sh -c \
		"echo \$\$ >$dir/$1.pid; exec sleep 600"
	wait_for "$1" test -s "$dir/$1.pid"
	wait_for "its line" grep -q " sh, pid $(cat "$dir/$1.pid")\$" "$log"
	id=$(sed -n "s/.* \([0-9a-f]\{16\}\) 127.* sh, pid $(cat \
		"$dir/$1.pid")\$/\1/p" "$log")
	[ ${#id} -eq 16 ] || fail "no id of $1"
}

by_id() {
	start_host
	begin_command one client
	one=$id one_client=$pid
	begin_command two client
	[ "$one" != "$id" ] || fail "two connections have one id"
	ended 0 "1 connection ended" "$one"
	wait_gone "its client" "$one_client"
	wait_gone "its command" "$(cat "$dir/one.pid")"
	alive "$(cat "$dir/two.pid")" || fail "the other one has ended"
	wait_for "its end" grep -q \
		"$one 127.*Connection closed: ended by skyptyd" "$log"
	grep -q "\]: $one Ended: skyptyd kill, by [0-9a-f]\{16\}\$" "$log" ||
		fail "who has ended it is not told"
	grep -q " control: Kill of id $one: connections ended: 1\$" "$log" ||
		fail "the monitor that asked does not tell"
	ended 1 "no connection has the id $one" "$one"
	ended 1 "1 connection ended" "$one" "$id"
	wait_gone "the other" "$(cat "$dir/two.pid")"

	ended 64 "usage:"
	ended 64 "usage:" --key "$client" "$one"
	ended 64 "no id of a connection" "${one}0"
	ended 64 "no id of a connection" 12
	ended 64 "no id of a connection" "$one" gggggggggggggggg
	ended 64 "not a public key" --key 02ab
	ended 64 "option" --nothing
	stop_host
	ended 71 "does skyptyd run" "$one"
}

by_key() {
	new_key other
	wl="\"$client\", \"$key\""
	conf
	start_host
	begin_command one client
	begin_command two client
	begin_command three other
	ended 1 "no connection has the key $pk" --key "$pk"
	ended 0 "2 connections ended" --key "$client"
	wait_gone "the first" "$(cat "$dir/one.pid")"
	wait_gone "the second" "$(cat "$dir/two.pid")"
	alive "$(cat "$dir/three.pid")" || fail "another key's has ended"
	serves # the key may come again
	stop_host
	unset wl
}

# A connection's lines, its child's among them, begin with the same id, and
# everybody else's with another.
ids() {
	start_host --log-level debug
	on_host -- true
	raw handshake mux dmsgpty/none >"$dir/out"
	run skypty whitelist --cliaddr "$sock" >"$dir/out"
	wait_for "the ends" has_no_child "$host"
	wait_for "three ends" three_ends
	"$PYTHON" - "$log" <<-'END' || fail "the ids are not as told"
		import re, sys
		by_id = {}
		for line in open(sys.argv[1]):
		    said = line.partition("]: ")[2]
		    found = re.match(r"([0-9a-f]{16}) (127\.0\.0\.1 port \d+"
		                     r"|control): ", said)
		    if found:
		        by_id.setdefault(found[1], set()).add(found[2])
		    elif re.match(r"127\.|control: C|net: ", said):
		        sys.exit("without an id: " + line)
		assert len(by_id) == 3, by_id
		assert all(len(peers) == 1 for peers in by_id.values()), by_id
	END
	grep -qE ' [0-9a-f]{16} 127.* net: asked for dmsgpty/none' "$log" ||
		fail "the child's line has no id"
	stop_host
}

three_ends() {
	[ "$(grep -c 'Connection closed' "$log")" -eq 3 ]
}

# Nobody else: neither a listed key, nor another user of this machine.
not_for_others() {
	start_host
	begin_command one client
	raw handshake mux "skypty/1/kill?id=$id" >"$dir/out"
	has "$dir/out" "mux 1"
	raw handshake mux "skypty/1/kill?key=$client" >"$dir/out"
	has "$dir/out" "mux 1"
	if [ "$(id -u)" -eq 0 ]; then
		chmod 777 "$sock"
		chmod 1777 "$dir"
		setpriv --reuid=65533 --regid=65533 --clear-groups -- \
			"$bin/skyptyd" kill --cliaddr "$sock" "$id" \
			>"$dir/out" 2>&1 && fail "a stranger may"
		has "$dir/out" "does not serve this user"
	fi
	# Malformed, by who may.
	"$HELPERS/raw_client" "$sock" 0 "$pk" "$dir/client" \
		mux "skypty/1/kill?id=12" >"$dir/out"
	has "$dir/out" "mux 1"
	alive "$(cat "$dir/one.pid")" || fail "it has ended"
	stop_host
}

either by_id
either by_key
either ids
both not_for_others
