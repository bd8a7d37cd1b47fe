#!/bin/sh
# SPDX-License-Identifier: ISC
# What is installed is complete and passes systemd's own check; uninstalling
# leaves nothing behind.
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
	# Root's shells would inherit any of these.
	if grep -hE '^(NoNewPrivileges|Protect|Private|ReadOnly|Restrict(N|A|F|R|S)|SystemCall|Capability|MemoryDeny|LockPers|DynamicUser|LimitCORE|UMask|Inaccessible)' \
		"$units"/skyptyd.service "$units"/skyptyd-dmsg.service \
		"$units"/skyptyd-inetd@.service >"$dir/err.told"; then
		fail "$(cat "$dir/err.told")"
	fi
}

install_tree() {
	root=$dir/root
	units=$root/lib/systemd/system
	make_here install || fail "make install failed"
	for f in usr/sbin/skyptyd usr/bin/skypty \
		usr/libexec/skypty/skyptyd-monitor \
		usr/libexec/skypty/skyptyd-net \
		usr/libexec/skypty/skyptyd-dmsg; do
		[ -x "$root/$f" ] || fail "$f is not installed"
	done
	for f in man8/skyptyd.8 man8/skyptyd-http.8 man1/skypty.1 man5/skypty.json.5; do
		[ -s "$root/usr/share/man/$f" ] || fail "$f is not installed"
	done
	hasnt "$units/skyptyd.service" "@"
	"$root/usr/bin/skypty" version >"$dir/out" || fail "it does not run"
	verify
	make_here uninstall || fail "make uninstall failed"
	equal "$(find "$root" ! -type d)" "" "files left behind"
	equal "$(find "$root" -type d -name '*skypty*')" "" "folders left behind"
}

make_here() {
	make -s PREFIX=/usr DESTDIR="$root" BIN="$BIN" OBJ="$OBJ" \
		SANITIZE="${sanitized:+1}" SYSTEMDUNITDIR=/lib/systemd/system \
		SYSUSERSDIR=/usr/lib/sysusers.d "$@" >"$dir/err.make" 2>&1
}

either install_tree
