/* SPDX-License-Identifier: ISC */
/*
 * A stream over dmsg for somebody on the control socket.  dmsg's monitor
 * dials it; what comes here is a socket for sealed bytes and the keys to them.
 */
#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "monitor/ending.h"
#include "monitor/monitor.h"
#include "monitor/proxy.h"

#define KEYS_LEN 64

static void
proxy_drop(struct proxy *p)
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
proxy_fail(struct monitor *m, const char *why)
{
	struct privmsg req = { .type = PM_PROXY_DIAL, .id = m->proxy.id };

	proxy_drop(&m->proxy);
	half_answer_why(&m->half, &req, why);
}

static int
proxy_hand_over(struct monitor *m, struct buf *keys)
{
	struct privmsg req = { .type = PM_PROXY_DIAL, .id = m->proxy.id };

	if (buf_len(keys) != KEYS_LEN)
		return SKY_ERR_FORMAT;
	half_answer_ok(&m->half, &req, keys, &m->proxy.stream, 1);
	m->proxy.stream = -1;
	return 0;
}

static void
proxy_on_result(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *m = arg;
	struct privmsg msg = { 0 };
	char *why = NULL;

	if ((what & EV_READ) == 0)
		proxy_fail(m, "dmsg does not answer");
	else if (privmsg_recv(fd, &msg, false) != 1 ||
	    msg.type != PM_DIAL_RESULT ||
	    buf_get_cstring(&msg.body, &why, PRIVMSG_TEXT_MAX) != 0)
		proxy_fail(m, "dmsg has ended");
	else if (*why != '\0')
		proxy_fail(m, why);
	else if (proxy_hand_over(m, &msg.body) != 0)
		proxy_fail(m, "the answer from dmsg is malformed");
	proxy_drop(&m->proxy);
	free(why);
	privmsg_free(&msg);
}

/* skyptyd's answer is a short local matter. */
static int
proxy_ask_parent(struct monitor *m, struct privmsg *msg, char **why)
{
	struct privmsg answer = { 0 };
	int r;

	if (m->half.parent == -1 ||
	    privmsg_send(m->half.parent, PM_DIAL, 0, &msg->body, NULL, 0) != 0)
		return SKY_ERR_STATE;
	do
		r = privmsg_recv(m->half.parent, &answer, true);
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
proxy_dial(struct half *h, struct privmsg *msg)
{
	struct timeval tv = { .tv_sec = PRIV_DIAL_S + 5 };
	struct monitor *m = monitor_of(h);
	struct proxy *p = &m->proxy;
	char *why = NULL;

	ending_used(m, USE_DIAL);
	*p = (struct proxy){ .id = msg->id, .stream = -1, .result = -1 };
	if (proxy_ask_parent(m, msg, &why) != 0)
		proxy_fail(m, "skyptyd is gone: there is no dmsg without it");
	else if (*why != '\0')
		proxy_fail(m, why);
	else if ((p->ev = event_new(m->half.base, p->result, EV_READ,
		      proxy_on_result, m)) == NULL ||
	    event_add(p->ev, &tv) == -1)
		proxy_fail(m, "out of memory");
	free(why);
	return 0;
}
