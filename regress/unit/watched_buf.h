/* SPDX-License-Identifier: ISC */
/*
 * buf in a test's own file, so that its memory can be watched and denied.
 * Include behind cmocka.h.
 */
#ifndef REGRESS_UNIT_WATCHED_BUF_H
#define REGRESS_UNIT_WATCHED_BUF_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	bool deny;	/* the next allocations fail */
	size_t live;	/* blocks that are not freed yet */
	size_t last;	/* size of the last block allocated */
	size_t frees;	/* blocks freed */
	size_t unwiped; /* bytes that were not zero when they were freed */
} heap;

/* The size stands before the block, with room that keeps it aligned. */
#define HEAD 16

static inline void *
watched_malloc(size_t n)
{
	uint8_t *p;

	if (heap.deny || (p = calloc(1, HEAD + n)) == NULL)
		return NULL;
	memcpy(p, &n, sizeof(n));
	heap.live++;
	heap.last = n;
	return p + HEAD;
}

static inline void
watched_free(void *block)
{
	uint8_t *p = block;
	size_t n;

	if (p == NULL)
		return;
	memcpy(&n, p - HEAD, sizeof(n));
	for (size_t i = 0; i < n; i++)
		heap.unwiped += p[i] != 0;
	heap.live--;
	heap.frees++;
	free(p - HEAD);
}

#define malloc(n) watched_malloc(n)
#define free(p)	  watched_free(p)
#include "common/base/buf.c"
#undef malloc
#undef free

static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x85, 0x86, 0x87, 0x88,
	0x99 };

static inline int
start(void **state)
{
	(void)state;
	memset(&heap, 0, sizeof(heap));
	return 0;
}

/* Whatever a test did, all is freed and was wiped before. */
static inline int
stop(void **state)
{
	(void)state;
	return heap.live == 0 && heap.unwiped == 0 ? 0 : -1;
}

static inline void
put_pattern(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_put_u8(b, (uint8_t)(i % 255 + 1)), 0);
}

static inline void
check_pattern(const struct buf *b, size_t from, size_t n)
{
	assert_int_equal(buf_len(b), n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_ptr(b)[i], (from + i) % 255 + 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

#endif
