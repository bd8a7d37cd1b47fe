/* SPDX-License-Identifier: ISC */
/* skypty sftp: OpenSSH's sftp over our connection. */
#include "client/commands.h"
#include "client/complain.h"
#include "client/dest.h"
#include "client/exits.h"
#include "client/hosts.h"
#include "client/options.h"
#include "client/ssh/ssh_opts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/paths.h"
#include "common/base/process.h"
#include "common/pty/keys.h"

#define ARGS_MAX 256

struct sftp_cmd {
	char *argv[ARGS_MAX + 1];
	size_t n;
	bool full;
};

static void
sftp_cmd_add(struct sftp_cmd *c, const char *word)
{
	if (c->n == ARGS_MAX || (c->argv[c->n] = strdup(word)) == NULL)
		c->full = true;
	else
		c->n++;
}

/*
 * A key given by flag goes on in a file without a name: an argument would be
 * seen by everybody.  Where ssh has tokens and homes, our -i has a file as it
 * is called.
 */
static int
sftp_cmd_add_identity(struct sftp_cmd *c, const struct client_options *o)
{
	char *text, *word = NULL;
	size_t n;
	int fd, r = -1;

	if (o->sk != NULL && *o->sk != '\0') {
		n = strlen(o->sk);
		if ((fd = memfd_create("identity", 0)) != -1 &&
		    fchmod(fd, 0600) == 0 && write(fd, o->sk, n) == (ssize_t)n)
			r = asprintf(&word, "/proc/self/fd/%d", fd);
	} else if (o->identity != NULL) {
		if ((text = ssh_with_each(o->identity, "%", '%')) != NULL)
			r = asprintf(&word, "%s%s",
			    *o->identity == '~' ? "./" : "", text);
		free(text);
	} else
		return 0;
	if (r == -1)
		return EXIT_FAILED;
	sftp_cmd_add(c, "-i");
	sftp_cmd_add(c, word);
	free(word);
	return 0;
}

/*
 * "sftp://pk@host:port": sftp itself takes it apart again, but for addresses of
 * IPv6, which it knows in its older form only: -P port pk@[host].
 */
static int
sftp_cmd_add_dest(struct sftp_cmd *c, const struct client_options *o)
{
	char pk[KEY_PUBLIC_HEX], *word;
	const char *host = o->dest.host;
	bool v6 = strchr(host, ':') != NULL;
	int r;

	key_text(&o->dest.pk, pk);
	if (o->dest.kind == DEST_DMSG)
		r = asprintf(&word, "sftp://%s:%u", pk, o->dest.dmsg_port);
	else if (v6)
		r = asprintf(&word, "%s@[%s]", pk, host);
	else
		r = asprintf(&word, "sftp://%s@%s:%s", pk, host, o->dest.port);
	if (r == -1)
		return EXIT_FAILED;
	if (o->dest.kind == DEST_TCP && v6) {
		sftp_cmd_add(c, "-P");
		sftp_cmd_add(c, o->dest.port);
	}
	sftp_cmd_add(c, word);
	free(word);
	return 0;
}

static void
sftp_cmd_add_option(struct sftp_cmd *c, const char *name, const char *value)
{
	char *text = NULL;

	if (value == NULL || asprintf(&text, "-o%s=%s", name, value) == -1)
		c->full = true;
	else
		sftp_cmd_add(c, text);
	free(text);
}

/* As one word, whatever is in it. */
static void
sftp_cmd_add_value(struct sftp_cmd *c, const char *name, const char *value)
{
	char *quoted;

	if (value == NULL)
		return;
	quoted = ssh_quoted(value);
	sftp_cmd_add_option(c, name, quoted);
	free(quoted);
}

/*
 * The way to the host, or that there is none: the name that sftp hands on may
 * be another one of the file.  It has no tokens any more.
 */
static void
sftp_cmd_add_proxy(struct sftp_cmd *c, const char *proxy)
{
	char *text =
	    proxy != NULL ? ssh_with_each(proxy, "%", '%') : strdup("none");

	sftp_cmd_add_option(c, "ProxyCommand", text);
	free(text);
}

static int
sftp_cmd_add_words(struct sftp_cmd *c, const struct client_options *o)
{
	char program[PROCESS_PATH_MAX];
	int r;

	/* The program that takes ssh's command line. */
	if (process_companion(program, sizeof(program), "skypty-ssh", ".",
		BINDIR) != 0) {
		complain("skypty-ssh is neither beside this program nor in %s",
		    BINDIR);
		return EXIT_FAILED;
	}
	sftp_cmd_add(c, "sftp");
	sftp_cmd_add(c, "-S");
	sftp_cmd_add(c, program);
	if (o->quiet)
		sftp_cmd_add(c, "-q");
	if (o->verbose)
		sftp_cmd_add(c, "-v");
	if ((r = sftp_cmd_add_identity(c, o)) != 0)
		return r;
	sftp_cmd_add_value(c, "User", o->user);
	sftp_cmd_add_value(c, "Discovery", o->dmsgdisc);
	sftp_cmd_add_value(c, "DmsgServers", o->dmsg_servers);
	sftp_cmd_add_value(c, "ControlSocket", o->cliaddr);
	sftp_cmd_add_value(c, "VisorRpc", o->rpc);
	sftp_cmd_add_proxy(c, o->how.proxy);
	if (o->standalone)
		sftp_cmd_add(c, "-oStandalone=yes");
	if (!o->visor_key)
		sftp_cmd_add(c, "-oVisorKey=no");
	for (char **w = o->command; *w != NULL; w++)
		sftp_cmd_add(c, *w);
	if ((r = sftp_cmd_add_dest(c, o)) != 0)
		return r;
	if (!c->full)
		return 0;
	complain("too many options of sftp");
	return EXIT_USAGE;
}

int
sftp_main(int argc, char **argv)
{
	struct sftp_cmd c = { .n = 0 };
	struct client_options o;
	struct keyctx *ctx;
	int r;

	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	r = options_parse(&o, ctx, STYLE_SFTP, argv[0], argc, argv);
	if (r == 0 && o.dest.kind == DEST_LOCAL) {
		complain("sftp needs a destination: skypty sftp "
			 "<pk>@host[:port]");
		r = EXIT_USAGE;
	}
	if (r == 0 && (r = sftp_cmd_add_words(&c, &o)) == 0) {
		execvp(c.argv[0], c.argv);
		if (errno == ENOENT)
			complain("there is no sftp program here; on Debian it "
				 "is in the package openssh-client ('skypty "
				 "cp' needs none)");
		else
			complain("sftp: %s", strerror(errno));
		r = EXIT_FAILED;
	}
	for (size_t i = 0; i < c.n; i++)
		free(c.argv[i]);
	hosts_free(&o.alias);
	offer_free(&o.agents);
	keyctx_free(ctx);
	return r;
}
