#!/bin/sh
# SPDX-License-Identifier: ISC
# A change of the whitelist can be held up by nobody else, keeps what belongs
# to the file, cleans up after one that was cut off, and says why it fails.
. regress/sys/lib.sh

wl_command() {
	verb=$1
	shift
	run skypty "$verb" -r "$sock" "$@"
}

# Whoever may read the file, or name files in its folder, holds nothing up.
strangers() {
	new_key other
	chmod 644 "$dir/host.json"
	start_host
	stranger="setpriv --reuid=65533 --regid=65533 --clear-groups --"
	kept=$as
	as=
	# shellcheck disable=SC2086
	spawn "$dir/log.stranger" $stranger "$PYTHON" -c 'import fcntl, sys, time
f = [open(p) for p in sys.argv[1:]]
for g in f:
    fcntl.flock(g, fcntl.LOCK_EX)
    fcntl.lockf(g, fcntl.LOCK_SH)
print("held", flush=True)
time.sleep(600)' "$dir/host.json"
	as=$kept
	holder=$pid
	wait_for "the stranger's lock" grep -q held "$dir/log.stranger"
	wl_command whitelist-add "$key" || fail "a stranger keeps keys out"
	wl_command whitelist-remove "$client" "$key" ||
		fail "a stranger keeps keys in"
	refused
	if $stranger cat "$dir/.host.json.lock" 2>/dev/null; then
		fail "a stranger can open the lock"
	fi
	kill "$holder"
	wait_gone "the stranger" "$holder"
	stop_host
	conf
}

# What was left by a change that was killed, and what only looks like it.
cleaned() {
	for f in .host.json.skypty-0123abcd host.json.backup \
		.host.json.skypty-mine; do
		$as cp "$dir/host.json" "$dir/$f"
	done
	start_host
	[ ! -e "$dir/.host.json.skypty-0123abcd" ] ||
		fail "a secret was left behind"
	[ -e "$dir/host.json.backup" ] || fail "a backup is gone"
	[ -e "$dir/.host.json.skypty-mine" ] || fail "somebody's file is gone"
	has "$log" "Removed what a change that was cut off had left"
	$as cp "$dir/host.json" "$dir/.host.json.skypty-01234567"
	wl_command whitelist-add "$pk" || fail "a key was not added"
	[ ! -e "$dir/.host.json.skypty-01234567" ] ||
		fail "a secret was left behind by a change"
	stop_host
	rm "$dir/host.json.backup" "$dir/.host.json.skypty-mine"
}

# attrs CODE: Python on the file's attributes.
attrs() {
	$as "$PYTHON" - "$dir/host.json" <<-END
		import os, struct, sys
		path = sys.argv[1]
		acl = struct.pack("<I", 2) + b"".join(
		    struct.pack("<HHI", *e) for e in [(1, 6, 2**32 - 1),
		    (2, 4, 65533), (4, 0, 2**32 - 1), (16, 4, 2**32 - 1),
		    (32, 0, 2**32 - 1)])
		$1
	END
}

attributes() {
	new_key other
	attrs 'os.setxattr(path, "user.note", b"keep")
os.setxattr(path, "system.posix_acl_access", acl)' 2>/dev/null || return 0
	start_host
	wl_command whitelist-add "$key" || fail "a key was not added"
	has "$dir/host.json" "$key"
	attrs 'assert os.getxattr(path, "user.note") == b"keep"
assert os.getxattr(path, "system.posix_acl_access") == acl
assert os.stat(path).st_mode & 0o777 == 0o640' || fail "attributes are lost"
	stop_host
	rm "$dir/host.json"
	conf
}

# failing TEXT: a change fails with it, here and in the log.
failing() {
	before=$(sha256sum <"$dir/host.json")
	for verb in add remove; do
		status=0
		wl_command whitelist-$verb "$1" 2>"$dir/err.change" ||
			status=$?
		equal $status 1 "status: $2"
		has "$dir/err.change" "$dir/host.json cannot be written: $2"
		shift
		set -- "$client" "$@"
	done
	has "$log" "$dir/host.json cannot be written: $2"
	equal "$(sha256sum <"$dir/host.json")" "$before" "the file"
	serves
}

linked_twice() {
	[ "$(cat /proc/sys/fs/protected_hardlinks 2>/dev/null)" = 1 ] ||
		return 0 # strangers can make some
	new_key other
	$as ln "$dir/host.json" "$dir/second.json"
	start_host
	failing "$key" "it has more than one name (hard links)"
	rm "$dir/second.json"
	wl_command whitelist-add "$key" || fail "a key was not added"
	stop_host
}

# A file that is mounted by itself cannot be replaced.
mounted() {
	new_key other
	$as cp -p "$dir/host.json" "$dir/source.json"
	mount --bind "$dir/source.json" "$dir/host.json" || return 0
	start_host
	failing "$key" "Device or resource busy; it is a mount of its own"
	equal "$(find "$dir" -name '.host.json.skypty*')" "" "files left"
	stop_host
	umount "$dir/host.json"
}

# On what is mounted read-only neither.
mounted_read_only() {
	new_key other
	mount --bind "$dir" "$dir" && mount -o remount,ro,bind "$dir" ||
		return 0
	ro=$dir
	dir=$(mktemp -d "${TMPDIR:-/tmp}/skypty-test.XXXXXX")
	cp "$ro/client" "$dir"
	sock=$dir/pty.sock
	log=$dir/log.ro
	spawn "$log" "$bin/skyptyd" tcp -c "$ro/host.json" --addr 127.0.0.1:0 \
		--cliaddr "$sock"
	host=$pid
	wait_for "the host" served
	wl_command whitelist-add "$key" 2>"$dir/err.add" &&
		fail "a key was added"
	has "$dir/err.add" "$ro/host.json cannot be locked: Read-only file system"
	stop_host
	rm -rf "$dir"
	dir=$ro
	umount "$dir"
}

if [ "$(id -u)" -eq 0 ] && [ -z "${UNSHARED-}" ] &&
	unshare -m true 2>/dev/null; then
	UNSHARED=yes exec unshare -m --propagation slave sh "$0"
fi
both cleaned
either attributes
either linked_twice
need_root "become another user"
as_root strangers
as_user strangers
if [ -n "${UNSHARED-}" ]; then
	as_root mounted
	as_root mounted_read_only
fi
