/* SPDX-License-Identifier: ISC */
/* skypty dmsg status: how the local host is reachable over dmsg. */
#include "client/skypty.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/mux.h"

#define OPT_JSON   256
#define STATUS_MAX 65536
#define WAIT_MS	   10000

static const struct option longopts[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ NULL, 0, NULL, 0 },
};

static bool as_json;

static int
take(int opt, int *result)
{
	*result = 0;
	as_json |= opt == OPT_JSON;
	return opt == OPT_JSON;
}

/* Until the host ends. */
static int
read_all(struct conn *c, struct buf *text)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	int r = 0;

	while (r == 0 && !c->eof) {
		if (poll(&p, 1, WAIT_MS) != 1) {
			complain("the host does not answer");
			return EXIT_FAILED;
		}
		r = conn_pump(c, p.revents);
	}
	return r == 0 ? buf_put(text, buf_ptr(&c->in), buf_len(&c->in)) : r;
}

/* --- in words --- */

struct session {
	char address[ADDR_TEXT_MAX], pk[KEY_PUBLIC_HEX];
	char rtt[32], streams[32];
	bool up;
};

struct status {
	char port[16], servers[16], streams[16], age[32], error[256];
	struct session session;
};

static void
print_text(const char *text)
{
	struct buf b;

	buf_view(&b, text, strlen(text));
	fputs(printable(&b), stdout);
}

static void
print_session(const struct session *s)
{
	printf("  %-4s ", s->up ? "up" : "down");
	print_text(s->address);
	fputs("  ", stdout);
	print_text(s->pk);
	printf("  %s ms  %s streams\n", s->rtt, s->streams);
}

static void
take_text(const struct json_event *ev, const char *key, char *to, size_t len)
{
	if (ev->key != NULL && strcmp(ev->key, key) == 0 && ev->text != NULL)
		strlcpy(to, ev->text, len);
}

static int
on_event(void *arg, const struct json_event *ev)
{
	struct status *s = arg;
	struct session *one = &s->session;

	if (ev->depth == 1) {
		take_text(ev, "port", s->port, sizeof(s->port));
		take_text(ev, "servers", s->servers, sizeof(s->servers));
		take_text(ev, "streams", s->streams, sizeof(s->streams));
		take_text(ev, "entry_age_s", s->age, sizeof(s->age));
		take_text(ev, "last_error", s->error, sizeof(s->error));
	} else if (ev->depth == 2 && ev->type == JSON_OBJECT)
		memset(one, 0, sizeof(*one));
	else if (ev->depth == 2 && ev->type == JSON_END)
		print_session(one);
	else if (ev->depth == 3) {
		take_text(ev, "address", one->address, sizeof(one->address));
		take_text(ev, "pk", one->pk, sizeof(one->pk));
		take_text(ev, "rtt_ms", one->rtt, sizeof(one->rtt));
		take_text(ev, "streams", one->streams, sizeof(one->streams));
		if (ev->key != NULL && strcmp(ev->key, "up") == 0)
			one->up = ev->truth;
	}
	return 0;
}

static int
print_status(const struct buf *text)
{
	struct status s = { .age = "-1" };

	puts("sessions:");
	if (json_parse((const char *)buf_ptr(text), buf_len(text), on_event, &s,
		NULL, 0) != 0) {
		complain("the host's status makes no sense");
		return EXIT_FAILED;
	}
	printf("port %s, %s streams, %s servers known\n", s.port, s.streams,
	    s.servers);
	if (strcmp(s.age, "-1") == 0)
		puts("our entry is not in the discovery yet");
	else
		printf("our entry was published %s seconds ago\n", s.age);
	if (*s.error != '\0') {
		fputs("last error: ", stdout);
		print_text(s.error);
		putchar('\n');
	}
	return 0;
}

static int
show(const struct buf *text)
{
	if (buf_len(text) == 0) {
		complain("the local host is not on dmsg (skyptyd dmsg), or has "
			 "only just begun");
		return 1;
	}
	if (!as_json)
		return print_status(text);
	printf("%.*s\n", (int)buf_len(text), (const char *)buf_ptr(text));
	return 0;
}

static int
run(struct keyctx *ctx, int argc, char **argv)
{
	struct options o;
	struct conn c;
	struct buf text;
	int r;

	if ((r = options_parse_more(&o, ctx, longopts, take, argc, argv)) != 0)
		return r;
	if (o.dest.kind != DEST_LOCAL) {
		complain("usage: skypty dmsg status [--json] [--cliaddr PATH]");
		return EXIT_USAGE;
	}
	buf_init(&text, STATUS_MAX);
	if ((r = conn_open(&c, ctx, &o, MUX_URI_STATUS)) == 0 &&
	    (r = conn_await(&c)) == 0 && (r = read_all(&c, &text)) == 0)
		r = show(&text);
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
	r = run(ctx, argc - 1, argv + 1);
	keyctx_free(ctx);
	return r;
}
