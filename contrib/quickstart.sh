#!/bin/sh
# SPDX-License-Identifier: ISC
# Installs what is missing, builds, starts a host on loopback and opens a shell
# in it.  With "-- cmd [args]" it runs cmd there instead and exits with its
# status.  Everything that it started is gone afterwards; what it installed and
# the account that it made stay, and it says how to remove them.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"

case ${1-} in
--) shift ;;
-h | --help)
	echo "usage: sh contrib/quickstart.sh [-- command [argument ...]]"
	exit 0
	;;
"") ;;
*)
	echo "quickstart: put -- before the command" >&2
	exit 64
	;;
esac

packages="gcc make pkg-config libc6-dev libsodium-dev libgcrypt20-dev libssl-dev libsecp256k1-dev
libbsd-dev libseccomp-dev libyajl-dev libevent-dev"

missing=
for p in $packages; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
		grep -q 'ok installed' || missing="$missing $p"
done
if [ -n "$missing" ]; then
	if [ "$(id -u)" -ne 0 ]; then
		echo "quickstart: as root, run: apt-get install$missing" >&2
		exit 1
	fi
	echo "quickstart: installing$missing, which stay; 'apt-get autoremove --purge$missing' removes them" >&2
	# shellcheck disable=SC2086
	{
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends $missing
	} >&2
fi

# Root confines the processes that meet the network as an account of its own.
if [ "$(id -u)" -eq 0 ] && ! getent passwd _skypty >/dev/null; then
	useradd --system --home-dir /run/skypty --no-create-home \
		--shell /usr/sbin/nologin _skypty
	echo "quickstart: made the account _skypty, which stays; 'userdel _skypty' removes it" >&2
fi

# Without the terminal for browsers: it would need npm.
make -s -j2 HTTP=0 >&2

dir=$(mktemp -d)
pid=
# shellcheck disable=SC2317 # called by trap
clean_up() {
	trap - EXIT HUP INT TERM
	if [ -n "$pid" ]; then
		# Twice ends connections, too; close together they are one.
		kill "$pid" 2>/dev/null || :
		sleep 0.1
		kill "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	fi
	rm -rf "$dir"
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
	echo "quickstart: a shell on $host" >&2
	echo "quickstart: exit or ~. ends it, and the host with it" >&2
fi
status=0
./skypty shell -i "$dir/identity" --no-visor-key \
	"$host@127.0.0.1:$port" ${1+-- "$@"} || status=$?
exit $status
