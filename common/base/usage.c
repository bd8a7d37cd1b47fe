/* SPDX-License-Identifier: ISC */
/* What to tell somebody who mistyped a word or an option. */
#include "common/base/usage.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 40 /* nobody mistypes longer ones */

static unsigned
usage_least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters to add, drop, change or swap with the next; rows of a table. */
static unsigned
usage_distance(const char *a, const char *b)
{
	unsigned row[3][WORD_MAX + 1], cost;
	size_t n = strlen(a), m = strlen(b);

	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = row[i % 3], *last = row[(i + 2) % 3],
			 *before = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			cost = a[i - 1] != b[j - 1];
			now[j] = usage_least(last[j - 1] + cost,
			    usage_least(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = usage_least(now[j], before[j - 2] + 1);
		}
	}
	return row[n % 3][m];
}

/*
 * One slip in a short word, two in a long one: three make another word, and one
 * in two letters is no slip.
 */
void
usage_try(struct usage_near *near, const char *candidate)
{
	unsigned d = usage_distance(near->word, candidate);
	size_t n = strlen(near->word);

	if (d > 2 || d * 3 > n + (n > 2) ||
	    (near->best != NULL && d >= near->distance))
		return;
	near->best = candidate;
	near->distance = d;
}

/* Whether a long option was shortened to what several begin with. */
static bool
usage_ambiguous(const char *name, const struct option *list)
{
	size_t n = strlen(name), several = 0;

	for (; list != NULL && list->name != NULL; list++)
		if (strncmp(list->name, name, n) == 0)
			several++;
	return several > 1;
}

static void
usage_explain_long(char *text, const char *name, const struct option *list)
{
	struct usage_near near = { .word = name };

	if (*name != '\0' && usage_ambiguous(name, list)) {
		snprintf(text, USAGE_TEXT_MAX,
		    "option '--%s' may be short for several", name);
		return;
	}
	for (; list != NULL && list->name != NULL; list++)
		usage_try(&near, list->name);
	if (near.best != NULL)
		snprintf(text, USAGE_TEXT_MAX,
		    "unknown option '--%s'; did you mean '--%s'?", name,
		    near.best);
	else
		snprintf(text, USAGE_TEXT_MAX, "unknown option '--%s'", name);
}

void
usage_explain(char text[USAGE_TEXT_MAX], int opt, const char *word,
    const struct option *list)
{
	char name[USAGE_TEXT_MAX / 4];
	bool is_long = strncmp(word, "--", 2) == 0;

	snprintf(name, sizeof(name), "%.*s",
	    is_long ? (int)strcspn(word + 2, "=") : 0, is_long ? word + 2 : "");
	/* Of several letters in one word getopt tells which one it was. */
	if (opt == ':' && is_long)
		snprintf(text, USAGE_TEXT_MAX, "option '--%s' needs a value",
		    name);
	else if (opt == ':')
		snprintf(text, USAGE_TEXT_MAX, "option '-%c' needs a value",
		    optopt);
	else if (!is_long)
		snprintf(text, USAGE_TEXT_MAX, "unknown option '-%c'", optopt);
	else if (optopt != 0)
		snprintf(text, USAGE_TEXT_MAX, "option '--%s' takes no value",
		    name);
	else
		usage_explain_long(text, name, list);
}
