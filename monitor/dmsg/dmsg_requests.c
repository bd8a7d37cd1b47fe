/* SPDX-License-Identifier: ISC */
/*
 * What the confined process of dmsg may ask of its monitor, how often and how
 * long: the policy of dmsg.
 */
#include "common/pty/noise.h"
#include "monitor/dmsg/dials.h"
#include "monitor/dmsg/dmsg_monitor.h"
#include "monitor/dmsg/entry.h"
#include "monitor/dmsg/pass_on.h"
#include "monitor/dmsg/servers.h"

#define NO_GRANT     0
#define HOST_LEN_MAX 256
#define SLOT_LEN     1
#define CONNECT_MIN  6
#define CONNECT_MAX  (CONNECT_MIN + HOST_LEN_MAX)
#define SERVER_LEN   (SLOT_LEN + KEY_PUBLIC_LEN)
#define MESSAGE_MAX  (SLOT_LEN + NOISE_MSG_MAX)
#define ENTRY_MIN    20
#define ENTRY_MAX    (ENTRY_MIN + PRIV_SERVERS_MAX * KEY_PUBLIC_LEN)
#define STREAM_LEN   (2 * KEY_PUBLIC_LEN)
#define TEXT_MAX     (4 + PRIVMSG_TEXT_MAX)
#define LOG_MAX	     (5 + PRIVMSG_TEXT_MAX)

/* Request, phases, grant, times, alive, rate, bytes at least and at most. */
/* clang-format off */
static const struct request rows[] = {
	/* Sessions to servers. */
	{ REQUEST(DMSG_CONNECT),	DMSG_SERVING,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,	ANY_RATE,						CONNECT_MIN,	CONNECT_MAX,		servers_connect },
	{ REQUEST(DMSG_HANDSHAKE),	DMSG_SERVING,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,	ANY_RATE,						SERVER_LEN,	SERVER_LEN,		servers_handshake },
	{ REQUEST(DMSG_MESSAGE_2),	DMSG_SERVING,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,	ANY_RATE,						SLOT_LEN,	MESSAGE_MAX,		servers_message_2 },
	{ REQUEST(DMSG_HANDSHAKE_DROP),	DMSG_SERVING,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,	ANY_RATE,						SLOT_LEN,	SLOT_LEN,		servers_handshake_drop },
	{ REQUEST(DMSG_ENTRY),		DMSG_SERVING,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,	RATE(PRIV_ENTRIES_PER_MIN, A_MINUTE, ABOVE_ENDS),	ENTRY_MIN,	ENTRY_MAX,		entry_sign },

	/* Streams, to us and to others. */
	{ REQUEST(DMSG_STREAM),		DMSG_SERVING,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,	ANY_RATE,						STREAM_LEN,	STREAM_LEN,		pass_on_stream },
	{ REQUEST(DMSG_DIAL_REQUEST),	DMSG_SERVING,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,	ANY_RATE,						2,		2,			dials_request },
	{ REQUEST(DMSG_DIAL_RESPONSE),	DMSG_SERVING,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,	ANY_RATE,						1,		NOISE_MSG_MAX,		dials_response },
	{ REQUEST(DMSG_DIAL_FAILED),	DMSG_SERVING,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,	ANY_RATE,						4,		TEXT_MAX,		dials_failed },
	{ REQUEST(DMSG_PROBE),		DMSG_SERVING,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,	RATE(PRIV_PROBES_PER_MIN, A_MINUTE, ABOVE_ENDS),	2,		2,			dials_probe },

	/* Words. */
	{ REQUEST(DMSG_STATUS),		DMSG_SERVING,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,	RATE(PRIV_STATUS_PER_S, A_SECOND, ABOVE_DROPS),		2,		PRIV_STATUS_MAX,	pass_on_status },
	{ REQUEST(LOG),			DMSG_SERVING,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,	RATE(PRIV_LOGS_PER_S, A_SECOND, ABOVE_TELLS),		5,		LOG_MAX,		half_log },
};
/* clang-format on */

#define ROWS (sizeof(rows) / sizeof(rows[0]))
_Static_assert(ROWS <= REQUESTS_MAX, "more requests than are counted");

const struct requests dmsg_requests = { rows, ROWS };
