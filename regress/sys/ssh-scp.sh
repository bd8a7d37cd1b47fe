#!/bin/sh
# SPDX-License-Identifier: ISC
# scp works through skypty in ssh's place, by SFTP and by its own protocol.
. regress/sys/lib.sh
need_command scp
[ -x /usr/lib/openssh/sftp-server ] || skip "there is no sftp-server"

# scp takes its ssh as one word.
wrapper() {
	printf '#!/bin/sh\nexec %s "$@"\n' "$(as_ssh)" |
		$as tee "$bin/ssh" >/dev/null
	$as chmod 755 "$bin/ssh"
}

# copy FLAG... FROM TO
copy() {
	$as scp -q -S "$bin/ssh" "$@" 2>"$dir/err.scp" ||
		fail "scp $* returned $?: $(cat "$dir/err.scp")"
}

works() {
	copy "$@" -p "$dir/bytes" "$pk@127.0.0.1:$dir/there"
	cmp "$dir/bytes" "$dir/there" || fail "a file was changed on its way"
	equal "$(stat -c '%a %Y' "$dir/there")" \
		"$(stat -c '%a %Y' "$dir/bytes")" "mode and time"
	copy "$@" "$pk@127.0.0.1:$dir/there" "$dir/back"
	cmp "$dir/bytes" "$dir/back" || fail "a file was changed coming back"
	copy "$@" -r "$dir/tree" "scp://$pk@127.0.0.1:$port/$dir/tree2"
	diff -r "$dir/tree" "$dir/tree2" || fail "a folder was changed"
	copy "$@" -r "$pk@127.0.0.1:$dir/tree" "$dir/tree3"
	diff -r "$dir/tree" "$dir/tree3" || fail "a folder was changed"
	rm -rf "$dir/there" "$dir/back" "$dir/tree2" "$dir/tree3"

	status=0
	$as scp -q -S "$bin/ssh" "$@" "$pk@127.0.0.1:$dir/nowhere" \
		"$dir/back" 2>"$dir/err.scp" || status=$?
	equal $status 1 "status without a file"
	has "$dir/err.scp" "No such file or directory"
}

both_ways() {
	start_host
	wrapper
	head -c 2000000 /dev/urandom | $as tee "$dir/bytes" >/dev/null
	$as chmod 640 "$dir/bytes"
	$as touch -d '2001-02-03 04:05:06' "$dir/bytes"
	$as mkdir -p "$dir/tree/a b"
	echo x | $as tee "$dir/tree/a b/it's" >/dev/null
	works -s
	works -O
	stop_host
}

both both_ways
