#!/bin/sh
# SPDX-License-Identifier: ISC
# A handshake with ML-KEM between our own ends, with who insists on it: by flag,
# name of a host, environment and ssh's way; and where nobody could tell.
. regress/sys/lib.sh

works() {
	equal "$("$@" 2>"$dir/err")" works "$* says"
}

# told STATUS TEXT COMMAND...
told() {
	wanted=$1
	text=$2
	shift 2
	status=0
	"$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
	equal $status "$wanted" "status of $*"
	has "$dir/err" "$text"
}

write() {
	$as mkdir -p "$HOME/.config/skypty"
	$as tee "$HOME/.config/skypty/config" >/dev/null
}

required() {
	conf require_pq true
	start_host
	$as mkdir -p "$HOME/.config/skypty"
	$as cp "$dir/client" "$HOME/.config/skypty/identity"
	to=$pk@127.0.0.1:$port
	works run skypty exec -v "$to" -- echo works
	has "$dir/err" "and ML-KEM-768: post-quantum"
	wait_for "a line" grep -q "Accepted key $client (wl), post-quantum" "$log"
	works run skypty exec --require-pq "$to" -- echo works
	works run skypty exec --require-pq --cliaddr "$sock" -- echo works
	works run skypty-ssh -o RequirePQ=yes "$to" echo works
	run skyptyd check -T -c "$dir/host.json" 2>/dev/null |
		grep -q '"require_pq": true' || fail "check -T"
	write <<-END
		Host lab
		    Via tcp://$to
		    RequirePQ yes
		Host typo
		    Via tcp://$to
		    RequirePQ maybe
	END
	works run skypty exec lab -- echo works
	works run skypty-ssh lab echo works
	told 64 "yes or no" run skypty exec typo -- true
	run skypty config lab | grep -q "^requirepq yes" || fail "skypty config"
	# Somebody else would dial.
	told 255 "RequirePQ: this machine's skyptyd or visor" \
		run skypty exec --require-pq "$client" -- true
	SKYWIRE_REQUIRE_PQ=1
	export SKYWIRE_REQUIRE_PQ
	works run skypty exec "$to" -- echo works
	told 255 "RequirePQ: this machine's skyptyd or visor" \
		run skypty exec "$client" -- true
	unset SKYWIRE_REQUIRE_PQ
	stop_host
}

either required
