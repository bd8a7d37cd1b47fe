/* SPDX-License-Identifier: ISC */
/* What a key may do here. */
#include "common/privsep/rights.h"

#include <stdlib.h>
#include <string.h>

static void
rights_free_texts(char **texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

static void
rights_free_permits(struct rights_permit *permits, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(permits[i].host);
	free(permits);
}

void
rights_free(struct rights *r)
{
	rights_free_texts(r->user, r->nuser);
	rights_free_texts(r->env, r->nenv);
	rights_free_permits(r->open, r->nopen);
	rights_free_permits(r->listen, r->nlisten);
	free(r->command);
	free(r->sftp_root);
	free(r->comment);
	free(r->rule);
	memset(r, 0, sizeof(*r));
}
