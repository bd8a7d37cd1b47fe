/* SPDX-License-Identifier: ISC */
/*
 * How often something may be.  Times are of a clock that only goes forward, in
 * a unit that is the caller's.
 *
 * Either it is counted, and begins anew in each span of time: exact within one,
 * but around its end there may be twice as many.  Or each one makes a debt that
 * time pays off, a bucket of tokens (GCRA): so many at once, then one a while.
 */
#ifndef COMMON_BASE_RATE_H
#define COMMON_BASE_RATE_H

#include <stdint.h>

struct rate_span {
	int64_t number; /* of the span, since the clock's zero */
	unsigned n;	/* in it */
};

/* One more.  How many there are in this span, this one among them. */
unsigned rate_count(struct rate_span *, int64_t now, int64_t length);

/* A debt is the time at which it is paid off.  What there is of it, or 0. */
int64_t rate_owed(int64_t debt, int64_t now);
/* Makes it greater by that much. */
void rate_owe(int64_t *debt, int64_t now, int64_t much);

#endif
