/* SPDX-License-Identifier: ISC */
/* skypty-ssh -G: what counts of all that was said, as ssh prints it. */
#include "client/dest.h"
#include "client/forward/forward_spec.h"
#include "client/options.h"
#include "client/ssh/ssh_dest.h"
#include "client/ssh/ssh_opts.h"

#include <stdio.h>
#include <string.h>

#include "common/pty/keys.h"

static const struct {
	enum ssh_name name;
	const char *keyword;
	const char *otherwise; /* what counts if it was not said; NULL: none */
} lines[] = {
	{ SSH_ADDRESS_FAMILY, "addressfamily", "any" },
	{ SSH_BATCH_MODE, "batchmode", "no" },
	{ SSH_BIND_ADDRESS, "bindaddress", NULL },
	{ SSH_BIND_INTERFACE, "bindinterface", NULL },
	{ SSH_CLEAR_FORWARDINGS, "clearallforwardings", "no" },
	{ SSH_CONNECTION_ATTEMPTS, "connectionattempts", "1" },
	{ SSH_CONNECT_TIMEOUT, "connecttimeout", "none" },
	{ SSH_CONTROL_MASTER, "controlmaster", "no" },
	{ SSH_CONTROL_PATH, "controlpath", NULL },
	{ SSH_CONTROL_PERSIST, "controlpersist", "no" },
	{ SSH_ESCAPE, "escapechar", "~" },
	{ SSH_EXIT_ON_FAILURE, "exitonforwardfailure", "no" },
	{ SSH_FORK, "forkafterauthentication", "no" },
	{ SSH_GATEWAY_PORTS, "gatewayports", "no" },
	{ SSH_HOST_KEY_ALIAS, "hostkeyalias", NULL },
	{ SSH_IDENTITIES_ONLY, "identitiesonly", "no" },
	{ SSH_IDENTITY_AGENT, "identityagent", NULL },
	{ SSH_LOCAL_COMMAND, "localcommand", NULL },
	{ SSH_LOG_LEVEL, "loglevel", "INFO" },
	{ SSH_OBSCURE, "obscurekeystroketiming", "yes" },
	{ SSH_PERMIT_LOCAL, "permitlocalcommand", "no" },
	{ SSH_PROXY_COMMAND, "proxycommand", NULL },
	{ SSH_PROXY_JUMP, "proxyjump", NULL },
	{ SSH_REMOTE_COMMAND, "remotecommand", NULL },
	{ SSH_REQUEST_TTY, "requesttty", "auto" },
	{ SSH_ALIVE_COUNT, "serveralivecountmax", "3" },
	{ SSH_ALIVE_INTERVAL, "serveraliveinterval", "0" },
	{ SSH_SESSION_TYPE, "sessiontype", "default" },
	{ SSH_STDIN_NULL, "stdinnull", "no" },
	{ SSH_UNLINK_SOCKETS, "streamlocalbindunlink", "no" },
	{ SSH_FACILITY, "syslogfacility", "USER" },
	{ SSH_TAG, "tag", NULL },
	{ SSH_CONTROL_SOCKET, "controlsocket", NULL },
	{ SSH_DISCOVERY, "discovery", NULL },
	{ SSH_DMSG_SERVERS, "dmsgservers", NULL },
	{ SSH_STANDALONE, "standalone", "no" },
	{ SSH_VISOR_KEY, "visorkey", "yes" },
	{ SSH_REQUIRE_PQ, "requirepq", "no" },
	{ SSH_VISOR_RPC, "visorrpc", NULL },
};

static void
ssh_print_texts(const char *keyword, const struct ssh_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		printf("%s %s\n", keyword, texts->text[i]);
}

/* "[host]:port", a path, or the port alone where no address was given. */
static void
ssh_print_place(const struct mux_place *p, bool listens)
{
	if (p->is_path)
		printf(" %s", p->name);
	else if (listens && strcmp(p->name, FORWARD_LOOPBACK) == 0)
		printf(" %u", p->port);
	else
		printf(" [%s]:%u", *p->name != '\0' ? p->name : "*", p->port);
}

static void
ssh_print_forwards(const struct ssh_opts *o)
{
	const struct ssh_texts *texts = &o->forwards;
	struct forward_spec s;

	if (ssh_opts_yes(o, SSH_CLEAR_FORWARDINGS))
		return;
	for (size_t i = 0; i < texts->n; i++) {
		const char *text = texts->text[i];

		(void)forward_spec_parse(&s, (enum forward_way) * text,
		    text + 1, false);
		fputs(s.way == FORWARD_LOCAL	? "localforward" :
			s.way == FORWARD_REMOTE ? "remoteforward" :
						  "dynamicforward",
		    stdout);
		ssh_print_place(&s.listen, true);
		if (s.way != FORWARD_DYNAMIC)
			ssh_print_place(&s.connect, false);
		putchar('\n');
	}
}

void
ssh_print(const struct ssh_dest *to, const struct ssh_opts *opts,
    const struct client_options *o)
{
	const char *text, *login = ssh_opts_text(opts, SSH_USER);
	const struct dest *d = &o->dest;
	char pk[KEY_PUBLIC_HEX];

	key_text(&d->pk, pk);
	printf("host %s\nuser %s\nkey %s\nhostname %s\n", to->host,
	    login != NULL ? login : pk, pk,
	    d->kind == DEST_TCP ? d->host : to->host);
	if (d->kind == DEST_TCP)
		printf("port %s\n", d->port);
	else
		printf("port %u\n", d->dmsg_port);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		/* "none" is said as well, and no command. */
		text = lines[i].name == SSH_PROXY_COMMAND ?
		    ssh_opts_proxy(opts) :
		    lines[i].name == SSH_PROXY_JUMP ?
		    ssh_opts_jump(opts) :
		    ssh_opts_text(opts, lines[i].name);
		if (text == NULL)
			text = lines[i].otherwise;
		if (text != NULL)
			printf("%s %s\n", lines[i].keyword, text);
	}
	ssh_print_texts("identityfile", &opts->identities);
	ssh_print_texts("sendenv", &opts->send_env);
	ssh_print_texts("setenv", &opts->set_env);
	ssh_print_forwards(opts);
}
