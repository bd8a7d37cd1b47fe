#!/bin/sh
# SPDX-License-Identifier: ISC
# An include against the layout's direction is told with file, line and arrow,
# as is a file that no program is made of.
# once
. regress/sys/lib.sh

# told TEXT FILE LINE: the file has that line as well, and that is said of it.
told() {
	cp "$dir/tree/$2" "$dir/before"
	echo "$3" >>"$dir/tree/$2"
	if "$PYTHON" regress/arrows.py "$dir/tree" >"$dir/out" 2>&1; then
		fail "nothing is said of $2"
	fi
	has "$dir/out" "$1"
	equal "$(wc -l <"$dir/out")" 1 "lines about $2"
	cp "$dir/before" "$dir/tree/$2"
}

arrows() {
	mkdir "$dir/tree"
	find client common daemon monitor sources.mk -type f -name '*.[chm]*' \
		-exec cp --parents -t "$dir/tree" {} +
	"$PYTHON" regress/arrows.py "$dir/tree" >"$dir/out" 2>&1 ||
		fail "$(cat "$dir/out")"

	told "common/base -> common/pty (common/pty/keys.h)" \
		common/base/buf.c '#include "common/pty/keys.h"'
	told "common/dmsg -> common/privsep (" \
		common/dmsg/dmsg_seal.c '#include "common/privsep/privmsg.h"'
	told "daemon/net -> daemon (daemon/limits.h)" \
		daemon/net/net.h '#include "daemon/limits.h"'
	told "monitor/http -> monitor (monitor/monitor.h)" \
		monitor/http/http_gate.c '#include "monitor/monitor.h"'
	told "monitor/half -> monitor (monitor/monitor.h)" \
		monitor/half/half.c '#include "monitor/monitor.h"'
	told "monitor/dmsg -> monitor (monitor/job.h)" \
		monitor/dmsg/connect.c '#include "monitor/job.h"'
	told "monitor/http -> monitor/half (monitor/half/half.h)" \
		monitor/http/http_gate.c '#include "monitor/half/half.h"'
	told "common/pty/keys.c:" common/pty/keys.c '#include "keys.h"'
	told "daemon/net/lost.c: there is no such file" sources.mk \
		'# daemon/net/lost.c'
	: >"$dir/tree/monitor/found.c"
	told "monitor/found.c: not in sources.mk" monitor/found.c ''
	rm "$dir/tree/monitor/found.c"
	mkdir "$dir/tree/monitor/new"
	: >"$dir/tree/monitor/new/a.h"
	told "monitor/new/ is of no program" monitor/new/a.h ''
}

either arrows
