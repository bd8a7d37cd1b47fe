#!/bin/sh
# SPDX-License-Identifier: ISC
# Neither client nor host connects to addresses of this machine or of its
# networks because a public discovery names them; what the user or the
# configuration names is connected to.  In two network namespaces, which are the
# whole world here.
. regress/sys/lib.sh

# The other machine: a discovery on a public and on a private address.
start_world() {
	ip link set lo up
	spawn "$dir/log.there" unshare -n sh -c "
		ip link set lo up
		until ip link set v1 up 2>/dev/null; do sleep 0.05; done
		ip addr add 9.9.9.1/24 dev v1
		ip addr add 10.1.1.1/24 dev v1
		exec $PYTHON regress/sys/reach_peer.py $dir/address $server_pk"
	there=$pid
	wait_for "another namespace" apart "$there"
	ip link add v0 type veth peer name v1
	ip link set v1 netns "$there"
	ip link set v0 up
	# The second one is left from the first; 8.8.8.8 is on no interface.
	for a in 9.9.9.5 9.9.9.6 10.1.1.5; do
		ip addr add "$a/24" dev v0
	done
	ip -6 addr add 2600::5/64 dev v0 nodad
	ip route add local 8.8.8.0/24 dev lo
	spawn "$dir/log.here" "$PYTHON" regress/sys/reach_peer.py
	wait_for "the other machine" grep -q ready "$dir/log.there"
	wait_for "the ports here" grep -q ready "$dir/log.here"
}

apart() {
	[ "$(readlink "/proc/$1/ns/net")" != \
		"$(readlink /proc/self/ns/net)" ]
}

# ask ADDRESS DISCOVERY [FLAG]...: the client, for a key whose server is there.
ask() {
	echo "$1" >"$dir/address"
	discovery=$2
	shift 2
	status=0
	run skypty exec -v -i "$dir/client" --dmsgdisc "$discovery" "$@" \
		"$pk" -- true 2>"$dir/err.ask" || status=$?
	equal "$status" 255 "status"
}

comings() {
	grep -c came "$dir/log.$1"
}

# not_here ADDRESS DISCOVERY [FLAG]...
not_here() {
	before=$(comings here)/$(comings there)
	ask "$@"
	equal "$(comings here)/$(comings there)" "$before" "connections to $1"
	has "$dir/err.ask" "a private or local address"
}

# there_is WHERE ADDRESS DISCOVERY [FLAG]...
there_is() {
	before=$(comings "$1")
	where=$1
	shift
	ask "$@"
	hasnt "$dir/err.ask" "a private or local address"
	wait_for "a connection to $1" came_more
}

came_more() {
	[ "$(comings "$where")" -gt "$before" ]
}

hostile="127.0.0.1 0.0.0.0 127.1 2130706433 localhost [::1]
	[::ffff:127.0.0.1] [::] [::127.0.0.1] [64:ff9b::127.0.0.1] 169.254.1.1
	9.9.9.5 9.9.9.6 [::ffff:9.9.9.6] [2600::5] 8.8.8.8"

client_is_careful() {
	for a in $hostile 10.1.1.5 10.1.1.1; do
		not_here "$a:4000" http://9.9.9.1
	done
	there_is there 9.9.9.1:4000 http://9.9.9.1
	# A private overlay: its own network, still not this machine.
	for a in $hostile 10.1.1.5; do
		not_here "$a:4000" http://10.1.1.1
	done
	there_is there 10.1.1.1:4000 http://10.1.1.1
	# What the user names, and one of its kind.
	there_is here 9.9.9.1:1 http://9.9.9.1 \
		--dmsg-servers "$server_pk@127.0.0.1:4000"
	there_is here 127.0.0.1:4000 http://9.9.9.1 \
		--dmsg-servers "$pk@127.0.0.1:1"
}

host_is_careful() {
	for a in 127.0.0.1 '[::1]' 9.9.9.6 8.8.8.8 10.1.1.1; do
		before=$(comings here)/$(comings there)
		echo "$a:4000" >"$dir/address"
		log=$dir/log.host
		spawn "$log" "$bin/skyptyd" dmsg -c "$dir/host.json" \
			--dmsgdisc http://9.9.9.1 --cliaddr "$sock" \
			--dmsgsessions 1
		host=$pid
		wait_for "its refusal of $a" grep -q \
			"a private or local address" "$log"
		equal "$(comings here)/$(comings there)" "$before" \
			"connections to $a"
		stop_host
	done
	before=$(comings there)
	where=there
	echo 9.9.9.1:4000 >"$dir/address"
	spawn "$log" "$bin/skyptyd" dmsg -c "$dir/host.json" \
		--dmsgdisc http://9.9.9.1 --cliaddr "$sock"
	host=$pid
	wait_for "a connection of the host" came_more
	stop_host
}

reach() {
	new_key server
	server_pk=$key
	start_world
	client_is_careful
	host_is_careful
}

need_root "make network namespaces"
need_command ip
if [ -z "${REACH_APART-}" ]; then
	unshare -n true 2>/dev/null || skip "root may not unshare here"
	REACH_APART=yes exec unshare -n sh "$0"
fi
as_root reach
