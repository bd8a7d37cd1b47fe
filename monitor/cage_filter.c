/* SPDX-License-Identifier: ISC */
/*
 * What a server in a cage may not make of the files there.  Others on the
 * machine may reach them by another way than through the cage's own mount,
 * where set-user-ID and set-group-ID mean something: who holds a key for files
 * alone would lend out its user to them.  So nothing gets these bits; what has
 * them loses them when it is written to, as the server has no CAP_FSETID.
 *
 * A call that hands over its mode in memory, where a filter does not look, is
 * one that this kernel does not have.
 */
#include "monitor/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* libseccomp 2.5 knows it not; the number is the same everywhere. */
#define CALL_FCHMODAT2 452

/* Calls, and which argument is the mode. */
static const struct cage_call {
	int call;
	unsigned mode;
} cage_modes[] = {
	{ SCMP_SYS(chmod), 1 },
	{ SCMP_SYS(fchmod), 1 },
	{ SCMP_SYS(fchmodat), 2 },
	{ CALL_FCHMODAT2, 2 },
	{ SCMP_SYS(creat), 1 },
	{ SCMP_SYS(mknod), 1 },
	{ SCMP_SYS(mknodat), 2 },
};

/* Those that have one if they make a file; their flags stand before it. */
static const struct cage_call cage_opens[] = {
	{ SCMP_SYS(open), 2 },
	{ SCMP_SYS(openat), 3 },
};

static const int cage_unknown[] = {
	SCMP_SYS(openat2),
	SCMP_SYS(io_uring_setup),
};

static const uint64_t cage_bits[] = { S_ISUID, S_ISGID };
/* O_TMPFILE has a bit of O_DIRECTORY in it, which makes nothing. */
static const uint64_t cage_makes[] = { O_CREAT, O_TMPFILE & ~O_DIRECTORY };

static struct scmp_arg_cmp
cage_has(unsigned arg, uint64_t bits)
{
	return (struct scmp_arg_cmp){ .arg = arg,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = bits,
		.datum_b = bits };
}

static int
cage_add_open(scmp_filter_ctx ctx, const struct cage_call *c, uint64_t bit)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < LENGTH(cage_makes); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), c->call, 2,
		    cage_has(c->mode, bit),
		    cage_has(c->mode - 1, cage_makes[i]));
	return r;
}

static int
cage_add(scmp_filter_ctx ctx)
{
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);

	for (size_t b = 0; b < LENGTH(cage_bits); b++) {
		for (size_t i = 0; r == 0 && i < LENGTH(cage_modes); i++)
			r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
			    cage_modes[i].call, 1,
			    cage_has(cage_modes[i].mode, cage_bits[b]));
		for (size_t i = 0; r == 0 && i < LENGTH(cage_opens); i++)
			r = cage_add_open(ctx, &cage_opens[i], cage_bits[b]);
	}
	for (size_t i = 0; r == 0 && i < LENGTH(cage_unknown); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
		    cage_unknown[i], 0);
	return r;
}

int
cage_filter(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r;

	if (ctx == NULL) {
		errno = ENOMEM;
		return -1;
	}
	if ((r = cage_add(ctx)) == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	errno = -r;
	return r == 0 ? 0 : -1;
}
