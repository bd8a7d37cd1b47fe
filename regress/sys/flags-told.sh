#!/bin/sh
# SPDX-License-Identifier: ISC
# A flag that help, a manual page or a completion lacks, or has and no program
# knows, is told by its name and place.
# once
. regress/sys/lib.sh
need_command bash

agree() {
	(cd "$dir/tree" && "$PYTHON" regress/flags.py "$bin") >"$dir/out" 2>&1
}

# told TEXT FILE PROGRAM-OF-SED: the file is changed so, and that is said of it.
told() {
	cp "$dir/tree/$2" "$dir/before"
	sed -i "$3" "$dir/tree/$2"
	! cmp -s "$dir/before" "$dir/tree/$2" || fail "$3 changes nothing"
	if agree; then
		fail "nothing is said of $2"
	fi
	has "$dir/out" "$2: $1"
	cp "$dir/before" "$dir/tree/$2"
}

differences() {
	mkdir "$dir/tree"
	cp --parents client/*.1 daemon/*.8 daemon/http/*.8 contrib/completion/* \
		regress/flags.py "$dir/tree"
	agree || fail "$(cat "$dir/out")"

	told "--resume of 'skypty cp' is missing" client/skypty.1 \
		'/^\.It Fl -resume$/d'
	told "--bogus is a flag of no command" client/skypty.1 \
		's/^\.It Fl -ro$/.It Fl -ro , -bogus/'
	told "--peer of 'skyptyd check' is missing" daemon/skyptyd.8 \
		's/Fl \(T | \)\?-peer/Ar peer/'
	told "--twice is a flag of no command" daemon/http/skyptyd-http.8 \
		's/^\.It Fl -once$/.It Fl -twice/'
	c=contrib/completion
	told "--json is missing for 'skypty dmsg status'" $c/skypty.bash \
		's/ --json / "" /'
	told "--daemon is no flag of 'skyptyd confgen'" $c/skypty.bash \
		's/--unsafe --seeds/--unsafe --seeds --daemon/'
	told "-G is missing for 'skypty ssh'" $c/skypty.bash 's/ -G / /'
	told "'skypty keygen' is missing" $c/skypty.bash 's/ keygen pk/ pk/'
	if command -v fish >/dev/null; then
		told "--ro is missing for 'skypty fs mount'" $c/skypty.fish \
			'/ -l ro /d'
		told "--all is no flag of 'skypty pk'" $c/skypty.fish \
			's/ -l via-visor / -l via-visor -l all /'
	fi
	if command -v zsh >/dev/null; then
		told "--syslog is missing for 'skypty host'" $c/_skypty \
			'/--syslog/d'
		told "--syslogs is no flag of 'skyptyd tcp'" $c/_skypty \
			's/--syslog\[/--syslogs[/'
	fi
}

either differences
