#!/bin/sh
# SPDX-License-Identifier: ISC
# The collection for Ansible: its modules over a connection of ours, with and
# without pipelining, by both ways to copy a file, and twenty hosts at once.
# once
. regress/sys/ansible_lib.sh

# Debian's package ansible has other collections.
posix=/usr/lib/python3/dist-packages/ansible_collections

modules() {
	at_addr=0.0.0.0
	start_host
	head -c 300000 /dev/urandom >"$dir/bytes"
	for ansible in $(ansibles); do
		collection
		for kind in connection inventory; do
			"$ansible/ansible-doc" -t $kind skypty.core.skypty \
				>"$dir/err.doc" 2>&1 || fail "ansible-doc"
			has "$dir/err.doc" executable
		done
		rm -rf "$dir"/plain* "$dir"/pipelined*
		mkfifo "$dir/plain.go" "$dir/pipelined.go"
		inventory plain ansible_skypty_transfer_method=piped pipelined \
			ansible_pipelining=true
		play "$PLAYS/modules.yml" -e "dir=$dir" -e "kernel=$(uname -r)"
		hasnt "$dir/err.ansible" WARN
		for f in "$dir"/plain.*.txt "$dir"/pipelined.*.txt; do
			cmp "$f" "$dir/bytes" || fail "a file changed"
		done

		rm -f "$dir/pid"
		play "$PLAYS/timeout.yml" -e "dir=$dir"

		if [ -d "$posix/ansible/posix" ]; then
			mkdir -p "$dir/tree"
			echo 汉语 >"$dir/tree/汉 语"
			ANSIBLE_COLLECTIONS_PATH=$dir/collections:${posix%/*} \
				play "$PLAYS/synchronize.yml" -e "dir=$dir" \
				-e "rsh='$bin/skypty-ssh -i $dir/client'"
			for copy in "plain tree" back; do
				diff -r "$dir/tree" "$dir/$copy" ||
					fail "rsync changed a file"
			done
			rm -rf "$dir/back"
		fi

		i=1
		set --
		while [ $i -le 20 ]; do
			set -- "$@" "host$i" "ansible_host=127.0.0.$i"
			i=$((i + 1))
		done
		inventory "$@"
		adhoc 0 all -f 20 -m ping
		equal "$(grep -c '"ping": "pong"' "$dir/err.ansible")" 20 pings
	done
	stop_host
}

as_root modules
