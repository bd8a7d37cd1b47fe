#!/bin/sh
# SPDX-License-Identifier: ISC
# confgen prints a configuration that works as it is, or writes it for its
# owner alone and over nothing that is there.
. regress/sys/lib.sh

key_of() {
	sed -n 's/^ *"pk": "\([0-9a-f]*\)".*/\1/p' "$1"
}

generate() {
	run skyptyd confgen >"$dir/printed" 2>"$dir/err.confgen" ||
		fail "confgen failed"
	run skyptyd dmsg confgen >"$dir/other" || fail "dmsg confgen failed"
	[ ! -s "$dir/err.confgen" ] || fail "$(cat "$dir/err.confgen")"
	[ "$(key_of "$dir/printed")" != "$(key_of "$dir/other")" ] ||
		fail "two keys are the same"
	"$PYTHON" - "$dir/printed" <<-'END' || fail "not as the original's"
		import json, sys
		text = open(sys.argv[1]).read()
		conf = json.loads(text)
		original = ["dmsgdisc", "dmsgsessions", "dmsgport", "clinet",
		            "cliaddr", "sk", "pk", "wl"]
		assert [k for k in conf if k in original] == original
		assert conf["dmsgport"] == 22 and conf["clinet"] == "unix"
		assert conf["dmsg_servers"] and text.startswith('{\n    "')
		assert text.endswith("}\n")
	END

	file=$dir/fresh.json
	umask 0
	run skyptyd confgen "$file" || fail "confgen FILE failed"
	umask 022
	equal "$(stat -c '%a %u' "$file")" "600 $uid" "mode and owner"
	before=$(key_of "$file")
	status=0
	run skyptyd confgen "$file" 2>"$dir/err.confgen" || status=$?
	equal $status 78 "status where a file is"
	has "$dir/err.confgen" --unsafe
	equal "$(key_of "$file")" "$before" "key"
	run skyptyd confgen --unsafe "$file" || fail "confgen --unsafe failed"
	[ "$(key_of "$file")" != "$before" ] || fail "the key is the same"

	# Never through a link.
	$as ln -s fresh.json "$dir/link"
	before=$(key_of "$file")
	if run skyptyd confgen --unsafe "$dir/link" 2>"$dir/err.confgen"; then
		fail "a link was followed"
	fi
	equal "$(key_of "$file")" "$before" "key behind a link"
	if run skyptyd confgen /nonexistent/x 2>"$dir/err.confgen"; then
		fail "a folder that is not there was no error"
	fi
	has "$dir/err.confgen" "/nonexistent/x: No such file or directory"
	if run skyptyd confgen >/dev/full 2>"$dir/err.confgen"; then
		fail "a full disk was no error"
	fi

	# It serves.
	pk=$before
	[ "$privsep" = _skypty ] || [ "$uid" -ne 0 ] ||
		sed -i "1a\\    \"privsep_user\": \"$privsep\"," "$file"
	$as cp "$file" "$dir/host.json"
	start_host --allow "$client"
	serves
	stop_host
}

both generate
