#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2046,SC2086
# The surroundings of a session are those that sshd gives: where the client is,
# the name of its terminal, bash's own file for commands, a login shell's name.
. regress/sys/lib.sh

variable() {
	sed -n "s/^$1=//p" "$dir/env"
}

# from ADDRESS: what $dir/env must say of a client there.
from() {
	set -- "$1" $(variable SSH_CONNECTION)
	equal "$#" 5 "words of SSH_CONNECTION"
	equal "$2 $4 $5" "$1 $1 $port" "addresses"
	case $3 in
	*[!0-9]* | "") fail "the client's port is $3" ;;
	esac
	equal "$(variable SSH_CLIENT)" "$2 $3 $5" "SSH_CLIENT"
	equal "$(variable MAIL)" "/var/mail/$account" "MAIL"
}

environment() {
	start_host
	on_host -- env >"$dir/env"
	from 127.0.0.1
	equal "$(variable SSH_TTY)" "" "SSH_TTY of a command"

	on_ssh -tt "$pk@127.0.0.1" "tty; env" </dev/null 2>"$dir/log.client" |
		tr -d '\r' >"$dir/env"
	from 127.0.0.1
	equal "$(variable SSH_TTY)" "$(head -n 1 "$dir/env")" "SSH_TTY"

	# Not what the daemon was started with.
	stop_host
	SSH_CLIENT="192.0.2.1 1 2" SSH_TTY=/dev/null
	export SSH_CLIENT SSH_TTY
	start_host
	unset SSH_CLIENT SSH_TTY
	on_host -- env >"$dir/env"
	from 127.0.0.1
	equal "$(variable SSH_TTY)" "" "SSH_TTY of a command"

	# Somebody on this machine is not remote.
	run skypty exec --cliaddr "$sock" -- env >"$dir/env"
	equal "$(variable SSH_CLIENT)$(variable SSH_CONNECTION)" "" \
		"a local client's"
	stop_host

	# An address of the newer kind.
	if [ -s /proc/net/if_inet6 ]; then
		start_host --addr "[::1]:0"
		port=$(sed -n 's/.*Listening on \[::1]:\([0-9]*\)$/\1/p' "$log")
		run skypty exec -i "$dir/client" --no-visor-key \
			--via "tcp://$pk@[::1]:$port" -- env >"$dir/env"
		from ::1
		stop_host
	fi
}

# Without a setting of its own: the first one counts.
by_ssh() {
	$as "$bin/skypty-ssh" -i "$dir/client" -p "$port" "$@"
}

shells() {
	start_host
	bash=$(command -v bash) || skip "bash is not installed"
	echo "echo from the file" >"$dir/bashrc"
	by_ssh -oSetEnv="SHELL=$bash HOME=$dir" \
		"$pk@127.0.0.1" true >"$dir/none" 2>"$dir/log.client"
	mv "$dir/bashrc" "$dir/.bashrc"
	by_ssh -oSetEnv="SHELL=$bash HOME=$dir" \
		"$pk@127.0.0.1" true >"$dir/out" 2>"$dir/log.client"
	equal "$(cat "$dir/none")" "" "without a file"
	if "$bash" -c 'exit 0' && strings_of "$bash" SSH_CLIENT; then
		equal "$(cat "$dir/out")" "from the file" "bash's file"
	fi

	echo 'echo "I am $0"; shopt -q login_shell && echo login' |
		by_ssh -oSetEnv=SHELL="$bash" "$pk@127.0.0.1" \
			>"$dir/out" 2>"$dir/log.client"
	has "$dir/out" "I am -bash"
	has "$dir/out" login
	echo 'echo "I am $0"' |
		by_ssh -oSetEnv=SHELL=/bin/sh "$pk@127.0.0.1" \
			>"$dir/out" 2>"$dir/log.client"
	has "$dir/out" "I am -sh"
	status=0
	by_ssh -oSetEnv=SHELL="$dir/none" "$pk@127.0.0.1" </dev/null \
		>"$dir/out" 2>"$dir/log.client" || status=$?
	[ $status -ne 0 ] || fail "a shell that is none was started"
	has "$dir/log.client" "$dir/none"
	stop_host
}

# A bash that was built to look for it.
strings_of() {
	grep -qF "$2" "$1"
}

both environment
both shells
