#!/bin/sh
# SPDX-License-Identifier: ISC
# authorized_pks and revoked_pks decide who comes in and by which line, are in
# force at once, and where they cannot be trusted nobody comes in.  "check"
# tells the same beforehand.
. regress/sys/lib.sh

# table LINE...: writes $dir/authorized_pks.
table() {
	printf '%s\n' "$@" >"$dir/authorized_pks"
	mine "$dir/authorized_pks"
}

revoke() {
	printf '%s\n' "$@" >"$dir/revoked_pks"
	mine "$dir/revoked_pks"
}

mine() {
	[ -z "$as" ] || chown -h "$uid:$gid" "$@"
}

# The client stands in no wl; both files are named.
host() {
	wl= && conf authorized_pks "\"$dir/authorized_pks\"" \
		revoked_pks "\"$dir/revoked_pks\""
	unset wl
	new_key other
	table "# nobody"
	revoke "# nobody"
	start_host
}

# told TEXT: the host's last words on a key.
told() {
	last=$(grep -E 'Refused key|Accepted key' "$log" | tail -n 1)
	case $last in
	*"$1"*) ;;
	*) fail "the log says '$last', not '$1'" ;;
	esac
}

# check STATUS TEXT FLAG...
check() {
	want=$1 text=$2
	shift 2
	status=0
	run skyptyd check -c "$dir/host.json" "$@" >"$dir/out.check" \
		2>"$dir/err.check" || status=$?
	equal "$status" "$want" "status of check $*"
	cat "$dir/err.check" >>"$dir/out.check"
	has "$dir/out.check" "$text"
}

decides() {
	host
	refused
	told "not on the whitelist"
	check 1 "refused         not on the whitelist" --key "$client"
	check 1 "would be refused" --peer "$client"

	table "$key" "" "$client it's me"
	serves
	check 0 "let in by       authorized_pks:3" --key "$client"
	has "$dir/out.check" "comment         it's me"
	has "$dir/out.check" "may             pty exec sftp forwarding detach"
	check 0 "would be let in" --peer "$client"

	# From where, and until when.
	table "from=\"10.0.0.0/8,dmsg,!10.1.0.0/16\" $client"
	refused
	told "authorized_pks:1: its from= does not let in from 127.0.0.1"
	check 0 "let in by" --key "$client" --from 10.2.0.1
	check 0 "let in by" --key "$client" --from dmsg
	check 1 "does not let in from 10.1.0.1" --key "$client" \
		--from 10.1.0.1
	check 1 "does not let in from local" --key "$client"
	check 1 "does not let in from 2001:db8::1" --key "$client" \
		--from 2001:db8::1
	check 64 "neither an address nor dmsg or local" --key "$client" \
		--from example
	table "from=127.0.0.0/8,not-before=20200101,expiry-time=29991231Z \
$client"
	serves
	table "expiry-time=20200101 $client"
	refused
	told "authorized_pks:1: it expired at 2020-01-01"
	table "not-before=29990101 $client"
	refused
	told "authorized_pks:1: it is not valid before 2999-01-01"

	# The next line of the key, then.
	table "expiry-time=20200101 $client" "verbose $client"
	serves
	check 0 "let in by       authorized_pks:2" --key "$client"

	# A line of no use never grants, and is told of.
	table "restrit $client"
	refused
	told "authorized_pks:1: unknown option \"restrit\"; did you mean"
	has "$log" "$dir/authorized_pks:1: unknown option"
	check 78 "authorized_pks:1: unknown option"
	check 78 "1 lines of no use"
	check 1 "refused         authorized_pks:1: unknown option" \
		--key "$client"

	# Over wl, too.
	wl="\"$client\"" && conf authorized_pks "\"$dir/authorized_pks\"" \
		revoked_pks "\"$dir/revoked_pks\""
	refused
	table "from=dmsg $client"
	refused
	table ""
	serves
	check 0 "let in by       wl" --key "$client"
	table "restrict,exec $client"
	serves
	check 0 "may             exec" --key "$client"
	has "$dir/out.check" "let in by       authorized_pks:1"
	run skyptyd check -c "$dir/host.json" >"$dir/out" 2>"$dir/err.all" ||
		[ -n "$sanitized" ] || fail "check fails"
	has "$dir/err.all" "the key stands in \"wl\", too"

	# Whoever is revoked is out, wherever he stands.
	revoke "$key" "$client left the company"
	refused
	told "revoked (revoked_pks:2)"
	check 1 "refused         revoked (revoked_pks:2)" --key "$client"
	revoke "$key"
	serves
	stop_host
}

# --user is what the client may ask for.
users() {
	host
	me=$(id -nu "$uid")
	table "user=$me $client"
	serves
	check 0 "user            $me" --key "$client" --user "$me"
	check 1 "refused         as sys" --key "$client" --user sys
	table "$client"
	check 0 "let in by" --key "$client" --user "$me"
	check 1 "refused         as sys" --key "$client" --user sys
	table "user=nosuchaccount $client"
	if [ "$uid" -eq 0 ]; then
		run skyptyd check -c "$dir/host.json" >"$dir/out" \
			2>"$dir/err.all"
		has "$dir/err.all" "there is no account nosuchaccount"
	else
		refused
		told "skyptyd is not root here and cannot become nosuch"
		check 78 "cannot become nosuchaccount"
	fi
	stop_host
}

# nobody TEXT: not even who stands in wl.
nobody() {
	refused
	has "$log" "$1"
	check 78 "$1" --key "$client"
	check 78 "nobody is let in"
}

# StrictModes, for each file and folder on the way.
strict() {
	$as mkdir "$dir/etc" "$dir/etc/authorized_pks.d"
	at=$dir/etc/authorized_pks
	conf authorized_pks "\"$at\""
	$as touch "$at"
	start_host
	serves
	$as chmod 620 "$at"
	nobody "others may write to it (mode 0620)"
	$as chmod 600 "$at"
	serves
	$as chmod 777 "$dir/etc"
	nobody "others may rename files in $dir/etc"
	$as chmod 755 "$dir/etc"
	$as chmod 775 "$at.d"
	nobody "others may rename files in $at.d"
	$as chmod 755 "$at.d"
	serves
	$as touch "$at.d/x"
	$as chmod 602 "$at.d/x"
	nobody "$at.d/x: others may write to it"
	$as rm "$at.d/x"

	# What is no file.
	$as mv "$at" "$at.old"
	nobody "$at: No such file"
	$as mkdir "$at"
	nobody "$at: not a regular file"
	$as rmdir "$at"
	$as mkfifo "$at"
	nobody "$at: not a regular file"
	$as rm "$at"
	$as ln -s /dev/zero "$at"
	nobody "$at: not a regular file"
	$as rm "$at"
	$as ln -s "$at" "$at"
	nobody "$at: Too many levels of symbolic links"
	$as rm "$at"
	# A link to one that is as it should be is one.
	$as ln -s authorized_pks.old "$at"
	serves
	$as chmod 666 "$at.old"
	nobody "others may write to it"
	$as chmod 600 "$at.old"
	serves
	if [ "$(id -u)" -eq 0 ]; then
		# Of a stranger's, and by a folder of a stranger's.
		chmod 644 "$at.old"
		chown 65533 "$at.old"
		nobody "belongs to uid 65533"
		chown "$uid" "$at.old"
		mkdir "$dir/theirs"
		mv "$at.old" "$dir/theirs/pks"
		chown 65533 "$dir/theirs"
		rm "$at"
		ln -s ../theirs/pks "$at"
		mine "$at"
		nobody "others may rename files in $dir/theirs"
		chown "$uid" "$dir/theirs"
		serves
	fi
	stop_host
}

revoked_strict() {
	host
	table "$client"
	serves
	revoke "$key" "$key broken" "${client}0"
	nobody "revoked_pks:3: not a public key"
	rm "$dir/revoked_pks"
	nobody "revoked_pks: No such file"
	mkfifo "$dir/revoked_pks"
	nobody "revoked_pks: not a regular file"
	rm "$dir/revoked_pks"
	revoke "# none"
	chmod 622 "$dir/revoked_pks"
	nobody "others may write to it"
	chmod 644 "$dir/revoked_pks"
	serves
	stop_host
}

# A folder's files, in order; others are left out and told of.
folder() {
	host
	$as mkdir "$dir/authorized_pks.d"
	echo "restrict,exec $client" >"$dir/authorized_pks.d/20-b"
	echo "$client" >"$dir/authorized_pks.d/30-c"
	echo "$client" >"$dir/authorized_pks.d/10-a~"
	echo "$client" >"$dir/authorized_pks.d/.10-a"
	$as mkdir "$dir/authorized_pks.d/00"
	mine "$dir"/authorized_pks.d/*
	serves
	check 0 "let in by       authorized_pks.d/20-b:1" --key "$client"
	run skyptyd check -c "$dir/host.json" >"$dir/out" 2>"$dir/err.all" ||
		[ -n "$sanitized" ] || fail "check fails"
	has "$dir/err.all" "10-a~: left out for its name"
	has "$dir/err.all" "00: left out: a folder"
	echo "$client" >"$dir/authorized_pks.d/10-a.conf"
	mine "$dir"/authorized_pks.d/10-a.conf
	check 0 "let in by       authorized_pks.d/10-a.conf:1" --key "$client"
	stop_host
}

# Whatever is in the file, its other lines are what they are.
content() {
	host
	{
		head -c 3000000 /dev/zero
		echo
		head -c 1100000 /dev/zero | tr '\0' a
		printf ' %s\n' "$key"
		printf '\377\376\n"\n'
		printf 'no-detach %s me\r\n' "$client"
	} >"$dir/authorized_pks"
	serves
	check 0 "let in by       authorized_pks:5" --key "$client"
	check 78 "authorized_pks:1: longer than 64 KiB"
	has "$dir/out.check" "authorized_pks:2: longer than 64 KiB"
	has "$dir/out.check" "4 lines of no use"
	# The daemon tells of the first ones as it begins, or is told to.
	yes nonsense | head -n 1000 >"$dir/authorized_pks"
	kill -HUP "$host"
	wait_for "the log" grep -q "980 more of the kind" "$log"
	stop_host
}

# Written anew all the time by somebody who empties it first: never in by half
# a line.
rewritten() {
	host
	table "from=dmsg $client"
	"$PYTHON" - "$dir/authorized_pks" "$client" <<-'END' &
		import sys
		line = "from=dmsg %s\n" % sys.argv[2]
		with open(sys.argv[1], "r+") as f:
		    while True:
		        f.truncate(0)
		        f.seek(0)
		        for part in line:
		            f.write(part)
		            f.flush()
	END
	writer=$!
	tries=0
	while [ $tries -lt 10 ]; do
		refused
		tries=$((tries + 1))
	done
	kill "$writer"
	wait "$writer" 2>/dev/null
	table "$client"
	serves
	stop_host
}

both decides
both users
both strict
both revoked_strict
either folder
either content
either rewritten
