/* SPDX-License-Identifier: ISC */
/*
 * skypty cp: names on the host as a user writes them, ~user and patterns.  A
 * name that is there as it stands is no pattern.  What the host lists has to
 * match, and where a home is says nothing of what is called how here: the host
 * cannot give us what was not asked for.
 */
#include "client/cp/cp.h"
#include "client/sftp/sftp.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"

#define MATCHES_MAX 100000

/* What is still to be looked at: the rest of a pattern, in a directory. */
struct cp_names_step {
	struct cp_names_step *next;
	char *dir, *rest;
};

struct cp_names {
	struct cp *cp;
	bool waiting; /* for an answer */
	char *target[2];
	char **words;	  /* to come */
	const char *word; /* as it was written */
	char *home;	  /* of ~user, as the host says; NULL: no ~ */
	const char *rest; /* of the word behind ~user */
	struct cp_names_step *steps, *now;
	char *pattern; /* what now's directory is looked through for */
	struct sftp_handle handle;
	struct cp_source *found;
	size_t nfound, room, first; /* of this word's */
	size_t matched;	 /* by this word, directories on the way too */
	uint64_t listed; /* by the host, for this word */
	bool told;	 /* that it leads nowhere */
};

static int cp_names_read_on(struct cp_names *);
static int cp_names_begin_pattern(struct cp_names *);

/* --- what is found --- */

/* Takes both. */
static int
cp_names_found(struct cp_names *n, char *path, char *name)
{
	size_t room = n->room == 0 ? 16 : 2 * n->room;
	struct cp_source *more = n->found;

	if (n->nfound + 1 >= n->room &&
	    (more = realloc(n->found, room * sizeof(*more))) != NULL) {
		n->found = more;
		n->room = room;
	}
	if (path == NULL || name == NULL || more == NULL) {
		free(path);
		free(name);
		return cp_fatal(SKY_ERR_NOMEM);
	}
	n->found[n->nfound++] = (struct cp_source){ path, name };
	n->found[n->nfound] = (struct cp_source){ NULL, NULL };
	return 0;
}

/* The word itself, at its user's home.  "~user" is called "user" here. */
static char *
cp_names_path_of(const struct cp_names *n)
{
	char *path;

	if (n->home == NULL)
		return strdup(n->word);
	return asprintf(&path, "%s%s", n->home, n->rest) == -1 ? NULL : path;
}

static int
cp_names_add_word(struct cp_names *n)
{
	const char *bare = n->rest + strspn(n->rest, "/");

	return cp_names_found(n, cp_names_path_of(n),
	    n->home != NULL && *bare == '\0' ?
		strndup(n->word + 1, (size_t)(n->rest - n->word) - 1) :
		cp_last(n->rest));
}

static int
cp_names_push(struct cp_names *n, char *dir, const char *rest)
{
	struct cp_names_step *s = calloc(1, sizeof(*s));
	char *copy = strdup(rest);

	if (s == NULL || dir == NULL || copy == NULL) {
		free(s);
		free(dir);
		free(copy);
		return cp_fatal(SKY_ERR_NOMEM);
	}
	*s = (struct cp_names_step){ .next = n->steps,
		.dir = dir,
		.rest = copy };
	n->steps = s;
	return 0;
}

static void
cp_names_drop_step(struct cp_names *n)
{
	if (n->now == NULL)
		return;
	free(n->now->dir);
	free(n->now->rest);
	free(n->now);
	free(n->pattern);
	n->now = NULL;
	n->pattern = NULL;
}

static int
cp_names_by_name(const void *a, const void *b)
{
	const struct cp_source *one = a, *other = b;

	return strcmp(one->path, other->path);
}

/* --- a part of a pattern --- */

/* Up to a slash: whether it is more than a name. */
static bool
cp_names_is_pattern(const char *part)
{
	for (; *part != '\0' && *part != '/'; part++)
		if (*part == '\\' && part[1] != '\0')
			part++;
		else if (strchr("*?[", *part) != NULL)
			return true;
	return false;
}

static void
cp_names_unescape(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++) {
		if (*text == '\\' && text[1] != '\0')
			text++;
		*to++ = *text;
	}
	*to = '\0';
}

static int
cp_names_take_name(struct cp_names *n, const struct buf *name)
{
	char text[SFTP_NAME_MAX + 1], *path;
	size_t len = buf_len(name);

	if (len == 0 || len > SFTP_NAME_MAX ||
	    memchr(buf_ptr(name), '/', len) != NULL ||
	    memchr(buf_ptr(name), '\0', len) != NULL)
		return 0;
	memcpy(text, buf_ptr(name), len);
	text[len] = '\0';
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0 ||
	    fnmatch(n->pattern, text, FNM_PERIOD) != 0)
		return 0;
	if (n->matched++ >= MATCHES_MAX) {
		cp_fail(n->cp, n->word, "matches too many files");
		return 1;
	}
	if ((path = cp_join(n->now->dir, text)) == NULL)
		return cp_fatal(SKY_ERR_NOMEM);
	return *n->now->rest != '\0' ? cp_names_push(n, path, n->now->rest) :
				       cp_names_found(n, path, strdup(text));
}

static int
cp_names_on_closed(void *owner, struct sftp_reply *reply)
{
	struct cp_names *n = owner;

	(void)reply;
	n->waiting = false;
	cp_names_drop_step(n);
	return 0;
}

static int
cp_names_on_names(void *owner, struct sftp_reply *reply)
{
	struct cp_names *n = owner;
	struct sftp_attrs a;
	struct buf name;
	int r;

	if (reply->status != SFTP_OK) {
		if (reply->status != SFTP_EOF) {
			cp_fail_remote(n->cp,
			    *n->now->dir != '\0' ? n->now->dir : ".", reply);
			n->told = true;
		}
		r = sftp_close(&n->cp->sftp, &n->handle, cp_names_on_closed, n);
		return r == 0 ? 0 : cp_fatal(r);
	}
	if ((n->listed += reply->count) > CP_NAMES_MAX) {
		cp_fail(n->cp, n->word, "the host lists names without end");
		return 1;
	}
	for (uint32_t i = 0; i < reply->count; i++) {
		if ((r = sftp_next_name(&reply->names, &name, &a)) != 0)
			return r;
		if ((r = cp_names_take_name(n, &name)) != 0)
			return r;
	}
	return cp_names_read_on(n);
}

static int
cp_names_read_on(struct cp_names *n)
{
	int r = sftp_readdir(&n->cp->sftp, &n->handle, cp_names_on_names, n);

	return r == 0 ? 0 : cp_fatal(r);
}

/* What cannot be looked through has nothing that matches. */
static int
cp_names_on_opened(void *owner, struct sftp_reply *reply)
{
	struct cp_names *n = owner;

	if (reply->status == SFTP_OK) {
		n->handle = reply->handle;
		return cp_names_read_on(n);
	}
	n->waiting = false;
	cp_names_drop_step(n);
	return 0;
}

/* A part that is a name behind one that was a pattern. */
static int
cp_names_on_there(void *owner, struct sftp_reply *reply)
{
	struct cp_names *n = owner;
	int r = 0;

	n->waiting = false;
	if (reply->status == SFTP_OK)
		r = cp_names_found(n, strdup(n->now->dir),
		    cp_last(n->now->dir));
	cp_names_drop_step(n);
	return r;
}

/* Goes down to the next part that is a pattern. */
static int
cp_names_step(struct cp_names *n)
{
	struct cp_names_step *s = n->now = n->steps;
	char *part, *dir, *rest = s->rest;
	int r;

	n->steps = s->next;
	while (*rest != '\0' && !cp_names_is_pattern(rest)) {
		part = strsep(&rest, "/");
		rest = rest != NULL ? rest : part + strlen(part);
		if (*part == '\0')
			continue;
		cp_names_unescape(part);
		if ((dir = cp_join(s->dir, part)) == NULL)
			return cp_fatal(SKY_ERR_NOMEM);
		free(s->dir);
		s->dir = dir;
	}
	n->waiting = true;
	if (*rest == '\0') {
		r = sftp_stat(&n->cp->sftp, s->dir, cp_names_on_there, n);
		return r == 0 ? 0 : cp_fatal(r);
	}
	if ((n->pattern = strndup(rest, strcspn(rest, "/"))) == NULL)
		return cp_fatal(SKY_ERR_NOMEM);
	rest += strcspn(rest, "/");
	rest += strspn(rest, "/");
	memmove(s->rest, rest, strlen(rest) + 1);
	r = sftp_opendir(&n->cp->sftp, *s->dir != '\0' ? s->dir : ".",
	    cp_names_on_opened, n);
	return r == 0 ? 0 : cp_fatal(r);
}

/* --- a word --- */

static int
cp_names_on_literal(void *owner, struct sftp_reply *reply)
{
	struct cp_names *n = owner;

	n->waiting = false;
	return reply->status == SFTP_OK ? cp_names_add_word(n) :
					  cp_names_begin_pattern(n);
}

/* Where a home is is no pattern. */
static int
cp_names_begin_pattern(struct cp_names *n)
{
	const char *rest = n->rest + strspn(n->rest, "/");
	const char *dir = n->home != NULL ? n->home :
	    rest != n->rest		  ? "/" :
					    "";

	n->cp->globbed = true;
	return cp_names_push(n, strdup(dir), rest);
}

/* Takes what it is called; upwards it names one file, that may not be there. */
static int
cp_names_take_path(struct cp_names *n)
{
	char *path;
	int r;

	if (n->cp->way == cp_put_way() || strpbrk(n->rest, "*?[\\") == NULL)
		return cp_names_add_word(n);
	if ((path = cp_names_path_of(n)) == NULL)
		return cp_fatal(SKY_ERR_NOMEM);
	n->waiting = true;
	r = sftp_stat(&n->cp->sftp, path, cp_names_on_literal, n);
	free(path);
	return r == 0 ? 0 : cp_fatal(r);
}

static int
cp_names_on_home(void *owner, struct sftp_reply *reply)
{
	struct cp_names *n = owner;

	n->waiting = false;
	n->told = reply->status != SFTP_OK;
	if (reply->status == SFTP_UNSUPPORTED) {
		cp_fail(n->cp, n->word,
		    "this host does not tell others' homes: write the path "
		    "without ~");
		return 0;
	}
	if (reply->status != SFTP_OK) {
		cp_fail_remote(n->cp, n->word, reply);
		return 0;
	}
	if (buf_get_cstring(&reply->names, &n->home, SFTP_PACKET_MAX) != 0)
		return SKY_ERR_FORMAT;
	return cp_names_take_path(n);
}

/* The host is asked for the home alone: what lies in it is the user's word. */
static int
cp_names_begin_word(struct cp_names *n)
{
	char *user;
	int r;

	n->word = n->rest = *n->words++;
	n->first = n->nfound;
	n->matched = 0;
	n->listed = 0;
	n->told = false;
	free(n->home);
	n->home = NULL;
	if (*n->word != '~')
		return cp_names_take_path(n);
	n->rest += strcspn(n->rest, "/");
	if ((user = strndup(n->word, (size_t)(n->rest - n->word))) == NULL)
		return cp_fatal(SKY_ERR_NOMEM);
	n->waiting = true;
	r = sftp_expand(&n->cp->sftp, user, cp_names_on_home, n);
	free(user);
	return r == 0 ? 0 : cp_fatal(r);
}

static void
cp_names_end_word(struct cp_names *n)
{
	size_t count = n->nfound - n->first;

	if (count != 0)
		qsort(n->found + n->first, count, sizeof(*n->found),
		    cp_names_by_name);
	else if (!n->told)
		cp_fail(n->cp, n->word, "matches no file on the host");
	n->word = NULL;
}

/* --- all of them --- */

static int
cp_names_finish(struct cp_names *n)
{
	struct cp *cp = n->cp;

	cp->named = true;
	if (cp->way == cp_put_way()) {
		if (n->nfound == 1)
			cp->target = n->found[0].path;
		return n->nfound == 1 ? 0 : 1;
	}
	if (n->nfound == 0)
		return 1;
	cp->many = cp->many || n->nfound > 1;
	cp->found = n->found;
	return 0;
}

int
cp_names_work(struct cp *cp)
{
	struct cp_names *n = cp->names;
	int r = 0;

	if (n == NULL) {
		if ((n = calloc(1, sizeof(*n))) == NULL)
			return cp_fatal(SKY_ERR_NOMEM);
		n->cp = cp;
		n->target[0] = cp->target;
		n->words = cp->way == cp_put_way() ? n->target : cp->sources;
		cp->names = n;
	}
	while (r == 0 && !n->waiting && !cp->named)
		if (n->steps != NULL)
			r = cp_names_step(n);
		else if (n->word != NULL)
			cp_names_end_word(n);
		else
			r = *n->words != NULL ? cp_names_begin_word(n) :
						cp_names_finish(n);
	return r;
}

void
cp_names_free(struct cp *cp)
{
	struct cp_names *n = cp->names;

	if (n == NULL)
		return;
	cp_names_drop_step(n);
	while ((n->now = n->steps) != NULL) {
		n->steps = n->now->next;
		cp_names_drop_step(n);
	}
	for (size_t i = 0; i < n->nfound; i++) {
		free(n->found[i].path);
		free(n->found[i].name);
	}
	free(n->found);
	free(n->home);
	cp->found = NULL;
	cp->target = n->target[0];
	free(n);
	cp->names = NULL;
}
