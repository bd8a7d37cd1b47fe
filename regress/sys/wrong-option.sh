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
	told 64 "unknown option '-z'" skypty exec -zq "$pk@127.0.0.1" true
	told 64 "unknown option '-z'" skypty exec -qz "$pk@127.0.0.1" true
	told 64 "unknown option '--zq'" skypty exec --zq "$pk@127.0.0.1" true
	told 64 "'skypty help shell'" skypty shell -z
	told 64 "option '-i' needs a value" skypty pk -i
	told 64 "-z" skyptyd tcp -zc "$dir/host.json"
	told 64 "--zc" skyptyd tcp --zc "$dir/host.json"
	hasnt "$dir/err.told" "Serving"
	told 64 "unknown option '--rw'" skypty fs mount --rw "$pk@127.0.0.1" "$dir"
	told 64 "unknown option '--ro'" skypty exec --ro "$pk@127.0.0.1" true
	told 64 "did you mean '--timeout'?" skypty shell --tiemout 5
	told 64 "option '--quiet' takes no value" skypty exec --quiet=1 -- true
	told 64 "did you mean '--listen'?" skyptyd tcp --lisen :1
	told 64 "option '--addr' needs a value" skyptyd tcp --addr
	told 64 "is for 'skyptyd check'" skyptyd tcp --peer "$pk"
	told 64 "did you mean 'tcp'?" skyptyd tpc
	told 64 "usage: skyptyd" skyptyd
	told 64 "'skypty whitelist-remove'" skypty whitelist-del "$pk"
	told 64 "unknown command 'nonsense'" skypty help nonsense
	told 64 "one file" skypty keygen "$dir/k1" "$dir/k2"
	[ ! -e "$dir/k1" ] || fail "a key was made"
	told 1 "--force replaces it" skypty keygen "$dir/client"
	told 1 "Not a directory" skypty keygen -f "$dir/client/k"
	told 64 "'skyptyd http'" skypty http
	told 64 "unknown option '--json'" skypty config --json
	told 64 "option '-F' needs a value" skypty config -F
	told 64 "one name" skypty config a b
	told 64 "http:// is no way to a host" skypty exec \
		"http://$pk@127.0.0.1" -- true
	for to in "$pk@127.0.0.1:0" "tcp://$pk@[::1]:00"; do
		told 64 "port 0 is no port" skypty exec "$to" -- true
	done
	told 64 "there is 'x'" skypty version x
	told 64 "'x' is not expected" skyptyd version x
	told 64 "a mode comes first" skyptyd --addr :2022
	told 64 "'skyptyd check'" skyptyd -t
	told 64 "'skypty shell'" skyptyd shell
	told 64 "unknown command 'ls'; 'skypty help'" skypty ls
	if [ -x "$bin/skyptyd-http" ]; then
		mv "$bin/skyptyd-http-monitor" "$dir/away"
		told 71 "is built where libwebsockets is" skyptyd http
		mv "$dir/away" "$bin/skyptyd-http-monitor"
		told 64 "--addr :99999: write HOST:PORT" skyptyd http --addr :99999
		told 64 "neither a number nor in" skyptyd http --addr :notaport
		told 64 "--haddr host: write" skyptyd http --hnet tcp --haddr host
		told 64 "--tls-cert $dir/none: No such file" skyptyd http \
			--tls-cert "$dir/none" --tls-key "$dir/client"
		told 64 "--tls-key $dir/none: No such file" skyptyd http \
			--tls-cert "$dir/client" --tls-key "$dir/none"
		# That it is none is found out behind the confinement.
		told 78 "http ended with status 78" skyptyd http \
			--addr 127.0.0.1:0 --user "$privsep" \
			--token-file "$dir/link" \
			--tls-cert "$dir/client" --tls-key "$dir/client"
	fi
	# A terminal does not obey it.
	evil=$(printf 'a\033[2J\302\233b')
	told 64 "command 'a\033[2J\u009bb'" skypty "$evil"
	told 64 "mode 'a\033[2J\u009bb'" skyptyd "$evil"
	told 64 'a\033[2J\u009bb: not a public key' skyptyd check \
		-c "$dir/host.json" --cliaddr "" --peer "$evil"
}

# listed COMMAND FLAG...: both ways to help name them on standard output.
listed() {
	command=$1
	shift
	run skypty help "$command" >"$dir/help" || fail "help $command"
	run skypty "$command" --help >"$dir/help.flag" ||
		fail "$command --help"
	cmp "$dir/help" "$dir/help.flag" || fail "they differ"
	for flag in "$@"; do
		has "$dir/help" "$flag"
	done
}

# Each command's own flags, and no others.
helps() {
	listed cp --recursive --preserve --resume --port --identity
	hasnt "$dir/help" --escape
	listed fs --background --ro --remote-root --attr-ttl --entry-ttl \
		--debug --identity
	hasnt "$dir/help" --escape
	hasnt "$dir/help" --timeout
	listed shell --escape --addr --via-visor
	listed exec --timeout --no-stdin
	listed sftp --identity --cliaddr --via-visor
	hasnt "$dir/help" --clinet
	hasnt "$dir/help" --escape
	listed whitelist-add --cliaddr --confpath
	listed pk --identity --visor-key --quiet
	hasnt "$dir/help" --port
	listed keygen --force
	listed config --config
	listed dmsg --json --cliaddr
	for words in "fs mount" "fs umount" "fs list" "dmsg status"; do
		for flag in -h --help; do
			# shellcheck disable=SC2086
			run skypty $words $flag >"$dir/help" ||
				fail "$words $flag"
			has "$dir/help" "usage: skypty ${words%% *} "
		done
	done
	run skypty help version >"$dir/help" || fail "help version"
}

# refused COMMAND WORDS FLAG...: what has no meaning for it.
refused() {
	name=$1
	words=$2
	shift 2
	for flag in "$@"; do
		# shellcheck disable=SC2086 # words
		told 64 "unknown option '$flag'" skypty $words "$flag" x
		grep -qE "did you mean '--|'skypty help $name' lists" \
			"$dir/err.told" ||
			fail "$words $flag: $(cat "$dir/err.told")"
	done
}

without_meaning() {
	command_only="-e --env -t --timeout --no-pty --no-stdin --escape -c
		--cmd -a --args"
	# --via is short for --via-visor where there is none.
	connect="-p --port --transport --scheme --addr --dmsgdisc
		--dmsg-servers --standalone --rpc -F --config"
	who="-s --sk -i --identity --visor-key --via-visor --no-visor-key -q
		--quiet -v --verbose"
	# shellcheck disable=SC2086 # words
	{
		refused sftp sftp $command_only -n --clinet --confpath
		refused fs "fs mount" $command_only -n --clinet --confpath
		refused pk pk $command_only $connect -n --clinet -r \
			--cliaddr --confpath
		refused whitelist whitelist $command_only $connect $who --via
		refused dmsg "dmsg status" $command_only $connect $who --via
	}
	told 64 "'$dir/client'" skypty pk "$dir/client"
	told 64 "usage: skypty dmsg status" skypty dmsg status now
}

# What looks like a destination is never a command for this machine.
destinations() {
	start_host
	for word in root@host root@127.0.0.1 "@$pk"; do
		told 64 "is not a public key" skypty exec --cliaddr "$sock" \
			"$word" true
	done
	told 64 "ssh:// is no way" skypty exec --cliaddr "$sock" ssh://host true
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
either helps
either without_meaning
either destinations
either alone
