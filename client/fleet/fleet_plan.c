/* SPDX-License-Identifier: ISC */
/* In which order the hosts have their turn, and how many at a time. */
#include "client/complain.h"
#include "client/exits.h"
#include "client/fleet/fleet.h"

#include <stdlib.h>
#include <string.h>

/* splitmix64: the same seed gives the same order everywhere. */
static uint64_t
plan_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int
plan_compare(const void *a, const void *b)
{
	const struct fleet_host *p = a, *q = b;

	return strverscmp(p->dest, q->dest);
}

static void
plan_swap(struct fleet_host *a, struct fleet_host *b)
{
	struct fleet_host keep = *a;

	*a = *b;
	*b = keep;
}

void
fleet_plan_order(struct fleet_hosts *hosts, const struct fleet_flags *flags)
{
	uint64_t state = flags->seed;
	size_t n = hosts->n;

	switch (flags->order) {
	case ORDER_SORTED:
		qsort(hosts->host, n, sizeof(*hosts->host), plan_compare);
		break;
	case ORDER_REVERSE:
		for (size_t i = 0; i < n / 2; i++)
			plan_swap(&hosts->host[i], &hosts->host[n - 1 - i]);
		break;
	case ORDER_RANDOM:
		for (size_t i = n; i > 1; i--)
			plan_swap(&hosts->host[i - 1],
			    &hosts->host[plan_random(&state) % i]);
		break;
	case ORDER_LISTED:
		break;
	}
}

/* What is not quite a whole host by rounding alone is one. */
#define ROUNDING 1e-9

size_t
fleet_plan_share_down(const struct fleet_share *s, size_t hosts)
{
	double n =
	    s->percent ? s->value * (double)hosts / 100 + ROUNDING : s->value;

	return n >= (double)hosts ? hosts : (size_t)n;
}

/* A part is rounded up: 1% of ten hosts is one. */
static size_t
plan_share(const struct fleet_share *s, size_t hosts)
{
	double n =
	    s->percent ? s->value * (double)hosts / 100 - ROUNDING : s->value;

	if (n >= (double)hosts)
		return hosts;
	return s->percent && n > (double)(size_t)n ? (size_t)n + 1 : (size_t)n;
}

static void
plan_add(struct fleet_plan *p, size_t end)
{
	if (p->nbatch == 0 || end > p->end[p->nbatch - 1])
		p->end[p->nbatch++] = end;
}

/*
 * Each step says how far the run has come when its batch is done; from the last
 * one on the way is as long as between the last two.
 */
int
fleet_plan_batches(struct fleet_plan *p, size_t hosts,
    const struct fleet_flags *f)
{
	size_t before = 0, last = 0, end;

	p->nbatch = 0;
	if ((p->end = calloc(hosts + 1, sizeof(*p->end))) == NULL) {
		complain("out of memory");
		return EXIT_FAILED;
	}
	if (f->canary != 0)
		plan_add(p, f->canary < hosts ? f->canary : hosts);
	for (size_t i = 0; i < f->nstep; i++) {
		end = plan_share(&f->step[i], hosts);
		if (end == 0 || (end < last && last < hosts)) {
			complain("--batch: each of its steps goes farther than "
				 "the one before; of %zu hosts these are %zu "
				 "and %zu",
			    hosts, last, end);
			return EXIT_USAGE;
		}
		before = last;
		last = end;
		plan_add(p, end);
	}
	while (last != 0 && last > before &&
	    p->end[p->nbatch - 1] + (last - before) < hosts)
		plan_add(p, p->end[p->nbatch - 1] + (last - before));
	plan_add(p, hosts);
	return 0;
}
