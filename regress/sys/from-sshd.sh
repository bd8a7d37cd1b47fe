#!/bin/sh
# SPDX-License-Identifier: ISC
# docs/from-sshd.md has one line for each keyword of Debian 12's sshd_config(5)
# and each option of authorized_keys, and names nothing that there is not here.
. regress/sys/lib.sh

keywords() {
	cat <<-'END'
		AcceptEnv AddressFamily AllowAgentForwarding AllowGroups
		AllowStreamLocalForwarding AllowTcpForwarding AllowUsers
		AuthenticationMethods AuthorizedKeysCommand
		AuthorizedKeysCommandUser AuthorizedKeysFile
		AuthorizedPrincipalsCommand AuthorizedPrincipalsCommandUser
		AuthorizedPrincipalsFile Banner CASignatureAlgorithms
		ChannelTimeout ChrootDirectory Ciphers ClientAliveCountMax
		ClientAliveInterval Compression DebianBanner DenyGroups
		DenyUsers DisableForwarding ExposeAuthInfo FingerprintHash
		ForceCommand GSSAPIAuthentication GSSAPICleanupCredentials
		GSSAPIKexAlgorithms GSSAPIKeyExchange
		GSSAPIStoreCredentialsOnRekey GSSAPIStrictAcceptorCheck
		GatewayPorts HostCertificate HostKey HostKeyAgent
		HostKeyAlgorithms HostbasedAcceptedAlgorithms
		HostbasedAuthentication HostbasedUsesNameFromPacketOnly IPQoS
		IgnoreRhosts IgnoreUserKnownHosts Include
		KbdInteractiveAuthentication KerberosAuthentication
		KerberosGetAFSToken KerberosOrLocalPasswd KerberosTicketCleanup
		KexAlgorithms ListenAddress LogLevel LogVerbose LoginGraceTime
		MACs Match MaxAuthTries MaxSessions MaxStartups ModuliFile
		PasswordAuthentication PerSourceMaxStartups
		PerSourceNetBlockSize PermitEmptyPasswords PermitListen
		PermitOpen PermitRootLogin PermitTTY PermitTunnel
		PermitUserEnvironment PermitUserRC PidFile Port PrintLastLog
		PrintMotd PubkeyAcceptedAlgorithms PubkeyAuthOptions
		PubkeyAuthentication RekeyLimit RequiredRSASize RevokedKeys
		SecurityKeyProvider SetEnv StreamLocalBindMask
		StreamLocalBindUnlink StrictModes Subsystem SyslogFacility
		TCPKeepAlive TrustedUserCAKeys UnusedConnectionTimeout UseDNS
		UsePAM VersionAddendum X11DisplayOffset X11Forwarding
		X11UseLocalhost XAuthLocation
	END
}

options() {
	cat <<-'END'
		agent-forwarding cert-authority command environment expiry-time
		from no-agent-forwarding no-port-forwarding no-pty no-user-rc
		no-X11-forwarding no-touch-required permitlisten permitopen
		port-forwarding principals pty restrict tunnel user-rc
		verify-required X11-forwarding
	END
}

# once WORD...: each heads one line of the page.
once() {
	for word in "$@"; do
		equal "$(grep -c "^| $word | ." "$page")" 1 \
			"how often the page tells of $word"
	done
}

told() {
	# shellcheck disable=SC2046 # words
	once $(keywords) $(options)
	equal "$(grep -c '^| [A-Za-z0-9-]* | ' "$page")" \
		"$(($(keywords | wc -w) + $(options | wc -w) + 2))" \
		"lines of the tables"
}

# Keys of the configuration that it names are there, and so are a line's
# options.
true_words() {
	conf
	run skyptyd check -T -c "$dir/host.json" >"$dir/all" 2>"$dir/err" ||
		fail "check -T fails"
	grep -o '`[a-z_]*_[a-z_]*`' "$page" | tr -d '`' | sort -u \
		>"$dir/names"
	[ -s "$dir/names" ] || fail "the page names no keys"
	while read -r name; do
		has "$dir/all" "\"$name\": "
	done <"$dir/names"
	grep -o '`[a-z-]*=`' "$page" | tr -d '`=' | sort -u >"$dir/options"
	[ -s "$dir/options" ] || fail "the page names no options"
	while read -r name; do
		grep -q "^\.It .*Cm $name Ns = " "$manual" ||
			fail "authorized_pks(5) has no $name="
	done <"$dir/options"
}

page=$PWD/docs/from-sshd.md
manual=$PWD/daemon/authorized_pks.5
either told
either true_words
