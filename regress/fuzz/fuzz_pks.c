/* SPDX-License-Identifier: ISC */
/*
 * authorized_pks and revoked_pks: whatever is in them, a line that is found by
 * its key alone is found among all, and none of them grants what there is not.
 */
#include "regress/fuzz/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/err.h"
#include "common/privsep/pks.h"

#define INPUT_MAX 8192
#define LINES_MAX 4096
#define PK_TEXT \
	"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

static int file = -1;
static char path[64];
static struct key_public pk;
static struct keyctx *keyctx;

/* The lines of the key, by whatever way. */
struct found {
	unsigned long line[LINES_MAX];
	size_t n;
};

static void
check_line(const struct pks_line *l)
{
	static const struct rights_peer peers[] = { { .carrier = PRIV_KK },
		{ .carrier = PRIV_XK } };
	char why[RIGHTS_WHY_MAX];
	const struct rights *r = &l->rights;

	require((r->grants & ~(uint32_t)PRIV_GRANTS_KEY) == 0);
	require(!r->full && r->rule == NULL && r->comment != NULL);
	require(r->command == NULL || (r->grants & PRIV_GRANT_EXEC));
	require(r->nuser <= PKS_LIST_MAX && r->nenv <= PKS_LIST_MAX);
	for (size_t i = 0; i < r->nuser; i++)
		require(*r->user[i] != '\0' &&
		    strpbrk(r->user[i], ":/, \t") == NULL);
	for (size_t i = 0; i < r->nenv; i++)
		require(strchr(r->env[i], '=') != NULL);
	require(r->sftp_root == NULL || *r->sftp_root == '/');
	for (size_t i = 0; i < 2; i++)
		(void)pks_holds(l, &peers[i], why, sizeof(why));
}

static int
on_line(void *arg, const struct pks_at *at, const char *text, size_t n,
    const char *why)
{
	struct found *f = arg;
	char reason[RIGHTS_WHY_MAX] = "";
	struct pks_line l;
	struct key_public other;
	int r;

	require(at->line != 0);
	if (why != NULL)
		return 0;
	require(strlen(text) <= n);
	r = pks_parse(&l, text, n, reason, sizeof(reason));
	require(r == 1 || r == 0 || r == SKY_ERR_FORMAT);
	require((r < 0) == (*reason != '\0'));
	if (r == 1) {
		check_line(&l);
		if (key_equal(&l.pk, &pk) && f->n < LINES_MAX)
			f->line[f->n++] = at->line;
	}
	if (r >= 0)
		pks_free(&l);
	r = pks_parse_revoked(text, n, &other);
	require(r == 1 || r == 0 || r == SKY_ERR_FORMAT);
	return 0;
}

static int
scan(struct found *f, const struct key_public *only)
{
	const struct pks_scan scan = { .pk = only,
		.on_line = on_line,
		.arg = f };

	f->n = 0;
	return pks_read_file(&scan, path, "fuzz", true);
}

/* What is asked of each connection, with these bytes as either file. */
static void
decide(bool revoked)
{
	const struct rights_files files = { .conf = "",
		.authorized = revoked ? "" : path,
		.revoked = revoked ? path : "",
		.own = &pk };
	const struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x0a010203) };
	const struct rights_peer peer = { .pk = &pk,
		.addr = (const struct sockaddr *)&in,
		.carrier = PRIV_XK,
		.now = 1800000000 };
	char why[RIGHTS_WHY_MAX];
	struct rights r;
	int e = rights_find(keyctx, &files, &peer, &r, why, sizeof(why));

	require((e == 0) == (r.rule != NULL));
	require(e == 0 || (r.grants == 0 && *why != '\0'));
	require(!revoked || e != 0 || r.full);
	rights_free(&r);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	require((keyctx = keyctx_new()) != NULL);
	require(key_parse_public(keyctx, PK_TEXT, &pk) == 0);
	require((file = memfd_create("pks", 0)) != -1);
	require(fchmod(file, 0600) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	require(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1) == 0);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct found all, some;

	if (n > INPUT_MAX)
		return 0;
	require(ftruncate(file, 0) == 0);
	require(pwrite(file, data, n, 0) == (ssize_t)n);
	require(scan(&all, NULL) == 0 && scan(&some, &pk) == 0);
	require(all.n == some.n);
	require(memcmp(all.line, some.line, all.n * sizeof(*all.line)) == 0);
	decide(false);
	decide(true);
	return 0;
}
