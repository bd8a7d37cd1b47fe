/* SPDX-License-Identifier: ISC */
/* What is behind struct keyctx.  Internal to keys. */
#ifndef COMMON_PTY_KEYS_SECP_H
#define COMMON_PTY_KEYS_SECP_H

#include <secp256k1.h>

#include "common/pty/keys.h"

struct keyctx {
	secp256k1_context *secp;
};

#endif
