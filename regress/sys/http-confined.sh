#!/bin/sh
# SPDX-License-Identifier: ISC
# The process that meets browsers really is confined, with a terminal open;
# what it may not do is fatal to it; and neither it nor its monitor shows a
# secret.
. regress/sys/lib.sh
need_http
need_filter

confined() {
	need_root "look into processes of another user"
	start_host
	start_http
	child=$(children "$web")
	wait_for "its confinement" filtered "$child"
	harmless "$child" "skyptyd: http"
	if [ "$uid" -eq 0 ]; then
		id=$(id -u "$privsep")
		equal "$(value Uid "$child")" "$id $id $id $id" "Uid"
		equal "$(find "/proc/$child/root/" -mindepth 1)" "" "its root"
		[ "$(readlink "/proc/$child/root")" != / ] ||
			fail "its root is the system's"
	fi
	find "/proc/$child/fd" -type l -printf '%l\n' | sed 's/\[.*//' |
		sort -u >"$dir/fds"
	if grep -vE '^(/dev/null|/dev/urandom|socket:|anon_inode:)$' \
		"$dir/fds"; then
		fail "descriptors: $(cat "$dir/fds")"
	fi
	token=$(sed 's/.*token=//' "$dir/web.out")
	for p in $web $child; do
		tr '\0' '\n' <"/proc/$p/cmdline" >"$dir/shown"
		tr '\0' '\n' <"/proc/$p/environ" >>"$dir/shown"
		hasnt "$dir/shown" "$token"
	done
	hasnt "$web_log" "$token"
	stop_http
	stop_host
}

filtered() {
	[ "$(value Seccomp "$1")" -eq 2 ]
}

probes() {
	start_host
	cp "$HELPERS/probe_net" "$bin/skyptyd-http"
	# What it needs, and some of what seccomp-probes.sh tries as well.
	"$HELPERS/probe_net" list http | sed -n 's/^ok //p' >"$dir/acts"
	for act in openat socket accept4 connect execve kill mmap-exec fcntl-setown \
		fcntl-async shutdown-rdwr sendto-fastopen sockopt-ip; do
		echo "$act"
	done >>"$dir/acts"
	while read -r act <&8; do
		order "$act"
		start_http
		wait_for "the end of $act" over
		has "$web_log" "probe: attempting $act"
		if "$HELPERS/probe_net" list http | grep -qx "ok $act"; then
			has "$web_log" "http ended with status 0"
		else
			hasnt "$web_log" survived
			has "$web_log" "killed by signal 31 "
		fi
		stop_http
	done 8<"$dir/acts"
	stop_host
}

# What a browser has shown is forgotten when others have come since: by both
# processes, and in every spelling.
memory() {
	need_root "read the memory of others"
	start_host
	start_http
	child=$(children "$web")
	"$PYTHON" - "$web" "$child" "$(cat "$dir/web.out")" <<-'EOF' ||
		import http.client, re, sys, urllib.parse

		u = urllib.parse.urlsplit(sys.argv[3])
		token = u.query.removeprefix("token=")


		def ask(path, **header):
		    c = http.client.HTTPConnection(u.netloc, timeout=60)
		    c.request("GET", path, headers=header)
		    r = c.getresponse()
		    r.read()
		    c.close()
		    return r


		def holds(pid, secrets):
		    found = []
		    with open(f"/proc/{pid}/maps") as maps, \
		         open(f"/proc/{pid}/mem", "rb", 0) as mem:
		        for line in maps:
		            start, end, mode, name = re.match(
		                r"(\w+)-(\w+) (.)\S+ \S+ \S+ \S+ *(.*)", line).groups()
		            if mode != "r" or name.startswith("[v"):
		                continue
		            mem.seek(int(start, 16))
		            data = mem.read(int(end, 16) - int(start, 16))
		            for what, value in secrets.items():
		                if value in data:
		                    found.append(f"{what} in {name or 'memory'}")
		    return found


		cookie = ask(f"{u.path}?{u.query}").headers["set-cookie"].split(";")[0]
		value = cookie.partition("=")[2]
		for _ in range(3):
		    assert ask("/config.json", Cookie=cookie).status == 200
		assert ask(f"{u.path}?{u.query}", Cookie=cookie).status == 303
		secrets = {"token": token.encode(), "raw token": bytes.fromhex(token),
		           "cookie": value.encode(), "raw cookie": bytes.fromhex(value)}
		assert holds(sys.argv[2], secrets), "the search finds nothing at all"
		for _ in range(3):
		    ask("/", Accept="y" * 900)
		found = {pid: holds(pid, secrets) for pid in sys.argv[1:3]}
		print(found)
		sys.exit(any(found.values()))
	EOF
		fail "secrets are left in memory"
	stop_http
	stop_host
}

over() {
	grep -qE "http ended|killed" "$web_log"
}

both confined
either memory
both probes
