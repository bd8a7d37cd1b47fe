/* SPDX-License-Identifier: ISC */
/*
 * Stands in for skyptyd-http and attacks the http monitor: one attack a start,
 * the one that the file "act" beside it names.  Called as "list" it prints all
 * attacks and the text that the log must hold afterwards.
 */
#include <sys/socket.h>
#include <sys/time.h>

#include "common/base/hex.h"
#include "regress/sys/stand_in.h"

#define NAME_LEN    64
#define PATIENCE    3 /* seconds for the monitor to end us */
#define FLOOD	    20000
#define GUESSES	    2000
#define TERMINALS   16 /* skyptyd http's own number */
#define LAST_WORDS  10
#define DESCRIPTORS 300

static void
ask(unsigned type, const void *body, size_t n)
{
	struct buf b;

	buf_init(&b, PRIVMSG_MAX);
	if (buf_put(&b, body, n) != 0 ||
	    privmsg_send(PRIV_FD_PEER, type, 7, &b, NULL, 0) != 0)
		_exit(2);
	buf_free(&b);
}

/* Answers are read by whoever asks. */
static bool
answered(struct privmsg *m, unsigned type)
{
	return privmsg_recv(PRIV_FD_PEER, m, true) == 1 && m->type == type + 1;
}

/* --- one message that must end us --- */

#define KEY_32	  "0123456789abcdef0123456789abcdef"
#define ADDRESS_0 "\0\0\0\0"
#define TICKET_1  "\0\0\0\1"

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
	{ "own-config", HTTP_CONFIG, "", 0, "request 401 refused" },
	{ "a-browser", HTTP_BROWSER, "", 0, "request 403 refused" },
	{ "an-answer", HTTP_CONNECT + 1, "\0\0\0\0", 4, "request 61 refused" },
	{ "last-type", 65535, "", 0, "request 65535 refused" },
	{ "connect", HTTP_CONNECT, "", 0, "CONNECT refused: too short" },
	{ "connect-0", HTTP_CONNECT, "\0\0\0\0", 4, "CONNECT refused: " },
	{ "connect-1", HTTP_CONNECT, TICKET_1, 4, "CONNECT refused: " },
	{ "connect-last", HTTP_CONNECT, "\xff\xff\xff\xff", 4,
	    "CONNECT refused: " },
	{ "connect-to", HTTP_CONNECT, "/etc/shadow", 11,
	    "CONNECT refused: too long" },
	{ "leave-1", HTTP_LEAVE, TICKET_1, 4, "LEAVE refused: " },
	{ "leave-nothing", HTTP_LEAVE, "", 0, "LEAVE refused: too short" },
	{ "admit-nobody", HTTP_ADMIT, "\0", 1, "ADMIT refused: " },
	{ "admit-half", HTTP_ADMIT, "\0" KEY_32, 32, "ADMIT refused: " },
	{ "admit-more", HTTP_ADMIT, "\0" KEY_32 "x", 34,
	    "ADMIT refused: too long" },
	{ "admit-what", HTTP_ADMIT, "\2" KEY_32, 33, "ADMIT refused: " },
	{ "check-half", HTTP_CHECK, KEY_32, 31, "CHECK refused: too short" },
	{ "check-digits", HTTP_CHECK, KEY_32 KEY_32, 64,
	    "CHECK refused: too long" },
	{ "enter-half", HTTP_ENTER, KEY_32, 31, "ENTER refused: too short" },
	{ "enter-digits", HTTP_ENTER, KEY_32 KEY_32, 64, "ENTER refused: " },
	{ "enter-flag", HTTP_ENTER, KEY_32 "\2" KEY_32 ADDRESS_0, 69,
	    "ENTER refused: " },
	{ "enter-cut", HTTP_ENTER, KEY_32 "\1" KEY_32, 65, "ENTER refused: " },
	{ "enter-more", HTTP_ENTER, KEY_32 "\0" ADDRESS_0 "x", 38,
	    "ENTER refused: " },
	{ "enter-address", HTTP_ENTER, KEY_32 "\0\xff\xff\xff\xff", 37,
	    "ENTER refused: " },
	{ "ended-without-once", HTTP_ENDED, "", 0, "ENDED refused: " },
	{ "empty-log", PM_LOG, "", 0, "LOG refused: too short" },
	{ "log-cut", PM_LOG, "\2\0\0\0\5abc", 8, "LOG refused: " },
	{ "log-too-long", PM_LOG, "\2\xff\xff\xff\xff", 5, "LOG refused: " },
	{ "log-level", PM_LOG, "\7\0\0\0\0", 5, "LOG refused: " },
	{ "log-and-more", PM_LOG, "\2\0\0\0\1ab", 7, "LOG refused: " },
	{ "log-with-nul", PM_LOG, "\2\0\0\0\3a\0b", 8, "LOG refused: " },
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

/* --- who has logged in --- */

static uint8_t
say_enter(const uint8_t token[HTTP_TOKEN_LEN], uint8_t cookie[HTTP_TOKEN_LEN])
{
	uint8_t body[HTTP_TOKEN_LEN + 5] = { 0 }, entry = 0;
	struct privmsg m = { 0 };

	memcpy(body, token, HTTP_TOKEN_LEN);
	ask(HTTP_ENTER, body, sizeof(body));
	if (!answered(&m, HTTP_ENTER) || buf_get_u8(&m.body, &entry) != 0 ||
	    (entry == HTTP_ENTERED &&
		buf_get(&m.body, cookie, HTTP_TOKEN_LEN) != 0))
		_exit(2);
	privmsg_free(&m);
	return entry;
}

static bool
say_check(const uint8_t cookie[HTTP_TOKEN_LEN])
{
	struct privmsg m = { 0 };
	uint8_t good = 0;

	ask(HTTP_CHECK, cookie, HTTP_TOKEN_LEN);
	if (!answered(&m, HTTP_CHECK) || buf_get_u8(&m.body, &good) != 0)
		_exit(2);
	privmsg_free(&m);
	return good;
}

static uint32_t
say_admit(const uint8_t cookie[HTTP_TOKEN_LEN])
{
	uint8_t body[1 + HTTP_TOKEN_LEN] = { HTTP_TERMINAL }, admission;
	struct privmsg m = { 0 };
	uint32_t ticket = 0;

	memcpy(body + 1, cookie, HTTP_TOKEN_LEN);
	ask(HTTP_ADMIT, body, sizeof(body));
	if (!answered(&m, HTTP_ADMIT) || buf_get_u8(&m.body, &admission) != 0 ||
	    buf_get_u32(&m.body, &ticket) != 0)
		_exit(2);
	privmsg_free(&m);
	return ticket;
}

/* A socket to the host, or -1. */
static int
say_connect(uint32_t ticket)
{
	uint8_t body[4] = { (uint8_t)(ticket >> 24), (uint8_t)(ticket >> 16),
		(uint8_t)(ticket >> 8), (uint8_t)ticket };
	struct privmsg m = { 0 };
	int fd;

	ask(HTTP_CONNECT, body, sizeof(body));
	if (!answered(&m, HTTP_CONNECT))
		return -1; /* we are being ended */
	fd = privmsg_take_fd(&m, 0);
	privmsg_free(&m);
	return fd;
}

/* Nobody has logged in: it guesses, and has nothing at the end. */
static void
stranger(void)
{
	uint8_t guess[HTTP_TOKEN_LEN] = { 0 }, cookie[HTTP_TOKEN_LEN];
	bool got = false;

	for (unsigned i = 0; i < GUESSES; i++) {
		memcpy(guess, &i, sizeof(i));
		got |= say_enter(guess, cookie) != HTTP_REFUSED ||
		    say_check(guess) || say_admit(guess) != 0;
	}
	stand_in_log(got ? "let it pass" : "guessed in vain");
	for (uint32_t ticket = 0; ticket < GUESSES; ticket++)
		if (say_connect(ticket) != -1)
			stand_in_log("let it pass");
}

/* No listening socket, and no other than the two, is ours. */
static void
sockets(void)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	for (int fd = 0; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) == -1)
			continue;
		if (fd > PRIV_FD_PEER ||
		    (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening,
			 &len) == 0 &&
			listening))
			stand_in_log("let it pass");
	}
	stand_in_log("has no listening socket");
}

/* Waits for a browser that opens its link. */
static bool
link_of(int *browser, uint8_t token[HTTP_TOKEN_LEN])
{
	struct privmsg m = { 0 };
	char head[4096] = "", *p;
	ssize_t n;

	if (privmsg_recv(PRIV_FD_CONN, &m, true) != 1 ||
	    m.type != HTTP_BROWSER || (*browser = privmsg_take_fd(&m, 0)) == -1)
		return false;
	privmsg_free(&m);
	(void)fcntl(*browser, F_SETFL, 0);
	n = read(*browser, head, sizeof(head) - 1);
	if (n <= 0 || (p = strstr(head, "token=")) == NULL)
		return false;
	p += strlen("token=");
	p[strspn(p, "0123456789abcdef")] = '\0';
	return hex_decode(p, token, HTTP_TOKEN_LEN) == 0;
}

/* One has: it has what that browser has, and nothing else. */
static void
visitor(void)
{
	uint8_t token[HTTP_TOKEN_LEN], cookie[HTTP_TOKEN_LEN], wrong, again;
	unsigned tickets = 0, sockets_got = 0;
	uint32_t ticket, first = 0;
	int browser;

	if (!link_of(&browser, token) ||
	    say_enter(token, cookie) != HTTP_ENTERED || !say_check(cookie)) {
		stand_in_log("no browser came");
		return;
	}
	again = say_enter(token, cookie);
	cookie[0] ^= 1;
	wrong = say_check(cookie) || say_admit(cookie) != 0;
	cookie[0] ^= 1;
	if (again != HTTP_REFUSED || wrong)
		stand_in_log("let it pass");
	for (int i = 0; i < 100; i++) {
		if ((ticket = say_admit(cookie)) != 0)
			tickets++;
		if (first == 0)
			first = ticket;
	}
	for (int i = 0; i < HTTP_DIALS_MAX; i++)
		sockets_got += say_connect(first) != -1;
	stand_in_log(tickets <= TERMINALS && sockets_got == HTTP_DIALS_MAX ?
		"has one browser's terminals" :
		"let it pass");
	if (say_connect(first) != -1)
		stand_in_log("let it pass");
}

/* What a browser has shown one child is of no use to the next. */
static void
replay(void)
{
	uint8_t token[HTTP_TOKEN_LEN], cookie[HTTP_TOKEN_LEN];
	char path[PATH_MAX];
	int browser;
	FILE *f;

	if (!stand_in_path("kept", path))
		return;
	if ((f = fopen(path, "re")) != NULL) {
		if (fread(cookie, 1, sizeof(cookie), f) != sizeof(cookie) ||
		    fread(token, 1, sizeof(token), f) != sizeof(token))
			stand_in_log("the file is cut");
		stand_in_log(say_check(cookie) || say_admit(cookie) != 0 ||
			    say_enter(token, cookie) != HTTP_REFUSED ?
			"let it pass" :
			"replayed in vain");
		fclose(f);
		return;
	}
	if (!link_of(&browser, token) ||
	    say_enter(token, cookie) != HTTP_ENTERED ||
	    (f = fopen(path, "we")) == NULL) {
		stand_in_log("no browser came");
		return;
	}
	fwrite(cookie, 1, sizeof(cookie), f);
	fwrite(token, 1, sizeof(token), f);
	fclose(f);
}

/* All that it can do to its sockets, with a browser's among them. */
static void
break_sockets(void)
{
	static const struct linger none = { .l_onoff = 1, .l_linger = 0 };
	struct privmsg m = { 0 };
	int fd;

	if (privmsg_recv(PRIV_FD_CONN, &m, true) != 1 ||
	    (fd = privmsg_take_fd(&m, 0)) == -1)
		return;
	stand_in_log("breaks its sockets");
	(void)shutdown(fd, SHUT_RDWR);
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	(void)shutdown(PRIV_FD_CONN, SHUT_RDWR);
	(void)shutdown(PRIV_FD_PEER, SHUT_RDWR);
	pause();
}

/* A child's last words are in the log, and before its end. */
static void
last_words(void)
{
	char text[32];

	for (int i = 0; i < LAST_WORDS; i++) {
		snprintf(text, sizeof(text), "last word %d", i);
		stand_in_log(text);
	}
	_exit(0);
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

/* It answers nothing and reads nothing: the monitor goes on. */
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
	{ "stranger", stranger, "guessed in vain" },
	{ "sockets", sockets, "has no listening socket" },
	{ "visitor", visitor, "has one browser's terminals" },
	{ "replay", replay, "replayed in vain" },
	{ "break-sockets", break_sockets, "breaks its sockets" },
	{ "last-words", last_words, "last word 9" },
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
		if (privmsg_recv(PRIV_FD_PEER, &m, true) == SKY_ERR_AGAIN)
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
	    privmsg_recv(PRIV_FD_PEER, &m, true) != 1 || m.type != HTTP_CONFIG)
		return 1;
	attack(act);
	_exit(0); /* what is left of it is no leak */
}
