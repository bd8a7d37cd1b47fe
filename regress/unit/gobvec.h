/* SPDX-License-Identifier: ISC */
/* Bytes for the tests of gob and rpc: from hex text and from vector files. */
#ifndef REGRESS_UNIT_GOBVEC_H
#define REGRESS_UNIT_GOBVEC_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory of exactly n bytes, so that a sanitizer sees what reads beyond. */
struct blob {
	uint8_t *p;
	size_t n;
};

static inline struct blob
blob_new(const void *p, size_t n)
{
	struct blob b = { .p = malloc(n == 0 ? 1 : n), .n = n };

	if (b.p == NULL)
		abort();
	if (n != 0)
		memcpy(b.p, p, n);
	return b;
}

static inline void
blob_add(struct blob *b, const void *p, size_t n)
{
	if ((b->p = realloc(b->p, b->n + n + 1)) == NULL)
		abort();
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

/* Reads pairs of digits, up to what is none; blanks are passed over. */
static inline struct blob
blob_hex(const char *text)
{
	struct blob b = blob_new(NULL, 0);
	unsigned v;
	uint8_t byte;

	for (;;) {
		text += strspn(text, " ");
		if (sscanf(text, "%2x", &v) != 1 || strlen(text) < 2)
			return b;
		byte = (uint8_t)v;
		blob_add(&b, &byte, 1);
		text += 2;
	}
}

/* The bytes of one direction, "c>s" or "s>c", of a vector file. */
static inline struct blob
blob_vector(const char *name, const char *direction)
{
	const char *dir = getenv("SKYPTY_VECTORS");
	struct blob all = blob_new(NULL, 0), line;
	char path[4096], text[65536];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s",
	    dir != NULL ? dir : "regress/vectors", name);
	if ((f = fopen(path, "r")) == NULL) {
		perror(path);
		abort();
	}
	while (fgets(text, sizeof(text), f) != NULL) {
		if (strncmp(text, direction, 3) != 0)
			continue;
		line = blob_hex(text + 4);
		blob_add(&all, line.p, line.n);
		free(line.p);
	}
	fclose(f);
	if (all.n == 0)
		abort();
	return all;
}

#endif
