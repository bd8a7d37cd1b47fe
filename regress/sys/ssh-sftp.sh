#!/bin/sh
# SPDX-License-Identifier: ISC
# sftp works through skypty in ssh's place.
. regress/sys/lib.sh
need_command sftp
[ -x /usr/lib/openssh/sftp-server ] || skip "there is no sftp-server"

# batch ARGUMENT...: the commands on standard input.
batch() {
	$as sftp -S "$bin/skypty-ssh" -i "$dir/client" -b - "$@" >"$dir/out" \
		2>"$dir/err.sftp"
}

files() {
	start_host
	head -c 3000000 /dev/urandom | $as tee "$dir/bytes" >/dev/null
	batch -P "$port" "$pk@127.0.0.1" <<-END || fail "sftp returned $?"
		put $dir/bytes $dir/there
		get $dir/there $dir/back
		mkdir $dir/folder
		rename $dir/there $dir/folder/there
		symlink there $dir/folder/link
		chmod 600 $dir/folder/there
		ls -1 $dir/folder
	END
	cmp "$dir/bytes" "$dir/folder/there" || fail "a file was changed"
	cmp "$dir/bytes" "$dir/back" || fail "a file was changed coming back"
	equal "$(stat -c %a "$dir/folder/there")" 600 "mode"
	equal "$(readlink "$dir/folder/link")" there "link"
	equal "$(grep -v '^sftp>' "$dir/out" | tr '\n' ' ')" \
		"$dir/folder/link $dir/folder/there " "list"

	echo "get $dir/folder/link $dir/again" |
		batch "sftp://$pk@127.0.0.1:$port" ||
		fail "sftp by address returned $?"
	cmp "$dir/bytes" "$dir/again" || fail "a file was changed"
	status=0
	echo "get $dir/nowhere" | batch -P "$port" "$pk@127.0.0.1" || status=$?
	equal $status 1 "status without a file"
	stop_host
}

# What is said to skypty sftp goes on through sftp as it is.
words() {
	start_host
	mv "$dir/client" "$dir/a %h key"
	echo pwd | run skypty sftp -i "$dir/a %h key" \
		--cliaddr "$dir/of \"two\" words\\" "tcp://$pk@127.0.0.1:$port" \
		-- -b - >"$dir/out" 2>"$dir/err.sftp" ||
		fail "skypty sftp returned $?"
	mv "$dir/a %h key" "$dir/client"
	stop_host
}

# There is no other subsystem, and none of a host that does not know this key.
refusals() {
	start_host
	status=0
	on_ssh -s "$pk@127.0.0.1" netconf 2>"$dir/err.ssh" || status=$?
	equal $status 255 "status of another subsystem"
	has "$dir/err.ssh" "subsystem netconf: there is sftp only"
	new_key other
	status=0
	echo pwd | $as sftp -S "$bin/skypty-ssh" -i "$dir/other" -P "$port" \
		-b - "$pk@127.0.0.1" >"$dir/out" 2>"$dir/err.sftp" || status=$?
	# Where sftp comes to write to skypty-ssh only when that has gone it is
	# killed by that.
	[ $status -eq 141 ] || equal $status 255 "status of an unknown key"
	has "$dir/err.sftp" "your key $key is not on the host's whitelist"
	stop_host
}

both files
either words
either refusals
