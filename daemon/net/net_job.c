/* SPDX-License-Identifier: ISC */
/*
 * skypty/1/job, and skypty/1/session: the first frame says whether a command is
 * to be run, which the monitor has to know, or those that there are are asked
 * about.  From then on bytes go between
 * the peer and the keeper that the monitor has started, and nothing of them is
 * looked at.  See PROTOCOL.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/pty/exec_stream.h"
#include "common/pty/jobmsg.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_relay.h"
#include "daemon/net/net_service.h"

#define START_S 30 /* seconds for the first frame */

struct net_job {
	enum { JOB_FIRST, JOB_STARTING, JOB_RELAYED } state;
	bool session;
	bool run; /* a command, and not the door */
	struct mux_session wishes;
	struct net_relay keeper;
};

static int
net_job_begin(struct channel *ch, struct buf *query)
{
	struct net_job *j;
	int r;

	if ((ch->state = j = calloc(1, sizeof(*j))) == NULL)
		return SKY_ERR_NOMEM;
	net_relay_init(&j->keeper, ch);
	j->keeper.frames = true;
	if ((r = mux_session_query(query, &j->wishes)) != 0)
		return r;
	channel_accept(ch);
	return 0;
}

static int
net_session_begin(struct channel *ch, struct buf *query)
{
	struct net_job *j;
	int r = net_job_begin(ch, query);

	if ((j = ch->state) != NULL)
		j->session = true;
	return r;
}

static void
net_job_end(struct channel *ch)
{
	struct net_job *j = ch->state;

	net_relay_close(&j->keeper);
	free(j);
}

/* --- the first frame --- */

static void
net_job_fail(struct channel *ch, const char *why)
{
	if (xs_put_frame(ch->out, XS_FAILED, why, strlen(why)) != 0)
		channel_fatal(ch, "out of memory");
	channel_end(ch);
}

static int
net_job_ask(struct channel *ch, struct xs_start *s)
{
	struct net_job *j = ch->state;
	struct rpc_exec e = { .name = s->name, .arg = s->arg, .env = s->env };
	struct rpc_command c = { .name = s->name,
		.arg = s->arg,
		.env = s->env,
		.has_size = s->size.rows != 0,
		.size = s->size };

	if (j->session)
		return mon_session_run(ch, &c, &j->wishes);
	return mon_job_run(ch, &e, s->timeout_ms, s->flags & XS_HAS_STDIN,
	    &j->wishes);
}

static void
net_job_run(struct channel *ch, struct buf *payload)
{
	struct net_job *j = ch->state;
	struct xs_start s;
	int r;

	if ((r = xs_get_start(payload, &s)) != 0) {
		channel_fault(ch, "bad request: %s", err_text(r));
		xs_start_free(&s);
		return;
	}
	if (((s.flags & XS_TERMINAL) != 0) != j->session)
		net_job_fail(ch,
		    j->session ? "a session has a terminal" :
				 "a job has no terminal");
	else if (net_job_ask(ch, &s) != 0)
		net_job_fail(ch, "argument list too long");
	xs_start_free(&s);
}

/* A request about jobs stays where it is: it is their keeper's. */
static void
net_job_take_first(struct channel *ch)
{
	struct net_job *j = ch->state;
	struct buf payload;
	uint8_t tag;
	int r;

	if (buf_len(ch->in) == 0)
		return;
	j->run = *buf_ptr(ch->in) == XS_START;
	if (j->run &&
	    (r = xs_get_frame(ch->in, XS_START_MAX, &tag, &payload)) != 1) {
		if (r < 0)
			channel_fault(ch, "bad frame: %s", err_text(r));
		return;
	}
	channel_timer(ch, 0);
	j->state = JOB_STARTING;
	ch->busy = true;
	if (j->run)
		net_job_run(ch, &payload);
	else if (j->session)
		mon_session_door(ch);
	else
		mon_job_door(ch);
}

/* --- between the peer and the keeper --- */

static void
net_job_input(struct channel *ch)
{
	struct net_job *j = ch->state;

	if (j->state == JOB_FIRST)
		net_job_take_first(ch);
	/* It may have said why it takes no more: that is read. */
	if (j->state == JOB_RELAYED && net_relay_input(&j->keeper) < 0)
		buf_reset(ch->in);
}

static void
net_job_room(struct channel *ch)
{
	struct net_job *j = ch->state;

	if (j->state == JOB_RELAYED)
		net_relay_room(&j->keeper);
}

static int
net_job_asked(const struct net_job *j)
{
	if (j->session)
		return j->run ? PM_SESSION_RUN : PM_SESSION_DOOR;
	return j->run ? PM_JOB_RUN : PM_JOB_DOOR;
}

static int
net_job_told(struct channel *ch, struct privmsg *m)
{
	struct net_job *j = ch->state;
	uint32_t handle;
	char *why = NULL;
	int r;

	if (m->type == PM_EXITED) /* another channel's command */
		return 0;
	if (j->state != JOB_STARTING || m->type != net_job_asked(j) + 1)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	if (*why != '\0')
		net_job_fail(ch, why);
	else if ((r = buf_get_u32(&m->body, &handle)) == 0 &&
	    (r = net_relay_open(&j->keeper, privmsg_take_fd(m, 0))) == 0) {
		j->state = JOB_RELAYED;
		ch->busy = false;
	}
	free(why);
	return r;
}

const struct service_ops net_job_ops = {
	.begin = net_job_begin,
	.input = net_job_input,
	.room = net_job_room,
	.told = net_job_told,
	.end = net_job_end,
	.request_s = START_S,
};

const struct service_ops net_session_ops = {
	.begin = net_session_begin,
	.input = net_job_input,
	.room = net_job_room,
	.told = net_job_told,
	.end = net_job_end,
	.request_s = START_S,
};
