#!/bin/sh
# SPDX-License-Identifier: ISC
# Each act that is forbidden to the confined child is fatal to it at once, by
# the kernel, whatever it does; skyptyd serves on.
. regress/sys/lib.sh
need_filter

probes() {
	stand_in probe_net
	start_host
	serves
	"$HELPERS/probe_net" list >"$dir/acts"
	[ "$(wc -l <"$dir/acts")" -gt 50 ] || fail "there are no acts to try"
	while read -r act; do
		order "$act"
		before=$(wc -l <"$log")
		raw hello drain >"$dir/out" </dev/null
		wait_for "the end of $act" over "$before"
		tail -n +$((before + 1)) "$log" >"$dir/said"
		has "$dir/said" "probe: attempting $act"
		if [ "$act" = none ]; then
			has "$dir/said" "probe: survived none: 0"
			hasnt "$dir/said" killed
			continue
		fi
		hasnt "$dir/said" survived
		case $act in
		# Without i386 in the kernel the instruction itself is a fault.
		int80) grep -qE 'killed by signal (31|11)' "$dir/said" ;;
		*) grep -q 'killed by signal 31 ' "$dir/said" ;;
		esac || fail "$act: $(cat "$dir/said")"
	done <"$dir/acts"
	order real
	serves
	stop_host
}

over() {
	has_no_child "$host" &&
		tail -n +$(($1 + 1)) "$log" | grep -qE "survived|killed"
}

both probes
