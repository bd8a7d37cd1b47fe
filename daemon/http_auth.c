/* SPDX-License-Identifier: ISC */
/*
 * Who has been let in.  A token is for one exchange, a cookie for a while; of
 * both only hashes are kept, and compared in constant time.
 */
#include "daemon/http.h"

#include <sodium.h>
#include <string.h>

#include "common/hex.h"

#define MINUTE	    60
#define PEER_TRIES  5  /* wrong tokens of one address in a minute */
#define TOTAL_TRIES 30 /* of all */

void
auth_init(struct auth *a, const uint8_t token[32], const uint8_t seed[32])
{
	memset(a, 0, sizeof(*a));
	memcpy(a->seed, seed, sizeof(a->seed));
	auth_new_token(a, token);
}

void
auth_new_token(struct auth *a, const uint8_t hash[32])
{
	memcpy(a->token, hash, sizeof(a->token));
	a->token_good = true;
}

/* The system's generator is out of reach; a seed of it serves. */
static void
fresh(struct auth *a, uint8_t out[WEB_TOKEN_LEN])
{
	uint8_t block[32 + WEB_TOKEN_LEN];

	randombytes_buf_deterministic(block, sizeof(block), a->seed);
	memcpy(a->seed, block, sizeof(a->seed));
	memcpy(out, block + 32, WEB_TOKEN_LEN);
	sodium_memzero(block, sizeof(block));
}

/* Text of WEB_TOKEN_LEN bytes in hexadecimal, hashed. */
static bool
hash_text(const char *text, uint8_t hash[32])
{
	uint8_t raw[WEB_TOKEN_LEN];
	bool ok = hex_decode(text, raw, sizeof(raw)) == 0;

	if (ok)
		crypto_hash_sha256(hash, raw, sizeof(raw));
	sodium_memzero(raw, sizeof(raw));
	return ok;
}

/* --- too often --- */

static size_t
peer_slot(struct auth *a, const char *address, int64_t now)
{
	size_t oldest = 0;

	for (size_t i = 0; i < AUTH_PEERS; i++) {
		if (strcmp(a->peer[i].address, address) == 0)
			return i;
		if (a->peer[i].since < a->peer[oldest].since)
			oldest = i;
	}
	strlcpy(a->peer[oldest].address, address,
	    sizeof(a->peer[oldest].address));
	a->peer[oldest].failed = 0;
	a->peer[oldest].since = now;
	return oldest;
}

static bool
may_try(struct auth *a, size_t peer, int64_t now)
{
	if (now - a->since >= MINUTE) {
		a->since = now;
		a->failed = 0;
	}
	if (now - a->peer[peer].since >= MINUTE) {
		a->peer[peer].since = now;
		a->peer[peer].failed = 0;
	}
	return a->failed < TOTAL_TRIES && a->peer[peer].failed < PEER_TRIES;
}

/* --- */

/* The oldest makes room. */
static void
keep(struct auth *a, const uint8_t hash[32], int64_t until)
{
	size_t slot = 0;

	for (size_t i = 1; i < AUTH_COOKIES; i++)
		if (a->cookie[i].until < a->cookie[slot].until)
			slot = i;
	memcpy(a->cookie[slot].hash, hash, 32);
	a->cookie[slot].until = until;
}

bool
auth_take_token(struct auth *a, const char *token, const char *address,
    int64_t now, int64_t ttl, char cookie[AUTH_COOKIE_LEN])
{
	size_t peer = peer_slot(a, address, now);
	uint8_t hash[32], raw[WEB_TOKEN_LEN];

	if (!may_try(a, peer, now))
		return false;
	if (!hash_text(token, hash) || !a->token_good ||
	    sodium_memcmp(hash, a->token, sizeof(hash)) != 0) {
		a->failed++;
		a->peer[peer].failed++;
		return false;
	}
	a->token_good = false;
	fresh(a, raw);
	crypto_hash_sha256(hash, raw, sizeof(raw));
	keep(a, hash, now + ttl);
	hex_encode(raw, sizeof(raw), cookie);
	sodium_memzero(raw, sizeof(raw));
	return true;
}

bool
auth_cookie(const struct auth *a, const char *cookie, int64_t now)
{
	uint8_t hash[32];
	bool found = false;

	if (!hash_text(cookie, hash))
		return false;
	for (size_t i = 0; i < AUTH_COOKIES; i++)
		found |= a->cookie[i].until > now &&
		    sodium_memcmp(hash, a->cookie[i].hash, 32) == 0;
	return found;
}
