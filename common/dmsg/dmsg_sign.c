/* SPDX-License-Identifier: ISC */
/* A stream's request and response, signed.  PROTOCOL.dmsg 4. */
#include "common/dmsg/dmsg_sign.h"

#include <time.h>

#include "common/pty/noise.h"

static int
dmsg_sign(struct keyctx *kc, const uint8_t *sk, const struct buf *gob,
    struct buf *object)
{
	uint8_t sig[DMSG_SIG_LEN];
	int r;

	if ((r = key_sign(kc, sk, buf_ptr(gob), buf_len(gob), sig)) != 0 ||
	    (r = buf_put(object, sig, sizeof(sig))) != 0)
		return r;
	return buf_put(object, buf_ptr(gob), buf_len(gob));
}

int
dmsg_sign_request(struct keyctx *kc, const uint8_t *sk, struct dmsg_request *q,
    struct buf *object)
{
	struct timespec now;
	struct buf gob;
	int r;

	clock_gettime(CLOCK_REALTIME, &now);
	q->timestamp = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	buf_init(&gob, NOISE_MSG_MAX);
	if ((r = dmsg_put_request(&gob, q)) == 0)
		r = dmsg_sign(kc, sk, &gob, object);
	buf_free(&gob);
	return r;
}

int
dmsg_sign_response(struct keyctx *kc, const uint8_t *sk,
    const struct dmsg_response *resp, struct buf *object)
{
	struct buf gob;
	int r;

	buf_init(&gob, NOISE_MSG_MAX);
	if ((r = dmsg_put_response(&gob, resp)) == 0)
		r = dmsg_sign(kc, sk, &gob, object);
	buf_free(&gob);
	return r;
}
