#!/bin/sh
# SPDX-License-Identifier: ISC
# A peer that is cut off in the middle of a session, so that not even the end
# of the connection arrives, is noticed by keep-alive, and its shell ends.
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

dead() {
	conf tcp_keepalive 1
	log=$dir/log.dead
	spawn "$log" ip netns exec $near "$bin/skyptyd" tcp \
		-c "$dir/host.json" --addr 198.51.100.1:0 --cliaddr ""
	host=$pid
	wait_for "the host" served
	port=$(port_of "$log")
	spawn "$dir/out" ip netns exec $far "$HELPERS/raw_client" \
		198.51.100.1 "$port" "$pk" "$dir/client" handshake \
		mux dmsgpty/pty start /bin/sh -c \
		"echo \$\$ >$dir/pid; exec sleep 61" ';' reply reads 1 hold
	wait_for "the shell" test -s "$dir/pid"
	monitor_of "$host"
	ip -n $far link set veth0 down
	wait_gone "the shell" "$(cat "$dir/pid")"
	wait_gone "the monitor" "$monitor"
	stop_host
}

trap 'remove; end' EXIT
network || skip "no network namespaces with a pair of interfaces here"
as_root dead
