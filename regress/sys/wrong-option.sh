#!/bin/sh
# SPDX-License-Identifier: ISC
# A mistake on the command line is told by its name, and nothing is done.
. regress/sys/lib.sh

# told STATUS TEXT PROGRAM ARGUMENT...
told() {
	wanted=$1
	text=$2
	shift 2
	status=0
	run "$@" >"$dir/out" 2>"$dir/err.told" </dev/null || status=$?
	equal $status "$wanted" "status of $*"
	has "$dir/err.told" "$text"
	[ ! -s "$dir/out" ] || fail "there is output: $(cat "$dir/out")"
}

options() {
	# Of several letters in one word it is the wrong one.
	told 64 "'-z' is no option here" skypty exec -zq "$pk@127.0.0.1" true
	told 64 "'-z' is no option here" skypty exec -qz "$pk@127.0.0.1" true
	told 64 "'--zq' is no option here" skypty exec --zq "$pk@127.0.0.1" true
	told 64 "'skypty help shell'" skypty shell -z
	told 64 "'-i' is no option here, or lacks its value" skypty pk -i
	told 64 "-z" skyptyd tcp -zc "$dir/host.json"
	told 64 "--zc" skyptyd tcp --zc "$dir/host.json"
	hasnt "$dir/err.told" "Serving"
	told 64 "is no option here" skypty fs mount --rw "$pk@127.0.0.1" "$dir"
	told 64 "'--ro' is no option here" skypty exec --ro "$pk@127.0.0.1" true
}

# What looks like a destination is never a command for this machine.
destinations() {
	start_host
	for word in root@host root@127.0.0.1 "@$pk" ssh://host; do
		told 64 "is not a public key" skypty exec --cliaddr "$sock" \
			"$word" true
	done
	told 64 "is not an address" skypty exec --cliaddr "$sock" "$pk@" true
	told 64 "tcp needs an address" skypty exec --cliaddr "$sock" \
		tcp://host true
	told 64 "'root' is not a public key" skypty exec --cliaddr "$sock" root@host -- true
	told 64 "'skypty shell root@host'" skypty root@host
	told 64 "did you mean 'exec'" skypty exe
	hasnt "$log" "Command started"
	# A command may have such a word among its arguments.
	equal "$(run skypty exec --cliaddr "$sock" echo root@host)" root@host \
		"an argument with a sign"
	stop_host
}

alone() {
	mkdir "$dir/alone"
	cp "$bin/skypty" "$dir/alone"
	for words in "host --allow $pk" "sftp $pk@127.0.0.1"; do
		program=skyptyd
		folder=/usr/local/sbin
		case $words in sftp*)
			program=skypty-ssh
			folder=/usr/local/bin
			;;
		esac
		[ ! -e $folder/$program ] || continue
		status=0
		# shellcheck disable=SC2086
		"$dir/alone/skypty" $words >"$dir/out" 2>"$dir/err.alone" ||
			status=$?
		equal $status 255 "status of skypty $words by itself"
		has "$dir/err.alone" "$program is neither beside this program"
	done
}

either options
either destinations
either alone
