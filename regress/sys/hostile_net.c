/* SPDX-License-Identifier: ISC */
/*
 * Stands in for skyptyd-net and attacks its monitor: one attack a connection,
 * the one that the file "act" beside it names.  It may carry a genuine
 * client's handshake to the monitor first, to attack from where that leads.
 * "real" becomes the real program, skyptyd-net.real.
 *
 * Called as "list MARKER" it prints all attacks: name, phase in which they are
 * made, text that the log must hold afterwards.  MARKER is the file that a
 * command would make that a monitor should not have started; the file "marker"
 * tells it later on.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "regress/sys/hostile_made.h"
#include "regress/sys/stand_in.h"

#define NOFILE	    256
#define PATIENCE    3 /* seconds until a monitor has let an attack pass */
#define ATTACKS_MAX 512
#define NAME_LEN    64
#define EXPECT_LEN  128

enum phase { PRE, REFUSED, SESSION, CONTROL };
static const char *const phase_names[] = { "pre", "refused", "session",
	"control" };

struct attack {
	char name[NAME_LEN];
	enum phase phase;
	char expect[EXPECT_LEN];
	uint16_t type;
	void (*payload)(struct buf *);
	size_t cut; /* bytes of the payload that are sent */
	void (*run)(const struct attack *);
};

static struct attack attacks[ATTACKS_MAX];
static size_t nattacks;

/* The monitor is to end this process; being alive afterwards is the news. */
static void
await_death(const struct attack *a)
{
	struct privmsg m = { 0 };
	int r;

	while ((r = privmsg_recv(PRIV_FD_PEER, &m, true)) == 1)
		;
	if (r == SKY_ERR_AGAIN)
		hostile_quit("hostile: %s: the monitor let it pass", a->name);
	_exit(0);
}

/* --- attacks of more than one message --- */

static void
send_payload(const struct attack *a)
{
	struct buf b, cut;

	buf_init(&b, PRIVMSG_MAX);
	if (a->payload != NULL)
		a->payload(&b);
	buf_view(&cut, buf_ptr(&b), buf_len(&b));
	if (a->cut < buf_len(&cut))
		hostile_must(buf_get_view(&b, a->cut, &cut));
	hostile_ask(a->type, &cut);
	buf_free(&b);
}

static void
send_built(uint16_t type, void (*payload)(struct buf *))
{
	struct attack a = { .type = type, .payload = payload, .cut = SIZE_MAX };

	send_payload(&a);
}

static void
run_single(const struct attack *a)
{
	send_payload(a);
	await_death(a);
}

/* Packets that are shorter than a message's head: cut bytes. */
static void
run_headless(const struct attack *a)
{
	hostile_send("\0\x14\0", a->cut, -1);
	await_death(a);
}

static void
run_oversized(const struct attack *a)
{
	static uint8_t big[PRIVMSG_MAX + 1];

	big[1] = PM_LOG;
	hostile_send(big, sizeof(big), -1);
	await_death(a);
}

static void
run_descriptor(const struct attack *a)
{
	hostile_send("\0\x14\0\0\2\0\0\0\1x", 10, PRIV_FD_CONN);
	await_death(a);
}

/* A bad handshake is refused without a word; asking on is not allowed. */
static void
run_after_bad_handshake(const struct attack *a)
{
	struct privmsg m = { 0 };

	send_built(PM_HANDSHAKE, made_bytes_49);
	hostile_await(&m, PM_HANDSHAKE + 1);
	send_payload(a);
	await_death(a);
}

/* The second message of a client that never came, replayed as the first. */
static void
run_first_twice(const struct attack *a)
{
	struct privmsg m = { 0 };

	send_built(PM_HANDSHAKE, made_bytes_49);
	send_built(PM_HANDSHAKE, made_bytes_49);
	hostile_await(&m, PM_HANDSHAKE + 1);
	await_death(a);
}

static void
ask_handle(uint16_t type, uint32_t handle)
{
	struct buf b;

	buf_init(&b, 4);
	hostile_must(buf_put_u32(&b, handle));
	hostile_ask(type, &b);
	buf_free(&b);
}

/* A terminal, taken for a command: the first handle of a connection is 1. */
static void
run_end_pty(const struct attack *a)
{
	send_built(PM_PTY_START, made_pty_sleep);
	hostile_await_success(PM_PTY_START + 1);
	ask_handle(a->type, 1);
	await_death(a);
}

/* With a->type, what has been given up or is to end already. */
static void
run_end_twice(const struct attack *a)
{
	send_built(PM_EXEC_START, made_exec_sleep);
	hostile_await_success(PM_EXEC_START + 1);
	ask_handle(a->type, 1);
	ask_handle(PM_EXEC_END, 1);
	await_death(a);
}

/* A signal to one that has been given up. */
static void
run_signal_after_end(const struct attack *a)
{
	struct buf b;

	send_built(PM_EXEC_START, made_exec_sleep);
	hostile_await_success(PM_EXEC_START + 1);
	buf_init(&b, 8);
	hostile_must(buf_put_u32(&b, 1));
	hostile_ask(PM_EXEC_END, &b);
	buf_reset(&b);
	hostile_must(buf_put_u32(&b, 1));
	hostile_must(buf_put_u8(&b, SIGTERM));
	hostile_ask(PM_EXEC_SIGNAL, &b);
	buf_free(&b);
	await_death(a);
}

/* A signal that it may not send, to a command of its own. */
static void
run_signal(const struct attack *a)
{
	send_built(PM_EXEC_START, made_exec_sleep);
	hostile_await_success(PM_EXEC_START + 1);
	send_payload(a);
	await_death(a);
}

/* Without dmsg it fails, and is used up all the same. */
static void
run_dial_twice(const struct attack *a)
{
	send_built(PM_PROXY_DIAL, made_key_and_port);
	hostile_await_failure(PM_PROXY_DIAL + 1);
	send_built(PM_PROXY_DIAL, made_key_and_port);
	await_death(a);
}

/* --- what a monitor bears --- */

static void
done(const struct attack *a)
{
	hostile_quit("hostile: done %s", a->name);
}

/*
 * As many as there may be at once, of what its type starts, whose masters and
 * sockets stay open; those above are told, and the handles are all others.
 */
static void
run_too_many(const struct attack *a)
{
	struct privmsg m[PRIV_EXECS_MAX] = { 0 };
	uint32_t handle, last = 0;
	struct buf text;
	unsigned max =
	    a->type == PM_EXEC_START ? PRIV_EXECS_MAX : PRIV_PTYS_MAX;

	for (unsigned i = 0; i < max; i++) {
		send_payload(a);
		hostile_await(&m[i], a->type + 1U);
		hostile_must(buf_get_string(&m[i].body, &text));
		if (buf_len(&text) != 0)
			hostile_quit("hostile: %s: number %u: %.*s", a->name,
			    i + 1, (int)buf_len(&text),
			    (const char *)buf_ptr(&text));
		hostile_must(buf_get_u32(&m[i].body, &handle));
		if (handle <= last)
			hostile_quit("hostile: %s: handle %u again", a->name,
			    handle);
		last = handle;
	}
	for (unsigned i = 0; i < 3; i++) {
		send_payload(a);
		hostile_await_failure(a->type + 1U);
	}
	done(a);
}

/* What the key may not have is told, however it is asked for. */
static void
run_not_permitted(const struct attack *a)
{
	for (unsigned i = 0; i < 3; i++) {
		send_payload(a);
		hostile_await_failure(a->type + 1U);
	}
	done(a);
}

/* So that a missing marker means something. */
static void
run_genuine(const struct attack *a)
{
	struct privmsg m = { 0 };

	send_payload(a);
	hostile_await_success(PM_EXEC_START + 1);
	hostile_await(&m, PM_EXITED);
	done(a);
}

static void
run_stop_ended(const struct attack *a)
{
	struct privmsg m = { 0 };

	send_built(PM_PTY_START, made_pty_sleep);
	hostile_await_success(PM_PTY_START + 1); /* it is hung up by that */
	hostile_await(&m, PM_EXITED);
	ask_handle(a->type, 1);
	hostile_await(&m, a->type + 1U);
	done(a);
}

static void
run_bad_key(const struct attack *a)
{
	struct privmsg m = { 0 };
	struct buf text;

	send_payload(a);
	hostile_await(&m, a->type + 1U);
	hostile_must(buf_get_string(&m.body, &text));
	if (buf_len(&text) == 0)
		hostile_quit("hostile: %s: was accepted", a->name);
	done(a);
}

static void
log_text(const char *text)
{
	struct buf b;

	buf_init(&b, 1024);
	hostile_must(buf_put_u8(&b, LOG_LEVEL_INFO));
	hostile_must(buf_put_cstring(&b, text));
	hostile_ask(PM_LOG, &b);
	buf_free(&b);
}

static void
run_flood(const struct attack *a)
{
	(void)a;
	for (int i = 0; i < 20000; i++)
		log_text("flood");
	_exit(0);
}

static void
run_injection(const struct attack *a)
{
	log_text("injected\nskyptyd[1]: Accepted key forged");
	log_text("injected\r\033[2J\033]0;title\a\x9b\x7f%s%n");
	log_text("Accepted key claimed");
	done(a);
}

/* --- the list --- */

__attribute__((format(printf, 3, 4))) static struct attack *
add(enum phase phase, const char *name, const char *expect, ...)
{
	struct attack *a = &attacks[nattacks++];
	va_list ap;

	if (nattacks == ATTACKS_MAX)
		_exit(1);
	snprintf(a->name, sizeof(a->name), "%s", name);
	va_start(ap, expect);
	vsnprintf(a->expect, sizeof(a->expect), expect, ap);
	va_end(ap);
	a->phase = phase;
	a->cut = SIZE_MAX;
	a->run = run_single;
	return a;
}

static const struct request {
	const char *name;
	uint16_t type;
	void (*payload)(struct buf *);
} requests[] = {
	{ "PTY_START", PM_PTY_START, made_pty_start },
	{ "PTY_STOP", PM_PTY_STOP, made_handle_7 },
	{ "EXEC_START", PM_EXEC_START, made_exec_start },
	{ "EXEC_END", PM_EXEC_END, made_handle_7 },
	{ "EXEC_LEAVE", PM_EXEC_LEAVE, made_handle_7 },
	{ "EXEC_SIGNAL", PM_EXEC_SIGNAL, made_signal_term },
	{ "SFTP_START", PM_SFTP_START, NULL },
	{ "JOB_RUN", PM_JOB_RUN, made_exec_start },
	{ "JOB_DOOR", PM_JOB_DOOR, NULL },
	{ "FORWARD_OPEN", PM_FORWARD_OPEN, made_forward },
	{ "FORWARD_LISTEN", PM_FORWARD_LISTEN, made_listen },
	{ "SESSION_RUN", PM_SESSION_RUN, made_session_run },
	{ "SESSION_DOOR", PM_SESSION_DOOR, NULL },
	{ "WL_LIST", PM_WL_LIST, NULL },
	{ "WL_ADD", PM_WL_ADD, made_one_key },
	{ "WL_REMOVE", PM_WL_REMOVE, made_one_key },
	{ "STATUS", PM_STATUS, NULL },
	{ "CONNS", PM_CONNS, made_bytes_8 },
	{ "COUNTS", PM_COUNTS, NULL },
	{ "KILL", PM_KILL, made_kill_key },
	{ "PROXY_DIAL", PM_PROXY_DIAL, made_key_and_port },
};

#define REQUESTS	 (sizeof(requests) / sizeof(requests[0]))
#define FIRST_OF_CONTROL (REQUESTS - 8)

/* Of a stream that has come over dmsg. */
static const struct request kk_requests[] = {
	{ "KK_REQUEST", PM_KK_REQUEST, made_bytes_100 },
	{ "FIRST_FRAME", PM_FIRST_FRAME, made_bytes_100 },
};

/* What dmsg may ask of its own monitor. */
static const struct request dmsg_requests[] = {
	{ "DMSG_CONNECT", PM_DMSG_CONNECT, made_host_and_port },
	{ "DMSG_HANDSHAKE", PM_DMSG_HANDSHAKE, made_slot_and_key },
	{ "DMSG_MESSAGE_2", PM_DMSG_MESSAGE_2, made_bytes_100 },
	{ "DMSG_HANDSHAKE_DROP", PM_DMSG_HANDSHAKE_DROP, made_bytes_1 },
	{ "DMSG_ENTRY", PM_DMSG_ENTRY, made_entry },
	{ "DMSG_STREAM", PM_DMSG_STREAM, made_just_key },
	{ "DMSG_DIAL_REQUEST", PM_DMSG_DIAL_REQUEST, made_bytes_2 },
	{ "DMSG_DIAL_RESPONSE", PM_DMSG_DIAL_RESPONSE, made_bytes_100 },
	{ "DMSG_DIAL_FAILED", PM_DMSG_DIAL_FAILED, made_bytes_5 },
	{ "DMSG_PROBE", PM_DMSG_PROBE, made_bytes_2 },
	{ "DMSG_STATUS", PM_DMSG_STATUS, made_bytes_100 },
};

static void
single(enum phase phase, const char *name, uint16_t type,
    void (*payload)(struct buf *), const char *request, const char *why)
{
	struct attack *a =
	    add(phase, name, "request %s refused: %s", request, why);

	a->type = type;
	a->payload = payload;
}

/* Well-formed requests where the phase or the grant is missing. */
static void
add_out_of_state(void)
{
	static const enum phase phases[] = { PRE, REFUSED };
	const struct request *r;
	struct attack *a;
	char name[NAME_LEN];

	for (size_t p = 0; p < 2; p++)
		for (size_t i = 0; i < REQUESTS; i++) {
			r = &requests[i];
			snprintf(name, sizeof(name), "%s-%s", r->name,
			    phase_names[phases[p]]);
			a = add(phases[p], name,
			    "request %s refused: not in this phase", r->name);
			a->type = r->type;
			a->payload = r->payload;
		}
	for (size_t i = 0; i < sizeof(kk_requests) / sizeof(kk_requests[0]);
	     i++) {
		r = &kk_requests[i];
		single(SESSION, r->name, r->type, r->payload, r->name,
		    "not in this phase");
	}
	for (size_t i = 0; i < sizeof(dmsg_requests) / sizeof(dmsg_requests[0]);
	     i++) {
		r = &dmsg_requests[i];
		a = add(SESSION, r->name, "request %u refused: unknown",
		    r->type);
		a->type = r->type;
		a->payload = r->payload;
	}
	for (size_t i = FIRST_OF_CONTROL; i < REQUESTS; i++) {
		r = &requests[i];
		snprintf(name, sizeof(name), "%s-over-tcp", r->name);
		a = add(SESSION, name, "request %s refused: not granted",
		    r->name);
		a->type = r->type;
		a->payload = r->payload;
	}
}

static void
add_unknown(void)
{
	static const uint16_t types[] = { 0, 1, 3, 5, 7, 38, 100, 101, 103, 105,
		200, 201, 301, 65534, 65535 };
	static const enum phase phases[] = { PRE, SESSION };
	struct attack *a;
	char name[NAME_LEN];

	for (size_t p = 0; p < 2; p++)
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
			snprintf(name, sizeof(name), "unknown-%u-%s", types[i],
			    phase_names[phases[p]]);
			a = add(phases[p], name, "request %u refused: unknown",
			    types[i]);
			a->type = types[i];
			a->payload = made_handle_7;
		}
}

/*
 * The others, a row each.  The log holds "request R refused: " and why, or what
 * an error says; without a request it holds why.
 */
#define LATE  "not in this phase"
#define SHORT "too short"
#define LONG  "too long"
#define ANY   "" /* where several errors would be right, any of them is */

/* clang-format off */
static const struct row {
	const char *name;
	enum phase phase;
	const char *request, *why;
	int error;
	uint16_t type;
	void (*payload)(struct buf *);
	void (*run)(const struct attack *);
} rows[] = {
	/* What a monitor bears. */
	{ "genuine",				SESSION,	NULL,		"hostile: done genuine",		0,			PM_EXEC_START,		made_exec_start,		run_genuine },
	{ "stop-ended",				SESSION,	NULL,		"hostile: done stop-ended",		0,			PM_PTY_STOP,		NULL,				run_stop_ended },
	{ "too-many-ptys",			SESSION,	NULL,		"hostile: done too-many-ptys",		0,			PM_PTY_START,		made_pty_sleep,			run_too_many },
	{ "too-many-execs",			SESSION,	NULL,		"hostile: done too-many-execs",		0,			PM_EXEC_START,		made_exec_sleep,		run_too_many },
	{ "too-many-servers",			SESSION,	NULL,		"hostile: done too-many-servers",	0,			PM_SFTP_START,		NULL,				run_too_many },
	{ "too-many-doors",			SESSION,	NULL,		"hostile: done too-many-doors",		0,			PM_JOB_DOOR,		NULL,				run_too_many },
	{ "forward-not-permitted",		SESSION,	NULL,		"Refused forwarding: to connect to 127.0.0.1 port 22",	0,	PM_FORWARD_OPEN,	made_forward,			run_not_permitted },
	{ "path-not-permitted",			SESSION,	NULL,		"Refused forwarding: to connect to /run/docker.sock",	0,	PM_FORWARD_OPEN,	made_forward_path,		run_not_permitted },
	{ "listen-not-permitted",		SESSION,	NULL,		"Refused forwarding: to listen at localhost port 0",	0,	PM_FORWARD_LISTEN,	made_listen,			run_not_permitted },
	{ "listen-beyond-not-permitted",	SESSION,	NULL,		"Refused forwarding: to listen at * port 8080",		0,	PM_FORWARD_LISTEN,	made_listen_beyond,		run_not_permitted },
	{ "forward-from-control",		CONTROL,	NULL,		"Refused forwarding: to connect to 127.0.0.1 port 22",	0,	PM_FORWARD_OPEN,	made_forward,			run_not_permitted },
	{ "key-off-curve",			CONTROL,	NULL,		"hostile: done key-off-curve",		0,			PM_WL_ADD,		made_key_off_curve,		run_bad_key },
	{ "log-flood",				PRE,		NULL,		"net: LOG more than",			0,			0,			NULL,				run_flood },
	{ "log-injection",			PRE,		NULL,		"hostile: done log-injection",		0,			0,			NULL,				run_injection },

	/* Handshakes, again and made up. */
	{ "handshake-after-refusal",		REFUSED,	"HANDSHAKE",	LATE,					0,			PM_HANDSHAKE,		made_last_again,		run_single },
	{ "handshake-first-replayed",		SESSION,	"HANDSHAKE",	LATE,					0,			PM_HANDSHAKE,		made_first_again,		run_single },
	{ "handshake-last-replayed",		SESSION,	"HANDSHAKE",	LATE,					0,			PM_HANDSHAKE,		made_last_again,		run_single },
	{ "handshake-on-control-socket",	CONTROL,	"HANDSHAKE",	LATE,					0,			PM_HANDSHAKE,		made_bytes_49,			run_single },
	{ "handshake-too-long",			PRE,		"HANDSHAKE",	LONG,					0,			PM_HANDSHAKE,		made_handshake_too_long,	run_single },
	{ "handshake-after-bad-handshake",	PRE,		"HANDSHAKE",	LATE,					0,			0,			NULL,				run_first_twice },
	{ "exec-after-bad-handshake",		PRE,		"EXEC_START",	LATE,					0,			PM_EXEC_START,		made_exec_start,		run_after_bad_handshake },
	{ "claim-as-answer",			PRE,		"3",		"unknown",				0,			PM_HANDSHAKE + 1,	made_claim,			run_single },
	{ "claim-as-control",			PRE,		"105",		"unknown",				0,			PM_CONTROL_OK,		made_handle_7,			run_single },
	{ "claim-as-monitor",			PRE,		"200",		"unknown",				0,			PM_AUTH,		made_claim_short,		run_single },

	/* Malformed. */
	{ "exec-args-lie",			SESSION,	"EXEC_START",	ANY,					0,			PM_EXEC_START,		made_args_lie_by_one,		run_single },
	{ "exec-args-lie-much",			SESSION,	"EXEC_START",	ANY,					0,			PM_EXEC_START,		made_args_lie_by_much,		run_single },
	{ "exec-args-too-many",			SESSION,	"EXEC_START",	NULL,					SKY_ERR_LIMIT,		PM_EXEC_START,		made_args_too_many,		run_single },
	{ "exec-env-lies",			SESSION,	"EXEC_START",	ANY,					0,			PM_EXEC_START,		made_env_lies,			run_single },
	{ "exec-string-lies",			SESSION,	"EXEC_START",	ANY,					0,			PM_EXEC_START,		made_string_lies,		run_single },
	{ "exec-arg-too-long",			SESSION,	"EXEC_START",	NULL,					SKY_ERR_LIMIT,		PM_EXEC_START,		made_arg_too_long,		run_single },
	{ "exec-name-nul",			SESSION,	"EXEC_START",	NULL,					SKY_ERR_FORMAT,		PM_EXEC_START,		made_name_nul,			run_single },
	{ "exec-arg-nul",			SESSION,	"EXEC_START",	NULL,					SKY_ERR_FORMAT,		PM_EXEC_START,		made_arg_nul,			run_single },
	{ "exec-env-nul",			SESSION,	"EXEC_START",	NULL,					SKY_ERR_FORMAT,		PM_EXEC_START,		made_env_nul,			run_single },
	{ "exec-trailing",			SESSION,	"EXEC_START",	NULL,					SKY_ERR_TRAILING,	PM_EXEC_START,		made_exec_trailing,		run_single },
	{ "exec-garbage",			SESSION,	"EXEC_START",	ANY,					0,			PM_EXEC_START,		made_whole_message,		run_single },
	{ "job-garbage",			SESSION,	"JOB_RUN",	ANY,					0,			PM_JOB_RUN,		made_whole_message,		run_single },
	{ "job-trailing",			SESSION,	"JOB_RUN",	NULL,					SKY_ERR_TRAILING,	PM_JOB_RUN,		made_exec_trailing,		run_single },
	{ "pty-garbage",			SESSION,	"PTY_START",	ANY,					0,			PM_PTY_START,		made_whole_message,		run_single },
	{ "pty-trailing",			SESSION,	"PTY_START",	NULL,					SKY_ERR_TRAILING,	PM_PTY_START,		made_pty_trailing,		run_single },
	{ "forward-kind",			SESSION,	"FORWARD_OPEN",	NULL,					SKY_ERR_RANGE,		PM_FORWARD_OPEN,	made_forward_kind,		run_single },
	{ "forward-trailing",			SESSION,	"FORWARD_OPEN",	NULL,					SKY_ERR_TRAILING,	PM_FORWARD_OPEN,	made_forward_trailing,		run_single },
	{ "forward-nul",			SESSION,	"FORWARD_OPEN",	NULL,					SKY_ERR_FORMAT,		PM_FORWARD_OPEN,	made_forward_nul,		run_single },
	{ "forward-garbage",			SESSION,	"FORWARD_OPEN",	ANY,					0,			PM_FORWARD_OPEN,	made_bytes_100,			run_single },
	{ "listen-flags",			SESSION,	"FORWARD_LISTEN", NULL,					SKY_ERR_RANGE,		PM_FORWARD_LISTEN,	made_listen_flags,		run_single },
	{ "listen-as-open",			SESSION,	"FORWARD_LISTEN", NULL,					SKY_ERR_SHORT,		PM_FORWARD_LISTEN,	made_forward,			run_single },
	{ "end-unknown",			SESSION,	"EXEC_END",	NULL,					SKY_ERR_NOTFOUND,	PM_EXEC_END,		made_handle_7,			run_single },
	{ "end-zero",				SESSION,	"EXEC_END",	NULL,					SKY_ERR_NOTFOUND,	PM_EXEC_END,		made_handle_0,			run_single },
	{ "end-max",				SESSION,	"EXEC_END",	NULL,					SKY_ERR_NOTFOUND,	PM_EXEC_END,		made_handle_max,		run_single },
	{ "stop-unknown",			SESSION,	"PTY_STOP",	NULL,					SKY_ERR_NOTFOUND,	PM_PTY_STOP,		made_handle_7,			run_single },
	{ "stop-zero",				SESSION,	"PTY_STOP",	NULL,					SKY_ERR_NOTFOUND,	PM_PTY_STOP,		made_handle_0,			run_single },
	{ "stop-max",				SESSION,	"PTY_STOP",	NULL,					SKY_ERR_NOTFOUND,	PM_PTY_STOP,		made_handle_max,		run_single },
	{ "leave-unknown",			SESSION,	"EXEC_LEAVE",	NULL,					SKY_ERR_NOTFOUND,	PM_EXEC_LEAVE,		made_handle_7,			run_single },
	{ "signal-unknown",			SESSION,	"EXEC_SIGNAL",	NULL,					SKY_ERR_NOTFOUND,	PM_EXEC_SIGNAL,		made_signal_term,		run_single },
	{ "log-level",				SESSION,	"LOG",		NULL,					SKY_ERR_RANGE,		PM_LOG,			made_log_level,			run_single },
	{ "log-nul",				SESSION,	"LOG",		NULL,					SKY_ERR_FORMAT,		PM_LOG,			made_log_nul,			run_single },
	{ "log-length",				SESSION,	"LOG",		ANY,					0,			PM_LOG,			made_log_length,		run_single },
	{ "log-trailing",			SESSION,	"LOG",		NULL,					SKY_ERR_TRAILING,	PM_LOG,			made_log_trailing,		run_single },
	{ "keys-lie-by-one",			CONTROL,	"WL_ADD",	NULL,					SKY_ERR_FORMAT,		PM_WL_ADD,		made_keys_lie_by_one,		run_single },
	{ "keys-lie-by-much",			CONTROL,	"WL_ADD",	NULL,					SKY_ERR_FORMAT,		PM_WL_ADD,		made_keys_lie_by_much,		run_single },
	{ "keys-trailing",			CONTROL,	"WL_REMOVE",	NULL,					SKY_ERR_FORMAT,		PM_WL_REMOVE,		made_keys_trailing,		run_single },

	{ "kill-of-another-kind",		CONTROL,	"KILL",		NULL,					SKY_ERR_RANGE,		PM_KILL,		made_kill_other,		run_single },
	{ "claim-about",			SESSION,	"216",		"unknown",				0,			PM_ABOUT,		made_kill_id,			run_single },
	{ "claim-moved",			SESSION,	"218",		"unknown",				0,			PM_MOVED,		made_kill_id,			run_single },
	{ "active-short",			SESSION,	"ACTIVE",	SHORT,					0,			PM_ACTIVE,		made_bytes_8,			run_single },
	{ "bytes-short",			SESSION,	"BYTES",	SHORT,					0,			PM_BYTES,		made_bytes_8,			run_single },
	{ "kill-trailing",			CONTROL,	"KILL",		NULL,					SKY_ERR_TRAILING,	PM_KILL,		made_kill_trailing,		run_single },

	/* Sizes. */
	{ "log-too-long",			PRE,		"LOG",		LONG,					0,			PM_LOG,			made_log_too_long,		run_single },
	{ "stop-too-short",			SESSION,	"PTY_STOP",	SHORT,					0,			PM_PTY_STOP,		made_bytes_3,			run_single },
	{ "stop-too-long",			SESSION,	"PTY_STOP",	LONG,					0,			PM_PTY_STOP,		made_bytes_5,			run_single },
	{ "leave-too-short",			SESSION,	"EXEC_LEAVE",	SHORT,					0,			PM_EXEC_LEAVE,		made_bytes_3,			run_single },
	{ "leave-too-long",			SESSION,	"EXEC_LEAVE",	LONG,					0,			PM_EXEC_LEAVE,		made_bytes_5,			run_single },
	{ "end-too-short",			SESSION,	"EXEC_END",	SHORT,					0,			PM_EXEC_END,		made_bytes_3,			run_single },
	{ "end-too-long",			SESSION,	"EXEC_END",	LONG,					0,			PM_EXEC_END,		made_bytes_5,			run_single },
	{ "signal-too-short",			SESSION,	"EXEC_SIGNAL",	SHORT,					0,			PM_EXEC_SIGNAL,		made_bytes_3,			run_single },
	{ "session-garbage",			SESSION,	"SESSION_RUN",	ANY,					0,			PM_SESSION_RUN,		made_whole_message,		run_single },
	{ "session-bad-name",			SESSION,	"SESSION_RUN",	NULL,					SKY_ERR_FORMAT,		PM_SESSION_RUN,		made_session_bad_name,		run_single },
	{ "session-door-too-long",		SESSION,	"SESSION_DOOR",	LONG,					0,			PM_SESSION_DOOR,	made_bytes_1,			run_single },
	{ "door-too-long",			SESSION,	"JOB_DOOR",	LONG,					0,			PM_JOB_DOOR,		made_bytes_1,			run_single },
	{ "forward-too-short",			SESSION,	"FORWARD_OPEN",	SHORT,					0,			PM_FORWARD_OPEN,	made_bytes_5,			run_single },
	{ "forward-too-long",			SESSION,	"FORWARD_OPEN",	LONG,					0,			PM_FORWARD_OPEN,	made_whole_message,		run_single },
	{ "listen-too-long",			SESSION,	"FORWARD_LISTEN", LONG,					0,			PM_FORWARD_LISTEN,	made_whole_message,		run_single },
	{ "sftp-too-long",			SESSION,	"SFTP_START",	LONG,					0,			PM_SFTP_START,		made_bytes_1,			run_single },
	{ "dial-too-short",			CONTROL,	"PROXY_DIAL",	SHORT,					0,			PM_PROXY_DIAL,		made_bytes_5,			run_single },
	{ "long-handshake-on-control-socket",	CONTROL,	"HANDSHAKE",	LATE,					0,			PM_HANDSHAKE,		made_bytes_100,			run_single },
	{ "list-too-long",			CONTROL,	"WL_LIST",	LONG,					0,			PM_WL_LIST,		made_bytes_1,			run_single },
	{ "add-too-long",			CONTROL,	"WL_ADD",	LONG,					0,			PM_WL_ADD,		made_wl_too_long,		run_single },
	{ "remove-too-long",			CONTROL,	"WL_REMOVE",	LONG,					0,			PM_WL_REMOVE,		made_wl_too_long,		run_single },
	{ "packet-over-the-maximum",		SESSION,	NULL,		"message refused: ",			0,			0,			NULL,				run_oversized },
	{ "descriptor-sent-up",			PRE,		NULL,		"message refused: ",			0,			0,			NULL,				run_descriptor },

	/* Too often, too late. */
	{ "end-pty",				SESSION,	"EXEC_END",	NULL,					SKY_ERR_NOTFOUND,	PM_EXEC_END,		NULL,				run_end_pty },
	{ "leave-pty",				SESSION,	"EXEC_LEAVE",	NULL,					SKY_ERR_NOTFOUND,	PM_EXEC_LEAVE,		NULL,				run_end_pty },
	{ "end-twice",				SESSION,	"EXEC_END",	NULL,					SKY_ERR_NOTFOUND,	PM_EXEC_END,		NULL,				run_end_twice },
	{ "end-after-leave",			SESSION,	"EXEC_END",	NULL,					SKY_ERR_NOTFOUND,	PM_EXEC_LEAVE,		NULL,				run_end_twice },
	{ "signal-after-end",			SESSION,	"EXEC_SIGNAL",	ANY,					0,			0,			NULL,				run_signal_after_end },
	{ "signal-stop",			SESSION,	"EXEC_SIGNAL",	ANY,					0,			PM_EXEC_SIGNAL,		made_signal_stop,		run_signal },
	{ "signal-zero",			SESSION,	"EXEC_SIGNAL",	ANY,					0,			PM_EXEC_SIGNAL,		made_signal_none,		run_signal },
	{ "dial-twice",				CONTROL,	"PROXY_DIAL",	ANY,					0,			0,			NULL,				run_dial_twice },
};
/* clang-format on */

static void
add_rows(void)
{
	struct attack *a;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		const char *why = r->why != NULL ? r->why : err_text(r->error);

		if (r->request == NULL)
			a = add(r->phase, r->name, "%s", why);
		else
			a = add(r->phase, r->name, "request %s refused: %s",
			    r->request, why);
		a->type = r->type;
		a->payload = r->payload;
		a->run = r->run;
	}
}

/* Packets that are shorter than a message's head. */
static void
add_headless(void)
{
	char name[NAME_LEN];
	struct attack *a;

	for (unsigned n = 0; n < PRIVMSG_HEAD_LEN; n++) {
		snprintf(name, sizeof(name), "packet-of-%u-bytes", n);
		a = add(PRE, name, "message refused: ");
		a->run = run_headless;
		a->cut = n;
	}
}

static void
add_truncated(const char *name, uint16_t type, enum phase phase,
    void (*payload)(struct buf *))
{
	char full[NAME_LEN];
	struct attack *a;
	struct buf b;

	buf_init(&b, BODY_MAX);
	payload(&b);
	for (size_t n = 0; n < buf_len(&b); n++) {
		snprintf(full, sizeof(full), "%s-cut-to-%zu", name, n);
		a = add(phase, full, "request %s refused: ", name);
		a->type = type;
		a->payload = payload;
		a->cut = n;
	}
	buf_free(&b);
}

static void
make_list(void)
{
	add_rows();
	add_out_of_state();
	add_unknown();
	add_headless();
	add_truncated("PTY_START", PM_PTY_START, SESSION, made_pty_start);
	add_truncated("EXEC_START", PM_EXEC_START, SESSION, made_exec_start);
	add_truncated("SESSION_RUN", PM_SESSION_RUN, SESSION, made_session_run);
	add_truncated("EXEC_SIGNAL", PM_EXEC_SIGNAL, SESSION, made_signal_term);
	add_truncated("LOG", PM_LOG, PRE, made_log_line);
	add_truncated("KILL", PM_KILL, CONTROL, made_kill_key);
	add_truncated("WL_ADD", PM_WL_ADD, CONTROL, made_one_key);
}

/* --- */

static const struct attack *
find(const char *name)
{
	for (size_t i = 0; i < nattacks; i++)
		if (strcmp(attacks[i].name, name) == 0)
			return &attacks[i];
	hostile_quit("hostile: no such attack: %s", name);
}

static void
attack(const char *name, enum priv_carrier carrier)
{
	const struct attack *a = find(name);
	struct privmsg m = { 0 };
	enum phase phase = PRE;

	if (carrier == PRIV_CONTROL) {
		hostile_await(&m, PM_CONTROL_OK);
		phase = CONTROL;
	} else if (a->phase != PRE)
		phase = hostile_handshake() ? SESSION : REFUSED;
	if (phase != a->phase)
		hostile_quit("hostile: %s: in phase %s", name,
		    phase_names[phase]);
	a->run(a);
}

/* Blocking reads, but not for ever; what needs a call that is forbidden later.
 */
static void
prepare(void)
{
	struct timeval tv = { .tv_sec = PATIENCE };
	int size = 2 * PRIVMSG_MAX;

	fcntl(PRIV_FD_CONN, F_SETFL, 0);
	setsockopt(PRIV_FD_CONN, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(PRIV_FD_PEER, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(PRIV_FD_PEER, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int
main(int argc, char **argv)
{
	enum priv_carrier carrier;
	char act[NAME_LEN], marker[PATH_MAX];

	if (argc > 2 && strcmp(argv[1], "list") == 0) {
		hostile_marker(argv[2]);
		make_list();
		for (size_t i = 0; i < nattacks; i++)
			printf("%s\t%s\t%s\n", attacks[i].name,
			    phase_names[attacks[i].phase], attacks[i].expect);
		return 0;
	}
	if (!stand_in_order("act", act, sizeof(act)))
		return 1;
	if (strcmp(act, "real") == 0)
		stand_in_step_aside();
	if (!stand_in_order("marker", marker, sizeof(marker)))
		return 1;
	hostile_marker(marker);
	make_list();
	prepare();
	if (!stand_in_confine(NOFILE, &carrier))
		return 1;
	attack(act, carrier);
	return 1;
}
