/* SPDX-License-Identifier: ISC */
/*
 * Stands in for skyptyd-http and attacks the launcher: one attack a start, the
 * one that the file "act" beside it names.  Called as "list" it prints all
 * attacks and the text that the log must hold afterwards.
 */
#include <sys/socket.h>
#include <sys/time.h>

#include "regress/sys/stand_in.h"

#define NAME_LEN    64
#define PATIENCE    3 /* seconds for the launcher to end us */
#define FLOOD	    20000
#define CONNECTS    2000
#define DESCRIPTORS 300

static void
ask(unsigned type, const void *body, size_t n)
{
	struct buf b;

	buf_init(&b, PRIVMSG_MAX);
	if (buf_put(&b, body, n) != 0 ||
	    privmsg_send(PRIV_FD_PEER, (enum privmsg_type)type, 7, &b, NULL,
		0) != 0)
		_exit(2);
	buf_free(&b);
}

/* --- one message that must end us --- */

static const struct bad {
	const char *name;
	unsigned type;
	const char *body;
	size_t len;
	const char *expect;
} bad[] = {
	{ "type-0", 0, "", 0, "request 0 refused" },
	{ "type-of-a-monitor", 1, "", 0, "request 1 refused" },
	{ "exec", 40, "\0\0\0\7/bin/sh", 11, "request 40 refused" },
	{ "own-config", WEB_CONFIG, "", 0, "request 401 refused" },
	{ "own-token", WEB_TOKEN, "", 0, "request 403 refused" },
	{ "an-answer", WEB_CONNECT + 1, "\0\0\0\0", 4, "request 61 refused" },
	{ "last-type", 65535, "", 0, "request 65535 refused" },
	{ "connect-to", WEB_CONNECT, "/etc/shadow", 11, "request 60 refused" },
	{ "ended-without-once", WEB_ENDED, "", 0, "request 405 refused" },
	{ "empty-log", PM_LOG, "", 0, "request 20 refused" },
	{ "log-cut", PM_LOG, "\2\0\0\0\5abc", 8, "request 20 refused" },
	{ "log-too-long", PM_LOG, "\2\xff\xff\xff\xff", 5,
	    "request 20 refused" },
	{ "log-and-more", PM_LOG, "\2\0\0\0\1ab", 7, "request 20 refused" },
	{ "log-with-nul", PM_LOG, "\2\0\0\0\3a\0b", 8, "request 20 refused" },
};

/* --- what it survives, and how --- */

static void
fake_log(void)
{
	stand_in_log("line\n\x1b[31mfake: Accepted\r\x07\x9b");
}

static void
log_flood(void)
{
	for (int i = 0; i < FLOOD; i++)
		stand_in_log("flood");
}

/* More than the host is to be asked for. */
static void
connects(void)
{
	struct privmsg m = { 0 };
	unsigned got = 0, refused = 0;
	char *why, text[128];

	for (int i = 0; i < CONNECTS; i++) {
		ask(WEB_CONNECT, "", 0);
		if (privmsg_recv(PRIV_FD_PEER, &m, true) != 1 ||
		    m.type != WEB_CONNECT + 1 ||
		    buf_get_cstring(&m.body, &why, PRIVMSG_TEXT_MAX) != 0)
			_exit(2);
		got += m.nfd == 1;
		refused += strcmp(why, "too many terminals at once") == 0;
		free(why);
		privmsg_clear(&m);
	}
	(void)sleep(1); /* another second's lines */
	snprintf(text, sizeof(text), "connections: %u, refused: %u", got,
	    refused);
	stand_in_log(got > 0 && got <= 80 && got + refused == CONNECTS ?
		"connections were rationed" :
		text);
}

/* Descriptors that it did not ask for: none stays with it. */
static void
descriptors(void)
{
	struct buf b;
	int fd = open("/dev/null", O_RDONLY);

	for (int i = 0; i < DESCRIPTORS; i++) {
		buf_init(&b, 8);
		if (buf_put_u8(&b, LOG_LEVEL_DEBUG) != 0 ||
		    buf_put_cstring(&b, "") != 0 ||
		    privmsg_send(PRIV_FD_PEER, PM_LOG, 0, &b, &fd, 1) != 0)
			break;
		buf_free(&b);
	}
	stand_in_log("descriptors were sent");
}

/* It answers nothing and reads nothing: the launcher goes on. */
static void
silence(void)
{
	stand_in_log("says no more");
	(void)sleep(1);
}

static const struct act {
	const char *name;
	void (*run)(void);
	const char *expect;
} acts[] = {
	{ "fake-log", fake_log,
	    "line\\012\\033[31mfake: Accepted\\015\\007\\233" },
	{ "log-flood", log_flood, "flood" },
	{ "connects", connects, "connections were rationed" },
	{ "descriptors", descriptors, "" },
	{ "silence", silence, "says no more" },
};

static void
attack(const char *name)
{
	struct privmsg m = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (strcmp(bad[i].name, name) != 0)
			continue;
		ask(bad[i].type, bad[i].body, bad[i].len);
		if (privmsg_recv(PRIV_FD_PEER, &m, true) == ERR_AGAIN)
			stand_in_log("let it pass");
		pause();
	}
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(acts[i].name, name) == 0)
			acts[i].run();
}

int
main(int argc, char **argv)
{
	struct timeval tv = { .tv_sec = PATIENCE };
	struct privmsg m = { 0 };
	char act[NAME_LEN];

	if (argc > 1 && strcmp(argv[1], "list") == 0) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			printf("%s\t%s\n", bad[i].name, bad[i].expect);
		for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
			printf("%s\t%s\n", acts[i].name, acts[i].expect);
		return 0;
	}
	setsockopt(PRIV_FD_PEER, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (!stand_in_order("act", act, sizeof(act)) ||
	    privmsg_recv(PRIV_FD_PEER, &m, true) != 1 || m.type != WEB_CONFIG)
		return 1;
	attack(act);
	_exit(0); /* what is left of it is no leak */
}
