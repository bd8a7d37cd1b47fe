/* SPDX-License-Identifier: ISC */
/* A link: what comes by a carrier is opened, what goes is sealed. */
#include "common/pty/link.h"

#include "common/base/err.h"

/* A chunk and the frame that is not complete, or that goes over it. */
#define WIRE_IN_MAX  (LINK_CHUNK + FRAME_HEAD_LEN + FRAME_BODY_MAX)
#define WIRE_OUT_MAX (LINK_CHUNK + FRAME_WIRE_LEN(FRAME_PLAIN_MAX))

void
link_init(struct link *l)
{
	*l = (struct link){ 0 };
	buf_init(&l->wire_in, WIRE_IN_MAX);
	buf_init(&l->wire_out, WIRE_OUT_MAX);
}

void
link_free(struct link *l)
{
	frame_key_wipe(&l->rx);
	frame_key_wipe(&l->tx);
	buf_free(&l->wire_in);
	buf_free(&l->wire_out);
	l->sealed = false;
}

void
link_keys(struct link *l, const uint8_t *send, const uint8_t *recv)
{
	frame_key_init(&l->tx, send);
	frame_key_init(&l->rx, recv);
	l->sealed = true;
	l->plain = false;
}

int
link_open(struct link *l, struct buf *in)
{
	struct buf body;
	int r;

	while (l->sealed && buf_room(in) >= FRAME_PLAIN_MAX) {
		if ((r = frame_get(&l->wire_in, &body)) <= 0)
			return r;
		if ((r = frame_open(&l->rx, &body, in)) != 0)
			return r;
	}
	return 0;
}

bool
link_waits(const struct link *l, const struct buf *in)
{
	return l->sealed && buf_len(&l->wire_in) != 0 &&
	    buf_room(in) >= FRAME_PLAIN_MAX && frame_complete(&l->wire_in);
}

int
link_seal(struct link *l, struct buf *out)
{
	return l->sealed ? frame_seal(&l->tx, out, &l->wire_out) : 0;
}

ssize_t
link_read(struct link *l, int fd, struct buf *in)
{
	return buf_read(l->plain ? in : &l->wire_in, fd, LINK_CHUNK);
}

ssize_t
link_write(struct link *l, int fd, struct buf *out)
{
	int r;

	if (l->plain)
		return buf_write(out, fd);
	/* Behind the last frame of a handshake, too: they leave together. */
	if (buf_room(&l->wire_out) > LINK_CHUNK && (r = link_seal(l, out)) != 0)
		return r;
	return buf_write(&l->wire_out, fd);
}
