# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: ISC
# What the system tests share.  A test sources this file, defines functions and
# hands them to as_root, as_user or both.  Each of those gives it a folder $dir
# of its own with keys and copies of the programs, and ends whatever the test
# has started when it is over.
#
# The programs run by way of $as, i.e. as an ordinary user where that has been
# asked for.  Every process of ours is found again by its program's path below
# $dir or by the pids in $pids, never by name.

set -u

BIN=$(cd "${BIN:-.}" && pwd)
OBJ=${OBJ:-obj}
HELPERS=$OBJ/regress/sys
LIB=regress/sys # until a test has its folder
PYTHON=python3
[ -x /usr/bin/python3 ] && PYTHON=/usr/bin/python3

unset LISTEN_FDS LISTEN_PID NOTIFY_SOCKET DMSGPTY_SK SKYPTY_AUTH_SOCK
unset SKYPTY_ASKPASS SSH_ASKPASS SSH_ASKPASS_REQUIRE
for name in DMSGDISC DMSGSESSIONS DMSGPORT CLINET CLIADDR; do
	unset "DMSGPTY_$name"
done
# Nothing here ever asks the public discovery.
DMSGPTY_DMSGDISC=http://127.0.0.1:1
export DMSGPTY_DMSGDISC
umask 022

dir=
pids=
role=
user=nobody
# Whether the sanitizers' runtime is built in, which no filter can bear.
if grep -q __asan_init "$BIN/skyptyd" 2>/dev/null; then
	sanitized=yes
else
	sanitized=
fi
if getent passwd _skypty >/dev/null; then
	privsep=_skypty
else
	privsep=$user
fi

# --- results -----------------------------------------------------------------

fail() {
	echo "$role: $*"
	if [ -n "$dir" ]; then
		for f in "$dir"/log.* "$dir"/err.*; do
			[ -s "$f" ] || continue
			echo "-- ${f##*/}:"
			tail -n 20 "$f"
		done
	fi
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

# equal GOT WANTED WHAT
equal() {
	[ "$1" = "$2" ] || fail "$3: '$1', expected '$2'"
}

# has FILE TEXT: the file holds the text.
has() {
	grep -qF -e "$2" "$1" || {
		sed 's/^/	/' "$1"
		fail "'$2' is not in ${1##*/}"
	}
}

hasnt() {
	! grep -qF -e "$2" "$1" || {
		sed 's/^/	/' "$1"
		fail "'$2' is in ${1##*/}"
	}
}

# --- waiting -----------------------------------------------------------------

# wait_for WHAT COMMAND...: until the command succeeds; fails after a minute,
# for the machine may be busy with something else.
wait_for() {
	what=$1
	shift
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 700 ] || fail "waited in vain for $what"
		if [ $tries -lt 50 ]; then
			sleep 0.02
		else
			sleep 0.1
		fi
	done
}

# The same for a process's end.
wait_gone() {
	[ -n "$2" ] || fail "it is not known which process $1 is"
	wait_for "the end of $1" gone "$2"
}

# A zombie is gone, too, where nobody but us could reap it.
gone() {
	{ read -r stat_line <"/proc/$1/stat"; } 2>/dev/null || return 0
	case ${stat_line##*) } in
	[ZX]*) return 0 ;;
	esac
	return 1
}

alive() {
	! gone "$1"
}

children() {
	ps -o pid= --ppid "$1" | tr -d ' '
}

has_no_child() {
	[ -z "$(children "$1")" ]
}

# --- roles -------------------------------------------------------------------

# begin ROLE: folder, keys, programs.
begin() {
	role=$1
	dir=$(mktemp -d "${TMPDIR:-/tmp}/skypty-test.XXXXXX") || exit 1
	chmod 755 "$dir"
	pids=
	serial=0
	unset at_addr at_port port
	as=
	uid=$(id -u)
	gid=$(id -g)
	if [ "$role" = user ] && [ "$uid" -eq 0 ]; then
		uid=$(id -u "$user")
		gid=$(id -g "$user")
		as="setpriv --reuid=$uid --regid=$gid --clear-groups --"
		chown "$uid:$gid" "$dir"
	fi
	HOME=$dir/home
	export HOME
	bin=$dir/bin
	$as mkdir "$HOME" "$bin"
	# The user may not come to where the tests are.
	LIB=$dir/lib
	mkdir "$LIB"
	cp regress/sys/*.py "$LIB"
	cp "$BIN/skyptyd" "$BIN/skyptyd-monitor" \
		"$BIN/skyptyd-dmsg-monitor" "$BIN/skyptyd-net" \
		"$BIN/skyptyd-dmsg" "$BIN/skyptyd-connect" \
		"$BIN/skypty" "$BIN/skypty-agent" "$BIN/skypty-keeper" \
		"$BIN/skypty-record" "$BIN/skypty-forward" "$bin" || fail "no programs to test"
	if [ -x "$BIN/skyptyd-http" ]; then
		cp "$BIN/skyptyd-http" "$BIN/skyptyd-http-monitor" "$bin"
	fi
	ln -s skypty "$bin/skypty-ssh"
	account=$(getent passwd "$uid" | cut -d : -f 1)
	# An account that may not log in has no shell to run a command with.
	case $(getent passwd "$uid" | cut -d : -f 7) in
	*/nologin | */false) no_login=-oSetEnv=SHELL=/bin/sh ;;
	*) no_login= ;;
	esac

	host_sk=$(secret)
	new_key client
	client=$key
	conf
	pk=$(run skyptyd check --cliaddr "" -c "$dir/host.json" 2>/dev/null |
		sed -n 's/^identity *//p')
	[ -n "$pk" ] || fail "skyptyd check names no identity"
	sock=$dir/pty.sock
}

# Ends what is still there.
end() {
	[ -n "$dir" ] || return 0
	tries=0
	while [ $tries -lt 500 ]; do
		left=
		for pid in $pids $(ours); do
			terminated "$pid" || left=yes
		done
		[ -n "$left" ] || break
		sleep 0.02
		tries=$((tries + 1))
	done
	for pid in $pids $(ours); do
		! is_ours "$pid" || kill -9 "$pid" 2>/dev/null
	done
	for pid in $pids; do
		wait "$pid" 2>/dev/null
	done
	# A folder that is mounted shows files that are not ours to remove.
	mounts | while read -r m; do
		fusermount3 -u -z "$m" || umount -l "$m"
	done
	rm -rf --one-file-system "$dir"
	dir=
	pids=
}

# Processes whose program lies in our folder.  Who is not root can tell only by
# their arguments.
ours() {
	pgrep -f "^$dir/bin/"
	find /proc -maxdepth 2 -path '/proc/[0-9]*/exe' -lname "$dir/*" \
		2>/dev/null | cut -d / -f 3
}

# is_ours PID: a process that we have started has that number still.  Numbers
# are used again, and soon where many tests run: what they say of one that has
# ended may be a stranger's now.
is_ours() {
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	# Behind the name, which may hold anything: state, parent.
	# shellcheck disable=SC2086 # words
	set -- "$1" ${stat##*) }
	[ "$3" != $$ ] || return 0
	case $(readlink "/proc/$1/exe" 2>/dev/null) in
	"$dir"/*) return 0 ;;
	esac
	{ tr '\0' '\n' <"/proc/$1/environ"; } 2>/dev/null |
		grep -qxF "HOME=$HOME"
}

# What is mounted below our folder, the latest first.
mounts() {
	awk -v dir="$dir/" 'index($2, dir) == 1 { print $2 }' /proc/mounts |
		tac
}

is_mounted() {
	mounts | grep -qxF "$1"
}

is_not_mounted() {
	! is_mounted "$1"
}

trap end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 141' PIPE

as_root() {
	begin root
	"$@" || fail "$1 returned $?"
	sane
	end
}

as_user() {
	begin user
	"$@" || fail "$1 returned $?"
	sane
	end
}

# What the sanitizers have to say is in the logs.
sane() {
	for f in "$dir"/log.* "$dir"/err.*; do
		[ ! -f "$f" ] || ! grep -qE \
			'ERROR: [A-Za-z]*Sanitizer|runtime error:' "$f" ||
			fail "a sanitizer complains"
	done
}

# Both if we are root, else what is possible.
both() {
	[ "$(id -u)" -ne 0 ] || as_root "$@"
	as_user "$@"
}

# Where the privilege makes no difference, or only root can set the scene.
either() {
	if [ "$(id -u)" -eq 0 ]; then
		as_root "$@"
	else
		as_user "$@"
	fi
}

need_root() {
	[ "$(id -u)" -eq 0 ] || skip "only root can $*"
}

need_filter() {
	[ -z "$sanitized" ] ||
		skip "the sanitizers' runtime does not run confined"
}

# own_machine TEST: begins anew where /etc, /run and /var/log are this test's
# own: a copy, and two empty ones.  Accounts are added there, nowhere else.
own_machine() {
	if [ -z "${OWN_MACHINE-}" ]; then
		need_root "have accounts of its own"
		unshare -m true 2>/dev/null || skip "root may not mount here"
		trap - EXIT
		OWN_MACHINE=yes exec unshare -m --propagation slave sh "$1"
	fi
	own=$(mktemp -d) || exit 1
	mount -t tmpfs none "$own" && cp -a /etc "$own/etc" &&
		mount --bind "$own/etc" /etc && umount -l "$own" &&
		rmdir "$own" && mount -t tmpfs -o mode=755 none /run &&
		mount -t tmpfs -o mode=755 none /var/log || exit 1
	rm -rf /etc/pam.d/skypty /etc/skypty
	mkdir /etc/skypty
}

# account NAME [FIELD]...: one with a home that it can write to, and what
# shadow(5) says: password, changed, min, max, warn, inactive, expires.
account() {
	sed -i "/^$1:/d" /etc/passwd /etc/group /etc/shadow
	new_uid=$((${new_uid-61000} + 1))
	mkdir -p "$dir/home.$1"
	chown "$new_uid:$new_uid" "$dir/home.$1"
	echo "$1:x:$new_uid:$new_uid::$dir/home.$1:${login_shell-/bin/sh}" \
		>>/etc/passwd
	echo "$1:x:$new_uid:" >>/etc/group
	echo "$1:${2-*}:${3-19000}:${4-0}:${5-99999}:${6-7}:${7-}:${8-}:" \
		>>/etc/shadow
}

# authorize [LINE]...
authorize() {
	printf '%s\n' "$@" >/etc/skypty/authorized_pks
}

need_command() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

# In a role: whether it can mount.
need_fuse() {
	need_command sshfs
	need_command fusermount3
	[ -c /dev/fuse ] || skip "there is no /dev/fuse"
	{ $as test -r /dev/fuse && $as test -w /dev/fuse; } ||
		skip "a $role may not open /dev/fuse here"
	if [ "$uid" -ne 0 ]; then
		[ -u "$(command -v fusermount3)" ] ||
			skip "fusermount3 is not setuid"
	else
		unshare -m true 2>/dev/null || skip "root may not mount here"
	fi
}

# --- keys and configuration --------------------------------------------------

secret() {
	"$BIN/skyptyd" confgen | sed -n 's/^ *"sk": "\([0-9a-f]*\)".*/\1/p'
}

# new_key NAME: makes $dir/NAME, an identity; its public key is in $key.
new_key() {
	secret >"$dir/$1"
	chmod 600 "$dir/$1"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/$1"
	key=$(run skypty pk -i "$dir/$1")
	[ ${#key} -eq 66 ] || fail "skypty pk printed '$key'"
}

# conf [KEY VALUE]...: writes $dir/host.json; VALUE is JSON.  Who may come in
# is in $wl, else the client.
conf() {
	{
		printf '{\n    "sk": "%s",\n' "$host_sk"
		[ "$uid" -ne 0 ] ||
			printf '    "privsep_user": "%s",\n' "$privsep"
		while [ $# -gt 1 ]; do
			printf '    "%s": %s,\n' "$1" "$2"
			shift 2
		done
		printf '    "wl": [%s]\n}\n' "${wl-\"$client\"}"
	} >"$dir/host.json"
	chmod 600 "$dir/host.json"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/host.json"
}

# --- programs ----------------------------------------------------------------

# A program in the foreground.
run() {
	program=$1
	shift
	$as "$bin/$program" "$@"
}

# spawn LOG COMMAND...: in the background, its pid in $pid.
spawn() {
	spawn_log=$1
	shift
	: >"$spawn_log"
	$as "$@" >"$spawn_log" 2>&1 </dev/null &
	pid=$!
	pids="$pids $pid"
}

# free_port: one that stays the same when something is started again.
free_port() {
	"$PYTHON" "$LIB/free_port.py"
}

# start_host [FLAG]...: a host on a port of its own, each time another one but
# for $at_port, at $at_addr if that is set.  Sets host, log, port.
start_host() {
	serial=$((serial + 1))
	log=$dir/log.$serial
	spawn "$log" "$bin/skyptyd" "${served_as-tcp}" -c "$dir/host.json" \
		--addr "${at_addr-127.0.0.1}:${at_port-0}" --cliaddr "$sock" "$@"
	host=$pid
	wait_for "the host" served
	port=$(port_of "$log")
	[ -n "$port" ] || fail "the host does not say where it listens"
}

served() {
	grep -q 'Serving as' "$log" || gone "$host"
}

port_of() {
	sed -n 's/.*Listening on .*:\([0-9][0-9]*\)\("}\)*$/\1/p' "$1" | head -n 1
}

# stop_host: ends it and its connections; its exit status is in $status.
stop_host() {
	wait_for "the end of the host" terminated "$host"
	status=0
	wait "$host" || status=$?
}

# Signals that come close together are one.
terminated() {
	is_ours "$1" || return 0
	kill "$1" 2>/dev/null
	gone "$1"
}

dest() {
	echo "tcp://$pk@127.0.0.1:$port"
}

# on_host [FLAG...] -- COMMAND...: by Exec.
on_host() {
	run skypty exec -i "$dir/client" --no-visor-key \
		--via "$(dest)" "$@"
}

# as_ssh [FLAG]...: a command line that stands for ssh, to give to a program.
as_ssh() {
	# shellcheck disable=SC2086
	set -- $no_login "$@"
	echo "$bin/skypty-ssh -i $dir/client -p $port${*:+ $*}"
}

# on_ssh [FLAG]... HOST [COMMAND]...
on_ssh() {
	# shellcheck disable=SC2046
	$as $(as_ssh) "$@"
}

# shell [FLAG]...: a session that reads our standard input.
shell() {
	run skypty shell -c /bin/sh -i "$dir/client" --no-visor-key \
		"$(dest)" "$@"
}

# serves: a listed client gets in.
serves() {
	[ "$(on_host -- echo works 2>"$dir/err.serves")" = works ] ||
		fail "the host does not serve: $(cat "$dir/err.serves")"
}

# serves_in_time: the same in a crowd, where a busy machine may need most of a
# minute for the handshake.  The host has to have that patience, too.
serves_in_time() {
	[ "$(on_ssh -F none -o ConnectTimeout=50 "$pk@127.0.0.1" echo works \
		2>"$dir/err.serves")" = works ] ||
		fail "the host does not serve: $(cat "$dir/err.serves")"
}

# raw STEP...: the client that misbehaves.
raw() {
	"$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" "$dir/client" "$@"
}

# refused: the listed client does not get in.
refused() {
	if on_host -- true 2>"$dir/err.refused"; then
		fail "the host lets the client in"
	fi
}

# Another user comes to the control socket, 2000 times.
strangers_flood() {
	setpriv --reuid=65533 --regid=65533 --clear-groups -- "$PYTHON" - \
		"$sock" <<-'END' || fail "the stranger's program failed"
		import socket, sys
		for _ in range(2000):
		    s = socket.socket(socket.AF_UNIX)
		    s.connect(sys.argv[1])
		    if s.recv(1) != b"":
		        sys.exit("something was said")
	END
}

# from_elsewhere: who comes from another address is listened to, at least for a
# while.
from_elsewhere() {
	"$PYTHON" - "$port" <<-'END' || fail "another address is kept out"
		import socket, sys
		s = socket.create_connection(("127.0.0.1", int(sys.argv[1])),
		                             source_address=("127.0.0.2", 0))
		s.settimeout(0.3)
		try:
		    sys.exit(s.recv(1) == b"")
		except socket.timeout:
		    pass
	END
}

# The monitor and the confined child of the only connection.
monitor_of() {
	wait_for "a monitor" has_child "$1"
	monitor=$(children "$1" | head -n 1)
}

has_child() {
	! has_no_child "$1"
}

# value NAME PID: a line of /proc/PID/status.
value() {
	awk -v "name=$1:" '$1 == name { $1 = ""; print substr($0, 2) }' \
		"/proc/$2/status"
}

# harmless PID TITLE: no capabilities, no new ones, a filter, no limits left to
# use, nothing in its environment.
harmless() {
	equal "$(value Seccomp "$1")" 2 "Seccomp"
	equal "$(value NoNewPrivs "$1")" 1 "NoNewPrivs"
	for set in Inh Prm Eff Amb; do
		equal "$(value "Cap$set" "$1")" 0000000000000000 "Cap$set"
	done
	equal "$(value Groups "$1")" "" "Groups"
	equal "$(stat -c %u "/proc/$1/environ")" 0 "owner of its environment"
	equal "$(tr '\0' ' ' <"/proc/$1/environ")" "" "environment"
	equal "$(tr '\0' ' ' <"/proc/$1/cmdline")" "$2 " "title"
	for limit in "Max processes" "Max file size" "Max core file size"; do
		grep -qE "^$limit +0 +0 " "/proc/$1/limits" ||
			fail "$(grep "$limit" "/proc/$1/limits")"
	done
	if grep -E '^[0-9a-f-]+ .wx' "/proc/$1/maps"; then
		fail "memory is writable and executable"
	fi
}

need_http() {
	[ -x "$BIN/skyptyd-http" ] || skip "skyptyd-http was not built"
}

# The terminal for browsers on the host's control socket: $web, its log in
# $web_log, links in $dir/web.out.
start_http() {
	web_log=$dir/log.web
	: >"$web_log"
	: >"$dir/web.out"
	$as "$bin/skyptyd" http --addr 127.0.0.1:0 --haddr "$sock" "$@" \
		>"$dir/web.out" 2>"$web_log" </dev/null &
	web=$!
	pids="$pids $web"
	wait_for "skyptyd http" test -s "$dir/web.out"
}

stop_http() {
	kill "$web"
	wait_gone "skyptyd http" "$web"
}

# stand_in HELPER: a program in skyptyd-net's place, which reads its orders
# from the file act.
stand_in() {
	mv "$bin/skyptyd-net" "$bin/skyptyd-net.real"
	cp "$HELPERS/$1" "$bin/skyptyd-net"
	order real
}

order() {
	echo "$1" >"$bin/act"
}

# --- a shell that is typed into ----------------------------------------------

# open_shell: its client is $client_pid, it writes its pid into $dir/shell.pid.
open_shell() {
	rm -f "$dir/keys" "$dir/shell.pid"
	mkfifo -m 644 "$dir/keys"
	# shellcheck disable=SC2086
	$as "$bin/skypty" shell -c /bin/sh -i "$dir/client" --no-visor-key \
		"$(dest)" <"$dir/keys" >"$dir/err.shell" 2>&1 &
	client_pid=$!
	pids="$pids $client_pid"
	exec 9>"$dir/keys"
	echo "echo \$\$ >$dir/shell.pid" >&9
	wait_for "the shell" test -s "$dir/shell.pid"
}

# type_in_shell TEXT: lets the shell write it into a file.
type_in_shell() {
	rm -f "$dir/typed"
	(echo "echo '$1' >$dir/typed" >&9) # its end may be closed: SIGPIPE
	wait_for "the shell's answer" grep -qxF "$1" "$dir/typed"
}

# close_shell: its client's exit status is in $client_status.
close_shell() {
	echo exit >&9
	exec 9>&-
	wait_gone "the client" "$client_pid"
	client_status=0
	wait "$client_pid" || client_status=$?
}

# --- what was built, to build again -------------------------------------------

# mk ARGUMENT...: make, on this test's own copy of what was built.
mk() {
	$as make -s OBJ="$dir/obj" BIN="$dir/built" \
		SANITIZE="${sanitized:+1}" "$@" >"$dir/out.make" 2>&1
}

copy_build() {
	$as test -r Makefile -a -x . ||
		skip "a $role may not read the sources"
	cp -a "$OBJ" "$dir/obj"
	# Names of targets in what the compiler wrote.
	find "$dir/obj" -name '*.d' -exec \
		sed -i "s#\(^\| \)$OBJ/#\1$dir/obj/#g" {} +
	mkdir "$dir/built"
	for p in "$BIN"/skypty*; do
		[ ! -x "$p" ] || cp -a "$p" "$dir/built"
	done
	[ -z "$as" ] || chown -R "$uid:$gid" "$dir/obj" "$dir/built"
}

# hub_pid DEST: of the process that holds its shared connection.
hub_pid() {
	run skypty control "$@" check 2>/dev/null |
		sed -n 's/.*process \([0-9]*\),.*/\1/p'
}
