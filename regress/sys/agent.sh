#!/bin/sh
# SPDX-License-Identifier: ISC
# skypty agent: every command uses its keys; it forgets them in time, asks where
# it is told to, locks itself, ends with its command and with either of its
# processes; others and strange packets get nothing of it, and an agent that
# answers garbage or nothing keeps no command waiting.
. regress/sys/lib.sh

# skypty with the agent.
with_agent() {
	SKYPTY_AUTH_SOCK=$auth $as "$bin/skypty" "$@"
}

start_agent() {
	auth=$dir/auth.sock
	$as "$bin/skypty" agent -s -a "$auth" "$@" >"$dir/lines" \
		2>"$dir/err.agent" </dev/null || fail "the agent does not start"
	door=$(sed -n 's/^SKYPTY_AGENT_PID=\([0-9]*\);.*/\1/p' "$dir/lines")
	[ -n "$door" ] || fail "it does not say its pid: $(cat "$dir/lines")"
	pids="$pids $door"
	keeper=$(children "$door")
}

# A key with a passphrase; the public one is in $made.
make_key() {
	echo secret >"$dir/pass"
	chmod 644 "$dir/pass"
	made=$(run skypty keygen --passphrase-file "$dir/pass" "$1")
}

add() {
	with_agent add -q --passphrase-file "$dir/pass" "$@" \
		2>"$dir/err.add" || fail "add: $(cat "$dir/err.add")"
}

lines() {
	start_agent
	has "$dir/lines" "SKYPTY_AUTH_SOCK=$auth; export SKYPTY_AUTH_SOCK;"
	has "$dir/lines" "echo Agent pid $door;"
	equal "$(stat -c '%a %u' "$auth")" "600 $uid" "the socket"
	[ -n "$sanitized" ] || equal "$(value Seccomp "$keeper")" 2 "its filter"
	equal "$(value NoNewPrivs "$keeper")" 1 "no new privileges"
	if $as "$bin/skypty" agent -a "$auth" >"$dir/out" 2>"$dir/err.second"; then
		fail "two agents have one name"
	fi
	has "$dir/err.second" "another agent is there"
	status=0
	with_agent add -l >"$dir/out" 2>"$dir/err.list" || status=$?
	equal $status 1 "status of an empty list"
	has "$dir/err.list" "the agent has no keys"
	with_agent agent -k -c >"$dir/out" || fail "agent -k"
	has "$dir/out" "unsetenv SKYPTY_AUTH_SOCK;"
	wait_gone "the agent" "$door"
	wait_gone "its other half" "$keeper"
	[ ! -e "$auth" ] || fail "its socket is left"
	status=0
	with_agent add -l 2>"$dir/err.list" || status=$?
	equal $status 2 "status without an agent"

	# Its own place, and csh.
	unset XDG_RUNTIME_DIR
	$as env SHELL=/bin/tcsh "$bin/skypty" agent >"$dir/lines" </dev/null ||
		fail "agent without -a"
	auth=$(sed -n 's/^setenv SKYPTY_AUTH_SOCK \(.*\);/\1/p' "$dir/lines")
	equal "$(stat -c '%a %u' "$(dirname "$auth")")" "700 $uid" "its folder"
	with_agent agent -k >"$dir/out" || fail "agent -k"
	wait_for "its end" test ! -e "$auth"
	# A folder that was made for it alone goes with it.
	$as env -u HOME "$bin/skypty" agent -s >"$dir/lines" </dev/null ||
		fail "agent without a home"
	auth=$(sed -n 's/^SKYPTY_AUTH_SOCK=\(.*\); export.*/\1/p' "$dir/lines")
	with_agent agent -k >"$dir/out" || fail "agent -k"
	case $auth in
	/tmp/*) wait_for "its folder's end" test ! -e "$(dirname "$auth")" ;;
	esac

	# A folder where others may make names is no place.
	$as mkdir -p "$dir/open"
	chmod 777 "$dir/open"
	if $as "$bin/skypty" agent -a "$dir/open/s" >"$dir/out" \
		2>"$dir/err.open"; then
		fail "an open folder was taken"
	fi
	has "$dir/err.open" "others may change names in it"

	# With a command, and no longer than that.
	$as "$bin/skypty" agent sh -c 'echo "$SKYPTY_AUTH_SOCK" \
		"$SKYPTY_AGENT_PID"; exit 7' >"$dir/out" </dev/null
	equal $? 7 "status of its command"
	read -r auth door <"$dir/out"
	wait_gone "the agent" "$door"
	wait_for "its end" test ! -e "$auth"
}

# Either process takes the other one along.
ends() {
	for which in door keeper; do
		start_agent
		eval "kill -9 \$$which"
		wait_gone "the door" "$door"
		wait_gone "the other half" "$keeper"
		rm -f "$auth"
	done
	start_agent
	kill "$door"
	wait_gone "the other half" "$keeper"
	wait_for "its end" test ! -e "$auth"
	# A name that nobody listens at is taken over.
	start_agent
	kill -9 "$door"
	wait_gone "the door" "$door"
	wait_gone "the other half" "$keeper"
	[ -e "$auth" ] || fail "who was killed has tidied up"
	start_agent
	with_agent agent -k >"$dir/out" || fail "agent -k"
}

used() {
	start_agent
	make_key "$dir/agent.key"
	wl="\"$made\"" && conf
	start_host
	to="tcp://$pk@127.0.0.1:$port"
	add "$dir/agent.key"
	with_agent add -l >"$dir/out" || fail "add -l"
	has "$dir/out" "$made $dir/agent.key"
	with_agent add -L >"$dir/agent.pub" || fail "add -L"
	equal "$(with_agent pk 2>/dev/null)" "$made" "pk"
	equal "$(with_agent exec --no-visor-key "$to" -- echo in)" in "exec"
	echo data >"$dir/data"
	with_agent cp --no-visor-key "$dir/data" \
		"$pk@127.0.0.1:$port:$dir/copy" || fail "cp"
	equal "$(cat "$dir/copy")" data "cp"
	# shellcheck disable=SC2086 # words, or none
	equal "$(with_agent ssh $no_login -F none -o VisorKey=no -p "$port" \
		"$pk@127.0.0.1" echo in)" in "ssh"

	# shellcheck disable=SC2086 # words, or none
	if with_agent ssh $no_login -F none -o IdentityAgent=none -p "$port" \
		-i "$dir/agent.pub" "$pk@127.0.0.1" true 2>"$dir/err.none"; then
		fail "an agent that is not to be used was used"
	fi
	has "$dir/err.none" "no agent has its secret one"

	# By its file and by its public half nobody asks for a passphrase.
	equal "$(with_agent exec -i "$dir/agent.key" "$to" -- echo in)" in "-i"
	equal "$(with_agent exec -i "$dir/agent.pub" "$to" -- echo in)" in \
		"-i with a public key"

	# The one that is named, and no other.
	new_key other
	if with_agent exec -i "$dir/other" "$to" -- true 2>"$dir/err.other"; then
		fail "another key than the one that was named was used"
	fi
	has "$dir/err.other" "$key"
	# Several: each in its order, until the host takes one.
	make_key "$dir/second.key"
	with_agent add -q -D
	add "$dir/second.key" "$dir/agent.key"
	equal "$(with_agent exec --no-visor-key -v "$to" -- echo in \
		2>"$dir/err.several")" in "two keys"
	has "$dir/err.several" "the host refuses it"
	# None but those of files: here there is none, and no key that is let in.
	printf 'Host only\n Via %s\n IdentitiesOnly yes\n' "$to" |
		$as tee "$dir/names" >/dev/null
	$as mkdir -p "$HOME/.config/skypty"
	$as cp "$dir/names" "$HOME/.config/skypty/config"
	if with_agent exec --no-visor-key only -- true 2>"$dir/err.only"; then
		fail "IdentitiesOnly: a key that no file names was used"
	fi
	hasnt "$dir/err.only" "$made"
	for word in only "-o IdentitiesOnly=yes -p $port $pk@127.0.0.1"; do
		# shellcheck disable=SC2086 # words
		if with_agent ssh $no_login -o VisorKey=no $word true \
			2>"$dir/err.only"; then
			fail "ssh $word: a key that no file names was used"
		fi
		hasnt "$dir/err.only" "$made"
	done
	# The own file's key is one of a file, and the agent has it.
	$as cp -p "$dir/agent.key" "$HOME/.config/skypty/identity"
	equal "$(with_agent exec --no-visor-key -v only -- echo in \
		2>"$dir/err.only")" in "IdentitiesOnly with an own file"
	hasnt "$dir/err.only" "the host refuses it"
	# shellcheck disable=SC2086 # words, or none
	equal "$(with_agent ssh $no_login -o VisorKey=no only echo in)" in \
		"ssh, IdentitiesOnly with an own file"
	rm -rf "$HOME/.config"

	# The own file's is the first, whatever the agent's order is.
	$as mkdir -p "$HOME/.config/skypty"
	$as cp -p "$dir/agent.key" "$HOME/.config/skypty/identity"
	equal "$(with_agent exec --no-visor-key -v "$to" -- echo in \
		2>"$dir/err.several")" in "the own file's key"
	hasnt "$dir/err.several" "the host refuses it"
	rm -rf "$HOME/.config"

	with_agent add -q -d "$dir/second.key" || fail "add -d"
	if with_agent add -q -d "$dir/second.key" 2>"$dir/err.again"; then
		fail "a key was removed twice"
	fi
	has "$dir/err.again" "it has no such key"
}

# No longer than its time.
timed() {
	with_agent add -q -D
	add -t 2 "$dir/agent.key"
	with_agent add -l >"$dir/out" || fail "add -l"
	has "$dir/out" "seconds left"
	wait_for "its end" forgotten
	if with_agent exec -i "$dir/agent.pub" "$to" -- true 2>"$dir/err.late"
	then
		fail "a key was used behind its time"
	fi
}

forgotten() {
	! with_agent add -l
}

locked() {
	add "$dir/agent.key"
	echo lock >"$dir/lock"
	echo wrong >"$dir/wrong"
	chmod 644 "$dir/lock" "$dir/wrong"
	with_agent add -q -x --passphrase-file "$dir/lock" || fail "add -x"
	if with_agent add -l >"$dir/out" 2>"$dir/err.locked"; then
		fail "a locked agent lists keys"
	fi
	has "$dir/err.locked" "the agent is locked"
	if with_agent exec -i "$dir/agent.pub" "$to" -- true 2>"$dir/err.l"; then
		fail "a locked agent was used"
	fi
	if with_agent add -q -D 2>"$dir/err.locked"; then
		fail "a locked agent was emptied"
	fi
	has "$dir/err.locked" "it is locked"
	if with_agent add -q -X --passphrase-file "$dir/wrong" \
		2>"$dir/err.locked"; then
		fail "a wrong passphrase unlocked it"
	fi
	has "$dir/err.locked" "the passphrase is wrong"
	wait_for "the right one" with_agent add -q -X --passphrase-file \
		"$dir/lock"
	equal "$(with_agent exec -i "$dir/agent.pub" "$to" -- echo in)" in \
		"an agent that was unlocked"
	with_agent agent -k >"$dir/out" || fail "agent -k"
}

confirmed() {
	printf '#!/bin/sh\necho "$SSH_ASKPASS_PROMPT $1" >>"%s"\n. "%s"\n' \
		"$dir/asked" "$dir/say" >"$dir/askpass"
	chmod 755 "$dir/askpass"
	: >"$dir/asked"
	chmod 666 "$dir/asked"
	echo "exit 0" >"$dir/say"
	SKYPTY_ASKPASS=$dir/askpass
	export SKYPTY_ASKPASS
	start_agent
	unset SKYPTY_ASKPASS
	add -c "$dir/agent.key"
	with_agent add -l >"$dir/out" || fail "add -l"
	has "$dir/out" ", confirmed"
	equal "$(with_agent exec -i "$dir/agent.pub" "$to" -- echo in)" in \
		"a use that was confirmed"
	has "$dir/asked" "confirm Allow the use of the key $(echo "$made_one" |
		cut -c 1-16) ($dir/agent.key) for a connection to $pk?"
	equal "$(wc -l <"$dir/asked")" 1 "questions"
	echo "exit 1" >"$dir/say"
	if with_agent exec -i "$dir/agent.pub" "$to" -- true \
		2>"$dir/err.refused"; then
		fail "a use was not confirmed, and was let"
	fi
	has "$dir/err.refused" "was not confirmed"
	# A program that knows no such question: its user writes an answer.
	for said in no YES; do
		echo "echo $said; exit 0" >"$dir/say"
		status=0
		with_agent exec -i "$dir/agent.pub" "$to" -- true \
			2>"$dir/err.refused" || status=$?
		case $said in
		no) has "$dir/err.refused" "was not confirmed" ;;
		*) equal $status 0 "$said was written" ;;
		esac
	done
	# While one is asked others are served, and who leaves is forgotten.
	echo "touch '$dir/asking'; sleep 600" >"$dir/say"
	spawn "$dir/out.waits" env SKYPTY_AUTH_SOCK="$auth" "$bin/skypty" exec \
		-i "$dir/agent.pub" "$to" -- true
	wait_for "the question" test -e "$dir/asking"
	with_agent add -l >"$dir/out" || fail "others wait for a question"
	# Who leaves takes his question along, however it is shown.
	kill "$pid"
	wait_for "the question's end" has_no_asker
	for way in 'trap "" TERM' 'trap "exit 0" TERM'; do
		rm -f "$dir/asking"
		echo "$way; touch '$dir/asking'; while :; do sleep 1; done" \
			>"$dir/say"
		spawn "$dir/out.waits" env SKYPTY_AUTH_SOCK="$auth" \
			"$bin/skypty" exec -i "$dir/agent.pub" "$to" -- true
		wait_for "the question" test -e "$dir/asking"
		kill "$pid"
		wait_for "the end of: $way" has_no_asker
	done
	# And so does a key that is taken away.
	rm -f "$dir/asking"
	spawn "$dir/out.waits" env SKYPTY_AUTH_SOCK="$auth" \
		"$bin/skypty" exec -i "$dir/agent.pub" "$to" -- true
	wait_for "the question" test -e "$dir/asking"
	with_agent add -q -D
	wait_for "the question's end" has_no_asker
	wait_for "why" grep -q "it has no such key" "$dir/out.waits"
	add -c "$dir/agent.key"
	echo "touch '$dir/asking'; sleep 600" >"$dir/say"
	# One that nobody answers, and more than there is room for behind it.
	$as "$PYTHON" "$LIB/agent_peer.py" asks "$auth" "$made_one" "$pk" \
		>"$dir/asks" || fail "the questions"
	hasnt "$dir/asks" False
	with_agent add -l >"$dir/out" || fail "questions have ended the agent"
	with_agent agent -k >"$dir/out" || fail "agent -k"
	wait_gone "the agent" "$door"

	# Nobody there to ask: no.
	start_agent
	add -c "$dir/agent.key"
	if with_agent exec -i "$dir/agent.pub" "$to" -- true \
		2>"$dir/err.refused"; then
		fail "a use that nobody could confirm was let"
	fi
	has "$dir/err.refused" "was not confirmed"
}

# The door has but the other half.
has_no_asker() {
	[ "$(children "$door" | wc -w)" -eq 1 ] && ! pgrep -f "$dir/askpass"
}

strangers() {
	$as "$PYTHON" "$LIB/agent_peer.py" flood "$auth" >"$dir/flood" ||
		fail "the flood: $(cat "$dir/flood")"
	equal "$(cat "$dir/flood")" served "behind a flood"
	alive "$keeper" || fail "the agent is gone"
	with_agent add -l >"$dir/out" || fail "add -l behind a flood"
	[ "$(id -u)" -ne 0 ] && return
	# The mode of a name is not all that keeps others out.
	chmod 666 "$auth"
	equal "$(setpriv --reuid=65533 --regid=65533 --clear-groups \
		"$PYTHON" "$LIB/agent_peer.py" knock "$auth")" out \
		"another user"
	equal "$("$PYTHON" "$LIB/agent_peer.py" knock "$auth")" in "root"
}

# stand_agent WHAT [PREFIX...]: in place of one.
stand_agent() {
	what=$1
	shift
	auth=$dir/false/$what.sock
	spawn "$dir/out.$what" "$@" "$PYTHON" "$LIB/agent_peer.py" serve \
		"$auth" "$what"
	wait_for "the false agent" test -S "$auth"
}

false_agents() {
	with_agent agent -k >"$dir/out" || fail "agent -k"
	$as mkdir "$dir/false"
	for what in closes garbage empty long other keys cut asking silent; do
		stand_agent "$what"
		if with_agent add -l >"$dir/out" 2>"$dir/err.false"; then
			fail "$what: it was believed"
		fi
		has "$dir/err.false" "the agent (SKYPTY_AUTH_SOCK=$auth): "
		# Without it the file serves.
		equal "$(with_agent exec -i "$dir/client" "$to" -- echo in \
			2>"$dir/err.false")" in "beside an agent: $what"
		kill "$pid"
	done
}

# Another user's agent would be believed that the host has proven its key.
foreign_agent() {
	[ "$(id -u)" -eq 0 ] || return 0
	auth=$dir/false/foreign.sock
	chmod 777 "$dir/false"
	setpriv --reuid=65533 --regid=65533 --clear-groups -- "$PYTHON" \
		"$LIB/agent_peer.py" serve "$auth" silent >"$dir/out.foreign" \
		2>&1 &
	pids="$pids $!"
	wait_for "the false agent" test -S "$auth"
	chmod 666 "$auth"
	if with_agent add -l >"$dir/out" 2>"$dir/err.false"; then
		fail "another user's agent was asked"
	fi
	has "$dir/err.false" "it is another user's, and not asked"
}

all() {
	lines
	ends
	wl="\"$client\""
	used
	made_one=$(run skypty keygen -y "$dir/agent.key")
	timed
	locked
	confirmed
	strangers
	wl="\"$client\"" && conf
	false_agents
	foreign_agent
	stop_host
}

both all
