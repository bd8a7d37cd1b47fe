#!/bin/sh
# SPDX-License-Identifier: ISC
# Where a login name is given to skypty ssh, nothing is run as anybody else.
. regress/sys/lib.sh

# runs WHAT ARGUMENT...: a command, as who we are.
runs() {
	what=$1
	shift
	said=$(on_ssh "$@" 'echo x >>'"$dir/ran; id -un" 2>"$dir/err.ssh" \
		</dev/null) || fail "$what: status $?"
	equal "$said" "$account" "$what"
	[ ! -s "$dir/err.ssh" ] || fail "$what: it says something"
	rm "$dir/ran"
}

# refuses WHAT ARGUMENT...: the session is somebody else's.
refuses() {
	what=$1
	shift
	status=0
	on_ssh "$@" "echo x >>$dir/ran" >"$dir/out" 2>"$dir/err.ssh" \
		</dev/null || status=$?
	equal $status 255 "$what: status"
	has "$dir/err.ssh" "are $account's and not $other's"
	[ ! -e "$dir/ran" ] || fail "$what: it was run"
	[ ! -s "$dir/out" ] || fail "$what: there is output"
}

names() {
	other=daemon
	[ "$account" != daemon ] || other=bin
	on_127=$pk@127.0.0.1
	mkdir -p "$HOME/.config/skypty"
	printf 'Host lab\n Key %s\n Address 127.0.0.1:%s\n Identity %s\n' \
		"$pk" "$port" "$dir/client" >"$HOME/.config/skypty/config"
	[ -z "$as" ] || chown -R "$uid:$gid" "$HOME/.config"

	for u in "$account" "$other"; do
		[ "$u" = "$account" ] && does=runs || does=refuses
		$does "-l $u" -l "$u" "$on_127"
		$does "-l $u behind it" "$on_127" -l "$u"
		$does "-o User=$u" -o "User=$u" "$on_127"
		$does "$u@pk@host" "$u@$on_127"
		$does "-l $u@pk" -l "$u@$pk" 127.0.0.1
		$does "ssh://$u@pk@host" "ssh://$u@$on_127:$port"
		$does "ssh://$u%40pk@host" "ssh://$u%40$on_127:$port/"
		$does "$u@name" "$u@lab"
		$does "ssh://$u@name" "ssh://$u@lab/"
		$does "-l $u name" -l "$u" lab
		# Of two the first counts.
		$does "-l $u, then another" -l "$u" -l nobody@x root@lab
	done
	# On a terminal all of it is output.
	on_ssh -tt -l "$account" "$on_127" "id -un" >"$dir/out" </dev/null
	equal "$(tr -d '\r' <"$dir/out")" "$account" "on a terminal"
	status=0
	on_ssh -tt -l "$other" "$on_127" "echo x >>$dir/ran" >"$dir/out" \
		2>"$dir/err.ssh" </dev/null || status=$?
	equal $status 255 "status on a terminal"
	cat "$dir/err.ssh" >>"$dir/out"
	has "$dir/out" "are $account's and not $other's"
	[ ! -e "$dir/ran" ] || fail "it was run on a terminal"
}

nobodys() {
	for other in no-such-account 99999 "$account.x" 'HOME$' 'a%41'; do
		refuses "$other" -l "$other" "$pk@127.0.0.1"
	done
	for bad in -x 'a;b' 'a b' '$(id)' 'a"b' "a'b" '$HOME' 'a$IFS-x' \
		'a$$' '*' 'a[b]' 'a?'; do
		status=0
		on_ssh -l "$bad" "$pk@127.0.0.1" "echo x >>$dir/ran" \
			>"$dir/out" 2>"$dir/err.ssh" </dev/null || status=$?
		equal $status 255 "status of $bad"
		has "$dir/err.ssh" "login name is empty, or contains invalid"
		[ ! -e "$dir/ran" ] || fail "$bad: it was run"
	done
	# The session's own variables say nothing of who it is.
	refuses "USER set" -oSetEnv="USER=$other LOGNAME=$other" -l "$other" \
		"$pk@127.0.0.1"
}

# Shells, and files.
others() {
	other=daemon
	status=0
	echo "echo x >>$dir/ran" | on_ssh -l $other "$pk@127.0.0.1" \
		>"$dir/out" 2>"$dir/err.ssh" || status=$?
	equal $status 255 "status of a shell"
	[ ! -e "$dir/ran" ] || fail "a shell was run"
	equal "$(echo 'id -un; exit 3' | on_ssh -l "$account" \
		"$pk@127.0.0.1")" "$account" "a shell"

	command -v scp >/dev/null || return 0
	echo bytes >"$dir/file"
	# shellcheck disable=SC2046
	set -- scp -s -S "$bin/skypty-ssh" -i "$dir/client" -P "$port" \
		-o "Key=$pk"
	[ -z "$no_login" ] || set -- "$@" "$no_login"
	$as "$@" "$dir/file" "$account@127.0.0.1:$dir/there" \
		>"$dir/out" 2>"$dir/err.ssh" || fail "scp as $account"
	cmp "$dir/file" "$dir/there" || fail "a file was changed"
	rm "$dir/there"
	if $as "$@" "$dir/file" "$other@127.0.0.1:$dir/there" \
		>"$dir/out" 2>"$dir/err.ssh"; then
		fail "scp as $other"
	fi
	has "$dir/err.ssh" "are $account's and not $other's"
	[ ! -e "$dir/there" ] || fail "a file was written as $account"
}

all() {
	start_host
	names
	nobodys
	others
	stop_host
}

both all
