/* SPDX-License-Identifier: ISC */
/*
 * For targets that have a whole process in theirs: the input a byte at a time,
 * an end of that process that is not ours, and what it has allocated.  They
 * are linked with --wrap=_exit.
 */
#ifndef REGRESS_FUZZ_LIFE_H
#define REGRESS_FUZZ_LIFE_H

#include <sanitizer/allocator_interface.h>
#include <sanitizer/lsan_interface.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
__attribute__((noreturn)) void __wrap__exit(int);

static struct life {
	jmp_buf over;
	const uint8_t *input;
	size_t left;
	long allocations; /* alive */
} life;

/* The process ends: so does this input. */
void
__wrap__exit(int status)
{
	(void)status;
	longjmp(life.over, 1);
}

static inline uint8_t
next(void)
{
	if (life.left == 0)
		return 0;
	life.left--;
	return *life.input++;
}

static inline void
life_allocated(const volatile void *p, size_t n)
{
	(void)n;
	life.allocations += p != NULL;
}

static inline void
life_freed(const volatile void *p)
{
	life.allocations -= p != NULL;
}

/*
 * Memory is counted here: what functions that do not return have held goes
 * with their process, and is no leak as it would be of ours.
 */
int
__lsan_is_turned_off(void)
{
	return 1;
}

static inline void
life_prepare(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (__sanitizer_install_malloc_and_free_hooks(life_allocated,
		life_freed) == 0)
		abort();
}

/* Whether a process that goes on has lost nothing. */
static inline bool
life_once(const uint8_t *data, size_t n, void (*begin)(void),
    void (*live)(void), void (*end)(void))
{
	volatile bool ended = true;

	life.input = data;
	life.left = n;
	life.allocations = 0;
	begin();
	if (setjmp(life.over) == 0) {
		live();
		ended = false;
	}
	end();
	return ended || life.allocations == 0;
}

/*
 * One of them: begin, live until the input is used up or it ends by itself,
 * and free what can be found.  What libraries keep for themselves is there when
 * it lives once more.
 */
static inline void
life_run(const uint8_t *data, size_t n, void (*begin)(void), void (*live)(void),
    void (*end)(void))
{
	if (!life_once(data, n, begin, live, end) &&
	    !life_once(data, n, begin, live, end))
		abort();
}

#endif
