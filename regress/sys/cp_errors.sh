#!/bin/sh
# SPDX-License-Identifier: ISC
# What cp cannot copy is told by name and with the reason, the rest is copied;
# the status tells which of both it was.
. regress/sys/lib.sh

cp_() {
	status=0
	run skypty cp -i "$dir/client" --no-visor-key "$@" \
		>"$dir/out" 2>"$dir/err.cp" || status=$?
	[ ! -s "$dir/out" ] || fail "cp $* has output"
	! grep -q "$(printf '\033')" "$dir/err.cp" ||
		fail "an escape reached the terminal"
}

# told STATUS TEXT WORD...
told() {
	wanted=$1
	text=$2
	shift 2
	cp_ "$@"
	equal $status "$wanted" "status of cp $*"
	has "$dir/err.cp" "$text"
}

others() {
	for file in a b; do
		cmp "$dir/$file" "$dir/to/$file" ||
			fail "$file was not copied, $1"
	done
}

missing() {
	d=$(dest):$dir
	told 1 "nowhere: No such file" "$dir/nowhere" "$d/x"
	told 1 "nowhere on the host: No such file" "$d/nowhere" "$dir/x"
	told 1 "x on the host: No such file" "$dir/a" "$d/none/x"
	told 1 "none/x: No such file" "$d/a" "$dir/none/x"
	[ ! -e "$dir/x" ] || fail "a file came of nothing"
	# The others are copied.
	told 1 "nowhere" "$dir/nowhere" "$dir/a" "$dir/b" "$d/to"
	others up
	rm "$dir/to/a" "$dir/to/b"
	told 1 "nowhere" "$d/nowhere" "$d/a" "$d/b" "$dir/to"
	others down
	told 1 "b/under on the host" "$dir/a" "$d/b/under"
}

directories() {
	told 1 "to: is a directory: not copied without -r" "$dir/to" "$d/x"
	told 1 "to: is a directory: not copied without -r" "$d/to" "$dir/x"
	told 1 "is no directory" "$dir/a" "$dir/b" "$d/a"
	told 1 "is no directory" "$d/a" "$d/b" "$dir/a"
	told 1 "no directory" -r "$dir/to" "$d/a"
	told 1 "no directory" -r "$d/to" "$dir/a"
	told 1 "neither a file nor a directory" "$dir/fifo" "$d/x"
	told 1 "neither a file nor a directory" "$d/fifo" "$dir/x"
	told 1 "No such device" "$d/a" "$dir/socket"
	# The user names a pipe to wait for its reader; the host does not.
	told 1 "No such device" "$d/[a]" "$dir/piped"
	has "$dir/a" "this is a"
}

names() {
	name=$(printf 'esc\033]0;evil\007\nnew')
	told 1 'esc\033]0;evil\a\nnew: No such file' "$dir/$name" "$d/x"
	told 1 'esc\033]0;evil\a\nnew on the host' "$d/$name" "$dir/x"
}

denied() {
	$as sh -c 'cd "$1" && echo x >secret && chmod 0 secret && mkdir closed &&
		echo x >closed/x && chmod 0 closed && mkdir -p tree/closed &&
		echo x >tree/open && chmod 0 tree/closed' sh "$dir"
	told 1 "secret: Permission denied" "$dir/secret" "$d/x"
	told 1 "secret on the host: Permission denied" "$d/secret" "$dir/x"
	told 1 "secret on the host: Permission denied" "$dir/a" "$d/secret"
	told 1 "secret: Permission denied" "$d/a" "$dir/secret"
	told 1 "closed/x: Permission denied" "$d/a" "$dir/closed/x"
	told 1 "tree/closed: Permission denied" -r "$dir/tree" "$d/tree-up"
	has "$dir/tree-up/open" x
	told 1 "tree/closed on the host: Permission denied" -r "$d/tree" \
		"$dir/tree-down"
	has "$dir/tree-down/open" x
	chmod 700 "$dir/closed" "$dir/tree/closed" "$dir/tree-down/closed"
}

# A target directory that cannot be made is told once, not for each file.
no_directory() {
	$as sh -c 'cd "$1" && mkdir -p wide/d && for i in $(seq 50); do
		echo x >wide/d/$i; done && mkdir narrow && echo x >narrow/d' \
		sh "$dir"
	told 1 "narrow/d: is on the host, but is no directory" -r \
		"$dir/wide/." "$d/narrow"
	equal "$(wc -l <"$dir/err.cp")" 1 "messages, up"
	told 1 "narrow/d: is here, but is no directory" -r "$d/wide/." \
		"$dir/narrow"
	equal "$(wc -l <"$dir/err.cp")" 1 "messages, down"
}

usage() {
	told 64 "names no host" "$dir/a" "$dir/b"
	told 64 "is on a host, as the target is" "$d/a" "$d/b"
	told 64 "names no host" "$dir/a" "$d/b" "$dir/to"
	told 64 "is on another host" "$d/a" "02aa@host:x" "$dir/to"
	told 64 "a source and a target are needed" "$dir/a"
	told 64 "unknown option '--frobnicate'" --frobnicate "$dir/a" "$d/x"
	told 64 "option '-i' needs a value" "$dir/a" "$d/x" -i
	told 64 "not a public key" "$dir/a" "02aa@host:x"
	told 64 "nowhere" -i "$dir/nowhere" "$dir/a" "$d/x"
}

unserved() {
	stop_host
	told 255 "connection refused" "$dir/a" "$d/x"
	conf sftp_server '"none"'
	start_host
	told 255 "files are not served here" "$dir/a" "$(dest):$dir/x"
	stop_host
	conf
	start_host
	d=$(dest):$dir
}

errors() {
	start_host
	$as sh -c 'cd "$1" && echo this is a >a && echo this is b >b &&
		mkdir to piped && mkfifo fifo piped/a' sh "$dir"
	python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$dir/socket"
	chmod 777 "$dir/socket"
	missing
	directories
	names
	no_directory
	[ "$uid" -eq 0 ] || denied
	usage
	unserved
	stop_host
}

# A full disk fails the file that does not fit; its beginning stays.
full() {
	start_host
	mkdir "$dir/small"
	mount -t tmpfs -o size=3m tmpfs "$dir/small" 2>"$dir/err.mount" || {
		stop_host
		return 0
	}
	d=$(dest):$dir
	head -c 9000000 /dev/urandom >"$dir/big"
	echo a >"$dir/a"
	filled=0
	(fill) || filled=$? # what fails there must not leave the mount behind
	umount "$dir/small"
	stop_host
	return $filled
}

fill() {
	told 1 "small/big: No space left on device" "$d/big" "$dir/small"
	part_of_big
	told 1 "small/big on the host: failure" "$dir/big" "$d/small"
	part_of_big
	mount -o remount,size=20m "$dir/small"
	cp_ --resume "$dir/big" "$d/small"
	equal $status 0 "status of --resume"
	cmp "$dir/big" "$dir/small/big" || fail "the rest does not fit"
}

part_of_big() {
	n=$(wc -c <"$dir/small/big")
	[ "$n" -gt 2000000 ] || fail "only $n bytes were kept"
	head -c "$n" "$dir/big" | cmp -n 2000000 - "$dir/small/big" ||
		fail "other bytes were kept"
	rm -f "$dir/small/other"
}

both errors
[ "$(id -u)" -ne 0 ] || as_root full
