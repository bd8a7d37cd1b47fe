#!/bin/sh
# SPDX-License-Identifier: ISC
# Who starts a command with SIGHUP ignored, as nohup(1) does, has it outlive the
# terminal, together with the ProxyCommand that it needs.
. regress/sys/lib.sh

# deaf LOG COMMAND...: in the background, by nohup.
deaf() {
	deaf_log=$1
	shift
	spawn "$deaf_log" nohup "$@"
	client_pid=$pid
}

# goes_on WHAT: it ends by itself, and well.
goes_on() {
	wait_gone "$1" "$client_pid"
	status=0
	wait "$client_pid" || status=$?
	equal $status 0 "status of $1"
}

# A copy that is half done, as who reads from it takes his time.
copy() {
	head -c 20000000 /dev/zero | $as tee "$dir/big" >/dev/null
	$as mkfifo "$dir/pipe"
	spawn "$dir/log.reader" sh -c "exec <$dir/pipe
		dd bs=1 count=1 of=$dir/first 2>$dir/dd
		until [ -e $dir/go ]; do sleep 0.05; done
		wc -c >$dir/count"
	deaf "$dir/log.cp" "$bin/skypty" cp -i "$dir/client" \
		"$pk@127.0.0.1:$port:$dir/big" "$dir/pipe"
	wait_for "a byte" test -s "$dir/first"
	kill -HUP "$client_pid"
	$as touch "$dir/go"
	goes_on "the copy"
	wait_for "the reader" test -s "$dir/count"
	equal "$(tr -d ' ' <"$dir/count")" 19999999 "bytes behind the first"
}

# A command by a program that leads to the host.
command_by_proxy() {
	cat >"$dir/bin/carry" <<-END
		#!/bin/sh
		echo \$\$ >"$dir/carrier"
		exec "$PYTHON" "$LIB/carry.py" 127.0.0.1 "$port"
	END
	chmod 755 "$dir/bin/carry"
	# shellcheck disable=SC2086
	deaf "$dir/log.ssh" "$bin/skypty-ssh" $no_login -i "$dir/client" \
		-oProxyCommand="$bin/carry" "$pk@127.0.0.1" \
		"echo begun >$dir/begun; until [ -e $dir/end ]; do \
		sleep 0.05; done; echo done"
	wait_for "the command" test -s "$dir/begun"
	carrier=$(cat "$dir/carrier")
	kill -HUP "$carrier" "$client_pid"
	$as touch "$dir/end"
	goes_on "the command"
	equal "$(cat "$dir/log.ssh")" "done" "its output"
	wait_gone "the ProxyCommand" "$carrier"
}

clients() {
	start_host
	copy
	command_by_proxy
	stop_host
}

mounted() {
	need_fuse
	start_host
	$as mkdir "$dir/mnt"
	deaf "$dir/log.mount" "$bin/skypty" fs mount -i "$dir/client" \
		"$pk@127.0.0.1:$port" "$dir/mnt"
	wait_for "the mount" is_mounted "$dir/mnt"
	kill -HUP "$client_pid"
	# As long as it would take to unmount.
	for _ in 1 2 3 4 5; do
		sleep 0.2
		$as ls "$dir/mnt" >/dev/null
	done
	is_mounted "$dir/mnt" || fail "the mount went with its terminal"
	kill -TERM "$client_pid"
	goes_on "the mount"
	is_not_mounted "$dir/mnt" || fail "it is still mounted"
	stop_host
}

both clients
either mounted
