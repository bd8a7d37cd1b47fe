#!/bin/sh
# SPDX-License-Identifier: ISC
# Ansible's hosts out of skypty's configuration and of fleet files: names,
# addresses, tags as groups, and that no text of such a file is run.
# once
. regress/sys/ansible_lib.sh
need_command jq

# told FILTER WANTED WHAT: of what the inventory holds.  Newer ones mark a text
# that is no template.
told() {
	equal "$(jq -r "$1 | if type == \"object\"
		then .__ansible_unsafe else . end" "$dir/list")" "$2" "$3"
}

list() {
	"$ansible/ansible-inventory" -i "$dir/skypty.yml" --list \
		>"$dir/list" 2>"$dir/err.list"
}

# refused TEXT: there is no such inventory, and that is why.
refused() {
	list
	tr -s '\n ' ' ' <"$dir/err.list" >"$dir/said"
	has "$dir/said" "$1"
	told '._meta.hostvars | length' 0 "hosts of a bad one"
}

inventories() {
	start_host
	new_key other
	other=$key
	long=$(printf '%066d' 2)
	mkdir -p "$HOME/.config/skypty"
	cat >"$HOME/.config/skypty/config" <<-END
		Host web-1 web-2 db
		    Key $pk
		    Address 127.0.0.1:$port
		Host db
		    Tags rack1 data
		Host of-ssh
		    Port 22
		Host *
		    Identity $dir/client
	END
	for ansible in $(ansibles); do
		collection
		cat >"$dir/fleet" <<-END
			# a comment

			$pk@127.0.0.1:$port #rack1 canary,old
			tcp://$other@host.example.org	# rack-2
			$pk@127.0.0.1:$port #late
			$other@2001:db8::7 #rack1
			$other@[2001:db8::8]:2023
			web-*	#{{lookup('pipe','touch $dir/run')}}
			$long:23 #far
		END
		cat >"$dir/skypty.yml" <<-END
			plugin: skypty.core.skypty
			fleets: [fleet]
			keyed_groups:
			  - key: skypty_tags | default([])
			    prefix: tag
		END
		list || fail "no list"
		told '._meta.hostvars | keys | join(" ")' "$long 127.0.0.1_$port \
2001:db8::7 2001:db8::8_2023 db host.example.org web-1 web-2" "hosts"
		told '.rack1.hosts | sort | join(" ")' \
			"127.0.0.1_$port 2001:db8::7 db" "a tag's hosts"
		told '.data.hosts | join(" ")' db "a tag of a name"
		told '.rack_2.hosts | join(" ")' host.example.org \
			"a tag that is no name of a group"
		told ".late.hosts | join(\" \")" "127.0.0.1_$port" \
			"tags of a host that is there twice"
		told ".tag_canary.hosts | join(\" \")" "127.0.0.1_$port" \
			"a constructed group"
		there="._meta.hostvars[\"127.0.0.1_$port\"]"
		told "$there.ansible_host" 127.0.0.1 address
		told "$there.ansible_port" "$port" port
		told "$there.ansible_skypty_pk" "$pk" key
		told "$there.ansible_connection" skypty.core.skypty connection
		told "._meta.hostvars[\"$long\"].ansible_skypty_destination" \
			"$long:23" "a key for dmsg"
		told '._meta.hostvars["web-1"].ansible_skypty_destination' \
			web-1 "a name"
		told '._meta.hostvars["host.example.org"].ansible_port' null \
			"a port that is not named"
		# It is used, and what a tag says is not evaluated.
		timeout 300 "$ansible/ansible" -i "$dir/skypty.yml" \
			"127.0.0.1_$port,web-1" -m debug -a "var=skypty_tags" \
			>"$dir/out" 2>"$dir/err.out" || fail "debug"
		has "$dir/out" "lookup"
		timeout 300 "$ansible/ansible" -i "$dir/skypty.yml" \
			"127.0.0.1_$port,web-1" -m raw -a "echo there" \
			>"$dir/out" 2>"$dir/err.out" || fail "$(cat "$dir/out")"
		equal "$(grep -cx there "$dir/out")" 2 "hosts that answered"
		[ ! -e "$dir/run" ] || fail "a tag was run"

		# By key, and some names alone.
		cat >"$dir/skypty.yml" <<-END
			plugin: skypty.core.skypty
			names: ['d*']
			hostname: key
			fleets: [fleet]
		END
		printf '%s\n' "$pk@127.0.0.1:$port #a" >"$dir/fleet"
		list || fail "no list"
		told '._meta.hostvars | keys | join(" ")' "$pk db" "hosts"

		# Mistakes, of which one's word is enough.
		[ -z "${mistaken-}" ] || continue
		mistaken=yes
		echo "$pk@127.0.0.1 not a tag" >"$dir/fleet"
		refused "fleet line 1: one destination a line"
		echo "@other" >"$dir/fleet"
		refused "a file of hosts names no other"
		echo "nothing-*" >"$dir/fleet"
		refused "no name in the configuration is like that"
		sed -i /hostname/d "$dir/skypty.yml"
		printf '%s\n' "$pk@127.0.0.1" "$other@127.0.0.1" >"$dir/fleet"
		refused "are both called 127.0.0.1"
		rm "$dir/fleet"
		refused "No such file"
		chmod 666 "$HOME/.config/skypty/config"
		refused "nobody else may write to"
		chmod 644 "$HOME/.config/skypty/config"
	done
	stop_host
}

as_root inventories
