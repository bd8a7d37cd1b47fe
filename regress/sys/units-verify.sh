#!/bin/sh
# SPDX-License-Identifier: ISC
# What is installed is complete and passes systemd's own check; uninstalling
# leaves nothing behind.
# once
. regress/sys/lib.sh
need_command make

verify() {
	need_command systemd-analyze
	# Paths of the destination in place of the ones to come.
	sed -i "s|^Exec\([A-Za-z]*\)=/usr|Exec\1=$root/usr|" "$units"/*.service
	# Pages are looked for by man itself.
	command -v man >/dev/null || sed -i /^Documentation=/d "$units"/skyptyd*
	for u in skyptyd.service skyptyd-dmsg.service skyptyd-http.service \
		skyptyd.socket skyptyd-inetd.socket; do
		MANPATH=$root/usr/share/man systemd-analyze verify \
			"$units/$u" >"$dir/err.verify" 2>&1 ||
			fail "$u does not pass"
		grep -v -e "^$" -e "^Unit .* not found" "$dir/err.verify" |
			grep "$units" >"$dir/err.told" &&
			fail "$u: $(cat "$dir/err.told")"
	done
	for line in KillMode=process OOMPolicy=continue TasksMax=infinity; do
		has "$units/skyptyd.service" "$line"
		has "$units/skyptyd-inetd@.service" "$line"
	done
	# What a stranger can make fail often does not end a unit for good.
	has "$units/skyptyd-inetd.socket" "TriggerLimitIntervalSec=0"
	has "$units/skyptyd-inetd.socket" "MaxConnections=1024"
	has "$units/skyptyd-inetd.socket" "MaxConnectionsPerSource=32"
	for u in skyptyd skyptyd-dmsg skyptyd-http; do
		has "$units/$u.service" "Restart=on-failure"
		restart=$(number RestartSec "$u")
		interval=$(number StartLimitIntervalSec "$u")
		burst=$(number StartLimitBurst "$u")
		[ $((burst * restart)) -gt "$interval" ] ||
			fail "$u gives up after $burst restarts"
	done
	# Root's shells would inherit any of these.
	if grep -hE '^(NoNewPrivileges|Protect|Private|ReadOnly|Restrict(N|A|F|R|S)|SystemCall|Capability|MemoryDeny|LockPers|DynamicUser|LimitCORE|UMask|Inaccessible)' \
		"$units"/skyptyd.service "$units"/skyptyd-dmsg.service \
		"$units"/skyptyd-inetd@.service >"$dir/err.told"; then
		fail "$(cat "$dir/err.told")"
	fi
}

number() {
	sed -n "s/^$1=\([0-9][0-9]*\)$/\1/p" "$units/$2.service"
}

install_tree() {
	copy_build
	root=$dir/root
	units=$root/lib/systemd/system
	make_here install || fail "make install failed"
	for f in usr/sbin/skyptyd usr/bin/skypty \
		usr/libexec/skypty/skyptyd-monitor \
		usr/libexec/skypty/skyptyd-dmsg-monitor \
		usr/libexec/skypty/skyptyd-net \
		usr/libexec/skypty/skyptyd-dmsg \
		usr/libexec/skypty/skyptyd-connect; do
		[ -x "$root/$f" ] || fail "$f is not installed"
	done
	for f in man8/skyptyd.8 man8/skyptyd-http.8 man1/skypty.1 man5/skypty.json.5; do
		[ -s "$root/usr/share/man/$f" ] || fail "$f is not installed"
	done
	hasnt "$units/skyptyd.service" "@"
	"$root/usr/bin/skypty" version >"$dir/out" || fail "it does not run"
	verify
	make_here uninstall || fail "make uninstall failed"
	[ ! -e "$root" ] || fail "left behind: $(find "$root")"
}

make_here() {
	mk PREFIX=/usr DESTDIR="$root" SYSTEMDUNITDIR=/lib/systemd/system \
		SYSUSERSDIR=/usr/lib/sysusers.d "$@"
}

either install_tree
