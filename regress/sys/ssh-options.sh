#!/bin/sh
# SPDX-License-Identifier: ISC
# skypty ssh takes ssh's command line: what it means here is done, what means
# nothing is passed over, and what would be missed is refused.
. regress/sys/lib.sh

# says WANTED WHAT ARGUMENT...: on standard output, and status 0.
says() {
	wanted=$1
	what=$2
	shift 2
	said=$(on_ssh "$@" 2>"$dir/err.ssh") || fail "$what: status $?"
	equal "$said" "$wanted" "$what"
}

# ends STATUS ARGUMENT...
ends() {
	wanted=$1
	shift
	status=0
	on_ssh "$@" >"$dir/out" 2>"$dir/err.ssh" </dev/null || status=$?
	equal $status "$wanted" "status of $*"
}

refuses() {
	text=$1
	shift
	ends 255 "$@"
	has "$dir/err.ssh" "$text"
	[ ! -s "$dir/out" ] || fail "there is output: $(cat "$dir/out")"
}

# A shell that only says how it was called.
make_shell() {
	printf '#!/bin/sh\necho "shell $*"\n' | $as tee "$dir/shell" >/dev/null
	$as chmod 755 "$dir/shell"
}

destinations() {
	start_host
	on_127=$pk@127.0.0.1
	# The name of the program, and that of the command.
	flags="-i $dir/client $no_login"
	for ssh in "$bin/skypty-ssh" "$bin/skypty ssh"; do
		for place in "-p $port $on_127" "-oPort=$port $on_127" \
			"-o Port=$port $on_127" "$on_127:$port" \
			"$on_127 -p $port" "-p $port -- $on_127" \
			"ssh://$on_127:$port" "ssh://$on_127:$port/" \
			"-p $port ssh://$on_127:1" "tcp://$on_127:$port" \
			"-p $port -l $pk 127.0.0.1" \
			"-oKey=$pk -p $port 127.0.0.1" \
			"-p $port -oHostName=127.0.0.1 $pk@nowhere" \
			"-p $port -oHostName=127.0.0.%h $pk@1" \
			"-p $port -oHostName=127.0.0.1 $pk" \
			"-p $port -oUser=$pk 127.0.0.1"; do
			# shellcheck disable=SC2086
			equal "$($as $ssh $flags $place \
				readlink /proc/self/fd/0 </dev/null \
				2>"$dir/err.ssh")" /dev/null "$ssh $place"
		done
	done
	says here "a port in words" -o "Port $port" "$on_127" echo here
	says here "a key in quotes" -o "User=\"$pk\"" 127.0.0.1 echo here
	says here "a port in quotes" -o "Port = \"$port\"" "$on_127" echo here

	ends 0 -G "$on_127"
	has "$dir/out" "hostname 127.0.0.1"
	has "$dir/out" "port $port"
	has "$dir/out" "user $pk"
	# Of our own, too.
	ends 0 -G -oStandalone=yes -oDiscovery=http://127.0.0.1:1 "$pk"
	for line in "port $port" "key $pk" "standalone yes" "visorkey yes" \
		"discovery http://127.0.0.1:1"; do
		grep -qxF "$line" "$dir/out" || fail "-G lacks $line"
	done

	refuses "public key is not known" 127.0.0.1 true
	refuses "public key is not known" root@127.0.0.1 true
	refuses "public key is not known" -l root 127.0.0.1 true
	refuses "public key is not known" "${pk%?}@127.0.0.1" true
	refuses "name two hosts" -l "$client" "$on_127" true
	refuses "nothing before the '@'" @127.0.0.1 true
	refuses "invalid characters" "$pk@127.0.0.1;x" true
	refuses "invalid characters" -l "a b" "$on_127" true
	refuses "usage: skypty-ssh" -v
	new_key other
	status=0
	$as "$bin/skypty-ssh" -i "$dir/other" -p "$port" "$on_127" true \
		2>"$dir/err.ssh" || status=$?
	equal $status 255 "status of an unknown key"
	has "$dir/err.ssh" "not on the host's whitelist"
	stop_host
}

accepted_and_refused() {
	start_host
	on_127=$pk@127.0.0.1
	says here "what is passed over" -2 -4 -a -x -C -k -K -g -M -P tag \
		-b 127.0.0.1 -c aes -m hmac -E "$dir/nothing" -S none \
		-oBatchMode=yes -oControlMaster=auto "-oControlPath=$dir/%h" \
		-F none -o ProxyCommand=none -o ProxyJump=none -J none \
		-I none "$on_127" echo here
	says here "what was taken back" -A -a -X -x -T -6 -4 "$on_127" echo here
	equal "$($as "$bin/skypty-ssh" -V 2>&1 >"$dir/out" |
		cut -d ' ' -f 1)" skypty -V

	# Each by the name that it was called by.
	while read -r flags text; do
		flags=$(echo "$flags" | tr '~' ' ')
		# shellcheck disable=SC2086
		refuses "${flags%% *}: $text" $flags "$on_127" true
	done <<-'END'
		-w~1 networks are not forwarded
		-A the agent is not forwarded
		-X X11 is not forwarded
		-Y X11 is not forwarded
		-I~lib.so keys in tokens
		-O~dance Invalid multiplex command
		-Q~cipher there is nothing to choose
		-1 there is no such protocol
	END
	refuses "unknown option -- Z" -Z "$on_127" true
	refuses "usage:" -Z "$on_127" true
	refuses "unknown option --help" --help
	refuses "requires an argument -- p" -p
	refuses "requires an argument -- o" "$on_127" -o
	for p in 65536 -1 0 abc ""; do
		refuses "-p: Bad port '$p'" -p "$p" "$on_127" true
	done
	refuses "Bad port '65536'" "-oPort=65536" "$on_127" true
	refuses "Bad port '0'" "ssh://$on_127:0" true
	for e in xx "" "^1" noone; do
		refuses "-e: Bad escape character '$e'" -e "$e" "$on_127" true
	done
	refuses "Cannot specify -s with -N" -N -s "$on_127" sftp
	refuses "must specify a subsystem" -s "$on_127"
	refuses "there is sftp only" -s "$on_127" netconf
	refuses "Can't specify both" -y -E "$dir/x" "$on_127" true
	# A flag behind "--" and the destination is the command's.
	ends 0 "$on_127" -V
	on_ssh -- "$on_127" -V >"$dir/out" 2>"$dir/err.ssh" </dev/null &&
		fail "-V was taken behind --"
	hasnt "$dir/err.ssh" skypty
	refuses "NAME=VALUE" -o SetEnv=A "$on_127" true

	on_ssh -v "$on_127" true 2>"$dir/err.ssh"
	has "$dir/err.ssh" "we are $client"
	hasnt "$dir/err.ssh" "$host_sk"

	# The visor's key is tried, unless that is not wanted.
	new_key own
	wl="\"$key\"" conf
	$as mkdir -p "$HOME/.config/skypty"
	$as mv "$dir/own" "$HOME/.config/skypty/identity"
	for v in yes no; do
		# shellcheck disable=SC2086
		$as "$bin/skypty-ssh" -v $no_login -o VisorKey=$v \
			-p "$port" "$on_127" true 2>"$dir/err.$v" ||
			fail "a key of our own: $?"
	done
	[ -e /opt/skywire/skywire.json ] || has "$dir/err.yes" "no visor here"
	hasnt "$dir/err.no" visor
	stop_host
}

commands() {
	start_host
	make_shell
	on_127=$pk@127.0.0.1
	ends 0 "$on_127" true
	ends 7 "$on_127" exit 7
	ends 255 "$on_127" 'exit 255'
	ends 127 "$on_127" no-such-command
	ends 255 "$on_127" 'kill -TERM $$'
	has "$dir/err.ssh" "killed by signal TERM"
	ends 255 -q "$on_127" 'kill -TERM $$'
	[ ! -s "$dir/err.ssh" ] || fail "-q is not quiet"

	# The words are one command of the shell's.
	says "$(printf 'a b *\n3')" "joined words" "$on_127" \
		echo 'a   b' '"*";' 'expr 1 + 2' '| cat'
	equal "$(on_ssh "$on_127" 'echo out; echo err >&2' \
		2>"$dir/err.ssh")" out "standard output"
	equal "$(cat "$dir/err.ssh")" err "standard error"
	usual=$no_login
	no_login=-oSetEnv=SHELL=$dir/shell
	says "shell -c echo a  b \$x" "the account's shell" \
		"$on_127" echo 'a  b' "\$x"
	# Not "-l": the dash is in its name, which a script does not see.
	says "shell " "a login shell" "$on_127"
	says "shell " "a login shell of somebody" -l "$account" "$on_127"
	no_login=$usual
	status=0
	printf 'echo "in $0" | cut -c 1-2\nexit 4\necho never\n' |
		on_ssh "$on_127" >"$dir/out" 2>"$dir/err.ssh" || status=$?
	equal $status 4 "status of a shell that reads its commands"
	equal "$(cat "$dir/out")" in "output of a shell that reads its commands"

	equal "$(echo x | on_ssh "$on_127" cat)" x "input"
	equal "$(echo x | on_ssh -n "$on_127" cat)" "" "input with -n"
	stop_host
}

# An account that nobody may log in to.
no_shell() {
	start_host
	[ -n "$no_login" ] || return 0
	status=0
	$as "$bin/skypty-ssh" -i "$dir/client" -p "$port" "$pk@127.0.0.1" \
		echo here >"$dir/out" 2>"$dir/err.ssh" || status=$?
	equal $status 1 "status without a shell"
	hasnt "$dir/out" here
	stop_host
}

environment() {
	start_host
	on_127=$pk@127.0.0.1
	export LC_ONE=1 LC_TWO="2 3" OTHER=4 THIRD=5
	show='echo "$LC_ONE/$LC_TWO/$OTHER/$THIRD/$SET/$MORE"'
	says ///// "the environment" "$on_127" "$show"
	says "1/2 3////" SendEnv -o 'SendEnv=LC_*' "$on_127" "$show"
	says "1//4/5//" "a list" -o 'SendEnv LC_ONE OTHER' -oSendEnv=THIRD \
		"$on_127" "$show"
	says "////a=b/" SetEnv -o SetEnv=SET=a=b "$on_127" "$show"
	says "////a  b/c" "a list" -o 'SetEnv=SET="a  b" MORE=c' \
		"$on_127" "$show"
	# The first SetEnv counts, and more than what is sent.
	says "/////1" "the first of two" -o SetEnv=MORE=1 -o SetEnv=SET=2 \
		-o SetEnv=MORE=3 "$on_127" "$show"
	says "///1//" "SetEnv and SendEnv" -o SetEnv=THIRD=1 -oSendEnv=THIRD \
		"$on_127" "$show"
	says "/2 3////" "what is not sent after all" -o 'SendEnv=LC_* OTHER' \
		-o 'SendEnv=-OTHER -LC_*' -o 'SendEnv=LC_T?O' "$on_127" "$show"
	# As many as there are.
	i=0
	set --
	while [ $i -lt 200 ]; do
		i=$((i + 1))
		set -- "$@" "MANY_$i=$i"
	done
	# shellcheck disable=SC2046
	equal "$($as env "$@" $(as_ssh) -o 'SendEnv=MANY_*' "$on_127" \
		'env | grep -c ^MANY_')" 200 "200 variables"
	unset LC_ONE LC_TWO OTHER THIRD
	stop_host
}

# play ARGUMENT...: on a terminal; the script on standard input.
play() {
	# shellcheck disable=SC2046,SC2086
	TERM=vt220 "$PYTHON" "$LIB/on_tty.py" 24 80 $as $(as_ssh) \
		-o SetEnv=SHELL=/bin/sh "$@" >"$dir/out" 2>&1 || fail "$(cat "$dir/out")"
}

terminals() {
	start_host
	on_127=$pk@127.0.0.1
	# No command: a session, whose status is the shell's.
	play "$on_127" <<-'END'
		raw
		send echo "<$TERM>"; stty size\r
		expect <vt220>
		expect 24 80
		size 30 90
		send stty size\r
		expect 30 90
		send exit 7\r
		end
		cooked
	END
	equal "$(cat "$dir/out")" 7 "status of a session"
	play "$on_127" <<-'END'
		raw
		send echo he''re\r
		expect here
		send ~.
		end
		cooked
	END
	equal "$(cat "$dir/out")" 255 "status of ~."
	play -e none "$on_127" <<-'END'
		raw
		send ~.\r
		expect not found
		send exit\r
		end
	END
	equal "$(cat "$dir/out")" 127 "status without escapes"
	play -e % "$on_127" <<-'END'
		raw
		send echo he''re\r
		expect here
		send %.
		end
	END
	equal "$(cat "$dir/out")" 255 "status of another escape"

	# A command gets one if it is asked for.
	for t in -t -tt -oRequestTTY=yes; do
		play "$t" "$on_127" \
			'trap "exit 3" INT; tty; cat' <<-'END'
			raw
			expect /dev/pts/
			send hello\r
			expect hello
			expect hello
			send \x03
			end
			cooked
		END
		equal "$(cat "$dir/out")" 3 "status of $t"
	done
	for t in -T -oRequestTTY=no; do
		play "$t" "$on_127" 'tty; exit 3' <<-'END'
			cooked
			expect not a tty
			end
		END
		equal "$(cat "$dir/out")" 3 "status of $t"
	done
	play -T "$on_127" <<-'END'
		cooked
		send tty; exit 5\n
		expect not a tty
		end
	END
	equal "$(cat "$dir/out")" 5 "status of a shell by -T"

	# Without one here, -t is not enough.
	ends 1 -t "$on_127" tty
	has "$dir/out" "not a tty"
	ends 0 -tt "$on_127" tty
	has "$dir/out" "/dev/pts/"
	echo "1 + 2" | on_ssh -tt "$on_127" "read -r x; expr \$x" >"$dir/out" \
		2>"$dir/err.ssh" || fail "input by -tt: status $?"
	equal "$(tr -d '\r' <"$dir/out" | tail -n 1)" 3 "what was typed by -tt"
	stop_host
}

either destinations
either accepted_and_refused
both commands
as_user no_shell
either environment
both terminals
