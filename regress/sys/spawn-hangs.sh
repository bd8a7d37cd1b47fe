#!/bin/sh
# SPDX-License-Identifier: ISC
# A command lies on a file system that does not answer: its process cannot even
# be killed.  The client is told, and the connection's monitor waits for nobody.
# waits
. regress/sys/lib.sh

hangs() {
	need_fuse
	start_host
	mnt=$dir/mnt
	$as mkdir "$mnt" "$dir/there"
	$as cp /bin/true "$dir/there/program"
	spawn "$dir/log.mount" "$bin/skypty" fs mount -i "$dir/client" \
		--attr-ttl 0 --entry-ttl 0 \
		--remote-root "$dir/there" "$pk@127.0.0.1:$port" "$mnt"
	server=$pid
	wait_for "the mount" is_mounted "$mnt"
	kill -STOP "$server"
	status=0
	on_host -t 1h -- "$mnt/program" 2>"$dir/err.exec" || status=$?
	[ $status -ne 0 ] || fail "it was started"
	has "$dir/err.exec" "connection timed out"
	# Where sshfs has not taken the kernel's question yet it can be killed.
	hanging || echo "its process could be killed"
	# The mount's monitor alone is left.
	wait_for "the end of the monitor" one_child
	kill -CONT "$server"
	wait_for "the end of the process" not_hanging
	run skypty fs umount "$mnt" || fail "umount returned $?"
	wait_gone "the mount's server" "$server"
	serves
	stop_host
}

hanging() {
	for p in $(ours); do
		case $(ps -o stat= -p "$p") in
		D*) return 0 ;;
		esac
	done
	return 1
}

not_hanging() {
	! hanging
}

one_child() {
	[ "$(children "$host" | wc -l)" -eq 1 ]
}

either hangs
