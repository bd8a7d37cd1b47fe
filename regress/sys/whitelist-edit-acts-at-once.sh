#!/bin/sh
# SPDX-License-Identifier: ISC
# The file's whitelist is read for every authentication: what is written there
# is in force at once, and a file that cannot be read lets nobody in.
. regress/sys/lib.sh

edit() {
	new_key other
	start_host
	serves
	wl="\"$key\"" && conf
	refused
	has "$dir/err.refused" "not on the host's whitelist"
	wl="\"$key\", \"$client\"" && conf
	serves
	wl= && conf
	refused
	sed 's/"wl": \[\]/"wl": null/' "$dir/host.json" >"$dir/null"
	cat "$dir/null" >"$dir/host.json"
	refused
	has "$log" "not on the whitelist"

	# The host's own key needs no mention.
	mv "$dir/client" "$dir/listed"
	echo "$host_sk" >"$dir/client"
	chmod 600 "$dir/client"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/client"
	serves
	mv "$dir/listed" "$dir/client"

	# Mistakes: nobody gets in, whoever is listed.
	for list in "\"$client\", \"02abcd\"" "\"$client\", 7" "\"$client\"," \
		"\"$client\"]]"; do
		wl=$list && conf
		refused
	done
	has "$log" "the whitelist cannot be read"
	has "$log" "wl[1]"
	: >"$dir/host.json"
	refused
	rm "$dir/host.json"
	refused
	mkdir "$dir/host.json"
	refused
	rmdir "$dir/host.json"
	wl=\"$client\" && conf
	serves
	unset wl
	stop_host
}

# Keys of the command line do not depend on what stands in the file, but on
# its being readable.
flags() {
	new_key other
	wl= && conf
	start_host --allow "$client"
	serves
	echo broken >"$dir/host.json"
	refused
	unset wl
	stop_host
}

both edit
either flags
