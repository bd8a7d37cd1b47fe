#!/bin/sh
# SPDX-License-Identifier: ISC
# ansible works through skypty in ssh's place.
# once
. regress/sys/lib.sh
need_command ansible

# play MODULE ARGUMENTS [FLAG]...
play() {
	module=$1
	words=$2
	shift 2
	ANSIBLE_NOCOLOR=1 ANSIBLE_LOCAL_TEMP=$dir/tmp ansible there -i there, \
		-e "ansible_host=127.0.0.1 ansible_port=$port" \
		-e "ansible_user=$pk ansible_remote_tmp=$dir/remote" \
		-e "ansible_ssh_executable=$bin/skypty-ssh" \
		-e "ansible_ssh_private_key_file=$dir/client" \
		-e "ansible_python_interpreter=$PYTHON" \
		-e "ansible_ssh_extra_args=$no_login" \
		-e "$transfer" "$@" -m "$module" -a "$words" >"$dir/out" \
		2>"$dir/err.ansible"
}

works() {
	transfer=$1
	shift
	play ping '' "$@" || fail "ping: $(cat "$dir/out")"
	has "$dir/out" '"ping": "pong"'
	play command 'echo a "b  c"' "$@" || fail "command: $(cat "$dir/out")"
	equal "$(tail -n 1 "$dir/out")" "a b  c" "a command's output"
	rm -f "$dir/copy"
	play copy "src=$dir/bytes dest=$dir/copy mode=0640" "$@" ||
		fail "copy: $(cat "$dir/out")"
	cmp "$dir/bytes" "$dir/copy" || fail "a file was changed"
	equal "$(stat -c %a "$dir/copy")" 640 "mode"
}

modules() {
	start_host
	head -c 300000 /dev/urandom >"$dir/bytes"
	works ansible_ssh_transfer_method=piped
	works "ansible_sftp_extra_args='-S $bin/skypty-ssh'" \
		-e ansible_ssh_transfer_method=sftp
	# Modules as standard input, without a terminal.
	works ansible_ssh_transfer_method=piped -e ansible_pipelining=true

	if play command 'sh -c "exit 3"'; then
		fail "a failed command was none"
	fi
	has "$dir/out" "rc=3"
	stop_host
	if play ping ''; then
		fail "a host that is gone was pinged"
	fi
	has "$dir/out" "UNREACHABLE"
}

either modules
