#!/bin/sh
# SPDX-License-Identifier: ISC
# What the line of a key leaves out is refused with a sentence, what it says is
# there: terminal, command, files, through each service that has them.
. regress/sys/lib.sh

# line OPTIONS: of the client's key.
line() {
	echo "$1 $client a comment" >"$dir/pks"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/pks"
}

# terminal: whether a shell of the original's service answers.
terminal() {
	echo 'echo wor""ks; exit 0' | shell >"$dir/out" 2>"$dir/err" &&
		grep -q works "$dir/out"
}

command_works() {
	[ "$(on_host "$@" -- echo works 2>"$dir/err")" = works ]
}

on_terminal() {
	[ "$(on_ssh -tt "$pk@127.0.0.1" "echo works" 2>"$dir/err" </dev/null |
		tr -d '\r')" = works ]
}

login_shell() {
	echo 'echo wor""ks; exit 0' | on_ssh -tt "$pk@127.0.0.1" >"$dir/out" \
		2>"$dir/err" && grep -q works "$dir/out"
}

files() {
	rm -f "$dir/copy"
	run skypty cp -q -i "$dir/client" --no-visor-key \
		"$pk@127.0.0.1:$port:$dir/bytes" "$dir/copy" 2>"$dir/err" &&
		cmp -s "$dir/bytes" "$dir/copy"
}

# by_http: the original's stream.
by_http() {
	raw handshake mux dmsgpty/exec-stream >"$dir/out" 2>&1
	grep -q "mux 0" "$dir/out"
}

denies() {
	if "$@"; then
		fail "$1 with $(cat "$dir/pks")"
	fi
}

allows() {
	"$@" || fail "no $1 with $(cat "$dir/pks"): $(cat "$dir/err")"
}

refusals() {
	$as sh -c "echo bytes >$dir/bytes"
	wl='' && conf authorized_pks "\"$dir/pks\""
	line no-pty
	start_host
	denies terminal
	has "$dir/err" "this key may not open a terminal (authorized_pks)"
	denies on_terminal
	allows command_works
	allows files
	allows by_http

	line no-exec
	allows terminal
	allows login_shell
	denies on_terminal
	has "$dir/err" "this key may not run commands (authorized_pks)"
	denies command_works
	has "$dir/err" "this key may not run commands (authorized_pks)"
	denies by_http
	allows files

	line no-sftp
	denies files
	has "$dir/err" "this key may not transfer files (authorized_pks)"
	allows terminal
	allows command_works

	line restrict
	denies terminal
	denies command_works
	denies files
	denies by_http
	line restrict,exec
	allows command_works
	denies terminal
	denies files
	line restrict,sftp
	allows files
	denies command_works
	line restrict,pty
	allows terminal
	denies command_works

	# What the client says of a terminal alone is not what runs in it.
	line restrict,pty
	echo exit | run skypty shell -c "$bin/skypty" -i "$dir/client" \
		--no-visor-key "$(dest)" >"$dir/out" 2>"$dir/err"
	hasnt "$dir/out" "usage"

	line ""
	allows terminal
	allows command_works
	allows files
	allows on_terminal
	stop_host
	unset wl
}

either refusals
