#!/bin/sh
# SPDX-License-Identifier: ISC
# confgen prints a configuration that works as it is, or writes it for its
# owner alone and over nothing that is there.
. regress/sys/lib.sh

key_of() {
	sed -n 's/^ *"pk": "\([0-9a-f]*\)".*/\1/p' "$1"
}

generate() {
	run skyptyd confgen >"$dir/printed" 2>"$dir/err.confgen" ||
		fail "confgen failed"
	has "$dir/err.confgen" "others may read the file with the secret key"
	umask 077
	run skyptyd confgen >"$dir/private" 2>"$dir/err.confgen" ||
		fail "confgen failed"
	umask 022
	run skyptyd dmsg confgen >"$dir/other" || fail "dmsg confgen failed"
	[ ! -s "$dir/err.confgen" ] || fail "$(cat "$dir/err.confgen")"
	[ "$(key_of "$dir/printed")" != "$(key_of "$dir/other")" ] ||
		fail "two keys are the same"
	"$PYTHON" - "$dir/printed" <<-'END' || fail "not as the original's"
		import json, sys
		text = open(sys.argv[1]).read()
		conf = json.loads(text)
		original = ["dmsgdisc", "dmsgsessions", "dmsgport", "clinet",
		            "cliaddr", "sk", "pk", "wl"]
		assert [k for k in conf if k in original] == original
		assert conf["dmsgport"] == 22 and conf["clinet"] == "unix"
		assert "dmsg_servers" not in conf and text.startswith('{\n    "')
		assert text.endswith("}\n")
	END

	run skyptyd confgen --seeds >"$dir/seeds" 2>"$dir/err.confgen" ||
		fail "confgen --seeds failed"
	has "$dir/seeds" '"dmsg_servers": ['
	status=0
	run skyptyd confgen --unsave "$dir/none" 2>"$dir/err.confgen" ||
		status=$?
	equal $status 64 "status of a wrong option"
	has "$dir/err.confgen" "did you mean '--unsafe'?"

	file=$dir/fresh.json
	umask 0
	run skyptyd confgen "$file" || fail "confgen FILE failed"
	umask 022
	equal "$(stat -c '%a %u' "$file")" "600 $uid" "mode and owner"
	before=$(key_of "$file")
	status=0
	run skyptyd confgen "$file" 2>"$dir/err.confgen" || status=$?
	equal $status 78 "status where a file is"
	has "$dir/err.confgen" --unsafe
	equal "$(key_of "$file")" "$before" "key"
	run skyptyd confgen --unsafe "$file" || fail "confgen --unsafe failed"
	[ "$(key_of "$file")" != "$before" ] || fail "the key is the same"

	# What cannot be written whole leaves the old one as it is.
	before=$(sha256sum <"$file")
	if (
		trap '' XFSZ
		ulimit -f 0
		run skyptyd confgen --unsafe "$file" 2>"$dir/full"
	); then
		fail "a file that may not grow was no error"
	fi
	equal "$(sha256sum <"$file")" "$before" "the old file"
	equal "$(find "$dir" -name '*fresh.json?*' ! -name '*.lock')" "" \
		"files left behind"
	$as mkfifo "$dir/fifo"
	if run skyptyd confgen --unsafe "$dir/fifo" 2>"$dir/err.confgen"; then
		fail "a fifo was written to"
	fi
	has "$dir/err.confgen" "$dir/fifo: is not a regular file"

	# Never through a link.
	$as ln -s fresh.json "$dir/link"
	before=$(key_of "$file")
	if run skyptyd confgen --unsafe "$dir/link" 2>"$dir/err.confgen"; then
		fail "a link was followed"
	fi
	equal "$(key_of "$file")" "$before" "key behind a link"
	has "$dir/err.confgen" "$dir/link: is a symbolic link"
	[ -L "$dir/link" ] || fail "the link is gone"

	# Folders are made; what stands in their way is told.
	run skyptyd confgen "$dir/etc/skypty/skypty.json" ||
		fail "confgen into a folder that is not there failed"
	equal "$(stat -c '%a %u' "$dir/etc/skypty")" "755 $uid" "its folder"
	equal "$(ls -A "$dir/etc/skypty")" skypty.json "what is in it"
	if run skyptyd confgen "$file/x/y" 2>"$dir/err.confgen"; then
		fail "a file for a folder was no error"
	fi
	has "$dir/err.confgen" "$file/x/y: Not a directory"
	if run skyptyd confgen >/dev/full 2>"$dir/err.confgen"; then
		fail "a full disk was no error"
	fi

	# It serves.
	pk=$before
	[ "$privsep" = _skypty ] || [ "$uid" -ne 0 ] ||
		sed -i "1a\\    \"privsep_user\": \"$privsep\"," "$file"
	$as cp "$file" "$dir/host.json"
	start_host --allow "$client"
	serves
	stop_host
}

# Somebody else's file, or one that somebody else has open, gets no secret.
foreign() {
	$as mkdir "$dir/open"
	chmod 1777 "$dir/open"
	file=$dir/open/theirs.json
	: >"$file"
	chown 65533 "$file"
	if run skyptyd confgen --unsafe "$file" 2>"$dir/err.confgen"; then
		fail "somebody else's file was written to"
	fi
	has "$dir/err.confgen" "$file: belongs to somebody else"
	equal "$(stat -c '%u %s' "$file")" "65533 0" "somebody else's file"

	file=$dir/open/ours.json
	: >"$file"
	chmod 644 "$file"
	[ -z "$as" ] || chown "$uid:$gid" "$file"
	exec 8<"$file"
	run skyptyd confgen --unsafe "$file" || fail "confgen --unsafe failed"
	equal "$(cat <&8)" "" "what is read through an older descriptor"
	exec 8<&-
	[ "$(key_of "$file")" ] || fail "there is no key in the file"
	equal "$(stat -c '%u %a' "$file")" "$uid 600" "owner and mode"

	# Nor is a place good where others could put another in its place.
	chmod 777 "$dir/open"
	status=0
	run skyptyd confgen "$dir/open/fresh.json" 2>"$dir/err.confgen" ||
		status=$?
	equal $status 78 "status in an open folder"
	has "$dir/err.confgen" "others may rename files in $dir/open"
	[ ! -e "$dir/open/fresh.json" ] || fail "the file is there"
}

# Whether the file was made more than two seconds ago.
aged() {
	[ "$(date +%s)" -gt $(($(stat -c %W "$1") + 2)) ]
}

# What a shell has emptied before is told; what it has just made is not.
# shellcheck disable=SC2094 # that is what goes wrong
emptied() {
	old=$dir/old.json
	run skyptyd confgen "$old" || fail "confgen FILE failed"
	[ "$(stat -c %W "$old")" -ne 0 ] ||
		skip "the file system does not keep when a file was made"
	wait_for "a file of some age" aged "$old"
	status=0
	run skyptyd confgen >"$old" 2>"$dir/err.confgen" || status=$?
	equal "$status $(stat -c %s "$old")" "78 0" "status and size"
	has "$dir/err.confgen" "was there before"
	has "$dir/err.confgen" --unsafe
	run skyptyd confgen --unsafe >"$old" 2>"$dir/err.confgen" ||
		fail "confgen --unsafe failed"
	[ "$(key_of "$old")" ] || fail "there is no key in the file"
	status=0
	run skyptyd confgen "$old" >"$old" 2>"$dir/err.confgen" || status=$?
	equal "$status $(stat -c %s "$old")" "78 0" "status and size"
	has "$dir/err.confgen" "$old: is standard output as well"
	status=0
	run skypty keygen -f "$dir/both" >"$dir/both" 2>"$dir/err.keygen" ||
		status=$?
	equal "$status $(stat -c %s "$dir/both")" "1 0" "status and size"
	has "$dir/err.keygen" "$dir/both: is standard output as well"
}

both generate
either emptied
need_root "give files away"
as_root foreign
as_user foreign
