#!/bin/sh
# SPDX-License-Identifier: ISC
# rsync works through skypty in ssh's place, both ways.
. regress/sys/lib.sh
need_command rsync

# sync ARGUMENT...
sync() {
	$as rsync -a -e "$(as_ssh)" "$@" 2>"$dir/err.rsync" ||
		fail "rsync $* returned $?"
}

tree() {
	$as mkdir -p "$1/sub folder/empty"
	head -c 3000000 /dev/urandom >"$dir/bytes"
	$as cp "$dir/bytes" "$1/large"
	echo "it's \"one\"" | $as tee "$1/sub folder/it's \$x *" >/dev/null
	$as ln -s large "$1/link"
	$as chmod 751 "$1/large"
	$as find "$1" -depth -exec touch -h -d '2001-02-03 04:05:06' {} +
}

same() {
	diff -r --no-dereference "$1" "$2" || fail "$1 and $2 differ"
	equal "$(cd "$1" && find . -printf '%p %m %Ts %l\n' | sort)" \
		"$(cd "$2" && find . -printf '%p %m %Ts %l\n' | sort)" \
		"modes, times and links"
}

copies() {
	start_host
	tree "$dir/here"
	sync "$dir/here/" "$pk@127.0.0.1:$dir/there/"
	same "$dir/here" "$dir/there"
	sync -z "$pk@127.0.0.1:$dir/there/" "$dir/back/"
	same "$dir/here" "$dir/back"

	# What is there already is not sent again, and what is gone goes.
	echo more | $as tee -a "$dir/here/large" >/dev/null
	$as rm "$dir/here/link"
	sync --delete --stats "$dir/here/" "$pk@127.0.0.1:$dir/there/" \
		>"$dir/out"
	same "$dir/here" "$dir/there"
	has "$dir/out" "Number of regular files transferred: 1"
	sent=$(sed -n 's/^Literal data: \([0-9,]*\) bytes$/\1/p' "$dir/out" |
		tr -d ,)
	[ "$sent" -lt 100000 ] || fail "$sent bytes were sent for five"

	# By the command's own name.
	ssh=$(as_ssh)
	$as rsync -a -e "$bin/skypty ssh ${ssh#* }" "$dir/here/" \
		"$pk@127.0.0.1:$dir/again/" 2>"$dir/err.rsync" ||
		fail "rsync by skypty ssh returned $?"
	same "$dir/here" "$dir/again"
	stop_host
}

fails() {
	start_host
	status=0
	$as rsync -e "$(as_ssh)" "$pk@127.0.0.1:$dir/nowhere" "$dir/" \
		2>"$dir/err.rsync" || status=$?
	equal $status 23 "status without a file"
	has "$dir/err.rsync" "$dir/nowhere"
	status=0
	$as rsync -e "$(as_ssh)" --rsync-path=no-such-rsync \
		"$pk@127.0.0.1:$dir/host.json" "$dir/" 2>"$dir/err.rsync" ||
		status=$?
	[ $status -ne 0 ] || fail "a missing rsync was no error"
	has "$dir/err.rsync" "no-such-rsync"
	stop_host
}

both copies
either fails
