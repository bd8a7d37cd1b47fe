#!/bin/sh
# SPDX-License-Identifier: ISC
# contrib/fleet/update-skypty brings another build whose listener answers, goes
# back from one that does not, also when it was killed, and leaves connections
# alone.
# waits
# once
. regress/sys/update_lib.sh
update_machine "$0"

# tree NAME: what is installed, a byte more in each file: $dir/NAME.tar.
tree() {
	tree=$dir/tree
	rm -rf "$tree"
	mkdir -p "$tree/usr/local/sbin" "$tree/usr/local/bin" \
		"$tree/usr/local/libexec/skypty"
	cp "$BIN/skyptyd" "$tree/usr/local/sbin"
	cp "$BIN/skypty" "$tree/usr/local/bin"
	cp "$BIN"/skyptyd-* "$tree/usr/local/libexec/skypty"
	for f in "$tree"/usr/local/*/skypty* "$tree"/usr/local/libexec/skypty/*; do
		[ ! -f "$f" ] || printf '\n%s\n' "$1" >>"$f"
	done
}

pack() {
	chmod -R go+rX "$tree"
	tar -C "$tree" -cf "$dir/$1.tar" .
}

update() {
	wanted=$1
	shift
	status=0
	PATH=$stubs:$PATH sh contrib/fleet/update-skypty --state "$dir/state" \
		--conf "$dir/host.json" --within "${within-60}" --probe \
		"/usr/local/bin/skypty exec --cliaddr $sock -- true" "$@" \
		>"$dir/out" 2>&1 </dev/null || status=$?
	[ $status -eq "$wanted" ] || {
		cat "$dir/out" "$dir/state/log"
		fail "status $status of update-skypty $*, expected $wanted"
	}
}

# stands NAME: that build, all of it, and nothing else.
stands() {
	for f in sbin/skyptyd bin/skypty libexec/skypty/skyptyd-monitor \
		libexec/skypty/skyptyd-net; do
		equal "$(tail -n 1 "/usr/local/$f")" "$1" "$f"
	done
	equal "$(find /usr/local -name '*.update')" "" "files left"
	equal "$(find /etc/systemd/system -name update-skypty.conf)" "" \
		"files left for a start"
	wait_for "an answer" on_control
	serves
}

on_control() {
	[ "$(run skypty exec --cliaddr "$sock" -- echo works)" = works ]
}

scene() {
	mount -t tmpfs -o mode=755 none /usr/local || fail "no mount"
	stand_ins
	tree old
	cp -a "$tree/usr/local/." /usr/local
	port=2022
	printf '[Service]\nExecStart=%s tcp -c %s --addr 127.0.0.1:%s --cliaddr %s\n' \
		/usr/local/sbin/skyptyd "$dir/host.json" $port "$sock" \
		>/lib/systemd/system/skyptyd.service
	systemctl start skyptyd.service
	stands old
	open_shell
}

updated() {
	scene
	update 64
	tree new
	echo more >"$tree/usr/local/bin/skypty-more"
	pack new
	update 0 "$dir/new.tar"
	stands new
	equal "$(cat /usr/local/bin/skypty-more)" more "a new file"
	type_in_shell "still here"

	# Its monitors have nothing to meet a peer with.
	tree broken
	cp /bin/false "$tree/usr/local/libexec/skypty/skyptyd-net"
	echo more >"$tree/usr/local/bin/skypty-other"
	pack broken
	within=10 # the old one has to answer by then
	update 1 "$dir/broken.tar"
	has "$dir/out" "does not answer: going back"
	has "$dir/out" "the old one is back"
	stands new
	[ ! -e /usr/local/bin/skypty-other ] || fail "a file of it is left"
	tree nonsense
	cp /bin/false "$tree/usr/local/sbin/skyptyd"
	pack nonsense
	update 1 "$dir/nonsense.tar"
	has "$dir/out" "nothing was changed"
	# A folder where a file is.
	tree folder
	rm "$tree/usr/local/bin/skypty"
	mkdir "$tree/usr/local/bin/skypty"
	echo more >"$tree/usr/local/bin/skypty/more"
	pack folder
	update 1 "$dir/folder.tar"
	has "$dir/out" "cannot write /usr/local/bin/skypty/more.update; nothing"
	chmod 666 "$dir/broken.tar"
	update 1 "$dir/broken.tar"
	has "$dir/out" "others may write to it"
	stands new
	type_in_shell "and still"
	ends
}

# Killed with nothing but half of the files in place, its guard goes back; and
# where that was killed, too, the next start does.
killed() {
	scene
	tree new
	pack new
	cat >"$stubs/mv" <<-END
		#!/bin/sh
		for to; do :; done
		case \$to in
		*/libexec/skypty/skyptyd-net)
			if [ -e $dir/kill ]; then
				rm $dir/kill
				[ ! -e $dir/guards ] || for p in \$(pgrep -f \
					'state/recover guard'); do kill -9 \$p; done
				kill -9 \$PPID
				exit
			fi
			;;
		esac
		exec /bin/mv "\$@"
	END
	chmod 755 "$stubs/mv"
	: >"$dir/kill"
	update 137 "$dir/new.tar"
	wait_for "the guard" grep -qx failed "$dir/state/phase"
	wait_for "the end of the guard" flock -n "$dir/state/lock" true
	stands old

	: >"$dir/kill"
	: >"$dir/guards"
	update 137 "$dir/new.tar"
	equal "$(cat "$dir/state/phase")" swapping "phase"
	has /etc/systemd/system/skyptyd.service.d/update-skypty.conf \
		"$dir/state/recover boot"
	sh "$dir/state/recover" boot || fail "no recovery"
	# One that was cut off itself is done again.
	echo swapping >"$dir/state/phase"
	sh "$dir/state/recover" boot || fail "no recovery"
	stands old

	: >"$dir/kill"
	update 137 "$dir/new.tar"
	update 0 "$dir/new.tar"
	has "$dir/out" "was cut off: going back"
	stands new
	type_in_shell "still here"
	ends
}

ends() {
	close_shell
	systemctl stop skyptyd.service
	umount -l /usr/local
}

as_root updated
as_root killed
