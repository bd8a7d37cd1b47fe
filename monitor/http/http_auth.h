/* SPDX-License-Identifier: ISC */
/*
 * Which browsers have been let in to skyptyd http.  The http monitor alone
 * knows it: the confined process shows it what a browser has shown.
 */
#ifndef MONITOR_HTTP_HTTP_AUTH_H
#define MONITOR_HTTP_HTTP_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/rate.h"
#include "common/privsep/http_conf.h"

#define AUTH_COOKIES 64
#define AUTH_LINES   5 /* a minute, of wrong tokens */

struct auth {
	uint8_t token[32]; /* SHA-256 */
	bool token_good;   /* not used yet */
	struct {
		uint8_t hash[32];
		int64_t until; /* seconds; 0: free */
	} cookie[AUTH_COOKIES];
	struct rate_span lines; /* by the minute */
};

/* A new token; an older one that was not used is void. */
void auth_new_token(struct auth *, const uint8_t hash[32]);
/*
 * Takes a token, once, for a cookie that is good for ttl seconds.  A right one
 * is always taken: nobody guesses 256 bits, and whoever tries must not keep
 * out the one who knows.  now: seconds, from 1 on.
 */
bool auth_enter(struct auth *, const uint8_t token[HTTP_TOKEN_LEN], int64_t now,
    int64_t ttl, uint8_t cookie[HTTP_TOKEN_LEN]);
bool auth_cookie(const struct auth *, const uint8_t cookie[HTTP_TOKEN_LEN],
    int64_t now);
/* No token and no cookie is good any more. */
void auth_forget(struct auth *);
/*
 * Whether one more wrong token is to be logged: 2 yes, 1 as the last one for
 * this minute, 0 no.
 */
int auth_line(struct auth *, int64_t now);

#endif
