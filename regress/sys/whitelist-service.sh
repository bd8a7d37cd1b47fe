#!/bin/sh
# SPDX-License-Identifier: ISC
# The control socket's whitelist service lists, adds and removes keys; changes
# are in force at once and leave the rest of the file as it was.
. regress/sys/lib.sh

wl_command() {
	verb=$1
	shift
	run skypty "$verb" -r "$sock" "$@"
}

# The file around its whitelist.
around() {
	"$PYTHON" - "$dir/host.json" <<-'END'
		import re, sys
		text = open(sys.argv[1], newline="").read()
		print(re.sub(r'"wl"\s*:\s*(null|\[[^]]*\])', "WL", text), end="")
	END
}

service() {
	new_key other
	# Formatting and keys that no program of ours would write.
	printf '{"sk"  :\t"%s",\r\n\n "note": {"a" :[1,  2.50e1, "\\u0041\\/"]},
	  "wl":["%s"] , "maxperkey":\n40\n%s}' "$host_sk" "$client" \
		"$([ "$uid" -ne 0 ] || echo ", \"privsep_user\": \"$privsep\"")" \
		>"$dir/host.json"
	around >"$dir/before"
	chmod 640 "$dir/host.json"
	state=$(stat -c '%a %u %g' "$dir/host.json")
	start_host
	equal "$(wl_command whitelist)" "$client" "list at the start"

	inode=$(stat -c %i "$dir/host.json")
	wl_command whitelist-add "$key" || fail "a key was not added"
	wl_command whitelist | sort >"$dir/listed"
	printf '%s\n' "$client" "$key" | sort | cmp -s - "$dir/listed" ||
		fail "list after adding: $(cat "$dir/listed")"
	around | cmp - "$dir/before" || fail "the file has changed elsewhere"
	equal "$(stat -c '%a %u %g' "$dir/host.json")" "$state" \
		"mode and owner of the file"
	[ "$(stat -c %i "$dir/host.json")" != "$inode" ] ||
		fail "the file was not replaced but overwritten"
	"$PYTHON" -c 'import json, sys; json.load(open(sys.argv[1]))' \
		"$dir/host.json" || fail "the file is no JSON any more"

	mv "$dir/client" "$dir/first" && mv "$dir/other" "$dir/client"
	serves
	wl_command whitelist-remove "$key" || fail "a key was not removed"
	refused
	mv "$dir/client" "$dir/other" && mv "$dir/first" "$dir/client"
	serves
	equal "$(wl_command whitelist)" "$client" "list after removing"
	around | cmp - "$dir/before" || fail "the file has changed elsewhere"

	# What is there already is told, and the others are added.
	wl_command whitelist-add "$client" "$key" >"$dir/out" 2>&1 || :
	has "$dir/out" "skipping append for $client. Already exists"
	equal "$(wl_command whitelist | wc -l)" 2 "keys after adding one twice"
	wl_command whitelist-remove "$key" || fail "a key was not removed"
	status=0
	wl_command whitelist-remove "$key" 2>"$dir/err.remove" || status=$?
	equal $status 1 "status for an absent key"
	has "$dir/err.remove" "$key is not on the whitelist"
	wl_command whitelist-remove "$client" || fail "the last key stays"
	refused
	wl_command whitelist >"$dir/out" 2>&1
	hasnt "$dir/out" "$client"
	wl_command whitelist-add "$client"
	serves
	for bad in 02abcd "${client}00" "05${client#??}"; do
		if wl_command whitelist-add "$bad" 2>"$dir/err.add"; then
			fail "a bad key was added"
		fi
	done
	around | cmp - "$dir/before" || fail "the file has changed elsewhere"
	equal "$(find "$dir" -name '*host.json?*')" "$dir/.host.json.lock" \
		"temporary files"
	equal "$(stat -c '%a %s %u' "$dir/.host.json.lock")" "600 0 $uid" \
		"the lock"
	stop_host
}

# Changes that come at once: none is lost, and whoever looks meanwhile sees a
# whole file.
together() {
	start_host
	adders=
	for i in 1 2 3 4 5 6 7 8; do
		new_key "k$i"
		echo "$key" >>"$dir/keys"
	done
	while read -r k; do
		run skypty whitelist-add -r "$sock" "$k" &
		adders="$adders $!"
	done <"$dir/keys"
	serves
	serves
	for a in $adders; do
		wait "$a" || fail "a key was not added"
	done
	equal "$(wl_command whitelist | wc -l)" 9 "keys"
	while read -r k; do
		run skypty whitelist-remove -r "$sock" "$k" &
	done <"$dir/keys"
	serves
	wait_for "removal" only_client
	stop_host
}

only_client() {
	[ "$(wl_command whitelist)" = "$client" ]
}

# A file that is a link stays one, and its target keeps its owners.
linked() {
	$as mv "$dir/host.json" "$dir/real.json"
	$as ln -s real.json "$dir/host.json"
	[ "$uid" -ne 0 ] || chgrp "$(id -g "$user")" "$dir/real.json"
	chmod 640 "$dir/real.json"
	state=$(stat -c '%a %u %g' "$dir/real.json")
	new_key other
	start_host
	wl_command whitelist-add "$key" || fail "a key was not added"
	[ -L "$dir/host.json" ] || fail "the link has been replaced"
	has "$dir/real.json" "$key"
	equal "$(stat -c '%a %u %g' "$dir/real.json")" "$state" \
		"mode and owners"
	stop_host
}

# A file that cannot be written is told, and nothing is changed.
read_only() {
	new_key other
	$as mkdir "$dir/etc"
	$as mv "$dir/host.json" "$dir/etc"
	$as ln -s etc/host.json "$dir/host.json"
	chmod 555 "$dir/etc"
	start_host
	if wl_command whitelist-add "$key" 2>"$dir/err.add"; then
		fail "a key was added to a file that cannot be written"
	fi
	has "$dir/err.add" "/host.json cannot be written: Permission denied"
	has "$log" "/host.json cannot be written: Permission denied"
	equal "$(wl_command whitelist)" "$client" "list"
	chmod 755 "$dir/etc"
	stop_host
}

both service
both together
either linked
as_user read_only
