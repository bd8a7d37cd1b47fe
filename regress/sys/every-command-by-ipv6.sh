#!/bin/sh
# SPDX-License-Identifier: ISC
# Every command that connects does so by an address of IPv6, written out and
# behind a name.
. regress/sys/lib.sh
grep -q ' lo$' /proc/net/if_inet6 2>/dev/null || skip "there is no IPv6 here"

# is WHAT WANTED COMMAND...: its output, or a line of it.
is() {
	what=$1
	wanted=$2
	shift 2
	"$@" >"$dir/out" 2>"$dir/err.$what" </dev/null ||
		fail "$what returned $?"
	tr -d '\r' <"$dir/out" | grep -qxF "$wanted" || {
		cat "$dir/out"
		fail "$what does not say '$wanted'"
	}
}

# same WHAT FILE: it came as it was.
same() {
	cmp "$dir/bytes" "$2" || fail "$1 has changed the file"
	rm "$2"
}

# commands FLAGS DESTINATION: what takes pk@[host]:port, or a name.
commands() {
	flags=$1
	to=$2
	# shellcheck disable=SC2086 # words
	{
		is exec works run skypty exec $flags "$to" -- echo works
		is shell works run skypty shell $flags "$to" -- echo works
		echo "echo wo''rks" | run skypty shell -c /bin/sh $flags "$to" \
			>"$dir/out" 2>"$dir/err.terminal" ||
			fail "a shell returned $?"
		has "$dir/out" works
		run skypty cp $flags "$dir/bytes" "$to:$dir/up" ||
			fail "cp returned $?"
		same "cp to there" "$dir/up"
		run skypty cp $flags "$to:$dir/bytes" "$dir/down" ||
			fail "cp returned $?"
		same "cp from there" "$dir/down"
		! command -v sftp >/dev/null ||
			echo "get $dir/bytes $dir/by_sftp" |
			run skypty sftp $flags "$to" -- -b - >"$dir/out" \
				2>"$dir/err.sftp" || fail "sftp returned $?"
		! command -v sftp >/dev/null || same sftp "$dir/by_sftp"
	}
}

mounted() {
	command -v sshfs >/dev/null || return 0
	(need_fuse) >/dev/null || return 0
	$as mkdir "$dir/mnt"
	# shellcheck disable=SC2086
	spawn "$dir/log.mount" "$bin/skypty" fs mount $1 \
		--remote-root "$dir" "$2" "$dir/mnt"
	wait_for "the mount" is_mounted "$dir/mnt"
	$as cmp "$dir/bytes" "$dir/mnt/bytes" || fail "mount shows another"
	kill -INT "$pid"
	wait_gone "the mount" "$pid"
	rmdir "$dir/mnt"
}

by_ssh() {
	is ssh works on_ssh "$pk@::1" echo works
	# shellcheck disable=SC2046 # words
	is skypty-ssh works run skypty ssh $no_login -i "$dir/client" \
		-p "$port" "$pk@::1" echo works
	command -v scp >/dev/null || return 0
	$as scp -q -S "$bin/skypty-ssh" -i "$dir/client" -P "$port" \
		"$pk@[::1]:$dir/bytes" "$dir/by_scp" 2>"$dir/err.scp" ||
		fail "scp returned $?"
	same scp "$dir/by_scp"
}

six() {
	log=$dir/log.six
	spawn "$log" "$bin/skyptyd" tcp -c "$dir/host.json" --cliaddr "$sock" \
		--addr "[::1]:0"
	host=$pid
	wait_for "the host" served
	port=$(port_of "$log")
	head -c 300000 /dev/urandom | $as tee "$dir/bytes" >/dev/null

	commands "-i $dir/client --no-visor-key" "$pk@[::1]:$port"
	is via works run skypty exec -i "$dir/client" --no-visor-key \
		--via "tcp://$pk@[::1]:$port" -- echo works
	mounted "-i $dir/client --no-visor-key" "$pk@[::1]:$port"
	by_ssh

	$as mkdir -p "$HOME/.config/skypty"
	$as tee "$HOME/.config/skypty/config" >/dev/null <<-END
		Host six
		    Key $pk
		    Address ::1
		    Port $port
		    Identity $dir/client
	END
	commands "" six
	mounted "" six
	# shellcheck disable=SC2046
	is "ssh, by name," works run skypty ssh $no_login six echo works
	stop_host
}

either six
