#!/bin/sh
# SPDX-License-Identifier: ISC
# The process that meets browsers really is confined, with a terminal open;
# what it may not do is fatal to it; and neither it nor the launcher shows a
# secret.
. regress/sys/lib.sh
need_http
need_filter

confined() {
	need_root "look into processes of another user"
	start_host
	start_http
	child=$(children "$web")
	harmless "$child" "skyptyd: http"
	if [ "$uid" -eq 0 ]; then
		id=$(id -u "$privsep")
		equal "$(value Uid "$child")" "$id $id $id $id" "Uid"
		equal "$(find "/proc/$child/root/" -mindepth 1)" "" "its root"
		[ "$(readlink "/proc/$child/root")" != / ] ||
			fail "its root is the system's"
	fi
	find "/proc/$child/fd" -type l -printf '%l\n' | sed 's/\[.*//' |
		sort -u >"$dir/fds"
	if grep -vE '^(/dev/null|/dev/urandom|socket:|anon_inode:)$' \
		"$dir/fds"; then
		fail "descriptors: $(cat "$dir/fds")"
	fi
	token=$(sed 's/.*token=//' "$dir/web.out")
	for p in $web $child; do
		tr '\0' '\n' <"/proc/$p/cmdline" >"$dir/shown"
		tr '\0' '\n' <"/proc/$p/environ" >>"$dir/shown"
		hasnt "$dir/shown" "$token"
	done
	hasnt "$web_log" "$token"
	stop_http
	stop_host
}

probes() {
	start_host
	cp "$HELPERS/probe_net" "$bin/skyptyd-http"
	"$HELPERS/probe_net" list >"$dir/acts"
	while read -r act <&8; do
		order "$act"
		start_http
		wait_for "the end of $act" over
		has "$web_log" "probe: attempting $act"
		case $act in
		# These libwebsockets needs, on what it has.
		none | accept4 | sendto | fcntl | setsockopt)
			has "$web_log" "probe: survived $act"
			;;
		int80)
			hasnt "$web_log" survived
			grep -qE 'killed by signal (31|11)' "$web_log" ||
				fail "$act: $(cat "$web_log")"
			;;
		*)
			hasnt "$web_log" survived
			has "$web_log" "killed by signal 31 "
			;;
		esac
		stop_http
	done 8<"$dir/acts"
	stop_host
}

over() {
	grep -qE "http ended|killed" "$web_log"
}

both confined
both probes
