#!/bin/sh
# SPDX-License-Identifier: ISC
# Hosts and disks that fail a fleet cost it themselves and no other; whatever
# happens to the client, no host runs a command twice.
. regress/sys/fleet_lib.sh

# odd HOW: one more host, at another port.
odd() {
	odd_port=$(free_port)
	spawn "$dir/log.$1" "$PYTHON" "$LIB/odd_host.py" "$odd_port" "$1"
	wait_for "the $1 host" grep -q listening "$dir/log.$1"
	echo "$pk@127.0.0.1:$odd_port" >>"$dir/hosts"
}

odd_hosts() {
	scene 3
	odd silent
	odd garbage
	odd closes
	# Another key than the host's; and nobody at all.
	echo "$client@127.0.0.1:$port" >>"$dir/hosts"
	echo "$pk@127.0.0.1:$(free_port)" >>"$dir/hosts"
	fleet 1 --connect-timeout 2s "@$dir/hosts" -- echo works
	has "$dir/err.fleet" "8 hosts: 3 ok, 0 failed, 5 not reached"
	has "$dir/out" "3 hosts: "

	# One that is not let in has not run anything, and may try again.
	new_key stranger
	sed -n 1,2p "$dir/hosts" >"$dir/two"
	fleet 1 -i "$dir/stranger" "@$dir/two" -- sh -c "echo x >>$dir/ran"
	has "$dir/err.fleet" "2 not reached"
	has "$dir/err.fleet" "is not on the host's whitelist"
	fleet 0 "--resume=$(run_id)" -i "$dir/client"
	equal "$(wc -l <"$dir/ran")" 2 "runs"
	stop_host
}

# Hosts whose connection dies while the command runs.
dying_hosts() {
	scene 2
	fleet_in_background "$dir/hosts"
	wait_for "both commands" two_ran
	for m in $(children "$host"); do
		kill -9 "$m"
	done
	wait_gone "the fleet" "$fleet_pid"
	status=0
	wait "$fleet_pid" || status=$?
	equal $status 1 "status"
	has "$dir/err.fleet" "2 began and their end is not known"
	fleet 1 "--resume=$(run_id)" --retry 3
	equal "$(wc -l <"$dir/ran")" 2 "runs"

	# A command whose connection it ends itself runs again only by consent.
	rm "$dir/ran"
	fleet 1 --retry 1 "@$dir/hosts" -- \
		sh -c "echo x >>$dir/ran; kill -9 \$PPID"
	equal "$(wc -l <"$dir/ran")" 2 "runs"
	fleet 1 --retry 1 --idempotent "@$dir/hosts" -- \
		sh -c "echo x >>$dir/ran; kill -9 \$PPID"
	equal "$(wc -l <"$dir/ran")" 6 "runs of what may run twice"
	stop_host
}

two_ran() {
	[ "$(wc -l <"$dir/ran")" -eq 2 ]
}

# Two at a time, each of which waits for the file "go".
fleet_in_background() {
	rm -f "$dir/ran" "$dir/go"
	$as env -- "$bin/skypty" fleet -i "$dir/client" --no-visor-key -j 2 \
		"@$1" -- sh -c "echo x >>$dir/ran
			while ! test -e $dir/go; do sleep 0.05; done" \
		>"$dir/out" 2>"$dir/err.fleet" </dev/null &
	fleet_pid=$!
	pids="$pids $fleet_pid"
}

# Who was let in in time has been, however late the client hears of it: it stops
# where it has written that the first host began.
stalled() {
	cp "$OBJ/regress/preload/stops_at.so" "$dir" ||
		fail "the preload was not built"
	scene 1
	slow=$(free_port)
	echo "$pk@127.0.0.1:$slow" >>"$dir/hosts"
	spawn "$dir/log.slow" "$bin/skyptyd" tcp -c "$dir/host.json" \
		--addr "127.0.0.1:$slow" --cliaddr ""
	slow_host=$pid
	log=$dir/log.slow
	wait_for "the slow host" served
	kill -STOP "$slow_host"
	rm -f "$dir/ran"
	$as env LD_PRELOAD="$dir/stops_at.so" STOPS_AT=2 \
		ASAN_OPTIONS=verify_asan_link_order=0 \
		"$bin/skypty" fleet -i "$dir/client" --no-visor-key \
		--connect-timeout 10s "@$dir/hosts" -- \
		sh -c "echo x >>$dir/ran" \
		>"$dir/out" 2>"$dir/err.fleet" </dev/null &
	fleet_pid=$!
	pids="$pids $fleet_pid"
	wait_for "the client to stop" grep -q "^State:.T" \
		"/proc/$fleet_pid/status"
	kill -CONT "$slow_host"
	wait_for "it to be let in" grep -q "Accepted key" "$log"
	sleep 10
	kill -CONT "$fleet_pid"
	wait_gone "the fleet" "$fleet_pid"
	has "$dir/err.fleet" "2 hosts: 2 ok, 0 failed"
	equal "$(wc -l <"$dir/ran")" 2 "runs"
	kill "$slow_host"
	stop_host
}

interrupts() {
	scene 4
	fleet_in_background "$dir/hosts"
	wait_for "two commands" two_ran
	kill -INT "$fleet_pid"
	wait_for "a word" grep -q "no new hosts" "$dir/err.fleet"
	echo x | $as tee "$dir/go" >/dev/null
	wait_gone "the fleet" "$fleet_pid"
	status=0
	wait "$fleet_pid" || status=$?
	equal $status 2 "status after one interrupt"
	has "$dir/err.fleet" "4 hosts: 2 ok, 0 failed, 2 had no turn"
	fleet 0 --resume
	equal "$(wc -l <"$dir/ran")" 4 "runs"

	fleet_in_background "$dir/hosts"
	wait_for "two commands" two_ran
	kill -INT "$fleet_pid"
	wait_for "a word" grep -q "no new hosts" "$dir/err.fleet"
	kill -INT "$fleet_pid"
	wait_gone "the fleet" "$fleet_pid"
	status=0
	wait "$fleet_pid" || status=$?
	equal $status 2 "status after two interrupts"
	has "$dir/err.fleet" "2 began and their end is not known, 2 had no turn"
	stop_host
}

# Two of one run do not go on at once.
one_at_a_time() {
	scene 2
	fleet_in_background "$dir/hosts"
	wait_for "two commands" two_ran
	id=$(run_id)
	fleet 64 "--resume=$id"
	has "$dir/err.fleet" "is going on"
	fleet 64 --resume
	has "$dir/err.fleet" "the run $id is going on"
	run skypty fleet list >"$dir/out" || fail "list returned $?"
	has "$dir/out" "$id  running"
	echo x >"$dir/go"
	wait_gone "the fleet" "$fleet_pid"
	stop_host
}

# Killed at each line of its journal: no host runs it twice.
killed() {
	scene 3
	for lines in 1 2 3 4 5 6; do
		rm -f "$dir/count"
		journal=$HOME/.local/state/skypty/fleet
		rm -rf "$journal"
		$as "$bin/skypty" fleet -i "$dir/client" --no-visor-key -j 1 \
			"@$dir/hosts" -- sh -c "echo x >>$dir/count" \
			>"$dir/out" 2>"$dir/err.fleet" </dev/null &
		fleet_pid=$!
		pids="$pids $fleet_pid"
		wait_for "line $lines" told_steps $lines
		kill -9 "$fleet_pid" 2>/dev/null
		wait "$fleet_pid" 2>/dev/null
		status=0
		run skypty fleet --resume -i "$dir/client" \
			>"$dir/out" 2>"$dir/err.resumed" </dev/null || status=$?
		ran=$(wc -l <"$dir/count")
		lost=$(sed -n 's/.* \([0-9]*\) began and.*/\1/p' \
			"$dir/err.resumed")
		[ "$ran" -le 3 ] || fail "3 hosts ran it $ran times"
		# Each ran it, or is said to be lost.
		[ "$ran" -ge $((3 - ${lost:-0})) ] ||
			fail "$ran runs and ${lost:-0} lost"
	done
	stop_host
}

told_steps() {
	[ "$(grep -chE '^(began|ended) ' "$journal"/*.journal)" -ge "$1" ]
}

# What a host prints without an end is neither kept in memory nor lost in files.
floods() {
	scene 2
	fleet 0 "@$dir/hosts" -- head -c 300000000 /dev/zero
	has "$dir/out" "more bytes: --output keeps all]"
	[ "$(wc -c <"$dir/out")" -lt 2000000 ] || fail "too much is shown"
	fleet 0 --output "$dir/kept" "@$dir/hosts" -- head -c 30000000 /dev/zero
	for f in "$dir"/kept/*.out; do
		equal "$(wc -c <"$f")" 30000000 "bytes of $f"
	done
	stop_host
}

full_disks() {
	unshare -m true 2>/dev/null || return 0
	scene 4
	mkdir -p "$dir/small" "$HOME/.local/state"
	# The folder of --output: no more hosts have a turn.
	cat >"$dir/small.sh" <<-END
		mount -t tmpfs -o size=\$SIZE none "\$1" && shift && exec "\$@"
	END
	within="env SIZE=64k unshare -m --propagation slave sh $dir/small.sh $dir/small"
	fleet 2 -j 1 --output "$dir/small/kept" "@$dir/hosts" -- \
		sh -c "echo x >>$dir/ran; head -c 200000 /dev/zero"
	has "$dir/err.fleet" "No space left on device"
	has "$dir/err.fleet" "stopped: output cannot be written"
	has "$dir/err.fleet" "3 had no turn"
	equal "$(wc -l <"$dir/ran")" 1 "runs"

	# That of the journal: nothing begins that is not written down.
	rm -f "$dir/ran"
	cat >"$dir/small.sh" <<-END
		mount -t tmpfs -o size=16k none "\$1" && shift &&
		mkdir -p $HOME/.local/state/skypty/fleet && {
			head -c 8192 /dev/zero \
				>$HOME/.local/state/skypty/fleet/fill
			exec "\$@"
		}
	END
	# Long arguments fill what is left of it, up to the hosts' steps.
	i=0
	while [ $i -lt 400 ]; do
		echo "$pk@127.0.1.$i:$port"
		i=$((i + 1))
	done >"$dir/many"
	within="unshare -m --propagation slave sh $dir/small.sh $HOME/.local/state"
	fleet 255 "@$dir/many" -- sh -c "echo x >>$dir/ran"
	has "$dir/err.fleet" "it cannot be written: No space left on device"
	[ ! -e "$dir/ran" ] || fail "something ran that is not written down"

	# In the middle: the plan has room, up to 20 bytes, and not its steps.
	within=
	fleet 0 -j 1 "@$dir/hosts" -- sh -c "echo x >>$dir/ran" p
	plan=$(sed '/^planned/q' "$HOME/.local/state/skypty/fleet/$(run_id)".* |
		wc -c)
	rm "$dir/ran"
	within="unshare -m --propagation slave sh $dir/small.sh $HOME/.local/state"
	fleet 2 -j 1 "@$dir/hosts" -- sh -c "echo x >>$dir/ran" \
		"$(printf "%$((8192 - 20 - plan + 1))s" | tr ' ' p)"
	has "$dir/err.fleet" "stopped: the journal cannot be written"
	[ "$(wc -l <"$dir/ran")" -le 2 ] || fail "it went on without a journal"
	within=
	stop_host
}

# addresses N PORT: that many hosts, in $dir/nobody.
addresses() {
	i=0
	while [ $i -lt "$1" ]; do
		echo "$pk@127.1.$((i / 250)).$((i % 250 + 1)):$2"
		i=$((i + 1))
	done >"$dir/nobody"
	chmod 644 "$dir/nobody"
}

unreached() {
	addresses 10000 "$(free_port)"
	fleet 1 "@$dir/nobody" -- true
	has "$dir/err.fleet" "10000 hosts: 0 ok, 0 failed, 10000 not reached"
	fleet 2 --max-fail 1% -j 8 "@$dir/nobody" -- true
	has "$dir/err.fleet" "had no turn"

	# A host whose machine does not answer has its time, and no more of it.
	odd_port=$(free_port)
	spawn "$dir/log.full" "$PYTHON" "$LIB/odd_host.py" "$odd_port" full
	wait_for "the host that is full" grep -q listening "$dir/log.full"
	addresses 200 "$odd_port"
	fleet 1 -j 100 --connect-timeout 1s "@$dir/nobody" -- true
	has "$dir/err.fleet" "200 hosts: 0 ok, 0 failed, 200 not reached"
	equal "$(grep -c 'not reached: .*in time\|not reached: .*timed out' \
		"$dir/err.fleet")" 200 "hosts that did not answer in time"
}

# What this machine does not have: descriptors, processes.
few() {
	cp "$OBJ/regress/preload/fork_fails.so" "$dir" ||
		fail "the preload was not built"
	scene 4
	within="prlimit --nofile=100 --"
	fleet 64 -j 13 "@$dir/hosts" -- true
	has "$dir/err.fleet" "--jobs 13: there are descriptors for 12 here"
	fleet 0 -j 12 "@$dir/hosts" -- true
	within="prlimit --nofile=100:1024 --"
	fleet 0 -j 64 "@$dir/hosts" -- true

	# For a moment: who could not begin has his turn later, and one.
	preload="env LD_PRELOAD=$dir/fork_fails.so
		ASAN_OPTIONS=verify_asan_link_order=0"
	within="$preload FORK_FAILS=skypty:2"
	fleet 0 -j 4 "@$dir/hosts" -- sh -c "echo x >>$dir/ran"
	has "$dir/err.fleet" "no process for "
	equal "$(wc -l <"$dir/ran")" 4 "runs with a process less"
	rm "$dir/ran"
	within="$preload FORK_FAILS=skypty:3+"
	fleet 2 -j 4 "@$dir/hosts" -- sh -c "echo x >>$dir/ran"
	has "$dir/err.fleet" "stopped: no process can be started here"
	equal "$(wc -l <"$dir/ran")" 2 "runs with two processes"
	within=
	fleet 0 --resume
	equal "$(wc -l <"$dir/ran")" 4 "runs, resumed"
	stop_host
}

# Neither a clock that jumps nor one that was put back moves a run.
other_clocks() {
	cp "$OBJ/regress/preload/other_time.so" "$dir" ||
		fail "the preload was not built"
	scene 3
	echo "$pk@127.0.0.1:$(free_port)" >>"$dir/hosts"
	preload="env LD_PRELOAD=$dir/other_time.so
		ASAN_OPTIONS=verify_asan_link_order=0"
	within="$preload OTHER_TIME=864000 JUMPS=yes"
	fleet 1 -j 2 --retry 1 --batch 2 --max-fail 1 --pause 200ms -t 1m \
		--check true "@$dir/hosts" -- sh -c "echo x >>$dir/ran"
	has "$dir/err.fleet" "4 hosts: 3 ok, 0 failed, 1 not reached"
	equal "$(wc -l <"$dir/ran")" 3 "runs"
	rm -rf "$HOME/.local"
	within=
	fleet 1 "@$dir/hosts" -- true
	hasnt "$dir/err.fleet" "the clock"
	before=$(run_id)
	within="$preload OTHER_TIME=-864000"
	fleet 1 "@$dir/hosts" -- true
	has "$dir/err.fleet" "the clock is behind that of the run $before"
	within=
	stop_host
}

either odd_hosts
either dying_hosts
either stalled
either interrupts
either one_at_a_time
either killed
either floods
[ "$(id -u)" -ne 0 ] || as_root full_disks
either unreached
either few
either other_clocks
