#!/bin/sh
# SPDX-License-Identifier: ISC
# The examples of docs/fleet.md and skypty-fleet(1) do what is said of them.
. regress/sys/lib.sh

# Lines of a document that begin with "skypty fleet", each with those that it
# goes on in, without its prompt.
examples() {
	sed -n -e :join -e '/\\$/{N;s/\\\n *//;b join' -e '}' \
		-e 's/^ *skypty fleet/skypty fleet/p' docs/fleet.md
	sed -e 's/^\.Dl //' -e 's/\\-/-/g' client/skypty-fleet.1 |
		sed -n -e :join -e '/\\e$/{N;s/\\e\n *//;b join' -e '}' \
			-e 's/^\$ //p'
}

docs() {
	command -v jq >/dev/null || skip "jq is not installed"
	at_addr=0.0.0.0
	mkdir "$dir/jobs"
	conf job_dir "\"$dir/jobs\""
	start_host
	examples >"$dir/examples"
	equal "$(wc -l <"$dir/examples")" 19 "examples"

	mkdir -p "$HOME/.config/skypty" "$dir/here"
	cp "$dir/client" "$HOME/.config/skypty/identity"
	for i in 1 2 3; do
		printf 'Host web-%s\n Key %s\n Address 127.0.0.%s:%s\n' $i \
			"$pk" $i "$port"
	done >"$HOME/.config/skypty/config"
	cd "$dir/here" || fail "no folder"
	for i in 1 2 3 4; do
		echo "$pk@127.0.0.$i:$port #rack$((i / 4 + 1)) canary"
	done >fleet
	printf '#!/bin/sh\necho updated >>app.log\n>app.up\n>/tmp/app.up\n' |
		sed "s#/tmp/app.up#$dir/app.up#" >update.sh
	# The real ones are run by update-skywire.sh and update-skypty.sh.
	cp update.sh update-skywire
	cp update.sh update-skypty
	echo package >skywire.deb
	echo tree >skypty.tar.gz
	echo conf >app.conf
	# Where an example names a place of the system, it is one of the test.
	sed -i "s#/run/app.up#$dir/app.up#; s#/etc/app.conf#$dir/app.conf#
		s#/var/log/app.log#app.log#" "$dir/examples"
	PATH=$bin:$PATH
	while read -r line; do
		echo "$line" >"$dir/err.line"
		case $line in
		*--resume*)
			# All are done: there is nothing to go on with.
			eval "$line" >"$dir/out" 2>"$dir/err.fleet" && \
				fail "$line found something"
			has "$dir/err.fleet" "no run to go on with"
			continue
			;;
		esac
		eval "$line" >"$dir/out" 2>"$dir/err.fleet" </dev/null ||
			fail "$line: $?"
		case $line in
		*json*uname*) equal "$(grep -cxF "$(uname -r)" "$dir/out")" 4 \
			"kernels" ;;
		*rack1*uname*) has "$dir/out" "3 hosts: " ;;
		*web-*uname*) has "$dir/out" "3 hosts: web-1, web-2, web-3" ;;
		*--script*) has "$dir/err.fleet" "4 hosts: 4 ok" ;;
		*--get*) equal "$(find logs -name app.log | wc -l)" 4 "logs" ;;
		*list*) has "$dir/out" "done" ;;
		esac
	done <"$dir/examples"
	has "$dir/app.conf" conf
	cd "$OLDPWD" || exit 1
	stop_host
}

as_root docs
