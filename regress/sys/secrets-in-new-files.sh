#!/bin/sh
# SPDX-License-Identifier: ISC
# What is secret is written to a new file of mode 0600, never into one that
# somebody may have open; nothing of it is left beside the file.
. regress/sys/lib.sh

# opened FILE COMMAND...: the command puts a new file in the place of one that
# somebody has open.
opened() {
	file=$1
	shift
	: >"$file"
	chmod 666 "$file"
	[ -z "$as" ] || chown "$uid:$gid" "$file"
	name=$(basename "$file")
	$as touch "$(dirname "$file")/.$name.skypty-0123abcd"
	exec 8<"$file"
	"$@" >"$dir/out" 2>"$dir/err.secret" || fail "$1 failed"
	equal "$(cat <&8)" "" "what is read through an older descriptor"
	exec 8<&-
	[ -s "$file" ] || fail "nothing was written to $name"
	equal "$(stat -c '%u %a %h' "$file")" "$uid 600 1" "$name"
	equal "$(find "$(dirname "$file")" -name ".$name?*" ! -name '*.lock')" \
		"" "files beside $name"
}

# foreign COMMAND...: in a folder that is somebody else's.
foreign() {
	mkdir "$dir/theirs"
	chown 65533 "$dir/theirs"
	chmod 777 "$dir/theirs"
	if "$@" "$dir/theirs/secret" 2>"$dir/err.secret"; then
		fail "$2: somebody else's folder was taken"
	fi
	has "$dir/err.secret" "$dir/theirs"
	equal "$(ls -A "$dir/theirs")" "" "what is in it"
	rmdir "$dir/theirs"
}

files() {
	$as mkdir "$dir/own"
	opened "$dir/own/identity" run skypty keygen --force \
		"$dir/own/identity"
	opened "$dir/own/conf.json" run skyptyd confgen --unsafe \
		"$dir/own/conf.json"
	if [ "$(id -u)" -eq 0 ]; then
		foreign run skypty keygen --force
		has "$dir/err.secret" "its folder belongs to somebody else"
		foreign run skyptyd confgen --unsafe
	fi
	if run skypty keygen "$dir/own/identity" 2>"$dir/err.secret"; then
		fail "keygen without --force replaced a key"
	fi
	has "$dir/err.secret" "--force replaces it"
	[ -x "$BIN/skyptyd-http" ] && [ -z "$sanitized" ] || return 0
	start_host
	opened "$dir/own/link" with_link
	has "$dir/own/link" "?token="
	before=$(cat "$dir/own/link")
	exec 8<"$dir/own/link"
	kill -USR1 "$web"
	wait_for "another link" link_is_new
	equal "$(cat <&8)" "$before" "the older link's file"
	exec 8<&-
	kill "$web"
	wait_gone "skyptyd http" "$web"
	stop_host
}

link_is_new() {
	[ "$(cat "$dir/own/link")" != "$before" ]
}

with_link() {
	spawn "$dir/log.web" "$bin/skyptyd" http --addr 127.0.0.1:0 \
		--haddr "$sock" --token-file "$dir/own/link"
	web=$pid
	wait_for "a link" test -s "$dir/own/link"
}

both files
