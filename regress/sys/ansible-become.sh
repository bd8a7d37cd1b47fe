#!/bin/sh
# SPDX-License-Identifier: ISC
# Ansible becomes another user: by sudo with a password, with and without
# pipelining and a terminal, by su, and not without the password.
# once
. regress/sys/ansible_lib.sh
need_command sudo

own_machine "$0"

# becomes NAME VARIABLES
becomes() {
	adhoc 0 one -b -m command -a "id -un" -e "$2"
	equal "$(tail -n 1 "$dir/err.ansible")" "$1" "who $2 is"
}

# stays TEXT VARIABLES
stays() {
	adhoc 2 one -b -m command -a "touch $dir/ran" -e "$2"
	has "$dir/err.ansible" "$1"
	[ ! -e "$dir/ran" ] || fail "it ran: $2"
}

become() {
	password="it's \"so\" 汉语"
	for name in root alice; do
		account $name "$(printf '%s' "$password" | openssl passwd -6 -stdin)"
	done
	sed -i 's/^root:x:[0-9]*:[0-9]*:/root:x:0:0:/' /etc/passwd
	account bob
	echo 'alice ALL=(ALL) ALL' >/etc/sudoers
	authorize "user=\"alice\" $client"
	wl=
	conf
	start_host
	for ansible in $(ansibles); do
		collection
		ANSIBLE_REMOTE_TMP=$dir/home.alice/tmp
		inventory one ''
		adhoc 0 one -m command -a "id -un"
		equal "$(tail -n 1 "$dir/err.ansible")" alice "who we are"
		with="{ansible_become_password: '$(echo "$password" |
			sed "s/'/''/g")'"
		becomes root "$with}"
		becomes root "$with, ansible_pipelining: true}"
		becomes bob "$with, ansible_pipelining: true, ansible_become_user: bob}"
		becomes root "$with, ansible_skypty_use_tty: true}"
		becomes root "$with, ansible_become_method: su}"
		becomes root "$with, ansible_become_method: su, ansible_skypty_use_tty: true}"
		stays "Incorrect sudo password" "ansible_become_password=wrong"
		stays "Incorrect su password" \
			"ansible_become_password=wrong ansible_become_method=su"
		stays "Missing sudo password" "ansible_pipelining=true"
		stays "Missing sudo password" "ansible_pipelining=false"
	done
	# Without a right to a terminal it is told what is missing.
	authorize "user=\"alice\",no-pty $client"
	stays "terminal" "$with, ansible_skypty_use_tty: true}"
	becomes root "$with}"
	echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers
	becomes root "{ansible_pipelining: true}"
	stop_host
}

as_root become
