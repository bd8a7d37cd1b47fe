# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: ISC
# What the tests of contrib/fleet/update-* share: a machine of their own, with
# accounts, packages, network and processes that are nobody else's, on which a
# stand-in for systemctl starts and ends what unit files say.
. regress/sys/lib.sh

# update_machine TEST: begins anew on it.
update_machine() {
	if [ -z "${OWN_MACHINE-}" ]; then
		need_root "update anything"
		set -- "$1" unshare -m -n -p --fork --kill-child --mount-proc \
			--propagation slave
		test=$1
		shift
		"$@" true 2>/dev/null || skip "root may not unshare here"
		trap - EXIT
		OWN_MACHINE=yes exec "$@" sh "$test"
	fi
	own_machine "$1"
	mkdir -p /run/systemd/system
	for f in /opt /var/lib /lib/systemd/system; do
		mount -t tmpfs -o mode=755 none "$f" || exit 1
	done
	mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates \
		/var/lib/dpkg/triggers
	touch /var/lib/dpkg/status
	ip link set lo up || exit 1
}

# stand_ins: in front of PATH, in $dir/stubs: systemctl, and a sleep that is
# short.  Units are those of /lib/systemd/system; what has become of them is in
# $dir/units.
stand_ins() {
	stubs=$dir/stubs
	mkdir -p "$stubs" "$dir/units"
	cat >"$stubs/systemctl" <<-END
		#!/bin/sh
		# Services alone, of one process.
		units=$dir/units
		END
	cat >>"$stubs/systemctl" <<-'END'
		quiet=
		what=$1
		shift
		names=
		values=
		for word; do
			case $word in
			--quiet | -q) ;;
			--value) quiet=yes ;;
			-p) ;;
			-*) exit 1 ;;
			MainPID | NRestarts | ActiveState) values="$values $word" ;;
			*) names=$word ;;
			esac
		done
		unit=/lib/systemd/system/$names
		own=$units/$names
		pid=$(cat "$own.pid" 2>/dev/null)
		runs() {
			[ -n "$pid" ] && read -r stat <"/proc/$pid/stat" || return
			case ${stat##*) } in [ZX]*) return 1 ;; esac
		} 2>/dev/null
		stop() {
			# As KillMode=process does.
			! runs || kill "$pid"
			while runs; do sleep 0; done
			rm -f "$own.pid"
		}
		start() {
			[ ! -e "$units/broken" ] || exit 1
			runs && return
			line=$(sed -n 's/^ExecStart=//p' "$unit") || exit 5
			NOTIFY_SOCKET=$units/notify setsid sh -c "exec $line" \
				</dev/null >>"$own.log" 2>&1 9>&- &
			echo $! >"$own.pid"
			echo started >>"$own.starts"
		}
		case $what in
		start | stop) $what ;;
		restart) stop; start ;;
		daemon-reload | reset-failed) echo "$what" >>"$units/calls" ;;
		is-active)
			if runs; then
				echo active
			elif [ -n "$pid" ]; then
				echo failed
				exit 3
			else
				echo inactive
				exit 3
			fi
			;;
		show)
			for value in $values; do
				[ -n "$quiet" ] || printf '%s=' "$value"
				case $value in
				MainPID) runs && echo "$pid" || echo 0 ;;
				NRestarts) echo 0 ;;
				ActiveState) runs && echo active || echo inactive ;;
				esac
			done
			;;
		*) exit 1 ;;
		esac
	END
	printf '#!/bin/sh\nexec /bin/sleep 0.05\n' >"$stubs/sleep"
	chmod 755 "$stubs/systemctl" "$stubs/sleep"
	PATH=$stubs:$PATH
}

# visor VERSION HOW: its program, on standard output.  It listens on 3435 and
# tells its version there; HOW is good, dies, deaf, or once, for one that ends
# when it has been asked once.
visor() {
	sed "s/@VERSION@/$1/; s/@HOW@/$2/" <<-'END'
		#!/usr/bin/python3
		import socket, sys, time
		if "@HOW@" == "dies":
		    sys.exit(1)
		if "@HOW@" == "deaf":
		    time.sleep(10000)
		s = socket.socket()
		s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		s.bind(("127.0.0.1", 3435))
		s.listen()
		while True:
		    c = s.accept()[0]
		    c.sendall(b"@VERSION@\n")
		    c.close()
		    if "@HOW@" == "once":
		        sys.exit(1)
	END
}

# What the visor that runs says.
asked() {
	"$PYTHON" -c 'import socket
print(socket.create_connection(("127.0.0.1", 3435)).makefile().read(), end="")'
}
