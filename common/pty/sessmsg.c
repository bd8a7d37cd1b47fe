/* SPDX-License-Identifier: ISC */
/* Frames of sessions.  See PROTOCOL. */
#include "common/pty/sessmsg.h"

#include <string.h>

#include "common/base/err.h"

int
sessmsg_get_entry(struct buf *b, struct sess_entry *e)
{
	int r;

	memset(e, 0, sizeof(*e));
	if ((r = buf_get(b, e->id, sizeof(e->id))) != 0 ||
	    (r = buf_get(b, e->pk.b, sizeof(e->pk.b))) != 0 ||
	    (r = buf_get_u8(b, &e->flags)) != 0 ||
	    (r = buf_get_u16(b, &e->attached)) != 0 ||
	    (r = buf_get_u16(b, &e->rows)) != 0 ||
	    (r = buf_get_u16(b, &e->cols)) != 0 ||
	    (r = buf_get_u64(b, &e->begun)) != 0 ||
	    (r = buf_get_u32(b, &e->pid)) != 0 ||
	    (r = buf_get_string(b, &e->name)) != 0 ||
	    (r = buf_get_string(b, &e->title)) != 0 ||
	    (r = buf_get_string(b, &e->command)) != 0 ||
	    (r = buf_at_end(b)) != 0)
		return SKY_ERR_FORMAT;
	if ((e->flags & ~SESS_MADE) != 0 ||
	    buf_len(&e->name) > SESS_WHICH_MAX ||
	    buf_len(&e->title) > SESS_TITLE_MAX ||
	    buf_len(&e->command) > JOB_COMMAND_MAX)
		return SKY_ERR_RANGE;
	return 0;
}

int
sessmsg_put_entry(struct buf *b, const struct sess_entry *e)
{
	int r;

	if ((r = buf_put(b, e->id, sizeof(e->id))) != 0 ||
	    (r = buf_put(b, e->pk.b, sizeof(e->pk.b))) != 0 ||
	    (r = buf_put_u8(b, e->flags)) != 0 ||
	    (r = buf_put_u16(b, e->attached)) != 0 ||
	    (r = buf_put_u16(b, e->rows)) != 0 ||
	    (r = buf_put_u16(b, e->cols)) != 0 ||
	    (r = buf_put_u64(b, e->begun)) != 0 ||
	    (r = buf_put_u32(b, e->pid)) != 0 ||
	    (r = buf_put_string(b, buf_ptr(&e->name), buf_len(&e->name))) !=
		0 ||
	    (r = buf_put_string(b, buf_ptr(&e->title), buf_len(&e->title))) !=
		0)
		return r;
	return buf_put_string(b, buf_ptr(&e->command), buf_len(&e->command));
}

static int
sessmsg_get_which(struct buf *b, char which[SESS_WHICH_MAX + 1])
{
	struct buf s;
	size_t n;

	if (buf_get_string(b, &s) != 0 || (n = buf_len(&s)) > SESS_WHICH_MAX)
		return SKY_ERR_FORMAT;
	memcpy(which, buf_ptr(&s), n);
	which[n] = '\0';
	if (strlen(which) != n)
		return SKY_ERR_FORMAT;
	return n == 0 || mux_is_session_name(which) ? 0 : SKY_ERR_FORMAT;
}

static int
sessmsg_get_size(struct buf *b, struct rpc_winsize *ws)
{
	uint16_t v[4];

	for (size_t i = 0; i < 4; i++)
		if (buf_get_u16(b, &v[i]) != 0)
			return SKY_ERR_FORMAT;
	*ws = (struct rpc_winsize){ .rows = v[0],
		.cols = v[1],
		.x = v[2],
		.y = v[3] };
	return 0;
}

int
sessmsg_get_join(struct buf *b, struct sess_join *j)
{
	int r;

	memset(j, 0, sizeof(*j));
	if ((r = sessmsg_get_which(b, j->which)) != 0)
		return r;
	if (buf_get_u8(b, &j->flags) != 0 ||
	    sessmsg_get_size(b, &j->size) != 0 || buf_at_end(b) != 0)
		return SKY_ERR_FORMAT;
	return (j->flags & ~(SESS_SHARE | SESS_VIEW)) != 0 ||
		j->flags == (SESS_SHARE | SESS_VIEW) ?
	    SKY_ERR_RANGE :
	    0;
}

int
sessmsg_put_join(struct buf *b, const struct sess_join *j)
{
	const struct rpc_winsize *ws = &j->size;
	int r;

	if ((r = buf_put_cstring(b, j->which)) != 0 ||
	    (r = buf_put_u8(b, j->flags)) != 0 ||
	    (r = buf_put_u16(b, (uint16_t)ws->rows)) != 0 ||
	    (r = buf_put_u16(b, (uint16_t)ws->cols)) != 0 ||
	    (r = buf_put_u16(b, (uint16_t)ws->x)) != 0)
		return r;
	return buf_put_u16(b, (uint16_t)ws->y);
}

int
sessmsg_get_kill(struct buf *b, char which[SESS_WHICH_MAX + 1], int *number)
{
	struct buf name;
	int r;

	if ((r = sessmsg_get_which(b, which)) != 0)
		return r;
	if (buf_get_string(b, &name) != 0 || buf_at_end(b) != 0)
		return SKY_ERR_FORMAT;
	return (*number = xs_signal(&name)) != 0 ? 0 : SKY_ERR_RANGE;
}

int
sessmsg_put_kill(struct buf *b, const char *which, const char *signal)
{
	int r;

	if ((r = buf_put_cstring(b, which)) != 0)
		return r;
	return buf_put_cstring(b, signal);
}
