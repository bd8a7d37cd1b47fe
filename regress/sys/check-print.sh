#!/bin/sh
# SPDX-License-Identifier: ISC
# check -T prints every key of the manual as it is in force, but for the secret
# one, and what it prints is a configuration that says the same.
. regress/sys/lib.sh

prints() {
	new_key other
	conf maxperkey 7 sftp_readonly true dmsgport 23 dmsgdisc \
		'"dmsg://'"$pk"':80"' dmsg_servers '[{"static": "'"$pk"'",
		"server": {"address": "192.0.2.1:80"}}]'
	run skyptyd check -T -c "$dir/host.json" --addr 127.0.0.1:2022 \
		--allow "$key" >"$dir/out" 2>"$dir/err" || fail "-T fails"
	hasnt "$dir/out" "$host_sk"
	for line in '"maxperkey": 7' '"sftp_readonly": true' '"dmsgport": 23' \
		'"ssh_listen": "127.0.0.1:2022"' "\"pk\": \"$pk\"" "$client" \
		"$key" '"maxstartups": "10:30:100"' '192.0.2.1:80'; do
		has "$dir/out" "$line"
	done
	"$PYTHON" - "$dir/out" "$manual" "$host_sk" >"$dir/full.json" <<-'END' ||
		import json, re, sys
		conf = json.load(open(sys.argv[1]))
		named = set(re.findall(r"^\.It Cm (\w+)$", open(sys.argv[2]).read(),
		                       re.M))
		missing = named - set(conf) - {"sk"}
		if missing or set(conf) - named:
		    sys.exit("not the manual's keys: %s" %
		             sorted(missing | (set(conf) - named)))
		json.dump(dict(conf, sk=sys.argv[3]), sys.stdout)
	END
		fail "what -T prints is not what the manual has"
	for file in authorized_pks revoked_pks; do
		sed -i "s|\"/[^\"]*/$file\"|\"none\"|" "$dir/full.json" "$dir/out"
	done
	chmod 600 "$dir/full.json"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/full.json"
	run skyptyd check -T -c "$dir/full.json" >"$dir/again" 2>"$dir/err" ||
		fail "-T of what it printed fails"
	diff "$dir/out" "$dir/again" ||
		fail "-T prints something else of what it printed"
}

# It is for check alone.
alone() {
	! run skyptyd tcp -T 2>"$dir/err" || fail "tcp takes -T"
	has "$dir/err" "is for 'skyptyd check'"
	! run skyptyd -T 2>"$dir/err" || fail "-T is a mode"
	has "$dir/err" "'skyptyd check -T'"
}

manual=$PWD/daemon/skypty.json.5
both prints
either alone
