#!/bin/sh
# SPDX-License-Identifier: ISC
# A peer that is cut off in the middle of a session, so that not even the end
# of the connection arrives, is noticed, and its shell ends: with nothing to say
# to it, with output on its way, with output that it had not read.
# waits
. regress/sys/lib.sh
need_root "make network namespaces"
need_command ip

# One for the host and one for the client, apart from the system's network.
near=skypty-near-$$
far=skypty-far-$$

remove() {
	ip netns del $near
	ip netns del $far
} >/dev/null 2>&1

network() {
	ip netns add $near &&
		ip netns add $far &&
		ip -n $near link add veth0 type veth peer name veth0 netns $far &&
		ip -n $near addr add 198.51.100.1/24 dev veth0 &&
		ip -n $near link set veth0 up &&
		ip -n $far addr add 198.51.100.2/24 dev veth0 &&
		ip -n $far link set veth0 up
} >/dev/null 2>&1

# cut_off WHAT COMMAND STEP...: a session that runs the command, whose client
# does these steps before it hangs, is lost with the network.
cut_off() {
	what=$1
	command=$2
	shift 2
	ip -n $far link set veth0 up
	rm -f "$dir/pid" "$dir/out"
	spawn "$dir/out" ip netns exec $far "$HELPERS/raw_client" \
		198.51.100.1 "$port" "$pk" "$dir/client" handshake \
		mux dmsgpty/pty start /bin/sh -c \
		"echo \$\$ >$dir/pid; $command" ';' reply "$@" hold
	peer=$pid
	wait_for "the shell with $what" test -s "$dir/pid"
	monitor_of "$host"
	wait_for "the client with $what" has "$dir/out" holding
	ip -n $far link set veth0 down
	wait_gone "the shell with $what" "$(cat "$dir/pid")"
	wait_gone "the monitor with $what" "$monitor"
	lost=$((lost + 1))
	equal "$(grep -c 'Connection closed: connection lost after' "$log")" \
		$lost "ends that are told, with $what"
	kill -9 "$peer"
	wait_gone "the client with $what" "$peer"
}

# The client: what it has written is lost on the way.
client_cut_off() {
	ip -n $far link set veth0 up
	rm -f "$dir/pid"
	LD_PRELOAD=$OBJ/regress/preload/fast_time.so FAST_TIME=15 \
		ip netns exec $far "$bin/skypty" exec -i "$dir/client" \
		--no-visor-key -t 0 "tcp://$pk@198.51.100.1:$port" -- \
		sh -c "echo \$\$ >$dir/pid; exec cat" \
		</dev/zero >/dev/null 2>"$dir/err.exec" &
	peer=$!
	pids="$pids $peer"
	wait_for "the command" test -s "$dir/pid"
	ip -n $far link set veth0 down
	wait_gone "the client of a host that is cut off" "$peer"
	status=0
	wait "$peer" || status=$?
	equal $status 255 "status of the client"
	has "$dir/err.exec" "the host does not answer any more"
	wait_gone "the command" "$(cat "$dir/pid")"
}

dead() {
	conf tcp_keepalive 1
	log=$dir/log.dead
	spawn "$log" ip netns exec $near "$bin/skyptyd" tcp \
		-c "$dir/host.json" --addr 198.51.100.1:0 --cliaddr ""
	host=$pid
	wait_for "the host" served
	port=$(port_of "$log")
	lost=0
	cut_off nothing "exec sleep 61" reads 1
	cut_off "output" "while sleep 0.05; do echo x; done" reads 20
	cut_off "unread output" "exec cat /dev/zero" reads 60
	[ -n "$sanitized" ] || client_cut_off
	stop_host
}

trap 'remove; end' EXIT
network || skip "no network namespaces with a pair of interfaces here"
as_root dead
