/* SPDX-License-Identifier: ISC */
/*
 * Asking the daemon that serves here, over its control socket: an ordinary
 * process of whoever calls us, with no more rights there than he has.
 */
#include "daemon/ask.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/base/json.h"
#include "common/base/tcp.h"
#include "common/base/unix.h"
#include "common/base/visible.h"
#include "common/privsep/control.h"
#include "common/pty/mux.h"
#include "daemon/older.h"
#include "daemon/skyptyd.h"

#define ASK_MS	   15000 /* of silence */
#define ASK_CHUNK  16384
#define ID_DIGITS  16
#define STATUS_MAX (32U * 1024 * 1024)

/*
 * The usual place may be in /tmp, where anybody could answer in the daemon's
 * stead; another one was named by who asks.
 */
static int
ask_connect(const char *cliaddr, char why[ASK_WHY_MAX])
{
	char found[CONTROL_PATH_MAX];
	int fd;

	control_default(found);
	if (cliaddr == NULL)
		fd = control_connect(0, found);
	else if (strcmp(cliaddr, found) == 0)
		fd = control_connect_to(cliaddr, 0);
	else
		fd = unix_connect(cliaddr, 0);
	if (fd == -1)
		snprintf(why, ASK_WHY_MAX,
		    "%s: %s; does skyptyd run, and is "
		    "this its control socket?",
		    cliaddr != NULL ? cliaddr : found,
		    errno == EPERM ? "somebody else's" : strerror(errno));
	return fd;
}

/* All that is said, as far as there is room. */
static int
ask_hear(int fd, struct buf *in, char why[ASK_WHY_MAX])
{
	ssize_t r;

	do {
		if (!tcp_await(fd, POLLIN, now_ms() + ASK_MS)) {
			snprintf(why, ASK_WHY_MAX, "skyptyd does not answer");
			return -1;
		}
		r = buf_read(in, fd, ASK_CHUNK);
	} while (r > 0 || r == SKY_ERR_AGAIN);
	/* Who is not served is not heard either. */
	if (r == SKY_ERR_EOF ||
	    (r == SKY_ERR_SYS && errno == ECONNRESET && buf_len(in) == 0))
		return 0;
	snprintf(why, ASK_WHY_MAX, "the control socket: %s", err_text((int)r));
	return -1;
}

static int
ask_say(int fd, const char *uri)
{
	struct buf b;
	int r;

	buf_init(&b, MUX_URI_MAX + 1);
	if ((r = mux_put_request(&b, uri)) == 0 &&
	    send(fd, buf_ptr(&b), buf_len(&b), MSG_NOSIGNAL) !=
		(ssize_t)buf_len(&b) &&
	    errno != EPIPE)
		r = SKY_ERR_SYS;
	buf_free(&b);
	return r;
}

/* Its first byte is whether we may; behind a no may be the reason. */
static int
ask_judge(struct buf *in, char why[ASK_WHY_MAX])
{
	uint8_t code;

	if (buf_get_u8(in, &code) != 0) {
		snprintf(why, ASK_WHY_MAX,
		    "skyptyd does not serve this user on its control socket");
		return -1;
	}
	if (code == MUX_ACCEPT)
		return 0;
	if (buf_len(in) == 0)
		snprintf(why, ASK_WHY_MAX,
		    "the skyptyd that runs does not know this; restart it if "
		    "it is of an older version");
	else
		visible_text(why, ASK_WHY_MAX, buf_ptr(in), buf_len(in), 0);
	return -1;
}

int
ask(const char *cliaddr, const char *uri, struct buf *answer,
    char why[ASK_WHY_MAX])
{
	int fd, r;

	if ((fd = ask_connect(cliaddr, why)) == -1)
		return -1;
	if ((r = ask_say(fd, uri)) != 0)
		snprintf(why, ASK_WHY_MAX, "the control socket: %s",
		    err_text(r));
	if (r == 0 && (r = ask_hear(fd, answer, why)) == 0)
		r = ask_judge(answer, why);
	close(fd);
	return r == 0 ? 0 : -1;
}

/* --- ending connections --- */

static const char kill_usage[] =
    "usage: skyptyd kill ID... [--cliaddr PATH]\n"
    "       skyptyd kill --key PK [--cliaddr PATH]\n"
    "\n"
    "  --key PK         end all connections of this key\n"
    "  --cliaddr PATH   control socket\n";

static int
ask_kill(const char *cliaddr, const char *which, const char *value,
    unsigned long *n, char why[ASK_WHY_MAX])
{
	char uri[MUX_URI_MAX + 1];
	struct buf b;
	int r;

	snprintf(uri, sizeof(uri), MUX_URI_KILL "?%s=%s", which, value);
	buf_init(&b, ASK_CHUNK);
	if ((r = ask(cliaddr, uri, &b, why)) == 0 &&
	    (r = buf_put_u8(&b, '\0')) == 0)
		*n = strtoul((const char *)buf_ptr(&b), NULL, 10);
	buf_free(&b);
	return r;
}

int
ask_kill_key(const char *cliaddr, const struct key_public *pk, unsigned long *n,
    char why[ASK_WHY_MAX])
{
	char text[KEY_PUBLIC_HEX];

	key_text(pk, text);
	return ask_kill(cliaddr, "key", text, n, why);
}

/* 0 if at least one has ended. */
static int
kill_one(const char *cliaddr, const char *which, const char *value)
{
	char why[ASK_WHY_MAX];
	unsigned long n = 0;

	if (ask_kill(cliaddr, which, value, &n, why) != 0) {
		visible_line(stderr, "skyptyd: %s", why);
		return EXIT_OS;
	}
	if (n == 0) {
		visible_line(stderr, "skyptyd: no connection has the %s %s",
		    which, value);
		return 1;
	}
	printf("%lu connection%s ended\n", n, n == 1 ? "" : "s");
	return 0;
}

static bool
kill_is_id(const char *text)
{
	return strlen(text) == ID_DIGITS &&
	    strspn(text, "0123456789abcdefABCDEF") == ID_DIGITS;
}

/* What was meant is asked for as a whole before anything is ended. */
static int
kill_check(const char *key, int nids, char **ids)
{
	uint8_t pk[KEY_PUBLIC_LEN];

	if ((key != NULL) == (nids != 0)) {
		fputs(kill_usage, stderr);
		return EXIT_USAGE;
	}
	if (key != NULL && hex_decode(key, pk, sizeof(pk)) != 0) {
		visible_line(stderr, "skyptyd: --key %s: " KEY_WANTED, key);
		return EXIT_USAGE;
	}
	for (int i = 0; i < nids; i++)
		if (!kill_is_id(ids[i])) {
			visible_line(stderr,
			    "skyptyd: %s is no id of a connection: 16 "
			    "hexadecimal digits, as in the log",
			    ids[i]);
			return EXIT_USAGE;
		}
	return 0;
}

int
kill_main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "cliaddr", required_argument, NULL, 'a' },
		{ "key", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *cliaddr = NULL, *key = NULL;
	int opt, r, one, before = 1;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":h", longopts, NULL)) != -1) {
		if (opt == 'a')
			cliaddr = optarg;
		else if (opt == 'k')
			key = optarg;
		else if (opt == 'h') {
			fputs(kill_usage, stdout);
			return 0;
		} else
			return skyptyd_options_unknown(opt, argv[before],
			    longopts, "kill ");
		before = optind;
	}
	argc -= optind;
	argv += optind;
	if ((r = kill_check(key, argc, argv)) != 0)
		return r;
	if (key != NULL) {
		r = kill_one(cliaddr, "key", key);
		older_tell();
		return r;
	}
	for (int i = 0; i < argc; i++)
		if ((one = kill_one(cliaddr, "id", argv[i])) != 0)
			r = one;
	if (r == 1)
		older_tell();
	return r;
}

/* --- what there is --- */

static const char status_usage[] =
    "usage: skyptyd status [--json | --metrics] [--cliaddr PATH]\n"
    "\n"
    "  --json           as JSON, with all that is known\n"
    "  --metrics        counters, as text for Prometheus\n"
    "  --cliaddr PATH   control socket\n";

/* One connection, as it is read. */
struct status_row {
	char id[ID_DIGITS + 1], carrier[16], key[KEY_PUBLIC_HEX];
	char address[128], user[64], comment[64], runs[128];
	long long age, idle, in, out;
	bool known;
};

static void
status_duration(char text[24], long long s)
{
	if (s < 60)
		snprintf(text, 24, "%llds", s);
	else if (s < 3600)
		snprintf(text, 24, "%lldm%02llds", s / 60, s % 60);
	else
		snprintf(text, 24, "%lldh%02lldm", s / 3600, s / 60 % 60);
}

static void
status_print(const struct status_row *r)
{
	char age[24], idle[24];
	const char *whose = *r->comment != '\0' ? r->comment : r->key;

	status_duration(age, r->age);
	status_duration(idle, r->idle);
	visible_line(stdout,
	    "%-16s %-7s %-16.16s %-12s %7s %7s %10lld %10lld "
	    "%s%s%s",
	    r->id, r->carrier, r->known ? whose : "(not yet)",
	    *r->user != '\0' ? r->user : "-", age, idle, r->in, r->out,
	    r->address, *r->runs != '\0' ? ": " : "", r->runs);
}

static int
status_on_event(void *arg, const struct json_event *ev)
{
	struct status_row *r = arg;
	const struct {
		const char *key;
		char *text;
		size_t len;
	} texts[] = {
		{ "id", r->id, sizeof(r->id) },
		{ "carrier", r->carrier, sizeof(r->carrier) },
		{ "key", r->key, sizeof(r->key) },
		{ "address", r->address, sizeof(r->address) },
		{ "user", r->user, sizeof(r->user) },
		{ "comment", r->comment, sizeof(r->comment) },
		{ "runs", r->runs, sizeof(r->runs) },
	};
	const struct {
		const char *key;
		long long *n;
	} numbers[] = {
		{ "age_s", &r->age },
		{ "idle_s", &r->idle },
		{ "bytes_in", &r->in },
		{ "bytes_out", &r->out },
	};

	if (ev->depth == 2 && ev->type == JSON_OBJECT)
		memset(r, 0, sizeof(*r));
	else if (ev->depth == 2 && ev->type == JSON_END)
		status_print(r);
	if (ev->depth != 3 || ev->key == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (ev->type == JSON_STRING &&
		    strcmp(ev->key, texts[i].key) == 0)
			strlcpy(texts[i].text, ev->text, texts[i].len);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (ev->type == JSON_NUMBER &&
		    strcmp(ev->key, numbers[i].key) == 0)
			*numbers[i].n = strtoll(ev->text, NULL, 10);
	if (ev->type == JSON_BOOL && strcmp(ev->key, "authenticated") == 0)
		r->known = ev->truth;
	return 0;
}

/* It is checked as a whole before a word of it is told. */
static int
status_nothing(void *arg, const struct json_event *ev)
{
	(void)arg, (void)ev;
	return 0;
}

static int
status_show(const struct buf *b, const char *uri, bool json)
{
	const char *text = (const char *)buf_ptr(b);
	struct status_row row = { 0 };
	char last = buf_len(b) != 0 ? text[buf_len(b) - 1] : '\0';

	if (strcmp(uri, MUX_URI_CONNS) != 0 ?
		last != '\n' :
		json_parse(text, buf_len(b), status_nothing, NULL, NULL, 0) !=
		    0) {
		fputs("skyptyd: what the daemon says is malformed\n", stderr);
		return EXIT_OS;
	}
	/* All of it is ASCII, made so by the daemon; and if it is not: */
	for (size_t i = 0; i < buf_len(b); i++)
		if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~')) {
			fputs("skyptyd: what the daemon says is malformed\n",
			    stderr);
			return EXIT_OS;
		}
	if (json) {
		fwrite(text, 1, buf_len(b), stdout);
		return 0;
	}
	printf("%-16s %-7s %-16s %-12s %7s %7s %10s %10s %s\n", "id", "carrier",
	    "key or comment", "user", "age", "idle", "in", "out", "from: runs");
	(void)json_parse(text, buf_len(b), status_on_event, &row, NULL, 0);
	return 0;
}

int
status_main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "cliaddr", required_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ "metrics", no_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *cliaddr = NULL, *uri = MUX_URI_CONNS;
	char why[ASK_WHY_MAX];
	int opt, r, before = 1;
	bool raw = false;
	struct buf b;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":h", longopts, NULL)) != -1) {
		if (opt == 'a')
			cliaddr = optarg;
		else if (opt == 'j')
			raw = true;
		else if (opt == 'm') {
			raw = true;
			uri = MUX_URI_METRICS;
		} else if (opt == 'h') {
			fputs(status_usage, stdout);
			return 0;
		} else
			return skyptyd_options_unknown(opt, argv[before],
			    longopts, "status ");
		before = optind;
	}
	if (optind < argc) {
		fputs(status_usage, stderr);
		return EXIT_USAGE;
	}
	buf_init(&b, STATUS_MAX);
	if (ask(cliaddr, uri, &b, why) != 0) {
		visible_line(stderr, "skyptyd: %s", why);
		r = EXIT_OS;
	} else
		r = status_show(&b, uri, raw);
	buf_free(&b);
	if (strcmp(uri, MUX_URI_CONNS) == 0)
		older_tell();
	return r == 0 && fflush(stdout) != 0 ? EXIT_OS : r;
}
