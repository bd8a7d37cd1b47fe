#!/bin/sh
# SPDX-License-Identifier: ISC
# Installs what is missing, builds, starts a host on loopback and opens a shell
# in it.  With "-- cmd [args]" it runs cmd there instead and exits with its
# status.  Everything that it started is gone afterwards; what it installed,
# built and made stays, is noted in the file .quickstart, and --undo removes it,
# but for packages, which it names.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"

# What stays, a line each: "package NAME", "account NAME", "folder PATH",
# "built"; and "run PID FOLDER" while a quickstart is at work.
notes=.quickstart
account=_skypty
chroot=/run/skypty

say() {
	echo "quickstart: $*" >&2
}

note() {
	grep -qxF "$*" "$notes" 2>/dev/null || echo "$*" >>"$notes" || :
}

forget() {
	[ -f "$notes" ] || return 0
	grep -vxF "$*" "$notes" >"$notes.$$" || :
	mv "$notes.$$" "$notes" || :
	[ -s "$notes" ] || rm -f "$notes"
}

noted() {
	sed -n "s|^$1 \(.*\)|\1|p" "$notes" 2>/dev/null
}

installed() {
	dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

# is_quickstart PID: it runs still.
is_quickstart() {
	tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -q 'quickstart\.sh'
}

# hosts FOLDER: processes of the host that was started on it.
hosts() {
	for p in /proc/[0-9]*; do
		case $({ tr '\0' ' ' <"$p/cmdline"; } 2>/dev/null) in
		"./skyptyd tcp -c $1/host.json "*) echo "${p#/proc/}" ;;
		esac
	done
}

# Twice ends connections, too; close together they are one.
end_host() {
	kill "$1" 2>/dev/null || :
	sleep 0.1
	kill "$1" 2>/dev/null || :
}

# Somebody uses what was built.
in_use() {
	find /proc -maxdepth 2 -path '/proc/[0-9]*/exe' -lname "$top/skypty*" \
		2>/dev/null | grep -q .
}

# One that was killed could not clean up.
undo_runs() {
	noted run | while read -r pid dir; do
		if is_quickstart "$pid"; then
			say "left: a quickstart that runs (process $pid)"
			continue
		fi
		for host in $(hosts "$dir"); do
			end_host "$host"
			say "ended a host that was left (process $host)"
		done
		if [ -f "$dir/host.json" ] && [ -O "$dir" ] && [ ! -L "$dir" ]; then
			rm -rf "$dir"
			say "removed $dir"
		fi
		forget "run $pid $dir"
	done
}

undo_built() {
	grep -qx built "$notes" 2>/dev/null || return 0
	if [ ! -d obj ]; then
		forget built
	elif [ -n "$(noted run)" ] || in_use; then
		say "left what was built: it is in use"
	elif command -v make >/dev/null; then
		make -s clean
		forget built
		say "removed what was built"
	else
		say "left what was built: there is no make; 'rm -r obj skypty*' removes it"
	fi
}

# why_needed: somebody needs the account and the folder.
why_needed() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "only root can remove it"
		return
	fi
	for p in "$(command -v skyptyd || :)" /usr/local/sbin/skyptyd \
		/usr/sbin/skyptyd; do
		if [ -n "$p" ] && [ -x "$p" ]; then
			echo "$p is installed"
			return
		fi
	done
	if [ -n "$(noted run)" ]; then
		echo "a quickstart runs"
	elif pgrep -u "$account" >/dev/null 2>&1; then
		echo "processes run under it"
	elif pgrep -x skyptyd >/dev/null 2>&1; then
		echo "a skyptyd runs"
	fi
}

undo_account() {
	for what in $(noted account) $(noted folder); do
		case $what in
		/*)
			kind=folder
			[ -d "$what" ] || forget "folder $what"
			[ -d "$what" ] || continue
			;;
		*)
			kind=account
			getent passwd "$what" >/dev/null || forget "account $what"
			getent passwd "$what" >/dev/null || continue
			;;
		esac
		why=$(why_needed)
		if [ -n "$why" ]; then
			say "left the $kind $what: $why"
			continue
		fi
		if [ $kind = folder ]; then
			rmdir "$what" || continue
		else
			userdel "$what" || continue
		fi
		forget "$kind $what"
		say "removed the $kind $what"
	done
}

undo_packages() {
	left=
	for p in $(noted package); do
		if installed "$p"; then
			left="$left $p"
		else
			forget "package $p"
		fi
	done
	[ -z "$left" ] ||
		say "left the packages that it installed; as root, 'apt-get autoremove --purge$left' removes them"
}

undo() {
	if [ ! -f "$notes" ]; then
		say "nothing is left of it"
		return
	fi
	undo_runs
	undo_built
	undo_account
	undo_packages
}

usage="usage: sh contrib/quickstart.sh [-- command [argument ...]]
       sh contrib/quickstart.sh --undo"
case ${1-} in
--) shift ;;
-h | --help)
	echo "$usage"
	exit 0
	;;
--undo)
	if [ $# -gt 1 ]; then
		say "--undo stands alone"
		exit 64
	fi
	undo
	exit 0
	;;
"") ;;
*)
	say "put -- before the command"
	exit 64
	;;
esac

packages="gcc make pkg-config libc6-dev libsodium-dev libgcrypt20-dev libssl-dev libsecp256k1-dev
libbsd-dev libseccomp-dev libyajl-dev libevent-dev libpam0g-dev"

missing=
for p in $packages; do
	installed "$p" || missing="$missing $p"
done
if [ -n "$missing" ]; then
	if [ "$(id -u)" -ne 0 ]; then
		say "as root, run: apt-get install$missing"
		exit 1
	fi
	say "installing$missing, which stay; 'apt-get autoremove --purge$missing' removes them"
	for p in $missing; do
		note "package $p"
	done
	# shellcheck disable=SC2086
	{
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			-o DPkg::Lock::Timeout=300 --no-install-recommends \
			$missing
	} >&2
fi

# Root confines the processes that meet the network as an account of its own.
if [ "$(id -u)" -eq 0 ] && ! getent passwd "$account" >/dev/null; then
	useradd --system --home-dir "$chroot" --no-create-home \
		--shell /usr/sbin/nologin "$account"
	note "account $account"
	say "made the account $account, which stays; 'userdel $account' removes it"
fi
# Their root directory, which skyptyd makes.
if [ "$(id -u)" -eq 0 ] && [ ! -d "$chroot" ]; then
	note "folder $chroot"
fi

# Without the terminal for browsers: it would need npm.
[ -d obj ] || note built
make -s -j2 HTTP=0 >&2

dir=$(mktemp -d)
note "run $$ $dir"
pid=
# shellcheck disable=SC2317 # called by trap
clean_up() {
	trap - EXIT HUP INT TERM
	if [ -n "$pid" ]; then
		end_host "$pid"
		wait "$pid" 2>/dev/null || :
	fi
	rm -rf "$dir"
	forget "run $$ $dir"
	[ ! -f "$notes" ] ||
		say "'sh contrib/quickstart.sh --undo' removes what stays"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Two identities: the host's in its configuration, and ours.
./skyptyd confgen "$dir/host.json"
client=$(./skypty keygen "$dir/identity" | tail -n 1)
host=$(sed -n 's/^ *"pk": "\([0-9a-f]*\)".*/\1/p' "$dir/host.json")

port=20220
while :; do
	./skyptyd tcp -c "$dir/host.json" --allow "$client" \
		--addr "127.0.0.1:$port" --cliaddr "$dir/pty.sock" \
		2>"$dir/log" &
	pid=$!
	i=0
	while [ $i -lt 100 ] && kill -0 "$pid" 2>/dev/null &&
		! grep -q 'Serving as' "$dir/log"; do
		sleep 0.05
		i=$((i + 1))
	done
	grep -q 'Serving as' "$dir/log" && break
	wait "$pid" || :
	pid=
	if ! grep -q 'Address already in use' "$dir/log" ||
		[ $port -ge 20240 ]; then
		cat "$dir/log" >&2
		exit 1
	fi
	port=$((port + 1))
done

if [ $# -eq 0 ]; then
	say "a shell on $host"
	say "exit or ~. ends it, and the host with it"
fi
status=0
./skypty shell -i "$dir/identity" --no-visor-key \
	"$host@127.0.0.1:$port" ${1+-- "$@"} || status=$?
exit $status
