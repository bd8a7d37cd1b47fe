#!/bin/sh
# SPDX-License-Identifier: ISC
# Every keyword of ssh_config(5) has its rule: it is done, it is harmless, or it
# is refused by name; where ssh is installed it takes the same ones.
. regress/sys/lib.sh

# Keyword, a value, and what becomes of it.  Other tests see that what is done
# is done: ssh-options, ssh-precedence, ssh-local, ssh-login-names.
keywords() {
	cat <<-'END'
		AddKeysToAgent|confirm 5m|harmless
		AddressFamily|inet|done
		BatchMode|yes|done
		BindAddress|127.0.0.1|done
		BindInterface|lo|done
		CASignatureAlgorithms|ssh-ed25519|harmless
		CanonicalDomains|example.org|harmless
		CanonicalizeFallbackLocal|no|harmless
		CanonicalizeHostname|yes|names are not completed
		CanonicalizeHostname|no|harmless
		CanonicalizeMaxDots|2|harmless
		CanonicalizePermittedCNAMEs|*.a:*.b|harmless
		CertificateFile|/nowhere|harmless
		ChannelTimeout|session=5m|no time limit
		ChannelTimeout|none|harmless
		ChannelTimeout|session=0 x11=0s|harmless
		ChannelTimeout|session=0 x11=1|no time limit
		CheckHostIP|yes|harmless
		Ciphers|aes128-ctr|harmless
		ClearAllForwardings|yes|done
		Compression|yes|harmless
		ConnectTimeout|1m|done
		ConnectionAttempts|2|done
		ControlMaster|autoask|done
		ControlPath|~/.ssh/%C|done
		ControlPersist|60s|done
		DynamicForward|1080|done
		EnableEscapeCommandline|yes|harmless
		EnableSSHKeysign|no|harmless
		EscapeChar|^X|done
		ExitOnForwardFailure|yes|done
		FingerprintHash|md5|harmless
		ForkAfterAuthentication|no|done
		ForwardAgent|yes|the agent is not forwarded
		ForwardAgent|/tmp/agent|the agent is not forwarded
		ForwardAgent|no|harmless
		ForwardX11|yes|X11 is not forwarded
		ForwardX11|no|harmless
		ForwardX11Timeout|20m|harmless
		ForwardX11Trusted|no|harmless
		GSSAPIAuthentication|yes|harmless
		GSSAPIDelegateCredentials|no|harmless
		GatewayPorts|no|harmless
		GlobalKnownHostsFile|/a /b|harmless
		HashKnownHosts|yes|harmless
		Host|*|not supported on a command line
		HostKeyAlgorithms|ssh-ed25519|harmless
		HostKeyAlias|other|done
		HostName|127.0.0.1|done
		HostbasedAcceptedAlgorithms|ssh-ed25519|harmless
		HostbasedAuthentication|no|harmless
		IPQoS|af21 cs1|harmless
		IdentitiesOnly|yes|done
		IdentityAgent|none|done
		IdentityFile|/nowhere|done
		IgnoreUnknown|Nothing|done
		Include|/nowhere|not supported on a command line
		KbdInteractiveAuthentication|no|harmless
		KbdInteractiveDevices|pam|harmless
		KexAlgorithms|curve25519-sha256|harmless
		KnownHostsCommand|/bin/false %H|harmless
		LocalCommand|false|done
		LocalForward|1 a:2|done
		LogLevel|ERROR|done
		LogVerbose|kex.c:*:1000|harmless
		MACs|hmac-sha2-256|harmless
		Match|all|not supported on a command line
		NoHostAuthenticationForLocalhost|yes|harmless
		NumberOfPasswordPrompts|1|harmless
		ObscureKeystrokeTiming|interval:50|done
		PKCS11Provider|/lib/x.so|keys in tokens
		PKCS11Provider|none|harmless
		PasswordAuthentication|no|harmless
		PermitLocalCommand|no|done
		PermitRemoteOpen|any|harmless
		Port|1|done
		PreferredAuthentications|publickey|harmless
		ProxyCommand|nc %h %p|done
		ProxyCommand|none|done
		ProxyJump|none|done
		ProxyUseFdpass|yes|a command has to carry
		ProxyUseFdpass|no|harmless
		PubkeyAcceptedAlgorithms|ssh-ed25519|harmless
		PubkeyAuthentication|no|nobody is let in but by a key
		PubkeyAuthentication|host-bound|harmless
		RefuseConnection|"not today"|not today
		RekeyLimit|1G 1h|harmless
		RemoteCommand|none|done
		RemoteForward|1 a:2|done
		RequestTTY|auto|done
		RequiredRSASize|2048|harmless
		RevokedHostKeys|/nowhere|keys of ssh's are not known
		RevokedHostKeys|none|harmless
		SecurityKeyProvider|internal|harmless
		SendEnv|LC_*|done
		ServerAliveCountMax|5|done
		ServerAliveInterval|30|done
		SessionType|none|done
		SessionType|default|harmless
		SetEnv|A=B|done
		StdinNull|no|done
		StreamLocalBindMask|0177|harmless
		StreamLocalBindUnlink|yes|harmless
		StrictHostKeyChecking|accept-new|harmless
		SyslogFacility|LOCAL7|done
		TCPKeepAlive|no|harmless
		Tag|x|done
		Tunnel|yes|networks are not forwarded
		Tunnel|no|harmless
		TunnelDevice|any|harmless
		UpdateHostKeys|ask|harmless
		User|nobody|done
		UserKnownHostsFile|/a ~/b|harmless
		VerifyHostKeyDNS|ask|harmless
		VersionAddendum|x|harmless
		VisualHostKey|yes|harmless
		WarnWeakCrypto|no|harmless
		XAuthLocation|/usr/bin/xauth|harmless
	END
}

# One connection with all that has no effect, and each by itself without one.
harmless() {
	set --
	while IFS='|' read -r key value rule; do
		[ "$rule" = harmless ] || continue
		set -- "$@" -o "$key=$value"
	done <"$dir/keywords"
	equal "$(on_ssh "$@" "$pk@127.0.0.1" echo here 2>"$dir/err.ssh")" here \
		"all that is harmless"
	[ ! -s "$dir/err.ssh" ] || fail "it is not passed over in silence"
	while IFS='|' read -r key value rule; do
		case $rule in harmless | done) ;; *) continue ;; esac
		for o in "$key=$value" "$key $value" "$key = $value"; do
			on_ssh -G -o "$o" "$pk@127.0.0.1" </dev/null \
				>"$dir/out" 2>"$dir/err.ssh" ||
				fail "$o: $(cat "$dir/err.ssh")"
		done
		o=$(echo "$key" | tr '[:lower:]' '[:upper:]')
		on_ssh -G "-o$o=$value" "$pk@127.0.0.1" </dev/null >"$dir/out" \
			2>"$dir/err.ssh" || fail "$o: $(cat "$dir/err.ssh")"
	done <"$dir/keywords"
}

refused() {
	while IFS='|' read -r key value rule; do
		case $rule in harmless | done) continue ;; esac
		status=0
		on_ssh -o "$key=$value" "$pk@127.0.0.1" echo here \
			>"$dir/out" 2>"$dir/err.ssh" </dev/null || status=$?
		equal $status 255 "status with $key"
		[ ! -s "$dir/out" ] || fail "$key: the command was run"
		has "$dir/err.ssh" "$key"
		has "$dir/err.ssh" "$rule"
	done <"$dir/keywords"
	# Forwardings that are cleared are none.
	equal "$(on_ssh -L 1:a:2 -oRemoteForward=1:b:2 -D 1 -w any \
		-oClearAllForwardings=yes "$pk@127.0.0.1" echo here \
		2>"$dir/err.ssh")" here "cleared forwardings"
}

# Values that no keyword has.
mistakes() {
	while read -r o text; do
		status=0
		on_ssh -o "$(echo "$o" | tr '~' ' ')" "$pk@127.0.0.1" echo here \
			>"$dir/out" 2>"$dir/err.ssh" </dev/null || status=$?
		equal $status 255 "status with $o"
		[ ! -s "$dir/out" ] || fail "$o: the command was run"
		has "$dir/err.ssh" "$text"
	done <<-'END'
		NoSuchOption=1 Bad configuration option: nosuchoption
		NoSuch no argument after keyword
		=1 Bad configuration option:
		BatchMode=maybe unsupported option "maybe"
		BatchMode no argument after keyword
		BatchMode=yes~no extra arguments
		RequestTTY=perhaps unsupported option "perhaps"
		StrictHostKeyChecking=never unsupported option "never"
		LogLevel=LOUD unsupported option "LOUD"
		AddressFamily=inet5 unsupported option "inet5"
		SessionType=shell unsupported option "shell"
		ControlMaster=always unsupported option "always"
		Port=70000 Bad port '70000'
		Port=0 Bad port '0'
		Port=abc Bad port 'abc'
		Port=2~2 extra arguments
		Port="22 invalid quotes
		User="" missing argument
		ConnectTimeout=soon invalid time value 'soon'
		ConnectTimeout=5x invalid time value '5x'
		ServerAliveInterval=-1 invalid time value '-1'
		ConnectionAttempts=x Bad number 'x'
		NumberOfPasswordPrompts=-1 Bad number '-1'
		EscapeChar=xy Bad escape character 'xy'
		SetEnv=A Invalid SetEnv
		SetEnv==A Invalid SetEnv
		SendEnv=A=B Invalid environment name
	END
	# What is unknown may be said to be.
	equal "$(on_ssh -oIgnoreUnknown='Use*,!UseThat' -oUseKeychain=yes \
		"$pk@127.0.0.1" echo here)" here IgnoreUnknown
	for o in "-oUseThat=1" "-oother=1"; do
		if on_ssh -oIgnoreUnknown='use*,!usethat' $o "$pk@127.0.0.1" \
			true 2>"$dir/err.ssh"; then
			fail "$o is ignored"
		fi
		has "$dir/err.ssh" "Bad configuration option"
	done
	if on_ssh -oUseKeychain=yes -oIgnoreUnknown='use*' "$pk@127.0.0.1" \
		true 2>"$dir/err.ssh"; then
		fail "what is ignored later was ignored before"
	fi
}

# ssh itself knows them all, but for those that are younger than it.
as_ssh_does() {
	command -v ssh >/dev/null || return 0
	while IFS='|' read -r key value rule; do
		case $rule in "not supported"*) continue ;; esac
		ssh -F none -G -o "$key=$value" h >"$dir/out" 2>"$dir/ssh.err" ||
			continue
		[ "$rule" != harmless ] ||
			on_ssh -G -o "$key=$value" "$pk@127.0.0.1" >"$dir/out" ||
			fail "ssh takes $key, we do not"
	done <"$dir/keywords"
	# And none that we have not heard of.
	ssh -F none -G h | cut -d ' ' -f 1 | sort -u >"$dir/theirs"
	cut -d '|' -f 1 "$dir/keywords" | tr '[:upper:]' '[:lower:]' |
		sort -u >"$dir/ours"
	unheard=$(tr '[:upper:]' '[:lower:]' <"$dir/theirs" | sort -u |
		comm -23 - "$dir/ours" | grep -v '^gssapi' | tr '\n' ' ')
	equal "$unheard" "" "keywords that are not in this list"
}

# The manual has each of them, and each flag.
in_manual() {
	cut -d '|' -f 1 "$dir/keywords" | sort -u | while read -r key; do
		grep -qE "^\.(It )?Cm .*$key( |\$)|^\.Cm $key" \
			client/skypty-ssh.1 || fail "the manual lacks $key"
	done
	for f in 1 2 4 6 A B C D E F G I J K L M N O P Q R S T V W X Y a b c e \
		f g i k l m n o p q s t v w x y; do
		grep -qE "Fl (. (Ar [a-z]+ )?, )*.*\b$f\b" client/skypty-ssh.1 ||
			fail "the manual lacks -$f"
	done
}

all() {
	keywords >"$dir/keywords"
	start_host
	harmless
	refused
	mistakes
	as_ssh_does
	in_manual || fail "the manual is not complete"
	stop_host
}

either all
