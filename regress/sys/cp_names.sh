#!/bin/sh
# SPDX-License-Identifier: ISC
# cp takes patterns and ~user of the host, gives what it copies to what is no
# regular file, and keeps times from before 1970.
. regress/sys/lib.sh
[ -x /usr/lib/openssh/sftp-server ] || skip "there is no sftp-server"

cp_() {
	status=0
	run skypty cp -i "$dir/client" --no-visor-key "$@" \
		>"$dir/out" 2>"$dir/err.cp" || status=$?
}

# got WANTED SOURCE...: the names that these sources bring.
got() {
	wanted=$1
	shift
	$as mkdir "$dir/to"
	cp_ "$@" "$dir/to"
	equal $status 0 "status of $*"
	[ ! -s "$dir/err.cp" ] || fail "cp $* has something to say"
	equal "$(cd "$dir/to" && find . ! -name . | LC_ALL=C sort | tr '\n' ' ')" \
		"$wanted" "what $* brings"
	rm -rf "$dir/to"
}

# told STATUS TEXT ARGUMENT...
told() {
	wanted=$1
	text=$2
	shift 2
	cp_ "$@"
	equal $status "$wanted" "status of cp $*"
	has "$dir/err.cp" "$text"
}

patterns() {
	for name in a.log b.log .c.log d.txt 'e[1].txt' 'e1.txt' 'f*' 'f1'; do
		echo "$name" | $as tee "$there/$name" >/dev/null
	done
	$as mkdir -p "$there/x1/y" "$there/x2/y" "$there/x3"
	echo 1 | $as tee "$there/x1/y/one" >/dev/null
	echo 2 | $as tee "$there/x2/y/two" >/dev/null
	echo 3 | $as tee "$there/x3/y" >/dev/null

	got "./a.log ./b.log " "$at/*.log"
	got "./.c.log " "$at/.*.log"
	got "./a.log ./b.log ./d.txt " "$at/[ab].*" "$at/?.txt"
	got "./one ./two " "$at/x*/y/*"
	got "./one " "$at/x*/y/one"
	got "./y ./y/two " -r "$at/x2/*"
	got "./x1 ./x1/y ./x1/y/one ./x2 ./x2/y ./x2/y/two " -r "$at/x[12]"
	# What is there under its very name is no pattern.
	got "./e[1].txt " "$at/e[1].txt"
	got "./f* " "$at/f*"
	got "./f* " "$at/f\\*"
	got "./f* ./f1 " "$at/[f]*"
	got "./e1.txt ./e[1].txt " "$at/e*"

	told 1 "nothing*: matches no file on the host" "$at/nothing*" "$dir/n"
	[ ! -e "$dir/n" ] || fail "something was made of nothing"
	told 1 "nothing*: matches no file" "$at/nothing*" "$at/d.txt" "$dir/here"
	equal "$(cat "$dir/here/d.txt")" d.txt "what else was to be copied"
	told 1 "is no directory" "$at/*.log" "$dir/n"
	told 1 "No such file" "$at/nothing" "$dir/n"

	# What the host has chosen is not written through a link.
	$as ln -s "$dir/elsewhere" "$dir/here/a.log"
	told 1 "is a symbolic link here" "$at/*.log" "$dir/here"
	[ ! -e "$dir/elsewhere" ] || fail "it was written through a link"
	equal "$(cat "$dir/here/b.log")" b.log "the other file"
}

homes() {
	told 1 "~no-such-user/x" "$(dest):~no-such-user/x" "$dir/n"
	home=$(getent passwd "$account" | cut -d : -f 6)
	[ -d "$home" ] && $as test -x "$home" || return 0
	got "./d.txt " "$(dest):~$account/$up$there/d.txt"
	got "./d.txt " "$(dest):~$account/$up$there/d.t*"
	cp_ "$there/d.txt" "$(dest):~$account/$up$dir/here/up"
	equal $status 0 "status of an upload to a home"
	equal "$(cat "$dir/here/up")" d.txt "what was sent to a home"
}

streams() {
	head -c 3000000 /dev/urandom | $as tee "$there/bytes" >/dev/null
	run skypty cp -q -i "$dir/client" --no-visor-key "$at/bytes" \
		/dev/stdout 2>"$dir/err.cp" | cmp - "$there/bytes" ||
		fail "standard output gets another file"
	echo first | $as tee "$dir/appended" >/dev/null
	# shellcheck disable=SC2024 # it is ours to open
	run skypty cp -q -i "$dir/client" --no-visor-key "$at/bytes" \
		/dev/stdout >>"$dir/appended" 2>"$dir/err.cp" ||
		fail "an appended file: $?"
	{
		echo first
		cat "$there/bytes"
	} | cmp - "$dir/appended" || fail "what was there is lost"
	before=$(stat -c '%a %F' /dev/null)
	cp_ "$at/bytes" /dev/null
	equal $status 0 "status of /dev/null"
	cp_ -p "$at/bytes" /dev/null
	equal $status 0 "status of /dev/null with -p"
	equal "$(stat -c '%a %F' /dev/null)" "$before" "/dev/null"
	told 1 "No space left" "$at/bytes" /dev/full
	told 1 "nothing to resume" --resume "$at/bytes" /dev/null
	$as mkfifo "$dir/pipe"
	cmp "$dir/pipe" "$there/bytes" &
	reader=$!
	pids="$pids $reader"
	cp_ "$at/bytes" "$dir/pipe"
	equal $status 0 "status of a pipe"
	wait $reader || fail "a pipe gets another file"
	# Whoever reads it may come late, or not at all.
	spawn "$dir/log.late" "$bin/skypty" cp -i "$dir/client" "$at/bytes" \
		"$dir/pipe"
	sleep 0.3
	cmp "$dir/pipe" "$there/bytes" || fail "a pipe that is read late"
	wait "$pid" || fail "status of a pipe that is read late: $?"
	spawn "$dir/log.never" "$bin/skypty" cp -i "$dir/client" "$at/bytes" \
		"$dir/pipe"
	sleep 0.3
	kill -TERM "$pid"
	wait_gone "a copy that nobody reads" "$pid"
}

old_times() {
	echo old | $as tee "$there/old" >/dev/null
	$as touch -d '1960-02-03 04:05:06 UTC' "$there/old"
	cp_ -p "$at/old" "$dir/here/old"
	equal $status 0 "status of an old file"
	equal "$(stat -c %Y "$dir/here/old")" "$(stat -c %Y "$there/old")" \
		"time of an old file"
	cp_ -p "$there/old" "$at/older"
	equal $status 0 "status of an old file"
	equal "$(stat -c %Y "$there/older")" 0 "time of an old file there"
	$as touch -d '2035-02-03 04:05:06 UTC' "$there/new"
	cp_ -p "$at/new" "$dir/here/new"
	equal "$(stat -c %Y "$dir/here/new")" "$(stat -c %Y "$there/new")" \
		"time of a file of the future"
}

names() {
	start_host
	there=$dir/there
	$as mkdir "$there" "$dir/here"
	at=$(dest):$there
	up=../../../..
	patterns
	homes
	streams
	old_times
	stop_host
}

both names
