/* SPDX-License-Identifier: ISC */
/* skypty dmsg status: how the local host is reachable over dmsg. */
#include "client/commands.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/exits.h"
#include "client/options.h"
#include "client/patience.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/visible.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"

#define STATUS_MAX 65536
#define WAIT_MS	   10000

/* Until the host ends, but not for ever. */
static int
dmsg_cmd_read_all(struct conn *c, struct buf *text)
{
	int64_t deadline = now_ms() + WAIT_MS, left;
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	int r = 0;

	for (;;) {
		if (buf_put(text, buf_ptr(&c->in), buf_len(&c->in)) != 0) {
			complain("the host's status is longer than %d bytes",
			    STATUS_MAX);
			return EXIT_FAILED;
		}
		buf_reset(&c->in);
		if (c->eof)
			return 0;
		left = deadline - now_ms();
		if (left <= 0) {
			complain("the host does not answer");
			return EXIT_FAILED;
		}
		if ((r = conn_wait(c, &p, 1, left, NULL)) != 0 ||
		    (r = conn_pump(c, p.revents)) != 0)
			return r;
	}
}

/* --- in words --- */

struct dmsg_cmd_session {
	char address[ADDR_TEXT_MAX], pk[KEY_PUBLIC_HEX];
	long long rtt, streams, proven;
	bool up;
};

struct dmsg_cmd_status {
	long long port, servers, streams, age;
	char error[256];
	struct dmsg_cmd_session session;
};

static void
dmsg_cmd_print_text(const char *text)
{
	struct buf b;

	buf_view(&b, text, strlen(text));
	fputs(complain_printable(&b), stdout);
}

static void
dmsg_cmd_print_session(const struct dmsg_cmd_session *s)
{
	printf("  %-4s ", s->up ? "up" : "down");
	dmsg_cmd_print_text(s->address);
	fputs("  ", stdout);
	dmsg_cmd_print_text(s->pk);
	printf("  %lld ms  %lld streams", s->rtt, s->streams);
	if (s->proven >= 0)
		printf("  proven %lld s ago\n", s->proven);
	else
		puts(s->up ? "  not proven" : "");
}

static bool
dmsg_cmd_key_is(const struct json_event *ev, const char *key)
{
	return ev->key != NULL && strcmp(ev->key, key) == 0;
}

static void
dmsg_cmd_take_text(const struct json_event *ev, const char *key, char *to,
    size_t len)
{
	if (dmsg_cmd_key_is(ev, key) && ev->type == JSON_STRING)
		strlcpy(to, ev->text, len);
}

/* What is no number leaves it as it is. */
static void
dmsg_cmd_take_number(const struct json_event *ev, const char *key,
    long long *to)
{
	if (dmsg_cmd_key_is(ev, key) && ev->type == JSON_NUMBER)
		*to = strtoll(ev->text, NULL, 10);
}

static int
dmsg_cmd_on_event(void *arg, const struct json_event *ev)
{
	struct dmsg_cmd_status *s = arg;
	struct dmsg_cmd_session *one = &s->session;

	if (ev->depth == 1) {
		dmsg_cmd_take_number(ev, "port", &s->port);
		dmsg_cmd_take_number(ev, "servers", &s->servers);
		dmsg_cmd_take_number(ev, "streams", &s->streams);
		dmsg_cmd_take_number(ev, "entry_age_s", &s->age);
		dmsg_cmd_take_text(ev, "last_error", s->error,
		    sizeof(s->error));
	} else if (ev->depth == 2 && ev->type == JSON_OBJECT)
		*one = (struct dmsg_cmd_session){ .proven = -1 };
	else if (ev->depth == 2 && ev->type == JSON_END)
		dmsg_cmd_print_session(one);
	else if (ev->depth == 3) {
		dmsg_cmd_take_text(ev, "address", one->address,
		    sizeof(one->address));
		dmsg_cmd_take_text(ev, "pk", one->pk, sizeof(one->pk));
		dmsg_cmd_take_number(ev, "rtt_ms", &one->rtt);
		dmsg_cmd_take_number(ev, "proven_age_s", &one->proven);
		dmsg_cmd_take_number(ev, "streams", &one->streams);
		if (dmsg_cmd_key_is(ev, "up"))
			one->up = ev->truth;
	}
	return 0;
}

/* Before a word of it is told. */
static int
dmsg_cmd_check_event(void *arg, const struct json_event *ev)
{
	(void)arg;
	return ev->depth == 0 && ev->type != JSON_OBJECT &&
		ev->type != JSON_END ?
	    SKY_ERR_FORMAT :
	    0;
}

static int
dmsg_cmd_parse(const struct buf *text, json_handler *handle, void *arg)
{
	return json_parse((const char *)buf_ptr(text), buf_len(text), handle,
	    arg, NULL, 0);
}

static void
dmsg_cmd_print_status(const struct buf *text)
{
	struct dmsg_cmd_status s = { .age = -1 };

	puts("sessions:");
	(void)dmsg_cmd_parse(text, dmsg_cmd_on_event, &s);
	printf("port %lld, %lld streams, %lld servers known\n", s.port,
	    s.streams, s.servers);
	if (s.age < 0)
		puts("our entry is not in the discovery yet");
	else
		printf("our entry was published %lld seconds ago\n", s.age);
	if (*s.error != '\0') {
		fputs("last error: ", stdout);
		dmsg_cmd_print_text(s.error);
		putchar('\n');
	}
}

static int
dmsg_cmd_show(const struct buf *text, bool as_json)
{
	struct buf b;
	int r;

	if (buf_len(text) == 0) {
		complain("the local host is not on dmsg (skyptyd dmsg), or has "
			 "only just begun");
		return 1;
	}
	if (dmsg_cmd_parse(text, dmsg_cmd_check_event, NULL) != 0) {
		complain("the host's status is malformed");
		return EXIT_FAILED;
	}
	if (!as_json) {
		dmsg_cmd_print_status(text);
		return 0;
	}
	buf_init(&b, 6 * STATUS_MAX);
	if ((r = visible_json(&b, buf_ptr(text), buf_len(text))) == 0)
		printf("%.*s\n", (int)buf_len(&b), (const char *)buf_ptr(&b));
	buf_free(&b);
	return r == 0 ? 0 : EXIT_FAILED;
}

static int
dmsg_cmd_status(struct keyctx *ctx, int argc, char **argv)
{
	struct client_options o;
	struct conn c;
	struct buf text;
	int r;

	if ((r = options_parse(&o, ctx, STYLE_STATUS, "dmsg", argc, argv)) != 0)
		return r;
	if (*o.command != NULL) {
		complain("usage: skypty dmsg status [--json] [--cliaddr PATH]");
		return EXIT_USAGE;
	}
	buf_init(&text, STATUS_MAX);
	if ((r = conn_open(&c, ctx, &o, MUX_URI_STATUS)) == 0 &&
	    (r = conn_await(&c)) == 0 &&
	    (r = dmsg_cmd_read_all(&c, &text)) == 0)
		r = dmsg_cmd_show(&text, o.json);
	conn_close(&c);
	buf_free(&text);
	return r;
}

int
dmsg_main(int argc, char **argv)
{
	struct keyctx *ctx;
	int r;

	if (argc < 2 || strcmp(argv[1], "status") != 0) {
		complain("usage: skypty dmsg status [--json] [--cliaddr PATH]");
		return EXIT_USAGE;
	}
	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	r = dmsg_cmd_status(ctx, argc - 1, argv + 1);
	keyctx_free(ctx);
	return r;
}
