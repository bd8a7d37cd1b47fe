#!/bin/sh
# SPDX-License-Identifier: ISC
# Commands share a connection: one login for all of them, each by itself, and
# what becomes of them when the process that holds it is stopped, ended, killed.
. regress/sys/lib.sh

begin_shared() {
	XDG_RUNTIME_DIR=$dir/run
	export XDG_RUNTIME_DIR
	$as mkdir -m 700 "$XDG_RUNTIME_DIR"
	conf job_dir "\"$dir/jobs\""
	start_host
	config auto 10m
}

# config MASTER PERSIST: what the file of names says from now on.
config() {
	$as mkdir -p "$HOME/.config/skypty"
	printf 'Host there\nKey %s\nAddress 127.0.0.1:%s\nIdentity %s\n%s\n%s\n' \
		"$pk" "$port" "$dir/client" "ControlMaster $1" \
		"ControlPersist $2" | $as tee "$HOME/.config/skypty/config" \
		>/dev/null
	$as chmod 600 "$HOME/.config/skypty/config"
}

there() {
	run skypty exec "$@"
}

# How often somebody has been let in.
logins() {
	grep -c "Accepted key" "$log"
}

# logged_in N: that many times, and no more.
logged_in() {
	equal "$(logins)" "$1" "logins"
}

has_no_hub() {
	[ -z "$(hub_pid there)" ]
}

# check TEXT [FLAG]...: what control says.
says_no_hub() {
	status=0
	run skypty control there check >"$dir/out" 2>"$dir/err.check" ||
		status=$?
	equal $status 255 "status without a shared connection"
	has "$dir/err.check" "no connection is shared"
}

# One login for all, and each has its own status, input and output.
many_verbs() {
	begin_shared
	says_no_hub
	equal "$(there there -- echo first 2>"$dir/err.1")" first "the first"
	status=0
	echo input | there there -- sh -c 'cat; echo error >&2; exit 7' \
		>"$dir/out" 2>"$dir/err.2" || status=$?
	equal $status 7 "status"
	equal "$(cat "$dir/out")" input output
	equal "$(cat "$dir/err.2")" error "error output"
	echo text >"$dir/file"
	run skypty cp "$dir/file" there:"$dir/copy" || fail "cp"
	equal "$(cat "$dir/copy")" text "what was copied"
	run skypty cp there:"$dir/copy" "$dir/back" || fail "cp back"
	# shellcheck disable=SC2086
	equal "$(run skypty-ssh $no_login there echo by ssh)" "by ssh" "ssh"
	id=$(run skypty job run there -- true) || fail "job run"
	run skypty job wait there "$id" || fail "job wait"
	echo 'echo in a shell; exit 3' | run skypty shell --pty there -- sh 2>&1 |
		tr -d '\r' | grep -q 'in a shell$' || fail "no terminal"
	logged_in 1
	hub=$(hub_pid there)
	[ -n "$hub" ] || fail "nobody holds the connection"
	equal "$(run skypty-ssh -O check there 2>&1)" \
		"Master running (pid=$hub)" "ssh's words"
	run skypty control there exit >/dev/null || fail "control exit"
	wait_gone "the hub" "$hub"
	says_no_hub
	there there -- true || fail "anew"
	logged_in 2
	stop_host
}

# The hub has nothing of whoever has made it: an end of output is one, no
# folder is kept, and an interrupt does not reach it.
leaves_alone() {
	begin_shared
	$as mkdir "$dir/here"
	out=$(cd "$dir/here" && run skypty exec there -- echo here 2>&1)
	equal "$out" here "output"
	hub=$(hub_pid there)
	equal "$(readlink "/proc/$hub/cwd")" / "its folder"
	for fd in 0 1 2; do
		equal "$(readlink "/proc/$hub/fd/$fd")" /dev/null "fd $fd"
	done
	# Nor what it was called with: it may have been a key.
	equal "$(tr '\0' ' ' <"/proc/$hub/cmdline" | sed 's/ *$//')" \
		"$bin/skypty" "its arguments"
	equal "$(awk '{ print $7 }' "/proc/$hub/stat")" 0 "its terminal"
	run skypty control there exit >/dev/null
	wait_gone "the hub" "$hub"
	# The one who makes it is interrupted; another goes on.
	spawn "$dir/log.first" "$bin/skypty" exec there -t 0 -- \
		sh -c "echo \$\$ >$dir/one; exec sleep 61"
	first=$pid
	wait_for "the command" test -s "$dir/one"
	hub=$(hub_pid there)
	spawn "$dir/log.second" "$bin/skypty" exec there -t 0 -- \
		sh -c "echo \$\$ >$dir/two; exec sleep 61"
	second=$pid
	wait_for "the other command" test -s "$dir/two"
	kill -INT "$first"
	wait_gone "the first" "$first"
	wait_gone "its command" "$(cat "$dir/one")"
	alive "$second" || fail "the second was ended, too"
	alive "$hub" || fail "the hub was"
	equal "$(there there -- echo on)" on "behind an interrupt"
	logged_in 2
	# Who is killed takes its command along, and no other.
	kill -9 "$second"
	wait_gone "its command" "$(cat "$dir/two")"
	equal "$(there there -- echo on)" on "behind a kill"
	stop_host
}

# A hub that is killed: whoever uses it says so, and the next makes another in
# the place of the socket that is left.
killed() {
	begin_shared
	spawn "$dir/log.client" "$bin/skypty" exec there -t 0 -- \
		sh -c "echo \$\$ >$dir/one; exec sleep 61"
	client_pid=$pid
	wait_for "the command" test -s "$dir/one"
	hub=$(hub_pid there)
	kill -9 "$hub"
	wait_gone "the client" "$client_pid"
	status=0
	wait "$client_pid" || status=$?
	equal $status 255 status
	has "$dir/log.client" "ended before the command reported"
	wait_gone "its command" "$(cat "$dir/one")"
	set -- "$XDG_RUNTIME_DIR"/skypty/*.hub
	[ -S "$1" ] || fail "no socket is left"
	equal "$(there there -- echo again 2>"$dir/err.2")" again "the next"
	logged_in 2
	# The host goes, and comes back.
	hub=$(hub_pid there)
	at_port=$port
	stop_host
	wait_gone "the hub" "$hub"
	start_host
	equal "$(there there -- echo back 2>"$dir/err.2")" back "behind a restart"
	stop_host
}

stopped() {
	begin_shared
	$as mkfifo "$dir/fifo"
	spawn "$dir/log.client" "$bin/skypty" exec there -t 0 -- \
		sh -c "echo \$\$ >$dir/one; cat $dir/fifo"
	client_pid=$pid
	wait_for "the command" test -s "$dir/one"
	hub=$(hub_pid there)
	run skypty control there stop >/dev/null || fail "control stop"
	says_no_hub
	alive "$hub" || fail "it has ended"
	there there -- true || fail "another one"
	logged_in 2
	echo more >"$dir/fifo"
	wait_gone "the client" "$client_pid"
	has "$dir/log.client" more
	wait_gone "the hub" "$hub"
	stop_host
}

persists() {
	begin_shared
	# Not at all: as long as it is used.
	config auto no
	there there -- true
	wait_for "its end" has_no_hub
	config auto 1s
	there there -- true
	hub=$(hub_pid there)
	wait_gone "the hub" "$hub"
	# Flags count more; and without them nothing is shared.
	config no no
	there there -- true
	has_no_hub || fail "shared without a word"
	there -M --control-persist yes there -- true
	hub=$(hub_pid there)
	[ -n "$hub" ] || fail "-M makes none"
	logged_in 4
	there -M there -- true
	logged_in 4
	there there -- true
	there -M -S none there -- true
	logged_in 6
	run skypty exec -O exit there >/dev/null || fail "-O exit"
	wait_gone "the hub" "$hub"
	stop_host
}

# Fifty at once, of whom the first makes the connection for all.
at_once() {
	begin_shared
	list=
	for i in $(seq 50); do
		spawn "$dir/log.at.$i" "$bin/skypty" exec there -- \
			sh -c "echo $i; exit $i"
		list="$list $pid"
	done
	i=0
	for p in $list; do
		i=$((i + 1))
		status=0
		wait "$p" || status=$?
		equal $status $i "status of $i ($(cat "$dir/log.at.$i"))"
		equal "$(cat "$dir/log.at.$i")" $i "output of $i"
	done
	logged_in 1
	stop_host
}

# Somebody who does not read keeps nobody waiting.
stalled() {
	begin_shared
	$as mkfifo "$dir/fifo"
	sleep 61 >"$dir/fifo" &
	pids="$pids $!"
	# shellcheck disable=SC2016
	spawn "$dir/log.slow" sh -c 'exec "$@" >"$0"' "$dir/fifo" \
		"$bin/skypty" exec -t 0 there -- \
		sh -c "echo \$\$ >$dir/one; exec cat /dev/zero"
	exec 8<"$dir/fifo"
	wait_for "the command" test -s "$dir/one"
	for i in 1 2 3 4 5; do
		equal "$(there there -- echo "$i" 2>"$dir/err.other")" "$i" \
			"beside one that stands still"
	done
	logged_in 1
	exec 8<&-
	stop_host
}

# What makes a destination another one is not shared, wherever its socket is.
others() {
	begin_shared
	new_key other
	wl="\"$client\", \"$key\"" conf
	kill -HUP "$host"
	there there -- true
	logged_in 1
	there --require-pq there -- true
	logged_in 2
	there -i "$dir/other" there -- true
	logged_in 3
	there there -- true
	there --require-pq there -- true
	there -i "$dir/other" there -- true
	logged_in 3
	path=$dir/run/of-my-own
	there -M --control-persist yes -S "$path" there -- true
	there -S "$path" there -- true
	logged_in 4
	equal "$(there -S "$path" -i "$dir/other" there -- echo yes \
		2>"$dir/err.other")" yes "another key"
	has "$dir/err.other" "another destination's"
	logged_in 5
	stop_host
}

# What goes wrong is told as ever.
refused() {
	begin_shared
	new_key other
	status=0
	there -i "$dir/other" there -- true 2>"$dir/err.other" || status=$?
	equal $status 255 "status of a key that is not listed"
	has "$dir/err.other" "not on the host's whitelist"
	says_no_hub
	stop_host
	status=0
	there there -- true 2>"$dir/err.none" || status=$?
	equal $status 255 "status without a host"
	has "$dir/err.none" "connection refused"
}

proxies() {
	pgrep -f "^$PYTHON $LIB/carry.py"
}

has_no_proxy() {
	[ -z "$(proxies)" ]
}

# A ProxyCommand lives as long as the connection, and has nothing of ours.
by_proxy() {
	begin_shared
	way="-oProxyCommand=$PYTHON $LIB/carry.py 127.0.0.1 $port"
	for i in 1 2; do
		# shellcheck disable=SC2086
		equal "$(run skypty-ssh $no_login "$way" there echo "$i" 2>&1)" \
			"$i" "by a proxy"
	done
	logged_in 1
	proxy=$(proxies)
	equal "$(readlink "/proc/$proxy/fd/2")" /dev/null "its error output"
	run skypty-ssh "$way" -O exit there 2>/dev/null || fail "-O exit"
	wait_for "its end" has_no_proxy
	status=0
	run skypty-ssh -S none -O check there 2>"$dir/err.none" || status=$?
	equal $status 255 "a check of none"
	stop_host
}

# Not in a folder where others may put another socket in its place.
places() {
	begin_shared
	$as mkdir -m 777 "$dir/open"
	equal "$(there -M -S "$dir/open/s" there -- echo alone \
		2>"$dir/err.open")" alone "in an open folder"
	has "$dir/err.open" "is not shared"
	[ ! -e "$dir/open/s" ] || fail "it is there all the same"
	long=$dir/run/$(printf %0150d 1)
	equal "$(there -M -S "$long" there -- echo alone \
		2>"$dir/err.long")" alone "with too long a path"
	has "$dir/err.long" "too long"
	# A lock may not be a link to another file of ours.
	echo precious | $as tee "$dir/run/mine" >/dev/null
	$as ln "$dir/run/mine" "$dir/run/link.lock"
	equal "$(there -M -S "$dir/run/link" there -- echo alone \
		2>"$dir/err.link")" alone "a link in the place of the lock"
	equal "$(cat "$dir/run/mine")" precious "what it leads to"
	# A file of somebody's is no leftover of ours.
	$as touch "$dir/run/file"
	equal "$(there -M -S "$dir/run/file" there -- echo alone \
		2>"$dir/err.file")" alone "a file in its place"
	wait_for "the hub's end" test ! -e "$dir/run/file.lock"
	[ -f "$dir/run/file" ] || fail "the file is gone"
	there there -- true
	for f in "$XDG_RUNTIME_DIR/skypty" "$XDG_RUNTIME_DIR"/skypty/*.hub; do
		case $(stat -c '%F %a' "$f") in
		"directory 700" | "socket 600") ;;
		*) fail "$f: $(stat -c '%F %a' "$f")" ;;
		esac
	done
	stop_host
}

# Another user, were he root's neighbour in the same folder: neither side deals
# with the other.
strangers() {
	begin_shared
	path=$dir/open/s
	mkdir "$dir/open"
	chmod 1777 "$dir/open"
	there -M --control-persist yes -S "$path" there -- true
	hub=$(hub_pid -S "$path" there)
	chmod 666 "$path"
	"$PYTHON" - "$path" <<-'END' || fail "another user is served"
		import os, socket, sys
		os.setgroups([]), os.setgid(65534), os.setuid(65534)
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		try:
		    s.sendall(b"\x13skypty/1/hub/check\n"[:20])
		    sys.exit(s.recv(1) != b"")
		except OSError:
		    pass
	END
	alive "$hub" || fail "the hub has gone"
	# His socket is not ours either.
	rm -f "$path"
	spawn "$dir/log.listener" "$PYTHON" -c 'if True:
		import os, socket, sys, time
		os.setgroups([]), os.setgid(65534), os.setuid(65534)
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666); s.listen(9)
		while True:
		    c = s.accept()[0]
		    print("got", c.recv(1000), flush=True)' "$path"
	wait_for "his socket" test -S "$path"
	equal "$(there -S "$path" there -- echo alone 2>"$dir/err.his")" \
		alone "with a stranger's socket"
	has "$dir/err.his" "another user's"
	hasnt "$dir/log.listener" skypty
	stop_host
}

both many_verbs
either leaves_alone
either killed
either stopped
either persists
both at_once
either stalled
either others
either refused
either by_proxy
either places
[ "$(id -u)" -ne 0 ] || as_root strangers
