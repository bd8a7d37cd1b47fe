/* SPDX-License-Identifier: ISC */
/*
 * What skyptyd-http may ask of the http monitor, and when.  The table is the
 * policy: a request that is not in it, or not in the state it needs, or longer
 * or shorter than it can be, ends the child.  So does one that its handler
 * finds malformed, or that names a ticket which is not there.
 */
#include "monitor/http/http_gate.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"

/* over: more of them in this second than the table says. */
typedef int gate_handler(struct gate *, struct privmsg *, bool over);

static gate_handler gate_enter, gate_check, gate_admit, gate_connect,
    gate_leave, gate_ended, gate_log;

#define ALWAYS	 (GATE_LOGIN | GATE_OPEN)
#define TOKEN	 HTTP_TOKEN_LEN
#define ADDRESS	 (4 + HTTP_ADDRESS_MAX)
#define LOG_LINE (5 + PRIVMSG_TEXT_MAX)

/* clang-format off */
static const struct gate_row {
	unsigned type;
	const char *name;
	unsigned states;    /* one of them is needed */
	unsigned per_s;	    /* 0: as many as the child can wait for */
	size_t min, max;    /* bytes of the body */
	bool last;	    /* heard when the child has ended, too */
	gate_handler *handle;
} rows[GATE_ROWS] = {
	{ HTTP_ENTER, "ENTER", GATE_LOGIN, 0,
	    TOKEN + 5, 2 * TOKEN + 1 + ADDRESS, false, gate_enter },
	{ HTTP_CHECK, "CHECK", GATE_LOGIN, 0,
	    TOKEN, TOKEN, false, gate_check },
	{ HTTP_ADMIT, "ADMIT", ALWAYS, HTTP_ADMITS_PER_S,
	    1, 1 + TOKEN, false, gate_admit },
	{ HTTP_CONNECT, "CONNECT", ALWAYS, HTTP_DIALS_MAX * HTTP_ADMITS_PER_S,
	    4, 4, false, gate_connect },
	{ HTTP_LEAVE, "LEAVE", ALWAYS, 0,
	    4, 4, false, gate_leave },
	{ HTTP_ENDED, "ENDED", GATE_ONCE, 0,
	    0, 0, true, gate_ended },
	{ PM_LOG, "LOG", ALWAYS, PRIV_LOGS_PER_S,
	    5, LOG_LINE, true, gate_log },
};
/* clang-format on */

void
gate_init(struct gate *g, const struct http_options *o, struct event_base *base)
{
	memset(g, 0, sizeof(*g));
	g->o = o;
	g->dials.base = base;
	g->sock = -1;
	g->state = o->conf.no_auth || *o->conf.auth_header != '\0' ? GATE_OPEN :
								     GATE_LOGIN;
	if (o->conf.once)
		g->state |= GATE_ONCE;
}

void
gate_child(struct gate *g, int sock)
{
	memset(g->ticket, 0, sizeof(g->ticket));
	g->sock = sock;
}

static int64_t
gate_now_s(void)
{
	return now_ms() / 1000;
}

/* --- the table --- */

static const struct gate_row *
gate_find(uint16_t type)
{
	for (size_t i = 0; i < GATE_ROWS; i++)
		if (rows[i].handle != NULL && rows[i].type == type)
			return &rows[i];
	return NULL;
}

static const char *
gate_objection(const struct gate *g, const struct gate_row *r, size_t len)
{
	if (!(r->states & g->state))
		return "not as this was started";
	if (len < r->min)
		return "too short";
	return len > r->max ? "too long" : NULL;
}

static int
gate_handle(struct gate *g, const struct gate_row *row, struct privmsg *m)
{
	bool over = row->per_s != 0 &&
	    rate_count(&g->count[row - rows], gate_now_s(), 1) > row->per_s;
	int r = row->handle(g, m, over);

	return r == 0 ? buf_at_end(&m->body) : r;
}

int
gate_request(struct gate *g, struct privmsg *m)
{
	const struct gate_row *row = gate_find(m->type);
	const char *why;
	int r;

	if (row == NULL) {
		log_error("http: request %u refused: unknown", m->type);
		return SKY_ERR_DENIED;
	}
	if ((why = gate_objection(g, row, buf_len(&m->body))) == NULL &&
	    (r = gate_handle(g, row, m)) != 0)
		why = err_text(r);
	if (why == NULL)
		return 0;
	log_error("http: request %s refused: %s", row->name, why);
	return SKY_ERR_DENIED;
}

void
gate_last_words(struct gate *g, struct privmsg *m)
{
	const struct gate_row *row = gate_find(m->type);

	if (row != NULL && row->last &&
	    gate_objection(g, row, buf_len(&m->body)) == NULL)
		(void)gate_handle(g, row, m);
}

/* --- who a browser is --- */

static int
gate_answer(struct gate *g, const struct privmsg *m, struct buf *body, int fd)
{
	return privmsg_send(g->sock, m->type + 1, m->id, body, &fd,
	    fd != -1 ? 1 : 0);
}

/* Whether its cookie lets a browser in. */
static bool
gate_knows(struct gate *g, const uint8_t cookie[HTTP_TOKEN_LEN])
{
	return auth_cookie(&g->auth, cookie, gate_now_s());
}

static void
gate_log_wrong(struct gate *g, const char *address)
{
	int line = auth_line(&g->auth, gate_now_s());

	if (line != 0)
		log_warn("http: Refused a token of %s%s",
		    *address != '\0' ? address : "a local caller",
		    line == 1 ? "; no more are logged this minute" : "");
}

/* A right token lets in; a wrong one is no harm to who is in already. */
static int
gate_enter(struct gate *g, struct privmsg *m, bool over)
{
	uint8_t token[HTTP_TOKEN_LEN], cookie[HTTP_TOKEN_LEN], has, entry;
	char *address = NULL;
	struct buf b;
	int r;

	buf_init(&b, 1 + HTTP_TOKEN_LEN);
	if ((r = buf_get(&m->body, token, sizeof(token))) != 0 ||
	    (r = buf_get_u8(&m->body, &has)) != 0 ||
	    (r = has <= 1 ? 0 : SKY_ERR_RANGE) != 0 ||
	    (has && (r = buf_get(&m->body, cookie, sizeof(cookie))) != 0) ||
	    (r = buf_get_cstring(&m->body, &address, HTTP_ADDRESS_MAX)) != 0 ||
	    (r = buf_at_end(&m->body)) != 0)
		goto out;
	entry = has && gate_knows(g, cookie) ? HTTP_KNOWN : HTTP_REFUSED;
	if (auth_enter(&g->auth, token, gate_now_s(), g->o->conf.session_s,
		cookie))
		entry = HTTP_ENTERED;
	if (entry == HTTP_ENTERED)
		log_info("http: A token was exchanged by %s",
		    *address != '\0' ? address : "a local caller");
	else if (entry == HTTP_REFUSED)
		gate_log_wrong(g, address);
	if ((r = buf_put_u8(&b, entry)) == 0 && entry == HTTP_ENTERED)
		r = buf_put(&b, cookie, sizeof(cookie));
	if (r == 0)
		r = gate_answer(g, m, &b, -1);
out:
	free(address);
	buf_free(&b);
	sodium_memzero(token, sizeof(token));
	sodium_memzero(cookie, sizeof(cookie));
	return r;
}

/* The table knows its length. */
static int
gate_get_cookie(struct gate *g, struct buf *body, bool *good)
{
	uint8_t cookie[HTTP_TOKEN_LEN];
	int r;

	if ((r = buf_get(body, cookie, sizeof(cookie))) == 0)
		*good = gate_knows(g, cookie);
	sodium_memzero(cookie, sizeof(cookie));
	return r;
}

static int
gate_check(struct gate *g, struct privmsg *m, bool over)
{
	bool good = false;
	struct buf b;
	int r;

	buf_init(&b, 1);
	if ((r = gate_get_cookie(g, &m->body, &good)) == 0 &&
	    (r = buf_put_u8(&b, good)) == 0)
		r = gate_answer(g, m, &b, -1);
	buf_free(&b);
	return r;
}

/* --- tickets --- */

static struct gate_ticket *
gate_ticket(struct gate *g, uint32_t id)
{
	for (size_t i = 0; id != 0 && i < 2 * HTTP_CLIENTS_MAX; i++)
		if (g->ticket[i].id == id)
			return &g->ticket[i];
	return NULL;
}

static size_t
gate_count(const struct gate *g, bool files)
{
	size_t n = 0;

	for (size_t i = 0; i < 2 * HTTP_CLIENTS_MAX; i++)
		n += g->ticket[i].id != 0 && g->ticket[i].files == files;
	return n;
}

/* With --once files are for those who have a terminal. */
static bool
gate_has_room(const struct gate *g, bool files)
{
	size_t terminals = gate_count(g, false);

	if (gate_count(g, files) >= g->o->conf.max_clients)
		return false;
	return !(g->state & GATE_ONCE) ||
	    (files ? terminals != 0 : terminals == 0 && !g->served);
}

static uint32_t
gate_new_ticket(struct gate *g, bool files)
{
	for (size_t i = 0; i < 2 * HTTP_CLIENTS_MAX; i++) {
		if (g->ticket[i].id != 0)
			continue;
		do
			g->last_id++;
		while (g->last_id == 0 || gate_ticket(g, g->last_id) != NULL);
		g->ticket[i] = (struct gate_ticket){ .id = g->last_id,
			.files = files,
			.until = now_ms() + HTTP_DIAL_S * 1000 };
		return g->last_id;
	}
	return 0;
}

static int
gate_admit(struct gate *g, struct privmsg *m, bool over)
{
	bool good = g->state & GATE_OPEN;
	uint8_t kind, admission = HTTP_DENIED;
	uint32_t id = 0;
	struct buf b;
	int r;

	if ((r = buf_get_u8(&m->body, &kind)) != 0)
		return r;
	if (kind != HTTP_TERMINAL && kind != HTTP_FILES)
		return SKY_ERR_RANGE;
	if (!good && (r = gate_get_cookie(g, &m->body, &good)) != 0)
		return r;
	if ((r = buf_at_end(&m->body)) != 0)
		return r;
	if (good && (kind == HTTP_TERMINAL || !g->o->conf.readonly)) {
		if (!over && gate_has_room(g, kind == HTTP_FILES))
			id = gate_new_ticket(g, kind == HTTP_FILES);
		admission = id != 0 ? HTTP_ADMITTED : HTTP_FULL;
	}
	buf_init(&b, 5);
	if ((r = buf_put_u8(&b, admission)) == 0 &&
	    (r = buf_put_u32(&b, id)) == 0)
		r = gate_answer(g, m, &b, -1);
	buf_free(&b);
	return r;
}

/* Where the child asked, it is answered; where it is no more, nobody is. */
static void
gate_dialed(void *arg, uint16_t id, int fd, const char *why)
{
	const struct gate *g = arg;
	struct buf b;

	buf_init(&b, HTTP_TEXT + 4);
	if (buf_put_cstring(&b, why) == 0)
		(void)privmsg_send(g->sock, HTTP_CONNECT + 1, id, &b, &fd,
		    fd != -1 ? 1 : 0);
	buf_free(&b);
	if (fd != -1)
		close(fd);
}

/* It is the child that was given the ticket, and knows how often it may. */
static int
gate_connect(struct gate *g, struct privmsg *m, bool over)
{
	char why[HTTP_TEXT] = "";
	struct gate_ticket *t;
	int fd = -1, r;
	struct buf b;
	uint32_t id;

	if ((r = buf_get_u32(&m->body, &id)) != 0)
		return r;
	if ((t = gate_ticket(g, id)) == NULL || t->dials == HTTP_DIALS_MAX)
		return SKY_ERR_DENIED;
	t->dials++;
	if (over || now_ms() > t->until) {
		strlcpy(why, over ? "too many terminals at once" : "too late",
		    sizeof(why));
	} else {
		g->served |= !t->files;
		fd = http_dial(&g->dials, g->o, m->id, gate_dialed, g, why);
		if (fd == HTTP_DIAL_LATER)
			return 0;
	}
	buf_init(&b, HTTP_TEXT + 4);
	if ((r = buf_put_cstring(&b, why)) == 0)
		r = gate_answer(g, m, &b, fd);
	buf_free(&b);
	if (fd != -1)
		close(fd);
	return r;
}

static int
gate_leave(struct gate *g, struct privmsg *m, bool over)
{
	struct gate_ticket *t;
	uint32_t id;
	int r;

	if ((r = buf_get_u32(&m->body, &id)) != 0)
		return r;
	if ((t = gate_ticket(g, id)) == NULL)
		return SKY_ERR_DENIED;
	*t = (struct gate_ticket){ .id = 0 };
	return 0;
}

/* --- the rest --- */

static int
gate_ended(struct gate *g, struct privmsg *m, bool over)
{
	g->ended = true;
	return 0;
}

/* Marked, so that nobody takes it for the monitor's own word. */
static int
gate_log(struct gate *g, struct privmsg *m, bool over)
{
	uint8_t level;
	char *text;
	int r;

	if ((r = buf_get_u8(&m->body, &level)) != 0)
		return r;
	if (level > LOG_LEVEL_DEBUG)
		return SKY_ERR_RANGE;
	if ((r = buf_get_cstring(&m->body, &text, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	if ((r = buf_at_end(&m->body)) == 0 && !over)
		log_at((enum log_level)level, "http: %s", text);
	free(text);
	return r;
}
