/* SPDX-License-Identifier: ISC */
/* A stream's request and response, signed.  PROTOCOL.dmsg 4. */
#ifndef COMMON_DMSG_DMSG_SIGN_H
#define COMMON_DMSG_DMSG_SIGN_H

#include "common/dmsg/dmsg_object.h"

/*
 * Append signature and gob.  The request gets the time of this call.  What
 * key_sign and dmsg_put_request return; object may hold a part then.
 */
int dmsg_sign_request(struct keyctx *, const uint8_t *sk, struct dmsg_request *,
    struct buf *object);
int dmsg_sign_response(struct keyctx *, const uint8_t *sk,
    const struct dmsg_response *, struct buf *object);

#endif
