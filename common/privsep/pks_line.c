/* SPDX-License-Identifier: ISC */
/* One line of authorized_pks or revoked_pks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/privsep/pks.h"

#define BLANKS	   " \t"
#define BLANKS_END " \t\r" /* a CRLF's first half, too */
#define HEX_DIGITS "0123456789abcdefABCDEF"
#define LIKE_A_KEY 60 /* so many digits are no option's name */

int
pks_parse_key(const char *text, struct key_public *pk, const char **comment)
{
	size_t n = strcspn(text, BLANKS_END);
	char hex[KEY_PUBLIC_HEX];

	if (n != sizeof(hex) - 1)
		return SKY_ERR_FORMAT;
	memcpy(hex, text, n);
	hex[n] = '\0';
	if (hex_decode(hex, pk->b, sizeof(pk->b)) != 0 ||
	    (pk->b[0] != 2 && pk->b[0] != 3)) {
		memset(pk, 0, sizeof(*pk));
		return SKY_ERR_FORMAT;
	}
	*comment = text + n + strspn(text + n, BLANKS);
	return 1;
}

int
pks_parse_revoked(const char *text, size_t n, struct key_public *pk)
{
	const char *comment;

	if (memchr(text, '\0', n) != NULL)
		return SKY_ERR_FORMAT;
	text += strspn(text, BLANKS_END);
	if (*text == '\0' || *text == '#')
		return 0;
	return pks_parse_key(text, pk, &comment);
}

const char *
pks_skip_options(const char *text)
{
	bool quoted = false;

	for (; *text != '\0' && (quoted || strchr(BLANKS, *text) == NULL);
	     text++)
		if (*text == '\\' && text[1] == '"')
			text++;
		else if (*text == '"')
			quoted = !quoted;
	return quoted ? NULL : text;
}

/* Key and comment behind the options. */
static int
pks_line_end(struct pks_line *l, const char *text, char *why, size_t n)
{
	const char *comment;

	if (pks_parse_key(text, &l->pk, &comment) != 1) {
		snprintf(why, n, "%s",
		    *text == '\0' ? "no public key behind the options" :
				    PKS_NO_KEY);
		return SKY_ERR_FORMAT;
	}
	if ((l->rights.comment = strdup(comment)) == NULL) {
		strlcpy(why, "out of memory", n);
		return SKY_ERR_NOMEM;
	}
	return 1;
}

/* A word that is meant to be a key, right or wrong. */
static bool
pks_line_has_key_first(const char *text)
{
	size_t n = strcspn(text, BLANKS);

	return n >= LIKE_A_KEY && strspn(text, HEX_DIGITS) == n;
}

static int
pks_line_parse(struct pks_line *l, char *text, char *why, size_t n)
{
	const char *skipped;
	char *end;
	int r;

	if (pks_line_has_key_first(text)) {
		if ((r = pks_line_end(l, text, why, n)) == 1 &&
		    (r = pks_options(l, NULL, why, n)) == 0)
			r = 1;
		return r;
	}
	if ((skipped = pks_skip_options(text)) == NULL) {
		strlcpy(why, "a quote is not closed", n);
		return SKY_ERR_FORMAT;
	}
	end = text + (skipped - text);
	/* The key first: whatever is wrong, the line is about it. */
	if ((r = pks_line_end(l, end + strspn(end, BLANKS), why, n)) != 1)
		return r;
	*end = '\0';
	return (r = pks_options(l, text, why, n)) == 0 ? 1 : r;
}

/* Without blanks at both ends, and without the CR of a CRLF. */
static size_t
pks_line_trim(const char **text, size_t n)
{
	while (n > 0 && strchr(BLANKS, **text) != NULL && **text != '\0') {
		++*text;
		n--;
	}
	if (n > 0 && (*text)[n - 1] == '\r')
		n--;
	while (n > 0 && (*text)[n - 1] != '\0' &&
	    strchr(BLANKS, (*text)[n - 1]) != NULL)
		n--;
	return n;
}

int
pks_parse(struct pks_line *l, const char *text, size_t n, char *why,
    size_t whylen)
{
	char *copy;
	int r;

	memset(l, 0, sizeof(*l));
	n = pks_line_trim(&text, n);
	if (n == 0 || *text == '#')
		return 0;
	if (memchr(text, '\0', n) != NULL) {
		strlcpy(why, "a NUL byte", whylen);
		return SKY_ERR_FORMAT;
	}
	if ((copy = strndup(text, n)) == NULL) {
		strlcpy(why, "out of memory", whylen);
		return SKY_ERR_NOMEM;
	}
	r = pks_line_parse(l, copy, why, whylen);
	free(copy);
	if (r < 0) {
		const struct key_public pk = l->pk;

		pks_free(l);
		l->pk = pk;
	}
	return r;
}

void
pks_free(struct pks_line *l)
{
	rights_free(&l->rights);
	free(l->from);
	memset(l, 0, sizeof(*l));
}

bool
pks_holds(const struct pks_line *l, const struct rights_peer *peer, char *why,
    size_t n)
{
	char name[PKS_PEER_MAX], when[PKS_TIME_MAX];

	if (l->from != NULL && !pks_from_matches(l->from, peer)) {
		pks_from_name(peer, name);
		snprintf(why, n, "its from= does not let in from %s", name);
		return false;
	}
	if (l->has_begin && peer->now < l->begin) {
		pks_time_text(l->begin, when);
		snprintf(why, n, "it is not valid before %s", when);
		return false;
	}
	if (l->has_end && peer->now >= l->end) {
		pks_time_text(l->end, when);
		snprintf(why, n, "it expired at %s", when);
		return false;
	}
	return true;
}
