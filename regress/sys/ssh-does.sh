#!/bin/sh
# SPDX-License-Identifier: ISC
# What skypty ssh does of ssh's options besides running a command: where it
# connects from and to, which key it takes, what it runs here, where its
# messages go, and that it goes to the background.
. regress/sys/lib.sh

# does STATUS WANTED WHAT ARGUMENT...
does() {
	wanted_status=$1
	wanted=$2
	what=$3
	shift 3
	status=0
	said=$(on_ssh "$@" 2>"$dir/err.ssh" </dev/null) || status=$?
	equal $status "$wanted_status" "$what: status"
	equal "$said" "$wanted" "$what"
}

commands() {
	start_host
	on_127=$pk@127.0.0.1
	does 3 "a  b" RemoteCommand -o "RemoteCommand=echo 'a  b'; exit 3" \
		"$on_127"
	does 0 "127.0.0.1 $port %" "tokens" \
		-o "RemoteCommand echo %h %p %%" "$on_127"
	does 0 here "RemoteCommand none" -oRemoteCommand=none "$on_127" \
		echo here
	does 255 "" "two commands" -oRemoteCommand=true "$on_127" echo here
	has "$dir/err.ssh" "Cannot execute command-line and remote command"
	does 255 "" "an unknown token" -oRemoteCommand="echo %z" "$on_127"
	has "$dir/err.ssh" "%z is not known here"

	does 0 "" StdinNull -oStdinNull=yes "$on_127" cat
	equal "$(echo x | on_ssh -oStdinNull=yes "$on_127" cat)" "" "StdinNull"
	equal "$(echo x | on_ssh -oStdinNull=no "$on_127" cat)" x "no StdinNull"

	# Here, and only if that is permitted.
	does 0 there "LocalCommand" -oPermitLocalCommand=yes \
		-o "LocalCommand=echo %n %h %p %u >$dir/local" "$on_127" \
		echo there
	equal "$(cat "$dir/local")" \
		"127.0.0.1 127.0.0.1 $port $(id -un "$uid")" "LocalCommand"
	does 0 there "LocalCommand" -o "LocalCommand=echo >$dir/never" \
		"$on_127" echo there
	[ ! -e "$dir/never" ] || fail "LocalCommand was run unasked"
	new_key other
	$as "$bin/skypty-ssh" -i "$dir/other" -p "$port" \
		-oPermitLocalCommand=yes -o "LocalCommand=echo >$dir/never" \
		"$on_127" true 2>"$dir/err.ssh"
	[ ! -e "$dir/never" ] || fail "LocalCommand was run before we were in"
	stop_host
}

# returns STATUS ARGUMENT...: with output that may come later.
returns() {
	wanted_status=$1
	shift
	status=0
	on_ssh "$@" >"$dir/out" 2>"$dir/err.ssh" </dev/null || status=$?
	equal $status "$wanted_status" "status of $*"
}

background() {
	start_host
	on_127=$pk@127.0.0.1
	mkfifo -m 666 "$dir/hold"
	# It is let in, and the command runs, while nobody waits for it.
	for f in -f -oForkAfterAuthentication=yes; do
		rm -f "$dir/left"
		returns 0 $f "$on_127" \
			"cat; read -r x <$dir/hold; echo \$x >$dir/left; echo \$x"
		[ ! -e "$dir/left" ] || fail "$f has waited for the command"
		echo late >"$dir/hold"
		wait_for "the command behind $f" grep -qx late "$dir/left"
		wait_for "its output" grep -qx late "$dir/out"
	done
	returns 255 -f "$on_127"
	has "$dir/err.ssh" "Cannot fork into background without a command"
	new_key other
	status=0
	$as "$bin/skypty-ssh" -f -i "$dir/other" -p "$port" "$on_127" true \
		2>"$dir/err.ssh" || status=$?
	equal $status 255 "status of -f when nobody is let in"
	has "$dir/err.ssh" "not on the host's whitelist"
	stop_host
}

# Where it connects from is in the host's log.
addresses() {
	start_host
	on_127=$pk@127.0.0.1
	does 0 here "-b" -b 127.0.0.7 "$on_127" echo here
	has "$log" "127.0.0.7 port"
	does 0 here "BindAddress" -oBindAddress=127.0.0.8 "$on_127" echo here
	has "$log" "127.0.0.8 port"
	does 255 "" "-b of somebody else" -b 192.0.2.1 "$on_127" echo here
	has "$dir/err.ssh" "Cannot assign requested address"
	does 255 "" "-b of another family" -b ::1 "$on_127" echo here
	does 0 here "-B" -B lo "$on_127" echo here
	does 255 "" "-B of none" -B none7 "$on_127" echo here

	does 255 "" "-6" -6 "$on_127" echo here
	has "$dir/err.ssh" "no address of IPv6"
	does 255 "" "inet6" -oAddressFamily=inet6 "$on_127" echo here
	does 0 here "-4" -4 "$on_127" echo here
	does 0 here "-4 of a name" -4 "$pk@localhost" echo here

	# As often as it is told to.
	at_port=$port
	stop_host
	on_ssh -oConnectionAttempts=300 "$on_127" echo here >"$dir/out" \
		2>"$dir/err.late" &
	late=$!
	start_host
	wait "$late" || fail "no attempt has found the host"
	equal "$(cat "$dir/out")" here "a host that came late"
	stop_host
}

# A listener that never says a word.
silent() {
	"$PYTHON" -c '
import socket, sys, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(600)' >"$dir/silent" &
	pids="$pids $!"
	wait_for "the listener" test -s "$dir/silent"
	port=$(cat "$dir/silent")
	before=$(date +%s)
	does 255 "" "ConnectTimeout" -oConnectTimeout=1 "$pk@127.0.0.1" true
	has "$dir/err.ssh" "no answer to the handshake"
	[ $(($(date +%s) - before)) -lt 10 ] ||
		fail "ConnectTimeout has no effect"
}

identities() {
	start_host
	on_127=$pk@127.0.0.1
	new_key other
	ssh="$as $bin/skypty-ssh $no_login -p $port"
	# The first that is there.
	equal "$($ssh -i "$dir/nowhere" -i "$dir/client" -i "$dir/other" \
		"$on_127" echo here 2>"$dir/err.ssh")" here "the first one"
	has "$dir/err.ssh" "Identity file $dir/nowhere not accessible"
	for i in "IdentityFile=$dir/client" "IdentityFile=\"$dir/client\"" \
		"identityfile $dir/%%x/../client" "IdentityFile=~/../client" \
		"IdentityFile=%d/../client" "IdentityFile=\${HOME}/../client"; do
		mkdir -p "$dir/%x"
		equal "$($ssh -o "$i" "$on_127" echo here 2>"$dir/err.ssh")" \
			here "$i"
	done
	# No other one in place of those that are named.
	$as mkdir -p "$HOME/.config/skypty"
	$as cp "$dir/client" "$HOME/.config/skypty/identity"
	for i in "$dir/nowhere" none; do
		if $ssh -oIdentityFile="$i" "$on_127" true 2>"$dir/err.ssh"; then
			fail "another key than $i was used"
		fi
	done
	if $ssh -oIdentityFile="\${NO_SUCH_VARIABLE}/x" "$on_127" true \
		2>"$dir/err.ssh"; then
		fail "a path of nothing was used"
	fi
	stop_host
}

messages() {
	start_host
	on_127=$pk@127.0.0.1
	does 0 here "-E" -E "$dir/said" -v "$on_127" echo here
	has "$dir/said" "we are $client"
	[ ! -s "$dir/err.ssh" ] || fail "-E leaves something on standard error"
	# The command's own are none of ours.
	does 0 "" "-E" -E "$dir/said" "$on_127" 'echo err >&2'
	equal "$(cat "$dir/err.ssh")" err "standard error with -E"
	does 255 "" "-E" -E "$dir/nowhere/x" "$on_127" echo here

	does 0 "" "LogLevel" -oLogLevel=VERBOSE "$on_127" true
	has "$dir/err.ssh" "we are $client"
	does 255 "" "-q" -q -oHostName=127.0.0.9 "$on_127" true
	[ ! -s "$dir/err.ssh" ] || fail "-q says something"
	does 255 "" "LogLevel" -oLogLevel=quiet "$on_127" 'kill $$'
	[ ! -s "$dir/err.ssh" ] || fail "LogLevel QUIET says something"
	does 255 "" "LogLevel" -oLogLevel=FATAL \
		-oHostName=127.0.0.9 "$on_127" true
	does 0 "" "-y" -y -v "$on_127" true
	[ ! -s "$dir/err.ssh" ] || fail "-y leaves something on standard error"
	does 0 "" "-y" -y -oSyslogFacility=LOCAL3 -v "$on_127" true
	does 1 "not a tty" "-t without a terminal" -t "$on_127" tty
	has "$dir/err.ssh" "Pseudo-terminal will not be allocated"
	does 1 "not a tty" "-q -t" -q -t "$on_127" tty
	[ ! -s "$dir/err.ssh" ] || fail "-q says something"
	stop_host
}

either commands
either background
either addresses
either silent
either identities
either messages
