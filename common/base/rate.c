/* SPDX-License-Identifier: ISC */
/* How often something may be: see rate.h. */
#include "common/base/rate.h"

unsigned
rate_count(struct rate_span *r, int64_t now, int64_t length)
{
	int64_t number = now / length;

	if (number != r->number)
		*r = (struct rate_span){ .number = number };
	return ++r->n;
}

int64_t
rate_owed(int64_t debt, int64_t now)
{
	return debt > now ? debt - now : 0;
}

void
rate_owe(int64_t *debt, int64_t now, int64_t much)
{
	if (*debt < now)
		*debt = now;
	*debt += much;
}
