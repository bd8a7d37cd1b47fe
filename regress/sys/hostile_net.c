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
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "common/pty/keys.h"
#include "common/pty/noise.h"
#include "regress/sys/stand_in.h"

#define NOFILE	    256
#define PATIENCE    3 /* seconds until a monitor has let an attack pass */
#define ATTACKS_MAX 512
#define NAME_LEN    64
#define EXPECT_LEN  128
#define BODY_MAX    (PRIVMSG_MAX - PRIVMSG_HEAD_LEN)

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
static char marker[PATH_MAX];
/* The genuine client's handshake messages. */
static struct buf first, last;

/* --- messages --- */

__attribute__((noreturn, format(printf, 1, 2))) static void
quit(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	stand_in_log(text);
	_exit(0);
}

static void
must(int r)
{
	if (r != 0)
		quit("hostile: %s", err_text(r));
}

/* One packet as it is, with a descriptor if that is not -1. */
static void
send_raw(const void *data, size_t n, int fd)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data,
		.iov_len = n };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} ctl = { 0 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;

	if (fd != -1) {
		mh.msg_control = &ctl;
		mh.msg_controllen = sizeof(ctl);
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	}
	if (sendmsg(PRIV_FD_PEER, &mh, MSG_NOSIGNAL) == -1)
		quit("hostile: sendmsg: %s", strerror(errno));
}

static void
ask(uint16_t type, struct buf *body)
{
	if (privmsg_send(PRIV_FD_PEER, type, 0, body, NULL, 0) != 0)
		quit("hostile: request %u cannot be sent", type);
}

/* Waits for a message of that type and drops others. */
static void
await(struct privmsg *m, unsigned type)
{
	do
		if (privmsg_recv(PRIV_FD_PEER, m, true) != 1)
			quit("hostile: no answer %u", type);
	while (m->type != type);
}

/* The monitor is to end this process; being alive afterwards is the news. */
static void
await_death(const struct attack *a)
{
	struct privmsg m = { 0 };
	int r;

	while ((r = privmsg_recv(PRIV_FD_PEER, &m, true)) == 1)
		;
	if (r == SKY_ERR_AGAIN)
		quit("hostile: %s: the monitor let it pass", a->name);
	_exit(0);
}

/* --- payloads --- */

static void
put_strings(struct buf *b, const char *const *s)
{
	uint32_t n = 0;

	while (s[n] != NULL)
		n++;
	must(buf_put_u32(b, n));
	for (; *s != NULL; s++)
		must(buf_put_cstring(b, *s));
}

/* A command that would leave its mark. */
static void
put_command(struct buf *b)
{
	const char *const argv[] = { marker, NULL }, *const none[] = { NULL };

	must(buf_put_cstring(b, "/bin/touch"));
	put_strings(b, argv);
	put_strings(b, none);
}

static void
put_exec_end_of(struct buf *b)
{
	must(buf_put_u32(b, 5000)); /* milliseconds */
	must(buf_put_u8(b, 0));	    /* no stdin */
}

static void
exec_start(struct buf *b)
{
	put_command(b);
	put_exec_end_of(b);
}

static void
put_size(struct buf *b)
{
	must(buf_put_u8(b, 1));
	must(buf_put_u64(b, 0x0018005000000000));
}

static void
pty_start(struct buf *b)
{
	put_command(b);
	put_size(b);
}

/* One that stays, and can be told from those of other tests. */
static void
put_sleep(struct buf *b)
{
	const char *const argv[] = { "-c", "while :; do sleep 60; done", marker,
		NULL };
	const char *const none[] = { NULL };

	must(buf_put_cstring(b, "/bin/sh"));
	put_strings(b, argv);
	put_strings(b, none);
}

static void
pty_sleep(struct buf *b)
{
	put_sleep(b);
	put_size(b);
}

static void
exec_sleep(struct buf *b)
{
	put_sleep(b);
	put_exec_end_of(b);
}

static void
handle_7(struct buf *b)
{
	must(buf_put_u32(b, 7));
}

static void
signal_term(struct buf *b)
{
	must(buf_put_u32(b, 7));
	must(buf_put_u8(b, SIGTERM));
}

/* To a command that runs, but not one that may be sent. */
static void
signal_stop(struct buf *b)
{
	must(buf_put_u32(b, 1));
	must(buf_put_u8(b, SIGSTOP));
}

static void
signal_none(struct buf *b)
{
	must(buf_put_u32(b, 1));
	must(buf_put_u8(b, 0));
}

static void
handle_0(struct buf *b)
{
	must(buf_put_u32(b, 0));
}

static void
handle_max(struct buf *b)
{
	must(buf_put_u32(b, UINT32_MAX));
}

/* The group's generator: a valid point that nobody is. */
static void
put_generator(struct buf *b)
{
	static const uint8_t g[KEY_PUBLIC_LEN] = { 0x02, 0x79, 0xbe, 0x66, 0x7e,
		0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87,
		0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9,
		0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98 };

	must(buf_put(b, g, sizeof(g)));
}

static void
one_key(struct buf *b)
{
	must(buf_put_u32(b, 1));
	put_generator(b);
}

static void
key_and_port(struct buf *b)
{
	put_generator(b);
	must(buf_put_u16(b, 22));
}

static void
kill_key(struct buf *b)
{
	must(buf_put_u8(b, PRIV_KILL_KEY));
	put_generator(b);
}

static void
kill_id(struct buf *b)
{
	must(buf_put_u8(b, PRIV_KILL_ID));
	must(buf_put_u64(b, 0));
}

static void
bytes_8(struct buf *b)
{
	must(buf_put_u64(b, 0));
}

static void
kill_other(struct buf *b)
{
	must(buf_put_u8(b, 2));
	must(buf_put_u64(b, 0));
}

static void
kill_trailing(struct buf *b)
{
	kill_id(b);
	must(buf_put_u8(b, 0));
}

static void
keys_lie_by_one(struct buf *b)
{
	must(buf_put_u32(b, 2));
	put_generator(b);
}

static void
keys_lie_by_much(struct buf *b)
{
	must(buf_put_u32(b, UINT32_MAX));
	put_generator(b);
}

static void
keys_trailing(struct buf *b)
{
	one_key(b);
	must(buf_put_u8(b, 0));
}

static void
key_off_curve(struct buf *b)
{
	static const uint8_t bad[KEY_PUBLIC_LEN] = { 0x02, 0 };

	must(buf_put_u32(b, 1));
	must(buf_put(b, bad, sizeof(bad)));
}

static void
log_line(struct buf *b)
{
	must(buf_put_u8(b, LOG_LEVEL_INFO));
	must(buf_put_cstring(b, "a line"));
}

static void
log_level(struct buf *b)
{
	must(buf_put_u8(b, 200));
	must(buf_put_cstring(b, "a line"));
}

static void
log_nul(struct buf *b)
{
	must(buf_put_u8(b, LOG_LEVEL_INFO));
	must(buf_put_string(b, "a\0b", 3));
}

static void
log_length(struct buf *b)
{
	must(buf_put_u8(b, LOG_LEVEL_INFO));
	must(buf_put_u32(b, UINT32_MAX));
	must(buf_put(b, "a line", 6));
}

static void
log_trailing(struct buf *b)
{
	log_line(b);
	must(buf_put_u8(b, 'x'));
}

static void
fill(struct buf *b, size_t n)
{
	uint8_t *p;

	must(buf_extend(b, n, &p));
	memset(p, 'x', n);
}

static void
bytes_1(struct buf *b)
{
	fill(b, 1);
}

static void
bytes_2(struct buf *b)
{
	fill(b, 2);
}

static void
bytes_100(struct buf *b)
{
	fill(b, 100);
}

static void
host_and_port(struct buf *b)
{
	must(buf_put_cstring(b, "127.0.0.1"));
	must(buf_put_u16(b, 22));
}

static void
just_key(struct buf *b)
{
	put_generator(b);
}

static void
slot_and_key(struct buf *b)
{
	must(buf_put_u8(b, 0));
	put_generator(b);
}

static void
entry(struct buf *b)
{
	must(buf_put_u64(b, 1));
	must(buf_put_u64(b, 1));
	must(buf_put_u32(b, 0));
}

static void
bytes_3(struct buf *b)
{
	fill(b, 3);
}

static void
bytes_5(struct buf *b)
{
	fill(b, 5);
}

static void
bytes_49(struct buf *b)
{
	fill(b, 49);
}

static void
handshake_too_long(struct buf *b)
{
	fill(b, NOISE_MSG_MAX + 1);
}

static void
log_too_long(struct buf *b)
{
	fill(b, 5 + PRIVMSG_TEXT_MAX + 1);
}

static void
wl_too_long(struct buf *b)
{
	fill(b, 4 + PRIV_WL_MAX * KEY_PUBLIC_LEN + 1);
}

static void
whole_message(struct buf *b)
{
	fill(b, BODY_MAX);
}

static void
first_again(struct buf *b)
{
	must(buf_put(b, buf_ptr(&first), buf_len(&first)));
}

static void
last_again(struct buf *b)
{
	must(buf_put(b, buf_ptr(&last), buf_len(&last)));
}

/* What the monitor would say of a peer that it has let in. */
static void
claim(struct buf *b)
{
	must(buf_put_u8(b, PRIV_DONE));
	put_generator(b);
	must(buf_put_u32(b, PRIV_GRANT_PTY | PRIV_GRANT_EXEC));
	must(buf_put_u32(b, 0));
	fill(b, 64);
}

static void
claim_short(struct buf *b)
{
	put_generator(b);
}

static void
args_lie_by_one(struct buf *b)
{
	must(buf_put_cstring(b, "/bin/touch"));
	must(buf_put_u32(b, 2));
	must(buf_put_cstring(b, marker));
	must(buf_put_u32(b, 0));
	put_exec_end_of(b);
}

static void
args_lie_by_much(struct buf *b)
{
	must(buf_put_cstring(b, "/bin/touch"));
	must(buf_put_u32(b, UINT32_MAX));
	must(buf_put_cstring(b, marker));
	must(buf_put_u32(b, 0));
	put_exec_end_of(b);
}

static void
args_too_many(struct buf *b)
{
	must(buf_put_cstring(b, "/bin/touch"));
	must(buf_put_u32(b, PRIV_ARGS_MAX + 1));
	for (unsigned i = 0; i <= PRIV_ARGS_MAX; i++)
		must(buf_put_u32(b, 0));
	must(buf_put_u32(b, 0));
	put_exec_end_of(b);
}

static void
env_lies(struct buf *b)
{
	must(buf_put_cstring(b, "/bin/touch"));
	must(buf_put_u32(b, 1));
	must(buf_put_cstring(b, marker));
	must(buf_put_u32(b, 0x40000000));
	put_exec_end_of(b);
}

static void
string_lies(struct buf *b)
{
	must(buf_put_u32(b, 0xfffffffe));
	must(buf_put(b, "/bin/touch", 10));
	must(buf_put_u64(b, 0));
	put_exec_end_of(b);
}

static void
arg_too_long(struct buf *b)
{
	must(buf_put_cstring(b, "/bin/touch"));
	must(buf_put_u32(b, 2));
	must(buf_put_cstring(b, marker));
	must(buf_put_u32(b, PRIV_ARG_MAX + 1));
	fill(b, PRIV_ARG_MAX + 1);
	must(buf_put_u32(b, 0));
	put_exec_end_of(b);
}

static void
name_nul(struct buf *b)
{
	must(buf_put_string(b, "/bin/touch\0x", 12));
	must(buf_put_u32(b, 1));
	must(buf_put_cstring(b, marker));
	must(buf_put_u32(b, 0));
	put_exec_end_of(b);
}

static void
arg_nul(struct buf *b)
{
	must(buf_put_cstring(b, "/bin/touch"));
	must(buf_put_u32(b, 1));
	must(buf_put_string(b, marker, strlen(marker) + 1));
	must(buf_put_u32(b, 0));
	put_exec_end_of(b);
}

static void
env_nul(struct buf *b)
{
	must(buf_put_cstring(b, "/bin/touch"));
	must(buf_put_u32(b, 1));
	must(buf_put_cstring(b, marker));
	must(buf_put_u32(b, 1));
	must(buf_put_string(b, "A=b\0c", 5));
	put_exec_end_of(b);
}

static void
exec_trailing(struct buf *b)
{
	exec_start(b);
	must(buf_put_u8(b, 0));
}

static void
pty_trailing(struct buf *b)
{
	pty_start(b);
	must(buf_put_u8(b, 0));
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
		must(buf_get_view(&b, a->cut, &cut));
	ask(a->type, &cut);
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
	send_raw("\0\x14\0", a->cut, -1);
	await_death(a);
}

static void
run_oversized(const struct attack *a)
{
	static uint8_t big[PRIVMSG_MAX + 1];

	big[1] = PM_LOG;
	send_raw(big, sizeof(big), -1);
	await_death(a);
}

static void
run_descriptor(const struct attack *a)
{
	send_raw("\0\x14\0\0\2\0\0\0\1x", 10, PRIV_FD_CONN);
	await_death(a);
}

/* A bad handshake is refused without a word; asking on is not allowed. */
static void
run_after_bad_handshake(const struct attack *a)
{
	struct privmsg m = { 0 };

	send_built(PM_HANDSHAKE, bytes_49);
	await(&m, PM_HANDSHAKE + 1);
	send_payload(a);
	await_death(a);
}

/* The second message of a client that never came, replayed as the first. */
static void
run_first_twice(const struct attack *a)
{
	struct privmsg m = { 0 };

	send_built(PM_HANDSHAKE, bytes_49);
	send_built(PM_HANDSHAKE, bytes_49);
	await(&m, PM_HANDSHAKE + 1);
	await_death(a);
}

static void
await_success(unsigned type)
{
	struct privmsg m = { 0 };
	char *text;

	await(&m, type);
	must(buf_get_cstring(&m.body, &text, PRIVMSG_TEXT_MAX));
	if (*text != '\0')
		quit("hostile: request %u failed: %s", type - 1, text);
	free(text);
	privmsg_free(&m);
}

static void
await_failure(unsigned type)
{
	struct privmsg m = { 0 };
	char *text;

	await(&m, type);
	must(buf_get_cstring(&m.body, &text, PRIVMSG_TEXT_MAX));
	if (*text == '\0')
		quit("hostile: request %u was granted", type - 1);
	free(text);
	privmsg_free(&m);
}

static void
run_pty_twice(const struct attack *a)
{
	send_built(PM_PTY_START, pty_sleep);
	await_success(PM_PTY_START + 1);
	send_payload(a);
	await_death(a);
}

static void
run_pty_pipelined(const struct attack *a)
{
	send_built(PM_PTY_START, pty_sleep);
	send_payload(a);
	await_death(a);
}

/* The first handle of a connection is 1. */
static void
run_end_twice(const struct attack *a)
{
	struct buf b;

	send_built(PM_EXEC_START, exec_sleep);
	await_success(PM_EXEC_START + 1);
	for (int i = 0; i < 2; i++) {
		buf_init(&b, 4);
		must(buf_put_u32(&b, 1));
		ask(PM_EXEC_END, &b);
		buf_free(&b);
	}
	await_death(a);
}

/* A signal to one that has been given up. */
static void
run_signal_after_end(const struct attack *a)
{
	struct buf b;

	send_built(PM_EXEC_START, exec_sleep);
	await_success(PM_EXEC_START + 1);
	buf_init(&b, 8);
	must(buf_put_u32(&b, 1));
	ask(PM_EXEC_END, &b);
	buf_reset(&b);
	must(buf_put_u32(&b, 1));
	must(buf_put_u8(&b, SIGTERM));
	ask(PM_EXEC_SIGNAL, &b);
	buf_free(&b);
	await_death(a);
}

/* A signal that it may not send, to a command of its own. */
static void
run_signal(const struct attack *a)
{
	send_built(PM_EXEC_START, exec_sleep);
	await_success(PM_EXEC_START + 1);
	send_payload(a);
	await_death(a);
}

static void
run_sftp_twice(const struct attack *a)
{
	ask(PM_SFTP_START, NULL);
	await_success(PM_SFTP_START + 1);
	ask(PM_SFTP_START, NULL);
	await_death(a);
}

/* Without dmsg it fails, and is used up all the same. */
static void
run_dial_twice(const struct attack *a)
{
	send_built(PM_PROXY_DIAL, key_and_port);
	await_failure(PM_PROXY_DIAL + 1);
	send_built(PM_PROXY_DIAL, key_and_port);
	await_death(a);
}

static void
run_too_many_execs(const struct attack *a)
{
	for (int i = 0; i < PRIV_EXECS_MAX; i++) {
		send_built(PM_EXEC_START, exec_sleep);
		await_success(PM_EXEC_START + 1);
	}
	send_payload(a);
	await_death(a);
}

/* --- what a monitor bears --- */

static void
done(const struct attack *a)
{
	quit("hostile: done %s", a->name);
}

/* So that a missing marker means something. */
static void
run_genuine(const struct attack *a)
{
	struct privmsg m = { 0 };

	send_payload(a);
	await_success(PM_EXEC_START + 1);
	await(&m, PM_EXITED);
	done(a);
}

static void
run_stop_without_pty(const struct attack *a)
{
	struct privmsg m = { 0 };

	send_payload(a);
	await(&m, a->type + 1U);
	done(a);
}

static void
run_bad_key(const struct attack *a)
{
	struct privmsg m = { 0 };
	struct buf text;

	send_payload(a);
	await(&m, a->type + 1U);
	must(buf_get_string(&m.body, &text));
	if (buf_len(&text) == 0)
		quit("hostile: %s: was accepted", a->name);
	done(a);
}

static void
log_text(const char *text)
{
	struct buf b;

	buf_init(&b, 1024);
	must(buf_put_u8(&b, LOG_LEVEL_INFO));
	must(buf_put_cstring(&b, text));
	ask(PM_LOG, &b);
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
	{ "PTY_START", PM_PTY_START, pty_start },
	{ "PTY_STOP", PM_PTY_STOP, NULL },
	{ "EXEC_START", PM_EXEC_START, exec_start },
	{ "EXEC_END", PM_EXEC_END, handle_7 },
	{ "EXEC_SIGNAL", PM_EXEC_SIGNAL, signal_term },
	{ "SFTP_START", PM_SFTP_START, NULL },
	{ "WL_LIST", PM_WL_LIST, NULL },
	{ "WL_ADD", PM_WL_ADD, one_key },
	{ "WL_REMOVE", PM_WL_REMOVE, one_key },
	{ "STATUS", PM_STATUS, NULL },
	{ "CONNS", PM_CONNS, bytes_8 },
	{ "COUNTS", PM_COUNTS, NULL },
	{ "KILL", PM_KILL, kill_key },
	{ "PROXY_DIAL", PM_PROXY_DIAL, key_and_port },
};

#define REQUESTS	 (sizeof(requests) / sizeof(requests[0]))
#define FIRST_OF_CONTROL (REQUESTS - 8)

/* Of a stream that has come over dmsg. */
static const struct request kk_requests[] = {
	{ "KK_REQUEST", PM_KK_REQUEST, bytes_100 },
	{ "FIRST_FRAME", PM_FIRST_FRAME, bytes_100 },
};

/* What dmsg may ask of its own monitor. */
static const struct request dmsg_requests[] = {
	{ "DMSG_CONNECT", PM_DMSG_CONNECT, host_and_port },
	{ "DMSG_HANDSHAKE", PM_DMSG_HANDSHAKE, slot_and_key },
	{ "DMSG_MESSAGE_2", PM_DMSG_MESSAGE_2, bytes_100 },
	{ "DMSG_HANDSHAKE_DROP", PM_DMSG_HANDSHAKE_DROP, bytes_1 },
	{ "DMSG_ENTRY", PM_DMSG_ENTRY, entry },
	{ "DMSG_STREAM", PM_DMSG_STREAM, just_key },
	{ "DMSG_DIAL_REQUEST", PM_DMSG_DIAL_REQUEST, bytes_2 },
	{ "DMSG_DIAL_RESPONSE", PM_DMSG_DIAL_RESPONSE, bytes_100 },
	{ "DMSG_DIAL_FAILED", PM_DMSG_DIAL_FAILED, bytes_5 },
	{ "DMSG_PROBE", PM_DMSG_PROBE, bytes_2 },
	{ "DMSG_STATUS", PM_DMSG_STATUS, bytes_100 },
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
	static const uint16_t types[] = { 0, 1, 3, 5, 7, 36, 38, 100, 101, 103,
		105, 200, 201, 301, 65534, 65535 };
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
			a->payload = handle_7;
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
	{ "genuine",				SESSION,	NULL,		"hostile: done genuine",		0,			PM_EXEC_START,		exec_start,		run_genuine },
	{ "stop-without-pty",			SESSION,	NULL,		"hostile: done stop-without-pty",	0,			PM_PTY_STOP,		NULL,			run_stop_without_pty },
	{ "key-off-curve",			CONTROL,	NULL,		"hostile: done key-off-curve",		0,			PM_WL_ADD,		key_off_curve,		run_bad_key },
	{ "log-flood",				PRE,		NULL,		"net: LOG more than",			0,			0,			NULL,			run_flood },
	{ "log-injection",			PRE,		NULL,		"hostile: done log-injection",		0,			0,			NULL,			run_injection },

	/* Handshakes, again and made up. */
	{ "handshake-after-refusal",		REFUSED,	"HANDSHAKE",	LATE,					0,			PM_HANDSHAKE,		last_again,		run_single },
	{ "handshake-first-replayed",		SESSION,	"HANDSHAKE",	LATE,					0,			PM_HANDSHAKE,		first_again,		run_single },
	{ "handshake-last-replayed",		SESSION,	"HANDSHAKE",	LATE,					0,			PM_HANDSHAKE,		last_again,		run_single },
	{ "handshake-on-control-socket",	CONTROL,	"HANDSHAKE",	LATE,					0,			PM_HANDSHAKE,		bytes_49,		run_single },
	{ "handshake-too-long",			PRE,		"HANDSHAKE",	LONG,					0,			PM_HANDSHAKE,		handshake_too_long,	run_single },
	{ "handshake-after-bad-handshake",	PRE,		"HANDSHAKE",	LATE,					0,			0,			NULL,			run_first_twice },
	{ "exec-after-bad-handshake",		PRE,		"EXEC_START",	LATE,					0,			PM_EXEC_START,		exec_start,		run_after_bad_handshake },
	{ "claim-as-answer",			PRE,		"3",		"unknown",				0,			PM_HANDSHAKE + 1,	claim,			run_single },
	{ "claim-as-control",			PRE,		"105",		"unknown",				0,			PM_CONTROL_OK,		handle_7,		run_single },
	{ "claim-as-monitor",			PRE,		"200",		"unknown",				0,			PM_AUTH,		claim_short,		run_single },

	/* Malformed. */
	{ "exec-args-lie",			SESSION,	"EXEC_START",	ANY,					0,			PM_EXEC_START,		args_lie_by_one,	run_single },
	{ "exec-args-lie-much",			SESSION,	"EXEC_START",	ANY,					0,			PM_EXEC_START,		args_lie_by_much,	run_single },
	{ "exec-args-too-many",			SESSION,	"EXEC_START",	NULL,					SKY_ERR_LIMIT,		PM_EXEC_START,		args_too_many,		run_single },
	{ "exec-env-lies",			SESSION,	"EXEC_START",	ANY,					0,			PM_EXEC_START,		env_lies,		run_single },
	{ "exec-string-lies",			SESSION,	"EXEC_START",	ANY,					0,			PM_EXEC_START,		string_lies,		run_single },
	{ "exec-arg-too-long",			SESSION,	"EXEC_START",	NULL,					SKY_ERR_LIMIT,		PM_EXEC_START,		arg_too_long,		run_single },
	{ "exec-name-nul",			SESSION,	"EXEC_START",	NULL,					SKY_ERR_FORMAT,		PM_EXEC_START,		name_nul,		run_single },
	{ "exec-arg-nul",			SESSION,	"EXEC_START",	NULL,					SKY_ERR_FORMAT,		PM_EXEC_START,		arg_nul,		run_single },
	{ "exec-env-nul",			SESSION,	"EXEC_START",	NULL,					SKY_ERR_FORMAT,		PM_EXEC_START,		env_nul,		run_single },
	{ "exec-trailing",			SESSION,	"EXEC_START",	NULL,					SKY_ERR_TRAILING,	PM_EXEC_START,		exec_trailing,		run_single },
	{ "exec-garbage",			SESSION,	"EXEC_START",	ANY,					0,			PM_EXEC_START,		whole_message,		run_single },
	{ "pty-garbage",			SESSION,	"PTY_START",	ANY,					0,			PM_PTY_START,		whole_message,		run_single },
	{ "pty-trailing",			SESSION,	"PTY_START",	NULL,					SKY_ERR_TRAILING,	PM_PTY_START,		pty_trailing,		run_single },
	{ "end-unknown",			SESSION,	"EXEC_END",	NULL,					SKY_ERR_NOTFOUND,	PM_EXEC_END,		handle_7,		run_single },
	{ "end-zero",				SESSION,	"EXEC_END",	NULL,					SKY_ERR_NOTFOUND,	PM_EXEC_END,		handle_0,		run_single },
	{ "end-max",				SESSION,	"EXEC_END",	NULL,					SKY_ERR_NOTFOUND,	PM_EXEC_END,		handle_max,		run_single },
	{ "signal-unknown",			SESSION,	"EXEC_SIGNAL",	NULL,					SKY_ERR_NOTFOUND,	PM_EXEC_SIGNAL,		signal_term,		run_single },
	{ "log-level",				SESSION,	"LOG",		NULL,					SKY_ERR_RANGE,		PM_LOG,			log_level,		run_single },
	{ "log-nul",				SESSION,	"LOG",		NULL,					SKY_ERR_FORMAT,		PM_LOG,			log_nul,		run_single },
	{ "log-length",				SESSION,	"LOG",		ANY,					0,			PM_LOG,			log_length,		run_single },
	{ "log-trailing",			SESSION,	"LOG",		NULL,					SKY_ERR_TRAILING,	PM_LOG,			log_trailing,		run_single },
	{ "keys-lie-by-one",			CONTROL,	"WL_ADD",	NULL,					SKY_ERR_FORMAT,		PM_WL_ADD,		keys_lie_by_one,	run_single },
	{ "keys-lie-by-much",			CONTROL,	"WL_ADD",	NULL,					SKY_ERR_FORMAT,		PM_WL_ADD,		keys_lie_by_much,	run_single },
	{ "keys-trailing",			CONTROL,	"WL_REMOVE",	NULL,					SKY_ERR_FORMAT,		PM_WL_REMOVE,		keys_trailing,		run_single },

	{ "kill-of-another-kind",		CONTROL,	"KILL",		NULL,					SKY_ERR_RANGE,		PM_KILL,		kill_other,		run_single },
	{ "claim-about",			SESSION,	"216",		"unknown",				0,			PM_ABOUT,		kill_id,		run_single },
	{ "claim-moved",			SESSION,	"218",		"unknown",				0,			PM_MOVED,		kill_id,		run_single },
	{ "active-short",			SESSION,	"ACTIVE",	SHORT,					0,			PM_ACTIVE,		bytes_8,		run_single },
	{ "kill-trailing",			CONTROL,	"KILL",		NULL,					SKY_ERR_TRAILING,	PM_KILL,		kill_trailing,		run_single },

	/* Sizes. */
	{ "log-too-long",			PRE,		"LOG",		LONG,					0,			PM_LOG,			log_too_long,		run_single },
	{ "stop-too-long",			SESSION,	"PTY_STOP",	LONG,					0,			PM_PTY_STOP,		bytes_1,		run_single },
	{ "end-too-short",			SESSION,	"EXEC_END",	SHORT,					0,			PM_EXEC_END,		bytes_3,		run_single },
	{ "end-too-long",			SESSION,	"EXEC_END",	LONG,					0,			PM_EXEC_END,		bytes_5,		run_single },
	{ "signal-too-short",			SESSION,	"EXEC_SIGNAL",	SHORT,					0,			PM_EXEC_SIGNAL,		bytes_3,		run_single },
	{ "sftp-too-long",			SESSION,	"SFTP_START",	LONG,					0,			PM_SFTP_START,		bytes_1,		run_single },
	{ "dial-too-short",			CONTROL,	"PROXY_DIAL",	SHORT,					0,			PM_PROXY_DIAL,		bytes_5,		run_single },
	{ "long-handshake-on-control-socket",	CONTROL,	"HANDSHAKE",	LATE,					0,			PM_HANDSHAKE,		bytes_100,		run_single },
	{ "list-too-long",			CONTROL,	"WL_LIST",	LONG,					0,			PM_WL_LIST,		bytes_1,		run_single },
	{ "add-too-long",			CONTROL,	"WL_ADD",	LONG,					0,			PM_WL_ADD,		wl_too_long,		run_single },
	{ "remove-too-long",			CONTROL,	"WL_REMOVE",	LONG,					0,			PM_WL_REMOVE,		wl_too_long,		run_single },
	{ "packet-over-the-maximum",		SESSION,	NULL,		"message refused: ",			0,			0,			NULL,			run_oversized },
	{ "descriptor-sent-up",			PRE,		NULL,		"message refused: ",			0,			0,			NULL,			run_descriptor },

	/* Too often, too late. */
	{ "pty-twice",				SESSION,	"PTY_START",	ANY,					0,			PM_PTY_START,		pty_start,		run_pty_twice },
	{ "pty-pipelined",			SESSION,	"PTY_START",	ANY,					0,			PM_PTY_START,		pty_start,		run_pty_pipelined },
	{ "too-many-execs",			SESSION,	"EXEC_START",	ANY,					0,			PM_EXEC_START,		exec_start,		run_too_many_execs },
	{ "end-twice",				SESSION,	"EXEC_END",	ANY,					0,			0,			NULL,			run_end_twice },
	{ "signal-after-end",			SESSION,	"EXEC_SIGNAL",	ANY,					0,			0,			NULL,			run_signal_after_end },
	{ "signal-stop",			SESSION,	"EXEC_SIGNAL",	ANY,					0,			PM_EXEC_SIGNAL,		signal_stop,		run_signal },
	{ "signal-zero",			SESSION,	"EXEC_SIGNAL",	ANY,					0,			PM_EXEC_SIGNAL,		signal_none,		run_signal },
	{ "sftp-twice",				SESSION,	"SFTP_START",	ANY,					0,			0,			NULL,			run_sftp_twice },
	{ "dial-twice",				CONTROL,	"PROXY_DIAL",	ANY,					0,			0,			NULL,			run_dial_twice },
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
	add_truncated("PTY_START", PM_PTY_START, SESSION, pty_start);
	add_truncated("EXEC_START", PM_EXEC_START, SESSION, exec_start);
	add_truncated("EXEC_SIGNAL", PM_EXEC_SIGNAL, SESSION, signal_term);
	add_truncated("LOG", PM_LOG, PRE, log_line);
	add_truncated("KILL", PM_KILL, CONTROL, kill_key);
	add_truncated("WL_ADD", PM_WL_ADD, CONTROL, one_key);
}

/* --- the genuine client's handshake --- */

static void
read_all(uint8_t *p, size_t n)
{
	ssize_t r;

	for (; n > 0; p += r, n -= (size_t)r)
		if ((r = read(PRIV_FD_CONN, p, n)) <= 0)
			quit("hostile: the client is gone");
}

static void
read_frame(struct buf *body)
{
	uint8_t head[2], data[NOISE_MSG_MAX];
	size_t n;

	read_all(head, sizeof(head));
	if ((n = (size_t)(head[0] << 8 | head[1])) > sizeof(data))
		quit("hostile: the client's frame is too long");
	read_all(data, n);
	buf_free(body);
	buf_init(body, NOISE_MSG_MAX);
	must(buf_put(body, data, n));
}

static void
write_frame(struct buf *body)
{
	uint8_t frame[2 + NOISE_MSG_MAX];
	size_t n = buf_len(body);

	frame[0] = (uint8_t)(n >> 8);
	frame[1] = (uint8_t)n;
	must(buf_get(body, frame + 2, n));
	if (write(PRIV_FD_CONN, frame, n + 2) != (ssize_t)(n + 2))
		quit("hostile: the client takes no frame");
}

/* A client's message up, the answer's kind back. */
static uint8_t
exchange(struct buf *frame, struct privmsg *m)
{
	struct buf copy;
	uint8_t what;

	buf_view(&copy, buf_ptr(frame), buf_len(frame));
	ask(PM_HANDSHAKE, &copy);
	await(m, PM_HANDSHAKE + 1);
	must(buf_get_u8(&m->body, &what));
	return what;
}

static enum phase
handshake(void)
{
	struct privmsg m = { 0 };
	uint8_t what;

	read_frame(&first);
	if (exchange(&first, &m) != PRIV_FRAME)
		return REFUSED;
	write_frame(&m.body);
	read_frame(&last);
	what = exchange(&last, &m);
	privmsg_free(&m);
	return what == PRIV_DONE ? SESSION : REFUSED;
}

/* --- */

static const struct attack *
find(const char *name)
{
	for (size_t i = 0; i < nattacks; i++)
		if (strcmp(attacks[i].name, name) == 0)
			return &attacks[i];
	quit("hostile: no such attack: %s", name);
}

static void
attack(const char *name, enum priv_carrier carrier)
{
	const struct attack *a = find(name);
	struct privmsg m = { 0 };
	enum phase phase = PRE;

	if (carrier == PRIV_CONTROL) {
		await(&m, PM_CONTROL_OK);
		phase = CONTROL;
	} else if (a->phase != PRE)
		phase = handshake();
	if (phase != a->phase)
		quit("hostile: %s: in phase %s", name, phase_names[phase]);
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
	char act[NAME_LEN];

	if (argc > 2 && strcmp(argv[1], "list") == 0) {
		snprintf(marker, sizeof(marker), "%s", argv[2]);
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
	make_list();
	prepare();
	if (!stand_in_confine(NOFILE, &carrier))
		return 1;
	attack(act, carrier);
	return 1;
}
