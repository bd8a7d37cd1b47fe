#!/bin/sh
# SPDX-License-Identifier: ISC
# For each connection the log tells who, what for, why it has ended and how
# long it was; for each command its status.
. regress/sys/lib.sh

before=0 # lines of the log that do not count any more

# said PATTERN: a line of the log, by an extended regular expression; <t> stands
# for a duration, and <b> for how many bytes there were.
said() {
	wait_for "'$1' in the log" says "$1"
}

says() {
	tail -n "+$((before + 1))" "$log" |
		grep -qE "$(echo "$1" | sed 's/<t>/([0-9.]+ s|[0-9hm]+s)/g
			s/<b>/; [0-9]+ bytes in, [0-9]+ out/g')"
}

# fresh: the lines of what came before count no more.
fresh() {
	wait_for "the ends of connections" has_no_child "$host"
	before=$(wc -l <"$log")
}

closed() {
	said "Connection closed: $1 after <t>; key $client; $2(<b>)?\$"
}

commands() {
	start_host
	before=0
	from='127\.0\.0\.1 port [0-9]+:'
	on_ssh "$pk@127.0.0.1" 'exit 3' >"$dir/out" 2>"$dir/err.ssh"
	said "$from Command started: /bin/.*, pid [0-9]+\$"
	said "$from Command ended: .*, pid [0-9]+: status 3 after <t>; 0 bytes in, 0 out\$"
	closed served "command<b>"

	fresh
	on_host -- false
	said "$from Command started: false, pid [0-9]+\$"
	said "$from Command ended: false, pid [0-9]+: status 1 after <t>; 0 bytes in, 0 out\$"
	closed served command

	fresh
	# shellcheck disable=SC2016 # $$ is the other shell's
	on_host -- sh -c 'kill -9 $$' 2>"$dir/err.killed"
	said "Command ended: sh, pid [0-9]+: signal 9 after <t><b>\$"
	on_host -t 1s -- sleep 601 2>"$dir/err.time"
	said "Command ended: sleep, pid [0-9]+: time limit after <t><b>\$"
	on_host -- /no/such/program 2>"$dir/err.none"
	said "Command not started: fork/exec /no/such/program: no such file"
	closed served "nothing was asked for"
	hasnt "$log" "arguments"

	fresh
	spawn "$dir/log.exec" "$bin/skypty" exec -t 0 -i "$dir/client" \
		--no-visor-key --via "$(dest)" -- sleep 601
	left_behind "hung up"
	# shellcheck disable=SC2046
	spawn "$dir/log.ssh" $(as_ssh) "$pk@127.0.0.1" "exec sleep 602"
	left_behind "goes on"
	kill "$(sed -n 's/.*Command left: .*, pid \([0-9]*\): goes on.*/\1/p' \
		"$log")" || fail "it does not go on"
	stop_host
}

# left_behind FATE: the client at work is killed.
left_behind() {
	said "Command started: .*"
	kill -9 "$pid"
	said "Command left: .*, pid [0-9]+: $1 after <t><b>\$"
	closed "(client left|connection reset)" "command<b>"
	fresh
}

terminals() {
	start_host
	before=0
	# Its client stays until that has been told.
	spawn "$dir/held" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" handshake mux dmsgpty/pty \
		start /bin/sh -c 'exit 3' ';' reply hold
	said "Terminal started: /bin/sh, pid [0-9]+\$"
	said "Terminal ended: /bin/sh, pid [0-9]+: status 3 after <t>; 0 bytes in, 0 out\$"
	kill "$pid"
	closed "client left" terminal

	fresh
	open_shell
	kill -9 "$client_pid"
	# Its terminal has hung up already, or is about to.
	said "Terminal (left|ended): /bin/sh, pid [0-9]+: (hung up|signal 1) after <t><b>\$"
	closed "(client left|connection reset)" terminal
	exec 9>&-

	fresh
	open_shell
	monitor_of "$host"
	kill "$monitor"
	said "Connection closed: killed by pid $$ of uid $(id -u) after <t>; key"
	exec 9>&-

	fresh
	open_shell
	monitor_of "$host"
	kill -9 "$monitor"
	said "monitor $monitor was killed by signal 9"
	exec 9>&-

	fresh
	open_shell
	monitor_of "$host"
	wait_for "the child" has_child "$monitor"
	for p in $(children "$monitor"); do
		case $(readlink "/proc/$p/exe") in
		*/skyptyd-net) kill -9 "$p" ;;
		esac
	done
	said "confined child killed by signal 9"
	closed "its confined process failed" terminal
	exec 9>&-
	stop_host
}

others() {
	start_host
	before=0
	raw handshake mux dmsgpty/none >"$dir/out"
	said "net: asked for dmsgpty/none, which is not offered"
	closed "(service refused|client left)" "nothing was asked for"

	fresh
	raw handshake >"$dir/out"
	closed "client left" "nothing was asked for"

	fresh
	raw handshake mux dmsgpty/pty exec true ';' reply \
		exec false ';' reply >"$dir/out"
	closed "client left" "2 commands"

	fresh
	run skypty whitelist --cliaddr "$sock" >"$dir/out"
	said "control: Connection closed: client left after <t>; uid $uid; whitelist<b>\$"
	stop_host
}

# How much has moved: to it, and from it, to the byte.
bytes() {
	start_host
	before=0
	head -c 70000 /dev/zero | on_ssh "$pk@127.0.0.1" \
		'head -c 70000 >/dev/null; head -c 300001 /dev/zero; sleep 0.1
		printf err >&2' >"$dir/out" 2>"$dir/err.ssh"
	said "Command ended: .*: status 0 after <t>; 70000 bytes in, 300004 out\$"
	closed served "command; [0-9]{5} bytes in, 3[0-9]{5} out"

	# Its Go peers gather.
	fresh
	raw handshake mux dmsgpty/pty exec printf 12345 ';' reply >"$dir/out"
	said "Command ended: printf, .*: status 0 after <t>; 0 bytes in, 5 out\$"

	# A background process holds the output: the end is told all the same.
	fresh
	spawn "$dir/log.held" "$bin/skypty" exec -t 0 -i "$dir/client" \
		--no-visor-key --via "$(dest)" -- sh -c 'sleep 600 & exit 4'
	said "Command ended: sh, pid [0-9]+: status 4 after <t>\$"
	kill "$pid"
	closed "(client left|connection reset)" "command<b>"

	fresh
	head -c 123456 /dev/zero >"$dir/file"
	$as "$bin/skypty" cp -i "$dir/client" --no-visor-key "$dir/file" \
		"$(dest):$dir/copy" >"$dir/out" 2>&1 ||
		fail "cp: $(cat "$dir/out")"
	said "SFTP (left|ended): pid [0-9]+: .* after <t>; 12[3-9]{1}[0-9]{3} bytes in, [0-9]+ out\$"
	stop_host
}

# What each level adds.
levels() {
	start_host --log-level debug
	before=0
	on_host -- sh -c 'exit 2' word
	said "net: asked for skypty/1/exec"
	said "Command arguments, pid [0-9]+: -c exit 2 word\$"
	new_key stranger
	raw_as stranger
	said "Refused key $key: not on the whitelist"
	said "Connection closed, nobody was let in: refused after <t>\$"
	stop_host

	# It does not say then that it serves.
	port=$(free_port)
	log=$dir/log.warn
	spawn "$log" "$bin/skyptyd" tcp -c "$dir/host.json" \
		--addr "127.0.0.1:$port" --cliaddr "" --log-level warn
	host=$pid
	wait_for "the host" on_host -- true
	stop_host
	hasnt "$log" "Connection closed"
	hasnt "$log" "Accepted key"
}

raw_as() {
	"$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" "$dir/$1" handshake \
		>"$dir/out" 2>&1
}

either commands
either terminals
either others
either bytes
either levels
