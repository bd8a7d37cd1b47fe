#!/bin/sh
# SPDX-License-Identifier: ISC
# What bash, fish and zsh offer behind commands and flags; the names of hosts
# come from the user's own file, and nobody else is asked.
. regress/sys/lib.sh

scene() {
	$as mkdir -p "$HOME/.config/skypty" "$dir/share"
	printf 'Host laboratory\n    Key %s\n    Address 127.0.0.1\n' "$pk" \
		>"$HOME/.config/skypty/config"
	chmod 600 "$HOME/.config/skypty/config"
	[ -z "$as" ] || chown -R "$uid:$gid" "$HOME"
	PATH=$bin:$PATH
	export PATH
}

# A line, and what completes its last word; as fish tells it, as bash does.
offers() {
	cat <<-'END'
		skypty exe|exec
		skypty shell --transport d|dmsg
		skypty shell --no-v|--no-visor-key
		skypty shell la|laboratory
		skypty exec -e A=B -t 5 la|laboratory
		skypty cp -p la|laboratory:
		skypty fs m|mount
		skypty fs mount --rem|--remote-root
		skypty dmsg s|status
		skypty dmsg status --j|--json
		skypty ssh -p 22 la|laboratory
		skypty-ssh la|laboratory
		skyptyd co|confgen
		skyptyd tcp --log-level d|debug
		skyptyd check --pe|--peer
		skyptyd http --tls-k|--tls-key
		skypty host --sftp|--sftp-readonly
	END
}

bash_offers() {
	need_command bash
	scene
	offers | while IFS='|' read -r line word; do
		bash --norc -c '. contrib/completion/skypty.bash
			COMP_LINE=$1 COMP_POINT=${#1}
			case $1 in
			skyptyd*) _skyptyd ;;
			skypty-ssh*) _skypty_ssh ;;
			*) _skypty ;;
			esac
			printf "%s\n" "${COMPREPLY[@]}"' bash "$line" \
			>"$dir/out" 2>"$dir/err.bash"
		grep -qx -e "$word" "$dir/out" || {
			echo "bash, '$line': $(cat "$dir/out")"
			exit 1
		}
	done || fail "see above"
}

# As installed: each program's name loads the file.
fish_offers() {
	need_command fish
	scene
	folder=$dir/share/fish/vendor_completions.d
	mkdir -p "$folder"
	cp contrib/completion/skypty.fish "$folder"
	ln -s skypty.fish "$folder/skypty-ssh.fish"
	ln -s skypty.fish "$folder/skyptyd.fish"
	offers | while IFS='|' read -r line word; do
		XDG_DATA_DIRS=$dir/share:/usr/local/share:/usr/share \
			fish -c "complete -C '$line'" >"$dir/out" 2>"$dir/err.fish"
		grep -qxE -e "$word([[:blank:]].*)?" "$dir/out" || {
			echo "fish, '$line': $(cat "$dir/out")"
			exit 1
		}
	done || fail "see above"
	[ ! -s "$dir/err.fish" ] || fail "$(cat "$dir/err.fish")"
}

# Typed, with the tabulator behind each line; ^X tells what has become of it.
zsh_offers() {
	need_command zsh
	scene
	cat >"$dir/zshrc" <<-END
		fpath=($PWD/contrib/completion \$fpath)
		autoload -U compinit
		compinit -u -D
		tell() { print -r -- "\$BUFFER" >$dir/typed.\$((++typed)); BUFFER= }
		zle -N tell
		bindkey '^I' complete-word '^X' tell
		unsetopt beep
		PS1='ready> '
	END
	{
		# The next prompt must be another one than what is typed.
		echo "expect start>"
		printf '%s\n' "send . $dir/zshrc\\r"
		echo "expect ready>"
		typed=0
		offers | while IFS='|' read -r line word; do
			typed=$((typed + 1))
			printf '%s\n' "send $line\\t\\x18"
			echo "exists $dir/typed.$typed"
		done
		printf '%s\n' 'send exit\r'
		echo end
	} >"$dir/script"
	TERM=dumb "$PYTHON" "$LIB/on_tty.py" 24 200 env "PS1=start>" zsh -f -i \
		<"$dir/script" >"$dir/out" 2>&1 || fail "$(cat "$dir/out")"
	# What a flag or a command is followed by is left open by a blank.
	offers | sed 's/[^ ]*|//; s/\(.*\)/\1 /; s/: $/:/' >"$dir/wanted"
	typed=1
	while [ -e "$dir/typed.$typed" ]; do
		cat "$dir/typed.$typed"
		typed=$((typed + 1))
	done >"$dir/typed"
	cmp -s "$dir/wanted" "$dir/typed" ||
		fail "$(diff "$dir/wanted" "$dir/typed")"
}

either bash_offers
either fish_offers
either zsh_offers
