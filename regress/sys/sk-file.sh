#!/bin/sh
# SPDX-License-Identifier: ISC
# The host's key in a file of its own or in a credential of systemd: the
# configuration is for all to read, and its whitelist can be edited.  A key file
# that others may read or write, with a passphrase, or beside an "sk" is
# refused.
. regress/sys/lib.sh

# with_file NAME: a configuration that names it, readable for all.
with_file() {
	grep -Ev '"sk(_file)?":' "$dir/host.json" >"$dir/new.json"
	sed "s|^{|{\n    \"sk_file\": \"$1\",|" "$dir/new.json" \
		>"$dir/host.json"
	chmod 644 "$dir/host.json"
}

# refused_with TEXT: at the check, with its status.
refused_with() {
	status=0
	run skyptyd check -c "$dir/host.json" >"$dir/out" 2>"$dir/err.check" ||
		status=$?
	equal $status 78 "status: $1"
	has "$dir/err.check" "$1"
}

put_key() {
	echo "$2" >"$1"
	chmod "${3-600}" "$1"
	[ -z "$as" ] || chown "$uid:$gid" "$1"
}

file() {
	put_key "$dir/host.key" "$host_sk"
	with_file host.key
	run skyptyd check -c "$dir/host.json" >"$dir/out" 2>"$dir/err.check" ||
		fail "check failed"
	has "$dir/out" "$pk"
	has "$dir/out" "secret key      host.key"
	equal "$(cat "$dir/err.check")" "" "what check says"
	start_host
	serves
	hasnt "$log" "others may read"

	# The whitelist is edited, and the file stays for all to read.
	new_key other
	run skypty whitelist-add -r "$sock" "$key" >"$dir/out" \
		2>"$dir/err.add" || fail "whitelist-add"
	has "$dir/host.json" "$key"
	equal "$(stat -c %a "$dir/host.json")" 644 "mode of the configuration"
	has "$dir/host.json" '"sk_file": "host.key"'
	hasnt "$dir/host.json" "$host_sk"
	equal "$(cat "$dir/host.key")" "$host_sk" "the key"
	serves
	stop_host
}

flaws() {
	for mode in 640 604 660; do
		chmod $mode "$dir/host.key"
		refused_with "$dir/host.key"
	done
	chmod 640 "$dir/host.key"
	refused_with "others may read the secret key (mode 0640)"
	chmod 600 "$dir/host.key"
	for text in "" 00 nonsense "$host_sk$host_sk" \
		0000000000000000000000000000000000000000000000000000000000000000; do
		put_key "$dir/host.key" "$text"
		refused_with "$dir/host.key: holds no secret key"
	done
	put_key "$dir/host.key" "$pk"
	refused_with "$dir/host.key: holds a public key"
	put_key "$dir/host.key" "$host_sk"
	echo secret >"$dir/pass"
	chmod 644 "$dir/pass"
	run skypty keygen -p --new-passphrase-file "$dir/pass" \
		"$dir/host.key" 2>"$dir/err.p" || fail "keygen -p"
	refused_with "has a passphrase, which a daemon cannot be asked for"
	head -c 40 "$dir/host.key" >"$dir/short"
	put_key "$dir/host.key" "$(cat "$dir/short")"
	refused_with "has a passphrase"
	rm "$dir/host.key"
	refused_with "No such file"
	$as mkdir "$dir/host.key"
	refused_with "not a regular file"
	rmdir "$dir/host.key"
	put_key "$dir/real.key" "$host_sk"
	$as mkdir "$dir/open"
	chmod 777 "$dir/open"
	$as ln -s "$dir/real.key" "$dir/open/link"
	with_file open/link
	refused_with "others may rename files in $dir/open"
	if [ "$uid" -eq 0 ]; then
		with_file real.key
		chown 65533 "$dir/real.key"
		refused_with "belongs to uid 65533"
	fi
	conf
	sed -i "s|^{|{\n    \"sk_file\": \"real.key\",|" "$dir/host.json"
	refused_with 'there are both "sk" and "sk_file"'
	conf
}

# As systemd makes it: root's folder 0500, its files 0400, of a service with
# User= readable by a list of access, which shows as 0440.
credential() {
	with_file credential:host
	unset CREDENTIALS_DIRECTORY
	refused_with "LoadCredential=host:FILE"
	$as mkdir "$dir/credentials"
	CREDENTIALS_DIRECTORY=$dir/credentials
	export CREDENTIALS_DIRECTORY
	refused_with "$dir/credentials/host: No such file"
	put_key "$CREDENTIALS_DIRECTORY/host" "$host_sk" 440
	chmod 500 "$CREDENTIALS_DIRECTORY"
	start_host
	serves
	equal "$(on_host -- sh -c 'echo "${CREDENTIALS_DIRECTORY-none}"')" none \
		"what a session knows of it"
	stop_host
	chmod 444 "$CREDENTIALS_DIRECTORY/host"
	refused_with "others may read the secret key (mode 0444)"
	for name in ../host . .. "" a/b; do
		with_file "credential:$name"
		refused_with "names no credential"
	done
	chmod 700 "$CREDENTIALS_DIRECTORY"
	unset CREDENTIALS_DIRECTORY
	conf
}

# confgen makes both files, or takes the key that is there.
generated() {
	run skyptyd confgen --sk-file "$dir/new/key" "$dir/new/conf.json" \
		2>"$dir/err.confgen" || fail "confgen"
	equal "$(stat -c '%a %u' "$dir/new/key")" "600 $uid" "the key"
	equal "$(stat -c '%a %u' "$dir/new/conf.json")" "644 $uid" \
		"the configuration"
	hasnt "$dir/new/conf.json" '"sk":'
	run skyptyd check -c "$dir/new/conf.json" >"$dir/out" \
		2>"$dir/err.check" || [ "$uid" -eq 0 ] || fail "check"
	before=$(cat "$dir/new/key")
	run skyptyd confgen --sk-file "$dir/new/key" --unsafe \
		"$dir/new/conf.json" 2>"$dir/err.confgen" || fail "confgen"
	has "$dir/err.confgen" "its key is used"
	equal "$(cat "$dir/new/key")" "$before" "the key"
	chmod 644 "$dir/new/key"
	status=0
	run skyptyd confgen --sk-file "$dir/new/key" "$dir/new/other.json" \
		2>"$dir/err.confgen" || status=$?
	equal $status 78 "status with a key that others read"
	[ ! -e "$dir/new/other.json" ] || fail "a configuration without a key"
	rm "$dir/out"
	status=0
	run skyptyd confgen --sk-file credential:host \
		>"$dir/out" 2>"$dir/err.confgen" || status=$?
	equal $status 64 "status with a credential"
	has "$dir/err.confgen" "LoadCredential="
}

all() {
	file
	flaws
	credential
	generated
}

both all
