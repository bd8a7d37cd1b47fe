#!/bin/sh
# SPDX-License-Identifier: ISC
# What a shell or command inherits besides its environment is a login's as
# well: no signal blocked or ignored, no confinement, a session of its own; and
# nothing that the service was given for itself.
. regress/sys/lib.sh

expect_state() {
	for field in SigBlk SigIgn SigCgt; do
		# 32 and 33 are the C library's own; its posix_spawn ignores them.
		case $(value "$1" $field) in
		0000000000000000 | 0000000180000000) ;;
		*) fail "$field in $2: $(value "$1" $field)" ;;
		esac
	done
	equal "$(value "$1" NoNewPrivs)" "$(value /proc/self/status NoNewPrivs)" \
		"NoNewPrivs in $2"
	equal "$(value "$1" Seccomp)" "$(value /proc/self/status Seccomp)" \
		"Seccomp in $2"
	equal "$(value "$1" Uid)" "$uid$tab$uid$tab$uid$tab$uid" "Uid in $2"
	case $(value "$1" Groups) in
	"$groups" | "$groups ") ;;
	*) fail "groups in $2: $(value "$1" Groups), expected $groups" ;;
	esac
}

value() {
	sed -n "s/^$2:[[:space:]]*//p" "$1"
}

state() {
	tab=$(printf '\t')
	start_host
	groups=$(value /proc/self/status Groups | sed 's/ *$//')
	# Root takes the groups that it has by the system's files.
	[ "$uid" -ne 0 ] ||
		groups=$(id -G root | tr ' ' '\n' | sort -n | tr '\n' ' ' |
			sed 's/ *$//')
	[ -z "$as" ] || groups=
	on_host -- cat /proc/self/status >"$dir/exec"
	expect_state "$dir/exec" "a command"
	run skypty shell -i "$dir/client" --no-visor-key -c /bin/cat \
		-a /proc/self/status "$(dest)" </dev/null |
		tr -d '\r' >"$dir/shell"
	expect_state "$dir/shell" "a shell"
	on_host -- sh -c 'echo $$; ps -o pid=,pgid=,sid= -p $$' |
		tr -s ' \n' '  ' >"$dir/ids"
	# shellcheck disable=SC2046
	set -- $(cat "$dir/ids")
	equal "$1 $1 $1" "$2 $3 $4" "process, group and session of a command"
	stop_host
}

# What a login has, of umask, descriptors and protection from a lack of memory.
room() {
	# Not every root may protect a process.
	score=0
	[ "$uid" -ne 0 ] || ! echo -500 2>/dev/null >/proc/$$/oom_score_adj ||
		score=-500
	(
		umask 077
		# shellcheck disable=SC3045 # dash and bash have it
		ulimit -S -n 4096 || exit 1
		start_host
		echo "$host $port $log" >"$dir/started"
	) || exit 1
	[ $score -eq 0 ] || echo 0 >/proc/$$/oom_score_adj
	read -r host port log <"$dir/started"
	pids="$pids $host"
	echo 'umask; ulimit -S -n; cat /proc/self/oom_score_adj' >"$dir/room"
	for verb in exec shell; do
		if [ $verb = exec ]; then
			on_host -- sh "$dir/room" >"$dir/$verb"
		else
			run skypty shell -i "$dir/client" --no-visor-key \
				-c /bin/sh -a "$dir/room" "$(dest)" </dev/null |
				tr -d '\r' >"$dir/$verb"
		fi
		equal "$(head -n 2 "$dir/$verb" | tr '\n' ' ')" "0022 1024 " \
			"umask and descriptors in $verb"
		equal "$(sed -n 3p "$dir/$verb")" 0 "oom_score_adj in $verb"
	done
	equal "$(cat "/proc/$host/oom_score_adj")" $score "the daemon's"
	stop_host
}

both state
both room
