/* SPDX-License-Identifier: ISC */
/* Who looks at a job.  See PROTOCOL. */
#include "daemon/keeper/keeper_peer.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"

#define IN_MAX	 4096		 /* requests that wait; they are short */
#define OUT_HIGH JOB_OUTPUT_MAX	 /* no more is put than a frame beyond */
#define OUT_MAX	 (4U * OUT_HIGH) /* and an entry, and a last word */

void
peer_init(struct peer *p, int fd)
{
	memset(p, 0, sizeof(*p));
	p->fd = fd;
	p->sent_ms = now_ms();
	buf_init(&p->in, IN_MAX);
	buf_init(&p->out, OUT_MAX);
}

void
peer_close(struct peer *p)
{
	if (p->fd != -1)
		close(p->fd);
	p->fd = -1;
	buf_free(&p->in);
	buf_free(&p->out);
}

/* --- what it is told --- */

/* One that cannot be told is left alone. */
static void
peer_put(struct peer *p, int tag, const void *text, size_t n)
{
	if (xs_put_frame(&p->out, (enum xs_tag)tag, text, n) != 0)
		p->closing = true;
	p->sent_ms = now_ms();
}

void
peer_fail(struct peer *p, const char *why)
{
	peer_put(p, XS_FAILED, why, strlen(why));
	p->closing = true;
}

void
peer_put_done(struct peer *p)
{
	peer_put(p, JOB_DONE, NULL, 0);
	p->closing = true;
}

void
peer_put_entry(struct peer *p, const struct job_entry *e)
{
	struct buf b;

	buf_init(&b, JOB_ENTRY_MAX);
	if (jobmsg_put_entry(&b, e) == 0)
		peer_put(p, JOB_ENTRY, buf_ptr(&b), buf_len(&b));
	else
		p->closing = true;
	buf_free(&b);
}

void
peer_put_session(struct peer *p, const struct sess_entry *e)
{
	struct buf b;

	buf_init(&b, SESS_ENTRY_MAX);
	if (sessmsg_put_entry(&b, e) == 0)
		peer_put(p, SESS_ENTRY, buf_ptr(&b), buf_len(&b));
	else
		p->closing = true;
	buf_free(&b);
}

static void
peer_put_end(struct peer *p, const struct job_entry *e)
{
	struct buf b;

	if (e->state == JOB_IS_LOST) {
		peer_fail(p,
		    "how it has ended is not known: its keeper was killed, or "
		    "the machine was restarted");
		return;
	}
	buf_init(&b, 16);
	if (xs_put_exit(&b,
		&(struct xs_exit){ .how = (enum xs_how)e->how,
		    .status = e->status,
		    .duration_ms = e->duration_ms }) == 0)
		peer_put(p, XS_EXIT, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
	p->closing = true;
}

/* A frame that is none ends it: the rest has no beginning. */
static bool
peer_put_output(struct peer *p, const struct store *s)
{
	int r = 1;

	while (buf_len(&p->out) < OUT_HIGH &&
	    (r = store_get(s, &p->at, &p->out)) == 1)
		p->sent_ms = now_ms();
	if (r < 0)
		peer_fail(p, "no frame of its output begins there");
	p->more = r == 1;
	return r == 0;
}

void
peer_tell(struct peer *p, struct peer_job *j, int64_t now)
{
	const struct job_entry *e = &j->store.entry;
	bool all = true;

	p->more = false;
	if (p->closing)
		return;
	if (p->attached && (p->how.flags & JOB_OUTPUT))
		all = peer_put_output(p, &j->store) &&
		    (e->state == JOB_RUNS || !j->runs || j->drained);
	if (p->attached && !p->closing && all) {
		if (e->state != JOB_RUNS)
			peer_put_end(p, e);
		else if (!(p->how.flags & JOB_FOLLOW))
			peer_put_done(p);
	}
	if (!p->closing && now - p->sent_ms >= PEER_KEEP_MS)
		peer_put(p, XS_KEEPALIVE, NULL, 0);
}

/* --- what it says --- */

static void
peer_attach(struct peer *p, struct peer_job *j, struct buf *payload)
{
	int r;

	if ((r = jobmsg_get_attach(payload, &p->how)) != 0) {
		peer_fail(p, err_text(r));
		return;
	}
	p->attached = true;
	p->at = p->how.from;
	if (p->at > store_end(&j->store))
		p->at = store_end(&j->store);
	j->store.entry.output = store_end(&j->store);
	j->store.entry.kept = store_end(&j->store) - store_start(&j->store);
	peer_put_entry(p, &j->store.entry);
}

static void
peer_kill(struct peer *p, struct peer_job *j, struct buf *payload)
{
	const char *why = "it has ended";
	char id[JOB_ID_HEX];
	int number;

	if (jobmsg_get_kill(payload, id, &number) != 0)
		why = "no signal of that name can be sent";
	else if (j->signal != NULL)
		why = j->signal(j, number);
	else if (j->store.entry.state == JOB_IS_LOST)
		why = "it is lost: nobody knows whether it runs";
	if (why != NULL)
		peer_fail(p, why);
	else
		peer_put_done(p);
}

void
peer_hear(struct peer *p, struct peer_job *j)
{
	struct buf payload;
	uint8_t tag;
	int r = 0;

	while (!p->closing &&
	    (r = xs_get_frame(&p->in, JOB_ASK_MAX, &tag, &payload)) == 1)
		switch (tag) {
		case XS_KEEPALIVE:
			break;
		case JOB_ATTACH:
			peer_attach(p, j, &payload);
			break;
		case JOB_KILL:
			peer_kill(p, j, &payload);
			break;
		default:
			peer_fail(p, "that cannot be asked of a job");
		}
	if (r < 0)
		peer_fail(p, "a request that is too long");
}

bool
peer_read(struct peer *p, struct peer_job *j)
{
	ssize_t r = buf_read(&p->in, p->fd, IN_MAX);

	if (r > 0)
		peer_hear(p, j);
	if (p->closing)
		buf_reset(&p->in);
	return r > 0 || r == SKY_ERR_AGAIN;
}

bool
peer_write(struct peer *p)
{
	ssize_t r;

	while ((r = buf_write(&p->out, p->fd)) > 0)
		;
	if (r < 0 && r != SKY_ERR_AGAIN)
		return false;
	return !p->closing || buf_len(&p->out) != 0;
}

short
peer_events(const struct peer *p)
{
	return (short)((buf_room(&p->in) != 0 ? POLLIN : 0) |
	    (buf_len(&p->out) != 0 || p->more ? POLLOUT : 0));
}

bool
peer_wait(const struct peer *p, short events, int ms)
{
	struct pollfd f = { .fd = p->fd, .events = events };

	return poll(&f, 1, ms) == 1;
}

/* What it says meanwhile is not read here, and so not waited for. */
void
peer_flush(struct peer *p)
{
	while (peer_write(p) && buf_len(&p->out) != 0 &&
	    peer_wait(p, POLLOUT, PEER_PATIENCE_MS))
		;
}
