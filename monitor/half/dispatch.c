/* SPDX-License-Identifier: ISC */
/*
 * One request of a confined child against the table: one that is not in it, or
 * not in the phase it needs, or without the grant it needs, or longer or
 * shorter than it can be, or too often, ends the child.  So does one whose
 * handler finds it malformed.  Of some there may be so many at once, and who
 * asks for more is told.
 */
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "monitor/half/half.h"
#include "monitor/half/request.h"

/* Its row's number; that of rows if it is in none. */
static size_t
request_find(const struct requests *all, uint16_t type)
{
	size_t i = 0;

	while (i < all->n && all->row[i].type != type)
		i++;
	return i;
}

static bool
request_is_full(const struct half *h, const struct request *r)
{
	return r->alive.count != NULL && r->alive.count(h) >= r->alive.max;
}

/* NULL if the request may be carried out, else why not. */
static const char *
request_objection(const struct half *h, const struct request *r,
    const struct request_count *c, size_t len)
{
	if (!(r->phases & h->phase))
		return "not in this phase";
	if ((r->grant & h->grants) != r->grant)
		return "not granted";
	if (len < r->min)
		return "too short";
	if (len > r->max)
		return "too long";
	if (r->times != 0 && c->times >= r->times)
		return "too often";
	if (r->alive.above == ABOVE_ENDS && request_is_full(h, r))
		return "too many at once";
	return NULL;
}

/* 0 if there is nothing more to be done about it, else SKY_ERR_DENIED. */
static int
request_above(const struct half *h, const struct request *r,
    const struct request_count *c)
{
	if (r->rate.above == ABOVE_ENDS) {
		log_warn("%s: request %s refused: more than %u in %u s",
		    h->role->child, r->name, r->rate.max, r->rate.seconds);
		return SKY_ERR_DENIED;
	}
	if (r->rate.above == ABOVE_TELLS && c->rate.n == r->rate.max + 1)
		log_warn("%s: %s more than %u times in %u s: the rest is "
			 "dropped",
		    h->role->child, r->name, r->rate.max, r->rate.seconds);
	return 0;
}

int
half_dispatch(struct half *h, struct privmsg *msg)
{
	const struct requests *all = h->role->requests;
	size_t i = request_find(all, msg->type);
	const struct request *req;
	struct request_count *c;
	const char *why;
	int r;

	if (i == all->n) {
		log_warn("%s: request %u refused: unknown", h->role->child,
		    msg->type);
		return SKY_ERR_DENIED;
	}
	req = &all->row[i];
	c = &h->count[i];
	why = request_objection(h, req, c, buf_len(&msg->body));
	if (why != NULL) {
		log_warn("%s: request %s refused: %s", h->role->child,
		    req->name, why);
		return SKY_ERR_DENIED;
	}
	if (req->rate.max != 0 &&
	    rate_count(&c->rate, now_ms(), req->rate.seconds * INT64_C(1000)) >
		req->rate.max)
		return request_above(h, req, c);
	if (request_is_full(h, req)) {
		half_answer_why(h, msg, "too many at once on this connection");
		return 0;
	}
	if (req->times != 0)
		c->times++;
	if ((r = req->handle(h, msg)) != 0) {
		log_warn("%s: request %s refused: %s", h->role->child,
		    req->name, err_text(r));
		return SKY_ERR_DENIED;
	}
	return 0;
}
