#!/bin/sh
# SPDX-License-Identifier: ISC
# What Ansible gets when a host is not there, goes in the middle, or comes late:
# unreachable and failed are told apart, and nothing runs twice.
# once
. regress/sys/ansible_lib.sh

# late N: a way to the host that hangs up N times before it leads there.
late() {
	cat >"$dir/late.py" <<-'END'
		import os, socket, sys, threading
		port, n, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
		s = socket.create_server(("127.0.0.1", 0))
		with open(name + ".new", "w") as f:
		    print(s.getsockname()[1], file=f)
		os.rename(name + ".new", name)
		def carry(a, b):
		    try:
		        while data := a.recv(65536):
		            b.sendall(data)
		        b.shutdown(socket.SHUT_WR)
		    except OSError:
		        pass
		while True:
		    c = s.accept()[0]
		    if n > 0:
		        n -= 1
		        print("gone", file=open(name + ".gone", "a"))
		        c.close()
		        continue
		    to = socket.create_connection(("127.0.0.1", port))
		    for pair in ((c, to), (to, c)):
		        threading.Thread(target=carry, args=pair, daemon=True).start()
	END
	rm -f "$dir/late" "$dir/late.gone"
	spawn "$dir/log.late" "$PYTHON" "$dir/late.py" "$port" "$1" "$dir/late"
	late=$pid
	wait_for "the way to the host" test -s "$dir/late"
}

lines() {
	wc -l <"$1"
}

failures() {
	start_host
	serving=$port
	for ansible in $(ansibles); do
		collection
		# Not there, and no sense in more attempts.
		port=1
		inventory one ''
		adhoc 4 one -m raw -a "echo x"
		has "$dir/err.ansible" UNREACHABLE
		has "$dir/err.ansible" "connection refused"
		port=$serving
		inventory one ansible_skypty_retries=30
		adhoc 4 one -m raw -a "echo x" -e ansible_skypty_destination=nowhere
		has "$dir/err.ansible" "neither a destination"
		# A word that would be a flag, and none at all.
		for word in --cliaddr=/x -- "' '"; do
			adhoc 2 one -m raw -a "touch $dir/ran" \
				-e "ansible_skypty_destination=$word"
			has "$dir/err.ansible" "is no destination"
		done
		new_key stranger
		adhoc 4 one -m raw -a "touch $dir/ran" \
			-e "ansible_skypty_identity=$dir/stranger ansible_skypty_retries=0"
		has "$dir/err.ansible" "is not on the host's whitelist"
		[ ! -e "$dir/ran" ] || fail "it ran"

		# It comes late: attempts, and one command.
		rm -f "$dir/count"
		late 2
		inventory one "ansible_skypty_retries=2"
		adhoc 0 one -m raw -a "echo x >>$dir/count" \
			-e "ansible_port=$(cat "$dir/late")"
		equal "$(lines "$dir/count")" 1 "how often it ran"
		equal "$(lines "$dir/late.gone")" 2 "connections that failed"
		kill "$late"
		late 2
		inventory one "ansible_skypty_retries=1"
		adhoc 4 one -m raw -a "echo x >>$dir/count" \
			-e "ansible_port=$(cat "$dir/late")"
		equal "$(lines "$dir/count")" 1 "how often it ran"
		kill "$late"

		# It goes while the command runs, which is not begun again.
		rm -f "$dir/count"
		inventory one ansible_skypty_retries=5
		adhoc 4 one -m raw -a "echo x >>$dir/count;
			kill -9 \$(ps -o pid= --ppid $host); sleep 100"
		has "$dir/err.ansible" "connection was lost while the command ran"
		equal "$(lines "$dir/count")" 1 "how often it ran"

		# What the host says of a file is no lost connection.
		for how in cp piped smart; do
			inventory one "ansible_skypty_transfer_method=$how"
			adhoc 2 one -m fetch -a "src=/proc/self/mem dest=$dir/got
				flat=yes"
			hasnt "$dir/err.ansible" UNREACHABLE
		done
	done
	stop_host
}

no_sftp() {
	conf sftp_server '"none"'
	start_host
	echo text >"$dir/file"
	for ansible in $(ansibles); do
		collection
		inventory one ''
		for how in smart piped; do
			rm -f "$dir/copy"
			adhoc 0 one -m copy -a "src=$dir/file dest=$dir/copy" \
				-e "ansible_skypty_transfer_method=$how"
			cmp "$dir/file" "$dir/copy" || fail "a file changed"
			adhoc 0 one -m fetch -a "src=$dir/copy dest=$dir/$how flat=yes" \
				-e "ansible_skypty_transfer_method=$how"
			cmp "$dir/file" "$dir/$how" || fail "a file changed"
		done
		rm -f "$dir/copy"
		adhoc 4 one -m copy -a "src=$dir/file dest=$dir/copy" \
			-e ansible_skypty_transfer_method=cp
		has "$dir/err.ansible" "files are not served here"
	done
	stop_host
}

as_root failures
as_root no_sftp
