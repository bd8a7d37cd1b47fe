/* SPDX-License-Identifier: ISC */
/* skypty sftp: OpenSSH's sftp over our connection. */
#include "client/skypty.h"
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

#define ARGS_MAX 256

struct command {
	char *argv[ARGS_MAX + 1];
	size_t n;
	bool full;
};

static void
add(struct command *c, const char *word)
{
	if (c->n == ARGS_MAX || (c->argv[c->n] = strdup(word)) == NULL)
		c->full = true;
	else
		c->n++;
}

/*
 * A key given by flag goes on in a file without a name: an argument would be
 * seen by everybody.
 */
static int
key_file(const char *sk, char path[32])
{
	size_t n = strlen(sk);
	int fd;

	if ((fd = memfd_create("identity", 0)) == -1 ||
	    fchmod(fd, 0600) == -1 || write(fd, sk, n) != (ssize_t)n)
		return EXIT_FAILED;
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return 0;
}

/* Where the program is that takes ssh's command line. */
static int
ssh_program(char *path, size_t len)
{
	if (process_companion(path, len, "skypty-ssh", ".", BINDIR) == 0)
		return 0;
	complain("skypty-ssh is neither beside this program nor in %s", BINDIR);
	return EXIT_FAILED;
}

/* Where ssh has tokens and homes, our -i has a file as it is called. */
static int
add_file(struct command *c, const char *path)
{
	char *text = ssh_with_each(path, "%", '%'), *word = NULL;
	int r;

	if (text == NULL)
		return EXIT_FAILED;
	r = asprintf(&word, "%s%s", *path == '~' ? "./" : "", text);
	free(text);
	if (r == -1)
		return EXIT_FAILED;
	add(c, "-i");
	add(c, word);
	free(word);
	return 0;
}

static int
add_identity(struct command *c, const struct options *o)
{
	char path[32];
	int r;

	if (o->sk != NULL && *o->sk != '\0') {
		if ((r = key_file(o->sk, path)) != 0)
			return r;
		add(c, "-i");
		add(c, path);
	} else if (o->identity != NULL)
		return add_file(c, o->identity);
	return 0;
}

/*
 * "sftp://pk@host:port": sftp itself takes it apart again, but for addresses of
 * IPv6, which it knows in its older form only: -P port pk@[host].
 */
static int
add_dest(struct command *c, const struct options *o)
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
		add(c, "-P");
		add(c, o->dest.port);
	}
	add(c, word);
	free(word);
	return 0;
}

static void
add_option(struct command *c, const char *name, const char *value)
{
	char *text = NULL;

	if (value == NULL || asprintf(&text, "-o%s=%s", name, value) == -1)
		c->full = true;
	else
		add(c, text);
	free(text);
}

/* As one word, whatever is in it. */
static void
add_value(struct command *c, const char *name, const char *value)
{
	char *quoted;

	if (value == NULL)
		return;
	quoted = ssh_quoted(value);
	add_option(c, name, quoted);
	free(quoted);
}

/*
 * The way to the host, or that there is none: the name that sftp hands on may
 * be another one of the file.  It has no tokens any more.
 */
static void
add_proxy(struct command *c, const char *proxy)
{
	char *text =
	    proxy != NULL ? ssh_with_each(proxy, "%", '%') : strdup("none");

	add_option(c, "ProxyCommand", text);
	free(text);
}

static int
add_words(struct command *c, const struct options *o)
{
	char program[PROCESS_PATH_MAX];
	int r;

	if ((r = ssh_program(program, sizeof(program))) != 0)
		return r;
	add(c, "sftp");
	add(c, "-S");
	add(c, program);
	if (o->quiet)
		add(c, "-q");
	if (o->verbose)
		add(c, "-v");
	if ((r = add_identity(c, o)) != 0)
		return r;
	add_value(c, "Discovery", o->dmsgdisc);
	add_value(c, "DmsgServers", o->dmsg_servers);
	add_value(c, "ControlSocket", o->cliaddr);
	add_value(c, "VisorRpc", o->rpc);
	add_proxy(c, o->how.proxy);
	if (o->standalone)
		add(c, "-oStandalone=yes");
	if (!o->visor_key)
		add(c, "-oVisorKey=no");
	for (char **w = o->command; *w != NULL; w++)
		add(c, *w);
	if ((r = add_dest(c, o)) != 0)
		return r;
	if (!c->full)
		return 0;
	complain("too many options of sftp");
	return EXIT_USAGE;
}

static int
execute(struct command *c)
{
	execvp(c->argv[0], c->argv);
	if (errno == ENOENT)
		complain("there is no sftp program here; on Debian it is in "
			 "the package openssh-client ('skypty cp' needs "
			 "none)");
	else
		complain("sftp: %s", strerror(errno));
	return EXIT_FAILED;
}

static int
run(const struct options *o)
{
	struct command c = { .n = 0 };
	int r;

	if (o->dest.kind == DEST_LOCAL) {
		complain("sftp needs a destination: skypty sftp "
			 "<pk>@host[:port]");
		return EXIT_USAGE;
	}
	if ((r = add_words(&c, o)) == 0)
		r = execute(&c);
	for (size_t i = 0; i < c.n; i++)
		free(c.argv[i]);
	return r;
}

int
sftp_main(int argc, char **argv)
{
	struct options o;
	struct keyctx *ctx;
	int r;

	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	if ((r = options_parse(&o, ctx, STYLE_FILES, argc, argv)) == 0)
		r = run(&o);
	hosts_free(&o.alias);
	keyctx_free(ctx);
	return r;
}
