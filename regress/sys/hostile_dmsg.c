/* SPDX-License-Identifier: ISC */
/*
 * Stands in for skyptyd-dmsg and attacks its monitor: one attack a start, the
 * one that the file "act" beside it names.  Called as "list" it prints all
 * attacks and the text that the log must hold afterwards.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "common/dmsg/dmsg_object.h"
#include "common/pty/frame.h"
#include "common/pty/keys.h"
#include "common/pty/noise.h"
#include "regress/sys/stand_in.h"

#define NOFILE	      2048
#define PATIENCE      8 /* seconds for an answer */
#define NAME_LEN      64
#define STREAMS	      1000
#define STREAMS_ALIVE 150 /* MaxStartups and those about to end */

static char own[KEY_PUBLIC_HEX]; /* of DMSG_CONFIG */
static struct key_public own_pk;
static char host_port[16]; /* of the host, on loopback */

__attribute__((noreturn, format(printf, 1, 2))) static void
quit(const char *fmt, ...)
{
	char text[512];
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

/* --- messages --- */

static void
ask(unsigned type, uint16_t id, struct buf *body)
{
	if (privmsg_send(PRIV_FD_PEER, type, id, body, NULL, 0) != 0)
		quit("hostile: request %u cannot be sent", type);
}

/* The answer's descriptor, or -1. */
static int
await(struct privmsg *m, unsigned type)
{
	do
		if (privmsg_recv(PRIV_FD_PEER, m, true) != 1)
			quit("hostile: no answer to request %u", type - 1);
	while (m->type != type);
	return privmsg_take_fd(m, 0);
}

/* The monitor ends us; if it goes on instead, that is told. */
__attribute__((noreturn)) static void
await_death(const char *name)
{
	struct privmsg m = { 0 };
	int r;

	while ((r = privmsg_recv(PRIV_FD_PEER, &m, true)) == 1)
		privmsg_clear(&m);
	if (r == SKY_ERR_AGAIN)
		quit("hostile: the monitor let it pass: %s", name);
	pause();
	_exit(0);
}

static time_t
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void
fill(struct buf *b, size_t n)
{
	uint8_t *p;

	must(buf_extend(b, n, &p));
	memset(p, 0, n);
}

static void
put_generator(struct buf *b)
{
	static const uint8_t generator[KEY_PUBLIC_LEN] = { 0x02, 0x79, 0xbe,
		0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95,
		0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce,
		0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98 };

	must(buf_put(b, generator, sizeof(generator)));
}

/* --- one request that must be refused --- */

struct plain {
	const char *name;
	const char *expect; /* behind "request " */
	unsigned type;
	uint16_t id;
	int times;
	void (*payload)(struct buf *);
};

static void
none(struct buf *b)
{
	(void)b;
}

static void
byte_0(struct buf *b)
{
	fill(b, 1);
}

static void
byte_9(struct buf *b)
{
	must(buf_put_u8(b, 9));
}

static void
bytes_2(struct buf *b)
{
	must(buf_put_u16(b, 50000));
}

static void
port_0(struct buf *b)
{
	fill(b, 2);
}

static void
bytes_5(struct buf *b)
{
	fill(b, 5);
}

static void
bytes_100(struct buf *b)
{
	fill(b, 100);
}

static void
bytes_20000(struct buf *b)
{
	fill(b, 20000);
}

static void
slot_0(struct buf *b)
{
	must(buf_put_u8(b, 0));
	put_generator(b);
}

static void
slot_9(struct buf *b)
{
	must(buf_put_u8(b, 9));
	put_generator(b);
}

static void
key_and_port(struct buf *b)
{
	put_generator(b);
	must(buf_put_u16(b, 22));
}

static void
long_host(struct buf *b)
{
	must(buf_put_u32(b, 255));
	fill(b, 10);
}

static void
entry_of(struct buf *b, uint32_t count, uint32_t keys)
{
	must(buf_put_u64(b, 1));
	must(buf_put_u64(b, 1));
	must(buf_put_u32(b, count));
	for (uint32_t i = 0; i < keys; i++)
		put_generator(b);
}

static void
entry(struct buf *b)
{
	entry_of(b, 1, 1);
}

static void
entry_lies(struct buf *b)
{
	entry_of(b, 2, 1);
}

static void
entry_more(struct buf *b)
{
	entry_of(b, 1, 2);
}

static void
entry_huge(struct buf *b)
{
	entry_of(b, UINT32_MAX, 1);
}

#define UNKNOWN "refused: unknown"
#define SHORT	"refused: too short"
#define LONG	"refused: too long"
#define STATE	"refused: "

/* clang-format off */
static const struct plain plains[] = {
	/* A connection's requests are not dmsg's. */
	{ "handshake",			"2 " UNKNOWN,			PM_HANDSHAKE,		0,	1,				bytes_100 },
	{ "kk-request",			"26 " UNKNOWN,			PM_KK_REQUEST,		0,	1,				bytes_100 },
	{ "first-frame",		"4 " UNKNOWN,			PM_FIRST_FRAME,		0,	1,				bytes_100 },
	{ "pty",			"6 " UNKNOWN,			PM_PTY_START,		0,	1,				bytes_100 },
	{ "exec",			"10 " UNKNOWN,			PM_EXEC_START,		0,	1,				bytes_100 },
	{ "sftp",			"24 " UNKNOWN,			PM_SFTP_START,		0,	1,				none },
	{ "wl-list",			"14 " UNKNOWN,			PM_WL_LIST,		0,	1,				none },
	{ "wl-add",			"16 " UNKNOWN,			PM_WL_ADD,		0,	1,				bytes_5 },
	{ "status",			"28 " UNKNOWN,			PM_STATUS,		0,	1,				none },
	{ "proxy",			"30 " UNKNOWN,			PM_PROXY_DIAL,		0,	1,				key_and_port },
	/* skyptyd's and the monitor's own words. */
	{ "as-monitor",			"202 " UNKNOWN,			PM_STREAM,		0,	1,				bytes_100 },
	{ "as-skyptyd",			"303 " UNKNOWN,			PM_DIAL_OUT,		0,	1,				key_and_port },
	{ "as-answer",			"45 " UNKNOWN,			PM_DMSG_MESSAGE_2 + 1,	0,	1,				bytes_100 },
	/* Sizes. */
	{ "connect-short",		"DMSG_CONNECT " SHORT,		PM_DMSG_CONNECT,	0,	1,				bytes_5 },
	{ "connect-long",		"DMSG_CONNECT " LONG,		PM_DMSG_CONNECT,	0,	1,				bytes_20000 },
	{ "connect-lies",		"DMSG_CONNECT " STATE,		PM_DMSG_CONNECT,	0,	1,				long_host },
	{ "begin-short",		"DMSG_HANDSHAKE " SHORT,	PM_DMSG_HANDSHAKE,	0,	1,				byte_0 },
	{ "entry-short",		"DMSG_ENTRY " SHORT,		PM_DMSG_ENTRY,		0,	1,				bytes_5 },
	{ "entry-long",			"DMSG_ENTRY " LONG,		PM_DMSG_ENTRY,		0,	1,				bytes_20000 },
	{ "entry-lies",			"DMSG_ENTRY " STATE,		PM_DMSG_ENTRY,		0,	1,				entry_lies },
	{ "entry-more",			"DMSG_ENTRY " STATE,		PM_DMSG_ENTRY,		0,	1,				entry_more },
	{ "entry-huge",			"DMSG_ENTRY " STATE,		PM_DMSG_ENTRY,		0,	1,				entry_huge },
	{ "stream-long",		"DMSG_STREAM " LONG,		PM_DMSG_STREAM,		0,	1,				bytes_100 },
	{ "status-long",		"DMSG_STATUS " LONG,		PM_DMSG_STATUS,		0,	1,				bytes_20000 },
	{ "dial-long",			"DMSG_DIAL_REQUEST " LONG,	PM_DMSG_DIAL_REQUEST,	0,	1,				bytes_5 },
	/* State, and how often. */
	{ "slot-out-of-range",		"DMSG_HANDSHAKE " STATE,	PM_DMSG_HANDSHAKE,	0,	1,				slot_9 },
	{ "begin-twice",		"DMSG_HANDSHAKE " STATE,	PM_DMSG_HANDSHAKE,	0,	2,				slot_0 },
	{ "read-unbegun",		"DMSG_MESSAGE_2 " STATE,	PM_DMSG_MESSAGE_2,	0,	1,				bytes_100 },
	{ "drop-out-of-range",		"DMSG_HANDSHAKE_DROP " STATE,	PM_DMSG_HANDSHAKE_DROP,	0,	1,				byte_9 },
	{ "too-many-entries",		"DMSG_ENTRY " STATE,		PM_DMSG_ENTRY,		0,	2 * PRIV_ENTRIES_PER_MIN + 1,	entry },
	/* The discovery is not on dmsg here, and nobody has asked to dial. */
	{ "dial-discovery",		"DMSG_DIAL_REQUEST " STATE,	PM_DMSG_DIAL_REQUEST,	0,	1,				bytes_2 },
	{ "dial-anybody",		"DMSG_DIAL_REQUEST " STATE,	PM_DMSG_DIAL_REQUEST,	1,	1,				bytes_2 },
	{ "dial-port-0",		"DMSG_DIAL_REQUEST " STATE,	PM_DMSG_DIAL_REQUEST,	1,	1,				port_0 },
	{ "dial-out-of-range",		"DMSG_DIAL_REQUEST " STATE,	PM_DMSG_DIAL_REQUEST,	65535,	1,				bytes_2 },
	{ "dialed-nobody",		"DMSG_DIAL_RESPONSE " STATE,	PM_DMSG_DIAL_RESPONSE,	1,	1,				bytes_100 },
	{ "dialed-stale-nobody",	"DMSG_DIAL_RESPONSE " STATE,	PM_DMSG_DIAL_RESPONSE,	65,	1,				bytes_100 },
	{ "probe-long",			"DMSG_PROBE " LONG,		PM_DMSG_PROBE,		0,	1,				bytes_5 },
	{ "probe-port-0",		"DMSG_PROBE " STATE,		PM_DMSG_PROBE,		0,	1,				port_0 },
	{ "too-many-probes",		"DMSG_PROBE " STATE,		PM_DMSG_PROBE,		0,	2 * PRIV_PROBES_PER_MIN + 1,	bytes_2 },
	{ "give-up-nobody",		"DMSG_DIAL_FAILED " STATE,	PM_DMSG_DIAL_FAILED,	1,	1,				bytes_5 },
};
/* clang-format on */

static void
run_plain(const struct plain *p)
{
	struct buf b;

	for (int i = 0; i < p->times; i++) {
		buf_init(&b, PRIVMSG_MAX);
		p->payload(&b);
		ask(p->type, p->id, &b);
		buf_free(&b);
	}
	await_death(p->name);
}

/* --- what is granted, and no more than that --- */

/* "" with a descriptor, or why not. */
static int
connect_to(const char *host, unsigned port, char why[PRIVMSG_TEXT_MAX + 1])
{
	struct privmsg m = { 0 };
	char *text;
	struct buf b;
	int fd;

	buf_init(&b, 1024);
	must(buf_put_cstring(&b, host));
	must(buf_put_u16(&b, (uint16_t)port));
	ask(PM_DMSG_CONNECT, 7, &b);
	fd = await(&m, PM_DMSG_CONNECT + 1);
	must(buf_get_cstring(&m.body, &text, PRIVMSG_TEXT_MAX));
	strlcpy(why, text, PRIVMSG_TEXT_MAX + 1);
	free(text);
	privmsg_free(&m);
	buf_free(&b);
	return fd;
}

static void
run_connect(void)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost",
		"0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "127.1",
		"2130706433", "169.254.169.254", "fe80::1", "10.0.0.1",
		"172.16.0.1", "192.168.0.1", "100.64.0.1", "fd00::1",
		"255.255.255.255", "224.0.0.1" };
	char why[PRIVMSG_TEXT_MAX + 1];

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (connect_to(hosts[i], (unsigned)atoi(host_port), why) != -1)
			quit("hostile: connected to %s", hosts[i]);
		if (strstr(why, "private or local") == NULL)
			quit("hostile: %s: %s", hosts[i], why);
	}
	quit("hostile: done connect");
}

static void
run_entry(void)
{
	struct privmsg m = { 0 };
	char text[4096];
	size_t n;
	struct buf b;

	buf_init(&b, 1024);
	entry(&b);
	ask(PM_DMSG_ENTRY, 0, &b);
	(void)await(&m, PM_DMSG_ENTRY + 1);
	n = buf_len(&m.body);
	if (n >= sizeof(text))
		quit("hostile: the entry is too long");
	memcpy(text, buf_ptr(&m.body), n);
	text[n] = '\0';
	if (strstr(text, own) == NULL || strstr(text, "\"client\"") == NULL ||
	    strstr(text, "\"server\"") != NULL)
		quit("hostile: entry: %s", text);
	quit("hostile: done entry");
}

/*
 * A stream for a key that is listed, with a handshake that is not its own:
 * nothing comes back, and nothing has been started.
 */
static void
run_stream(void)
{
	char why[PRIVMSG_TEXT_MAX + 1];
	struct privmsg m = { 0 };
	uint8_t got[64];
	struct buf b, body;
	int fd;

	buf_init(&b, 1024);
	put_generator(&b);
	put_generator(&b); /* the relay that it came by */
	ask(PM_DMSG_STREAM, 3, &b);
	if ((fd = await(&m, PM_DMSG_STREAM + 1)) == -1)
		quit("hostile: no stream");
	buf_init(&body, FRAME_BODY_MAX);
	put_generator(&body);
	fill(&body, DMSG_HASH_LEN + 80);
	buf_reset(&b);
	must(frame_put(&b, buf_ptr(&body), buf_len(&body)));
	if (write(fd, buf_ptr(&b), buf_len(&b)) != (ssize_t)buf_len(&b))
		quit("hostile: the stream takes nothing");
	for (time_t end = now_s() + PATIENCE; now_s() < end;) {
		ssize_t n = read(fd, got, sizeof(got));

		if (n > 0)
			quit("hostile: %zd bytes of a stream", n);
		if (n == 0)
			quit("hostile: done stream");
		(void)connect_to("127.0.0.1", 1, why); /* takes a while */
	}
	quit("hostile: the stream is not closed");
}

/* Of many only as many live as may wait for their handshake. */
static void
run_streams(void)
{
	static int fds[STREAMS];
	struct privmsg m = { 0 };
	unsigned alive = 0;
	uint8_t byte;
	struct buf b;

	for (int i = 0; i < STREAMS; i++) {
		buf_init(&b, 128);
		put_generator(&b);
		put_generator(&b);
		ask(PM_DMSG_STREAM, 3, &b);
		buf_free(&b);
		fds[i] = await(&m, PM_DMSG_STREAM + 1);
		privmsg_clear(&m);
	}
	for (int i = 0; i < STREAMS; i++)
		alive += fds[i] != -1 && read(fds[i], &byte, 1) == -1 &&
		    errno == EAGAIN;
	if (alive == 0 || alive > STREAMS_ALIVE)
		quit("hostile: %u streams are alive", alive);
	quit("hostile: done streams");
}

static void
run_status(void)
{
	struct buf b;

	for (int i = 0; i < 5000; i++) {
		buf_init(&b, 64);
		must(buf_put(&b, "{\x1b[2J}", 6));
		ask(PM_DMSG_STATUS, 0, &b);
		buf_free(&b);
	}
	quit("hostile: done status-flood");
}

/* Message 2 of somebody who is not the server. */
static void
run_read(void)
{
	struct privmsg m = { 0 };
	struct buf b;

	buf_init(&b, 1024);
	slot_0(&b);
	ask(PM_DMSG_HANDSHAKE, 0, &b);
	(void)await(&m, PM_DMSG_HANDSHAKE + 1);
	if (buf_len(&m.body) == 0)
		quit("hostile: no message 1");
	buf_reset(&b);
	must(buf_put_u8(&b, 0));
	fill(&b, 49);
	ask(PM_DMSG_MESSAGE_2, 0, &b);
	(void)await(&m, PM_DMSG_MESSAGE_2 + 1);
	if (buf_len(&m.body) != 0)
		quit("hostile: keys for a server that proves nothing");
	quit("hostile: done read");
}

static const struct soft {
	const char *name;
	void (*run)(void);
} softs[] = {
	{ "connect", run_connect },
	{ "entry", run_entry },
	{ "read", run_read },
	{ "stream", run_stream },
	{ "streams", run_streams },
	{ "status-flood", run_status },
};

/* --- */

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static void
list(void)
{
	for (size_t i = 0; i < LENGTH(plains); i++)
		printf("%s\tdmsg: request %s\n", plains[i].name,
		    plains[i].expect);
	for (size_t i = 0; i < LENGTH(softs); i++)
		printf("%s\thostile: done %s\n", softs[i].name, softs[i].name);
}

static void
attack(const char *name)
{
	for (size_t i = 0; i < LENGTH(plains); i++)
		if (strcmp(plains[i].name, name) == 0)
			run_plain(&plains[i]);
	for (size_t i = 0; i < LENGTH(softs); i++)
		if (strcmp(softs[i].name, name) == 0)
			softs[i].run();
	quit("hostile: no such attack: %s", name);
}

int
main(int argc, char **argv)
{
	struct timeval tv = { .tv_sec = PATIENCE };
	struct privmsg m = { 0 };
	char act[NAME_LEN];

	if (argc > 1 && strcmp(argv[1], "list") == 0) {
		list();
		return 0;
	}
	if (!stand_in_order("act", act, sizeof(act)) ||
	    !stand_in_order("port", host_port, sizeof(host_port)))
		return 1;
	setsockopt(PRIV_FD_PEER, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (!stand_in_confine(NOFILE, NULL))
		return 1;
	(void)await(&m, PM_DMSG_CONFIG);
	must(buf_get(&m.body, own_pk.b, KEY_PUBLIC_LEN));
	key_text(&own_pk, own);
	privmsg_free(&m);
	attack(act);
	return 1;
}
