#!/bin/sh
# SPDX-License-Identifier: ISC
# Of an option that is given twice, as a flag and by its name, the same one
# counts as with ssh, which says by -G what counts.
. regress/sys/lib.sh

# What both print, in the same words.
names='^(user|hostname|port|addressfamily|bindaddress|bindinterface|'
names=$names'clearallforwardings|connectionattempts|connecttimeout|escapechar|'
names=$names'forkafterauthentication|hostkeyalias|identityfile|localcommand|'
names=$names'loglevel|proxycommand|proxyjump|gatewayports|'
names=$names'exitonforwardfailure|streamlocalbindunlink|localforward|'
names=$names'remoteforward|dynamicforward|'
names=$names'permitlocalcommand|remotecommand|requesttty|sendenv|'
names=$names'serveralivecountmax|serveraliveinterval|sessiontype|setenv|'
names=$names'stdinnull|syslogfacility) '

# ssh says DEBUG for DEBUG1, SILENT for QUIET, true for yes where there is more
# to choose from than yes and no, and the seconds of a time.
said() {
	grep -E "$names" | sed -e '/^loglevel/s/DEBUG1$/DEBUG/' \
		-e '/^loglevel/s/SILENT$/QUIET/' \
		-e '/^requesttty/s/true$/yes/' -e '/^requesttty/s/false$/no/' \
		-e '/^connecttimeout/s/ 1m$/ 60/' \
		-e '/^serveraliveinterval/s/ 1m$/ 60/' \
		-e '/^identityfile ~/d' | sort
}

# Arguments a line; the destination has the key by -o Key, of which ssh knows
# nothing.
arguments() {
	cat <<-'END'
		h
		-p 5 h
		-p 5 -p 6 h
		-p 5 -oPort=6 h
		-oPort=6 -p 5 h
		-oPort=6 -oport=7 h
		-o PORT=6 h -p 7
		h -p 7
		-p 5 ssh://h:7
		ssh://h:7 -p 5
		ssh://a@h:7/ -l b
		-l b ssh://a@h
		-l a -l b h
		-oUser=a -l b h
		-l a -oUser=b h
		a@h -l b
		-l b a@h
		-oUser=c a@h
		a%40b@h
		ssh://a%2eb@h
		-oHostName=1.2.3.4 h
		-oHostName=%h.example.org h
		-oHostName=a -oHostName=b h
		-4 h
		-6 h
		-4 -6 h
		-6 -4 h
		-4 -oAddressFamily=inet6 h
		-oAddressFamily=inet6 -4 h
		-oAddressFamily=inet6 -oAddressFamily=inet h
		-oAddressFamily=any h
		-b 1.2.3.4 -b 1.2.3.5 h
		-oBindAddress=1.2.3.4 -b 1.2.3.5 h
		-b 1.2.3.5 -oBindAddress=1.2.3.4 h
		-oBindAddress=1.2.3.4 -oBindAddress=1.2.3.5 h
		-B lo h
		-t h
		-tt h
		-t -t h
		-ttt h
		-T h
		-T -t h
		-t -T h
		-tt -T h
		-oRequestTTY=force -t h
		-oRequestTTY=yes -t h
		-oRequestTTY=no -t h
		-t -oRequestTTY=no h
		-oRequestTTY=no -oRequestTTY=force h
		-oRequestTTY=TRUE h
		-n h
		-n -oStdinNull=no h
		-oStdinNull=no -n h
		-oStdinNull=no h
		-f h true
		-oForkAfterAuthentication=no -f h true
		-e x h
		-e x -e y h
		-e none h
		-oEscapeChar=x -e y h
		-e y -oEscapeChar=x h
		-oEscapeChar=x -oEscapeChar=y h
		-oEscapeChar=none h
		-q h
		-v h
		-vv h
		-vvvv h
		-q -v h
		-v -q h
		-q -v -v h
		-v -q -v h
		-oLogLevel=ERROR h
		-oLogLevel=ERROR -v h
		-v -oLogLevel=ERROR h
		-oLogLevel=error -oLogLevel=INFO h
		-oLogLevel=DEBUG3 -q h
		-oConnectTimeout=60 h
		-oConnectTimeout=1m h
		-oConnectTimeout=1 -oConnectTimeout=2 h
		-oConnectionAttempts=3 -oConnectionAttempts=4 h
		-oServerAliveInterval=60 -oServerAliveInterval=5 h
		-oServerAliveCountMax=4 h
		-oSetEnv=A=1 -oSetEnv=A=2 h
		-oSetEnv=A=1 -oSetEnv=B=2 h
		-oSendEnv=A -oSendEnv=B h
		-oSendEnv=A* -oSendEnv=B -oSendEnv=-A* h
		-oSendEnv=AB -oSendEnv=B -oSendEnv=-A? h
		-s h sftp
		-oSessionType=subsystem h sftp
		-oSessionType=default h
		-oRemoteCommand=a -oRemoteCommand=b h
		-oLocalCommand=a -oPermitLocalCommand=yes h
		-oPermitLocalCommand=no -oPermitLocalCommand=yes h
		-oClearAllForwardings=yes h
		-oSyslogFacility=LOCAL1 -oSyslogFacility=LOCAL2 h
		-oIdentityFile=/a -oIdentityFile=/b h
		-oProxyCommand=a -oProxyCommand=b h
		-oProxyCommand=none -oProxyCommand=b h
		-oProxyCommand=b -oProxyJump=x h
		-oProxyCommand=none -oProxyJump=x h
		-oProxyJump=none -oProxyCommand=b h
		-oProxyJump=x -oProxyCommand=b h
		-oProxyJump=x,y h
		-L 8080:a:80 -D 1080 -R 1:b:2 h
		-R *:3:[::1]:4 -L *:1:[a]:2 h
		-L /a:/b -R 0:a:1 -g h
		-oExitOnForwardFailure=yes -oExitOnForwardFailure=no h
		-oStreamLocalBindUnlink=yes h
		-J none -oProxyCommand=b h
		-oHostKeyAlias=a -oHostKeyAlias=b h
		-A -a -X -x h
		-oForwardAgent=no -oForwardAgent=yes h
		-oForwardX11=no -oForwardX11=yes h
		-- h -p 7
		-4tt -p7 h
	END
}

same() {
	need_command ssh
	new_key host
	n=0
	arguments >"$dir/arguments"
	while read -r line; do
		n=$((n + 1))
		# shellcheck disable=SC2086
		ssh -F none -G $line >"$dir/theirs" 2>"$dir/err.theirs" ||
			fail "ssh does not take $line"
		# shellcheck disable=SC2086
		$as "$bin/skypty-ssh" -oKey="$key" -F none -G $line \
			>"$dir/ours" 2>"$dir/err.ours" || fail "ours: $line"
		# Without a login name it is our own in ssh, and the key here.
		# Of a socket's forward ssh tells as of a dynamic one, too.
		sed -i -e "s/^user $(id -un)\$/user $key/" \
			-e '/^dynamicforward \//d' "$dir/theirs"
		# We have no port 22 by default.
		sed -i -e 's/^port 2022$/port 22/' "$dir/ours"
		equal "$(said <"$dir/ours")" "$(said <"$dir/theirs")" "$line"
	done <"$dir/arguments"
	[ $n -gt 90 ] || fail "only $n lines were compared"
}

either same
