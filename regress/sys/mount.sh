#!/bin/sh
# SPDX-License-Identifier: ISC
# skypty fs mount shows a host's files in a folder here, until it is
# interrupted or told to unmount.
. regress/sys/lib.sh

# begin_mount FLAG...: of $dir/there, unless a flag says otherwise.
begin_mount() {
	spawn "$dir/log.mount" "$bin/skypty" fs mount -i "$dir/client" \
		--remote-root "$dir/there" "$@" "$pk@127.0.0.1:$port" "$mnt"
	client_pid=$pid
	wait_for "the mount" is_mounted "$mnt"
}

# ended: with nothing to complain about.
ended() {
	wait_gone "the client" "$client_pid"
	status=0
	wait "$client_pid" || status=$?
	equal $status 0 "status of the mount"
	is_not_mounted "$mnt" || fail "it is still mounted"
	equal "$($as ls -A "$mnt")" "" "what is left in the folder"
	equal "$(cat "$dir/log.mount")" "" "what the mount said"
	wait_for "the connection's end" has_no_child "$host"
}

end_mount() {
	kill -"${1-INT}" "$client_pid"
	ended
}

scene() {
	need_fuse
	start_host
	mnt=$dir/mnt
	$as mkdir "$mnt" "$dir/there"
}

# refused TEXT ARGUMENT...
refused() {
	text=$1
	shift
	status=0
	run skypty fs mount -i "$dir/client" "$@" >"$dir/out" \
		2>"$dir/err.mount" || status=$?
	equal $status 64 "status of $*"
	has "$dir/err.mount" "$text"
}

files() {
	scene
	begin_mount
	echo "from here" | $as tee "$mnt/a" >/dev/null
	equal "$(cat "$dir/there/a")" "from here" "a file written"
	head -c 3000000 /dev/urandom | $as tee "$dir/there/b c" >/dev/null
	$as cmp "$dir/there/b c" "$mnt/b c" || fail "a file read was changed"
	$as cp -p "$mnt/b c" "$mnt/copy"
	$as chmod 600 "$mnt/copy"
	cmp "$dir/there/b c" "$dir/there/copy" ||
		fail "a file written was changed"
	equal "$(stat -c %a "$dir/there/copy")" 600 "mode"
	$as mkdir "$mnt/folder"
	$as mv "$mnt/copy" "$mnt/folder"
	$as ln -s "b c" "$mnt/link"
	$as rm "$mnt/a"
	equal "$(ls -m "$dir/there")" "b c, folder, link" "names"
	$as cmp "$mnt/link" "$mnt/folder/copy" || fail "a link leads nowhere"
	# A file system that has no files without names.
	for force in "" --force; do
		# shellcheck disable=SC2086
		run skypty keygen $force "$mnt/key" >"$dir/printed" ||
			fail "no key in the mount"
		equal "$(run skypty pk -i "$dir/there/key" 2>/dev/null)" \
			"$(cat "$dir/printed")" "a key in the mount"
	done
	if run skypty keygen "$mnt/key" 2>"$dir/err.key"; then
		fail "a key was replaced"
	fi
	has "$dir/err.key" "/key: File exists"
	equal "$(stat -c %a "$dir/there/key")" 600 "mode of the key"
	equal "$(find "$dir/there" -name '*key*')" "$dir/there/key" \
		"what is beside it"
	$as rm "$mnt/key"
	$as mkdir "$dir/other"
	refused "something is mounted there already" "$pk@127.0.0.1:$port" \
		"$mnt"
	end_mount

	for signal in TERM HUP; do
		begin_mount
		end_mount $signal
	done
	stop_host
}

read_only() {
	scene
	echo kept | $as tee "$dir/there/a" >/dev/null
	begin_mount --ro
	for c in "rm $mnt/a" "touch $mnt/b" "mkdir $mnt/c"; do
		# shellcheck disable=SC2086
		if $as $c 2>"$dir/out"; then
			fail "$c was possible"
		fi
		has "$dir/out" "Read-only file system"
	done
	equal "$($as cat "$mnt/a")" kept "a file read"
	end_mount
	stop_host
}

# All of it, if no root is given.
whole() {
	scene
	echo x | $as tee "$dir/there/a" >/dev/null
	spawn "$dir/log.mount" "$bin/skypty" fs mount -i "$dir/client" \
		"$pk@127.0.0.1:$port" "$mnt"
	client_pid=$pid
	wait_for "the mount" is_mounted "$mnt"
	equal "$($as cat "$mnt$dir/there/a")" x "a file by its full name"
	end_mount
	stop_host
}

size_in() {
	$as stat -c %s "$1"
}

# How long the kernel and sshfs may believe what they have heard.
remembers() {
	scene
	echo 34 | $as tee "$dir/there/a" >/dev/null
	begin_mount --attr-ttl 1m --entry-ttl 1m30s
	equal "$(size_in "$mnt/a")" 3 "size"
	echo 56789 | $as tee "$dir/there/a" >/dev/null
	equal "$(size_in "$mnt/a")" 3 "size, remembered"
	end_mount
	begin_mount --attr-ttl 0s --entry-ttl 0s
	equal "$(size_in "$mnt/a")" 6 "size"
	echo 8 | $as tee "$dir/there/a" >/dev/null
	equal "$(size_in "$mnt/a")" 2 "size, asked for again"
	end_mount
	refused "--attr-ttl soon" --attr-ttl soon "$pk@127.0.0.1:$port" "$mnt"
	refused "--entry-ttl -1s" --entry-ttl=-1s "$pk@127.0.0.1:$port" "$mnt"
	stop_host
}

unmounts() {
	scene
	begin_mount
	run skypty fs umount "$mnt" 2>"$dir/err.umount" ||
		fail "umount returned $?"
	ended

	# In use: it goes from the tree at once, and ends with its last user.
	begin_mount
	$as mkfifo "$dir/fifo"
	$as sh -c "cd '$mnt' && exec cat <'$dir/fifo'" >/dev/null 2>&1 &
	pids="$pids $!"
	exec 7>"$dir/fifo"
	user_pid=$!
	wait_for "a user" test "$(readlink "/proc/$user_pid/cwd")" = "$mnt"
	(cd "$dir" && $as "$bin/skypty" fs umount mnt 2>"$dir/err.umount") ||
		fail "umount of what is in use returned $?"
	has "$dir/err.umount" "is in use"
	is_not_mounted "$mnt" || fail "it is still mounted"
	exec 7>&-
	ended

	for d in "$mnt" "$dir/nowhere"; do
		if run skypty fs umount "$d" 2>"$dir/err.umount"; then
			fail "$d was unmounted"
		fi
		has "$dir/err.umount" "$d"
	done
	refused "$dir/nowhere" "$pk@127.0.0.1:$port" "$dir/nowhere"
	refused "no directory" "$pk@127.0.0.1:$port" "$dir/host.json"
	refused "usage: skypty fs mount" "$pk@127.0.0.1:$port"
	refused "usage: skypty fs mount"
	refused "is neither a destination" "$mnt"
	stop_host
}

either read_only
either whole
either remembers
either unmounts
# The last one: a user may have to skip it.
both files
