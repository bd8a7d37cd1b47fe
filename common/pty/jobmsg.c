/* SPDX-License-Identifier: ISC */
/* Frames of jobs.  See PROTOCOL. */
#include "common/pty/jobmsg.h"

#include <string.h>

#include "common/base/err.h"

/* --- an entry --- */

int
jobmsg_get_entry(struct buf *b, struct job_entry *e)
{
	int r;

	memset(e, 0, sizeof(*e));
	if ((r = buf_get(b, e->id, sizeof(e->id))) != 0 ||
	    (r = buf_get(b, e->pk.b, sizeof(e->pk.b))) != 0 ||
	    (r = buf_get_u8(b, &e->state)) != 0 ||
	    (r = buf_get_u8(b, &e->how)) != 0 ||
	    (r = buf_get_u32(b, &e->status)) != 0 ||
	    (r = buf_get_u64(b, &e->duration_ms)) != 0 ||
	    (r = buf_get_u64(b, &e->begun)) != 0 ||
	    (r = buf_get_u64(b, &e->ended)) != 0 ||
	    (r = buf_get_u64(b, &e->output)) != 0 ||
	    (r = buf_get_u64(b, &e->kept)) != 0 ||
	    (r = buf_get_u32(b, &e->pid)) != 0 ||
	    (r = buf_get_string(b, &e->command)) != 0)
		return SKY_ERR_FORMAT;
	if (e->state >= JOB_STATES || e->how > XS_TIMEDOUT ||
	    buf_len(&e->command) > JOB_COMMAND_MAX)
		return SKY_ERR_RANGE;
	return buf_at_end(b) == 0 ? 0 : SKY_ERR_FORMAT;
}

int
jobmsg_put_entry(struct buf *b, const struct job_entry *e)
{
	int r;

	if ((r = buf_put(b, e->id, sizeof(e->id))) != 0 ||
	    (r = buf_put(b, e->pk.b, sizeof(e->pk.b))) != 0 ||
	    (r = buf_put_u8(b, e->state)) != 0 ||
	    (r = buf_put_u8(b, e->how)) != 0 ||
	    (r = buf_put_u32(b, e->status)) != 0 ||
	    (r = buf_put_u64(b, e->duration_ms)) != 0 ||
	    (r = buf_put_u64(b, e->begun)) != 0 ||
	    (r = buf_put_u64(b, e->ended)) != 0 ||
	    (r = buf_put_u64(b, e->output)) != 0 ||
	    (r = buf_put_u64(b, e->kept)) != 0 ||
	    (r = buf_put_u32(b, e->pid)) != 0)
		return r;
	return buf_put_string(b, buf_ptr(&e->command), buf_len(&e->command));
}

/* --- requests --- */

bool
jobmsg_is_id(const char *text)
{
	size_t n = strlen(text);

	return n >= JOB_PREFIX_MIN && n < JOB_ID_HEX &&
	    strspn(text, "0123456789abcdef") == n;
}

static int
jobmsg_get_id(struct buf *b, char id[JOB_ID_HEX])
{
	struct buf s;
	size_t n;

	if (buf_get_string(b, &s) != 0 || (n = buf_len(&s)) >= JOB_ID_HEX)
		return SKY_ERR_FORMAT;
	memcpy(id, buf_ptr(&s), n);
	id[n] = '\0';
	return strlen(id) == n && jobmsg_is_id(id) ? 0 : SKY_ERR_FORMAT;
}

int
jobmsg_get_attach(struct buf *b, struct job_attach *a)
{
	int r;

	if ((r = jobmsg_get_id(b, a->id)) != 0)
		return r;
	if (buf_get_u64(b, &a->from) != 0 || buf_get_u8(b, &a->flags) != 0 ||
	    buf_at_end(b) != 0)
		return SKY_ERR_FORMAT;
	return a->flags & ~(JOB_OUTPUT | JOB_FOLLOW) ? SKY_ERR_RANGE : 0;
}

int
jobmsg_put_attach(struct buf *b, const struct job_attach *a)
{
	int r;

	if ((r = buf_put_cstring(b, a->id)) != 0 ||
	    (r = buf_put_u64(b, a->from)) != 0)
		return r;
	return buf_put_u8(b, a->flags);
}

int
jobmsg_get_kill(struct buf *b, char id[JOB_ID_HEX], int *number)
{
	struct buf name;
	int r;

	if ((r = jobmsg_get_id(b, id)) != 0)
		return r;
	if (buf_get_string(b, &name) != 0 || buf_at_end(b) != 0)
		return SKY_ERR_FORMAT;
	return (*number = xs_signal(&name)) != 0 ? 0 : SKY_ERR_RANGE;
}

int
jobmsg_put_kill(struct buf *b, const char *id, const char *signal)
{
	int r;

	if ((r = buf_put_cstring(b, id)) != 0)
		return r;
	return buf_put_cstring(b, signal);
}

int
jobmsg_get_forget(struct buf *b, char id[JOB_ID_HEX])
{
	int r;

	if ((r = jobmsg_get_id(b, id)) != 0)
		return r;
	return buf_at_end(b) == 0 ? 0 : SKY_ERR_FORMAT;
}
