#!/bin/sh
# SPDX-License-Identifier: ISC
# Whoever comes from where others failed to authenticate is refused for a time,
# before anything is started for him: for each way to fail, by the monitor's own
# word.  Whoever has logged in from there before is not, nor is who is exempt.
# waits
. regress/sys/lib.sh

# Nothing but the kind in question, and at once.
only() {
	echo "\"noauth:0 handshake:0 authfail:0 grace-exceeded:0 crash:0 \
min:0 max:1h\"" | sed "s/$1:0/$1:1h/"
}

# begin_with KIND: a host on which that is penalised, wherever it is from.
begin_with() {
	conf penalties "$(only "$1")" penalty_exempt '[]' \
		handshake_timeout "${2-30}"
	start_host
}

# turned_away KIND: the listed key, whom nobody knows here, is refused like
# others, and costs no process.
turned_away() {
	wait_for "the penalty" grep -q "Penalty of 3600 s for the address" "$log"
	wait_for "the end of what it cost" has_no_child "$host"
	refused
	wait_for "a line" grep -q "Turned away 127.0.0.1.*penalty: .*($1)" "$log"
	hasnt "$log" "Accepted key"
	equal "$(started)" 0 "processes that were started"
	# From elsewhere everybody may come.
	from_elsewhere
	stop_host
}

# The processes that were started on this machine may be others', too; those
# of the host are its children.
started() {
	children "$host" | wc -l
}

handshake() {
	begin_with handshake
	raw raw "0031$(printf '02%096d' 7)" drain >"$dir/out"
	turned_away handshake
}

authfail() {
	new_key other
	begin_with authfail
	"$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" "$dir/other" handshake \
		drain >"$dir/out"
	turned_away authfail
}

noauth() {
	begin_with noauth
	spawn "$dir/hello" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" hello hold
	monitor_of "$host"
	hasnt "$log" Penalty
	kill "$pid"
	turned_away noauth
}

# Who says nothing has no process, who says something one.
grace() {
	for steps in "" hello; do
		begin_with grace-exceeded 2
		raw $steps drain >"$dir/out"
		turned_away grace-exceeded
	done
}

# A child that asks for what it may not.
crash() {
	stand_in hostile_net
	echo "$dir/mark" >"$bin/marker"
	begin_with crash
	order exec-after-bad-handshake
	raw hello drain >"$dir/out"
	order real
	turned_away crash
	mv "$bin/skyptyd-net.real" "$bin/skyptyd-net"
}

# A signal that somebody sends is no crash of the peer's making; nor is the
# end of a session anything at all.
no_crash() {
	begin_with crash
	spawn "$dir/hello" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" hello hold
	monitor_of "$host"
	wait_for "a child" has_child "$monitor"
	kill -9 "$(children "$monitor")"
	wait_gone "the monitor" "$monitor"
	serves
	spawn "$dir/session" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" handshake mux dmsgpty/pty hold
	wait_for "a session" grep -q "mux 0" "$dir/session"
	monitor_of "$host"
	kill -ABRT "$(children "$monitor")"
	wait_gone "the monitor" "$monitor"
	serves
	hasnt "$log" "Penalty"
	stop_host
}

# Nor is the end of one that an admin has ended, whatever it was about.
killed() {
	conf penalties "$(only noauth)" penalty_exempt '[]' cliaddr "\"$sock\"" \
		handshake_timeout 30
	start_host --log-level debug
	spawn "$dir/hello" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" hello hold
	monitor_of "$host"
	run skyptyd status --json --cliaddr "$sock" >"$dir/out"
	id=$(sed -n 's/.*"id":"\([0-9a-f]*\)","carrier":"tcp".*/\1/p' "$dir/out")
	run skyptyd kill --cliaddr "$sock" "$id" >"$dir/out"
	has "$dir/out" "1 connection ended"
	wait_gone "the monitor" "$monitor"
	serves
	hasnt "$log" Penalty
	stop_host
}

# An address that somebody has logged in from: the stranger behind it does not
# keep him out.
known() {
	begin_with handshake
	serves
	raw raw "0031$(printf '02%096d' 7)" drain >"$dir/out"
	wait_for "the penalty" grep -q "Penalty of 3600 s" "$log"
	serves
	hasnt "$log" "Turned away"
	stop_host
}

# What is exempt, off, or less than the least.
exempt() {
	for keys in 'penalty_exempt ["127.0.0.0/24"]' 'penalties "off"' \
		'penalties "min:1m"'; do
		conf penalties "$(only handshake)" penalty_exempt '[]'
		with "${keys%% *}" "${keys#* }"
		start_host
		for _ in 1 2 3; do
			raw raw "0031$(printf '02%096d' 7)" drain >"$dir/out"
		done
		wait_for "their end" has_no_child "$host"
		serves
		hasnt "$log" Penalty
		stop_host
	done
}

# with KEY VALUE: another value in the configuration.
with() {
	sed -i "s|\"$1\": .*|\"$1\": $2,|" "$dir/host.json"
}

# Read again: who is refused is not any more.
reread() {
	begin_with handshake
	raw raw "0031$(printf '02%096d' 7)" drain >"$dir/out"
	wait_for "the penalty" grep -q "Penalty of 3600 s" "$log"
	refused
	with penalty_exempt '["127.0.0.1"]'
	kill -HUP "$host"
	wait_for "the reload" grep -q "read again" "$log"
	serves
	stop_host
}

# A flood of who is refused fills no log.
few_lines() {
	begin_with handshake
	raw raw "0031$(printf '02%096d' 7)" drain >"$dir/out"
	wait_for "the penalty" grep -q "Penalty of 3600 s" "$log"
	"$PYTHON" - "$port" <<-'END' || fail "somebody was let in"
		import socket, sys
		for _ in range(3000):
		    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		    try:
		        if s.recv(1) != b"":
		            sys.exit("something was said")
		    except ConnectionResetError:
		        pass
		    s.close()
	END
	wait_for "the rest" grep -q "and [0-9]* more that did not" "$log"
	seconds=$(ps -o etimes= -p "$host")
	[ "$(wc -l <"$log")" -le $((150 + 10 * (seconds + 2))) ] ||
		fail "$(wc -l <"$log") lines in $seconds s"
	stop_host
}

either handshake
either authfail
either noauth
either grace
either crash
either no_crash
either killed
either known
either exempt
either reread
either few_lines
