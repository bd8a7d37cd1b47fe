#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2046,SC2086
# Who asked to survive a session does, as with sshd: by nohup, by ignoring the
# hang-up, in a session of its own, and as a daemon.  Who did not ask ends with
# it.  So it is when a terminal's command ends, when the client of a terminal is
# killed, and when that of a command is.  A time limit holds all the same.
# waits
. regress/sys/lib.sh

ASKED="nohup deaf session daemon"

# What a session runs; $1 is what its leader does last.
script() {
	cat >"$dir/script" <<-END
		cd $dir
		say() { echo \$1 >\$2.new; mv \$2.new \$2.pid; }
		nohup sleep 6101 >/dev/null 2>&1 &
		say \$! nohup
		(trap '' HUP; exec sleep 6102 >/dev/null 2>&1) &
		say \$! deaf
		setsid sleep 6103 </dev/null >/dev/null 2>&1 &
		say \$! session
		setsid sh -c 'sleep 6104 </dev/null >/dev/null 2>&1 & \
			echo \$! >daemon.new; mv daemon.new daemon.pid' &
		sleep 6105 >/dev/null 2>&1 &
		say \$! plain
		until [ -s daemon.pid ]; do sleep 0.02; done
		# Each is to be what it asked to be before anything ends.
		for n in nohup deaf session daemon plain; do
			until grep -q ^sleep /proc/\$(cat \$n.pid)/cmdline; do
				sleep 0.02
			done
		done
		say \$\$ leader
		$1
	END
}

pid_of() {
	cat "$dir/$1.pid"
}

begun() {
	wait_for "what the session runs" test -s "$dir/leader.pid"
}

# survived WHAT: and the connection's own processes are gone.
survived() {
	wait_gone "$1: who did not ask" "$(pid_of plain)"
	wait_gone "$1: the command" "$(pid_of leader)"
	wait_for "$1: the connection's end" has_no_child "$host"
	for name in $ASKED; do
		alive "$(pid_of "$name")" || fail "$1: $name has ended"
		kill "$(pid_of "$name")"
	done
	rm "$dir"/*.pid
}

kill_client() {
	begun
	kill -9 "$client_pid"
	wait_gone "the client" "$client_pid"
}

# client COMMAND...: in the background.
client() {
	"$@" >"$dir/log.client" 2>&1 <"$dir/silence" &
	client_pid=$!
	pids="$pids $client_pid"
	exec 7>"$dir/silence"
}

end_client() {
	exec 7>&-
	wait "$client_pid" 2>/dev/null || :
}

ask() {
	start_host
	$as mkdir -p "$dir/run"
	mkfifo "$dir/silence"
	chmod 666 "$dir/silence"

	script :
	on_ssh -tt "$pk@127.0.0.1" ". $dir/script" </dev/null \
		>"$dir/log.client" 2>&1 || fail "status $?"
	begun
	survived "a terminal's end"

	script "sleep 6106"
	client $as $(as_ssh) -tt "$pk@127.0.0.1" ". $dir/script"
	kill_client
	survived "a terminal whose client was killed"
	end_client

	script "sleep 6107"
	client $as "$bin/skypty" exec -i "$dir/client" --no-visor-key \
		--via "$(dest)" -- sh "$dir/script"
	kill_client
	survived "a command whose client was killed"
	end_client

	# The connection is dropped by the host.
	script "sleep 6108"
	client $as $(as_ssh) -tt "$pk@127.0.0.1" ". $dir/script"
	begun
	monitor_of "$host"
	kill "$monitor"
	survived "a connection that was ended"
	end_client
	stop_host
}

# A limit ends also who did not want to end, without anybody of the connection.
limited() {
	start_host
	mkfifo "$dir/silence"
	chmod 666 "$dir/silence"
	for way in client monitor; do
		cat >"$dir/script" <<-END
			trap '' HUP TERM
			sleep 6110 &
			echo \$! >$dir/group.pid
			echo \$\$ >$dir/leader.new
			mv $dir/leader.new $dir/leader.pid
			until [ -e $dir/gone ]; do sleep 0.1; done
			echo \$\$ >$dir/after
			while :; do sleep 1; done
		END
		client $as "$bin/skypty" exec -t 25s -i "$dir/client" \
			--no-visor-key --via "$(dest)" -- sh "$dir/script"
		begun
		monitor_of "$host"
		if [ $way = client ]; then
			kill -9 "$client_pid"
		else
			kill -9 "$monitor"
		fi
		wait_for "the connection's end" has_no_child "$host"
		touch "$dir/gone"
		wait_for "a sign of life" test -s "$dir/after"
		wait_gone "$way: the command" "$(pid_of leader)"
		wait_gone "$way: its group" "$(pid_of group)"
		wait_for "nobody to be left" only_host
		end_client
		rm "$dir/gone" "$dir/after" "$dir"/*.pid
	done
	stop_host
}

only_host() {
	for p in $(ours); do
		[ "$p" = "$host" ] || return 1
	done
}

both ask
either limited
