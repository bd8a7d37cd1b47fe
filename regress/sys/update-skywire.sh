#!/bin/sh
# SPDX-License-Identifier: ISC
# contrib/fleet/update-skywire brings a version that is well, and goes back from
# one that is not, wherever it was ended.
# waits
# once
. regress/sys/update_lib.sh
need_command dpkg-deb
update_machine "$0"

# package VERSION HOW [POSTINST]: $dir/skywire_VERSION.deb.
package() {
	tree=$dir/tree
	rm -rf "$tree"
	mkdir -p "$tree/DEBIAN" "$tree/opt/skywire/bin" \
		"$tree/lib/systemd/system" "$tree/etc/skywire"
	cat >"$tree/DEBIAN/control" <<-END
		Package: skywire-bin
		Version: $1
		Architecture: all
		Maintainer: nobody <nobody@example.org>
		Installed-Size: 100
		Description: stand-in
		 for the visor.
	END
	echo /etc/skywire/conf >"$tree/DEBIAN/conffiles"
	echo "of $1" >"$tree/etc/skywire/conf"
	visor "$1" "$2" >"$tree/opt/skywire/bin/skywire"
	chmod 755 "$tree/opt/skywire/bin/skywire"
	ln -s bin/skywire "$tree/opt/skywire/visor"
	echo "only in $1" >"$tree/opt/skywire/only-$1"
	printf '[Service]\nExecStart=/opt/skywire/bin/skywire\n' \
		>"$tree/lib/systemd/system/skywire.service"
	printf '#!/bin/sh\nset -e\n%s\n' "${3-}" >"$tree/DEBIAN/postinst"
	chmod 755 "$tree/DEBIAN/postinst"
	dpkg-deb -Zgzip -b "$tree" "$dir/skywire_$1.deb" >/dev/null ||
		fail "no package"
}

# update STATUS ARGUMENT...
update() {
	wanted=$1
	shift
	status=0
	sh contrib/fleet/update-skywire --state "$dir/state" --settle 0 \
		--within "${within-60}" "$@" >"$dir/out" 2>&1 </dev/null ||
		status=$?
	[ $status -eq "$wanted" ] || {
		cat "$dir/out" "$dir/state/log"
		fail "status $status of update-skywire $*, expected $wanted"
	}
}

# runs VERSION: it is what is installed, configured, and what answers.
runs() {
	wait_for "the visor" asked
	equal "$(asked)" "$1" "the visor that runs"
	equal "$(dpkg-query -W -f '${Status} ${Version}' skywire-bin)" \
		"install ok installed $1" "the package"
	equal "$(ls /opt/skywire)" "bin
only-$1
visor" "its files"
	equal "$(readlink /opt/skywire/visor)" bin/skywire "its link"
	equal "$(dpkg -V skywire-bin | grep -v ' c ')" "" "changed files"
	equal "$(ls "$dir/state")" "${2-$(printf '%s\n' lock log old.deb state)}" \
		"what is left"
}

# dpkg knows whose the configuration is: it would not overwrite it unasked.
has_changed_conf() {
	equal "$(dpkg -V skywire-bin)" "??5?????? c /etc/skywire/conf" \
		"what is not as in the package"
}

scene() {
	stand_ins
	package 1.0 good
	dpkg -i "$dir/skywire_1.0.deb" >/dev/null 2>&1 || fail "no dpkg -i"
	echo mine >/etc/skywire/conf
	systemctl start skywire.service
	wait_for "the visor" asked
}

leave() {
	systemctl stop skywire.service
	dpkg --purge skywire-bin >/dev/null 2>&1
	rm -rf /etc/skywire /opt/skywire
}

good() {
	scene
	update 64
	update 64 --service skyptyd.service x.deb
	package 1.1 good
	update 0 "$dir/skywire_1.1.deb"
	has "$dir/out" "skywire-bin 1.1 is there, and well"
	runs 1.1
	equal "$(cat /etc/skywire/conf)" mine "the admin's configuration"
	starts=$(wc -l <"$dir/units/skywire.service.starts")
	update 0 "$dir/skywire_1.1.deb"
	has "$dir/out" "is there already, and well"
	equal "$(wc -l <"$dir/units/skywire.service.starts")" "$starts" "starts"
	update 0 --status
	has "$dir/out" "skywire-bin 1.1 was installed"

	update 0 --rollback
	runs 1.0
	equal "$(cat /etc/skywire/conf)" mine "the admin's configuration"
	equal "$(ls /etc/skywire)" conf "what is in its folder"
	has_changed_conf
	update 1 --rollback
	has "$dir/out" "there is no update to go back from"

	# One that was stopped stays so.
	systemctl stop skywire.service
	update 0 "$dir/skywire_1.1.deb"
	has "$dir/out" "was not running, and stays so"
	[ ! -e "$dir/units/skywire.service.pid" ] || fail "it was started"
	leave
}

# Each of these says why, and the old one runs.
broken() {
	scene
	within=10 # the old one has to be well by then
	for how in dies deaf; do
		package "2.$how" $how
		update 1 "$dir/skywire_2.$how.deb"
		has "$dir/out" "skywire.service is not well with skywire-bin 2.$how"
		has "$dir/out" "skywire-bin 1.0 is back"
		runs 1.0
	done
	has "$dir/units/calls" reset-failed
	package 2.once once
	cat >"$dir/ask" <<-'END'
		import socket
		s = socket.create_connection(("127.0.0.1", 3435))
		raise SystemExit(not s.makefile().read())
	END
	update 1 --health "$PYTHON $dir/ask" "$dir/skywire_2.once.deb"
	runs 1.0
	package 2.postinst good "exit 3"
	update 1 "$dir/skywire_2.postinst.deb"
	has "$dir/out" "skywire-bin 2.postinst cannot be installed"
	runs 1.0
	head -c 700 "$dir/skywire_2.dies.deb" >"$dir/cut.deb"
	update 1 "$dir/cut.deb"
	has "$dir/out" "nothing was changed"
	runs 1.0

	# A health command that hangs, and one that nothing but SIGKILL ends.
	package 2.good good
	within=3
	update 3 --health-timeout 1 --health 'sleep 1; exec /bin/sleep 1000' \
		"$dir/skywire_2.good.deb"
	has "$dir/out" "skywire-bin 1.0 is back, and skywire.service is not well"
	update 3 --health-timeout 1 \
		--health 'trap "" TERM; while :; do sleep 1; done' \
		"$dir/skywire_2.good.deb"
	runs 1.0
	! pgrep -f 'sleep 1000' || fail "a health command is left"
	leave
}

refused() {
	scene
	package 1.1 good
	chmod 666 "$dir/skywire_1.1.deb"
	update 1 "$dir/skywire_1.1.deb"
	has "$dir/out" "others may write to it"
	sum=$(sha256sum "$dir/skywire_1.1.deb")
	update 1 --sha256 "$(echo "${sum%% *}" | tr 0-9 1-90)" \
		"$dir/skywire_1.1.deb"
	has "$dir/out" "has another sum"
	runs 1.0 "$(printf '%s\n' lock log)"
	update 0 --sha256 "${sum%% *}" "$dir/skywire_1.1.deb"
	runs 1.1

	package 1.2 good "systemctl restart skyptyd.service"
	update 1 "$dir/skywire_1.2.deb"
	has "$dir/out" "has to do with skypty"
	sed -i 's/^Package: .*/Package: other/' "$dir/tree/DEBIAN/control"
	dpkg-deb -Zgzip -b "$dir/tree" "$dir/other.deb" >/dev/null
	update 1 "$dir/other.deb"
	has "$dir/out" "other is not installed"
	sed -i 's/^Architecture: .*/Architecture: sparc64/' "$dir/tree/DEBIAN/control"
	sed -i 's/^Package: .*/Package: skywire-bin/' "$dir/tree/DEBIAN/control"
	dpkg-deb -Zgzip -b "$dir/tree" "$dir/other.deb" >/dev/null
	update 1 "$dir/other.deb"
	has "$dir/out" "is for sparc64"
	runs 1.1

	# Another run is at work.
	package 1.3 good
	mkfifo "$dir/fifo"
	exec 7<>"$dir/fifo"
	spawn "$dir/log.lock" flock "$dir/state/lock" sh -c \
		"echo >$dir/locked; read -r _ <$dir/fifo"
	wait_for "the lock" test -s "$dir/locked"
	update 75 "$dir/skywire_1.3.deb"
	has "$dir/out" "another one runs"
	echo >&7
	wait_gone "the other one" "$pid"
	update 0 "$dir/skywire_1.3.deb"
	runs 1.3
	leave
}

# The visor as a program: it is swapped by one rename.
program() {
	stand_ins
	mkdir -p /opt/skywire/bin
	printf '[Service]\nExecStart=/opt/skywire/bin/skywire\n' \
		>/lib/systemd/system/skywire.service
	for v in 1 2; do
		visor $v good >"$dir/v$v"
		chmod 755 "$dir/v$v"
	done
	visor 3 dies >"$dir/v3"
	cp -p "$dir/v1" /opt/skywire/bin/skywire
	systemctl start skywire.service
}

swapped() {
	program
	wait_for "the visor" asked
	update 0 --binary "$dir/v2"
	equal "$(asked)" 2 "the visor that runs"
	equal "$(stat -c %a /opt/skywire/bin/skywire)" 755 "its mode"
	within=10
	update 1 --binary "$dir/v3"
	wait_for "the visor" asked
	equal "$(asked)" 2 "the visor that runs"
	printf '\177ELF...................' >"$dir/elf"
	update 1 --binary "$dir/elf"
	has "$dir/out" "is not for this machine"
	cp -p "$dir/v1" /opt/skywire/bin/skypty-x
	update 1 --to /opt/skywire/bin/skypty-x --binary "$dir/v2"
	has "$dir/out" "is skypty's"
	leave
}

# Killed before each of its steps in turn, it leaves a whole program, and the
# next run brings the new one.
killed() {
	program
	mkdir "$dir/steps"
	cat >"$dir/steps/all" <<-END
		#!/bin/sh
		read -r left <$dir/left
		echo \$((left - 1)) >$dir/left
		[ \$left -ne 1 ] || {
			kill -9 \$PPID
			exit
		}
		exec /bin/\${0##*/} "\$@"
	END
	chmod 755 "$dir/steps/all"
	for step in sync mv ln cp chmod chown rm; do
		ln -s all "$dir/steps/$step"
	done
	step=1
	while :; do
		echo $step >"$dir/left"
		status=0
		PATH=$dir/steps:$PATH sh contrib/fleet/update-skywire \
			--state "$dir/state" --settle 0 --within 60 \
			--binary "$dir/v2" >"$dir/out" 2>&1 || status=$?
		cmp -s "$dir/v1" /opt/skywire/bin/skywire ||
			cmp -s "$dir/v2" /opt/skywire/bin/skywire ||
			fail "no whole program after step $step"
		[ $status -ne 0 ] || break
		# Where a part of it was killed it may have gone back itself.
		case $status in
		1 | 137) ;;
		*) fail "status $status of one killed at step $step" ;;
		esac
		update 0 --binary "$dir/v2"
		wait_for "the visor" asked
		equal "$(asked)" 2 "the visor after step $step"
		equal "$(ls /opt/skywire/bin)" "skywire
skywire.before" "what is left after step $step"
		systemctl stop skywire.service
		cp -p "$dir/v1" /opt/skywire/bin/new
		mv /opt/skywire/bin/new /opt/skywire/bin/skywire
		rm -rf "$dir/state"
		systemctl start skywire.service
		step=$((step + 1))
	done
	[ $step -gt 15 ] || fail "it was killed $step times only"
	leave
}

# By skypty fleet, as docs/fleet.md has it: a version that is well, one that is
# not, and a host that dies in the middle, on which a resumed run does the rest.
fleet() {
	wanted=$1
	shift
	status=0
	run skypty fleet -i "$dir/client" --no-visor-key -e "PATH=$PATH" \
		"$@" >"$dir/out" 2>"$dir/err.fleet" </dev/null || status=$?
	[ $status -eq "$wanted" ] || {
		cat "$dir/out" "$dir/err.fleet" "$dir/state/log"
		fail "status $status of fleet $*, expected $wanted"
	}
}

by_fleet() {
	scene
	start_host
	to=$pk@127.0.0.1:$port
	set -- --script contrib/fleet/update-skywire "$to" -- \
		--state "$dir/state" --settle 0 --within 60 "$dir/put.deb"
	package 1.1 good
	fleet 0 --put "$dir/skywire_1.1.deb" "$dir/put.deb" "$to"
	fleet 0 "$@"
	runs 1.1
	package 2.0 dies
	fleet 0 --put "$dir/skywire_2.0.deb" "$dir/put.deb" "$to"
	fleet 1 --script contrib/fleet/update-skywire "$to" -- \
		--state "$dir/state" --settle 0 --within 10 "$dir/put.deb"
	has "$dir/out" "skywire-bin 1.1 is back"
	runs 1.1

	# The machine goes while dpkg is at it.
	package 1.2 good "[ -e /opt/go ] || { echo >/opt/there; sleep 1000; }"
	sed -i 's,sleep 1000,exec /bin/sleep 1000,' "$tree/DEBIAN/postinst"
	dpkg-deb -Zgzip -b "$tree" "$dir/skywire_1.2.deb" >/dev/null
	fleet 0 --put "$dir/skywire_1.2.deb" "$dir/put.deb" "$to"
	spawn "$dir/log.fleet" "$bin/skypty" fleet -i "$dir/client" \
		--no-visor-key -e "PATH=$PATH" "$@"
	client_pid=$pid
	wait_for "the package's script" test -s /opt/there
	for m in $(children "$host"); do
		# shellcheck disable=SC2046 # words
		kill -9 $(children "$m") "$m" 2>/dev/null
	done
	pkill -9 -f 'dpkg|postinst|/bin/sleep 1000'
	wait_gone "fleet" "$client_pid"
	status=0
	wait "$client_pid" || status=$?
	equal $status 1 "status of fleet whose host has died"
	equal "$(dpkg-query -W -f '${Version}' skywire-bin)" 1.2 "what is begun"
	touch /opt/go
	fleet 0 --resume="$(sed -n 's/^run //p' "$dir/log.fleet")" --idempotent
	has "$dir/state/log" "an update to skywire-bin 1.2 was cut off"
	runs 1.2
	stop_host
	leave
}

as_root good
as_root by_fleet
as_root broken
as_root refused
as_root swapped
as_root killed
