# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: ISC
# What the tests of fleet share.
. regress/sys/lib.sh

# fleet STATUS ARGUMENT...: by way of $within, if that is set; what it prints is
# in $dir/out and $dir/err.fleet.
fleet() {
	wanted=$1
	shift
	status=0
	# shellcheck disable=SC2086 # words
	$as ${within-} "$bin/skypty" fleet -i "$dir/client" --no-visor-key \
		"$@" >"$dir/out" 2>"$dir/err.fleet" </dev/null || status=$?
	[ $status -eq "$wanted" ] || {
		head -c 2000 "$dir/out"
		fail "status $status of fleet $*, expected $wanted"
	}
}

# scene N: one host, which has each address of 127.0.0.0/8, as N of them, in
# $dir/hosts.
scene() {
	at_addr=0.0.0.0
	start_host
	i=1
	while [ $i -le "$1" ]; do
		echo "$pk@127.0.0.$i:$port #odd$((i % 2)) all"
		i=$((i + 1))
	done >"$dir/hosts"
	chmod 644 "$dir/hosts"
}

# The one that the last fleet has told.
run_id() {
	sed -n 's/^run \([0-9a-z-]*\)$/\1/p' "$dir/err.fleet"
}
