#!/bin/sh
# SPDX-License-Identifier: ISC
# The first process of a board in qemu: runs the tests there, counts them and
# turns the machine off.  "skypty=NAME,..." on the kernel's command line limits
# it to these parts and tests.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root
LANG=C.UTF-8
export PATH HOME LANG

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts -o mode=620,ptmxmode=666,gid=5 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
ln -sf /proc/self/fd /dev/fd
ip link set lo up
exec >/dev/console 2>&1
cd /skypty || exit 1

# What a part of everything is.
system="sandbox-in-force sandbox-strict http-confined exec-status-and-output
exec-stdin ordinary-user shell-window-size shell-login-environment
sftp-subsystem cp_files whitelist-edit-acts-at-once control-local-shell
client-terminal many-at-once seccomp-probes"
# In Go: bulk and shells, discoveries over https, browsers.
peers="TestExec TestShell TestBulk TestStreamInput TestStreamLargeOutput
TestSFTPTransfer TestClientCp TestDmsgHost TestDmsgClientToHost
TestHTTPSDiscovery TestHTTPSRelay TestWebFiles TestWebTLS TestWebTokens
TestWebReadOnly"

off() {
	sync
	echo o >/proc/sysrq-trigger
	sleep 60
}
trap off EXIT

add() {
	passed=$((passed + ${1:-0}))
	failed=$((failed + ${2:-0}))
	skipped=$((skipped + ${3:-0}))
}

# part NAME COMMAND...: what it counts is told in one line.
part() {
	part=$1
	shift
	passed=0
	failed=0
	skipped=0
	begun=$(date +%s)
	"$@"
	echo "part $part: $passed passed, $failed failed, $skipped skipped" \
		"($(($(date +%s) - begun)) s)"
}

# try NAME COMMAND...: one test.
try() {
	name=$1
	shift
	if "$@"; then
		echo "ok $name"
		add 1
	else
		echo "not ok $name"
		add 0 1
	fi
}

# --- the programs in use ------------------------------------------------------

# A host, a client, their keys.
host() {
	work=/tmp/work
	mkdir -p /run/skypty $work
	chmod 755 $work
	./skyptyd confgen "$work/host.json"
	client=$(./skypty keygen "$work/identity" | tail -n 1)
	pk=$(sed -n 's/^ *"pk": "\([0-9a-f]*\)".*/\1/p' "$work/host.json")
	./skyptyd tcp -c "$work/host.json" --allow "$client" \
		--addr 127.0.0.1:2022 --cliaddr "$work/pty.sock" 2>"$work/log" &
	hostpid=$!
	n=0
	until grep -q 'Serving as' "$work/log"; do
		n=$((n + 1))
		[ $n -lt 600 ] || return 1
		sleep 0.2
	done
	dest=tcp://$pk@127.0.0.1:2022
}

on_host() {
	./skypty exec -t 0 -i "$work/identity" --no-visor-key "$dest" -- "$@"
}

# The confined process of a command that runs has its filter.
filter_in_force() {
	rm -f "$work/go"
	on_host sh -c "until [ -e $work/go ]; do sleep 0.2; done" &
	client=$!
	n=0
	until filtered; do
		n=$((n + 1))
		[ $n -lt 600 ] || break
		sleep 0.2
	done
	filtered
	status=$?
	touch "$work/go"
	wait $client && [ $status -eq 0 ]
}

filtered() {
	net=$(pgrep -f '^skyptyd: net') &&
		grep -q '^NoNewPrivs:[[:space:]]*1$' "/proc/$net/status" &&
		grep -q '^Seccomp:[[:space:]]*2$' "/proc/$net/status"
}

command_runs() {
	[ "$(on_host uname -m)" = "$(uname -m)" ]
}

login() {
	echo 'tty >/dev/null && echo on-a-tty; exit' |
		./skypty shell -c /bin/bash -i "$work/identity" --no-visor-key \
			"$dest" | tr -d '\r' | grep -q '^on-a-tty'
}

same() {
	[ "$(sha256sum <"$1")" = "$sum" ]
}

to_command() {
	[ "$(on_host sha256sum <"$work/bytes")" = "$sum" ]
}

from_command() {
	on_host cat "$work/bytes" >"$work/out"
	same "$work/out"
}

copy() {
	./skypty cp -i "$work/identity" --no-visor-key "$1" "$2" 2>"$work/err.cp" &&
		same "$3"
}

# A process that its filter kills is in the kernel's log.
none_killed() {
	! dmesg | grep -a 'type=1326'
}

use() {
	try "host" host
	cat "$work/log"
	./skyptyd check -c "$work/host.json"
	try "command" command_runs
	try "login" login
	try "filter in force" filter_in_force
	dd if=/dev/urandom of="$work/bytes" bs=1M count=100 2>/dev/null
	sum=$(sha256sum <"$work/bytes")
	try "100 MiB to a command" to_command
	try "100 MiB from a command" from_command
	try "100 MiB by cp to the host" \
		copy "$work/bytes" "$dest:$work/there" "$work/there"
	try "100 MiB by cp from the host" \
		copy "$dest:$work/there" "$work/back" "$work/back"
	rm -f "$work/bytes" "$work/out" "$work/there" "$work/back"
	try "end" ends
	try "none was killed by its filter" none_killed
}

# It does when the last connection is over.
ends() {
	kill "$hostpid" && wait "$hostpid"
}

# --- the tests of the tree ----------------------------------------------------

# tests NAME...: unit tests and system tests.
tests() {
	# Software emulation is slow, and many tests at once are slower.
	JOBS=2 LIMIT=3600 sh regress/check.sh "$@" 2>&1 | tee /tmp/check
	# shellcheck disable=SC2046 # words
	add $(tail -n 1 /tmp/check | tr -cd '0-9 ')
}

# go_tests NAME...: tests in Go.
go_tests() {
	[ -x regress/interop/peers ] || {
		echo "skip the Go peers: no Go"
		add 0 0 1
		return
	}
	cd regress/interop || return
	./peers -test.list . >/tmp/peers.all
	for name; do
		grep -qx "$name" /tmp/peers.all ||
			try "there is no $name in Go" false
	done
	SKYPTYD=/skypty/skyptyd SKYPTY=/skypty/skypty ./peers -test.v \
		-test.timeout 2h -test.parallel 1 \
		-test.run "^($(echo "$@" | tr ' ' '|'))\$" 2>&1 |
		tee /tmp/peers |
		grep -aE '^ *(---|panic|FAIL)|_test.go|skyptyd\['
	add "$(grep -acE '^ *--- PASS' /tmp/peers)" \
		"$(grep -acE '^ *--- FAIL' /tmp/peers)" \
		"$(grep -acE '^ *--- SKIP' /tmp/peers)"
	try "Go peers came to their end" \
		grep -qaE '^(PASS|FAIL)$' /tmp/peers
	cd /skypty || return
}

# By the way that it is written, a name tells which kind of test it is.
choose() {
	use=
	units=
	systems=
	gos=
	for name; do
		case $name in
		use) use=yes ;;
		unit)
			for t in obj/regress/unit/test_*; do
				units="$units ${t##*/}"
			done
			;;
		system) systems="$systems $system" ;;
		peers) gos="$gos $peers" ;;
		test_*) units="$units $name" ;;
		Test*) gos="$gos $name" ;;
		*) systems="$systems $name" ;;
		esac
	done
}

uname -a
mount -t securityfs security /sys/kernel/security
cat /sys/kernel/security/lsm 2>/dev/null && echo
names=$(sed -n 's/.*skypty=\([^ ]*\).*/\1/p' /proc/cmdline | tr ',' ' ')
# shellcheck disable=SC2086 # words
choose ${names:-use system unit peers}
echo "parts:${use:+ use}${units:+ unit}${gos:+ peers}${systems:+ system}"
# shellcheck disable=SC2086 # words
{
	[ -z "$use" ] || part use use
	[ -z "$units" ] || part unit tests $units
	[ -z "$gos" ] || part peers go_tests $gos
	[ -z "$systems" ] || part system tests $systems
}
