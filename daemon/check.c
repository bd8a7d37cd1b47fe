/* SPDX-License-Identifier: ISC */
/* skyptyd check: what would be served, for whom, and how confined. */
#include "daemon/skyptyd.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/sandbox.h"

#define PROBE_NOFILE 256

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
check_confinement(const struct settings *s, FILE *out, bool verbose)
{
	char buf[4096];
	ssize_t n;
	int p[2], status;
	pid_t pid;

	if (s->drop && settings_chroot_dir() == -1 && !s->conf.best_effort)
		return -1;
	if (pipe(p) == -1 || (pid = fork()) == -1)
		return -1;
	if (pid == 0) {
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

static void
print_keys(const struct key_public *wl, size_t n)
{
	char text[KEY_PUBLIC_HEX];

	for (size_t i = 0; i < n; i++) {
		key_text(&wl[i], text);
		printf("    %s\n", text);
	}
}

static bool
listed(const struct key_public *wl, size_t n, const struct key_public *pk)
{
	for (size_t i = 0; i < n; i++)
		if (key_equal(&wl[i], pk))
			return true;
	return false;
}

static int
check_peer(const struct settings *s, struct keyctx *ctx, const char *text)
{
	struct key_public pk;
	bool ok;

	if (key_parse_public(ctx, text, &pk) != 0) {
		fprintf(stderr, "skyptyd: --peer %s: not a public key\n", text);
		return EXIT_USAGE;
	}
	ok = listed(s->wl, s->nwl, &pk) ||
	    listed(s->conf.wl, s->conf.nwl, &pk) || key_equal(&pk, &s->pk);
	printf("%s would be %s\n", text, ok ? "let in" : "refused");
	return ok ? 0 : 1;
}

int
check_main(const struct options *o, struct settings *s, struct keyctx *ctx)
{
	char text[KEY_PUBLIC_HEX];

	if (o->check_peer != NULL)
		return check_peer(s, ctx, o->check_peer);
	key_text(&s->pk, text);
	printf("identity        %s\n", text);
	printf("configuration   %s\n",
	    *s->conf_path != '\0' ? s->conf_path : "none");
	printf("listen          %s\n",
	    *s->listen != '\0' ? s->listen : "nowhere");
	printf("control socket  %s\n", s->control ? s->conf.cliaddr : "none");
	printf("files by        %s%s\n",
	    *s->sftp_server != '\0' ? s->sftp_server : "nothing",
	    s->conf.sftp_readonly ? ", read-only" : "");
	printf("limits          maxstartups %u:%u:%u, maxperkey %u, "
	       "maxperaddr %u, handshake_timeout %u\n",
	    s->conf.maxstartups.begin, s->conf.maxstartups.rate,
	    s->conf.maxstartups.full, s->conf.maxperkey, s->conf.maxperaddr,
	    s->conf.handshake_timeout);
	printf("let in          the host's own key and %zu more\n",
	    s->nwl + s->conf.nwl);
	print_keys(s->wl, s->nwl);
	print_keys(s->conf.wl, s->conf.nwl);
	printf("confinement     %s, of %s\n",
	    s->conf.best_effort ? "best effort" : "strict",
	    s->drop ? s->conf.privsep_user : "this user");
	fflush(stdout);
	switch (check_confinement(s, stdout, true)) {
	case 0:
		return 0;
	case -1:
		fputs("skyptyd: confinement could not be tried\n", stderr);
		return EXIT_OS;
	}
	return s->conf.best_effort ? 0 : EXIT_OS;
}
