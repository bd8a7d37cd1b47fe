/* SPDX-License-Identifier: ISC */
/* Types and methods of the protocol as tables.  Internal to rpc. */
#ifndef COMMON_PTY_RPC_TYPES_H
#define COMMON_PTY_RPC_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/gob.h"
#include "common/pty/rpc.h"

/* Request; with error it is Response. */
struct rpc_header {
	struct buf name; /* "service.method" */
	uint64_t seq;
	struct buf error;
};

struct rpc_method_def {
	const char *name; /* "service.method" */
	const struct gob_type *arg;
	const struct gob_type *reply;
};

/* The headers and the empty struct, static; names as in PROTOCOL.pty 5.3. */
const struct gob_type *rpc_type_request(void);
const struct gob_type *rpc_type_response(void);
const struct gob_type *rpc_type_empty(void);
/* Static as well. */
const struct rpc_method_def *rpc_method_def(enum rpc_method);

/* Appends a header and the value that follows it: both or neither. */
int rpc_put(struct gob_enc *, struct buf *out, const struct gob_type *htype,
    const struct rpc_header *, const struct gob_type *, const void *value);

#endif
