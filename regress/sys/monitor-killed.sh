#!/bin/sh
# SPDX-License-Identifier: ISC
# A monitor is killed outright: its child goes, terminals hang up, and the whole
# process group of each command is hung up, also of one that had a time limit.
. regress/sys/lib.sh

killed() {
	start_host
	cat >"$dir/command" <<-END
		trap '' TERM
		sleep 601 &
		echo \$! >$dir/group.pid
		echo \$\$ >$dir/leader.pid
		wait
	END
	spawn "$dir/log.exec" "$bin/skypty" exec -t 2h -i "$dir/client" \
		--no-visor-key --via "$(dest)" -- sh "$dir/command"
	client_pid=$pid
	wait_for "the command" test -s "$dir/leader.pid"
	# One that has left its session is nobody's to end.
	on_host -- sh -c "setsid sleep 602 >/dev/null 2>&1 & echo \$! \
		>$dir/free.pid"
	leader=$(cat "$dir/leader.pid")
	group=$(cat "$dir/group.pid")
	free=$(cat "$dir/free.pid")
	for p in "$leader" "$group" "$free"; do
		alive "$p" || fail "process $p does not run"
	done
	for monitor in $(children "$host"); do
		kill -9 "$monitor"
	done
	wait_gone "the command" "$leader"
	wait_gone "its group" "$group"
	wait_gone "the client" "$client_pid"
	alive "$free" || fail "one that had left was ended"
	kill "$free"
	wait_for "no process of the connection" only_host
	serves

	open_shell
	shell=$(cat "$dir/shell.pid")
	for monitor in $(children "$host"); do
		kill -9 "$monitor"
	done
	wait_gone "the shell" "$shell"
	exec 9>&-
	wait_for "no process of the connection" only_host

	# One that was taken over does not care that its monitor has gone; one
	# that is stopped cannot.
	open_shell
	shell=$(cat "$dir/shell.pid")
	monitor_of "$host"
	wait_for "the child" has_child "$monitor"
	for p in $(ours); do
		case $(readlink "/proc/$p/exe") in
		*/skyptyd-net) kill -STOP "$p" ;;
		esac
	done
	kill -9 "$monitor"
	wait_gone "the shell" "$shell"
	exec 9>&-
	wait_for "no process of the connection" only_host
	stop_host
}

# Neither a confined child nor a guard is left.
only_host() {
	for p in $(ours); do
		[ "$p" = "$host" ] || return 1
	done
}

# One process of that name, and its parent.
relays() {
	relay=
	for p in $(ours); do
		case $(readlink "/proc/$p/exe") in
		*/skypty-tls) relay=$p ;;
		esac
	done
	[ -n "$relay" ] || return 1
	monitor=$(ps -o ppid= -p "$relay" | tr -d ' ')
	[ -n "$monitor" ]
}

# So does the one that speaks TLS for the monitor of dmsg.
tls() {
	[ -x "$BIN/skypty-tls" ] || return 0
	[ -x "$bin/skypty-tls" ] || cp "$BIN/skypty-tls" "$bin"
	spawn "$dir/log.accept" "$PYTHON" -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c = s.accept()[0]
c.recv(1)
print("hello", flush=True)
time.sleep(600)'
	wait_for "a port" test -s "$dir/log.accept"
	served_as=dmsg
	start_host --dmsgdisc \
		"https://127.0.0.1:$(head -n 1 "$dir/log.accept")"
	# It says nothing before it is confined and bound to its monitor.
	wait_for "TLS" grep -qx hello "$dir/log.accept"
	wait_for "who speaks it" relays
	case $(readlink "/proc/$monitor/exe") in
	*/skyptyd-dmsg-monitor) ;;
	*) fail "skypty-tls is a child of $(readlink "/proc/$monitor/exe")" ;;
	esac
	kill -STOP "$relay"
	kill -9 "$monitor"
	wait_gone "skypty-tls" "$relay"
	stop_host
	served_as=tcp
}

both killed
both tls
