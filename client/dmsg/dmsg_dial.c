/* SPDX-License-Identifier: ISC */
/*
 * A stream to a port of a key, by a session that a holder has: who answers is
 * proven here, and what is carried is sealed here.  PROTOCOL.dmsg 4.6.
 */
#include "client/dmsg/dmsg.h"
#include "client/handshake.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/dmsg/dmsg_object.h"
#include "common/pty/keys.h"
#include "common/pty/noise.h"

#define EPHEMERAL 49152
#define PAUSE_MS  20
#define AGAIN_MS  1200 /* servers of 2024 need it to forget a session */
#define STALES	  5

/* What can be tried again. */
static const char stale[] = "the session's process has ended";
const char dmsg_unreached[] =
    "not reachable through this server, or nobody listens there";
static const char lost[] =
    "the server ended the session: another process, perhaps on another "
    "machine, uses this key";

struct dmsg_dial {
	const struct dmsg_dialer *d;
	const struct key_public *peer;
	uint16_t port;
	struct handshake handshake;
	int fd;
	int64_t deadline;
};

/* --- the two objects --- */

static const char *
dmsg_dial_check(const struct buf *answer, struct dmsg_dial *x,
    const struct buf *request, struct noise_keys *keys)
{
	uint8_t hash[DMSG_HASH_LEN];
	struct dmsg_response resp;
	struct buf sig, gob, none;
	int r;

	dmsg_hash(buf_ptr(request), buf_len(request), hash);
	if (dmsg_split_signed(answer, &sig, &gob) != 0 ||
	    key_verify(x->d->ctx, x->peer, buf_ptr(&gob), buf_len(&gob),
		buf_ptr(&sig)) != 0)
		return dmsg_code_text(350);
	if (dmsg_get_response(&gob, &resp) != 0)
		return "the response is malformed";
	if (memcmp(hash, resp.req_hash, sizeof(hash)) != 0)
		return dmsg_code_text(351);
	if (!resp.accepted)
		return dmsg_code_text(resp.code);
	buf_init(&none, NOISE_MSG_MAX);
	r = handshake_finish(&x->handshake, &resp.noise, &none, keys);
	buf_free(&none);
	return r == 0 ? NULL : "the host does not prove its key";
}

/* --- bytes --- */

/* No more than that: behind the answer are bytes of the stream. */
static const char *
dmsg_dial_receive(const struct dmsg_dial *x, uint8_t *p, size_t len)
{
	struct pollfd wait = { .fd = x->fd, .events = POLLIN };
	int64_t left;
	ssize_t n;

	while (len > 0) {
		n = recv(x->fd, p, len, 0);
		if (n == 0 || (n == -1 && errno == ECONNRESET))
			return stale;
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return strerror(errno);
		left = x->deadline - now_ms();
		if (n == -1 && (left <= 0 || poll(&wait, 1, (int)left) == 0))
			return "no response";
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return NULL;
}

static const char *
dmsg_dial_await(struct dmsg_dial *x, const struct buf *request,
    struct noise_keys *keys)
{
	struct buf answer;
	uint8_t head[2], reason, *p;
	const char *why;
	size_t len;

	if ((why = dmsg_dial_receive(x, head, sizeof(head))) != NULL)
		return why;
	if ((len = (size_t)(head[0] << 8 | head[1])) == 0) {
		if ((why = dmsg_dial_receive(x, &reason, 1)) != NULL)
			return why;
		if (reason == HOLDER_LOST)
			return lost;
		return reason == HOLDER_BUSY ?
		    "too many streams by this session" :
		    dmsg_unreached;
	}
	buf_init(&answer, len);
	if (buf_extend(&answer, len, &p) != 0)
		why = "out of memory";
	else if ((why = dmsg_dial_receive(x, p, len)) == NULL)
		why = dmsg_dial_check(&answer, x, request, keys);
	buf_free(&answer);
	return why;
}

static const char *
dmsg_dial_exchange(struct dmsg_dial *x, struct noise_keys *keys)
{
	uint16_t from = (uint16_t)(EPHEMERAL + 1 +
	    randombytes_uniform(UINT16_MAX - EPHEMERAL));
	const char *why = NULL;
	struct buf object, request;
	size_t n;
	int r;

	buf_init(&object, UINT16_MAX);
	buf_init(&request, 2 + UINT16_MAX);
	if ((r = handshake_dial(&x->handshake, x->d->ctx, &x->d->id, x->peer,
		 from, x->port, &object)) != 0 ||
	    (r = buf_put_u16(&request, (uint16_t)buf_len(&object))) != 0 ||
	    (r = buf_put(&request, buf_ptr(&object), buf_len(&object))) != 0)
		why = r > 0 ? "the agent does not do it" : err_text(r);
	x->deadline = now_ms() + DMSG_WAIT_MS;
	n = buf_len(&request);
	/* It is the first thing that the socket takes, and small. */
	if (why == NULL &&
	    send(x->fd, buf_ptr(&request), n, MSG_NOSIGNAL) != (ssize_t)n)
		why = stale;
	if (why == NULL)
		why = dmsg_dial_await(x, &object, keys);
	buf_free(&object);
	buf_free(&request);
	handshake_free(&x->handshake);
	return why;
}

/* --- again --- */

/*
 * A holder may end just then.  A session that ends at once may have come too
 * soon behind another one of ours.
 */
const char *
dmsg_dial(int *fd, struct dmsg_dialer *d, const struct dmsg_way *w,
    const struct key_public *peer, uint16_t port, struct noise_keys *keys)
{
	struct dmsg_dial x = { .d = d, .peer = peer, .port = port };
	const char *why;
	int stales = 0;
	bool again = false;

	for (;;) {
		if ((why = share_connect(&x.fd, d, w)) != NULL)
			return why;
		if ((why = dmsg_dial_exchange(&x, keys)) == NULL) {
			*fd = x.fd;
			return NULL;
		}
		close(x.fd);
		if (why == stale && stales++ < STALES)
			(void)poll(NULL, 0, PAUSE_MS);
		else if (why == lost && !again) {
			again = true;
			(void)poll(NULL, 0, AGAIN_MS);
		} else
			return why;
	}
}
