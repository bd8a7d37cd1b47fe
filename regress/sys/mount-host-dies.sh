#!/bin/sh
# SPDX-License-Identifier: ISC
# When the host goes, so does the mount: the folder is free within seconds,
# and whoever waited for a file of it gets an error instead.
. regress/sys/lib.sh

# dies WHAT: what is killed.
dies() {
	rm -f "$dir/fifo"
	spawn "$dir/log.mount" "$bin/skypty" fs mount -i "$dir/client" \
		--remote-root "$dir/there" "$pk@127.0.0.1:$port" "$mnt"
	client_pid=$pid
	wait_for "the mount" is_mounted "$mnt"
	monitor_of "$host"
	net=$(ps -o pid=,comm= --ppid "$monitor" |
		sed -n 's/^ *\([0-9]*\) skyptyd-net$/\1/p')
	server=$(ps -o pid=,comm= --ppid "$monitor" |
		sed -n 's/^ *\([0-9]*\) sftp-server$/\1/p')

	# A reader that waits for an answer that will never come.
	kill -STOP "$server"
	$as cat "$mnt/a" >/dev/null 2>"$dir/out" &
	reader=$!
	pids="$pids $reader"
	sleep 0.1
	alive "$reader" || fail "the reader does not wait"

	case $1 in
	all) kill -KILL "$monitor" "$net" "$server" ;;
	net) kill -KILL "$net" ;;
	server) kill -KILL "$server" ;;
	esac
	wait_for "the end of the mount by $1" is_not_mounted "$mnt"
	wait_gone "the client" "$client_pid"
	status=0
	wait "$client_pid" || status=$?
	equal $status 255 "status of the mount"
	has "$dir/log.mount" "skypty: $mnt is not mounted any more"
	wait_gone "the reader" "$reader"
	if wait "$reader"; then
		fail "a reader got nothing and calls it a file"
	fi
	equal "$($as timeout 5 ls -A "$mnt")" "" "what is left in the folder"
	wait_for "the connection's end" has_no_child "$host"
}

ends() {
	need_fuse
	start_host
	mnt=$dir/mnt
	$as mkdir "$mnt" "$dir/there"
	echo here | $as tee "$dir/there/a" >/dev/null
	for what in all net server; do
		dies $what
	done
	serves
	stop_host
}

both ends
