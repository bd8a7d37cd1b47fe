/* SPDX-License-Identifier: ISC */
/* skypty sessions and skypty attach: those that there are.  See PROTOCOL. */
#include "client/commands.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/exits.h"
#include "client/frames.h"
#include "client/options.h"
#include "client/patience.h"
#include "client/session.h"
#include "client/sink.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/base/json.h"
#include "common/base/visible.h"
#include "common/pty/sessmsg.h"

#define SHOWN_ID   12 /* digits of an id in a list */
#define SHOWN_NAME 12
#define SHOWN_TIME 32
#define NONE_HERE \
	"this host keeps no sessions: it is older, or not of this kind"

struct sessions_call {
	const struct client_options *o;
	struct conn conn;
	struct sink sink;
	bool over, any;
	int status;
};

/* --- a list --- */

static void
sessions_time(uint64_t when, char text[SHOWN_TIME])
{
	time_t t = (time_t)when;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(text, SHOWN_TIME, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(text, SHOWN_TIME, "?");
}

/* The title of the window, or else what was run. */
static void
sessions_print(const struct sess_entry *e)
{
	const struct buf *what =
	    buf_len(&e->title) != 0 ? &e->title : &e->command;
	char text[VISIBLE_GROWTH * SESS_TITLE_MAX + 1], id[JOB_ID_HEX],
	    begun[SHOWN_TIME], name[VISIBLE_GROWTH * SESS_WHICH_MAX + 1];

	hex_encode(e->id, JOB_ID_LEN, id);
	sessions_time(e->begun, begun);
	(void)visible_text(text, sizeof(text), buf_ptr(what), buf_len(what), 0);
	(void)visible_text(name, sizeof(name), buf_ptr(&e->name),
	    buf_len(&e->name), 0);
	printf("%.*s  %-*s  %s  %8u  %3ux%-3u  %s\n", SHOWN_ID, id, SHOWN_NAME,
	    *name != '\0' ? name : "-", begun, e->attached, e->cols, e->rows,
	    text);
}

static int
sessions_put_json(struct buf *b, const char *name, const struct buf *v)
{
	char text[VISIBLE_GROWTH * SESS_TITLE_MAX + 1];
	size_t n = visible_text(text, sizeof(text), buf_ptr(v), buf_len(v),
	    VISIBLE_SLASH);
	int r;

	if ((r = buf_put(b, ",\"", 2)) != 0 ||
	    (r = buf_put(b, name, strlen(name))) != 0 ||
	    (r = buf_put(b, "\":", 2)) != 0)
		return r;
	return json_put_string(b, text, n);
}

static int
sessions_print_json(const struct sess_entry *e)
{
	char id[JOB_ID_HEX];
	struct buf b;
	int r;

	hex_encode(e->id, JOB_ID_LEN, id);
	buf_init(&b, 6 * VISIBLE_GROWTH * SESS_ENTRY_MAX);
	if ((r = sessions_put_json(&b, "name", &e->name)) == 0 &&
	    (r = sessions_put_json(&b, "title", &e->title)) == 0 &&
	    (r = sessions_put_json(&b, "command", &e->command)) == 0)
		printf("{\"id\":\"%s\",\"begun\":%" PRIu64 ",\"attached\":%u,"
		       "\"rows\":%u,\"cols\":%u,\"pid\":%u%.*s}\n",
		    id, e->begun, e->attached, e->rows, e->cols, e->pid,
		    (int)buf_len(&b), (const char *)buf_ptr(&b));
	buf_free(&b);
	return r;
}

static int
sessions_listed(struct sessions_call *s, struct buf *b)
{
	struct sess_entry e;
	int r;

	if ((r = sessmsg_get_entry(b, &e)) != 0)
		return conn_bad(&s->conn, r);
	if (s->o->json)
		return sessions_print_json(&e);
	if (!s->any)
		printf("%-*s  %-*s  %-19s  ATTACHED  %-7s  TITLE\n", SHOWN_ID,
		    "ID", SHOWN_NAME, "NAME", "SINCE", "SIZE");
	s->any = true;
	sessions_print(&e);
	return 0;
}

/* --- frames --- */

static int
sessions_take_frame(void *arg, uint8_t tag, struct buf *b)
{
	struct sessions_call *s = arg;

	switch (tag) {
	case XS_KEEPALIVE:
		return 0;
	case SESS_ENTRY:
		return sessions_listed(s, b);
	case JOB_DONE:
		s->over = true;
		return 0;
	case XS_FAILED:
		complain("%s", complain_printable(b));
		s->over = true;
		s->status = EXIT_FAILED;
		return 0;
	}
	complain("protocol error: unknown frame tag %u", tag);
	return EXIT_FAILED;
}

static int
sessions_talk(struct sessions_call *s)
{
	struct conn *c = &s->conn;
	int r;

	while (!s->over) {
		struct pollfd p[2] = { { .fd = c->fd,
					   .events = conn_events(c) },
			sink_poll(&s->sink) };

		if ((r = conn_wait(c, p, 2, 1000, NULL)) != 0 ||
		    (r = conn_pump(c, p[0].revents)) != 0)
			return r;
		if (c->rejected) {
			complain(NONE_HERE);
			return EXIT_FAILED;
		}
		if ((c->accepted &&
			(r = frames_take(c, &s->sink, &s->over,
			     sessions_take_frame, s)) != 0) ||
		    (r = conn_check_silence(c, QUIET_MS)) != 0 ||
		    (c->accepted && (r = conn_keep(c)) != 0))
			return r;
		if (!s->over && c->eof && s->sink.blocked == NULL)
			return conn_ended(c);
		if (!s->over && (r = conn_flush(c)) != 0)
			return r;
	}
	return s->status;
}

/* --- the commands --- */

/* 0, or EXIT_USAGE, told. */
static int
sessions_check_which(const char *word)
{
	if (*word == '\0' || mux_is_session_name(word))
		return 0;
	complain("'%s' is no session's name or id; 'skypty sessions' lists "
		 "them",
	    word);
	return EXIT_USAGE;
}

static int
sessions_ask(struct sessions_call *s, const char *kill)
{
	struct buf b;
	int r;

	if (kill == NULL)
		return frames_put(&s->conn, JOB_LIST, NULL, 0);
	buf_init(&b, JOB_ASK_MAX);
	if ((r = sessmsg_put_kill(&b, kill, "HUP")) == 0)
		r = frames_put(&s->conn, JOB_KILL, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
	return r;
}

static int
sessions_serve(struct keyctx *ctx, const struct client_options *o)
{
	struct sessions_call s = { .o = o };
	int r;

	if (*o->command != NULL) {
		complain("sessions: '%s' is one word too many", *o->command);
		return EXIT_USAGE;
	}
	if (o->kill_session != NULL &&
	    (r = sessions_check_which(o->kill_session)) != 0)
		return r;
	sink_init(&s.sink);
	r = conn_try(&s.conn, ctx, o, MUX_URI_SESSION);
	if (r == 0 && s.conn.rejected) {
		complain(NONE_HERE);
		r = EXIT_FAILED;
	}
	if (r == 0 && (r = sessions_ask(&s, o->kill_session)) == 0)
		r = sessions_talk(&s);
	conn_close(&s.conn);
	return r;
}

static int
sessions_attach(struct keyctx *ctx, const struct client_options *o)
{
	const char *which = *o->command != NULL ? *o->command : "";
	int r;

	if (*o->command != NULL && o->command[1] != NULL) {
		complain("attach: '%s' is one word too many", o->command[1]);
		return EXIT_USAGE;
	}
	if (o->share && o->view) {
		complain("--share, --view: either of them");
		return EXIT_USAGE;
	}
	if ((r = sessions_check_which(which)) != 0)
		return r;
	if (!session_attach(ctx, o, which, &r)) {
		complain(NONE_HERE);
		r = EXIT_FAILED;
	}
	return r;
}

static int
sessions_command(enum flags_style style, int argc, char **argv,
    int (*serve)(struct keyctx *, const struct client_options *))
{
	struct client_options o;
	struct keyctx *ctx;
	int r;

	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	if ((r = options_parse(&o, ctx, style, argv[0], argc, argv)) == 0)
		r = serve(ctx, &o);
	hosts_free(&o.alias);
	offer_free(&o.agents);
	keyctx_free(ctx);
	return r;
}

int
sessions_main(int argc, char **argv)
{
	return sessions_command(STYLE_SESSIONS, argc, argv, sessions_serve);
}

int
attach_main(int argc, char **argv)
{
	return sessions_command(STYLE_ATTACH, argc, argv, sessions_attach);
}
