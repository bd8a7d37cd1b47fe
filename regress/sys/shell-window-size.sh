#!/bin/sh
# SPDX-License-Identifier: ISC
# The shell's window has the client's size from the start and follows it.
. regress/sys/lib.sh

size() {
	start_host
	# shellcheck disable=SC2086
	"$PYTHON" "$LIB/on_tty.py" 33 101 $as "$bin/skypty" shell -c /bin/sh \
		-i "$dir/client" --no-visor-key "$(dest)" >"$dir/out" <<-END ||
		raw
		send set +m; trap 'stty size >$dir/trap' WINCH; stty size >$dir/first\r
		exists $dir/first
		send until test -s $dir/trap; do sleep 0.02; done\r
		size 44 120
		exists $dir/trap
		send stty size >$dir/second; exit\r
		end
	END
		fail "$(cat "$dir/out")"
	equal "$(cat "$dir/first")" "33 101" "size at the start"
	equal "$(cat "$dir/second")" "44 120" "size after a change"
	equal "$(cat "$dir/trap")" "44 120" "size when SIGWINCH came"
	equal "$(cat "$dir/out")" 0 "status"
	stop_host
}

either size
