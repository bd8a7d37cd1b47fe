/* SPDX-License-Identifier: ISC */
/*
 * Who has been let in.  A token is for one exchange, a cookie for a while; of
 * both only hashes are kept, and compared in constant time.
 */
#include "monitor/http/http_auth.h"

#include <sodium.h>
#include <string.h>

#define MINUTE 60

void
auth_new_token(struct auth *a, const uint8_t hash[32])
{
	memcpy(a->token, hash, sizeof(a->token));
	a->token_good = true;
}

/* The oldest makes room. */
static void
auth_keep(struct auth *a, const uint8_t hash[32], int64_t until)
{
	size_t slot = 0;

	for (size_t i = 1; i < AUTH_COOKIES; i++)
		if (a->cookie[i].until < a->cookie[slot].until)
			slot = i;
	memcpy(a->cookie[slot].hash, hash, 32);
	a->cookie[slot].until = until;
}

bool
auth_enter(struct auth *a, const uint8_t token[HTTP_TOKEN_LEN], int64_t now,
    int64_t ttl, uint8_t cookie[HTTP_TOKEN_LEN])
{
	uint8_t hash[32];

	crypto_hash_sha256(hash, token, HTTP_TOKEN_LEN);
	if (sodium_memcmp(hash, a->token, sizeof(hash)) != 0 || !a->token_good)
		return false;
	a->token_good = false;
	randombytes_buf(cookie, HTTP_TOKEN_LEN);
	crypto_hash_sha256(hash, cookie, HTTP_TOKEN_LEN);
	auth_keep(a, hash, now + ttl);
	return true;
}

bool
auth_cookie(const struct auth *a, const uint8_t cookie[HTTP_TOKEN_LEN],
    int64_t now)
{
	uint8_t hash[32];
	bool found = false;

	crypto_hash_sha256(hash, cookie, HTTP_TOKEN_LEN);
	for (size_t i = 0; i < AUTH_COOKIES; i++)
		found |=
		    sodium_memcmp(hash, a->cookie[i].hash, sizeof(hash)) == 0 &&
		    a->cookie[i].until > now;
	return found;
}

void
auth_forget(struct auth *a)
{
	sodium_memzero(a, sizeof(*a));
}

int
auth_line(struct auth *a, int64_t now)
{
	unsigned n = rate_count(&a->lines, now, MINUTE);

	if (n > AUTH_LINES)
		return 0;
	return n == AUTH_LINES ? 1 : 2;
}
