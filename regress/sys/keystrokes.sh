#!/bin/sh
# SPDX-License-Identifier: ISC
# Who looks at the wire learns neither what is typed nor when: frames of one
# size leave at a cadence of their own, each is answered, and what arrives is
# what was typed.
. regress/sys/lib.sh

# A KEYS frame's body: counter, head, payload, tag.
keys=$((8 + 5 + 32 + 16))

# watch: the host by way of somebody who looks.
watch() {
	start_host
	: >"$dir/port"
	"$PYTHON" "$LIB/wire_sizes.py" "$port" "$dir/notes" >"$dir/port" &
	pids="$pids $!"
	wait_for "the relay" test -s "$dir/port"
	port=$(cat "$dir/port")
}

# how VALUE: the names, with one for the host.
how() {
	cat >"$dir/hosts" <<-END
		Host there
		Key $pk
		Address 127.0.0.1:$port
		ObscureKeystrokeTiming $1
	END
}

# types COMMAND...: the steps on standard input, at a cat; $dir/wire has what
# was to be seen from the first key on.
types() {
	rm -f "$dir/ready" "$dir/typed"
	: >"$dir/notes"
	{
		printf 'raw\nexists %s\n' "$dir/ready"
		cat
		printf 'end\n'
	} | "$PYTHON" "$LIB/on_tty.py" 24 80 "$@" >"$dir/out" 2>&1 ||
		fail "$(cat "$dir/out")"
	equal "$(cat "$dir/out")" 0 "status"
	sed -n "/ > $keys\$/,\$p" "$dir/notes" >"$dir/wire"
}

# shell_types: by skypty shell.
shell_types() {
	# shellcheck disable=SC2086
	types $as "$bin/skypty" shell -i "$dir/client" --no-visor-key \
		-F "$dir/hosts" -c /bin/sh \
		-a "-c,echo >$dir/ready; exec cat >$dir/typed" there
}

# alike: one size, one cadence, an answer to each.
alike() {
	equal "$(sed -n 's/.* > //p' "$dir/wire" | sort -u)" $keys \
		"sizes of what was sent"
	"$PYTHON" - "$dir/wire" <<-'END' || fail "$(cat "$dir/wire")"
		import statistics, sys
		sent, heard = [], 0
		for line in open(sys.argv[1]):
		    at, way, size = line.split()
		    if way == ">":
		        sent.append(float(at))
		    else:
		        heard += 1
		gaps = [b - a for a, b in zip(sent, sent[1:])]
		print(len(sent), heard, statistics.median(gaps))
		# Twenty keys would be seen as such; a beat is 200 ms.
		assert 0.15 < statistics.median(gaps) < 0.25, gaps
		whole = (sent[-1] - sent[0]) / 0.2
		assert len(sent) <= whole * 1.2 + 2, (len(sent), whole)
		assert heard >= len(sent) * 0.8, (heard, len(sent))
	END
}

hides() {
	watch
	how interval:200
	shell_types <<-'END'
		send a
		sleep 1.5
		send \r
		sleep 1
		send \x04
	END
	printf 'a\n' | cmp - "$dir/typed" || fail "something else was typed"
	alike

	shell_types <<-'END'
		send b
		sleep 0.05
		send ut a whole line
		sleep 0.3
		send , bit by
		sleep 0.01
		send  bit
		sleep 1.1
		send \r
		sleep 1
		send \x04
	END
	printf 'but a whole line, bit by bit\n' | cmp - "$dir/typed" ||
		fail "something else was typed"
	alike

	# A paste goes as it is, between what was typed.
	shell_types <<-'END'
		send 0
		send 1234567890123456789012345678901234567890\r
		send 2\r
		send \x04
	END
	printf '01234567890123456789012345678901234567890\n2\n' |
		cmp - "$dir/typed" || fail "a paste was changed"

	# shellcheck disable=SC2046
	types $(as_ssh -tt -oObscureKeystrokeTiming=interval:200) \
		"$pk@127.0.0.1" "echo >$dir/ready; exec cat >$dir/typed" <<-'END'
			send xy
			sleep 1.2
			send \r
			sleep 0.5
			send \x04
		END
	printf 'xy\n' | cmp - "$dir/typed" || fail "something else was typed"
	alike

	how no
	shell_types <<-'END'
		send a\r
		send \x04
	END
	printf 'a\n' | cmp - "$dir/typed" || fail "something else was typed"
	equal "$(cat "$dir/wire")" "" "frames of keys that were not asked for"

	how sometimes
	status=0
	run skypty shell -i "$dir/client" -F "$dir/hosts" there \
		2>"$dir/err" || status=$?
	equal "$status" 64 "status of a mistake"
	has "$dir/err" "ObscureKeystrokeTiming"
	stop_host
}

either hides
