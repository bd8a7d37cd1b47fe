/* SPDX-License-Identifier: ISC */
/*
 * What dmsg says of itself, for whoever asks on the control socket.  skyptyd
 * keeps the last one; nobody here looks into it.
 */
#include <errno.h>

#include "common/base/err.h"
#include "monitor/ending.h"
#include "monitor/monitor.h"
#include "monitor/status.h"

int
status_get(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	struct privmsg answer = { 0 };
	int r;

	ending_used(m, USE_STATUS);
	if (m->half.parent == -1 ||
	    (r = privmsg_send(m->half.parent, PM_GET_STATUS, 0, NULL, NULL,
		 0)) != 0)
		return SKY_ERR_STATE;
	do
		r = privmsg_recv(m->half.parent, &answer, false);
	while (r == SKY_ERR_AGAIN && errno == EINTR);
	if (r == 1 && answer.type == PM_GET_STATUS + 1)
		half_answer(&m->half, msg, &answer.body);
	else
		half_answer(&m->half, msg, NULL);
	privmsg_free(&answer);
	return 0;
}
