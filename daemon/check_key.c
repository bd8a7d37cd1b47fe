/* SPDX-License-Identifier: ISC */
/* skyptyd check --key: what would become of a connection, and why. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/visible.h"
#include "daemon/tables.h"

static const struct {
	const char *name;
	uint32_t grant;
} names[] = {
	{ "pty", PRIV_GRANT_PTY },
	{ "exec", PRIV_GRANT_EXEC },
	{ "sftp", PRIV_GRANT_SFTP },
	{ "forwarding", PRIV_GRANT_FORWARD },
	{ "detach", PRIV_GRANT_DETACH },
};

static void
check_key_complain(void *arg, bool fatal, const char *text)
{
	(void)arg, (void)fatal;
	visible_line(stderr, "skyptyd: %s", text);
}

static const struct config_report report = { .say = check_key_complain };

/* "dmsg", "local", or an address.  Without one it is local. */
static int
check_key_from(const char *from, struct sockaddr_storage *ss,
    struct rights_peer *peer)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	peer->carrier = PRIV_XK;
	if (strcmp(from, "local") == 0)
		return 0;
	if (strcmp(from, "dmsg") == 0) {
		peer->carrier = PRIV_KK;
		return 0;
	}
	memset(ss, 0, sizeof(*ss));
	peer->addr = (const struct sockaddr *)ss;
	ss->ss_family = AF_INET;
	if (inet_pton(AF_INET, from, &in->sin_addr) == 1)
		return 0;
	ss->ss_family = AF_INET6;
	if (inet_pton(AF_INET6, from, &in6->sin6_addr) == 1)
		return 0;
	visible_line(stderr,
	    "skyptyd: --from %s: neither an address nor dmsg or local", from);
	return EXIT_USAGE;
}

static void
check_key_print_permits(const char *what, const struct rights_permit *p,
    size_t n)
{
	char port[8];

	for (size_t i = 0; i < n; i++) {
		snprintf(port, sizeof(port), "%u", p[i].port);
		visible_line(stdout, "%-15s %s port %s", what, p[i].host,
		    p[i].port != 0 ? port : "any");
	}
}

static void
check_key_print(const struct rights *r)
{
	if (*r->comment != '\0')
		visible_line(stdout, "comment         %s", r->comment);
	printf("may            ");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (r->grants & names[i].grant)
			printf(" %s", names[i].name);
	printf("%s\n", r->grants == 0 ? " nothing" : "");
	if (r->nuser == 0)
		puts("user            the one that skyptyd runs as");
	for (size_t i = 0; i < r->nuser; i++)
		visible_line(stdout, "user            %s%s", r->user[i],
		    i == 0 && r->nuser > 1 ? ", by default" : "");
	if (r->command != NULL)
		visible_line(stdout, "command         %s", r->command);
	for (size_t i = 0; i < r->nenv; i++)
		visible_line(stdout, "environment     %s", r->env[i]);
	if (r->sftp_root != NULL)
		visible_line(stdout, "sftp-root       %s", r->sftp_root);
	if (r->sftp_readonly)
		puts("sftp-readonly   yes");
	check_key_print_permits("permitopen", r->open, r->nopen);
	check_key_print_permits("permitlisten", r->listen, r->nlisten);
	if (r->max_sessions != 0)
		printf("max-sessions    %u\n", r->max_sessions);
	if (r->idle_timeout != 0)
		printf("idle-timeout    %u\n", r->idle_timeout);
	if (r->record_input)
		puts("record          yes, what is typed as well");
	else if (r->record)
		puts("record          yes");
	if (r->verbose)
		puts("verbose         yes");
}

/* Whether a session of these rights may be that account's. */
static bool
check_key_may_be(const struct rights *r, const char *user)
{
	const struct passwd *pw;

	if (r->nuser == 0)
		return (pw = getpwuid(geteuid())) != NULL &&
		    strcmp(pw->pw_name, user) == 0;
	for (size_t i = 0; i < r->nuser; i++)
		if (strcmp(r->user[i], user) == 0)
			return true;
	return false;
}

static int
check_key_told(const struct skyptyd_options *o, const struct rights *r, int e,
    const char *why)
{
	if (e == 0 && o->check_user != NULL &&
	    !check_key_may_be(r, o->check_user)) {
		visible_line(stdout, "decided by      %s", r->rule);
		visible_line(stdout,
		    "refused         as %s: the key may not be that account",
		    o->check_user);
		return 1;
	}
	if (e != 0) {
		visible_line(stdout, "refused         %s", why);
		return e == SKY_ERR_DENIED ? 1 : EXIT_CONFIG;
	}
	visible_line(stdout, "let in by       %s", r->rule);
	check_key_print(r);
	return 0;
}

int
check_key(const struct skyptyd_options *o, const struct settings *s,
    struct keyctx *ctx)
{
	const struct rights_files files = tables_files(s, &report);
	const char *from = o->check_from != NULL ? o->check_from : "local";
	struct rights_peer peer = { .now = time(NULL) };
	char text[KEY_PUBLIC_HEX], why[RIGHTS_WHY_MAX];
	struct sockaddr_storage ss;
	struct key_public pk;
	struct rights r;
	int e;

	if (key_parse_public(ctx, o->check_key, &pk) != 0) {
		visible_line(stderr, "skyptyd: --key %s: " KEY_WANTED,
		    o->check_key);
		return EXIT_USAGE;
	}
	peer.pk = &pk;
	if ((e = check_key_from(from, &ss, &peer)) != 0)
		return e;
	key_text(&pk, text);
	printf("key             %s\nfrom            %s\n", text, from);
	e = rights_find(ctx, &files, &peer, &r, why, sizeof(why));
	e = check_key_told(o, &r, e, why);
	rights_free(&r);
	return e;
}

/* --peer asks for no more than this. */
bool
check_key_lets_in(const struct settings *s, struct keyctx *ctx,
    const struct key_public *pk)
{
	const struct rights_files files = tables_files(s, &report);
	const struct rights_peer peer = { .pk = pk,
		.carrier = PRIV_XK,
		.now = time(NULL) };
	char why[RIGHTS_WHY_MAX];
	struct rights r;
	int e = rights_find(ctx, &files, &peer, &r, why, sizeof(why));

	rights_free(&r);
	return e == 0;
}
