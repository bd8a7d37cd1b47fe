#!/bin/sh
# SPDX-License-Identifier: ISC
# Without a word about it daemon and clients find each other at a control socket
# whose name nobody else can take: root's in /run/skyptyd, a user's in the
# folder that is his while he is logged in, and only else /tmp/pty.sock.
. regress/sys/lib.sh

# Folders of the system, for us alone: $dir is still seen.
private() {
	mkdir "$dir/fresh"
	chmod 1777 "$dir/fresh"
	case $dir in
	/tmp/*)
		mkdir -p "$dir/fresh/${dir#/tmp/}"
		mount --rbind "$dir" "$dir/fresh/${dir#/tmp/}"
		;;
	esac
	mount --rbind "$dir/fresh" /tmp
	mount -t tmpfs -o mode=755 none /run
	mkdir /run/user
}

public() {
	umount -l /run
	umount -l /tmp
}

# squat PATH: somebody else listens there and answers nobody.
squat() {
	kept=$as
	as=
	# shellcheck disable=SC2086
	spawn "$dir/log.squatter" setpriv --reuid=65533 --regid=65533 \
		--clear-groups "$PYTHON" -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(0)
print("there", flush=True)
time.sleep(600)' "$1"
	as=$kept
	squatter=$pid
	wait_for "the squatter" grep -q there "$dir/log.squatter"
	chmod 777 "$1"
}

# start_plain [FLAG]...: a host with the default control socket.
start_plain() {
	serial=$((serial + 1))
	log=$dir/log.$serial
	spawn "$log" "$bin/skyptyd" tcp -c "$dir/host.json" \
		--addr 127.0.0.1:0 "$@"
	host=$pid
	wait_for "the host" served
	port=$(port_of "$log")
}

# found PATH: everybody finds this one without a flag.
found() {
	has "$log" "Control socket $1"
	equal "$(stat -c '%F %a %u' "$1")" "socket 600 $uid" "control socket"
	equal "$(run skypty whitelist)" "$client" "its list"
	equal "$(run skypty exec -- echo works)" works "a command on it"
	case $1 in
	/tmp/*) ;;
	*) equal "$(stat -c '%a %u' "$(dirname "$1")")" "$2 $uid" "folder" ;;
	esac
	[ -x "$BIN/skyptyd-http" ] && [ -z "$sanitized" ] || return 0
	: >"$dir/web.out"
	web_log=$dir/log.web
	# shellcheck disable=SC2086
	$as "$bin/skyptyd" http --addr 127.0.0.1:0 --no-auth \
		>"$dir/web.out" 2>"$web_log" </dev/null &
	web=$!
	pids="$pids $web"
	wait_for "skyptyd http" test -s "$dir/web.out"
	"$PYTHON" "$LIB/open_terminal.py" "$(cat "$dir/web.out")" \
		>"$dir/terminal" 2>&1 || fail "$(cat "$dir/terminal")"
	kill "$web"
	wait_gone "skyptyd http" "$web"
}

roots() {
	private
	squat /tmp/pty.sock
	umask 077
	start_plain
	umask 022
	found /run/skyptyd/pty.sock 755
	stop_host
	[ ! -e /run/skyptyd/pty.sock ] || fail "the socket is still there"

	# The folder is there already the next time, and anybody's name for it
	# is not taken.
	start_plain
	found /run/skyptyd/pty.sock 755
	stop_host
	rmdir /run/skyptyd
	mkdir /run/skyptyd
	chown 65533 /run/skyptyd
	start_plain
	has "$log" "socket /run/skyptyd: belongs to uid 65533"
	if run skypty whitelist 2>"$dir/err.list"; then
		fail "the squatter was asked"
	fi
	has "$dir/err.list" "/tmp/pty.sock: it is served by another user"
	stop_host
	rm -r /run/skyptyd
	kill "$squatter"
	wait_gone "the squatter" "$squatter"
	rm /tmp/pty.sock

	# The original's name, for whoever wants it.
	start_plain --cliaddr /tmp/pty.sock
	found /tmp/pty.sock
	stop_host
	if run skypty whitelist 2>"$dir/err.list"; then
		fail "there is still somebody"
	fi
	has "$dir/err.list" "control socket /run/skyptyd/pty.sock: No such file"

	# The new configuration says the same.
	run skyptyd confgen >"$dir/fresh.json"
	has "$dir/fresh.json" '"cliaddr": "/run/skyptyd/pty.sock"'
	public
}

users() {
	private
	squat /tmp/pty.sock
	own=$dir/own
	$as mkdir -m 700 "$own" "$dir/open"
	XDG_RUNTIME_DIR=$own
	export XDG_RUNTIME_DIR
	start_plain
	found "$own/skyptyd/pty.sock" 700
	run skyptyd confgen >"$dir/fresh.json"
	has "$dir/fresh.json" "\"cliaddr\": \"$own/skyptyd/pty.sock\""

	# A dead socket of root's before it, or one that is not for us, is no
	# matter.
	mkdir -p /run/skyptyd
	"$PYTHON" -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' /run/skyptyd/pty.sock
	found "$own/skyptyd/pty.sock" 700
	chmod 700 /run/skyptyd
	found "$own/skyptyd/pty.sock" 700
	rm -r /run/skyptyd
	stop_host

	# Where the environment is silent, the usual folder.
	unset XDG_RUNTIME_DIR
	mkdir -m 700 "/run/user/$uid"
	chown "$uid:$gid" "/run/user/$uid"
	start_plain
	found "/run/user/$uid/skyptyd/pty.sock" 700
	stop_host
	rm -r "/run/user/$uid"

	# No folder that others may write to, nor somebody else's.
	chmod 777 "$dir/open"
	for bad in "$dir/open" /run relative ""; do
		equal "$(XDG_RUNTIME_DIR=$bad run skyptyd check \
			-c "$dir/host.json" 2>/dev/null |
			sed -n 's/^control socket *//p')" /tmp/pty.sock \
			"with '$bad'"
	done
	# Taken there, the network is served all the same.
	start_plain
	has "$log" "socket /tmp/pty.sock is there and is not a socket of ours"
	serves
	# He is not asked to end connections, and so cannot say that he has.
	run skyptyd kill --cliaddr /tmp/pty.sock --key "$client" \
		>"$dir/out" 2>&1 && fail "somebody else ended connections"
	has "$dir/out" "/tmp/pty.sock: somebody else's"
	stop_host
	public
}

# As an ordinary user, without a system of our own.
plain() {
	XDG_RUNTIME_DIR=$dir/own
	export XDG_RUNTIME_DIR
	mkdir -m 700 "$dir/own"
	start_plain
	found "$dir/own/skyptyd/pty.sock" 700
	stop_host
}

if [ "$(id -u)" -ne 0 ]; then
	[ ! -e /run/skyptyd/pty.sock ] || skip "a host runs here"
	as_user plain
	exit 0
fi
if [ -z "${UNSHARED-}" ]; then
	unshare -m true 2>/dev/null || skip "root may not mount here"
	UNSHARED=yes exec unshare -m --propagation slave sh "$0"
fi
as_root roots
as_user users
