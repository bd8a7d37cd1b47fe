/* SPDX-License-Identifier: ISC */
/* What to tell somebody who mistyped a word or an option. */
#ifndef COMMON_BASE_USAGE_H
#define COMMON_BASE_USAGE_H

#include <getopt.h>
#include <stddef.h>

#define USAGE_TEXT_MAX 512

/* The nearest of the words that usage_try was given; begin with { word }. */
struct usage_near {
	const char *word;
	const char *best;  /* borrowed; NULL: none is near enough */
	unsigned distance; /* of best: letters too many, too few, wrong, swapped
			    */
};

/*
 * Takes candidate, borrowed, if it is nearer than the best so far and near
 * enough for a slip.
 */
void usage_try(struct usage_near *, const char *candidate);

/*
 * Why getopt_long(3) has given '?' or ':', with opterr 0 and ':' among the
 * first of its letters: an unknown option, and which one was meant, a value
 * that is missing, or one too many.  word is the argument that it has come to,
 * as it was given; list may be NULL.
 */
void usage_explain(char text[USAGE_TEXT_MAX], int opt, const char *word,
    const struct option *list);

#endif
