/* SPDX-License-Identifier: ISC */
/*
 * Whether a key that is claimed stands on one of the lists, as far as that
 * decides whose bucket a connection takes from.  Whether it is let in, its
 * monitor finds out when the key is proven.
 */
#include "daemon/listener.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

static void
listed_forget(struct listed_file *f)
{
	free(f->pk);
	f->pk = NULL;
	f->n = f->room = 0;
}

/* Whether there is something else at path than there was. */
static bool
listed_changed(struct listed_file *f, const char *path)
{
	uint8_t stamp[PKS_STAMP_LEN] = { 0 };

	if (path != NULL && *path != '\0')
		pks_stamp(path, stamp);
	if (memcmp(stamp, f->stamp, sizeof(stamp)) == 0)
		return false;
	memcpy(f->stamp, stamp, sizeof(stamp));
	return true;
}

/* What is wrong with the file each monitor says. */
static void
listed_read_wl(struct listed_file *f, const struct listener *s)
{
	const char *path = s->set->conf_path;

	if (!listed_changed(f, path))
		return;
	listed_forget(f);
	if (path != NULL && *path != '\0' &&
	    config_read_wl(s->keyctx, path, &f->pk, &f->n, NULL) != 0)
		listed_forget(f);
}

/* --- authorized_pks and revoked_pks --- */

static int
listed_add(struct listed_file *f, const struct key_public *pk)
{
	size_t room = f->room != 0 ? 2 * f->room : 64;
	struct key_public *grown;

	if (f->n == f->room) {
		if ((grown = reallocarray(f->pk, room, sizeof(*grown))) == NULL)
			return -1;
		f->pk = grown;
		f->room = room;
	}
	f->pk[f->n++] = *pk;
	return 0;
}

/* Of a line whatever its options are: the key behind them. */
static int
listed_on_line(void *arg, const struct pks_at *at, const char *text, size_t n,
    const char *why)
{
	const char *comment, *end;
	struct key_public pk;

	(void)at, (void)n;
	if (why != NULL)
		return 0;
	text += strspn(text, " \t");
	if (*text == '#')
		return 0;
	if (pks_parse_key(text, &pk, &comment) != 1 &&
	    ((end = pks_skip_options(text)) == NULL ||
		pks_parse_key(end + strspn(end, " \t"), &pk, &comment) != 1))
		return 0;
	return listed_add(arg, &pk);
}

static int
listed_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct key_public));
}

static void
listed_read_pks(struct listed_file *f, const char *path, bool table)
{
	const struct pks_scan scan = { .on_line = listed_on_line, .arg = f };
	int r;

	if (!listed_changed(f, path))
		return;
	listed_forget(f);
	r = table ? pks_read_table(&scan, path, false) :
		    pks_read_file(&scan, path, path, false);
	if (r == SKY_ERR_AGAIN)
		memset(f->stamp, 0xff, sizeof(f->stamp)); /* once more, then */
	else if (r != 0)
		listed_forget(f);
	if (f->n != 0)
		qsort(f->pk, f->n, sizeof(*f->pk), listed_order);
}

static bool
listed_in(const struct listed_file *f, const struct key_public *pk)
{
	return f->n != 0 &&
	    bsearch(pk, f->pk, f->n, sizeof(*pk), listed_order) != NULL;
}

bool
listed_has(struct listed *l, const struct listener *s,
    const struct key_public *pk)
{
	const struct settings *set = s->set;

	listed_read_pks(&l->revoked, set->revoked, false);
	if (listed_in(&l->revoked, pk))
		return false;
	listed_read_pks(&l->authorized, set->authorized, true);
	listed_read_wl(&l->wl, s);
	return listed_in(&l->authorized, pk) ||
	    key_listed(l->wl.pk, l->wl.n, pk) ||
	    key_listed(set->wl, set->nwl, pk) || key_equal(&set->pk, pk);
}
