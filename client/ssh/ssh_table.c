/* SPDX-License-Identifier: ISC */
/* What becomes of each option of ssh: of its keywords, and of its flags. */
#include "client/ssh/ssh_table.h"
#include "client/ssh/ssh_opts.h"

#include <string.h>
#include <strings.h>

#define SSH_TABLE_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* --- the keywords of ssh_config(5) --- */

#define WORD	  FORM_WORD, NULL
#define ONE_OF(s) FORM_ONE_OF, s
#define FLAG	  FORM_ONE_OF, "yes no"
#define WORDS	  FORM_WORDS, NULL
#define REST	  FORM_REST, NULL
#define PORT	  FORM_PORT, NULL
#define NUMBER	  FORM_NUMBER, NULL
#define TIME	  FORM_TIME, NULL
#define ESCAPE	  FORM_ESCAPE, NULL
#define OBSCURE	  FORM_OBSCURE, NULL
#define IDENTITY  FORM_IDENTITY, NULL
#define PATTERNS  FORM_PATTERNS, NULL
#define SETTINGS  FORM_SETTINGS, NULL
#define FORWARD	  FORM_FORWARD, NULL
#define DIRECTIVE FORM_DIRECTIVE, NULL

#define LEVELS "QUIET FATAL ERROR INFO VERBOSE DEBUG DEBUG1 DEBUG2 DEBUG3"
#define FACILITIES                                                           \
	"DAEMON USER AUTH LOCAL0 LOCAL1 LOCAL2 LOCAL3 LOCAL4 LOCAL5 LOCAL6 " \
	"LOCAL7"
#define KEYS	"yes no unbound host-bound"
#define TUNNELS "yes no point-to-point ethernet"

/*
 * Without effect: how ssh is to find out who the other end is, whom it may ask
 * for a password, how to encipher, or what else to do with that which is
 * refused by itself.  Here host and client prove their keys on each connection.
 */
#define HARMLESS SSH_NONE, NULL, NULL
/* Done as ssh does it. */
#define DONE(name) name, NULL, NULL
/* Refused by name at the end, unless it says one of those that are fine. */
#define REFUSED(name, fine, why) name, fine, why

#define NO_TUNNEL  "networks are not forwarded yet"
#define NO_AGENT   "the agent is not forwarded yet"
#define NO_X11	   "X11 is not forwarded yet"
#define NO_PASS	   "a command has to carry the connection here"
#define NO_TOKEN   "keys in tokens are not used; give a file with -i"
#define NO_OTHER   "nobody is let in but by a key"
#define NO_SEARCH  "names are not completed here; write it in full"
#define NO_IDLE	   "no time limit for idle connections is kept here"
#define NO_REVOKED "keys of ssh's are not known here"

/* clang-format off */
static const struct ssh_keyword ssh_keywords[] = {
	{ "AddKeysToAgent", WORDS, HARMLESS },
	{ "AddressFamily", ONE_OF("any inet inet6"), DONE(SSH_ADDRESS_FAMILY) },
	{ "BatchMode", FLAG, DONE(SSH_BATCH_MODE) },
	{ "BindAddress", WORD, DONE(SSH_BIND_ADDRESS) },
	{ "BindInterface", WORD, DONE(SSH_BIND_INTERFACE) },
	{ "CASignatureAlgorithms", WORD, HARMLESS },
	{ "CanonicalDomains", WORDS, HARMLESS },
	{ "CanonicalizeFallbackLocal", FLAG, HARMLESS },
	{ "CanonicalizeHostname", ONE_OF("yes no always"),
	    REFUSED(SSH_CANONICALIZE, "no", NO_SEARCH) },
	{ "CanonicalizeMaxDots", NUMBER, HARMLESS },
	{ "CanonicalizePermittedCNAMEs", WORDS, HARMLESS },
	{ "CertificateFile", WORD, HARMLESS },
	{ "ChannelTimeout", REST,
	    REFUSED(SSH_CHANNEL_TIMEOUT, "none", NO_IDLE) },
	{ "CheckHostIP", FLAG, HARMLESS },
	{ "Ciphers", WORD, HARMLESS },
	{ "ClearAllForwardings", FLAG, DONE(SSH_CLEAR_FORWARDINGS) },
	{ "Compression", FLAG, HARMLESS },
	{ "ConnectTimeout", TIME, DONE(SSH_CONNECT_TIMEOUT) },
	{ "ConnectionAttempts", NUMBER, DONE(SSH_CONNECTION_ATTEMPTS) },
	{ "ControlMaster", ONE_OF("yes no ask auto autoask"),
	    DONE(SSH_CONTROL_MASTER) },
	{ "ControlPath", WORD, DONE(SSH_CONTROL_PATH) },
	{ "ControlPersist", WORD, DONE(SSH_CONTROL_PERSIST) },
	{ "DynamicForward", FORWARD, DONE(SSH_DYNAMIC_FORWARD) },
	{ "EnableEscapeCommandline", FLAG, HARMLESS },
	{ "EnableSSHKeysign", FLAG, HARMLESS },
	{ "EscapeChar", ESCAPE, DONE(SSH_ESCAPE) },
	{ "ExitOnForwardFailure", FLAG, DONE(SSH_EXIT_ON_FAILURE) },
	{ "FingerprintHash", ONE_OF("md5 sha256"), HARMLESS },
	{ "ForkAfterAuthentication", FLAG, DONE(SSH_FORK) },
	{ "ForwardAgent", WORD,
	    REFUSED(SSH_FORWARD_AGENT, "no false", NO_AGENT) },
	{ "ForwardX11", FLAG, REFUSED(SSH_FORWARD_X11, "no", NO_X11) },
	{ "ForwardX11Timeout", TIME, HARMLESS },
	{ "ForwardX11Trusted", FLAG, HARMLESS },
	{ "GSSAPIAuthentication", FLAG, HARMLESS },
	{ "GSSAPIClientIdentity", WORD, HARMLESS },
	{ "GSSAPIDelegateCredentials", FLAG, HARMLESS },
	{ "GSSAPIKexAlgorithms", WORD, HARMLESS },
	{ "GSSAPIKeyExchange", FLAG, HARMLESS },
	{ "GSSAPIRenewalForcesRekey", FLAG, HARMLESS },
	{ "GSSAPIServerIdentity", WORD, HARMLESS },
	{ "GSSAPITrustDns", FLAG, HARMLESS },
	{ "GatewayPorts", FLAG, DONE(SSH_GATEWAY_PORTS) },
	{ "GlobalKnownHostsFile", WORDS, HARMLESS },
	{ "HashKnownHosts", FLAG, HARMLESS },
	{ "Host", DIRECTIVE, HARMLESS },
	{ "HostKeyAlgorithms", WORD, HARMLESS },
	{ "HostKeyAlias", WORD, DONE(SSH_HOST_KEY_ALIAS) },
	{ "HostName", WORD, DONE(SSH_HOSTNAME) },
	{ "HostbasedAcceptedAlgorithms", WORD, HARMLESS },
	{ "HostbasedAuthentication", FLAG, HARMLESS },
	{ "IPQoS", WORDS, HARMLESS },
	{ "IdentitiesOnly", FLAG, DONE(SSH_IDENTITIES_ONLY) },
	{ "IdentityAgent", WORD, DONE(SSH_IDENTITY_AGENT) },
	{ "IdentityFile", IDENTITY, DONE(SSH_IDENTITY_FILE) },
	{ "IgnoreUnknown", WORD, DONE(SSH_IGNORE_UNKNOWN) },
	{ "Include", DIRECTIVE, HARMLESS },
	{ "KbdInteractiveAuthentication", FLAG, HARMLESS },
	{ "KbdInteractiveDevices", WORD, HARMLESS },
	{ "KexAlgorithms", WORD, HARMLESS },
	{ "KnownHostsCommand", REST, HARMLESS },
	{ "LocalCommand", REST, DONE(SSH_LOCAL_COMMAND) },
	{ "LocalForward", FORWARD, DONE(SSH_LOCAL_FORWARD) },
	{ "LogLevel", ONE_OF(LEVELS), DONE(SSH_LOG_LEVEL) },
	{ "LogVerbose", WORDS, HARMLESS },
	{ "MACs", WORD, HARMLESS },
	{ "Match", DIRECTIVE, HARMLESS },
	{ "NoHostAuthenticationForLocalhost", FLAG, HARMLESS },
	{ "NumberOfPasswordPrompts", NUMBER, HARMLESS },
	{ "ObscureKeystrokeTiming", OBSCURE, DONE(SSH_OBSCURE) },
	{ "PKCS11Provider", WORD, REFUSED(SSH_PKCS11, "none", NO_TOKEN) },
	{ "PasswordAuthentication", FLAG, HARMLESS },
	{ "PermitLocalCommand", FLAG, DONE(SSH_PERMIT_LOCAL) },
	{ "PermitRemoteOpen", WORDS, HARMLESS },
	{ "Port", PORT, DONE(SSH_PORT) },
	{ "PreferredAuthentications", WORD, HARMLESS },
	{ "ProxyCommand", REST, DONE(SSH_PROXY_COMMAND) },
	{ "ProxyJump", REST, DONE(SSH_PROXY_JUMP) },
	{ "ProxyUseFdpass", FLAG, REFUSED(SSH_PROXY_FDPASS, "no", NO_PASS) },
	{ "PubkeyAcceptedAlgorithms", WORD, HARMLESS },
	{ "PubkeyAuthentication", ONE_OF(KEYS),
	    REFUSED(SSH_PUBKEY, "yes unbound host-bound", NO_OTHER) },
	{ "RefuseConnection", WORD, DONE(SSH_REFUSE) },
	{ "RekeyLimit", WORDS, HARMLESS },
	{ "RemoteCommand", REST, DONE(SSH_REMOTE_COMMAND) },
	{ "RemoteForward", FORWARD, DONE(SSH_REMOTE_FORWARD) },
	{ "RequestTTY", ONE_OF("yes no force auto"), DONE(SSH_REQUEST_TTY) },
	{ "RequiredRSASize", NUMBER, HARMLESS },
	{ "RevokedHostKeys", WORDS, REFUSED(SSH_REVOKED, "none", NO_REVOKED) },
	{ "SecurityKeyProvider", WORD, HARMLESS },
	{ "SendEnv", PATTERNS, DONE(SSH_SEND_ENV) },
	{ "ServerAliveCountMax", NUMBER, DONE(SSH_ALIVE_COUNT) },
	{ "ServerAliveInterval", TIME, DONE(SSH_ALIVE_INTERVAL) },
	{ "SessionType", ONE_OF("none subsystem default"),
	    DONE(SSH_SESSION_TYPE) },
	{ "SetEnv", SETTINGS, DONE(SSH_SET_ENV) },
	{ "StdinNull", FLAG, DONE(SSH_STDIN_NULL) },
	{ "StreamLocalBindMask", WORD, HARMLESS },
	{ "StreamLocalBindUnlink", FLAG, DONE(SSH_UNLINK_SOCKETS) },
	{ "StrictHostKeyChecking", ONE_OF("yes no ask off accept-new"),
	    HARMLESS },
	{ "SyslogFacility", ONE_OF(FACILITIES), DONE(SSH_FACILITY) },
	{ "TCPKeepAlive", FLAG, HARMLESS },
	{ "Tag", WORD, DONE(SSH_TAG) },
	{ "Tunnel", ONE_OF(TUNNELS), REFUSED(SSH_TUNNEL, "no", NO_TUNNEL) },
	{ "TunnelDevice", WORD, HARMLESS },
	{ "UpdateHostKeys", ONE_OF("yes no ask"), HARMLESS },
	{ "User", WORD, DONE(SSH_USER) },
	{ "UserKnownHostsFile", WORDS, HARMLESS },
	{ "VerifyHostKeyDNS", ONE_OF("yes no ask"), HARMLESS },
	{ "VersionAddendum", REST, HARMLESS },
	{ "VisualHostKey", FLAG, HARMLESS },
	{ "WarnWeakCrypto", ONE_OF("yes no no-pq-kex"), HARMLESS },
	{ "XAuthLocation", WORD, HARMLESS },

	/* Other names of the same, of which Debian has two. */
	{ "ChallengeResponseAuthentication", FLAG, HARMLESS },
	{ "DSAAuthentication", ONE_OF(KEYS),
	    REFUSED(SSH_PUBKEY, "yes unbound host-bound", NO_OTHER) },
	{ "HostbasedKeyTypes", WORD, HARMLESS },
	{ "IdentityFile2", IDENTITY, DONE(SSH_IDENTITY_FILE) },
	{ "KeepAlive", FLAG, HARMLESS },
	{ "ProtocolKeepAlives", TIME, DONE(SSH_ALIVE_INTERVAL) },
	{ "PubkeyAcceptedKeyTypes", WORD, HARMLESS },
	{ "SetupTimeOut", TIME, DONE(SSH_ALIVE_INTERVAL) },
	{ "SkeyAuthentication", FLAG, HARMLESS },
	{ "SmartcardDevice", WORD, REFUSED(SSH_PKCS11, "none", NO_TOKEN) },
	{ "TISAuthentication", FLAG, HARMLESS },

	/* What ssh itself passes over by now. */
	{ "AFSTokenPassing", WORDS, HARMLESS },
	{ "Cipher", WORDS, HARMLESS },
	{ "CompressionLevel", WORDS, HARMLESS },
	{ "FallBackToRsh", WORDS, HARMLESS },
	{ "GlobalKnownHostsFile2", WORDS, HARMLESS },
	{ "KerberosAuthentication", WORDS, HARMLESS },
	{ "KerberosTGTPassing", WORDS, HARMLESS },
	{ "Protocol", WORDS, HARMLESS },
	{ "RSAAuthentication", WORDS, HARMLESS },
	{ "RhostsAuthentication", WORDS, HARMLESS },
	{ "RhostsRSAAuthentication", WORDS, HARMLESS },
	{ "UsePrivilegedPort", WORDS, HARMLESS },
	{ "UseRoaming", WORDS, HARMLESS },
	{ "UseRsh", WORDS, HARMLESS },
	{ "UserKnownHostsFile2", WORDS, HARMLESS },

	/* Ours. */
	{ "ControlSocket", WORD, DONE(SSH_CONTROL_SOCKET) },
	{ "Discovery", WORD, DONE(SSH_DISCOVERY) },
	{ "DmsgServers", WORD, DONE(SSH_DMSG_SERVERS) },
	{ "Identity", IDENTITY, DONE(SSH_IDENTITY_FILE) },
	{ "Key", WORD, DONE(SSH_KEY) },
	{ "Standalone", FLAG, DONE(SSH_STANDALONE) },
	{ "VisorKey", FLAG, DONE(SSH_VISOR_KEY) },
	{ "RequirePQ", FLAG, DONE(SSH_REQUIRE_PQ) },
	{ "VisorRpc", WORD, DONE(SSH_VISOR_RPC) },
};

/* --- the flags of ssh(1) --- */

static const struct ssh_flag ssh_flags[] = {
	{ '1', false, FLAG_REFUSED, SSH_NONE, "there is no such protocol" },
	{ '2', false, FLAG_HARMLESS, SSH_NONE, NULL },
	{ '4', false, FLAG_LAST, SSH_ADDRESS_FAMILY, "inet" },
	{ '6', false, FLAG_LAST, SSH_ADDRESS_FAMILY, "inet6" },
	{ 'A', false, FLAG_LAST, SSH_FORWARD_AGENT, "yes" },
	{ 'B', true, FLAG_LAST, SSH_BIND_INTERFACE, NULL },
	{ 'C', false, FLAG_HARMLESS, SSH_NONE, NULL },
	{ 'D', true, FLAG_OWN, SSH_DYNAMIC_FORWARD, NULL },
	{ 'E', true, FLAG_OWN, SSH_NONE, NULL },
	{ 'F', true, FLAG_OWN, SSH_NONE, NULL },
	{ 'G', false, FLAG_OWN, SSH_NONE, NULL },
	{ 'I', true, FLAG_LAST, SSH_PKCS11, NULL },
	{ 'J', true, FLAG_OWN, SSH_PROXY_JUMP, NULL },
	{ 'K', false, FLAG_HARMLESS, SSH_NONE, NULL },
	{ 'L', true, FLAG_OWN, SSH_LOCAL_FORWARD, NULL },
	{ 'M', false, FLAG_LAST, SSH_CONTROL_MASTER, "yes" },
	{ 'N', false, FLAG_OWN, SSH_SESSION_TYPE, "none" },
	{ 'O', true, FLAG_OWN, SSH_NONE, NULL },
	{ 'P', true, FLAG_FIRST, SSH_TAG, NULL },
	{ 'Q', true, FLAG_REFUSED, SSH_NONE, "there is nothing to choose; the "
	    "connection is sealed by Noise_XK_secp256k1_ChaChaPoly_SHA256" },
	{ 'R', true, FLAG_OWN, SSH_REMOTE_FORWARD, NULL },
	{ 'S', true, FLAG_LAST, SSH_CONTROL_PATH, NULL },
	{ 'T', false, FLAG_LAST, SSH_REQUEST_TTY, "no" },
	{ 'V', false, FLAG_OWN, SSH_NONE, NULL },
	{ 'W', true, FLAG_OWN, SSH_NONE, NULL },
	{ 'X', false, FLAG_LAST, SSH_FORWARD_X11, "yes" },
	{ 'Y', false, FLAG_LAST, SSH_FORWARD_X11, "yes" },
	{ 'a', false, FLAG_LAST, SSH_FORWARD_AGENT, "no" },
	{ 'b', true, FLAG_LAST, SSH_BIND_ADDRESS, NULL },
	{ 'c', true, FLAG_HARMLESS, SSH_NONE, NULL },
	{ 'e', true, FLAG_LAST, SSH_ESCAPE, NULL },
	{ 'f', false, FLAG_OWN, SSH_FORK, "yes" },
	{ 'g', false, FLAG_LAST, SSH_GATEWAY_PORTS, "yes" },
	{ 'i', true, FLAG_OWN, SSH_IDENTITY_FILE, NULL },
	{ 'k', false, FLAG_HARMLESS, SSH_NONE, NULL },
	{ 'l', true, FLAG_FIRST, SSH_USER, NULL },
	{ 'm', true, FLAG_HARMLESS, SSH_NONE, NULL },
	{ 'n', false, FLAG_LAST, SSH_STDIN_NULL, "yes" },
	{ 'o', true, FLAG_OWN, SSH_NONE, NULL },
	{ 'p', true, FLAG_FIRST, SSH_PORT, NULL },
	{ 'q', false, FLAG_LAST, SSH_LOG_LEVEL, "QUIET" },
	{ 's', false, FLAG_OWN, SSH_SESSION_TYPE, "subsystem" },
	{ 't', false, FLAG_OWN, SSH_REQUEST_TTY, NULL },
	{ 'v', false, FLAG_OWN, SSH_LOG_LEVEL, NULL },
	{ 'w', true, FLAG_LAST, SSH_TUNNEL, "yes" },
	{ 'x', false, FLAG_LAST, SSH_FORWARD_X11, "no" },
	{ 'y', false, FLAG_OWN, SSH_NONE, NULL },
};
/* clang-format on */

const struct ssh_keyword *
ssh_keyword_at(size_t i)
{
	return i < SSH_TABLE_LENGTH(ssh_keywords) ? &ssh_keywords[i] : NULL;
}

const struct ssh_keyword *
ssh_keyword_find(const char *keyword)
{
	for (size_t i = 0; i < SSH_TABLE_LENGTH(ssh_keywords); i++)
		if (strcasecmp(ssh_keywords[i].keyword, keyword) == 0)
			return &ssh_keywords[i];
	return NULL;
}

const struct ssh_flag *
ssh_flag_find(int letter)
{
	for (size_t i = 0; i < SSH_TABLE_LENGTH(ssh_flags); i++)
		if (ssh_flags[i].letter == letter)
			return &ssh_flags[i];
	return NULL;
}

void
ssh_flag_letters(char letters[SSH_LETTERS_MAX])
{
	char *p = letters;

	*p++ = '+';
	*p++ = ':';
	for (size_t i = 0; i < SSH_TABLE_LENGTH(ssh_flags); i++) {
		*p++ = (char)ssh_flags[i].letter;
		if (ssh_flags[i].takes)
			*p++ = ':';
	}
	*p = '\0';
}
