/* SPDX-License-Identifier: ISC */
/* skyptyd-dmsg-monitor, the privileged half of dmsg: its life. */
#include <event2/event.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "monitor/dmsg/connect.h"
#include "monitor/dmsg/dials.h"
#include "monitor/dmsg/dmsg_monitor.h"
#include "monitor/dmsg/servers.h"

#define LEAVE_S 6 /* seconds for dmsg to take its leave of the discovery */

/* --- what is dmsg's in the life of a half --- */

static bool
dmsg_monitor_term(struct half *h)
{
	struct dmsg_monitor *m = dmsg_monitor_of(h);

	if (!m->leaving &&
	    privmsg_send(h->child, PM_DMSG_STOP, 0, NULL, NULL, 0) == 0) {
		m->leaving = true;
		half_timer(h, LEAVE_S);
		return true;
	}
	log_event(LOG_LEVEL_INFO, LOG_EVENT("stop"), "dmsg ended by signal");
	return false;
}

/* Also in a process that is about to become a stranger's. */
void
dmsg_monitor_forget(struct half *h)
{
	struct dmsg_monitor *m = dmsg_monitor_of(h);

	servers_forget(m);
	dials_forget(m);
	half_forget_keys(h);
}

static void
dmsg_monitor_reap(struct half *h)
{
	connect_reap(dmsg_monitor_of(h));
}

static const struct half_role role = { .child = "dmsg",
	.program = "skyptyd-dmsg",
	.title = "",
	.requests = &dmsg_requests,
	.term = dmsg_monitor_term,
	.reap = dmsg_monitor_reap,
	.forget = dmsg_monitor_forget };

/* --- the beginning --- */

static int
dmsg_monitor_tell_config(struct dmsg_monitor *m)
{
	const struct start *st = &m->half.start;
	struct buf b;
	int r;

	buf_init(&b, PRIVMSG_MAX - PRIVMSG_HEAD_LEN);
	if ((r = buf_put(&b, m->own.b, KEY_PUBLIC_LEN)) == 0 &&
	    (r = buf_put_u16(&b, st->dmsgport)) == 0 &&
	    (r = buf_put_u32(&b, st->dmsgsessions)) == 0 &&
	    (r = buf_put_cstring(&b, st->dmsgdisc)) == 0 &&
	    (r = servers_put(m, &b)) == 0)
		r = privmsg_send(m->half.child, PM_DMSG_CONFIG, 0, &b, NULL, 0);
	buf_free(&b);
	return r;
}

/* Our child, then skyptyd's wishes.  0, or -1, logged. */
static int
dmsg_monitor_connect(struct dmsg_monitor *m)
{
	struct half *h = &m->half;
	int r;

	if (h->start.carrier != PRIV_DMSG) {
		log_error("only dmsg is served here");
		return -1;
	}
	if (half_start_child(h, false) == -1)
		return -1;
	h->phase = DMSG_SERVING;
	r = SKY_ERR_NOMEM;
	if ((h->keyctx = keyctx_new()) != NULL &&
	    (r = key_public(h->keyctx, h->start.sk, &m->own)) == 0 &&
	    (r = servers_begin(m)) == 0 && (r = dials_begin(m)) == 0 &&
	    (r = connect_init(m)) == 0)
		r = dmsg_monitor_tell_config(m);
	if (r == 0)
		return 0;
	log_error("cannot begin: %s", err_text(r));
	return -1;
}

int
main(int argc, char **argv, char **envp)
{
	static struct dmsg_monitor m;
	(void)argc;
	half_leave_behind(argv, envp);
	if (half_begin(&m.half, &role) == -1 || dmsg_monitor_connect(&m) == -1)
		return 1;
	event_base_dispatch(m.half.base);
	return 1;
}
