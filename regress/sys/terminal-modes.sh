#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2046,SC2086
# A terminal over there has the modes and special characters of ours, and one
# without a terminal here has what the kernel gives, in UTF-8.
. regress/sys/lib.sh

# play COMMAND...: on a terminal whose modes are unusual; the shell's stty in
# $dir/stty.
play() {
	rm -f "$dir/stty"
	{
		printf 'raw\nsend stty -a >%s.new; mv %s.new %s\\r\n' \
			"$dir/stty" "$dir/stty" "$dir/stty"
		printf 'exists %s\nsend exit\\r\nend\n' "$dir/stty"
	} | "$PYTHON" $LIB/on_tty.py 24 80 sh -c 'stty intr ^X erase ^H \
		susp undef -ixon -iutf8 noflsh; exec "$@"' sh "$@" \
		>"$dir/out" 2>&1 || fail "$(cat "$dir/out")"
}

unusual() {
	for word in "intr = ^X;" "erase = ^H;" "susp = <undef>;" \
		"quit = ^\\;" "-ixon" "-iutf8" "icrnl" "isig" "icanon"; do
		has "$dir/stty" "$word"
	done
	grep -q '[^-]noflsh' "$dir/stty" || fail "noflsh is not set"
}

carried() {
	start_host
	play $as $(as_ssh) "$pk@127.0.0.1"
	unusual
	play $as "$bin/skypty" shell -c /bin/sh -i "$dir/client" \
		--no-visor-key "$(dest)"
	unusual
	on_ssh -tt "$pk@127.0.0.1" "stty -a" </dev/null >"$dir/stty" \
		2>"$dir/log.client"
	has "$dir/stty" "intr = ^C;"
	grep -q '[^-]iutf8' "$dir/stty" || fail "iutf8 is not set"
	stop_host
}

both carried
