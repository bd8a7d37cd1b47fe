/* SPDX-License-Identifier: ISC */
/* What goes on to skyptyd: streams that have come in, and how dmsg is. */
#include "monitor/dmsg/pass_on.h"

#include <errno.h>

#include "common/base/err.h"
#include "monitor/dmsg/dials.h"
#include "monitor/dmsg/dmsg_monitor.h"

/* A wish to dial may come in between, and an answer that came too late. */
static int
pass_on_await(struct dmsg_monitor *m, struct privmsg *answer)
{
	int r;

	for (;;) {
		r = privmsg_recv(m->half.parent, answer, true);
		if (r == SKY_ERR_AGAIN && errno == EINTR)
			continue;
		if (r != 1)
			return r;
		if (answer->type == PM_STREAM + 1 && answer->id == m->stream_id)
			return 1;
		if (answer->type == PM_DIAL_OUT)
			dials_wish(m, answer);
		privmsg_clear(answer);
	}
}

/* skyptyd counts and starts; its answer is a short local matter. */
int
pass_on_stream(struct half *h, struct privmsg *msg)
{
	struct dmsg_monitor *m = dmsg_monitor_of(h);
	struct privmsg answer = { 0 };
	struct buf b;
	int fd = -1;

	if (m->half.parent == -1)
		return SKY_ERR_STATE;
	if (privmsg_send(m->half.parent, PM_STREAM, ++m->stream_id, &msg->body,
		NULL, 0) == 0 &&
	    pass_on_await(m, &answer) == 1)
		fd = privmsg_take_fd(&answer, 0);
	privmsg_free(&answer);
	buf_init(&b, 1);
	if (buf_put_u8(&b, fd != -1) == 0)
		half_answer_fds(&m->half, msg, &b, &fd, fd != -1 ? 1 : 0);
	buf_free(&b);
	return 0;
}

/* skyptyd keeps the last one; nobody here looks into it. */
int
pass_on_status(struct half *h, struct privmsg *msg)
{
	if (h->parent == -1)
		return 0;
	return privmsg_send(h->parent, PM_DMSG_REPORT, 0, &msg->body, NULL, 0);
}
