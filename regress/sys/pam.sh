#!/bin/sh
# SPDX-License-Identifier: ISC
# A session is PAM's, too: who may have it, what it gets, and that it is closed
# whatever ends it.  A module that hangs or crashes costs that session only.
# waits
. regress/sys/lib.sh

own_machine "$0"
nm -D "$BIN/skyptyd-monitor" | grep -q dlsym || skip "skyptyd has no PAM"

# pam LINE...: what pam.d says.
pam() {
	printf '%s\n' "auth required pam_permit.so" "$@" >/etc/pam.d/skypty
}

tells() {
	printf '%s' "session required pam_exec.so $dir/tell"
}

deny() {
	if on_host -- touch "$dir/ran" >"$dir/out" 2>"$dir/err.deny"; then
		fail "PAM is not asked"
	fi
	has "$dir/err.deny" "$1"
	[ ! -e "$dir/ran" ] || fail "the command has run"
}

told() {
	[ "$(grep -c . "$dir/home.alice/told" 2>/dev/null)" = "$1" ]
}

logs_in() {
	account alice
	echo "01234567" >"$dir/root.only"
	chmod 600 "$dir/root.only"
	authorize "user=\"alice\" $client"
	wl=
	conf
	cat >"$dir/tell" <<-END
		#!/bin/sh
		echo "\$PAM_TYPE \$PAM_USER \$PAM_SERVICE \$PAM_RHOST \$PAM_TTY" \
			"\$SKYPTY_PK" "\$(id -u)" >>$dir/home.alice/told
	END
	chmod 755 "$dir/tell"
	echo "FROM_PAM DEFAULT=yes" >"$dir/pam_env.conf"
	echo "alice - nofile 333" >"$dir/limits.conf"
	pam "account required pam_permit.so" "$(tells)" \
		"session required pam_env.so conffile=$dir/pam_env.conf" \
		"session required pam_limits.so conf=$dir/limits.conf"
	start_host
	on_host -- sh -c 'id -un; echo $FROM_PAM; ulimit -n; id -G; umask' \
		>"$dir/out" 2>"$dir/err.out" || fail "$(cat "$dir/err.out")"
	printf '%s\n' alice yes 333 61001 0022 >"$dir/wanted"
	cmp -s "$dir/out" "$dir/wanted" || fail "$(cat "$dir/out")"
	wait_for "the end of the session" told 2
	equal "$(cat "$dir/home.alice/told")" \
		"open_session alice skypty 127.0.0.1 skypty $client 0
close_session alice skypty 127.0.0.1 skypty $client 0" "what PAM is told"

	# Groups that a module adds stay; files that one leaves open do not.
	echo "skypty;*;alice;Al0000-2400;games" >/etc/security/group.conf
	printf '%s\n' "auth required pam_group.so" \
		"account required pam_permit.so" \
		"session required $OBJ_PATH/regress/preload/pam_open.so \
$dir/root.only" >/etc/pam.d/skypty
	equal "$(on_host -- id -Gn)" "alice games" "groups by PAM"
	# shellcheck disable=SC2016 # the shell's
	! on_host -- sh -c 'readlink /proc/$$/fd/*' | grep root.only ||
		fail "a file of root's is open"
	# What a module says of the shell is not what runs.
	echo "SHELL DEFAULT=/bin/false" >"$dir/pam_env.conf"
	pam "account required pam_permit.so" \
		"session required pam_env.so conffile=$dir/pam_env.conf"
	equal "$(echo 'echo there' | on_ssh "$pk@127.0.0.1" 2>"$dir/err")" \
		there "the account's shell"
	# The user's limits do not hold the records; where they cannot be
	# lifted there is a session all the same.
	for file in /run/utmp /var/log/wtmp /var/log/lastlog; do
		: >"$file"
	done
	echo "alice soft fsize 0" >"$dir/limits.conf"
	pam "account required pam_permit.so" \
		"session required pam_limits.so conf=$dir/limits.conf"
	is_limited
	wait_for "the end of the closer" no_closer
	equal "$(wc -c </var/log/wtmp)" $((2 * 384)) "bytes of wtmp"
	echo "alice hard fsize 0" >"$dir/limits.conf"
	is_limited
	wait_for "the end of the closer" no_closer
	rm /run/utmp
	pam "account required pam_permit.so" "$(tells)"

	# A terminal's name, and an end without a monitor.
	rm "$dir/home.alice/told"
	mkfifo "$dir/keys"
	$as "$bin/skypty" shell -i "$dir/client" --no-visor-key "$(dest)" \
		<"$dir/keys" >"$dir/err.shell" 2>&1 &
	pids="$pids $!"
	exec 9>"$dir/keys"
	# shellcheck disable=SC2016 # the shell's
	echo 'echo $$ >~/pid; tty >~/tty' >&9
	wait_for "the shell" test -s "$dir/home.alice/tty"
	has "$dir/home.alice/told" "open_session alice skypty 127.0.0.1 $(
		cat "$dir/home.alice/tty") $client 0"
	monitor_of "$host"
	kill -9 "$monitor"
	exec 9>&-
	wait_for "the end of the session" told 2
	wait_gone "the shell" "$(cat "$dir/home.alice/pid")"
	wait_for "the end of the closer" no_closer
	stop_host
}

is_limited() {
	equal "$(on_ssh -tt "$pk@127.0.0.1" "ulimit -f" 2>"$dir/err" \
		</dev/null | tr -d '\r')" 0 "the limit of files"
}

no_closer() {
	! pgrep -f '^skyptyd: closer alice' >/dev/null
}

refuses() {
	account alice
	authorize "user=\"alice\" $client"
	wl=
	conf
	pam "account required pam_deny.so"
	start_host
	deny "alice may not log in by PAM (account)"
	pam "account required pam_permit.so" "session required pam_deny.so"
	deny "alice may not log in by PAM (session)"
	echo "skypty;*;alice;!Al0000-2400" >"$dir/time.conf"
	pam "account required pam_time.so conffile=$dir/time.conf" \
		"session required pam_permit.so"
	deny "alice may not log in by PAM (account)"
	# A module that tells why, and one that is not there.
	printf '#!/bin/sh\necho "come back later"\nexit 1\n' >"$dir/no"
	chmod 755 "$dir/no"
	pam "account required pam_exec.so stdout $dir/no" \
		"session required pam_permit.so"
	deny "come back later"
	pam "account required pam_none_such.so" "session required pam_permit.so"
	deny "alice may not log in by PAM (account)"
	pam "account required pam_permit.so" \
		"session required $OBJ_PATH/regress/preload/pam_crash.so"
	deny "what begins a session here has crashed"
	# The same daemon, when nothing is in the way any more.
	pam "account required pam_permit.so" "session required pam_permit.so"
	serves
	stop_host

	pam "account required pam_deny.so" "session required pam_deny.so"
	conf pam false
	start_host
	serves
	stop_host
	# Without the file nobody is asked, unless that is wanted.
	rm /etc/pam.d/skypty
	printf '%s\n' "account required pam_deny.so" >/etc/pam.d/other
	conf
	start_host
	serves
	stop_host
	conf pam true
	start_host
	has "$log" "there is no /etc/pam.d/skypty"
	deny "alice may not log in by PAM (account)"
	stop_host
}

# Root's sessions are no exception.
root_too() {
	unset wl
	authorize ""
	conf
	pam "account required pam_deny.so"
	start_host
	deny "root may not log in by PAM (account)"
	stop_host
}

# The client is told, and the host goes on.  A script of pam_exec has a session
# of its own: it is the module's, and ours to end.
hangs() {
	account alice
	authorize "user=\"alice\" $client"
	wl=
	conf
	printf '#!/bin/sh\necho $$ >%s/hangs\nexec sleep 1000\n' "$dir" \
		>"$dir/hang"
	chmod 755 "$dir/hang"
	pam "account required pam_permit.so" \
		"session required pam_exec.so $dir/hang"
	start_host
	deny "what begins a session here takes too long"
	pam "account required pam_permit.so" "session required pam_permit.so"
	serves
	wait_for "the end of the monitors" has_no_child "$host"
	stop_host
	# Nothing else ends a program that sleeps so long.
	[ "$(cat "/proc/$(cat "$dir/hangs")/comm" 2>/dev/null)" != sleep ] ||
		kill "$(cat "$dir/hangs")"
}

OBJ_PATH=$(cd "$OBJ" && pwd)
as_root logs_in
as_root refuses
as_root root_too
as_root hangs
