/* SPDX-License-Identifier: ISC */
/*
 * Who may come in: the keys given on the command line, those of the file,
 * which is read anew for each decision, and the host's own.
 */
#include "monitor/monitor.h"

#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/config.h"
#include "common/err.h"
#include "common/log.h"

static void
complain(void *arg, bool fatal, const char *text)
{
	(void)arg;
	log_at(fatal ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "%s", text);
}

static const struct config_report report = { .say = complain };

static bool
contains(const struct key_public *wl, size_t n, const struct key_public *pk)
{
	for (size_t i = 0; i < n; i++)
		if (key_equal(&wl[i], pk))
			return true;
	return false;
}

static bool
is_own(struct monitor *m, const struct key_public *pk)
{
	struct key_public own;

	return m->start.sk != NULL &&
	    key_public(m->keyctx, m->start.sk, &own) == 0 &&
	    key_equal(&own, pk);
}

/* The control socket needs keys only here; the handshake has its own. */
static int
read_file(struct monitor *m, struct key_public **wl, size_t *n)
{
	if (m->keyctx == NULL && (m->keyctx = keyctx_new()) == NULL)
		return ERR_NOMEM;
	return config_read_wl(m->keyctx, m->start.conf, wl, n, &report);
}

/* A list that cannot be read lets nobody in, whatever the other lists say. */
int
whitelist_check(struct monitor *m, const struct key_public *pk)
{
	struct key_public *wl = NULL;
	size_t n = 0;
	bool listed;
	int r;

	if (*m->start.conf != '\0' && (r = read_file(m, &wl, &n)) != 0)
		return r;
	listed = contains(wl, n, pk) ||
	    contains(m->start.wl, m->start.nwl, pk) || is_own(m, pk);
	free(wl);
	return listed ? 0 : ERR_DENIED;
}

/* --- the service on the control socket --- */

static int
put_keys(struct buf *b, const struct key_public *wl, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = buf_put(b, wl[i].b, KEY_PUBLIC_LEN);
	return r;
}

static void
answer_list(struct monitor *m, struct privmsg *msg, const struct key_public *wl,
    size_t n)
{
	struct buf b;

	if (n + m->start.nwl > PRIV_WL_MAX) {
		child_answer_text(m, msg, "the whitelist is too long");
		return;
	}
	buf_init(&b, PRIVMSG_MAX - PRIVMSG_HEAD_LEN);
	if (buf_put_u32(&b, 0) == 0 &&
	    buf_put_u32(&b, (uint32_t)(n + m->start.nwl)) == 0 &&
	    put_keys(&b, wl, n) == 0 &&
	    put_keys(&b, m->start.wl, m->start.nwl) == 0)
		child_answer(m, msg, &b);
	else
		child_answer_text(m, msg, "out of memory");
	buf_free(&b);
}

int
whitelist_list(struct monitor *m, struct privmsg *msg)
{
	struct key_public *wl = NULL;
	size_t n = 0;
	int r = 0;

	if (*m->start.conf != '\0')
		r = read_file(m, &wl, &n);
	if (r != 0)
		child_answer_text(m, msg, "the whitelist cannot be read");
	else
		answer_list(m, msg, wl, n);
	free(wl);
	return 0;
}

/* Keys of a request, malloc'ed; every one must be a key. */
static int
read_keys(struct monitor *m, struct buf *b, struct key_public **keys, size_t *n)
{
	uint32_t count;
	int r;

	if ((r = buf_get_u32(b, &count)) != 0)
		return r;
	if (buf_len(b) != (size_t)count * KEY_PUBLIC_LEN)
		return ERR_FORMAT;
	if ((*keys = calloc(count + 1, sizeof(**keys))) == NULL)
		return ERR_NOMEM;
	*n = count;
	if (m->keyctx == NULL && (m->keyctx = keyctx_new()) == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		if ((r = buf_get(b, (*keys)[i].b, KEY_PUBLIC_LEN)) != 0)
			return r;
	return 0;
}

/* A change of the list: text is what the caller is told, empty for success. */
struct change {
	const struct key_public *keys;
	size_t nkeys;
	bool add;
	char text[PRIVMSG_TEXT_MAX];
};

static void
note_existing(struct change *c, const struct key_public *pk)
{
	char hex[KEY_PUBLIC_HEX];
	size_t len = strlen(c->text);

	key_text(pk, hex);
	snprintf(c->text + len, sizeof(c->text) - len, "%s%s",
	    len == 0 ? "skipping append for " : ",", hex);
}

static size_t
add_keys(struct change *c, struct key_public *wl, size_t n)
{
	for (size_t i = 0; i < c->nkeys; i++) {
		if (contains(wl, n, &c->keys[i]))
			note_existing(c, &c->keys[i]);
		else
			wl[n++] = c->keys[i];
	}
	if (*c->text != '\0')
		strncat(c->text, ". Already exists",
		    sizeof(c->text) - strlen(c->text) - 1);
	return n;
}

static size_t
remove_keys(const struct change *c, struct key_public *wl, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!contains(c->keys, c->nkeys, &wl[i]))
			wl[kept++] = wl[i];
	return kept;
}

/* Under the lock: what is read is what is changed. */
static const char *
rewrite(struct monitor *m, struct change *c)
{
	struct key_public *wl = NULL, *grown;
	size_t n = 0, now;
	int r;

	if (read_file(m, &wl, &n) != 0)
		return "the whitelist cannot be read";
	grown = reallocarray(wl, n + c->nkeys + 1, sizeof(*wl));
	if (grown == NULL) {
		free(wl);
		return "out of memory";
	}
	now = c->add ? add_keys(c, grown, n) : remove_keys(c, grown, n);
	r = now == n ? 0 : config_write_wl(m->start.conf, grown, now);
	if (r == 0 && now != n)
		log_info("Whitelist changed: %zu keys, were %zu", now, n);
	free(grown);
	return r == 0 ? c->text : "the configuration cannot be written";
}

static const char *
change_file(struct monitor *m, struct change *c)
{
	const char *text;
	int lock;

	if (*m->start.conf == '\0')
		return "this host has no configuration file to change";
	for (size_t i = 0; i < c->nkeys; i++)
		if (!key_valid(m->keyctx, &c->keys[i]))
			return "not a public key";
	if ((lock = config_lock_wl(m->start.conf)) < 0)
		return "the configuration cannot be locked";
	text = rewrite(m, c);
	close(lock);
	return text;
}

static int
change(struct monitor *m, struct privmsg *msg, bool add)
{
	struct change c = { .add = add };
	struct key_public *keys = NULL;
	int r;

	if ((r = read_keys(m, &msg->body, &keys, &c.nkeys)) == 0) {
		c.keys = keys;
		child_answer_text(m, msg, change_file(m, &c));
	}
	free(keys);
	return r;
}

int
whitelist_add(struct monitor *m, struct privmsg *msg)
{
	return change(m, msg, true);
}

int
whitelist_remove(struct monitor *m, struct privmsg *msg)
{
	return change(m, msg, false);
}

/* --- who is at the control socket --- */

static bool
in_group(uid_t uid, gid_t gid, gid_t wanted)
{
	gid_t groups[256];
	int n = 256;
	const struct passwd *pw;

	if (wanted == (gid_t)-1)
		return false;
	if (gid == wanted)
		return true;
	if ((pw = getpwuid(uid)) == NULL ||
	    getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) == -1)
		return false;
	for (int i = 0; i < n; i++)
		if (groups[i] == wanted)
			return true;
	return false;
}

bool
whitelist_control(struct monitor *m, int conn)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1) {
		log_error("control socket: cannot tell who is calling");
		return false;
	}
	if (who.uid == 0 || who.uid == geteuid() ||
	    in_group(who.uid, who.gid, m->start.cligroup)) {
		log_info("Control connection from uid %lu, pid %ld",
		    (unsigned long)who.uid, (long)who.pid);
		return true;
	}
	log_warn("Refused control connection from uid %lu, pid %ld",
	    (unsigned long)who.uid, (long)who.pid);
	return false;
}
