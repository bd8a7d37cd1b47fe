#!/bin/sh
# SPDX-License-Identifier: ISC
# No process can be made, at one place after the other.  That is said, what can
# go on goes on, and no signal ever goes to a process that is not there.
# waits
. regress/sys/lib.sh

# failing PLAN COMMAND...: see regress/preload/fork_fails.c.
failing() {
	plan=$1
	shift
	FORK_FAILS=$plan
	LD_PRELOAD=$dir/fork_fails.so
	KILL_LOG=$dir/killed
	ASAN_OPTIONS=verify_asan_link_order=0
	export FORK_FAILS LD_PRELOAD KILL_LOG ASAN_OPTIONS
	"$@"
	failing_status=$?
	unset FORK_FAILS LD_PRELOAD KILL_LOG ASAN_OPTIONS
	return $failing_status
}

# Nothing was signalled that was not there, and a bystander lives.
none_killed() {
	[ ! -s "$dir/killed" ] || fail "$1: $(cat "$dir/killed")"
	alive "$bystander" || fail "$1: a process beside us has ended"
}

# ends STATUS...: the host does by SIGTERM.
host_ends() {
	stop_host
	equal "$status" 0 "$1: the host's status"
	none_killed "$1"
}

listener() {
	status=0
	failing skyptyd:1 run skyptyd tcp -c "$dir/host.json" \
		--addr 127.0.0.1:0 --cliaddr "$sock" \
		>"$dir/err.check" 2>&1 || status=$?
	equal $status 71 "status without a trial of confinement"
	has "$dir/err.check" "cannot be confined"

	failing skyptyd:2 start_host
	refused
	has "$log" "cannot start a monitor: Resource temporarily unavailable"
	serves
	host_ends "a monitor"

	# Who cannot be served takes nobody's place.
	conf handshake_timeout 60 maxstartups '"1:100:1"'
	failing skyptyd:3 start_host
	spawn "$dir/log.crowd" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" crowd 1 hold
	crowd=$pid
	wait_for "a crowd of one" grep -q holding "$dir/log.crowd"
	wait_for "its monitor" has_child "$host"
	refused
	has "$log" "cannot start a monitor: Resource temporarily unavailable"
	hasnt "$log" "Dropped a connection"
	has_child "$host" || fail "another's connection was ended"
	serves
	has "$log" "Dropped a connection"
	kill "$crowd"
	host_ends "a newcomer's monitor"
	conf
}

monitor() {
	failing skyptyd-monitor:1+ start_host
	refused
	has "$log" "confined child cannot be started"
	host_ends "a confined child"

	# What is started for a client is refused to that client.
	failing skyptyd-monitor:2+ start_host
	on_host -- true 2>"$dir/err.exec" && fail "a command without a process"
	has "$dir/err.exec" "esource temporarily unavailable"
	run skypty cp -i "$dir/client" "$pk@127.0.0.1:$port:/etc/passwd" \
		"$dir/copy" 2>"$dir/err.sftp" && fail "a file without a process"
	has "$log" "sftp_server: fork/exec"
	shell </dev/null 2>"$dir/err.pty" && fail "a shell without a process"
	has "$dir/err.pty" "esource temporarily unavailable"
	host_ends "a terminal"

	failing skyptyd-monitor:3+ start_host
	serves
	has "$log" "no process guards the command: Resource temporarily"
	host_ends "a guard"
}

# TLS has a program of its own, a client's is nobody's child.
tls() {
	[ -x "$BIN/skypty-tls" ] || return 0
	cp "$BIN/skypty-tls" "$bin"
	spawn "$dir/log.accept" "$PYTHON" -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(600)'
	wait_for "a port" test -s "$dir/log.accept"
	url=https://127.0.0.1:$(cat "$dir/log.accept")
	served_as=dmsg
	failing skyptyd-dmsg-monitor:3+ start_host --dmsgdisc "$url"
	wait_for "the failure" grep -q "esource temporarily un" "$log"
	host_ends "TLS"
	served_as=tcp
	for nth in 1 2; do
		failing skypty:$nth run skypty exec -i "$dir/client" \
			--no-visor-key --dmsgdisc "$url" "$pk" -- true \
			2>"$dir/err.tls" && fail "a command without TLS"
		has "$dir/err.tls" "esource temporarily unavailable"
		none_killed "a client's TLS, $nth"
	done
}

# dmsg is waited for and stopped like any connection.
overlay() {
	served_as=dmsg
	failing skyptyd:2+ start_host --dmsgdisc http://discovery.invalid
	wait_for "the failure" grep -q "dmsg cannot be started" "$log"
	host_ends "dmsg"

	failing skyptyd:2 start_host --dmsgdisc http://discovery.invalid
	wait_for "another try" has_child "$host"
	host_ends "dmsg, once"

	failing skyptyd-dmsg-monitor:1 start_host \
		--dmsgdisc http://discovery.invalid
	wait_for "the failure" grep -q "dmsg ended; it is started" "$log"
	host_ends "dmsg's child"

	failing skyptyd-dmsg-monitor:2+ start_host \
		--dmsgdisc http://127.0.0.1:1
	wait_for "the failure" grep -q "esource temporarily unavailable" "$log"
	host_ends "dmsg's connection"
	served_as=tcp
}

web() {
	[ -x "$bin/skyptyd-http" ] || return 0
	start_host
	status=0
	failing skyptyd:1 run skyptyd http --addr 127.0.0.1:0 --haddr "$sock" \
		>"$dir/err.web" 2>&1 || status=$?
	equal $status 71 "status without a web child"
	has "$dir/err.web" "esource temporarily unavailable"
	none_killed "http"

	# Its child dies, and no other one can be made: it goes on trying.
	failing skyptyd:2+ start_http
	wait_for "a child" has_child "$web"
	kill -9 "$(children "$web")"
	wait_for "two tries" tried_twice
	kill "$web"
	wait_gone "skyptyd http" "$web"
	status=0
	wait "$web" || status=$?
	equal $status 0 "status without another web child"
	none_killed "http, again"
	stop_host
}

tried_twice() {
	[ "$(grep -c "http cannot be started: Resource" "$web_log")" -ge 2 ]
}

mounting() {
	need_fuse
	start_host
	mnt=$dir/mnt
	$as mkdir "$mnt"
	for plan in skypty:1 skypty:2; do
		status=0
		failing $plan run skypty fs mount --background \
			-i "$dir/client" "$pk@127.0.0.1:$port" "$mnt" \
			>"$dir/err.mount" 2>&1 </dev/null || status=$?
		[ $status -ne 0 ] || fail "$plan: mounted without sshfs"
		is_not_mounted "$mnt" || fail "$plan: it is mounted"
		none_killed "mounting, $plan"
	done
	has "$dir/err.mount" "esource temporarily unavailable"
	stop_host
}

everywhere() {
	cp "$OBJ/regress/preload/fork_fails.so" "$dir" ||
		fail "the preload was not built"
	spawn "$dir/log.bystander" sleep 600
	bystander=$pid
	listener
	monitor
	overlay
	web
	tls
}

mounts_too() {
	cp "$OBJ/regress/preload/fork_fails.so" "$dir" || exit 1
	spawn "$dir/log.bystander" sleep 600
	bystander=$pid
	mounting
}

both everywhere
either mounts_too
