/* SPDX-License-Identifier: ISC */
/*
 * A stream over dmsg for somebody on the control socket.  dmsg's monitor
 * dials it; what comes here is a socket for sealed bytes and the keys to them.
 */
#include "monitor/monitor.h"

#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"

#define KEYS_LEN 64

static void
drop(struct proxy *p)
{
	if (p->ev != NULL)
		event_free(p->ev);
	if (p->result != -1)
		close(p->result);
	if (p->stream != -1)
		close(p->stream);
	p->ev = NULL;
	p->result = p->stream = -1;
}

static void
fail(struct monitor *m, const char *why)
{
	struct privmsg req = { .type = PM_PROXY_DIAL, .id = m->proxy.id };

	drop(&m->proxy);
	child_answer_text(m, &req, why);
}

static int
hand_over(struct monitor *m, struct buf *keys)
{
	struct privmsg req = { .type = PM_PROXY_DIAL, .id = m->proxy.id };
	struct buf b;
	int r;

	if (buf_len(keys) != KEYS_LEN)
		return SKY_ERR_FORMAT;
	buf_init(&b, 4 + KEYS_LEN);
	if ((r = buf_put_u32(&b, 0)) == 0 &&
	    (r = buf_put(&b, buf_ptr(keys), KEYS_LEN)) == 0) {
		child_answer_fds(m, &req, &b, &m->proxy.stream, 1);
		m->proxy.stream = -1;
	}
	buf_free(&b);
	return r;
}

static void
on_result(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *m = arg;
	struct privmsg msg = { 0 };
	char *why = NULL;

	if ((what & EV_READ) == 0)
		fail(m, "dmsg does not answer");
	else if (privmsg_recv(fd, &msg, false) != 1 ||
	    msg.type != PM_DIAL_RESULT ||
	    buf_get_cstring(&msg.body, &why, PRIVMSG_TEXT_MAX) != 0)
		fail(m, "dmsg has ended");
	else if (*why != '\0')
		fail(m, why);
	else if (hand_over(m, &msg.body) != 0)
		fail(m, "dmsg makes no sense");
	drop(&m->proxy);
	free(why);
	privmsg_free(&msg);
}

static int
await(struct monitor *m)
{
	struct timeval tv = { .tv_sec = PRIV_DIAL_S + 5 };
	struct proxy *p = &m->proxy;

	p->ev = event_new(m->base, p->result, EV_READ, on_result, m);
	return p->ev != NULL && event_add(p->ev, &tv) == 0 ? 0 : SKY_ERR_NOMEM;
}

/* skyptyd's answer is a short local matter. */
static int
ask_parent(struct monitor *m, struct privmsg *msg, char **why)
{
	struct privmsg answer = { 0 };
	int r;

	if (m->parent == -1 ||
	    privmsg_send(m->parent, PM_DIAL, 0, &msg->body, NULL, 0) != 0)
		return SKY_ERR_STATE;
	do
		r = privmsg_recv(m->parent, &answer, true);
	while (r == SKY_ERR_AGAIN && errno == EINTR);
	if (r == 1 && answer.type == PM_DIAL + 1)
		r = buf_get_cstring(&answer.body, why, PRIVMSG_TEXT_MAX);
	else
		r = SKY_ERR_STATE;
	if (r == 0 && **why == '\0') {
		m->proxy.stream = privmsg_take_fd(&answer, 0);
		m->proxy.result = privmsg_take_fd(&answer, 1);
		if (m->proxy.stream == -1 || m->proxy.result == -1)
			r = SKY_ERR_STATE;
	}
	privmsg_free(&answer);
	return r;
}

int
proxy_dial(struct monitor *m, struct privmsg *msg)
{
	char *why = NULL;

	if (m->proxy.used)
		return SKY_ERR_STATE;
	ending_used(m, USE_DIAL);
	m->proxy = (struct proxy){ .used = true,
		.id = msg->id,
		.stream = -1,
		.result = -1 };
	if (ask_parent(m, msg, &why) != 0)
		fail(m, "skyptyd is gone: there is no dmsg without it");
	else if (*why != '\0')
		fail(m, why);
	else if (await(m) != 0)
		fail(m, "out of memory");
	free(why);
	return 0;
}
