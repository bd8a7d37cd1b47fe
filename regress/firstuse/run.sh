#!/bin/sh
# SPDX-License-Identifier: ISC
# README.md followed word for word on fresh systems of Debian, whose releases
# RELEASES names: as root, from a checkout in root's home, which nobody else may
# look into.  The units run in a systemd that has been booted, without a network.
# "part" is what takes minutes: one release, and not all tests in it.  A command
# of README.md that is not known here fails.  The last line counts.
#
# Packages come from where this machine's own do.  Systems as unpacked are kept
# in the cache folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
here=regress/firstuse

skip() {
	echo "skipped: $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}

[ "$(id -u)" -eq 0 ] || skip "only root makes systems"
command -v debootstrap >/dev/null || skip "there is no debootstrap"
unshare --mount --pid --net --uts --ipc --cgroup --fork true 2>/dev/null ||
	skip "there are no namespaces here"
for groups in /sys/fs/cgroup/unified /sys/fs/cgroup; do
	[ ! -f "$groups/cgroup.procs" ] || break
done
[ -f "$groups/cgroup.procs" ] || skip "there are no control groups here"

part=${1-}
RELEASES=${RELEASES:-$([ "$part" = part ] && echo trixie || echo bookworm trixie)}
cache=${XDG_CACHE_HOME:-${HOME:-$top/obj}/.cache}/skypty/debian
# shellcheck disable=SC2016 # apt's own
mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' \
	'Created-By: Packages' 'Origin: Debian' |
	awk '$2 !~ /-/ { print $1; exit }')
[ -n "$mirror" ] || skip "apt knows no Debian here"
mkdir -p "$cache" || exit 1
work=$(mktemp -d) || exit 1
init=
starter=
group=

# The booted system's processes go with its first; its groups are made by it.
shut_down() {
	[ -z "$init" ] || kill -9 "$init" 2>/dev/null
	[ -z "$starter" ] || wait "$starter" 2>/dev/null
	init=
	starter=
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -d "$group" ] || break
		find "$group" -depth -type d -exec rmdir {} + 2>/dev/null ||
			sleep 1
	done
}

end() {
	shut_down
	rm -rf --one-file-system "$work"
}
trap end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

passed=0
failed=0
skipped=0

ok() {
	echo "ok $release: $1"
	passed=$((passed + 1))
}

not_ok() {
	echo "not ok $release: $1"
	tail -n 40 "$work/log" | LC_ALL=C tr -d '\000-\010\013-\037' |
		sed 's/^/    /'
	failed=$((failed + 1))
}

# result NAME: of the command before.
result() {
	if [ $? -eq 0 ]; then
		ok "$1"
	else
		not_ok "$1"
	fi
}

left_out() {
	echo "skip $release: $1: $2"
	skipped=$((skipped + 1))
}

# --- systems -----------------------------------------------------------------

unpacked() {
	[ ! -s "$cache/$release.tar" ] || return 0
	unpack || {
		sleep 30 # what could not be fetched
		unpack
	}
}

unpack() {
	rm -rf "$work/base" &&
		debootstrap --variant=minbase "$release" "$work/base" \
			"$mirror" >"$work/log" 2>&1 &&
		tar --numeric-owner -C "$work/base" -cf "$cache/$release.new" . &&
		mv "$cache/$release.new" "$cache/$release.tar" &&
		rm -rf "$work/base"
}

# With this machine's ways to packages, and a copy of this checkout.
make_system() {
	unpacked || return
	root=$work/$release
	mkdir "$root" && tar -C "$root" -xpf "$cache/$release.tar" || return
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	echo '127.0.0.1 localhost host' >"$root/etc/hosts"
	for suite in "$release" "$release-updates"; do
		echo "deb $mirror $suite main"
	done >"$root/etc/apt/sources.list"
	apt-config dump | grep -E '^Acquire::(http|https|Check)' \
		>"$root/etc/apt/apt.conf.d/90here"
	printf '%s\n' 'Acquire::Languages "none";' 'Acquire::Retries "5";' \
		>>"$root/etc/apt/apt.conf.d/90here"
	mkdir -p "$root/usr/local/share/ca-certificates"
	cp -r /usr/local/share/ca-certificates/. \
		"$root/usr/local/share/ca-certificates" 2>/dev/null
	mkdir "$root/root/skypty" && {
		git ls-files -z 2>/dev/null ||
			find . -path './obj*' -prune -o -type f -print0
	} | tar --null -T - -cf - | tar -C "$root/root/skypty" -xf -
	[ "$(stat -c %a "$root/root")" = 700 ] || return
	# What a Debian that boots has, and who is to be the client.
	outside 'apt-get update -qq && apt-get install -y -qq --no-install-recommends systemd systemd-sysv iproute2 procps util-linux && useradd -m -s /bin/bash client' \
		>"$work/log" 2>&1
}

# mounted COMMAND...: in namespaces of its own, with what a system has mounted.
# shellcheck disable=SC2016 # for the shell inside
mounted='
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for d in null zero full random urandom tty; do
	: >"$root/dev/$d"
	mount --bind /dev/$d "$root/dev/$d"
done
# As udev has it.
[ ! -e /dev/fuse ] || mknod -m 666 "$root/dev/fuse" c 10 229
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
'
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# outside COMMAND: root's in the checkout, with the network; not booted.
outside() {
	# shellcheck disable=SC2046 # words
	# shellcheck disable=SC2016 # for the shell inside
	root=$root unshare --mount --pid --fork --kill-child sh -c "$mounted"'
		exec chroot "$root" env -i "$@"' sh HOME=/root TERM=dumb \
		PATH=$path DEBIAN_FRONTEND=noninteractive \
		$(env | grep -E '^(https?_proxy|no_proxy|GOPROXY|GOSUMDB|GOFLAGS|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|npm_config_[a-z_]*)=[^ ]*$') \
		sh -c "cd /root/skypty 2>/dev/null || cd /; $1" </dev/null
}

# Boots it with a network of loopback alone.
boot() {
	group=$groups/skypty-first-use.$$
	mkdir "$group" || return
	# shellcheck disable=SC2016
	root=$root group=$group unshare --mount --pid --net --uts --ipc --fork \
		--kill-child sh -c '
		echo 0 >"$group/cgroup.procs" || exit
		exec unshare --cgroup sh -c "$1" sh' sh "$mounted"'
		mount -t sysfs -o ro sysfs "$root/sys"
		mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
		mount -t tmpfs -o mode=755 tmpfs "$root/run"
		ip link set lo up
		ip addr add 2001:db8::1/128 dev lo nodad 2>/dev/null
		exec chroot "$root" env -i container=first-use PATH='$path' \
			/lib/systemd/systemd --system' \
		>"$work/console" 2>&1 </dev/null &
	starter=$!
	for _ in $(seq 120); do
		init=$(pgrep -P $starter | head -n 1)
		case $([ -z "$init" ] || inside 'systemctl is-system-running' \
			2>/dev/null) in
		running | degraded) return 0 ;;
		esac
		sleep 1
	done
	cp "$work/console" "$work/log"
	return 1
}

# inside COMMAND: root's in the booted system.
inside() {
	nsenter -t "$init" -m -p -n -u -i -r -w env -i HOME=/root TERM=dumb \
		PATH=$path sh -c "cd /root; $1" </dev/null
}

# client COMMAND: the same as an ordinary user, in a folder of his.
client() {
	nsenter -t "$init" -m -p -n -u -i -r -w setpriv --reuid=client \
		--regid=client --init-groups env -i HOME=/home/client \
		SHELL=/bin/bash TERM=dumb PATH=$path \
		timeout 120 bash -c "cd; $1" </dev/null
}

# --- README.md ---------------------------------------------------------------

# said COMMAND: what stands for something there, put in.
said() {
	echo "$1" | sed -e "s/<client pk>/$client_pk/g" \
		-e "s/<host pk>/$host_pk/g" -e "s/<pk>/$client_pk/g"
}

# The host's commands, as root; what the client's are for is ready then.
as_host() {
	inside "$(said "$1")" >"$work/log" 2>&1
	result "$1"
}

# prints COMMAND TEXT: a client's command, and what it says.
prints() {
	client "$(said "$1")" >"$work/log" 2>&1 && grep -q -e "$2" "$work/log"
	result "$1"
}

# The key of the host, where it is needed first.
learn_keys() {
	host_pk=$(sed -n 's/^ *"pk": "\([0-9a-f]*\)".*/\1/p' \
		"$root/etc/skypty/skypty.json")
}

prepare_client() {
	client_pk=$(client 'skypty keygen 2>/dev/null || skypty pk 2>/dev/null' |
		tail -n 1)
	client "mkdir -p src .config/skypty mnt; echo text >src/file
		printf 'Host build\n    Key      %s\n    Address  host\n' \
			$host_pk >.config/skypty/config"
}

# Whether this is the whole run; else it is told.
in_whole() {
	[ "$part" != part ] || {
		left_out "$1" "in the whole run only"
		return 1
	}
}

# fetch PATH: what the terminal for browsers answers.
fetch() {
	client "exec 3<>/dev/tcp/127.0.0.1/8080
		printf 'GET %s HTTP/1.1\\r\\nHost: 127.0.0.1:8080\\r\\nConnection: close\\r\\n\\r\\n' '$1' >&3
		tr -d '\\r' <&3 | sed '/^\$/q'"
}

# The unit's link lets in once, and nothing else does; nobody reads it in the
# journal.
browse() {
	[ -x "$root/usr/local/libexec/skypty/skyptyd-http" ] || {
		left_out "$1" "it needs libwebsockets"
		return
	}
	inside 'systemctl enable --now skyptyd-http' >"$work/log" 2>&1 &&
		link=$(inside 'cat /run/skyptyd-http/link') &&
		page=/${link#http://*/} &&
		fetch / >"$work/log" 2>&1 && grep -q '^HTTP/1.1 40' "$work/log" &&
		fetch "$page" >"$work/log" 2>&1 &&
		grep -qi '^set-cookie:' "$work/log" &&
		fetch "$page" >"$work/log" 2>&1 && grep -q '^HTTP/1.1 40' "$work/log"
	result "$1, as a unit"
	inside 'journalctl -q -o cat -u skyptyd-http' >"$work/log" 2>&1 &&
		grep -q 'A token was exchanged' "$work/log" &&
		! grep -qF "${page#*token=}" "$work/log"
	result "its journal tells of the visitor, and not of the link"
}

follow() {
	case $1 in
	'sh contrib/quickstart.sh')
		outside "echo 'echo quick-\$((6 * 7))' | { $1; }" \
			>"$work/log" 2>&1 && grep -q quick-42 "$work/log"
		result "$1"
		;;
	'sh contrib/quickstart.sh -- uname -a')
		outside "$1" >"$work/out" 2>"$work/log" &&
			[ "$(cat "$work/out")" = "$(outside 'uname -a')" ]
		result "$1"
		;;
	'sh regress/run.sh')
		in_whole "$1" || return
		# Not this one again.
		outside "FIRST_USE=no $1" >"$work/log" 2>&1
		result "$1: $(tail -n 1 "$work/log")"
		;;
	'make && make install' | 'apt-get install '*)
		outside "$(echo "$1" | sed 's/install /install -y -qq --no-install-recommends /')" \
			>"$work/log" 2>&1
		result "$1"
		;;
	'id _skypty || '*)
		outside "$1" >"$work/log" 2>&1
		result "$1"
		;;
	'skyptyd confgen /etc/skypty/skypty.json')
		outside "$1" >"$work/log" 2>&1
		result "$1"
		learn_keys
		boot
		result "the system boots"
		prepare_client
		;;
	'systemctl enable --now skyptyd')
		as_host "$1"
		inside 'systemctl is-active skyptyd && journalctl -q -o cat -u skyptyd' \
			>"$work/log" 2>&1 &&
			grep -q '^Listening on \[::\]:2022$' "$work/log"
		result "the unit is up, and its journal has no second prefix"
		;;
	'skypty whitelist-add <client pk>') as_host "$1" ;;
	'skyptyd check -c '*) as_host "$1" ;;
	'journalctl -u skyptyd')
		inside "$1 -q -o cat" >"$work/log" 2>&1 &&
			grep -q 'control: Connection closed: client left' \
				"$work/log"
		result "$1"
		;;
	'skyptyd tcp -c '*' --daemon')
		inside 'systemctl stop skyptyd'
		as_host "$1"
		prints 'skypty shell <host pk>@host -- echo up' up
		inside 'pkill -x skyptyd; systemctl start skyptyd' \
			>"$work/log" 2>&1
		result "the unit starts again"
		;;
	'skyptyd host --listen '*) left_out "$1" "there is no visor" ;;
	'skypty keygen')
		client "rm -f .config/skypty/identity; $1" >"$work/log" 2>&1 &&
			client_pk=$(tail -n 1 "$work/log") &&
			inside "skypty whitelist-add $client_pk"
		result "$1"
		;;
	'skypty shell <host pk>@host')
		prints "echo 'echo me-\$((6 * 7))' | $1" me-42
		;;
	'skypty shell <host pk>@host:2022 -- uptime') prints "$1" 'load average' ;;
	'skypty exec tcp://'*' -- systemctl restart skywire')
		prints "$(echo "$1" | sed 's/restart skywire/is-active skyptyd/')" \
			'^active'
		;;
	'skyptyd dmsg '* | 'skypty dmsg status' | 'skypty shell <host pk>')
		left_out "$1" "there is no discovery; the Go peers are one"
		;;
	'skypty shell build') prints "echo 'echo me-\$((6 * 7))' | $1" me-42 ;;
	'skypty exec -t 0 build -- journalctl -f')
		client "timeout 5 $1" >"$work/log" 2>&1
		[ $? -eq 124 ] && grep -q 'Accepted key' "$work/log"
		result "$1"
		;;
	'tar cf - src | '*)
		prints "$1 && echo sent" sent
		inside 'cmp src/file ~client/src/file' >"$work/log" 2>&1
		result "what it has sent"
		inside 'mkdir -p work'
		;;
	'skypty cp -r src build:work')
		prints "$1 && echo sent" sent
		inside 'cmp work/src/file src/file || cmp work/file src/file' \
			>"$work/log" 2>&1
		result "what it has copied"
		;;
	'skypty sftp build')
		prints "$1 -- -b - <<<'ls src'" 'src/file'
		;;
	'skypty fs mount --background build mnt')
		[ -e /dev/fuse ] || {
			left_out "$1" "there is no /dev/fuse"
			return
		}
		prints "$1 && ls mnt mnt/root && skypty fs umount mnt" '^src$'
		;;
	'rsync -a -e skypty-ssh '*)
		outside 'rsync --version' >"$work/log" 2>&1
		prints "$1 && echo synchronised" synchronised
		;;
	'GIT_SSH_COMMAND='*) left_out "$1" "git is no package of this page" ;;
	'skypty shell')
		inside "echo 'echo me-\$((6 * 7))' | $1" >"$work/log" 2>&1 &&
			grep -q me-42 "$work/log"
		result "$1"
		;;
	'skypty whitelist; '*)
		as_host "$1"
		client "$(said 'skypty shell <host pk>@host -- true')" \
			>"$work/log" 2>&1
		[ $? -eq 255 ]
		result "who was taken off the list stays out"
		;;
	'skyptyd http') browse "$1" ;;
	'ssh -L '*) left_out "$1" "the browser's tests" ;;
	'make check-loaded N=5') left_out "$1" "hours" ;;
	'make CC=aarch64-linux-gnu-gcc '*) left_out "$1" "make cross" ;;
	*)
		echo "README.md has it, $here/run.sh does not know it" >"$work/log"
		not_ok "$1"
		;;
	esac
}

# A mistake in the configuration ends the unit at once, without restarts.
mistake() {
	inside 'systemctl stop skyptyd; cd /etc/skypty
		sed -i "s/\"ssh_listen\": \"\"/\"ssh_listen\": \":99999\"/" skypty.json
		systemctl start skyptyd; systemctl show -p NRestarts,ActiveState skyptyd
		sed -i "s/\"ssh_listen\": \":99999\"/\"ssh_listen\": \"192.0.2.7:2022\"/" skypty.json
		systemctl reset-failed skyptyd; systemctl start skyptyd && echo started' \
		>"$work/log" 2>&1
	grep -q '^NRestarts=0' "$work/log" &&
		grep -q '^ActiveState=failed' "$work/log"
	result "a mistake in the configuration is no reason to start again"
	grep -q '^started' "$work/log" &&
		inside 'ip addr add 192.0.2.7/32 dev lo' &&
		inside "skypty exec -i /home/client/.config/skypty/identity $host_pk@192.0.2.7 -- true 2>&1 | grep 'not on\|whitelist\|refused by'" \
			>"$work/log" 2>&1
	result "an address that comes late is listened on"
}

for release in $RELEASES; do
	host_pk=
	client_pk=
	make_system
	result "a fresh system"
	awk -f $here/commands.awk README.md >"$work/commands"
	while read -r command <&3; do
		follow "$command"
	done 3<"$work/commands"
	mistake
	shut_down
	rm -rf --one-file-system "${root:?}"
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
