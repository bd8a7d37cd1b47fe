/* SPDX-License-Identifier: ISC */
/* For groups of tests whose state is a struct keyctx; behind cmocka.h. */
#ifndef REGRESS_UNIT_KEYCTX_UTIL_H
#define REGRESS_UNIT_KEYCTX_UTIL_H

#include "common/pty/keys.h"

static inline int
keyctx_start(void **state)
{
	return (*state = keyctx_new()) == NULL ? -1 : 0;
}

static inline int
keyctx_stop(void **state)
{
	keyctx_free(*state);
	return 0;
}

#endif
