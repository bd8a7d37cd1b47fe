/* SPDX-License-Identifier: ISC */
/*
 * What dmsg says of itself, on its way to whoever asks on the control
 * socket.  skyptyd keeps the last one; nobody here looks into it.
 */
#include "monitor/monitor.h"

#include <errno.h>
#include <time.h>

#include "common/base/err.h"

/* Once a second is often enough; what comes sooner is dropped. */
int
status_report(struct monitor *m, struct privmsg *msg)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (m->parent == -1 || now.tv_sec == m->report_second)
		return 0;
	m->report_second = now.tv_sec;
	return privmsg_send(m->parent, PM_DMSG_REPORT, 0, &msg->body, NULL, 0);
}

int
status_get(struct monitor *m, struct privmsg *msg)
{
	struct privmsg answer = { 0 };
	int r;

	ending_used(m, USE_STATUS);
	if (m->parent == -1 ||
	    (r = privmsg_send(m->parent, PM_GET_STATUS, 0, NULL, NULL, 0)) != 0)
		return SKY_ERR_STATE;
	do
		r = privmsg_recv(m->parent, &answer, false);
	while (r == SKY_ERR_AGAIN && errno == EINTR);
	if (r == 1 && answer.type == PM_GET_STATUS + 1)
		child_answer(m, msg, &answer.body);
	else
		child_answer(m, msg, NULL);
	privmsg_free(&answer);
	return 0;
}
