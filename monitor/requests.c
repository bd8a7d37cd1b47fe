/* SPDX-License-Identifier: ISC */
/*
 * What the confined child of a connection may ask of its monitor, when, with
 * which grant, how often and how long: the policy of a connection.
 */
#include "common/dmsg/dmsg_object.h"
#include "common/pty/frame.h"
#include "monitor/exec.h"
#include "monitor/forward.h"
#include "monitor/handshake.h"
#include "monitor/job.h"
#include "monitor/keep.h"
#include "monitor/kk.h"
#include "monitor/monitor.h"
#include "monitor/proxy.h"
#include "monitor/pty.h"
#include "monitor/session.h"
#include "monitor/sftp.h"
#include "monitor/status.h"
#include "monitor/whitelist.h"

#define ANY_PHASE \
	(MON_HANDSHAKE | MON_KK | MON_FIRST | MON_SESSION | MON_REFUSED)
#define NO_GRANT    0
#define PTY	    PRIV_GRANT_PTY
#define EXEC	    PRIV_GRANT_EXEC
#define SFTP	    PRIV_GRANT_SFTP
#define JOBS	    PRIV_GRANTS_JOB
#define FORWARD	    PRIV_GRANT_FORWARD
#define SESSIONS    PRIV_GRANTS_SESSION
#define WHITELIST   PRIV_GRANT_WHITELIST
#define DIAL	    PRIV_GRANT_DIAL
#define COMMAND_MIN 12 /* three empty counts */
#define BODY_MAX    (PRIVMSG_MAX - PRIVMSG_HEAD_LEN)
#define KK_MIN	    (KEY_PUBLIC_LEN + DMSG_HASH_LEN)
#define FORWARD_MIN (1 + 4 + 2)
#define FORWARD_MAX (FORWARD_MIN + PRIV_FORWARD_NAME)
#define WL_MAX	    (4 + PRIV_WL_MAX * KEY_PUBLIC_LEN)
#define DIAL_LEN    (KEY_PUBLIC_LEN + 2)
#define USER_MIN    5 /* a name of one byte */
#define LOG_MAX	    (5 + PRIVMSG_TEXT_MAX)

/* Request, phases, grant, times, alive, rate, bytes at least and at most. */
/* clang-format off */
static const struct request rows[] = {
	/* The peer proves its key: two messages of XK; one of KK and a frame. */
	{ REQUEST(HANDSHAKE),	MON_HANDSHAKE,	NO_GRANT,	2,		ANY_ALIVE,						ANY_RATE,					0,			NOISE_MSG_MAX,		handshake_frame },
	{ REQUEST(KK_REQUEST),	MON_KK,		NO_GRANT,	ONCE,		ANY_ALIVE,						ANY_RATE,					KK_MIN,			KK_MIN + NOISE_MSG_MAX,	kk_request },
	{ REQUEST(FIRST_FRAME),	MON_FIRST,	NO_GRANT,	ONCE,		ANY_ALIVE,						ANY_RATE,					0,			FRAME_BODY_MAX,		kk_first_frame },

	/* It has a session. */
	{ REQUEST(USER),	MON_SESSION,	NO_GRANT,	ONCE,		ALIVE(1, session_started, ABOVE_ENDS),			ANY_RATE,					USER_MIN,		4 + PRIV_USER_MAX,	session_user },
	{ REQUEST(PTY_START),	MON_SESSION,	PTY,		ANY_TIMES,	ALIVE(PRIV_PTYS_MAX, pty_running, ABOVE_ANSWERS),	ANY_RATE,					COMMAND_MIN + 9,	BODY_MAX,		pty_start },
	{ REQUEST(PTY_STOP),	MON_SESSION,	PTY,		ANY_TIMES,	ANY_ALIVE,						ANY_RATE,					4,			4,			pty_stop },
	{ REQUEST(EXEC_START),	MON_SESSION,	EXEC,		ANY_TIMES,	ALIVE(PRIV_EXECS_MAX, exec_running, ABOVE_ANSWERS),	ANY_RATE,					COMMAND_MIN + 5,	BODY_MAX,		exec_start },
	{ REQUEST(EXEC_END),	MON_SESSION,	EXEC,		ANY_TIMES,	ANY_ALIVE,						ANY_RATE,					4,			4,			exec_end },
	{ REQUEST(EXEC_LEAVE),	MON_SESSION,	EXEC,		ANY_TIMES,	ANY_ALIVE,						ANY_RATE,					4,			4,			exec_give_up },
	{ REQUEST(EXEC_SIGNAL),	MON_SESSION,	EXEC,		ANY_TIMES,	ANY_ALIVE,						ANY_RATE,					5,			5,			exec_signal },
	{ REQUEST(SFTP_START),	MON_SESSION,	SFTP,		ANY_TIMES,	ALIVE(PRIV_SFTPS_MAX, sftp_running, ABOVE_ANSWERS),	ANY_RATE,					0,			0,			sftp_start },

	{ REQUEST(JOB_RUN),	MON_SESSION,	JOBS,		ANY_TIMES,	ALIVE(PRIV_KEEPERS_MAX, keep_running, ABOVE_ANSWERS),	ANY_RATE,					COMMAND_MIN + 5,	BODY_MAX,		keep_run },
	{ REQUEST(JOB_DOOR),	MON_SESSION,	JOBS,		ANY_TIMES,	ALIVE(PRIV_KEEPERS_MAX, keep_running, ABOVE_ANSWERS),	ANY_RATE,					0,			0,			keep_door },
	{ REQUEST(SESSION_RUN),	MON_SESSION,	SESSIONS,		ANY_TIMES,	ALIVE(PRIV_KEEPERS_MAX, keep_running, ABOVE_ANSWERS),	ANY_RATE,					COMMAND_MIN + 13,	BODY_MAX,		keep_session_run },
	{ REQUEST(SESSION_DOOR),	MON_SESSION,	SESSIONS,		ANY_TIMES,	ALIVE(PRIV_KEEPERS_MAX, keep_running, ABOVE_ANSWERS),	ANY_RATE,					0,			0,			keep_session_door },

	{ REQUEST(FORWARD_OPEN),	MON_SESSION,	FORWARD,	ANY_TIMES,	ALIVE(PRIV_FORWARDS_MAX, forward_making, ABOVE_ANSWERS),	ANY_RATE,					FORWARD_MIN,		FORWARD_MAX,		forward_open },
	{ REQUEST(FORWARD_LISTEN),	MON_SESSION,	FORWARD,	ANY_TIMES,	ALIVE(PRIV_FORWARDS_MAX, forward_making, ABOVE_ANSWERS),	ANY_RATE,					FORWARD_MIN + 1,	FORWARD_MAX + 1,	forward_listen },

	{ REQUEST(ACTIVE),	MON_SESSION,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,						RATE(PRIV_ACTIVES_PER_S, A_SECOND, ABOVE_DROPS),	16,			16,			session_active },
	{ REQUEST(BYTES),	MON_SESSION,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,						ANY_RATE,					20,			20,			job_bytes },

	/* It is on the control socket. */
	{ REQUEST(WL_LIST),	MON_SESSION,	WHITELIST,	ANY_TIMES,	ANY_ALIVE,						ANY_RATE,					0,			0,			whitelist_list },
	{ REQUEST(WL_ADD),	MON_SESSION,	WHITELIST,	ANY_TIMES,	ANY_ALIVE,						ANY_RATE,					4,			WL_MAX,			whitelist_add },
	{ REQUEST(WL_REMOVE),	MON_SESSION,	WHITELIST,	ANY_TIMES,	ANY_ALIVE,						ANY_RATE,					4,			WL_MAX,			whitelist_remove },
	{ REQUEST(STATUS),	MON_SESSION,	WHITELIST,	ANY_TIMES,	ANY_ALIVE,						ANY_RATE,					0,			0,			status_get },
	{ REQUEST(KILL),	MON_SESSION,	WHITELIST,	ANY_TIMES,	ANY_ALIVE,						ANY_RATE,					PRIV_KILL_MIN,		PRIV_KILL_MAX,		status_kill },
	{ REQUEST(CONNS),	MON_SESSION,	WHITELIST,	ANY_TIMES,	ANY_ALIVE,						ANY_RATE,					8,			8,			status_conns },
	{ REQUEST(COUNTS),	MON_SESSION,	WHITELIST,	ANY_TIMES,	ANY_ALIVE,						ANY_RATE,					0,			0,			status_counts },
	{ REQUEST(PROXY_DIAL),	MON_SESSION,	DIAL,		ONCE,		ANY_ALIVE,						ANY_RATE,					DIAL_LEN,		DIAL_LEN,		proxy_dial },

	{ REQUEST(LOG),		ANY_PHASE,	NO_GRANT,	ANY_TIMES,	ANY_ALIVE,						RATE(PRIV_LOGS_PER_S, A_SECOND, ABOVE_TELLS),	5,			LOG_MAX,		half_log },
};
/* clang-format on */

#define ROWS (sizeof(rows) / sizeof(rows[0]))
_Static_assert(ROWS <= REQUESTS_MAX, "more requests than are counted");

const struct requests monitor_requests = { rows, ROWS };
