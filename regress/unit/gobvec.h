/* SPDX-License-Identifier: ISC */
/*
 * Bytes for the tests of gob, rpc and mux, from hex text and vector files.
 * Include behind cmocka.h.
 */
#ifndef REGRESS_UNIT_GOBVEC_H
#define REGRESS_UNIT_GOBVEC_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vectors.h"

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
blob_vector(const char *file, const char *direction)
{
	struct vectors *v = vec_load(file);
	struct buf b;
	struct blob all;

	vec_stream(v, direction, &b);
	assert_int_not_equal(buf_len(&b), 0);
	all = blob_new(buf_ptr(&b), buf_len(&b));
	buf_free(&b);
	vec_free(v);
	return all;
}

#endif
