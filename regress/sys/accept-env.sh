#!/bin/sh
# SPDX-License-Identifier: ISC
# Which variables of the client reach a session: all, where its key has every
# right; where it has not, those that "accept_env" lists, and never one that
# could change what runs.
. regress/sys/lib.sh

own_machine "$0"

sends() {
	on_host -e LANG=de_DE.UTF-8 -e GREETING=hello -e LD_PRELOAD=/none.so \
		-e PATH=/nowhere -e BASH_ENV=/none -e HOME=/nowhere \
		-e SHELL=/nowhere -e SKYPTY_PK=none -e SSH_CONNECTION=none \
		-e LC_TIME=../x -- "$@" >"$dir/env" 2>"$dir/err.env" ||
		fail "$(cat "$dir/err.env")"
}

hasnt_any() {
	for name; do
		! grep -q "^$name=" "$dir/env" || fail "$name has passed"
	done
}

passes() {
	account alice
	authorize "user=\"alice\",environment=\"FROM_LINE=yes\" $client"
	wl=
	conf
	start_host
	sends env
	has "$dir/env" "USER=alice"
	has "$dir/env" "LANG=de_DE.UTF-8"
	has "$dir/env" "FROM_LINE=yes"
	has "$dir/env" "SKYPTY_PK=$client"
	has "$dir/env" "HOME=$dir/home.alice"
	has "$dir/env" "SHELL=/bin/sh"
	hasnt "$dir/env" /nowhere
	hasnt "$dir/env" SSH_CONNECTION=none
	hasnt_any GREETING LD_PRELOAD BASH_ENV LC_TIME
	authorize "command=\"env\" $client"
	sends true
	has "$dir/env" "LANG=de_DE.UTF-8"
	has "$dir/env" "USER=root"
	hasnt_any GREETING LD_PRELOAD BASH_ENV
	hasnt "$dir/env" /nowhere
	authorize "restrict,exec $client"
	sends env
	hasnt_any GREETING LD_PRELOAD BASH_ENV
	stop_host

	# A list that is too wide, and what comes of it.
	conf accept_env '"GREET* LD_PRELOAD *_ENV PATH"'
	start_host
	has "$log" "accept_env: LD_PRELOAD never passes"
	sends env
	has "$dir/env" "GREETING=hello"
	hasnt "$dir/env" "LANG=de_DE.UTF-8"
	hasnt_any LD_PRELOAD BASH_ENV
	hasnt "$dir/env" /nowhere
	stop_host
	conf accept_env '"LANG,LC_*"'
	status=0
	run skyptyd check -c "$dir/host.json" >"$dir/out" 2>&1 || status=$?
	equal $status 78 "status for a list with commas"
	has "$dir/out" "accept_env: no list of names"

	# The original's way.
	authorize ""
	unset wl
	conf
	start_host
	sends /usr/bin/env
	has "$dir/env" "GREETING=hello"
	has "$dir/env" "LD_PRELOAD=/none.so"
	has "$dir/env" "PATH=/nowhere"
	stop_host
}

as_root passes
