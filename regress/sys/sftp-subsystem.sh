#!/bin/sh
# SPDX-License-Identifier: ISC
# The host serves files by the SFTP server of its configuration: none, for
# reading only, one that is not there, one that ends too early.  skypty sftp
# is OpenSSH's sftp on it.
. regress/sys/lib.sh
need_command sftp
[ -x /usr/lib/openssh/sftp-server ] || skip "there is no sftp-server"

# sftp FLAG...: the commands on standard input.
sftp() {
	run skypty sftp "$@" "$pk@127.0.0.1:$port" -- -b - >"$dir/out" \
		2>"$dir/err.sftp"
}

# fails STATUS TEXT: a list of files.
fails() {
	status=0
	echo "ls $dir" | sftp -i "$dir/client" || status=$?
	equal $status "$1" "status"
	has "$dir/err.sftp" "$2"
}

works() {
	$as rm -f "$dir/back"
	echo "get $dir/bytes $dir/back" | sftp "$@" ||
		fail "sftp returned $?"
	cmp "$dir/bytes" "$dir/back" || fail "a file was changed"
}

files() {
	$as sh -c "head -c 300000 /dev/urandom >'$dir/bytes'"
	start_host
	works -i "$dir/client"
	works --sk "$(cat "$dir/client")"
	$as mkdir -p "$HOME/.config/skypty"
	$as cp "$dir/client" "$HOME/.config/skypty/identity"
	works
	echo "put $dir/bytes $dir/there" | sftp || fail "put returned $?"
	cmp "$dir/bytes" "$dir/there" || fail "a file was changed"
	printf 'rm %s\nrename %s %s\n' "$dir/there" "$dir/bytes" "$dir/moved" |
		sftp || fail "sftp returned $?"
	[ ! -e "$dir/there" ] || fail "a file was not removed"
	[ -e "$dir/moved" ] || fail "a file was not renamed"
	echo ls | run skypty sftp -p "$port" -q "$pk@127.0.0.1" -- -b - \
		>"$dir/out" 2>&1 || fail "sftp with -p returned $?"

	# Whose key it is goes on to where it is used.
	echo ls | sftp -v --no-visor-key || fail "sftp -v returned $?"
	has "$dir/err.sftp" "we are $client (~/.config/skypty/identity)"
	hasnt "$dir/err.sftp" "no visor here"

	# It runs as the account, at home, like a session.
	echo pwd | sftp || fail "sftp returned $?"
	home=$(getent passwd "$uid" | cut -d : -f 6)
	[ -d "$home" ] || home=/
	has "$dir/out" "Remote working directory: $home"
	stop_host
}

none() {
	conf sftp_server '"none"'
	start_host
	fails 255 "files are not served here"
	serves
	stop_host
}

read_only() {
	$as sh -c "head -c 300000 /dev/urandom >'$dir/bytes'"
	conf sftp_readonly true
	start_host
	works -i "$dir/client"
	for c in "put $dir/bytes $dir/there" "rm $dir/bytes" \
		"mkdir $dir/folder" "rename $dir/bytes $dir/there" \
		"chmod 777 $dir/bytes"; do
		status=0
		echo "$c" | sftp -i "$dir/client" || status=$?
		equal $status 1 "status of $c"
		has "$dir/err.sftp" "ermission denied"
	done
	works -i "$dir/client"
	[ ! -e "$dir/there" ] || fail "a file was written"
	has "$log" "SFTP started, read-only"
	stop_host
	conf
	start_host --sftp-readonly
	status=0
	echo "mkdir $dir/folder" | sftp -i "$dir/client" || status=$?
	equal $status 1 "status with the flag"
	stop_host
}

missing() {
	conf sftp_server "\"$dir/nowhere\""
	start_host
	has "$log" "sftp_server: $dir/nowhere: No such file or directory"
	fails 255 "no such file or directory"
	serves
	stop_host
	conf sftp_server '"nowhere"'
	status=0
	run skyptyd check -c "$dir/host.json" >"$dir/err.check" 2>&1 ||
		status=$?
	equal $status 78 "status of a relative path"
	has "$dir/err.check" "neither an absolute path"
}

server() {
	printf '#!/bin/sh\n%s\n' "$1" | $as tee "$dir/server" >/dev/null
	$as chmod 755 "$dir/server"
	conf sftp_server "\"$dir/server\""
	start_host
}

ends_early() {
	# At once, in the middle, and by a signal.
	server 'exit 3'
	fails 255 "skypty: "
	serves
	stop_host
	server 'head -c 5 >/dev/null; printf "\0\0\0\11\2\0"; kill -9 $$'
	fails 255 "skypty: "
	serves
	stop_host

	server "echo \$\$ >$dir/server.pid; exec /usr/lib/openssh/sftp-server"
	status=0
	printf '%s\n' "ls $dir" "!kill -9 \$(cat $dir/server.pid)" "ls $dir" |
		sftp -i "$dir/client" || status=$?
	equal $status 255 "status"
	has "$dir/out" "$dir/host.json"
	has "$dir/err.sftp" "skypty: "
	serves
	stop_host
}

programs() {
	start_host
	$as mkdir "$dir/tools"
	status=0
	$as env PATH="$dir/tools" "$bin/skypty" sftp "$pk@127.0.0.1" \
		2>"$dir/err.sftp" || status=$?
	equal $status 255 "status without sftp"
	has "$dir/err.sftp" "there is no sftp program here; on Debian"
	status=0
	run skypty sftp 2>"$dir/err.sftp" || status=$?
	equal $status 64 "status without a destination"
	has "$dir/err.sftp" "sftp needs a destination"
	stop_host
}

# Whoever starts a host without files reads why in its log, and what to do.
told_at_start() {
	conf sftp_server '"none"'
	start_host
	has "$log" 'Files are not served: "sftp_server" is "none"'
	stop_host
	conf
	start_host
	hasnt "$log" "Files are not served"
	stop_host
	[ "$uid" -eq 0 ] && unshare -m true 2>/dev/null || return 0
	mkdir "$dir/empty"
	log=$dir/log.bare
	# shellcheck disable=SC2016 # for the shell inside
	spawn "$log" env empty="$dir/empty" unshare -m --propagation slave sh -c '
		for d in /usr/lib/openssh /usr/libexec/openssh /usr/lib/ssh; do
			[ ! -d $d ] || mount --bind "$empty" $d || exit
		done
		exec "$@"' sh "$bin/skyptyd" tcp -c "$dir/host.json" \
		--addr 127.0.0.1:0 --cliaddr "$sock"
	host=$pid
	wait_for "the host" served
	has "$log" "Files are not served: there is no sftp-server"
	has "$log" "openssh-sftp-server"
	stop_host
}

both files
either none
both read_only
either missing
both ends_early
either programs
either told_at_start
