/* SPDX-License-Identifier: ISC */
/*
 * What a confined child may ask of its monitor, and when.  This table is the
 * policy: a request that is not in it, or not in the phase it needs, or
 * without the grant it needs, or longer or shorter than it can be, ends the
 * connection.  So does one whose handler finds it malformed.
 */
#include "monitor/monitor.h"

#include <stdlib.h>
#include <time.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/dmsg/dmsg_object.h"
#include "common/pty/frame.h"

typedef int request_handler(struct monitor *, struct privmsg *);

struct request {
	enum privmsg_type type;
	const char *name;
	int phases; /* enum mon_phase, or'ed */
	uint32_t grant;
	size_t min, max; /* length of the payload */
	request_handler *handle;
};

static request_handler child_log;

#define ANY                                                               \
	(MON_HANDSHAKE | MON_KK | MON_FIRST | MON_SESSION | MON_REFUSED | \
	    MON_DMSG)
#define COMMAND_MIN 12 /* three empty counts */
#define BODY_MAX    (PRIVMSG_MAX - PRIVMSG_HEAD_LEN)
#define KK_MIN	    (KEY_PUBLIC_LEN + DMSG_HASH_LEN)
#define HOST_MAX    256
#define WL_MAX	    (4 + PRIV_WL_MAX * KEY_PUBLIC_LEN)

static const struct request requests[] = {
	{ PM_HANDSHAKE, "HANDSHAKE", MON_HANDSHAKE, 0, 0, NOISE_MSG_MAX,
	    handshake_frame },
	{ PM_KK_REQUEST, "KK_REQUEST", MON_KK, 0, KK_MIN,
	    KK_MIN + NOISE_MSG_MAX, kk_request },
	{ PM_FIRST_FRAME, "FIRST_FRAME", MON_FIRST, 0, 0, FRAME_BODY_MAX,
	    kk_first_frame },
	{ PM_PTY_START, "PTY_START", MON_SESSION, PRIV_GRANT_PTY,
	    COMMAND_MIN + 9, BODY_MAX, pty_start },
	{ PM_PTY_STOP, "PTY_STOP", MON_SESSION, PRIV_GRANT_PTY, 0, 0,
	    pty_stop },
	{ PM_EXEC_START, "EXEC_START", MON_SESSION, PRIV_GRANT_EXEC,
	    COMMAND_MIN + 5, BODY_MAX, exec_start },
	{ PM_EXEC_END, "EXEC_END", MON_SESSION, PRIV_GRANT_EXEC, 4, 4,
	    exec_end },
	{ PM_EXEC_SIGNAL, "EXEC_SIGNAL", MON_SESSION, PRIV_GRANT_EXEC, 5, 5,
	    exec_signal },
	{ PM_SFTP_START, "SFTP_START", MON_SESSION, PRIV_GRANT_SFTP, 0, 0,
	    sftp_start },
	{ PM_WL_LIST, "WL_LIST", MON_SESSION, PRIV_GRANT_WHITELIST, 0, 0,
	    whitelist_list },
	{ PM_WL_ADD, "WL_ADD", MON_SESSION, PRIV_GRANT_WHITELIST, 4, WL_MAX,
	    whitelist_add },
	{ PM_WL_REMOVE, "WL_REMOVE", MON_SESSION, PRIV_GRANT_WHITELIST, 4,
	    WL_MAX, whitelist_remove },
	{ PM_STATUS, "STATUS", MON_SESSION, PRIV_GRANT_WHITELIST, 0, 0,
	    status_get },
	{ PM_PROXY_DIAL, "PROXY_DIAL", MON_SESSION, PRIV_GRANT_DIAL,
	    KEY_PUBLIC_LEN + 2, KEY_PUBLIC_LEN + 2, proxy_dial },
	{ PM_DMSG_STATUS, "DMSG_STATUS", MON_DMSG, 0, 2, PRIV_STATUS_MAX,
	    status_report },
	{ PM_DMSG_CONNECT, "DMSG_CONNECT", MON_DMSG, 0, 6, 6 + HOST_MAX,
	    overlay_connect },
	{ PM_DMSG_HANDSHAKE, "DMSG_HANDSHAKE", MON_DMSG, 0, 1 + KEY_PUBLIC_LEN,
	    1 + KEY_PUBLIC_LEN, overlay_handshake },
	{ PM_DMSG_MESSAGE_2, "DMSG_MESSAGE_2", MON_DMSG, 0, 1,
	    1 + NOISE_MSG_MAX, overlay_read },
	{ PM_DMSG_HANDSHAKE_DROP, "DMSG_HANDSHAKE_DROP", MON_DMSG, 0, 1, 1,
	    overlay_drop },
	{ PM_DMSG_ENTRY, "DMSG_ENTRY", MON_DMSG, 0, 20,
	    20 + PRIV_SERVERS_MAX *KEY_PUBLIC_LEN, overlay_entry },
	{ PM_DMSG_STREAM, "DMSG_STREAM", MON_DMSG, 0, 2 * KEY_PUBLIC_LEN,
	    2 * KEY_PUBLIC_LEN, overlay_stream },
	{ PM_DMSG_DIAL_REQUEST, "DMSG_DIAL_REQUEST", MON_DMSG, 0, 2, 2,
	    dial_request },
	{ PM_DMSG_DIAL_RESPONSE, "DMSG_DIAL_RESPONSE", MON_DMSG, 0, 1,
	    NOISE_MSG_MAX, dial_response },
	{ PM_DMSG_DIAL_FAILED, "DMSG_DIAL_FAILED", MON_DMSG, 0, 4,
	    4 + PRIVMSG_TEXT_MAX, dial_give_up },
	{ PM_DMSG_PROBE, "DMSG_PROBE", MON_DMSG, 0, 2, 2, dial_probe },
	{ PM_LOG, "LOG", ANY, 0, 5, 5 + PRIVMSG_TEXT_MAX, child_log },
};

static const struct request *
find(uint16_t type)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].type == type)
			return &requests[i];
	return NULL;
}

/* NULL if the request may be carried out, else why not. */
static const char *
objection(const struct monitor *m, const struct request *r, size_t len)
{
	if (!(r->phases & (int)m->phase))
		return "not in this phase";
	if ((r->grant & m->grants) != r->grant)
		return "not granted";
	if (len < r->min)
		return "too short";
	if (len > r->max)
		return "too long";
	return NULL;
}

int
dispatch(struct monitor *m, struct privmsg *msg)
{
	const struct request *req;
	const char *why;
	int r;

	if ((req = find(msg->type)) == NULL) {
		log_warn("child: request %u refused: unknown", msg->type);
		return SKY_ERR_DENIED;
	}
	if ((why = objection(m, req, buf_len(&msg->body))) != NULL) {
		log_warn("child: request %s refused: %s", req->name, why);
		return SKY_ERR_DENIED;
	}
	if ((r = req->handle(m, msg)) != 0) {
		log_warn("child: request %s refused: %s", req->name,
		    err_text(r));
		return SKY_ERR_DENIED;
	}
	return 0;
}

/* Too many lines in one second: the rest of them are not written down. */
static bool
may_log(struct monitor *m)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != m->log_second) {
		m->log_second = now.tv_sec;
		m->log_count = 0;
	}
	if (m->log_count > PRIV_LOGS_PER_S)
		return false;
	if (m->log_count++ == PRIV_LOGS_PER_S) {
		log_warn("child: too many lines, some are not written down");
		return false;
	}
	return true;
}

/* Marked, so that nobody takes it for the monitor's own word. */
static int
child_log(struct monitor *m, struct privmsg *msg)
{
	uint8_t level;
	char *text;
	int r;

	if ((r = buf_get_u8(&msg->body, &level)) != 0)
		return r;
	if (level > LOG_LEVEL_DEBUG)
		return SKY_ERR_RANGE;
	if ((r = buf_get_cstring(&msg->body, &text, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	r = buf_at_end(&msg->body);
	if (r == 0 && may_log(m))
		log_at((enum log_level)level, "net: %s", text);
	free(text);
	return r;
}
