#!/bin/sh
# SPDX-License-Identifier: ISC
# What mounting needs and is not there is named.
. regress/sys/lib.sh

# refused STATUS TEXT PROGRAM...: skypty by way of the program.
refused() {
	wanted=$1
	text=$2
	shift 2
	status=0
	$as "$@" >"$dir/out" 2>"$dir/err.mount" </dev/null || status=$?
	equal $status "$wanted" "status"
	has "$dir/err.mount" "$text"
	is_not_mounted "$dir/mnt" || fail "it is mounted"
}

# mount_by PROGRAM ... FLAG...: the words that mount.
mount_by() {
	refused 255 "$@" "$bin/skypty" fs mount -i "$dir/client" \
		--remote-root "$dir" "$pk@127.0.0.1:$port" "$dir/mnt"
}

fake_sshfs() {
	printf '#!/bin/sh\n%s\n' "$1" | $as tee "$dir/tools/sshfs" >/dev/null
	$as chmod 755 "$dir/tools/sshfs"
}

programs() {
	[ -c /dev/fuse ] || skip "there is no /dev/fuse"
	start_host
	$as mkdir "$dir/mnt" "$dir/tools"
	mount_by "there is no sshfs here; on Debian it is in the package" \
		env PATH="$dir/tools"
	refused 1 "nothing of ours is mounted there" \
		"$bin/skypty" fs umount "$dir/mnt"
	# As a mount that has died, this has no true name.
	$as ln -s lost "$dir/lost"
	refused 1 "there is no fusermount3 here; on Debian" \
		env PATH="$dir/tools" "$bin/skypty" fs umount "$dir/lost"

	# Whatever else it may be is its own to tell.
	fake_sshfs 'echo "does not feel well" >&2; exit 5'
	text="does not feel well"
	[ "$uid" -ne 0 ] || text="sshfs did not mount $dir/mnt (status 5)"
	mount_by "$text" env PATH="$dir/tools:$PATH"
	has "$dir/err.mount" "does not feel well"
	stop_host
}

# It may neither mount nor end.
hangs() {
	[ -c /dev/fuse ] || skip "there is no /dev/fuse"
	start_host
	$as mkdir "$dir/mnt" "$dir/tools"
	fake_sshfs 'echo "starting $$" >&2; exec sleep 61'
	spawn "$dir/log.mount" env PATH="$dir/tools:$PATH" "$bin/skypty" \
		fs mount -i "$dir/client" "$pk@127.0.0.1:$port" "$dir/mnt"
	wait_for "the program" grep -q starting "$dir/log.mount"
	kill -INT "$pid"
	wait_gone "the client" "$pid"
	wait_gone "the program" "$(sed 's/starting //' "$dir/log.mount")"
	stop_host
}

# The device is hidden where only we see it.
device() {
	start_host
	mkdir "$dir/mnt"
	mount_by "/dev/fuse: No such file or directory; mounting needs it" \
		unshare -m sh -c 'mount --make-rprivate / &&
		mount -t tmpfs tmpfs /dev && exec "$@"' sh
	stop_host
}

both programs
either hangs
[ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null || exit 0
as_root device
