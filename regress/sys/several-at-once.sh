#!/bin/sh
# SPDX-License-Identifier: ISC
# One connection may have several terminals, commands, SFTP servers and jobs at
# once.  Each is what it would be alone: recorded where its key is, with a
# record of its login, counted where there is a limit, told in the log and by
# skyptyd status; and none goes on when the connection has ended.
. regress/sys/lib.sh

[ "$(id -u)" -ne 0 ] || own_machine "$0"
need_filter

# begins ORDER SCRIPT: a connection that has all of that, and stays.
begins() {
	echo "$2" >"$bin/script"
	order "$1"
	spawn "$dir/log.client" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" handshake hold
	client_pid=$pid
	wait_for "all of them" grep -q "several: all" "$log"
}

ends() {
	kill "$client_pid"
	wait_for "the end of the connection" has_no_child "$host"
	wait_for "the last word" grep -q "Connection closed" "$log"
}

# lines NUMBER PATTERN: so many lines of the log.
lines() {
	[ "$(grep -cE "$2" "$log")" = "$1" ]
}

# told_of NUMBER KIND: the log tells of so many, that they have ended or are
# left, whichever comes first.
told_of() {
	[ "$(sed -n "s/.*: $2 \(ended\|left\): .*pid \([0-9]*\): .*/\2/p" \
		"$log" | sort -u | wc -l)" = "$1" ]
}

so_many() {
	lines "$@" || fail "not $1 lines of '$2': $(cat "$log")"
}

runs() {
	run skyptyd status --cliaddr "$sock" --json >"$dir/json" &&
		"$PYTHON" -c '
import json, sys
c = json.load(open(sys.argv[1]))["connections"]
sys.exit(sys.argv[2] not in [x["runs"] for x in c])' "$dir/json" "$1"
}

all() {
	stand_in several_net
	conf sftp_log '"info"' max_jobs 2
	start_host
	mkdir -m 777 "$dir/pids"
	# shellcheck disable=SC2016 # the shell's
	begins "terminal 2 command 2 server 2 door 1" \
		'echo $$ >'"$dir"'/pids/$0; exec sleep 600'
	for kind in terminal command server; do
		so_many 2 "several: $kind [0-9]+, handle"
	done
	equal "$(sed -n 's/.*several: .*, handle //p' "$log" | sort -u | wc -l)" \
		7 "handles"
	# Its child is no skyptyd-net, and answers no question.
	order real
	wait_for "what runs" runs "terminal /bin/sh, terminal /bin/sh, \
command /bin/sh, command /bin/sh, files, files, jobs"
	wait_for "both servers" lines 2 "sftp: session opened for local user"
	for n in 1 2 3 4; do
		wait_for "number $n" test -s "$dir/pids/$n"
		alive "$(cat "$dir/pids/$n")" || fail "number $n has ended"
	done
	ends
	has "$log" "; 2 terminals, 2 commands, files, jobs"
	for n in 1 2 3 4; do
		wait_gone "number $n" "$(cat "$dir/pids/$n")"
	done
	for kind in Terminal Command SFTP; do
		wait_for "the ends of $kind" told_of 2 "$kind"
	done
	wait_for "both servers" lines 2 "sftp: session closed for local user"
	stop_host
}

# A job is one more of its key's, wherever it was begun.
jobs() {
	stand_in several_net
	conf max_jobs 2 job_dir "\"$dir/jobs\""
	start_host
	mkdir -m 777 "$dir/pids"
	# shellcheck disable=SC2016 # the shell's
	begins "job 5 door 2" 'echo $$ >'"$dir"'/pids/$0; exec sleep 600'
	so_many 5 "several: job [0-9]+, handle"
	wait_for "the ones too many" lines 3 "Job ended: "
	set -- "$dir/pids"/*
	wait_for "two jobs" test -e "$dir/pids/1"
	ends
	so_many 2 "Job left: .* goes on"
	has "$log" "; 5 jobs, jobs"
	set -- "$dir/pids"/*
	equal $# 2 "jobs that run"
	for file; do
		alive "$(cat "$file")" || fail "a job has ended"
		kill "$(cat "$file")"
		wait_gone "a job" "$(cat "$file")"
	done
	stop_host
}

recorded() {
	folder=$dir/rec
	stand_in several_net
	echo "record $client" >"$dir/pks"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/pks"
	wl='' && conf authorized_pks "\"$dir/pks\"" record "\"$folder\""
	start_host
	# shellcheck disable=SC2016 # the shell's
	begins "terminal 3 command 1" \
		'echo this is $0; echo $$ >'"$dir"'/pid.$0; exec sleep 600'
	set -- "$folder"/*.cast
	equal $# 3 "recordings"
	so_many 3 "Terminal is recorded in "
	for n in 1 2 3; do
		wait_for "what number $n says" grep -q "this is $n" "$@"
		equal "$(grep -l "this is $n" "$@" | wc -l)" 1 "recordings of $n"
	done
	! grep -q "this is 4" "$@" || fail "a command is recorded"
	# One that is not recorded any more does not go on; the others do.
	first=$(pgrep -f "^skyptyd: record" | while read -r pid; do
		case $(readlink "/proc/$pid/exe") in
		"$dir"/*) echo "$pid" ;;
		esac
	done | head -n 1)
	[ -n "$first" ] || fail "there is no recorder"
	kill -9 "$first"
	wait_for "the end of its terminal" lines 1 "Terminal ended: "
	so_many 1 "Recording failed: killed by signal 9"
	left=0
	for n in 1 2 3 4; do
		gone "$(cat "$dir/pid.$n")" || left=$((left + 1))
	done
	equal $left 3 "what goes on"
	ends
	wait_for "the end of the others" lines 2 "Recording ended: "
	for file; do
		"$PYTHON" "$LIB/cast.py" o "$file" >"$dir/out" ||
			fail "not asciicast: $file"
	done
	stop_host
	unset wl
}

logins() {
	login_shell=$(command -v bash) account alice
	authorize "user=\"alice\" $client"
	for file in /run/utmp /var/log/wtmp; do
		: >"$file"
	done
	stand_in several_net
	wl='' && conf
	start_host
	begins "terminal 3 command 1" "exec sleep 600"
	equal "$(who | grep -c "^alice *pts/[0-9]* .*(127.0.0.1)")" 3 \
		"who is here"
	equal "$(who | awk '{ print $2 }' | sort -u | wc -l)" 3 "terminals"
	ends
	wait_for "the end of the records" nobody_here
	wait_for "the records of the past" so_many_past 3
	stop_host
	unset wl
}

nobody_here() {
	[ -z "$(who)" ]
}

so_many_past() {
	last -f /var/log/wtmp >"$dir/log.last"
	[ "$(grep -c "^alice *pts/.* - " "$dir/log.last")" = "$1" ]
}

both all
both jobs
both recorded
[ "$(id -u)" -ne 0 ] || as_root logins
