#!/bin/sh
# SPDX-License-Identifier: ISC
# authorize and revoke add a line and leave every other byte, owner and mode as
# they were; keys tells who is there.
. regress/sys/lib.sh

host() {
	new_key other
	other=$key
	wl="\"$other\"" && conf authorized_pks "\"$dir/etc/authorized_pks\"" \
		revoked_pks "\"$dir/etc/revoked_pks\""
	unset wl
	table=$dir/etc/authorized_pks
	revoked=$dir/etc/revoked_pks
}

# of STATUS COMMAND...: what it says is in $dir/out and $dir/err.of.
of() {
	want=$1
	shift
	status=0
	run skyptyd "$@" >"$dir/out" 2>"$dir/err.of" || status=$?
	equal "$status" "$want" "status of $*"
}

adds() {
	host
	# What is configured has to be there, or nobody gets in.
	of 78 authorize -c "$dir/host.json" "$client"
	has "$dir/err.of" "$revoked: No such file or directory; nobody is let in \
before it is made"
	equal "$(wc -l <"$dir/err.of")" 1 "lines that tell it"
	[ ! -e "$dir/etc" ] || fail "something was made before"
	$as mkdir "$dir/etc"
	$as touch "$revoked"
	$as chmod 600 "$revoked"
	of 0 authorize -c "$dir/host.json" 'restrict,exec,command="echo \"a, b\""' \
		"$client" "it's" me
	equal "$(stat -c %a "$table")" 600 "mode of a new table"
	equal "$(cat "$table")" \
		"restrict,exec,command=\"echo \\\"a, b\\\"\" $client it's me" \
		"the line"
	start_host
	# By the account's shell, where it has one.
	[ -n "$no_login" ] ||
		equal "$(on_host -- true 2>"$dir/err.client")" 'a, b' \
			"what a forced command says"

	# A further line only if that is meant.
	of 1 authorize -c "$dir/host.json" "$client"
	has "$dir/err.of" "the key has lines already"
	has "$dir/out" "$table:1: restrict,exec"
	of 0 authorize -c "$dir/host.json" --also from=dmsg "$client"
	equal "$(wc -l <"$table")" 2 "lines of the table"

	# Other lines to the byte, also a last one without its newline; owner
	# and mode.
	printf '# \377 x\r\n\n broken "\n%s  me' "$client" >"$table"
	cp "$table" "$dir/before"
	$as chmod 640 "$table"
	[ -n "$as" ] || chgrp 1 "$table"
	before=$(stat -c '%a %u %g' "$table")
	of 0 authorize -c "$dir/host.json" "$other" friend
	{
		cat "$dir/before"
		printf '\n%s friend\n' "$other"
	} | cmp - "$table" || fail "other lines have changed"
	equal "$(stat -c '%a %u %g' "$table")" "$before" "owner and mode"
	has "$dir/out" 'stands in "wl"'

	# What would be of no use is not written.
	cp "$table" "$dir/before"
	new_key third
	of 64 authorize -c "$dir/host.json" restrit "$key"
	has "$dir/err.of" 'did you mean "restrict"?'
	of 64 authorize -c "$dir/host.json" "${key}0"
	of 64 authorize -c "$dir/host.json" "$key" "two
$client lines"
	of 64 authorize -c "$dir/host.json" "#$key"
	of 64 authorize -c "$dir/host.json" \
		020000000000000000000000000000000000000000000000000000000000000005
	of 64 authorize -c "$dir/host.json"
	of 64 authorize -c "$dir/host.json" --alsu "$key"
	cmp "$dir/before" "$table" || fail "something was written"

	# Nor where somebody else could have written.
	$as chmod 777 "$dir/etc"
	of 78 authorize -c "$dir/host.json" "$key"
	has "$dir/err.of" "others may rename files"
	$as chmod 755 "$dir/etc"
	$as ln "$table" "$dir/etc/second"
	of 71 authorize -c "$dir/host.json" "$key"
	has "$dir/err.of" "more than one name (hard links)"
	$as rm "$dir/etc/second"
	# A link stays a link.
	$as mv "$table" "$table.real"
	$as ln -s authorized_pks.real "$table"
	of 0 authorize -c "$dir/host.json" "$key"
	[ -L "$table" ] || fail "the link is gone"
	has "$table.real" "$key"
	stop_host
}

revokes() {
	host
	$as mkdir "$dir/etc"
	echo "$client me" >"$table"
	[ -z "$as" ] || chown "$uid:$gid" "$table"
	of 0 revoke -c "$dir/host.json" "$other" left us
	equal "$(stat -c %a "$revoked")" 600 "mode of a new list"
	has "$dir/out" "$dir/host.json: wl"
	has "$revoked" "$other revoked $(date +%Y-%m-%d): left us"
	start_host
	serves
	of 0 revoke -c "$dir/host.json" "$client"
	has "$dir/out" "the key is revoked; it stands in:"
	has "$dir/out" "$table:1:"
	refused
	has "$log" "revoked (revoked_pks:2)"
	cp "$revoked" "$dir/before"
	of 0 revoke -c "$dir/host.json" "$client"
	has "$dir/out" "was revoked already"
	cmp "$dir/before" "$revoked" || fail "a key is revoked twice"
	of 1 authorize -c "$dir/host.json" --also "$client"
	has "$dir/err.of" "the key is revoked and stays out"
	has "$dir/out" "$revoked:2: revoked"
	of 64 revoke -c "$dir/host.json" 02ab
	of 64 revoke -c "$dir/host.json"

	# Though the table cannot be read.
	new_key third
	$as chmod 666 "$table"
	of 78 revoke -c "$dir/host.json" "$key"
	has "$revoked" "$key revoked"
	stop_host
}

lists() {
	host
	$as mkdir "$dir/etc" "$table.d"
	new_key third
	new_key fourth
	printf '%s\n' "$client me \"quoted\"" "expiry-time=20200101 $client" \
		"not-before=29990101,restrict $client" "restrit $client" \
		>"$table"
	printf '%s\r\n' "pty,from=\"*\" $key fourth" >"$table.d/x"
	echo "$key gone" >"$revoked"
	[ -z "$as" ] || chown -R "$uid:$gid" "$dir/etc"
	of 0 keys -c "$dir/host.json"
	equal "$(cat "$dir/out")" "$key revoked revoked_pks:1 # gone
$client valid authorized_pks:1 # me \"quoted\"
$client expired authorized_pks:2 expiry-time=20200101
$client not yet authorized_pks:3 not-before=29990101,restrict
$client useless authorized_pks:4 restrit unknown option \"restrit\"; did you \
mean \"restrict\"?
$key revoked authorized_pks.d/x:1 pty,from=\"*\" # fourth
$other valid wl" "the list"
	of 0 keys -c "$dir/host.json" --json
	"$PYTHON" - "$dir/out" "$client" "$table" <<-'END' ||
		import json, sys
		keys = json.load(open(sys.argv[1]))
		assert [k["state"] for k in keys] == ["revoked", "valid", "expired",
		    "not yet", "useless", "revoked", "valid"], keys
		assert keys[1] == {"key": sys.argv[2], "state": "valid",
		    "options": "", "comment": 'me "quoted"',
		    "file": sys.argv[3], "line": 1}, keys[1]
		assert "unknown option" in keys[4]["why"]
		assert keys[5]["options"] == 'pty,from="*"'
		assert "line" not in keys[6]
	END
		fail "keys --json"
	$as chmod 666 "$table"
	of 78 keys -c "$dir/host.json"
	of 64 keys -c "$dir/host.json" more
}

# Whoever is in when his key is revoked goes, and others stay.
now() {
	host
	$as mkdir "$dir/etc"
	printf '%s\n' "$client" >"$table"
	$as touch "$revoked"
	$as chmod 600 "$revoked"
	[ -z "$as" ] || chown "$uid:$gid" "$table"
	wl="\"$other\"" && conf authorized_pks "\"$table\"" revoked_pks \
		"\"$revoked\"" cliaddr "\"$sock\""
	unset wl
	start_host
	spawn "$dir/log.in" "$bin/skypty" exec -i "$dir/client" \
		--no-visor-key --via "$(dest)" -- sh -c 'echo in; sleep 600'
	in=$pid
	spawn "$dir/log.stays" "$bin/skypty" exec -i "$dir/other" \
		--no-visor-key --via "$(dest)" -- sh -c 'echo in; sleep 600'
	stays=$pid
	wait_for "both to be in" grep -q in "$dir/log.in"
	wait_for "both to be in" grep -q in "$dir/log.stays"
	of 0 revoke -c "$dir/host.json" --now "$client"
	has "$dir/out" "1 connection ended"
	wait_gone "the revoked client" "$in"
	alive "$stays" || fail "the other one has gone, too"
	refused
	of 0 revoke -c "$dir/host.json" --now "$client"
	has "$dir/out" "0 connections ended"
	stop_host
	of 71 revoke -c "$dir/host.json" --now "$client"
	has "$dir/err.of" "its connections are not ended"
}

# Many at once, and none is lost.
at_once() {
	host
	$as mkdir "$dir/etc"
	$as touch "$table" "$revoked"
	$as chmod 600 "$table" "$revoked"
	: >"$dir/keys"
	many=0
	while [ $many -lt 12 ]; do
		many=$((many + 1))
		new_key "k$many"
		echo "$key" >>"$dir/keys"
	done
	while read -r key; do
		spawn "$dir/log.$key" "$bin/skyptyd" authorize \
			-c "$dir/host.json" restrict "$key"
		adders="${adders-} $pid"
	done <"$dir/keys"
	for pid in $adders; do
		wait "$pid" || fail "one of many could not"
	done
	equal "$(sed 's/restrict //' "$table" | sort)" "$(sort "$dir/keys")" \
		"the keys"
}

# A name that is none gets no file.
none() {
	conf authorized_pks '"none"' revoked_pks '"none"'
	of 78 authorize -c "$dir/host.json" "$client"
	has "$dir/err.of" 'name one by "authorized_pks"'
	of 78 revoke -c "$dir/host.json" "$client"
	of 0 keys -c "$dir/host.json"
	equal "$(cat "$dir/out")" "$client valid wl" "the list"
}

both adds
both revokes
both lists
both now
either at_once
either none
