#!/bin/sh
# SPDX-License-Identifier: ISC
# The collection's example: an update that takes the host away for a while is
# carried out once a host, in batches, and one that fails stops the run.
# once
. regress/sys/ansible_lib.sh

# updates STATUS [FLAG]...
updates() {
	wanted=$1
	shift
	status=0
	timeout 300 "$ansible/ansible-playbook" -i "$dir/inventory" \
		skypty.core.update -e "script=$dir/update" \
		-e "package=$dir/package" -e '{batches: [1, 2, "100%"]}' \
		-e "{arguments: [--note, 'a  b']}" \
		-e "check='test -e $dir/count'" "$@" \
		>"$dir/err.ansible" 2>&1 </dev/null || status=$?
	equal $status "$wanted" "status of the update"
}

updated() {
	at_addr=0.0.0.0
	start_host
	mkdir "$dir/updates"
	echo new >"$dir/package"
	# Nobody comes in meanwhile.
	cat >"$dir/update" <<-END
		#!/bin/sh
		[ "\$1 \$2" = "--note a  b" ] && [ "\$(cat "\$3")" = new ] || exit 1
		kill -STOP $host
		sleep 2
		echo updated >>$dir/count
		kill -CONT $host
		! [ -e $dir/broken ]
	END
	set --
	for i in 1 2 3 4 5; do
		set -- "$@" "host$i" "ansible_host=127.0.0.$i"
	done
	inventory "$@"
	# Their temporary folders are ours.
	echo "ansible_skypty_exec_args=-e TMPDIR=$dir/updates" \
		>>"$dir/inventory"
	for ansible in $(ansibles | head -n 1); do
		collection
		rm -f "$dir/count" "$dir/broken"
		updates 0
		equal "$(grep -c updated "$dir/count")" 5 "updates"
		equal "$(find "$dir/updates" -name "update.*")" "" \
			"what is left"
		# The first batch is one host.
		rm -f "$dir/count"
		touch "$dir/broken"
		updates 2
		equal "$(grep -c updated "$dir/count")" 1 "updates that failed"
		rm -rf "$dir/updates"/*
	done
	stop_host
}

as_root updated
