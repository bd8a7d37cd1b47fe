#!/bin/sh
# SPDX-License-Identifier: ISC
# Each act that is forbidden to a confined program is fatal to it at once, by
# the kernel: by the filter alone, with what Landlock Debian 12's kernel has,
# and with all of it.  skyptyd serves on after its child has died so.
. regress/sys/lib.sh
need_filter

alone() {
	for program in net dmsg http tls connect agent record; do
		"$probe" list "$program" >"$dir/acts"
		[ "$(grep -c ^fatal "$dir/acts")" -gt 100 ] ||
			fail "there are no acts to try"
		[ "$(grep -c ^ok "$dir/acts")" -gt 1 ] ||
			fail "$program may do nothing"
		# Who it is makes no difference to Landlock.
		abis="0 2 99"
		[ "$role" = root ] || [ "$(id -u)" -ne 0 ] || abis=0
		for abi in $abis; do
			while read -r what act; do
				try
			done <"$dir/acts"
		done
	done
}

# It says what it tries before it does; 159 is SIGSYS.
try() {
	status=0
	# By way of a pipe: it may not write to files.
	said=$($as "$probe" "$program" "$act" "$abi") || status=$?
	case $what.$status.$said in
	ok.0.*"attempting $act"*) return ;;
	*survived*) ;;
	fatal.159.*"attempting $act"*) return ;;
	# Without i386 in the kernel the instruction itself is a fault.
	fatal.139.*"attempting int80"*) return ;;
	esac
	fail "$program with ABI $abi: $act: $status, $said"
}

# The same by way of a monitor, which says what is to be confined.
monitored() {
	stand_in probe_net
	start_host
	serves
	for act in none openat socket connect execve clone kill ptrace \
		mmap-exec ioctl-tiocsti sendmsg-fastopen fcntl-setown \
		shutdown-rdwr; do
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
		has "$dir/said" 'killed by signal 31 '
	done
	order real
	serves
	stop_host
}

over() {
	has_no_child "$host" &&
		tail -n +$(($1 + 1)) "$log" | grep -qE "survived|killed"
}

probes() {
	cp "$HELPERS/probe_net" "$bin"
	probe=$bin/probe_net
	alone
	monitored
}

both probes
