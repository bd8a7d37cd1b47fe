/* SPDX-License-Identifier: ISC */
/*
 * Which system calls each confined program may make, and with which arguments.
 * The table in sandbox_filter.c is all of that policy; every call that is not
 * in it ends the process.
 */
#ifndef COMMON_PRIVSEP_SANDBOX_FILTER_H
#define COMMON_PRIVSEP_SANDBOX_FILTER_H

#include <seccomp.h>

#include "common/privsep/sandbox.h"

/*
 * Adds the program's rules to a filter, whatever architectures that is for.
 * 0, or a negative errno.
 */
int sandbox_filter_add(scmp_filter_ctx, enum sandbox_program);
/* How many calls are allowed to it, each counted once. */
unsigned sandbox_filter_calls(enum sandbox_program);

#endif
