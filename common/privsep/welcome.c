/* SPDX-License-Identifier: ISC */
/* The first message of a confined process. */
#include "common/privsep/welcome.h"

#include "common/base/err.h"

int
welcome_send(int child, const struct welcome *w)
{
	const struct sandbox *sb = &w->sandbox;
	uint8_t flags = (uint8_t)((sb->drop ? PRIV_DROP : 0) |
	    (sb->best_effort ? PRIV_BEST_EFFORT : 0));
	struct buf b;
	int r;

	buf_init(&b, PRIVMSG_TEXT_MAX + 64);
	if ((r = buf_put_u32(&b, PRIVMSG_VERSION)) == 0 &&
	    (r = buf_put_u8(&b, (uint8_t)w->carrier)) == 0 &&
	    (r = buf_put_u32(&b, sb->uid)) == 0 &&
	    (r = buf_put_u32(&b, sb->gid)) == 0 &&
	    (r = buf_put_u8(&b, flags)) == 0 &&
	    (r = buf_put_cstring(&b, sb->root)) == 0)
		r = privmsg_send(child, PM_WELCOME, 0, &b, NULL, 0);
	buf_free(&b);
	return r;
}

static int
welcome_read(struct buf *b, struct welcome *w)
{
	uint32_t version, uid, gid;
	uint8_t carrier, flags;
	int r;

	if ((r = buf_get_u32(b, &version)) != 0 ||
	    (r = buf_get_u8(b, &carrier)) != 0 ||
	    (r = buf_get_u32(b, &uid)) != 0 ||
	    (r = buf_get_u32(b, &gid)) != 0 || (r = buf_get_u8(b, &flags)) != 0)
		return r;
	if (version != PRIVMSG_VERSION || carrier > PRIV_DMSG)
		return SKY_ERR_FORMAT;
	if ((r = buf_get_cstring(b, &w->root, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	w->carrier = (enum priv_carrier)carrier;
	w->sandbox =
	    (struct sandbox){ .program = carrier == PRIV_DMSG ? SANDBOX_DMSG :
								SANDBOX_NET,
		    .drop = flags & PRIV_DROP,
		    .best_effort = flags & PRIV_BEST_EFFORT,
		    .root = w->root,
		    .uid = uid,
		    .gid = gid };
	return 0;
}

int
welcome_recv(int monitor, struct privmsg *m, struct welcome *w)
{
	int r;

	if ((r = privmsg_recv(monitor, m, true)) == 1)
		r = m->type == PM_WELCOME ? welcome_read(&m->body, w) :
					    SKY_ERR_STATE;
	privmsg_clear(m);
	return r;
}
