/* SPDX-License-Identifier: ISC */
/*
 * Memory that is refused once: malloc and its like, with -Wl,--wrap for each,
 * ask is_refused(), which whoever includes this defines before.
 */
#ifndef REFUSED_MEMORY_H
#define REFUSED_MEMORY_H

#include <stddef.h>

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);

void *
__wrap_malloc(size_t n)
{
	return is_refused() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return is_refused() ? NULL : __real_realloc(p, n);
}

#endif
