#!/bin/sh
# SPDX-License-Identifier: ISC
# Forwarded connections are made with the rights of the session's user, and no
# others: what he may not reach is refused by the kernel, the sockets are his,
# and an account that nobody may log in to forwards nothing.
. regress/sys/lib.sh

line() {
	authorize "$1 $client"
}

# reaches QUERY, refuses WHY QUERY, with alice's sockets in $dir/home.alice.
forward() {
	raw handshake mux "skypty/1/$1forward?$2" relay \
		>"$dir/out" 2>"$dir/err" </dev/null
}

reaches() {
	rm -f "$dir/in" "$dir/out"
	mkfifo "$dir/in"
	raw handshake mux "skypty/1/${2-}forward?$1" relay <"$dir/in" \
		>"$dir/out" 2>"$dir/err" &
	relay=$!
	pids="$pids $relay"
	exec 6>"$dir/in"
	echo works >&6
	wait_for "an answer of $1" answered
	grep -qx works "$dir/out" || fail "$1: $(cat "$dir/out")"
}

answered() {
	grep -qx works "$dir/out" 2>/dev/null || gone "$relay"
}

leaves() {
	exec 6>&-
	wait "$relay"
}

refuses() {
	forward "${3-}" "$2"
	has "$dir/out" "mux 1"
	has "$dir/out" "$1"
}

# echoes NAME: some of that account's, in its home; the ports in $v4 and so on.
echoes() {
	setpriv --reuid="$1" --regid="$1" --clear-groups -- \
		sh -c "umask 077; exec $PYTHON $LIB/echo_at.py \
		$dir/home.$1/ports $dir/home.$1/sock" >"$dir/log.$1" 2>&1 &
	pids="$pids $!"
	wait_for "the echoes of $1" test -s "$dir/home.$1/ports"
	read -r v4 _ <"$dir/home.$1/ports"
	chmod 755 "$dir/home.$1"
}

users() {
	account alice
	account bob
	account locked '!'
	wl='' && conf
	echoes bob
	echoes alice
	line 'user="alice,bob",permitopen="/*",permitopen="127.0.0.1:*"'
	start_host
	reaches "path=$dir/home.alice/sock"
	leaves
	refuses "Permission denied" "path=$dir/home.bob/sock"
	reaches "path=$dir/home.bob/sock" as/bob/skypty/1/
	leaves
	refuses "Permission denied" "path=$dir/home.alice/sock" as/bob/skypty/1/
	refuses "not root's" "path=$dir/home.alice/sock" as/root/skypty/1/

	# Whose it is, for the kernel: address, port, state, queues, timer,
	# retransmissions, uid.
	reaches "host=127.0.0.1&port=$v4"
	hex=$(printf '0100007F:%04X' "$v4")
	equal "$(awk -v to="$hex" '$3 == to && $4 == "01" { print $8 }' \
		/proc/net/tcp)" "$(id -u alice)" "whose the connection is"
	leaves

	# Neither root's groups nor files go along.
	reaches "host=127.0.0.1&port=$v4"
	n=0
	for p in $(pgrep -f "^skypty-forward"); do
		[ "$(readlink "/proc/$p/exe")" = "$bin/skypty-forward" ] ||
			continue
		n=$((n + 1))
		equal "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' \
			"/proc/$p/status")" "$(for _ in 1 2 3 4; do
				id -u alice; done | xargs)" "whose it is"
		equal "$(awk '/^Groups:/ { $1 = ""; print }' \
			"/proc/$p/status" | xargs)" "$(id -G alice)" "groups"
		equal "$(awk '/^CapEff:|^CapPrm:/ { print $2 }' \
			"/proc/$p/status" | sort -u)" 0000000000000000 "rights"
		tr '\0' '\n' <"/proc/$p/environ" >"$dir/env"
		[ ! -s "$dir/env" ] || fail "environment: $(cat "$dir/env")"
		for fd in "/proc/$p/fd"/*; do
			case $(readlink "$fd") in
			/dev/null | socket:*) ;;
			# The sanitizers say there what they find.
			"$dir"/log.*) [ -n "$sanitized" ] || fail "log: $fd" ;;
			*) fail "open: $fd $(readlink "$fd")" ;;
			esac
		done
	done
	equal "$n" 2 "how many skypty-forward"
	leaves

	# Who may not log in does not forward either.
	line 'user="locked",permitopen="127.0.0.1:*"'
	refuses "the account locked is locked" "host=127.0.0.1&port=$v4"
	account nobodys '*'
	sed -i '/^nobodys:/s|:[^:]*$|:/usr/sbin/nologin|' /etc/passwd
	line 'user="nobodys",permitopen="127.0.0.1:*"'
	refuses "nobody may log in as nobodys" "host=127.0.0.1&port=$v4"
	line 'user="alice",permitopen="127.0.0.1:*"'
	if nm -D "$BIN/skyptyd-monitor" | grep -q dlsym; then
		printf '%s\n' "account required pam_deny.so" \
			"session required pam_permit.so" >/etc/pam.d/skypty
		stop_host
		start_host
		refuses "alice may not log in by PAM (account)" \
			"host=127.0.0.1&port=$v4"
		# Of a session of its own PAM is not told.
		printf '%s\n' "account required pam_permit.so" \
			"session required pam_deny.so" >/etc/pam.d/skypty
		reaches "host=127.0.0.1&port=$v4"
		leaves
		rm /etc/pam.d/skypty
	fi
	stop_host
	unset wl
}

own_machine "$0"
as_root users
