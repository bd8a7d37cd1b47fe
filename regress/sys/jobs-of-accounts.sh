#!/bin/sh
# SPDX-License-Identifier: ISC
# A job of another account is that account's from its first file on, its PAM
# session lasts as long as it does, and a full disk costs output and no more.
. regress/sys/lib.sh

own_machine "$0"

job() {
	what=$1
	shift
	run skypty job "$what" -i "$dir/client" --no-visor-key -q "$@"
}

at_home() {
	account alice
	account bob
	authorize "user=\"alice,bob\" $client"
	wl=
	conf
	if nm -D "$BIN/skyptyd-monitor" | grep -q dlsym; then
		cat >"$dir/tell" <<-END
			#!/bin/sh
			echo "\$PAM_TYPE" >>$dir/told
		END
		chmod 755 "$dir/tell"
		printf '%s\n' "auth required pam_permit.so" \
			"account required pam_permit.so" \
			"session required pam_exec.so $dir/tell" \
			>/etc/pam.d/skypty
		pam=yes
	fi
	start_host
	id=$(job run "$(dest)" -- sh -c "id -un; id -G; pwd
		until [ -e $dir/go ]; do sleep 0.05; done" </dev/null) ||
		fail "not begun"
	kept=$dir/home.alice/.local/state/skypty/jobs
	equal "$(find "$kept" -not -user alice | wc -l)" 0 \
		"files of others"
	equal "$(stat -c %a "$kept")" 700 "mode of the folder"
	keeper=$(pgrep -f "^skypty-keeper: job $(echo "$id" | cut -c 1-8) ")
	equal "$(ps -o user= -p "$keeper")" alice "whose the keeper is"
	equal "$(value NoNewPrivs "$keeper")" 1 "NoNewPrivs of the keeper"
	equal "$(value NoNewPrivs "$(children "$keeper")")" 0 \
		"NoNewPrivs of the command"
	wait_for "the end of the connection" has_no_child "$host"
	if [ -n "${pam-}" ]; then
		equal "$(cat "$dir/told")" open_session "what PAM is told"
	fi
	: >"$dir/go"
	job wait "$(dest)" "$id" || fail "it failed"
	if [ -n "${pam-}" ]; then
		wait_for "the end of all sessions" all_closed
	fi
	job log "$(dest)" "$id" >"$dir/out"
	printf '%s\n' alice "$(id -u alice)" "$dir/home.alice" |
		cmp - "$dir/out" || fail "$(cat "$dir/out")"
	# The same key's jobs as somebody else are others.
	equal "$(job list -l bob "$(dest)")" "" "those of bob"
	if job log -l bob "$(dest)" "$id" 2>"$dir/err.bob"; then
		fail "alice's job is bob's"
	fi
	# A link in the folder's place leads nowhere.
	rm -rf "$kept"
	mkdir -m 700 "$dir/elsewhere"
	ln -s "$dir/elsewhere" "$kept"
	if job run "$(dest)" -- true </dev/null 2>"$dir/err.link"; then
		fail "a link is followed"
	fi
	equal "$(ls -A "$dir/elsewhere")" "" "files behind the link"
	rm "$kept"
	# No home to keep it in is told.
	rm -rf "$dir/home.bob"
	if job run -l bob "$(dest)" -- true </dev/null 2>"$dir/err.home"; then
		fail "kept nowhere"
	fi
	has "$dir/err.home" "$dir/home.bob/.local/state/skypty/jobs: "
}

all_closed() {
	[ "$(grep -c open_ "$dir/told")" = "$(grep -c close_ "$dir/told")" ]
}

full_disk() {
	rm -f /etc/pam.d/skypty
	account alice
	authorize "user=\"alice\" $client"
	wl=
	mkdir "$dir/small"
	conf job_dir "\"$dir/small\""
	mount -t tmpfs -o size=256k,mode=1777 none "$dir/small"
	start_host
	id=$(job run "$(dest)" -- sh -c "seq 1 100000; : >$dir/home.alice/all
		until [ -e $dir/go ]; do sleep 0.05; done; echo; echo last; exit 5" \
		</dev/null) || fail "not begun"
	wait_for "the command, whose output is lost" \
		test -e "$dir/home.alice/all"
	mount -o remount,size=4m "$dir/small"
	: >"$dir/go"
	status=0
	job wait "$(dest)" "$id" || status=$?
	equal $status 5 "status of the job"
	job log "$(dest)" "$id" >"$dir/out" 2>"$dir/err.log"
	equal "$(head -n 1 "$dir/out")" 1 "its first line"
	equal "$(tail -n 1 "$dir/out")" last "its last line"
	has "$dir/err.log" "bytes of its output are not kept"
	# Where nothing can be noted nothing is begun.
	mount -o remount,size=4k "$dir/small" 2>/dev/null ||
		dd if=/dev/zero of="$dir/small/fill" 2>/dev/null
	dd if=/dev/zero of="$dir/small/fill" 2>/dev/null
	if job run "$(dest)" -- touch "$dir/home.alice/ran" </dev/null \
		2>"$dir/err.full"; then
		fail "begun on a full disk"
	fi
	has "$dir/err.full" "No space left"
	[ ! -e "$dir/home.alice/ran" ] || fail "it has run"
	stop_host
	umount -l "$dir/small"
}

as_root at_home
as_root full_disk
