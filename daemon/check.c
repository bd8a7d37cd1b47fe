/* SPDX-License-Identifier: ISC */
/* skyptyd check: what would be served, for whom, and how confined. */
#include "daemon/limits.h"
#include "daemon/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/paths.h"
#include "common/base/process.h"
#include "common/base/visible.h"
#include "common/privsep/chroot_dir.h"
#include "common/privsep/sandbox.h"
#include "common/privsep/sockets.h"

#define PROBE_NOFILE	256
#define CHECK_PRINT_MAX (4U << 20)

struct trial {
	int fd;
	bool verbose; /* every step, not only those that fail */
	int failed;
};

static void
print_step(void *arg, const char *step, const char *detail, int error)
{
	struct trial *t = arg;
	char line[256];
	int n;

	if (error != 0)
		t->failed++;
	else if (!t->verbose)
		return;
	n = snprintf(line, sizeof(line), "    %-21s %s%s%s%s\n", step,
	    error == 0 ? "ok" : "FAILED: ", error == 0 ? "" : strerror(error),
	    *detail != '\0' ? ", " : "", detail);
	if (n > 0 && (size_t)n < sizeof(line) &&
	    write(t->fd, line, (size_t)n) != n)
		_exit(1);
}

/* In a process of its own, as nobody gets out of it again. */
static void
try_in_child(const struct settings *s, int fd, bool verbose)
{
	struct trial t = { .fd = fd, .verbose = verbose };
	struct sandbox sb = { .drop = s->drop,
		.best_effort = true,
		.root = CHROOT_DIR,
		.uid = s->uid,
		.gid = s->gid,
		.nofile = PROBE_NOFILE };

	(void)sandbox_enter(&sb, print_step, &t);
	_exit(t.failed);
}

int
check_chroot(const struct settings *s)
{
	int r;

	if (!s->drop || (r = chroot_dir_make()) == 0)
		return 0;
	log_error("%s: %s", CHROOT_DIR, chroot_dir_text(r));
	return s->conf.best_effort ? 0 : -1;
}

int
check_confinement(const struct settings *s, FILE *out, bool verbose)
{
	char buf[4096];
	ssize_t n;
	int p[2], status, r;
	pid_t pid;

	if (check_chroot(s) == -1)
		return -1;
	if (pipe(p) == -1)
		return -1;
	if ((r = process_fork(&pid)) == -1) {
		close(p[0]);
		close(p[1]);
		return -1;
	}
	if (r == 0) {
		close(p[0]);
		try_in_child(s, p[1], verbose);
	}
	close(p[1]);
	while ((n = read(p[0], buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, out);
	close(p[0]);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* The file's, and what flags or standard input add to them. */
static void
check_print_keys(const struct settings *s)
{
	const struct key_public *wl = s->conf.wl;
	char text[KEY_PUBLIC_HEX];
	size_t more = 0;

	for (size_t i = 0; i < s->nwl; i++)
		if (!key_listed(wl, s->conf.nwl, &s->wl[i]) &&
		    !key_listed(s->wl, i, &s->wl[i]))
			more++;
	printf("let in          the host's own key and %zu more\n",
	    s->conf.nwl + more);
	for (size_t i = 0; i < s->conf.nwl; i++) {
		key_text(&wl[i], text);
		printf("    %s%s\n", text,
		    key_listed(s->wl, s->nwl, &wl[i]) ?
			", also by a flag or standard input" :
			"");
	}
	for (size_t i = 0; i < s->nwl; i++)
		if (!key_listed(wl, s->conf.nwl, &s->wl[i]) &&
		    !key_listed(s->wl, i, &s->wl[i])) {
			key_text(&s->wl[i], text);
			printf("    %s, by a flag or standard input\n", text);
		}
}

static int
check_peer(const struct settings *s, struct keyctx *ctx, const char *text)
{
	struct key_public pk;
	bool ok;

	if (key_parse_public(ctx, text, &pk) != 0) {
		visible_line(stderr, "skyptyd: --peer %s: " KEY_WANTED, text);
		return EXIT_USAGE;
	}
	ok = check_key_lets_in(s, ctx, &pk);
	visible_line(stdout, "%s would be %s", text, ok ? "let in" : "refused");
	return ok ? 0 : 1;
}

static const char *
check_path(const char *path)
{
	return *path != '\0' ? path : "none";
}

static void
check_complain(void *arg, bool fatal, const char *text)
{
	(void)arg, (void)fatal;
	visible_line(stderr, "skyptyd: %s", text);
}

/* The tables, each line of them. */
static int
check_tables(const struct settings *s, struct keyctx *ctx)
{
	const struct config_report report = { .say = check_complain };
	struct tables_sum sum;

	tables_check(s, ctx, &report, SIZE_MAX, &sum);
	visible_line(stdout, "authorized_pks  %s", check_path(s->authorized));
	visible_line(stdout, "revoked_pks     %s", check_path(s->revoked));
	printf("    %zu lines with keys, %zu revoked keys, %zu lines of no "
	       "use\n",
	    sum.keys, sum.revoked, sum.useless);
	if (sum.unreadable)
		puts("    nobody is let in: see the messages");
	return sum.unreadable || sum.useless != 0 ? EXIT_CONFIG : 0;
}

/* As sshd -T: a configuration that says all of it, but for the secret key. */
static int
check_print_all(const struct settings *s)
{
	struct config c = s->conf;
	struct buf b;
	int r;

	c.pk = s->pk;
	c.pam = s->pam;
	c.ssh_listen = s->listen;
	c.sftp_server = (char *)(uintptr_t)check_path(s->sftp_server);
	c.authorized_pks = (char *)(uintptr_t)check_path(s->authorized);
	c.revoked_pks = (char *)(uintptr_t)check_path(s->revoked);
	c.dmsg_servers = s->dmsg_servers;
	c.wl = calloc(s->nwl + s->conf.nwl + 1, sizeof(*c.wl));
	buf_init(&b, CHECK_PRINT_MAX);
	r = c.wl != NULL ? 0 : SKY_ERR_NOMEM;
	for (size_t i = c.nwl = 0; r == 0 && i < s->nwl + s->conf.nwl; i++) {
		const struct key_public *pk =
		    i < s->nwl ? &s->wl[i] : &s->conf.wl[i - s->nwl];

		if (!key_listed(c.wl, c.nwl, pk))
			c.wl[c.nwl++] = *pk;
	}
	if (r == 0 && (r = config_show(&b, &c)) == 0)
		fwrite(buf_ptr(&b), 1, buf_len(&b), stdout);
	buf_free(&b);
	free(c.wl);
	return r == 0 && fflush(stdout) == 0 ? 0 : EXIT_OS;
}

static void
check_print_penalties(const struct config *c)
{
	char text[CONFIG_PENALTIES_TEXT];

	config_print_penalties(&c->penalties, text);
	printf("penalties       %s\n", text);
	printf("                penalty_blocks %u:%u, %zu exempt\n",
	    c->penalty_blocks.v4, c->penalty_blocks.v6, c->npenalty_exempt);
}

/* All of it, and whether it would work. */
static int
check_report(const struct skyptyd_options *o, struct settings *s,
    struct keyctx *ctx)
{
	char text[KEY_PUBLIC_HEX];
	int lists;

	key_text(&s->pk, text);
	printf("identity        %s\n", text);
	if (*s->conf.sk_file != '\0')
		visible_line(stdout, "secret key      %s", s->conf.sk_file);
	visible_line(stdout, "configuration   %s",
	    *s->conf_path != '\0' ? s->conf_path : "none");
	visible_line(stdout, "listen          %s",
	    *s->listen != '\0'	    ? s->listen :
		o->mode == MODE_ANY ? "nowhere; tcp and host: :" SOCKETS_PORT :
				      "nowhere");
	if (o->mode == MODE_DMSG && s->dmsg)
		visible_line(stdout, "discovery       %s", s->conf.dmsgdisc);
	visible_line(stdout, "control socket  %s",
	    s->control ? s->conf.cliaddr : "none");
	visible_line(stdout, "files by        %s%s",
	    *s->sftp_server != '\0' ? s->sftp_server : "nothing",
	    s->conf.sftp_readonly ? ", read-only" : "");
	visible_line(stdout, "recordings      %s%s",
	    *s->record != '\0' ? s->record : "none",
	    *s->conf.record != '\0' ? ", of all terminals" :
		*s->record != '\0'  ? ", of keys with record" :
				      "");
	printf("accounts        %s\n",
	    s->pam ? "by PAM, \"skypty\"" : "without PAM");
	printf("limits          maxstartups %u:%u:%u, maxperkey %u, "
	       "maxperaddr %u, handshake_timeout %u\n",
	    s->conf.maxstartups.begin, s->conf.maxstartups.rate,
	    s->conf.maxstartups.full, s->conf.maxperkey, s->conf.maxperaddr,
	    s->conf.handshake_timeout);
	printf("                startuprate %u:%u:%u, netblocks %u:%u\n",
	    s->conf.startuprate.origin, s->conf.startuprate.network,
	    s->conf.startuprate.all, s->conf.netblocks.v4,
	    s->conf.netblocks.v6);
	printf("                maxperrelay %u, startup_memory %u MiB: %u "
	       "unauthenticated, and as many over dmsg\n",
	    s->conf.maxperrelay, s->conf.startup_memory, limits_full(&s->conf));
	check_print_penalties(&s->conf);
	check_print_keys(s);
	lists = check_tables(s, ctx);
	visible_line(stdout, "confinement     %s, of %s",
	    s->conf.best_effort ? "best effort" : "strict",
	    s->drop ? s->conf.privsep_user : "this user");
	fflush(stdout);
	switch (check_confinement(s, stdout, true)) {
	case 0:
		return lists;
	case -1:
		fputs("skyptyd: confinement could not be tried\n", stderr);
		return EXIT_OS;
	}
	return s->conf.best_effort ? lists : EXIT_OS;
}

int
check_main(const struct skyptyd_options *o, struct settings *s,
    struct keyctx *ctx)
{
	if (o->mode != MODE_ANY && *s->listen == '\0' && !s->dmsg) {
		fputs("skyptyd: nowhere to listen: there is neither --addr nor "
		      "\"ssh_listen\"\n",
		    stderr);
		return EXIT_CONFIG;
	}
	if (o->mode != MODE_ANY && sockets_check(s->listen, log_at) != 0)
		return EXIT_OS;
	if (o->check_print)
		return check_print_all(s);
	if (o->check_peer != NULL)
		return check_peer(s, ctx, o->check_peer);
	if (o->check_key != NULL)
		return check_key(o, s, ctx);
	return check_report(o, s, ctx);
}
