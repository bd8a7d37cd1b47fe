/* SPDX-License-Identifier: ISC */
/*
 * The door to the jobs of a key, or to its sessions: lists them, forgets one,
 * hands its client over to the keeper of one that runs, and is in a keeper's
 * place for one that is over.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/hex.h"
#include "daemon/keeper/keeper.h"
#include "daemon/keeper/keeper_hand.h"
#include "daemon/keeper/keeper_peer.h"

#define ALL_MAX 10000 /* folders that are looked at */

struct door {
	const struct keeper_orders *o;
	struct peer peer;
	int all;	  /* folder of jobs; -1: there is none */
	struct buf asked; /* as it came: for a keeper */
};

/* --- which one --- */

static bool
door_may_see(const struct door *d, const struct store *s)
{
	return s->session == d->o->sessions &&
	    (d->o->any ||
		memcmp(s->entry.pk.b, d->o->pk.b, KEY_PUBLIC_LEN) == 0);
}

static int
door_compare_names(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* Names in the folder that can be jobs'; NULL: none. */
static char **
door_names(const struct door *d, size_t *n)
{
	struct dirent *e;
	char **names;
	DIR *dir = d->all != -1 ? store_list(d->all) : NULL;

	*n = 0;
	if (dir == NULL)
		return NULL;
	names = calloc(ALL_MAX, sizeof(*names));
	while (names != NULL && *n < ALL_MAX && (e = readdir(dir)) != NULL)
		if (store_is_name(e->d_name) &&
		    (names[*n] = strdup(e->d_name)) != NULL)
			(*n)++;
	closedir(dir);
	if (names != NULL)
		qsort(names, *n, sizeof(*names), door_compare_names);
	return names;
}

static void
door_free_names(char **names, size_t n)
{
	while (n > 0)
		free(names[--n]);
	free(names);
}

/*
 * The one whose id begins like that, of those that the key may see; of others
 * it learns nothing.  False: told.
 */
static bool
door_find(struct door *d, const char *id, struct store *s, bool *runs)
{
	struct store one;
	size_t n, found = 0;
	char **names = door_names(d, &n);
	bool its;

	for (size_t i = 0; i < n; i++) {
		if (strncmp(names[i], id, strlen(id)) != 0 ||
		    store_open(&one, d->all, names[i], &its) != 0)
			continue;
		if (door_may_see(d, &one) && ++found == 1) {
			*s = one;
			buf_view(&s->entry.command, s->command,
			    strlen(s->command));
			*runs = its;
		} else
			store_close(&one);
	}
	door_free_names(names, n);
	if (found == 1)
		return true;
	if (found > 1)
		store_close(s);
	peer_fail(&d->peer,
	    found == 0 ? "there is no job of this key with that id" :
			 "the id of more than one job begins like that");
	return false;
}

/* --- what it does --- */

static int
door_compare_jobs(const void *a, const void *b)
{
	const struct store *x = a, *y = b;

	return x->entry.begun < y->entry.begun ?
	    -1 :
	    x->entry.begun > y->entry.begun;
}

/* Oldest first. */
static void
door_list(struct door *d)
{
	size_t n, njobs = 0;
	char **names = door_names(d, &n);
	struct store *jobs = n != 0 ? calloc(n, sizeof(*jobs)) : NULL;
	bool runs;

	for (size_t i = 0; jobs != NULL && i < n; i++) {
		struct store *s = &jobs[njobs];

		if (store_open(s, d->all, names[i], &runs) != 0)
			continue;
		store_close(s);
		njobs += door_may_see(d, s);
	}
	door_free_names(names, n);
	if (njobs != 0)
		qsort(jobs, njobs, sizeof(*jobs), door_compare_jobs);
	for (size_t i = 0; i < njobs; i++) {
		struct store *s = &jobs[i];

		buf_view(&s->entry.command, s->command, strlen(s->command));
		peer_put_entry(&d->peer, &s->entry);
		peer_flush(&d->peer);
	}
	free(jobs);
	peer_put_done(&d->peer);
}

static void
door_forget(struct door *d, struct buf *payload)
{
	char id[JOB_ID_HEX];
	struct store s;
	bool runs;

	if (jobmsg_get_forget(payload, id) != 0) {
		peer_fail(&d->peer, "a malformed request");
		return;
	}
	if (!door_find(d, id, &s, &runs))
		return;
	hex_encode(s.entry.id, JOB_ID_LEN, id);
	store_close(&s);
	if (runs && s.entry.state == JOB_RUNS)
		peer_fail(&d->peer, "it runs still: 'skypty job kill' ends it");
	else if (runs)
		peer_fail(&d->peer,
		    "its command has ended, but something that it has started "
		    "holds its output still; 'skypty job kill' ends that, too");
	else if (store_remove(d->all, id) == -1)
		peer_fail(&d->peer, strerror(errno));
	else
		peer_put_done(&d->peer);
}

/* --- sessions --- */

static bool
door_has_name(const struct store *s, const char *name)
{
	struct sess_entry e;
	struct buf raw;
	bool has;

	if (store_read_session(s, &raw, &e) != 0)
		return false;
	has = buf_len(&e.name) == strlen(name) &&
	    memcmp(buf_ptr(&e.name), name, strlen(name)) == 0;
	buf_free(&raw);
	return has;
}

/* By its name; else, or if there is none, by the first digits of its id. */
static bool
door_is_meant(const struct store *s, const char *id, const char *which,
    bool by_name)
{
	if (by_name)
		return door_has_name(s, which);
	return *which == '\0' ||
	    (strlen(which) >= JOB_PREFIX_MIN &&
		strncmp(id, which, strlen(which)) == 0);
}

/* How many there are of those that live and the key may see; *s is the first.
 */
static unsigned
door_count(struct door *d, const char *which, bool by_name, struct store *s)
{
	size_t n;
	char **names = door_names(d, &n);
	struct store one;
	unsigned found = 0;
	bool runs;

	for (size_t i = 0; i < n; i++) {
		if (store_open(&one, d->all, names[i], &runs) != 0)
			continue;
		if (runs && door_may_see(d, &one) &&
		    door_is_meant(&one, names[i], which, by_name) &&
		    ++found == 1)
			*s = one;
		else
			store_close(&one);
	}
	door_free_names(names, n);
	return found;
}

/* False: told. */
static bool
door_find_session(struct door *d, const char *which, struct store *s)
{
	unsigned found = *which != '\0' ? door_count(d, which, true, s) : 0;

	if (found == 0)
		found = door_count(d, which, false, s);
	if (found == 1)
		return true;
	if (found > 1)
		store_close(s);
	peer_fail(&d->peer,
	    found > 1 && *which == '\0' ?
		"there is more than one session: say which; 'skypty sessions' "
		"lists them" :
		found > 1 ? "more than one session is meant by that" :
		*which == '\0' ?
			    "there is no session of this key" :
			    "there is no session of this key with that id or "
			    "name");
	return false;
}

static void
door_pass_to_session(struct door *d, const char *which)
{
	struct store s;

	if (!door_find_session(d, which, &s))
		return;
	if (fchdir(s.dir) == 0 && hand_over(d->peer.fd, &d->asked))
		_exit(0);
	store_close(&s);
	peer_fail(&d->peer,
	    "its keeper does not answer: it has just ended, or the machine is "
	    "busy");
}

bool
keeper_pass_to(const struct keeper_orders *o, int all, const char *name,
    int client, const struct buf *asked)
{
	struct door d = { .o = o, .all = all };
	struct store s;
	bool passed;

	if (door_count(&d, name, true, &s) == 0)
		return false;
	passed = fchdir(s.dir) == 0 && hand_over(client, asked);
	store_close(&s);
	return passed;
}

static void
door_list_sessions(struct door *d)
{
	size_t n;
	char **names = door_names(d, &n);
	struct sess_entry e;
	struct store s;
	struct buf raw;
	bool runs;

	for (size_t i = 0; i < n; i++) {
		if (store_open(&s, d->all, names[i], &runs) != 0)
			continue;
		if (runs && door_may_see(d, &s) &&
		    store_read_session(&s, &raw, &e) == 0) {
			peer_put_session(&d->peer, &e);
			peer_flush(&d->peer);
			buf_free(&raw);
		}
		store_close(&s);
	}
	door_free_names(names, n);
	peer_put_done(&d->peer);
}

static void
door_take_session(struct door *d, uint8_t tag, struct buf *payload)
{
	char which[SESS_WHICH_MAX + 1] = "";
	struct sess_join j;
	int number, r;

	switch (tag) {
	case JOB_LIST:
		door_list_sessions(d);
		return;
	case SESS_JOIN:
		if ((r = sessmsg_get_join(payload, &j)) == 0)
			(void)strlcpy(which, j.which, sizeof(which));
		break;
	case JOB_KILL:
		r = sessmsg_get_kill(payload, which, &number);
		break;
	default:
		peer_fail(&d->peer, "that cannot be asked of sessions");
		return;
	}
	if (r != 0)
		peer_fail(&d->peer, "a malformed request");
	else
		door_pass_to_session(d, which);
}

/* --- jobs --- */

/* In a keeper's place: the files say it all. */
static void
door_serve(struct door *d, struct store *s)
{
	struct peer_job j = { .store = *s };
	struct peer *p = &d->peer;

	buf_view(&j.store.entry.command, j.store.command,
	    strlen(j.store.command));
	peer_hear(p, &j);
	/* Who looks takes his time; who has gone is told by the socket. */
	do
		peer_tell(p, &j, now_ms());
	while (peer_write(p) && peer_wait(p, peer_events(p), PEER_NO_LIMIT) &&
	    peer_read(p, &j));
	store_close(&j.store);
}

/* A keeper that leaves in this moment has written down all that there is. */
static void
door_pass_on(struct door *d, const char *prefix)
{
	char id[JOB_ID_HEX];
	struct store s;
	bool runs;

	if (!door_find(d, prefix, &s, &runs))
		return;
	hex_encode(s.entry.id, JOB_ID_LEN, id);
	if (runs && fchdir(s.dir) == 0 && hand_over(d->peer.fd, &d->asked))
		_exit(0);
	store_close(&s);
	if (store_open(&s, d->all, id, &runs) != 0)
		peer_fail(&d->peer, "it has just been forgotten");
	else if (runs) {
		store_close(&s);
		peer_fail(&d->peer,
		    "its keeper does not answer: too many look at it, or the "
		    "machine is busy");
	} else
		door_serve(d, &s);
}

/* --- what is asked --- */

static void
door_take(struct door *d, uint8_t tag, struct buf *payload)
{
	struct job_attach a;
	char id[JOB_ID_HEX];
	int number, r;

	switch (tag) {
	case JOB_LIST:
		door_list(d);
		return;
	case JOB_FORGET:
		door_forget(d, payload);
		return;
	case JOB_ATTACH:
		r = jobmsg_get_attach(payload, &a);
		break;
	case JOB_KILL:
		r = jobmsg_get_kill(payload, id, &number);
		break;
	default:
		peer_fail(&d->peer, "that cannot be asked of jobs");
		return;
	}
	if (r != 0)
		peer_fail(&d->peer,
		    tag == JOB_KILL ?
			"no signal of that name can be sent, or it is no id" :
			"a malformed request");
	else
		door_pass_on(d, tag == JOB_ATTACH ? a.id : id);
}

/* The first request is served, and no other; it stays in peer.in. */
static void
door_hear_first(struct door *d)
{
	struct peer *p = &d->peer;
	struct buf in, payload;
	uint8_t tag;
	ssize_t n;
	int r;

	for (;;) {
		buf_view(&in, buf_ptr(&p->in), buf_len(&p->in));
		r = xs_get_frame(&in, JOB_ASK_MAX, &tag, &payload);
		if (r != 0)
			break;
		if (!peer_wait(p, POLLIN, PEER_PATIENCE_MS) ||
		    ((n = buf_read(&p->in, p->fd, HAND_MAX)) <= 0 &&
			n != SKY_ERR_AGAIN))
			return;
	}
	if (r < 0 || buf_put(&d->asked, buf_ptr(&p->in), buf_len(&p->in)) != 0)
		peer_fail(p, "a malformed request");
	else if (d->o->sessions)
		door_take_session(d, tag, &payload);
	else
		door_take(d, tag, &payload);
}

int
keeper_door(const struct keeper_orders *o, int client)
{
	struct door d = { .o = o, .all = -1 };
	char why[STORE_TEXT];

	peer_init(&d.peer, client);
	buf_init(&d.asked, HAND_MAX);
	/* Where no job was begun ever, there is no folder. */
	if (access(o->folder, F_OK) == 0 || errno != ENOENT)
		if ((d.all = store_open_all(o->folder, false, why)) == -1)
			peer_fail(&d.peer, why);
	if (!d.peer.closing) {
		if (d.all != -1)
			store_sweep(d.all, &o->limits);
		door_hear_first(&d);
	}
	peer_flush(&d.peer);
	return 0;
}
