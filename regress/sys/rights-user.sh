#!/bin/sh
# SPDX-License-Identifier: ISC
# user= of a key: the first is whom its sessions are, another of them has to be
# asked for, and nobody else is to be had, by whatever way a session is asked
# for.  An ordinary user's skyptyd becomes nobody.
. regress/sys/lib.sh

line() {
	echo "$1 $client" >"$dir/pks"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/pks"
}

# who FLAG...: whom a command runs as.
who() {
	on_host "$@" -- id -un 2>"$dir/err"
}

refuses() {
	said=$1
	shift
	! "$@" >"$dir/out" 2>"$dir/err" || fail "$* is let in"
	has "$dir/err" "$said"
	[ ! -s "$dir/out" ] || fail "$* says: $(cat "$dir/out")"
}

users() {
	account alice
	account bob
	account locked '!'
	wl='' && conf authorized_pks "\"$dir/pks\""
	line 'user="alice,bob"'
	start_host
	on_127=$pk@127.0.0.1
	equal "$(who)" alice "the first"
	equal "$(who -l alice)" alice "the first, asked for"
	equal "$(who -l bob)" bob "another"
	equal "$(who --user bob)" bob "another, by the long flag"
	equal "$(on_host -l bob -- id -G 2>&1)" "$(id -u bob)" "groups"
	refuses "are alice's, or another's of its user=, and not root's" \
		on_host -l root -- id
	# A name that does not exist is refused in the same words.
	refuses "and not no-such-user's" on_host -l no-such-user -- id
	hasnt "$dir/err" "there is no"

	# A terminal, files, skypty-ssh, names before an @, the file of hosts.
	echo 'id -un; exit 0' | shell -l bob >"$dir/out" 2>"$dir/err"
	grep -q bob "$dir/out" || fail "a shell is not bob's"
	refuses "and not root's" shell -l root
	mkdir -m 777 "$dir/drop"
	echo bytes >"$dir/bytes"
	run skypty cp -q -l bob -i "$dir/client" --no-visor-key "$dir/bytes" \
		"$on_127:$port:$dir/drop/bobs" 2>"$dir/err" || fail "cp -l"
	equal "$(stat -c %U "$dir/drop/bobs")" bob "whose file it is"
	run skypty cp -q -i "$dir/client" --no-visor-key "$dir/bytes" \
		"bob@$on_127:$port:$dir/drop/too" 2>"$dir/err" || fail "cp bob@"
	equal "$(stat -c %U "$dir/drop/too")" bob "whose file that is"
	equal "$(on_ssh -l bob "$on_127" id -un)" bob "skypty-ssh -l"
	equal "$(on_ssh "bob@$on_127" id -un)" bob "skypty-ssh bob@"
	equal "$(on_ssh -o User=bob "$on_127" id -un)" bob "skypty-ssh User"
	equal "$(on_ssh -tt -l bob "$on_127" id -un | tr -d '\r')" bob \
		"skypty-ssh on a terminal"
	# The terminal is the user's own: by its name, and to close to others.
	on_ssh -tt -l bob "$on_127" 'stat -c %U "$(tty)"; : <"$(tty)"; mesg n' \
		>"$dir/out" 2>"$dir/err" </dev/null
	equal "$(tr -d '\r' <"$dir/out")" bob "whose the terminal is"
	refuses "and not root's" on_ssh -l root "$on_127" id
	if command -v sftp >/dev/null; then
		echo "put $dir/bytes $dir/drop/three" | run skypty sftp -l bob \
			-i "$dir/client" "$on_127:$port" -- -b - \
			>"$dir/out" 2>&1 || fail "sftp -l"
		equal "$(stat -c %U "$dir/drop/three")" bob "sftp's file"
	fi
	mkdir -p "$HOME/.config/skypty"
	printf 'Host lab\n Key %s\n Address 127.0.0.1:%s\n Identity %s\n User bob\n' \
		"$pk" "$port" "$dir/client" >"$HOME/.config/skypty/config"
	equal "$(run skypty exec --no-visor-key lab -- id -un)" bob "User"
	equal "$(run skypty exec --no-visor-key -l alice lab -- id -un)" \
		alice "-l before User"
	equal "$(run skypty exec --no-visor-key alice@lab -- id -un)" alice \
		"alice@lab"

	# Without user= it is the daemon's own, also by its name.
	line ""
	equal "$(who)" root "without user="
	equal "$(who -l root)" root "the daemon's by name"
	refuses "this key's sessions are root's and not alice's" \
		on_host -l alice -- id

	# A user who may not log in, and one who is not there.
	line 'user="locked,gone"'
	refuses "locked" on_host -- id
	refuses "there is no account gone" on_host -l gone -- id
	refuses "locked" run skypty cp -q -i "$dir/client" --no-visor-key \
		"$on_127:$port:$dir/bytes" "$dir/copy"
	# What has failed once does not leave the daemon's user to the next.
	raw handshake mux dmsgpty/pty >/dev/null
	has "$log" "locked"

	# A forced command is the user's, too.
	line 'user="bob",command="id -un"'
	equal "$(on_host -- true)" bob "a forced command"

	# What is no name never gets to the host.
	for bad in "" "a/b" "a b" "-x" "a?b"; do
		status=0
		on_host --user="$bad" -- id >"$dir/out" 2>"$dir/err" ||
			status=$?
		equal $status 64 "status of '$bad'"
	done
	stop_host
	unset wl
}

not_root() {
	wl='' && conf authorized_pks "\"$dir/pks\""
	line "user=\"$account,alice\""
	start_host
	[ -n "$no_login" ] || equal "$(who)" "$account" "the own user"
	refuses "" on_host -l alice -- id
	stop_host
	unset wl
}

if [ "$(id -u)" -eq 0 ]; then
	own_machine "$0"
	as_root users
fi
as_user not_root
