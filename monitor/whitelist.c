/* SPDX-License-Identifier: ISC */
/*
 * Who may come in: what the files say, which are read anew for each decision,
 * the keys given on the command line, and the host's own.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/privsep/config.h"
#include "common/privsep/control.h"
#include "common/privsep/pks.h"
#include "monitor/ending.h"
#include "monitor/monitor.h"
#include "monitor/whitelist.h"

#define COUNT_ROOM 40 /* of a text, for " (and 5000 more)" */

static void
whitelist_complain(void *arg, bool fatal, const char *text)
{
	(void)arg;
	log_at(fatal ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "%s", text);
}

static const struct config_report report = { .say = whitelist_complain };

static bool
whitelist_is_own(const struct monitor *m, const struct key_public *pk)
{
	return key_equal(&m->half.start.pk, pk);
}

/* The control socket needs keys only here; the handshake has its own. */
static int
whitelist_read_file(struct monitor *m, struct key_public **wl, size_t *n)
{
	if (m->half.keyctx == NULL && (m->half.keyctx = keyctx_new()) == NULL)
		return SKY_ERR_NOMEM;
	return config_read_wl(m->half.keyctx, m->half.start.conf, wl, n,
	    &report);
}

int
whitelist_check(struct monitor *m, const struct key_public *pk,
    struct rights *rights, char *why, size_t n)
{
	const struct start *s = &m->half.start;
	const struct rights_files files = { .conf = s->conf,
		.authorized = s->authorized,
		.authorized_given = s->authorized_given,
		.revoked = s->revoked,
		.revoked_given = s->revoked_given,
		.own = &s->pk,
		.allow = s->wl,
		.nallow = s->nwl,
		.permitopen = s->permitopen,
		.permitlisten = s->permitlisten,
		.report = &report };
	const struct rights_peer peer = { .pk = pk,
		.addr = m->from.ss_family != AF_UNSPEC ?
		    (const struct sockaddr *)&m->from :
		    NULL,
		.carrier = s->carrier,
		.now = time(NULL) };

	if (m->half.keyctx == NULL && (m->half.keyctx = keyctx_new()) == NULL) {
		strlcpy(why, "out of memory", n);
		return SKY_ERR_NOMEM;
	}
	return rights_find(m->half.keyctx, &files, &peer, rights, why, n);
}

/* --- the service on the control socket --- */

static int
whitelist_put_keys(struct buf *b, const struct key_public *wl, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = buf_put(b, wl[i].b, KEY_PUBLIC_LEN);
	return r;
}

/* Whether the i-th key of the flags' adds to the file's, and to those before.
 */
static bool
whitelist_is_more(const struct monitor *m, const struct key_public *wl,
    size_t n, size_t i)
{
	return !key_listed(wl, n, &m->half.start.wl[i]) &&
	    !key_listed(m->half.start.wl, i, &m->half.start.wl[i]);
}

/* A key that stands in both lists is one. */
static int
whitelist_put_list(struct buf *b, const struct monitor *m,
    const struct key_public *wl, size_t n)
{
	size_t count = n;
	int r;

	for (size_t i = 0; i < m->half.start.nwl; i++)
		if (whitelist_is_more(m, wl, n, i))
			count++;
	if (count > PRIV_WL_MAX)
		return SKY_ERR_LIMIT;
	if ((r = buf_put_u32(b, (uint32_t)count)) != 0 ||
	    (r = whitelist_put_keys(b, wl, n)) != 0)
		return r;
	for (size_t i = 0; r == 0 && i < m->half.start.nwl; i++)
		if (whitelist_is_more(m, wl, n, i))
			r = whitelist_put_keys(b, &m->half.start.wl[i], 1);
	return r;
}

int
whitelist_list(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	struct key_public *wl = NULL;
	struct buf b;
	size_t n = 0;
	int r = 0;

	ending_used(m, USE_WHITELIST);
	buf_init(&b, PRIVMSG_MAX - PRIVMSG_HEAD_LEN);
	if (*m->half.start.conf != '\0')
		r = whitelist_read_file(m, &wl, &n);
	if (r != 0)
		half_answer_why(&m->half, msg, "the whitelist cannot be read");
	else if ((r = whitelist_put_list(&b, m, wl, n)) == 0)
		half_answer_ok(&m->half, msg, &b, NULL, 0);
	else
		half_answer_why(&m->half, msg,
		    r == SKY_ERR_LIMIT ? "the whitelist is too long" :
					 "out of memory");
	buf_free(&b);
	free(wl);
	return 0;
}

/* Keys of a request, malloc'ed; every one must be a key. */
static int
whitelist_read_keys(struct monitor *m, struct buf *b, struct key_public **keys,
    size_t *n)
{
	uint32_t count;
	int r;

	if ((r = buf_get_u32(b, &count)) != 0)
		return r;
	if (buf_len(b) != (size_t)count * KEY_PUBLIC_LEN)
		return SKY_ERR_FORMAT;
	if ((*keys = calloc(count + 1, sizeof(**keys))) == NULL)
		return SKY_ERR_NOMEM;
	*n = count;
	if (m->half.keyctx == NULL && (m->half.keyctx = keyctx_new()) == NULL)
		return SKY_ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		if ((r = buf_get(b, (*keys)[i].b, KEY_PUBLIC_LEN)) != 0)
			return r;
	return 0;
}

/* A change of the list: text is what the caller is told, empty for success. */
struct whitelist_change {
	const struct key_public *keys;
	size_t nkeys;
	bool add;
	char text[PRIVMSG_TEXT_MAX];
	size_t unsaid; /* pieces of it that had no room */
};

/* A key that authorized_pks names, and where. */
struct whitelist_named {
	const struct key_public *pk;
	char text[256];
};

static void whitelist_say(struct whitelist_change *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds to the text; what does not fit is left out as a whole and counted. */
static void
whitelist_say(struct whitelist_change *c, const char *fmt, ...)
{
	size_t len = strlen(c->text), room = sizeof(c->text) - COUNT_ROOM;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(c->text + len, sizeof(c->text) - len, fmt, ap);
	va_end(ap);
	if (n >= 0 && len + (size_t)n < room)
		return;
	c->text[len] = '\0';
	c->unsaid++;
}

static size_t
whitelist_add_keys(struct whitelist_change *c, struct key_public *wl, size_t n)
{
	char hex[KEY_PUBLIC_HEX];

	for (size_t i = 0; i < c->nkeys; i++) {
		if (!key_listed(wl, n, &c->keys[i])) {
			wl[n++] = c->keys[i];
			continue;
		}
		key_text(&c->keys[i], hex);
		whitelist_say(c, "%s%s",
		    *c->text == '\0' ? "skipping append for " : ",", hex);
	}
	if (*c->text != '\0')
		whitelist_say(c, ". Already exists");
	return n;
}

static size_t
whitelist_remove_keys(const struct whitelist_change *c, struct key_public *wl,
    size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!key_listed(c->keys, c->nkeys, &wl[i]))
			wl[kept++] = wl[i];
	return kept;
}

/* 1 for the first line of the key that is of use. */
static int
whitelist_on_line(void *arg, const struct pks_at *at, const char *text,
    size_t n, const char *why)
{
	struct whitelist_named *w = arg;
	char reason[RIGHTS_WHY_MAX];
	struct pks_line l;
	int r;

	if (why != NULL || pks_parse(&l, text, n, reason, sizeof(reason)) != 1)
		return 0;
	r = key_equal(&l.pk, w->pk);
	pks_free(&l);
	if (r)
		snprintf(w->text, sizeof(w->text),
		    "it has a line of its own, %.128s:%lu; skyptyd revoke "
		    "keeps it out",
		    at->name, at->line);
	return r;
}

static bool
whitelist_is_named(const struct monitor *m, struct whitelist_named *w)
{
	const struct pks_scan scan = { .pk = w->pk,
		.on_line = whitelist_on_line,
		.arg = w };
	const char *path = m->half.start.authorized;

	return *path != '\0' && pks_read_table(&scan, path, false) == 1;
}

/*
 * A key that was removed and gets in all the same: the one who took it away
 * would think that it does not.
 */
static void
whitelist_note_staying(struct monitor *m, struct whitelist_change *c)
{
	char hex[KEY_PUBLIC_HEX];
	const struct key_public *pk;
	struct whitelist_named named;
	const char *why;

	for (size_t i = 0; i < c->nkeys; i++) {
		named.pk = pk = &c->keys[i];
		why = NULL;
		if (whitelist_is_own(m, pk))
			why = "it is the host's own key, which is always let "
			      "in";
		else if (key_listed(m->half.start.wl, m->half.start.nwl, pk))
			why = "it is given by --allow or standard input; "
			      "restart skyptyd without it";
		else if (whitelist_is_named(m, &named))
			why = named.text;
		if (why == NULL || key_listed(c->keys, i, pk))
			continue;
		key_text(pk, hex);
		whitelist_say(c, "%s%s still gets in: %s",
		    *c->text != '\0' ? ". " : "", hex, why);
		log_warn("whitelist: %s still gets in: %s", hex, why);
	}
}

/* What went wrong, on what, and what to do about it. */
static void
whitelist_cannot_write(struct whitelist_change *c, const char *path, int r)
{
	const char *why = err_text(r), *hint = "";

	if (r == SKY_ERR_SYS && errno == EBUSY)
		hint = "; it is a mount of its own: mount its folder in its "
		       "place";
	else if (r == SKY_ERR_EXISTS)
		why = "it has more than one name (hard links), and the others "
		      "would keep the old list; keep one, or make symbolic "
		      "links of them";
	else if (r == SKY_ERR_DENIED)
		why = "its folder belongs to somebody else";
	else if (r == SKY_ERR_LIMIT)
		why = "it would get too long";
	*c->text = '\0';
	whitelist_say(c, "%s cannot be written: %s%s", path, why, hint);
	log_error("whitelist: %s", c->text);
}

/* Those of a change that change something; nkeys of them at most. */
static size_t
whitelist_new_ones(const struct whitelist_change *c, struct key_public *wl,
    size_t n, struct key_public *changed)
{
	size_t found = 0;

	for (size_t i = 0; i < c->nkeys; i++)
		if (key_listed(wl, n, &c->keys[i]) != c->add &&
		    !key_listed(changed, found, &c->keys[i]))
			changed[found++] = c->keys[i];
	return found;
}

/* Each by a line of its own, and by whom. */
static void
whitelist_tell(const struct monitor *m, const struct whitelist_change *c,
    const struct key_public *changed, size_t n)
{
	char hex[KEY_PUBLIC_HEX];

	for (size_t i = 0; i < n; i++) {
		struct log_fields f = { .event = c->add ? "whitelist-add" :
							  "whitelist-remove" };

		key_text(&changed[i], hex);
		log_put(&f, "changed_key", hex);
		log_put_number(&f, "uid", m->caller);
		log_event(LOG_LEVEL_INFO, &f, "Whitelist: %s %s, by uid %lu",
		    c->add ? "added" : "removed", hex,
		    (unsigned long)m->caller);
	}
}

/* Under the lock: what is read is what is changed. */
static void
whitelist_rewrite(struct monitor *m, struct whitelist_change *c)
{
	struct key_public *wl = NULL, *grown, *changed;
	size_t n = 0, now, nchanged;
	int r;

	if (whitelist_read_file(m, &wl, &n) != 0) {
		whitelist_say(c, "the whitelist cannot be read");
		return;
	}
	grown = reallocarray(wl, n + c->nkeys + 1, sizeof(*wl));
	changed = calloc(c->nkeys + 1, sizeof(*changed));
	if (grown == NULL || changed == NULL) {
		free(grown != NULL ? grown : wl);
		free(changed);
		whitelist_say(c, "out of memory");
		return;
	}
	nchanged = whitelist_new_ones(c, grown, n, changed);
	now = c->add ? whitelist_add_keys(c, grown, n) :
		       whitelist_remove_keys(c, grown, n);
	if (now != n &&
	    (r = config_write_wl(m->half.start.conf, grown, now)) != 0)
		whitelist_cannot_write(c, m->half.start.conf, r);
	else if (now != n) {
		log_event(LOG_LEVEL_INFO, LOG_EVENT("whitelist"),
		    "Whitelist changed: %zu keys, were %zu", now, n);
		whitelist_tell(m, c, changed, nchanged);
	}
	free(changed);
	free(grown);
}

static void
whitelist_change_file(struct monitor *m, struct whitelist_change *c)
{
	const char *path = m->half.start.conf;
	int lock;

	for (size_t i = 0; i < c->nkeys; i++)
		if (!key_valid(m->half.keyctx, &c->keys[i])) {
			whitelist_say(c, "not a public key");
			return;
		}
	if (*path == '\0') {
		whitelist_say(c,
		    "this host has no configuration file to change");
	} else if ((lock = config_lock_wl(path)) >= 0) {
		whitelist_rewrite(m, c);
		close(lock);
	} else {
		whitelist_say(c, "%s cannot be locked: %s", path,
		    lock == SKY_ERR_AGAIN ? "another process is changing it" :
					    err_text(lock));
		log_error("whitelist: %s", c->text);
	}
	if (!c->add)
		whitelist_note_staying(m, c);
}

static int
whitelist_change(struct monitor *m, struct privmsg *msg, bool add)
{
	struct whitelist_change c = { .add = add };
	struct key_public *keys = NULL;
	int r;

	ending_used(m, USE_WHITELIST);
	if ((r = whitelist_read_keys(m, &msg->body, &keys, &c.nkeys)) == 0) {
		c.keys = keys;
		whitelist_change_file(m, &c);
		if (c.unsaid != 0)
			snprintf(c.text + strlen(c.text), COUNT_ROOM,
			    " (and %zu more)", c.unsaid);
		half_answer_why(&m->half, msg, c.text);
	}
	free(keys);
	return r;
}

int
whitelist_add(struct half *h, struct privmsg *msg)
{
	return whitelist_change(monitor_of(h), msg, true);
}

int
whitelist_remove(struct half *h, struct privmsg *msg)
{
	return whitelist_change(monitor_of(h), msg, false);
}

/* --- who is at the control socket --- */

bool
whitelist_control(struct monitor *m, int conn)
{
	struct ucred who;
	bool may = control_may_call(conn, m->half.start.cligroup, &who);
	struct log_fields f = { .event = may ? "control" : "control-refused" };

	m->caller = who.uid;
	log_put_number(&f, "uid", who.uid);
	log_put_number(&f, "process", (uint64_t)who.pid);
	log_event(may ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, &f,
	    "%s from uid %lu, pid %ld",
	    may ? "Control connection" : "Refused control connection",
	    (unsigned long)who.uid, (long)who.pid);
	return may;
}
