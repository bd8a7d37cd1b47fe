#!/bin/sh
# SPDX-License-Identifier: ISC
# Whatever a peer puts into names and keys arrives in the log as one line of
# printable bytes.
. regress/sys/lib.sh

escaped() {
	start_host
	evil=$(printf 'a\nskyptyd[1]: forged\033[2J\r\302\233\377b')
	on_host -- "$evil" 2>"$dir/err.exec" && fail "it was started?"
	raw handshake mux dmsgpty/pty start "$evil" ';' reply \
		exec "$evil" ';' reply >"$dir/out"
	$as mkdir "$dir/evil"
	$as ln -s /bin/true "$dir/evil/$evil"
	on_host -- "$dir/evil/$evil" || fail "it was not started"
	has "$log" 'a\012skyptyd[1]: forged\033[2J\015'
	if LC_ALL=C grep -v '^skyptyd\[[0-9]*\]: [ -~]*$' "$log"; then
		fail "the log holds other lines"
	fi
	# Nor do a host's reach the user's terminal in an error message.
	run skypty shell -i "$dir/client" --no-visor-key -c "$evil" "$(dest)" \
		</dev/null 2>"$dir/err.shell" && fail "it was started?"
	has "$dir/err.shell" 'exec: "a\nskyptyd[1]: forged\033[2J\r'
	stop_host
}

either escaped
