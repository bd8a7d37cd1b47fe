/* SPDX-License-Identifier: ISC */
/* skyptyd-monitor, the privileged half of one connection: its life. */
#include "monitor/monitor.h"

#include <event2/event.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "monitor/ending.h"
#include "monitor/exec.h"
#include "monitor/forward.h"
#include "monitor/handshake.h"
#include "monitor/keep.h"
#include "monitor/kk.h"
#include "monitor/pty.h"
#include "monitor/session.h"
#include "monitor/sftp.h"
#include "monitor/spawn.h"
#include "monitor/whitelist.h"

/* --- what is the connection's in the life of a half --- */

static void
monitor_late(struct half *h)
{
	if (!(h->phase & (MON_HANDSHAKE | MON_KK | MON_FIRST)))
		return;
	monitor_of(h)->failure = PENALTY_GRACE;
	log_event(LOG_LEVEL_INFO, LOG_EVENT("handshake-failed"),
	    "Handshake not finished within %d seconds",
	    h->start.handshake_timeout);
}

/* skyptyd counts who did not authenticate, and how. */
static void
monitor_tell_failure(const struct monitor *m)
{
	enum penalty what = m->half.crashed ? PENALTY_CRASH : m->failure;
	struct buf b;

	if (m->half.parent == -1)
		return;
	buf_init(&b, 1);
	if (buf_put_u8(&b, (uint8_t)what) == 0)
		(void)privmsg_send(m->half.parent, PM_FAILED, 0, &b, NULL, 0);
	buf_free(&b);
}

/*
 * A terminal is hung up by the kernel: the child held the only master.  Whoever
 * is left, because it asked to, is nobody's then, as with sshd.
 */
static void
monitor_leave(struct half *h, int was, const char *why)
{
	struct monitor *m = monitor_of(h);

	sftp_reap(m);
	pty_reap(m);
	exec_reap(m);
	keep_reap(m);
	exec_leave(m);
	pty_leave(m);
	sftp_leave(m);
	keep_leave(m);
	forward_leave(m);
	if (was != MON_SESSION && !m->welcome)
		monitor_tell_failure(m);
	job_tell_all(m);
	ending_tell(m, was, why);
}

static void
monitor_reap(struct half *h)
{
	struct monitor *m = monitor_of(h);

	pty_reap(m);
	exec_reap(m);
	sftp_reap(m);
	keep_reap(m);
	forward_reap(m);
	spawn_reap(m);
}

static bool
monitor_waits(const struct half *h)
{
	const struct monitor *m = monitor_of_const(h);

	return sftp_running(h) != 0 || pty_recording(m) || m->forward.pid != 0;
}

static void
monitor_kill(struct half *h)
{
	sftp_kill(monitor_of(h));
	forward_kill(monitor_of(h));
}

static void
monitor_forget(struct half *h)
{
	handshake_end(monitor_of(h));
}

static const struct half_role role = { .child = "net",
	.program = "skyptyd-net",
	.title = "monitor ",
	.requests = &monitor_requests,
	.late = monitor_late,
	.leave = monitor_leave,
	.reap = monitor_reap,
	.waits = monitor_waits,
	.kill_left = monitor_kill,
	.forget = monitor_forget };

/* --- the beginning --- */

/* Whoever is at the control socket is known already. */
static void
monitor_begin_control(struct half *h)
{
	struct buf b;

	h->phase = MON_SESSION;
	session_begin_control(monitor_of(h));
	buf_init(&b, 4);
	if (buf_put_u32(&b, h->grants) == 0)
		half_tell(h, PM_CONTROL_OK, &b);
	buf_free(&b);
}

/* Our child, then the peer.  0, or -1, logged. */
static int
monitor_connect(struct monitor *m)
{
	struct half *h = &m->half;
	enum priv_carrier carrier = h->start.carrier;
	int r;

	if (carrier == PRIV_DMSG) {
		log_error("dmsg is not served here");
		return -1;
	}
	if (carrier == PRIV_CONTROL && !whitelist_control(m, PRIV_FD_CONN))
		exit(0);
	if (carrier == PRIV_XK) {
		origin_of_socket(&m->origin, PRIV_FD_CONN);
		origin_address(&m->from, PRIV_FD_CONN);
	}
	if (half_start_child(h, true) == -1)
		return -1;
	if (carrier == PRIV_CONTROL) {
		monitor_begin_control(h);
		return 0;
	}
	r = SKY_ERR_NOMEM;
	if ((h->keyctx = keyctx_new()) != NULL) {
		handshake_turn(m);
		r = carrier == PRIV_KK ? kk_begin(m) : handshake_begin(m);
	}
	if (r == 0)
		return 0;
	log_error("handshake cannot begin: %s", err_text(r));
	return -1;
}

int
main(int argc, char **argv, char **envp)
{
	static struct monitor m;
	(void)argc;
	half_leave_behind(argv, envp);
	m.begun = now_ms();
	if (half_begin(&m.half, &role) == -1 || monitor_connect(&m) == -1)
		return 1;
	event_base_dispatch(m.half.base);
	return 1;
}
