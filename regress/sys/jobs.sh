#!/bin/sh
# SPDX-License-Identifier: ISC
# Of jobs: what is run is what was asked for, it goes on without its
# connection, without the monitor and without skyptyd, and how it has ended is
# told by the one key that has begun it.

. regress/sys/lib.sh

# job FLAG...: the first word is the command.
job() {
	what=$1
	shift
	run skypty job "$what" -i "${me-$dir/client}" --no-visor-key -q "$@"
}

# a_host [KEY VALUE]...: a host whose jobs are in our folder.
a_host() {
	$as mkdir -p "$dir/kept"
	conf job_dir "\"$dir/kept\"" "$@"
	start_host
}

kept() {
	find "$dir/kept" -mindepth 2 -maxdepth 2 -type d "$@"
}

# keeper_of ID: its pid.
keeper_of() {
	pgrep -f "^skypty-keeper: job $(echo "$1" | cut -c 1-8) "
}

# once FILE: until it is there.
once() {
	wait_for "$1" test -e "$1"
}

state_of() {
	job list --json "$(dest)" </dev/null | grep "\"id\":\"$1\"" >"$dir/out.state"
}

is_ended() {
	state_of "$1" && grep -q '"state":"ended"' "$dir/out.state"
}

life() {
	a_host
	job list "$(dest)" >"$dir/out.none"
	equal "$(cat "$dir/out.none")" "" "a list of nothing"
	id=$(job run -e GREETING=hello "$(dest)" -- sh -c \
		"echo \$GREETING; until [ -e $dir/go ]; do sleep 0.05; done
		echo oops >&2; echo \$HOME; exit 7" </dev/null) ||
		fail "not begun"
	equal ${#id} 32 "digits of an id"
	state_of "$id" || fail "it is not listed"
	has "$dir/out.state" '"state":"running"'
	wait_for "its first output" sh -c \
		"$as $bin/skypty job log -i $dir/client --no-visor-key -q $(dest) $id |
		grep -qx hello"
	# Attached from the begin on, by some of the digits.
	job log -f "$(dest)" "$(echo "$id" | cut -c 1-9)" >"$dir/out.follow" \
		2>"$dir/err.follow" &
	pids="$pids $!"
	follower=$!
	: >"$dir/go"
	status=0
	job wait "$(dest)" "$id" || status=$?
	equal $status 7 "status of the job"
	status=0
	wait $follower || status=$?
	equal $status 0 "status of the log"
	equal "$(head -n 1 "$dir/out.follow")" hello "followed output"
	equal "$(wc -l <"$dir/out.follow")" 2 "lines of followed output"
	equal "$(cat "$dir/err.follow")" oops "its error output"
	job log "$(dest)" "$id" >"$dir/out.log" 2>"$dir/err.log"
	cmp "$dir/out.log" "$dir/out.follow" || fail "the log is another"
	cmp "$dir/err.log" "$dir/err.follow" || fail "so is error output"
	wait_for "the keeper's end" is_ended "$id"
	has "$dir/out.state" '"how":"exited","status":7'
	job forget "$(dest)" "$id" || fail "it is not forgotten"
	equal "$(kept)" "" "what is left of it"
	if job log "$(dest)" "$id" >/dev/null 2>"$dir/err.gone"; then
		fail "it is still there"
	fi
	has "$dir/err.gone" "there is no job of this key with that id"
}

# Nothing of ours is needed: neither the monitor, nor skyptyd, of this or of
# another time.
survives() {
	a_host
	id=$(job run "$(dest)" -- sh -c \
		"echo \$\$ >$dir/job.pid; trap '' HUP
		until [ -e $dir/go ]; do sleep 0.05; done; echo done; exit 3" \
		</dev/null)
	once "$dir/job.pid"
	# Also one that looks at it.
	wait_for "the end of who began it" has_no_child "$host"
	job wait "$(dest)" "$id" >"$dir/out.cut" 2>&1 &
	pids="$pids $!"
	waiter=$!
	wait_for "who looks" grep -q "Jobs asked about" "$log"
	for m in $(children "$host"); do
		kill -9 "$m"
	done
	status=0
	wait $waiter || status=$?
	equal $status 255 "status of who was cut off"
	kill -9 "$host"
	wait_gone "the host" "$host"
	alive "$(cat "$dir/job.pid")" || fail "the job went with the host"
	rm -f "$sock"
	start_host
	state_of "$id" || fail "the new host does not know it"
	has "$dir/out.state" '"state":"running"'
	: >"$dir/go"
	status=0
	job wait "$(dest)" "$id" || status=$?
	equal $status 3 "status of the job"
	equal "$(job log "$(dest)" "$id")" "done" "its output"
}

kills() {
	a_host
	id=$(job run "$(dest)" -- sh -c "echo \$\$ >$dir/job.pid
		sleep 1000 & echo \$! >$dir/below.pid; wait" </dev/null)
	once "$dir/below.pid"
	if job forget "$(dest)" "$id" 2>"$dir/err.forget"; then
		fail "what runs is forgotten"
	fi
	has "$dir/err.forget" "it runs still"
	if job kill --signal NONE "$(dest)" "$id" 2>"$dir/err.none"; then
		fail "there is a signal NONE"
	fi
	job kill --signal SIGTERM "$(dest)" "$id" || fail "not killed"
	wait_gone "the process group" "$(cat "$dir/below.pid")"
	status=0
	job wait "$(dest)" "$id" || status=$?
	equal $status 255 "status of what was killed"
	wait_for "the keeper's end" is_ended "$id"
	job list "$(dest)" >"$dir/out.list"
	has "$dir/out.list" "signal TERM"
	# Its time limit; what has left the group stays, and its output is let
	# go by a KILL.
	id=$(job run -t 1s "$(dest)" -- sh -c \
		"setsid sh -c 'echo \$\$ >$dir/left.pid; exec sleep 1000' & wait" \
		</dev/null)
	once "$dir/left.pid"
	left=$(cat "$dir/left.pid")
	status=0
	job wait "$(dest)" "$id" 2>"$dir/err.late" || status=$?
	equal $status 124 "status of what took too long"
	alive "$left" || fail "what has left the group was killed"
	if job forget "$(dest)" "$id" 2>"$dir/err.held"; then
		fail "what is held is forgotten"
	fi
	has "$dir/err.held" "holds its output still"
	job kill --signal KILL "$(dest)" "$id" || fail "its output is not let go"
	wait_for "its being forgotten" job forget "$(dest)" "$id"
	alive "$left" || fail "what has left the group was killed"
	kill "$left"
}

# Others see nothing, and without the rights there is nothing.
only_its_key() {
	new_key other
	other=$key
	new_key third
	third=$key
	new_key fourth
	fourth=$key
	printf '%s\n' "$client" "$other" "no-detach $third" "no-exec $fourth" \
		>"$dir/authorized"
	chmod 600 "$dir/authorized"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/authorized"
	wl='' a_host authorized_pks "\"$dir/authorized\""
	id=$(job run "$(dest)" -- sleep 1000 </dev/null) || fail "not begun"
	for what in log wait kill forget; do
		if me=$dir/other job "$what" "$(dest)" "$id" \
			2>"$dir/err.$what"; then
			fail "$what of another's job"
		fi
		has "$dir/err.$what" "there is no job of this key with that id"
	done
	equal "$(me=$dir/other job list "$(dest)")" "" "another's list"
	for who in third fourth; do
		for what in run list; do
			if me=$dir/$who job $what "$(dest)" -- true </dev/null \
				2>"$dir/err.$who"; then
				fail "$what of $who"
			fi
		done
	done
	if me=$dir/third job list "$(dest)" 2>"$dir/err.third"; then
		fail "a list without the right"
	fi
	has "$dir/err.third" "no-detach"
	# Whoever may use the control socket sees all of that user's.
	run skypty job list -q --cliaddr "$sock" >"$dir/out.control"
	has "$dir/out.control" "$(echo "$id" | cut -c 1-12)"
	run skypty job kill -q --cliaddr "$sock" -- "$id"
	if job wait "$(dest)" "$id" 2>/dev/null; then
		fail "it was not killed"
	fi
}

# A forced command is run as a job, too, and nothing else.
forced() {
	printf 'restrict,detach,command="echo forced \\"$SKYPTY_ORIGINAL_COMMAND\\"" %s\n' \
		"$client" >"$dir/authorized"
	chmod 600 "$dir/authorized"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/authorized"
	wl='' a_host authorized_pks "\"$dir/authorized\""
	id=$(job run "$(dest)" -- touch "$dir/free" </dev/null) ||
		fail "not begun"
	job wait "$(dest)" "$id" || fail "the forced command failed"
	equal "$(job log "$(dest)" "$id")" "forced touch $dir/free" \
		"what was run"
	[ ! -e "$dir/free" ] || fail "what was asked for was run"
	# What a line of authorized_pks says is not for who has the key.
	job list "$(dest)" >"$dir/out.forced"
	has "$dir/out.forced" "  touch $dir/free"
	hasnt "$dir/out.forced" "echo forced"
}

errors() {
	a_host max_jobs 2
	status=0
	job run "$(dest)" -- /nowhere/at/all </dev/null 2>"$dir/err.start" ||
		status=$?
	equal $status 127 "status of what is not there"
	has "$dir/err.start" "no such file or directory"
	status=0
	job run "$(dest)" -- not-in-path </dev/null 2>"$dir/err.path" ||
		status=$?
	equal $status 127 "status of what is not in PATH"
	echo '#!/nowhere' >"$dir/script"
	chmod 755 "$dir/script"
	status=0
	job run "$(dest)" -- "$dir/script" </dev/null 2>"$dir/err.script" ||
		status=$?
	equal $status 127 "status of what has no interpreter"
	equal "$(kept)" "" "what is left of them"
	job run "$(dest)" -- true </dev/null >"$dir/out.one"
	job run "$(dest)" -- true </dev/null >"$dir/out.two"
	if job run "$(dest)" -- true </dev/null 2>"$dir/err.many"; then
		fail "there are more than max_jobs"
	fi
	has "$dir/err.many" "max_jobs"
	wait_for "its end" job forget "$(dest)" "$(cat "$dir/out.one")"
	job run "$(dest)" -- true </dev/null >/dev/null ||
		fail "there is no room when one is forgotten"
	stop_host
	conf max_jobs 0
	start_host
	if job list "$(dest)" 2>"$dir/err.off"; then
		fail "jobs are on"
	fi
	has "$dir/err.off" "jobs are not kept here"
}

# Input goes along as a whole; output is bounded, and its end is kept.
in_and_out() {
	a_host job_output 1
	head -c 900000 /dev/urandom >"$dir/in"
	id=$(job run "$(dest)" -- sha256sum <"$dir/in")
	job wait "$(dest)" "$id" || fail "sha256sum failed"
	equal "$(job log "$(dest)" "$id" | cut -d ' ' -f 1)" \
		"$(sha256sum <"$dir/in" | cut -d ' ' -f 1)" "its sum"
	head -c 1100000 /dev/zero >"$dir/much"
	if job run "$(dest)" -- cat <"$dir/much" 2>"$dir/err.much"; then
		fail "more input than there may be"
	fi
	has "$dir/err.much" "at most 1 MiB"
	equal "$(job run -f "$(dest)" -- cat <"$dir/in" | sha256sum)" \
		"$(sha256sum <"$dir/in")" "output that is followed"
	id=$(job run "$(dest)" -- seq 1 1000000 </dev/null)
	job wait "$(dest)" "$id" || fail "seq failed"
	job log "$(dest)" "$id" >"$dir/out.seq" 2>"$dir/err.seq"
	equal "$(tail -n 1 "$dir/out.seq")" 1000000 "its last line"
	has "$dir/err.seq" "bytes of its output are not kept"
	size=$(stat -c %s "$dir/out.seq")
	if [ "$size" -lt 786432 ] || [ "$size" -gt 1179648 ]; then
		fail "$size bytes are kept of a MiB"
	fi
	# All of them, one after the other.
	tail -n 1000 "$dir/out.seq" >"$dir/out.tail"
	seq 999001 1000000 | cmp - "$dir/out.tail" || fail "the end is another"
}

# A limit on the size of files costs output, as a full disk does.
file_limit() {
	a_host
	id=$(job run "$(dest)" -- sh -c "until [ -e $dir/go ]; do sleep 0.05; done
		seq 1 100000; exit 3" </dev/null)
	prlimit --pid "$(keeper_of "$id")" --fsize=65536
	: >"$dir/go"
	status=0
	job wait "$(dest)" "$id" || status=$?
	equal $status 3 "status of the job"
	equal "$(job log "$(dest)" "$id" | head -n 1)" 1 "its first line"
}

sockets_of() {
	find "/proc/$1/fd" -lname 'socket:*' | wc -l
}

all_look() {
	[ "$(sockets_of "$keeper")" = $((few + 32)) ]
}

# It is killed also when no more can look at it.
crowd() {
	a_host
	id=$(job run "$(dest)" -- sleep 1000 </dev/null)
	keeper=$(keeper_of "$id")
	wait_for "the end of the connection" has_no_child "$host"
	few=$(sockets_of "$keeper")
	for i in $(seq 32); do
		job wait "$(dest)" "$id" >"$dir/out.$i" 2>&1 &
		pids="$pids $!"
	done
	wait_for "all of them" all_look
	if job wait "$(dest)" "$id" 2>"$dir/err.more"; then
		fail "one more looks at it"
	fi
	has "$dir/err.more" "too many look at it"
	job kill "$(dest)" "$id" || fail "not killed"
	wait_for "its end" is_ended "$id"
}

# Who is killed leaves no lie: the job is lost, and only that.
lost() {
	a_host
	id=$(job run "$(dest)" -- sleep 1000 </dev/null)
	keeper=$(keeper_of "$id")
	[ -n "$keeper" ] || fail "there is no keeper"
	below=$(children "$keeper")
	kill -9 "$keeper"
	wait_gone "the keeper" "$keeper"
	state_of "$id" || fail "it is not listed"
	has "$dir/out.state" '"state":"lost"'
	if job wait "$(dest)" "$id" 2>"$dir/err.lost"; then
		fail "its status is known"
	fi
	has "$dir/err.lost" "how it has ended is not known"
	if job kill "$(dest)" "$id" 2>"$dir/err.kill"; then
		fail "what is lost is killed"
	fi
	job forget "$(dest)" "$id" || fail "what is lost cannot be forgotten"
	kill -9 "$below"
}

# The user's, and nobody else's; who would have it otherwise is refused.
files() {
	a_host
	id=$(job run "$(dest)" -- true </dev/null)
	folder=$(kept -name "$id")
	equal "$(stat -c '%a %u' "$folder")" "700 $uid" "mode of its folder"
	equal "$(stat -c '%a %u' "$folder/job")" "600 $uid" "mode of its file"
	chmod 755 "${folder%/*}"
	if job list "$(dest)" 2>"$dir/err.open"; then
		fail "a folder that is open to others is used"
	fi
	has "$dir/err.open" "mode 0700"
	chmod 700 "${folder%/*}"
	# Without an age none goes by itself, also none of before.
	wait_for "its end" is_ended "$id"
	stop_host
	conf job_dir "\"$dir/kept\"" job_age 0
	start_host
	job list "$(dest)" >"$dir/out.age"
	has "$dir/out.age" "true"
}

# On many hosts: it is begun, and goes on when nobody is there any more.
fleet() {
	at_addr=0.0.0.0
	a_host
	for i in 1 2 3; do
		echo "$pk@127.0.0.$i:$port"
	done >"$dir/hosts"
	chmod 644 "$dir/hosts"
	run skypty fleet --detach -i "$dir/client" --no-visor-key \
		--output "$dir/out.fleet" "@$dir/hosts" -- sh -c "
		until [ -e $dir/go ]; do sleep 0.05; done
		echo once >>$dir/ran" </dev/null >"$dir/out.ids" \
		2>"$dir/err.fleet" || fail "fleet: $(cat "$dir/err.fleet")"
	equal "$(kept | wc -l)" 3 "jobs that were begun"
	: >"$dir/go"
	for f in "$dir"/out.fleet/*.out; do
		job wait "$(dest)" "$(cat "$f")" || fail "no job: $(cat "$f")"
	done
	equal "$(wc -l <"$dir/ran")" 3 "how often it was run"
	# A script goes along, and --check finds that it has done its work.
	echo "until [ -e $dir/go2 ]; do sleep 0.05; done; : >$dir/done" \
		>"$dir/script"
	chmod 644 "$dir/script"
	echo "$pk@127.0.0.1:$port" >"$dir/hosts"
	run skypty fleet --detach --script "$dir/script" --check \
		": >$dir/go2; test -e $dir/done" -i "$dir/client" \
		--no-visor-key "@$dir/hosts" </dev/null >"$dir/out.ids" \
		2>"$dir/err.fleet" || fail "fleet: $(cat "$dir/err.fleet")"
	[ -e "$dir/done" ] || fail "it was not waited for"
	status=0
	run skypty fleet --detach --put "$dir/script" "$dir/x" -i "$dir/client" \
		--no-visor-key "@$dir/hosts" </dev/null 2>"$dir/err.fleet" ||
		status=$?
	equal $status 64 "status of a copy as a job"
}

both fleet
both life
both survives
both kills
both only_its_key
either forced
both errors
both in_and_out
both file_limit
both crowd
both lost
both files
