#!/bin/sh
# SPDX-License-Identifier: ISC
# sshfs works through skypty in ssh's place.
. regress/sys/lib.sh

files() {
	need_fuse
	start_host
	$as mkdir "$dir/there" "$dir/mnt"
	spawn "$dir/log.sshfs" sshfs -f -o "ssh_command=$(as_ssh)" \
		"$pk@127.0.0.1:$dir/there" "$dir/mnt"
	sshfs=$pid
	wait_for "the mount" is_mounted "$dir/mnt"
	echo "from here" | $as tee "$dir/mnt/a" >/dev/null
	equal "$(cat "$dir/there/a")" "from here" "a file written"
	head -c 1000000 /dev/urandom | $as tee "$dir/there/b" >/dev/null
	$as cmp "$dir/there/b" "$dir/mnt/b" || fail "a file was changed"
	$as mkdir "$dir/mnt/folder"
	[ -d "$dir/there/folder" ] || fail "a folder was not made"
	equal "$($as ls -m "$dir/mnt")" "a, b, folder" "list"
	$as fusermount3 -u "$dir/mnt" || fail "cannot unmount"
	wait_gone "sshfs" "$sshfs"
	stop_host
}

both files
