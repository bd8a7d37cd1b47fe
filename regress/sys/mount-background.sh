#!/bin/sh
# SPDX-License-Identifier: ISC
# skypty fs mount --background returns when the mount is there, or could not
# be made; what it leaves behind ends with the mount.
. regress/sys/lib.sh

in_background() {
	run skypty fs mount --background -i "$dir/client" \
		--remote-root "$dir/there" "$@" "$pk@127.0.0.1:$port" \
		"$mnt" >"$dir/log.mount" 2>&1 </dev/null
}

servers() {
	pgrep -f "^$bin/skypty fs mount"
}

no_servers() {
	! servers
}

background() {
	need_fuse
	start_host
	mnt=$dir/mnt
	$as mkdir "$mnt" "$dir/there"
	$as mkdir -p -m 700 "$dir/runtime"
	export XDG_RUNTIME_DIR="$dir/runtime"
	echo here | $as tee "$dir/there/a" >/dev/null
	in_background || fail "status $? of a mount"
	is_mounted "$mnt" || fail "it is not mounted yet"
	equal "$($as cat "$mnt/a")" here "a file"
	server=$(servers)
	equal "$(ps -o sid= -p "$server" | tr -d ' ')" "$server" "session"

	# It does not hold on to what its caller waits for.
	run skypty fs umount "$mnt" || fail "umount returned $?"
	wait_for "the end of the server" no_servers
	is_not_mounted "$mnt" || fail "it is still mounted"
	equal "$(echo x | timeout 5 sh -c "$as '$bin/skypty' fs mount \
		--background -i '$dir/client' $pk@127.0.0.1:$port '$mnt' |
		cat; echo over")" over "a pipe's end"
	run skypty fs umount "$mnt" || fail "umount returned $?"
	wait_for "the end of the server" no_servers

	# Nobody reads what one in the background says: it is listed.
	in_background || fail "status $? of another mount"
	equal "$(run skypty fs list | cut -f 1,3)" "$mnt	mounted" "list"
	monitor_of "$host"
	kill -KILL "$monitor"
	wait_for "the end of the mount" is_not_mounted "$mnt"
	wait_for "the end of the server" no_servers
	run skypty fs list >"$dir/list" || fail "list returned $?"
	has "$dir/list" "$mnt	$pk@127.0.0.1 port $port	not mounted any more since"
	has "$dir/list" "the connection was closed by the host"
	in_background || fail "status $? of a mount again"
	equal "$(run skypty fs list | cut -f 1,3)" "$mnt	mounted" "list"
	server=$(servers)
	kill -KILL "$server"
	wait_for "the end of the mount" is_not_mounted "$mnt"
	equal "$(run skypty fs list | cut -f 1,3)" "$mnt	not mounted any more" \
		"list behind a mount that was killed"
	in_background || fail "status $? of the last mount"
	run skypty fs umount "$mnt" || fail "umount returned $?"
	wait_for "the end of the server" no_servers
	equal "$(run skypty fs list)" "" "list of nothing"

	# No mount: that is told at once.
	new_key client
	status=0
	in_background || status=$?
	equal $status 255 "status of an unknown key"
	has "$dir/log.mount" "not on the host's whitelist"
	status=0
	in_background --remote-root "$dir/nowhere" || status=$?
	[ $status -ne 0 ] || fail "a root that is not there was mounted"
	no_servers || fail "a server is left behind"
	stop_host
}

both background
