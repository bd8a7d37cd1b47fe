/* SPDX-License-Identifier: ISC */
/* skypty control, and -O: orders for the hub of a destination. */
#include "client/commands.h"
#include "client/complain.h"
#include "client/dest.h"
#include "client/exits.h"
#include "client/forward/forward_cmd.h"
#include "client/hosts.h"
#include "client/hub/hub_conn.h"
#include "client/offer.h"
#include "client/options.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"

#define ANSWER_MS 30000

static const struct {
	const char *word, *uri;
	const char *done; /* in our words, and in ssh's */
	const char *done_ssh;
} hub_words[] = {
	{ "check", HUB_URI_CHECK, NULL, NULL },
	{ "stop", HUB_URI_STOP, "no more commands share the connection",
	    "Stop listening request sent." },
	{ "exit", HUB_URI_EXIT, "the shared connection has ended",
	    "Exit request sent." },
	{ "forward", HUB_URI_FORWARD, "", "" },
	{ "cancel", HUB_URI_CANCEL, "", "" },
	{ "forwards", HUB_URI_FORWARDS, NULL, NULL },
};

#define HUB_WORDS (sizeof(hub_words) / sizeof(hub_words[0]))

static size_t
hub_word(const char *word)
{
	size_t i = 0;

	while (i < HUB_WORDS && strcmp(word, hub_words[i].word) != 0)
		i++;
	return i;
}

bool
hub_is_order(const char *word)
{
	return hub_word(word) < HUB_WORDS;
}

/* --- the call --- */

/* Up to the end: 0, or -1. */
static int
hub_read_answer(int fd, struct buf *answer)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t deadline = now_ms() + ANSWER_MS, left;
	ssize_t r = 1;

	while (r > 0 || r == SKY_ERR_AGAIN) {
		if ((left = deadline - now_ms()) <= 0 ||
		    poll(&p, 1, (int)left) != 1)
			return -1;
		r = buf_read(answer, fd, HUB_WHY_MAX);
	}
	return r == SKY_ERR_EOF && buf_len(answer) != 0 ? 0 : -1;
}

int
hub_ask(int fd, const char *uri, struct buf *answer)
{
	struct buf b;
	uint8_t ok = MUX_REJECT;
	int r;

	buf_init(&b, MUX_URI_MAX + 1);
	r = mux_put_request(&b, uri) == 0 && buf_write(&b, fd) > 0 &&
		hub_read_answer(fd, answer) == 0 ?
	    0 :
	    -1;
	buf_free(&b);
	if (r == -1 || buf_get_u8(answer, &ok) != 0) {
		complain("the shared connection does not answer");
		return EXIT_FAILED;
	}
	if (ok == MUX_ACCEPT)
		return 0;
	complain("the shared connection: %s", complain_printable(answer));
	return EXIT_FAILED;
}

/* --- what is told --- */

static void
hub_tell_check(struct buf *answer, bool as_ssh)
{
	char text[64];
	size_t n = buf_len(answer);
	const char *channels;

	if (n >= sizeof(text))
		n = sizeof(text) - 1;
	memcpy(text, buf_ptr(answer), n);
	text[n] = '\0';
	channels = text + strcspn(text, " ");
	if (as_ssh)
		fprintf(stderr, "Master running (pid=%ld)\n",
		    strtol(text, NULL, 10));
	else
		printf("the connection is shared by process %ld, channels: "
		       "%ld\n",
		    strtol(text, NULL, 10), strtol(channels, NULL, 10));
}

static int
hub_absent(const struct hub_place *p, bool others, bool as_ssh)
{
	if (others)
		complain("%s: the connection there is another destination's, "
			 "or another user's",
		    p->place.sock);
	else if (as_ssh)
		fprintf(stderr,
		    "Control socket connect(%s): no such "
		    "connection\n",
		    p->place.sock);
	else
		complain("no connection is shared: nobody is at %s",
		    p->place.sock);
	return EXIT_FAILED;
}

int
hub_order(struct keyctx *ctx, const struct client_options *o, bool as_ssh)
{
	size_t i = hub_word(o->control.order);
	struct hub_place p;
	enum hub_call called;
	struct buf answer;
	int fd, r;

	if (i == HUB_WORDS) {
		complain("'%s': there are check, stop, exit, forward, cancel "
			 "and forwards",
		    o->control.order);
		return EXIT_USAGE;
	}
	if (o->dest.kind == DEST_LOCAL) {
		complain("connections to this machine are not shared");
		return EXIT_USAGE;
	}
	if (o->control.path != NULL &&
	    strcasecmp(o->control.path, HUB_NONE) == 0) {
		complain("no connection is shared: its path is " HUB_NONE);
		return EXIT_FAILED;
	}
	if ((r = hub_find_place(&p, ctx, o)) != 0) {
		if (r < 0)
			complain("%s: %s",
			    o->control.path != NULL ? o->control.path :
						      "the socket's folder",
			    err_text(r));
		return r < 0 ? EXIT_FAILED : r;
	}
	if ((called = hub_call(&p, &fd)) != HUB_CALLED)
		return hub_absent(&p, called == HUB_OTHERS, as_ssh);
	/* It calls by itself, for each that there is. */
	if (hub_words[i].done != NULL && *hub_words[i].done == '\0') {
		close(fd);
		return forward_order(ctx, o, hub_words[i].uri);
	}
	buf_init(&answer, 1 + HUB_WHY_MAX);
	r = hub_ask(fd, hub_words[i].uri, &answer);
	close(fd);
	if (r == 0 && strcmp(hub_words[i].uri, HUB_URI_FORWARDS) == 0)
		(void)fwrite(buf_ptr(&answer), 1, buf_len(&answer), stdout);
	else if (r == 0 && hub_words[i].done == NULL)
		hub_tell_check(&answer, as_ssh);
	else if (r == 0 && as_ssh)
		fprintf(stderr, "%s\n", hub_words[i].done_ssh);
	else if (r == 0 && !o->quiet)
		puts(hub_words[i].done);
	buf_free(&answer);
	return r;
}

/* --- skypty control DEST ORDER --- */

int
control_main(int argc, char **argv)
{
	struct client_options o;
	struct keyctx *ctx;
	int r;

	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	if ((r = options_parse(&o, ctx, STYLE_CONTROL, argv[0], argc, argv)) ==
	    0) {
		if (o.command[0] != NULL && o.command[1] == NULL) {
			o.control.order = o.command[0];
			r = hub_order(ctx, &o, false);
		} else {
			complain("usage: skypty control [flags] host "
				 "check|stop|exit|forward|cancel|forwards");
			r = EXIT_USAGE;
		}
	}
	forward_flags_free(&o.forward);
	hosts_free(&o.alias);
	offer_free(&o.agents);
	keyctx_free(ctx);
	return r;
}
