/* SPDX-License-Identifier: ISC */
/*
 * A connection's monitor in a test's own process.  Include behind cmocka.h;
 * link with HALF_WRAPS.
 */
#ifndef REGRESS_UNIT_MON_WORLD_H
#define REGRESS_UNIT_MON_WORLD_H

#include "monitor/handshake.h"
#include "monitor/kk.h"
#include "monitor/monitor.h"
#include "regress/unit/half_world.h"

static struct monitor mon;
static const struct half_role mw_role = { .child = "net",
	.requests = &monitor_requests };

/* On the control socket where the carrier says so, else before a handshake. */
static inline void
mw_begin(enum priv_carrier carrier)
{
	memset(&mon, 0, sizeof(mon));
	mw_begin_half(&mon.half, &mw_role, carrier);
	mon.proxy.stream = mon.proxy.result = -1;
	if (carrier == PRIV_CONTROL) {
		mon.half.phase = MON_SESSION;
		mon.half.grants = ~0U;
		return;
	}
	assert_int_equal(
	    carrier == PRIV_KK ? kk_begin(&mon) : handshake_begin(&mon), 0);
}

static inline void
mw_end(void)
{
	handshake_end(&mon);
	sodium_free(mon.kk);
	rights_free(&mon.rights);
	account_free(&mon.account);
	if (mon.idle != NULL)
		event_free(mon.idle);
	if (mon.telling != NULL)
		event_free(mon.telling);
	if (mon.proxy.ev != NULL)
		event_free(mon.proxy.ev);
	if (mon.proxy.stream != -1)
		close(mon.proxy.stream);
	if (mon.proxy.result != -1)
		close(mon.proxy.result);
	mw_end_half();
}

#endif
