#!/bin/sh
# SPDX-License-Identifier: ISC
# skyptyd status tells of each connection whose it is, by which rule, what runs
# and how much has moved; for those who may change the whitelist, and whatever
# a client calls its commands.
. regress/sys/lib.sh

status_of() {
	run skyptyd status --cliaddr "$sock" "$@"
}

# look EXPRESSION: a Python expression about c, the connections that are not the
# control socket's.
look() {
	status_of --json >"$dir/json" || fail "no status"
	"$PYTHON" -c '
import json, sys
every = json.load(open(sys.argv[1]))["connections"]
c = [x for x in every if x["carrier"] != "control"]
sys.exit(not ('"$1"'))' "$dir/json"
}

looks() {
	wait_for "'$1' of the status" look "$1"
}

begin_command() {
	spawn "$dir/log.$1" "$bin/skypty" exec -t 0 -i "$dir/client" \
		--no-visor-key --via "$(dest)" -- "$2" -c \
		"echo \$\$ >$dir/$1.pid; head -c 300000 /dev/zero;
		exec sleep 600"
	wait_for "$1" test -s "$dir/$1.pid"
}

told() {
	start_host
	looks 'len(c) == 0 and len(every) == 1'
	begin_command one sh
	looks 'len(c) == 1'
	looks "c[0]['key'] == '$client' and c[0]['carrier'] == 'tcp'"
	looks 'c[0]["address"].startswith("127.0.0.1 port ")'
	looks 'c[0]["rule"] == "wl" and c[0]["runs"] == "command sh"'
	looks "c[0]['user'] == '$account' and c[0]['authenticated']"
	# Its child says so after a while.
	looks 'c[0]["bytes_out"] > 300000 and c[0]["bytes_in"] > 0'
	id=$(sed -n 's/.*"id":"\([0-9a-f]*\)","carrier":"tcp".*/\1/p' "$dir/json")
	grep -q " $id 127.*Accepted key $client (wl)" "$log" ||
		fail "the id is not that of the log"
	status_of >"$dir/out"
	grep -qE "^$id +tcp +$(echo "$client" | cut -c 1-16) .*: command sh\$" \
		"$dir/out" || fail "not told in words: $(cat "$dir/out")"
	run skyptyd kill --cliaddr "$sock" "$id" >"$dir/out" || fail "kill"
	looks 'len(c) == 0'
	status_of --metrics >"$dir/out"
	has "$dir/out" 'skypty_connections_total{carrier="tcp"} 1'
	has "$dir/out" 'skypty_authenticated_total{carrier="tcp"} 1'
	has "$dir/out" 'skypty_killed_total 1'
	has "$dir/out" 'skypty_connections{state="authenticated"} 0'
	stop_host
	status_of >"$dir/out" 2>&1 && fail "nobody is there"
	has "$dir/out" "does skyptyd run"
	run skyptyd status surplus >"$dir/out" 2>&1
	equal $? 64 "status of a wrong command line"
}

# Whatever it is called, it is JSON, and nothing drives the terminal.
evil() {
	start_host
	name=$(printf '"\\a\nb\033[2J\r\302\233\377')
	$as mkdir "$dir/evil"
	$as cp /bin/sh "$dir/evil/$name"
	begin_command evil "$dir/evil/$name"
	looks 'len(c) == 1 and "\\012b\\033[2J\\015" in c[0]["runs"]'
	status_of >"$dir/out"
	has "$dir/out" '\033[2J'
	if LC_ALL=C grep -q '[^ -~]' "$dir/out" "$dir/json"; then
		fail "unprintable bytes are told"
	fi
	stop_host
}

# More than one message holds, and a machine has on a busy day.
many() {
	conf maxperkey 1000 maxperaddr 1000
	# What the sanitizers made takes too much memory for so many.
	number=1000
	[ -z "$sanitized" ] || number=100
	start_host
	"$PYTHON" - "$sock" $number >"$dir/held" <<-'END' &
		import socket, sys, time
		all = []
		for _ in range(int(sys.argv[2])):
		    s = socket.socket(socket.AF_UNIX)
		    s.connect(sys.argv[1])
		    all.append(s)
		print("there", flush=True)
		time.sleep(600)
	END
	pids="$pids $!"
	wait_for "all connections" grep -q there "$dir/held"
	looks "len(every) > $number and"'  len({x["id"] for x in every}) == len(every)'
	[ "$(status_of | wc -l)" -gt $number ] || fail "not all are told in words"
	stop_host
}

not_for_others() {
	start_host
	for what in connections metrics; do
		raw handshake mux "skypty/1/$what" >"$dir/out"
		has "$dir/out" "mux 1"
	done
	chmod 777 "$sock"
	chmod 1777 "$dir"
	setpriv --reuid=65533 --regid=65533 --clear-groups -- \
		"$bin/skyptyd" status --cliaddr "$sock" >"$dir/out" 2>&1 &&
		fail "a stranger may"
	has "$dir/out" "does not serve this user"
	stop_host
}

either told
either evil
either many
as_root not_for_others
