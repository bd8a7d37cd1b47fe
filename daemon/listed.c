/* SPDX-License-Identifier: ISC */
/*
 * Whether a key that is claimed stands on the whitelist, as far as that decides
 * whose bucket a connection takes from.  Whether it is let in, its monitor
 * finds out when the key is proven.
 */
#include "daemon/listener.h"

#include <stdlib.h>
#include <string.h>

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
is_changed(const struct stat *a, const struct stat *b)
{
	return a->st_dev != b->st_dev || a->st_ino != b->st_ino ||
	    a->st_size != b->st_size || !same_time(&a->st_mtim, &b->st_mtim) ||
	    !same_time(&a->st_ctim, &b->st_ctim);
}

/* What is wrong with the file each monitor says. */
static void
read_again(struct listed *l, const struct listener *s)
{
	const char *path = s->set->conf_path;
	struct stat st = { 0 };

	if (path == NULL || *path == '\0' || stat(path, &st) == -1)
		memset(&st, 0, sizeof(st));
	if (!is_changed(&st, &l->file))
		return;
	l->file = st;
	free(l->wl);
	l->wl = NULL;
	l->nwl = 0;
	if (st.st_ino != 0 &&
	    config_read_wl(s->keyctx, path, &l->wl, &l->nwl, NULL) != 0) {
		l->wl = NULL;
		l->nwl = 0;
	}
}

bool
listed_has(struct listed *l, const struct listener *s,
    const struct key_public *pk)
{
	read_again(l, s);
	return key_listed(l->wl, l->nwl, pk) ||
	    key_listed(s->set->wl, s->set->nwl, pk) ||
	    key_equal(&s->set->pk, pk);
}
