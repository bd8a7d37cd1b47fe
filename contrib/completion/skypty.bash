# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# Completion for bash: commands, flags, the names in ~/.config/skypty/config,
# and what is on this machine.  Nothing is asked of a host.

_skypty_commands="shell start exec cp fleet job control sessions attach ssh sftp
fs config dmsg whitelist
whitelist-add whitelist-remove host agent add keygen pk version help"

# Flags that take a value, and those that do not: who we are, which way the host
# is reached, and what a command has of its own.
_skypty_who_valued="-s --sk -i --identity"
_skypty_who_plain="--visor-key --via-visor --no-visor-key -q --quiet -v
--verbose"
_skypty_way_valued="-l --user -F --config --rpc --dmsgdisc --dmsg-servers -J
--jump"
_skypty_way_plain="--standalone --require-pq"
_skypty_ways_valued="-p --port --via --addr --transport --scheme -r --cliaddr"
_skypty_here_valued="-r --cliaddr -n --clinet --confpath"
_skypty_files_valued="$_skypty_who_valued $_skypty_way_valued
$_skypty_ways_valued"
_skypty_plain="$_skypty_who_plain $_skypty_way_plain"
_skypty_shared_valued="--control-persist -S --control-path"
_skypty_shared_plain="-M --control-master"
_skypty_forward_valued="-L --local-forward -R --remote-forward -D
--dynamic-forward"
_skypty_forward_plain="-g --gateway-ports --unlink-sockets"
_skypty_run_valued="$_skypty_files_valued $_skypty_shared_valued
$_skypty_forward_valued -W --stdio-forward -O --control -n --clinet --confpath -e --env -t
--timeout --connect-timeout --status-fd --escape --obscure -c --cmd -a --args"
_skypty_run_plain="$_skypty_plain $_skypty_shared_plain $_skypty_forward_plain
-N --no-command -f --background --exit-on-forward-failure --clear-forwards --pty --no-pty --no-stdin"
_skypty_shell_valued="$_skypty_run_valued --name"
_skypty_shell_plain="$_skypty_run_plain --detach-ok"
_skypty_sessions_valued="$_skypty_files_valued $_skypty_shared_valued
--connect-timeout --kill"
_skypty_sessions_plain="$_skypty_plain $_skypty_shared_plain --json"
_skypty_attach_valued="$_skypty_files_valued $_skypty_shared_valued
--connect-timeout --escape"
_skypty_attach_plain="$_skypty_plain $_skypty_shared_plain --share --view"
_skypty_cp_valued="$_skypty_who_valued $_skypty_way_valued
$_skypty_shared_valued --port --cliaddr
--connect-timeout"
_skypty_cp_plain="$_skypty_plain $_skypty_shared_plain -r --recursive -p --preserve --resume"
_skypty_fleet_valued="-i --identity $_skypty_way_valued -p --port --transport
--scheme --cliaddr -j --jobs --tag --exclude --order --seed --batch --canary
--pause --max-fail -t --timeout --connect-timeout --retry --check --check-within
--script --put --get -e --env -o --output --junit"
_skypty_fleet_plain="$_skypty_plain --idempotent --detach --recursive --preserve --live
--json --dry-run --resume"
_skypty_job_valued="$_skypty_files_valued $_skypty_shared_valued -e --env -t --timeout --connect-timeout --signal"
_skypty_job_plain="$_skypty_plain $_skypty_shared_plain -f --follow --json --no-stdin"
_skypty_fs_valued="$_skypty_shared_valued --remote-root --attr-ttl --entry-ttl"
_skypty_fs_plain="$_skypty_shared_plain --background --ro --debug"
_skyptyd_valued="-c --conf --confpath -l --listen --addr --tcplisten
--tcp-listen --allow --wl --sk-from-visor --listen-fd --cliaddr --clinet
--dmsgdisc --dmsgsessions --dmsgport --envprefix --log-level"
_skyptyd_plain="--confstdin --no-dmsg --sftp-readonly --daemon --syslog"
_skyptyd_http_valued="--addr --unix --unix-group --hnet --haddr --cmd --arg
--commands --tls-cert --tls-key --origin --auth-header --max-clients
--idle-timeout --session-ttl --base-path --title --token-file --user"
_skyptyd_http_plain="--no-auth --i-know --readonly --once
--sandbox-best-effort -v --verbose -q --quiet"
_skypty_ssh_valued="-b -c -e -i -l -m -o -p -B -D -E -F -I -J -L -O -P -Q -R -S
-W -w"
_skypty_ssh_offered="-4 -6 -B -E -F -G -J -L -M -N -O -P -R -S
-T -V -W -b -e -f -g -i -l -n -o -p -q -s -t -tt -v -y -D"

_skypty_has()
{
	local word

	for word in $2; do
		[[ $word == "$1" ]] && return 0
	done
	return 1
}

# Words into COMPREPLY, without what readline has set apart already: it
# breaks words at characters that stand in destinations.
_skypty_offer()
{
	local broken=${cur%"${cur##*[:=@]}"} i

	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=${COMPREPLY[i]#"$broken"}
	done
}

# Nothing offered: readline completes names of files, or of folders.
_skypty_files()
{
	COMPREPLY=()
	compopt -o default
}

_skypty_folders()
{
	COMPREPLY=()
	compopt -o dirnames
}

_skypty_names()
{
	local file="" i

	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		if [[ ${words[i]} == -F || ${words[i]} == --config ]]; then
			file=${words[i + 1]/#\~/$HOME}
		fi
	done
	"${words[0]/#\~/$HOME}" config ${file:+-F "$file"} 2>/dev/null
}

# The same under the name of skypty-ssh, which has no such command.
_skypty_ssh_names()
{
	local words=("${words[@]}")

	words[0]=${words[0]%-ssh}
	_skypty_names
}

# The value of a flag.
_skypty_value()
{
	case $1 in
	--script | --put | --junit | -S | --control-path | -i | --identity | -F | --config | --confpath | -r | --cliaddr | -c | \
		--conf | --cmd | --sk-from-visor | --unix | --haddr | \
		--tls-cert | --tls-key | --token-file)
		_skypty_files
		;;
	--output)
		_skypty_folders
		;;
	-O | --control)
		_skypty_offer "check stop exit forward cancel forwards"
		;;
	--signal)
		_skypty_offer "TERM HUP INT QUIT KILL USR1 USR2 CONT"
		;;
	--order)
		_skypty_offer "listed sorted reverse random"
		;;
	--transport | --scheme)
		# skynet is known, and refused
		_skypty_offer "auto tcp dmsg"
		;;
	-n | --clinet)
		_skypty_offer unix
		;;
	--hnet)
		_skypty_offer "unix tcp"
		;;
	--log-level)
		_skypty_offer "error warn info debug"
		;;
	--user)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		;;
	--unix-group)
		mapfile -t COMPREPLY < <(compgen -g -- "$cur")
		;;
	--escape)
		_skypty_offer none
		;;
	--obscure)
		_skypty_offer "yes no interval:20"
		;;
	-o)
		_skypty_offer "IdentityFile= Port= RequestTTY= SendEnv= SetEnv= User="
		compopt -o nospace
		;;
	esac
}

# Sets count, the words from the given one on that are no flags, and dashes.
# A second argument names the flags with values.
_skypty_count()
{
	local i

	count=0 dashes=
	for ((i = $1; i < ${#words[@]} - 1; i++)); do
		if [[ ${words[i]} == -- ]]; then
			dashes=1
			return
		elif _skypty_has "${words[i]}" "$2"; then
			((i++))
		elif [[ ${words[i]} != -* ]]; then
			((count++))
		fi
	done
}

# A destination, then what the command is: "command", "folder" or "none".
_skypty_dest()
{
	local from=$1 valued=$2 plain=$3 follows=$4 prev=${words[-2]}
	local count dashes

	_skypty_count "$from" "$valued"
	if [[ $prev == -- && $follows == command ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	elif [[ -n $dashes || $count -gt 1 ]]; then
		_skypty_files
	elif ((${#words[@]} - 1 > from)) && _skypty_has "$prev" "$valued"; then
		_skypty_value "$prev"
	elif [[ $cur == -* ]]; then
		_skypty_offer "$valued $plain --"
	elif ((count == 0)); then
		_skypty_offer "$(_skypty_names)"
	elif [[ $follows == folder ]]; then
		_skypty_folders
	elif [[ $follows == command ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	elif [[ $follows == order ]]; then
		_skypty_offer "check stop exit forward cancel forwards"
	fi
}

# No destination: flags with values, others; from word $3 on, 2 by default.
_skypty_flags()
{
	if ((${#words[@]} - 1 > ${3-2})) && _skypty_has "${words[-2]}" "$1"; then
		_skypty_value "${words[-2]}"
	elif [[ $cur == -* ]]; then
		_skypty_offer "$1 $2"
	fi
}

# Beside names, files are to look as readline makes them.
_skypty_add_files()
{
	local path quoted

	while IFS= read -r path; do
		printf -v quoted %q "$path"
		[[ -d $path ]] && quoted+=/ || quoted+=" "
		COMPREPLY+=("$quoted")
	done < <(compgen -f -- "$cur")
}

# Files here, or a name with a colon behind it.
_skypty_cp()
{
	local prev=${words[-2]} names name

	if ((${#words[@]} > 3)) && _skypty_has "$prev" "$_skypty_cp_valued"; then
		_skypty_value "$prev"
	elif [[ $cur == -* ]]; then
		_skypty_offer "$_skypty_cp_valued $_skypty_cp_plain --"
	elif [[ $cur == *:* ]]; then
		COMPREPLY=() # on the host
	else
		names=
		for name in $(_skypty_names); do
			names+="$name: "
		done
		[[ $cur == */* || $cur == \~* ]] || _skypty_offer "$names"
		if [[ ${#COMPREPLY[@]} -eq 0 ]]; then
			_skypty_files
			return
		fi
		compopt -o nospace
		_skypty_add_files
	fi
}

# Hosts and flags in any order; behind the dashes a command.
_skypty_fleet()
{
	local prev=${words[-2]} count dashes

	_skypty_count 2 "$_skypty_fleet_valued"
	if [[ $prev == -- ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	elif [[ -n $dashes ]]; then
		_skypty_files
	elif ((${#words[@]} > 3)) && _skypty_has "$prev" "$_skypty_fleet_valued"; then
		_skypty_value "$prev"
	elif [[ $cur == -* ]]; then
		_skypty_offer "$_skypty_fleet_valued $_skypty_fleet_plain --"
	elif [[ $cur == @* ]]; then
		mapfile -t COMPREPLY < <(compgen -f -P @ -- "${cur#@}")
	elif ((${#words[@]} == 3)); then
		_skypty_offer "list show $(_skypty_names)"
	else
		_skypty_offer "$(_skypty_names)"
	fi
}

_skypty_fs()
{
	if ((${#words[@]} == 3)); then
		_skypty_offer "mount umount list"
	elif [[ ${words[2]} == mount ]]; then
		_skypty_dest 3 "$_skypty_files_valued $_skypty_fs_valued" \
			"$_skypty_plain $_skypty_fs_plain" folder
	elif [[ ${words[2]} != list ]]; then
		_skypty_folders
	fi
}

# From word $1 on; $2 lists the names.
_skypty_ssh_words()
{
	local prev=${words[-2]} count dashes

	_skypty_count "$1" "$_skypty_ssh_valued"
	if ((${#words[@]} - 1 > $1)) && _skypty_has "$prev" "$_skypty_ssh_valued"; then
		_skypty_value "$prev"
	elif ((count == 0)) && [[ $cur == -* ]]; then
		_skypty_offer "$_skypty_ssh_offered"
	elif ((count == 0)); then
		_skypty_offer "$("$2")"
	else
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	fi
}

# Words as a user sees them, up to the cursor; the last one is being written.
_skypty_words()
{
	local line=${COMP_LINE:0:COMP_POINT}

	read -ra words <<<"$line"
	[[ $line == *[[:blank:]] ]] && words+=("")
	cur=${words[-1]}
	COMPREPLY=()
}

_skypty()
{
	local words cur

	_skypty_words
	if ((${#words[@]} == 2)); then
		_skypty_offer "$_skypty_commands"
		return
	fi
	case ${words[1]} in
	shell | start)
		_skypty_dest 2 "$_skypty_shell_valued" "$_skypty_shell_plain" \
			command
		;;
	exec)
		_skypty_dest 2 "$_skypty_run_valued" "$_skypty_run_plain" command
		;;
	sftp)
		_skypty_dest 2 "$_skypty_files_valued" "$_skypty_plain" none
		;;
	cp)
		_skypty_cp
		;;
	job)
		if ((${#words[@]} == 3)) && [[ $cur != -* ]]; then
			_skypty_offer "run list log wait kill forget"
		else
			_skypty_dest 3 "$_skypty_job_valued" \
				"$_skypty_job_plain" command
		fi
		;;
	control)
		_skypty_dest 2 "$_skypty_files_valued -S --control-path
$_skypty_forward_valued" \
			"$_skypty_plain $_skypty_forward_plain" order
		;;
	sessions)
		_skypty_dest 2 "$_skypty_sessions_valued" \
			"$_skypty_sessions_plain" none
		;;
	attach)
		_skypty_dest 2 "$_skypty_attach_valued" \
			"$_skypty_attach_plain" none
		;;
	fleet)
		_skypty_fleet
		;;
	ssh)
		_skypty_ssh_words 2 _skypty_names
		;;
	fs)
		_skypty_fs
		;;
	config)
		_skypty_dest 2 "-F --config" "" none
		;;
	help)
		_skypty_offer "$_skypty_commands"
		;;
	whitelist*)
		_skypty_flags "$_skypty_here_valued" ""
		;;
	dmsg)
		if ((${#words[@]} == 3)); then
			_skypty_offer status
		else
			_skypty_flags "$_skypty_here_valued" --json 3
		fi
		;;
	pk)
		_skypty_flags "$_skypty_who_valued" "$_skypty_who_plain"
		;;
	host)
		_skypty_flags "$_skyptyd_valued" "$_skyptyd_plain"
		;;
	agent)
		_skypty_flags "-a --socket -t --life" "-s --sh -c --csh -D
			--foreground -d --debug -k --kill"
		;;
	add)
		_skypty_flags "-t --life --passphrase-file" "-c --confirm -d
			--delete -D --delete-all -l --list -L --list-keys
			-x --lock -X --unlock -q --quiet"
		[[ $cur == -* ]] || _skypty_files
		;;
	keygen)
		_skypty_flags "--passphrase-file --new-passphrase-file" \
			"-f --force -p --passphrase -y --public-key"
		[[ $cur == -* ]] || _skypty_files
		;;
	esac
}

_skyptyd()
{
	local words cur

	_skypty_words
	if ((${#words[@]} == 2)); then
		_skypty_offer "tcp host dmsg http check authorize revoke \
keys confgen kill status version"
		return
	fi
	case ${words[1]} in
	tcp | host | dmsg)
		_skypty_flags "$_skyptyd_valued" "$_skyptyd_plain"
		;;
	check)
		_skypty_flags "$_skyptyd_valued --peer --key --from --user" \
			"$_skyptyd_plain -T"
		if ((${#words[@]} == 3)) && [[ $cur != -* ]]; then
			_skypty_offer "tcp host dmsg"
		fi
		;;
	http)
		_skypty_flags "$_skyptyd_http_valued" "$_skyptyd_http_plain"
		;;
	status)
		_skypty_flags "--cliaddr" "--json --metrics"
		;;
	kill)
		_skypty_flags "--key --cliaddr" ""
		;;
	authorize)
		_skypty_flags "-c --conf --confpath" "--also"
		;;
	revoke)
		_skypty_flags "-c --conf --confpath" "--now"
		;;
	keys)
		_skypty_flags "-c --conf --confpath" "--json"
		;;
	confgen)
		_skypty_flags "--sk-file" "--unsafe --seeds"
		[[ $cur == -* ]] || _skypty_files
		;;
	esac
}

_skypty_ssh()
{
	local words cur

	_skypty_words
	_skypty_ssh_words 1 _skypty_ssh_names
}

complete -F _skypty skypty
complete -F _skypty_ssh skypty-ssh
complete -F _skyptyd skyptyd
