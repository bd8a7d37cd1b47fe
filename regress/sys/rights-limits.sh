#!/bin/sh
# SPDX-License-Identifier: ISC
# Of the options of a key: max-sessions, idle-timeout, no-detach, verbose and
# environment; and a confined process that was taken over and asks for what its
# peer's key may not have is ended.
. regress/sys/lib.sh

line() {
	echo "$1 $client" >"$dir/pks"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/pks"
}

limits() {
	wl='' && conf authorized_pks "\"$dir/pks\""
	line "max-sessions=1"
	start_host
	spawn "$dir/hold" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" handshake mux dmsgpty/pty hold
	holder=$pid
	wait_for "a connection" grep -q "mux 0" "$dir/hold"
	refused
	has "$dir/err.refused" "too many connections of your key at once (max-sessions)"
	has "$log" "too many connections (max-sessions)"
	line "max-sessions=2"
	serves
	kill "$holder"
	wait_gone "the first" "$holder"

	hasnt "$log" "asked for skypty/1/exec"
	line verbose
	serves
	has "$log" "asked for skypty/1/exec"
	line 'environment="A=b c",environment="D=e"'
	equal "$(on_host -- sh -c 'echo "$A $D"')" "b c e" "environment="

	# What says nothing is ended, and hung up, whoever keeps the connection.
	line idle-timeout=1
	status=0
	on_host -t 0 -- sh -c "echo \$\$ >$dir/idle; exec sleep 600" \
		>"$dir/out" 2>"$dir/err" || status=$?
	equal $status 255 "status of who was idle"
	has "$log" "Nothing moved for 1 seconds (idle-timeout)"
	wait_gone "the idle command" "$(cat "$dir/idle")"
	raw handshake drain >"$dir/out" 2>&1
	line idle-timeout=1h
	serves

	# A command of skypty-ssh's goes on without it, or does not.
	for right in detach no-detach; do
		line "$right"
		rm -f "$dir/left"
		# shellcheck disable=SC2046
		spawn "$dir/out.ssh" $(as_ssh) "$pk@127.0.0.1" \
			"echo \$\$ >$dir/left; exec sleep 600"
		wait_for "the command" test -s "$dir/left"
		kill -9 "$pid"
		wait_for "the end of $right" has_no_child "$host"
		left=$(cat "$dir/left")
		if [ $right = detach ]; then
			alive "$left" || fail "it did not go on"
			kill "$left"
		fi
		wait_gone "the command" "$left"
	done
	stop_host
	unset wl
}

# The order's first request is what is looked at.
liar() {
	stand_in hostile_net
	marker=$dir/mark
	echo "$marker" >"$bin/marker"
	wl='' && conf authorized_pks "\"$dir/pks\""
	line restrict
	start_host
	for lie in genuine:EXEC_START pty-garbage:PTY_START \
		stop-too-long:PTY_STOP sftp-too-long:SFTP_START \
		end-unknown:EXEC_END signal-unknown:EXEC_SIGNAL; do
		order "${lie%:*}"
		before=$(wc -l <"$log")
		raw handshake drain >"$dir/out" 2>&1 </dev/null
		wait_for "the end of $lie" has_no_child "$host"
		tail -n +$((before + 1)) "$log" >"$dir/said"
		has "$dir/said" "request ${lie#*:} refused: not granted"
		[ ! -e "$marker" ] || fail "$lie: a command was started"
	done
	line restrict,exec
	order genuine
	raw handshake drain >"$dir/out" 2>&1 </dev/null
	wait_for "the marker" test -e "$marker"
	stop_host
	unset wl
}

either limits
either liar
