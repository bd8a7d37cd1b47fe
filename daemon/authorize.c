/* SPDX-License-Identifier: ISC */
/* skyptyd authorize and revoke: a line more, and every other as it was. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/file.h"
#include "common/base/visible.h"
#include "common/privsep/config_file.h"
#include "daemon/ask.h"
#include "daemon/older.h"
#include "daemon/tables.h"

#define FOLDER_MODE 0755

enum { AUTHORIZE_ALSO = 1, REVOKE_NOW };

static void
authorize_complain(void *arg, bool fatal, const char *text)
{
	(void)arg, (void)fatal;
	visible_line(stderr, "skyptyd: %s", text);
}

static const struct config_report report = { .say = authorize_complain };

/* --- the file --- */

/* What is not there is made: for its owner alone. */
static int
authorize_make(const char *path)
{
	struct file_new f;
	int r;

	if (access(path, F_OK) == 0)
		return 0;
	if (file_make_folders(path, FOLDER_MODE) == -1)
		return SKY_ERR_SYS;
	if ((r = config_check_place(&report, path)) != 0 ||
	    (r = file_new_open(&f, path)) != 0)
		return r;
	r = file_new_commit(&f, false);
	return r == SKY_ERR_SYS && errno == EEXIST ? 0 : r;
}

static int
authorize_compose(void *arg, struct buf *out, const struct buf *text)
{
	const char *line = arg;
	size_t n = buf_len(text);
	int r;

	if ((r = buf_put(out, buf_ptr(text), n)) == 0 && n > 0 &&
	    buf_ptr(text)[n - 1] != '\n')
		r = buf_put(out, "\n", 1);
	if (r == 0 && (r = buf_put(out, line, strlen(line))) == 0)
		r = buf_put(out, "\n", 1);
	return r;
}

static int
authorize_cannot(const char *path, int r)
{
	const char *why = err_text(r);

	if (r == SKY_ERR_EXISTS)
		why = "it has more than one name (hard links), and the others "
		      "would keep the old content";
	else if (r == SKY_ERR_AGAIN)
		why = "another process is changing it";
	else if (r == SKY_ERR_DENIED)
		why = "its folder belongs to somebody else, or others may "
		      "write there";
	visible_line(stderr, "skyptyd: %s cannot be written: %s", path, why);
	return EXIT_OS;
}

/* --- what a key has already --- */

struct authorize_found {
	bool quiet;
	size_t revoked, lines;
};

static int
authorize_on_entry(void *arg, const struct table_entry *e)
{
	struct authorize_found *f = arg;

	if (e->revoked && e->why == NULL)
		f->revoked++;
	else if (!e->revoked)
		f->lines++;
	if (!f->quiet)
		visible_line(stdout, "%s:%lu: %s%s%s%s", e->at->path,
		    e->at->line, e->revoked ? "revoked" : e->options,
		    e->why != NULL ? " (of no use: " : "",
		    e->why != NULL ? e->why : "", e->why != NULL ? ")" : "");
	return 0;
}

static int
authorize_find(struct lists_command *c, const struct key_public *pk,
    struct authorize_found *f)
{
	const struct tables_reader reader = { .on_entry = authorize_on_entry,
		.arg = f,
		.report = &report };

	return tables_read_key(&c->set, c->keyctx, pk, &reader) == 0 ?
	    0 :
	    EXIT_CONFIG;
}

static bool
authorize_in_wl(const struct lists_command *c, const struct key_public *pk)
{
	return key_listed(c->set.conf.wl, c->set.conf.nwl, pk);
}

/* --- arguments --- */

static int
authorize_usage(const struct lists_command *c)
{
	fputs(c->usage, stderr);
	return EXIT_USAGE;
}

static bool
authorize_is_key(struct lists_command *c, const char *text,
    struct key_public *pk)
{
	return key_parse_public(c->keyctx, text, pk) == 0;
}

/* Words, with blanks between them, malloc'ed; a line stays one line. */
static char *
authorize_join(int argc, char **argv)
{
	size_t room = 1;
	char *text;

	for (int i = 0; i < argc; i++)
		room += strlen(argv[i]) + 1;
	if ((text = calloc(1, room)) == NULL)
		return NULL;
	for (int i = 0; i < argc; i++) {
		if (i > 0)
			strlcat(text, " ", room);
		strlcat(text, argv[i], room);
	}
	return text;
}

static bool
authorize_is_line(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' && *p != '\t')
			return false;
	return strlen(text) <= PKS_LINE_MAX;
}

/* --- authorize --- */

static const struct option authorize_flags[] = {
	{ "conf", required_argument, NULL, 'c' },
	{ "confpath", required_argument, NULL, 'c' },
	{ "also", no_argument, NULL, AUTHORIZE_ALSO },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char authorize_text[] =
    "usage: skyptyd authorize [-c FILE] [--also] [OPTIONS] PK [COMMENT]\n"
    "\n"
    "Adds a line to authorized_pks.  OPTIONS is one argument in its grammar,\n"
    "such as 'restrict,exec,from=\"10.0.0.0/8\"'; see authorized_pks(5).\n"
    "  -c, --conf FILE  configuration (also --confpath)\n"
    "      --also       though the key has lines there: the first one whose\n"
    "                   conditions hold decides\n";

/* Whether it is a line that will be of use. */
static int
authorize_check(struct lists_command *c, const char *line,
    struct key_public *pk)
{
	char why[RIGHTS_WHY_MAX] = "a line has no such characters, and at most "
				   "64 KiB";
	struct pks_line l = { 0 };
	int r = SKY_ERR_FORMAT;

	if (authorize_is_line(line))
		r = pks_parse(&l, line, strlen(line), why, sizeof(why));
	if (r == 1 && !key_valid(c->keyctx, &l.pk)) {
		strlcpy(why, KEY_WANTED, sizeof(why));
		r = SKY_ERR_FORMAT;
	} else if (r == 1 && !rights_may_become(&l.rights, why, sizeof(why)))
		r = SKY_ERR_FORMAT;
	*pk = l.pk;
	pks_free(&l);
	if (r == 1)
		return 0;
	visible_line(stderr, "skyptyd: authorize: %s",
	    r == 0 ? "a comment is no line" : why);
	return EXIT_USAGE;
}

static int
authorize_may(struct lists_command *c, const struct key_public *pk)
{
	struct authorize_found f = { .quiet = true };
	int r;

	if ((r = authorize_find(c, pk, &f)) != 0)
		return r;
	if (f.revoked == 0 &&
	    (f.lines == 0 || (c->flags & 1U << AUTHORIZE_ALSO)))
		return 0;
	fprintf(stderr,
	    f.revoked != 0 ?
		"skyptyd: the key is revoked and stays out until this line is "
		"taken away:\n" :
		"skyptyd: the key has lines already, the first of which "
		"decides "
		"if its conditions hold; change them, or say --also:\n");
	f = (struct authorize_found){ .quiet = false };
	(void)authorize_find(c, pk, &f);
	return 1;
}

static int
authorize_add(struct lists_command *c, char *line)
{
	const char *path = c->set.authorized;
	struct key_public pk;
	int lock, r;

	if ((r = authorize_check(c, line, &pk)) != 0)
		return r;
	/* Not before it is known that nothing else is in the way. */
	if (access(path, F_OK) == -1) {
		c->set.conf.given &= ~CONFIG_AUTHORIZED;
		if ((r = authorize_may(c, &pk)) != 0)
			return r;
	}
	if ((r = authorize_make(path)) != 0)
		return authorize_cannot(path, r);
	if ((lock = config_lock_wl(path)) < 0)
		return authorize_cannot(path, lock);
	if ((r = authorize_may(c, &pk)) == 0 &&
	    (r = config_rewrite(path, PKS_FILE_MAX, authorize_compose, line)) !=
		0)
		r = authorize_cannot(path, r);
	close(lock);
	if (r != 0)
		return r;
	lists_tell(c, "authorize", &pk, path);
	visible_line(stdout, "added to %s", path);
	if (authorize_in_wl(c, &pk))
		visible_line(stdout,
		    "the key stands in \"wl\" of %s, too: what the line says "
		    "decides from now on",
		    c->set.conf_path);
	return 0;
}

static int
authorize_none(const char *key)
{
	fprintf(stderr,
	    "skyptyd: there is no file to change: name one by \"%s\" in the "
	    "configuration\n",
	    key);
	return EXIT_CONFIG;
}

int
authorize_main(int argc, char **argv)
{
	struct lists_command c = { .usage = authorize_text,
		.mode = "authorize ",
		.own = authorize_flags };
	char *line;
	int r;

	if ((r = lists_begin(&c, argc, argv)) != 0)
		return r == -1 ? 0 : r;
	if (c.argc == 0)
		r = authorize_usage(&c);
	else if (*c.set.authorized == '\0')
		r = authorize_none("authorized_pks");
	else if ((line = authorize_join(c.argc, c.argv)) == NULL)
		r = EXIT_OS;
	else {
		r = authorize_add(&c, line);
		free(line);
	}
	lists_end(&c);
	return r;
}

/* --- revoke --- */

static const struct option revoke_flags[] = {
	{ "conf", required_argument, NULL, 'c' },
	{ "confpath", required_argument, NULL, 'c' },
	{ "now", no_argument, NULL, REVOKE_NOW },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char revoke_text[] =
    "usage: skyptyd revoke [-c FILE] [--now] PK [COMMENT]\n"
    "\n"
    "Adds a key to revoked_pks: it is refused wherever else it stands.\n"
    "  -c, --conf FILE  configuration (also --confpath)\n"
    "      --now        end its connections, too\n";

/* malloc'ed. */
static char *
revoke_line(const struct key_public *pk, int argc, char **argv)
{
	char hex[KEY_PUBLIC_HEX], day[16], *comment, *line = NULL;
	time_t now = time(NULL);
	struct tm tm;

	key_text(pk, hex);
	if (localtime_r(&now, &tm) == NULL ||
	    strftime(day, sizeof(day), "%Y-%m-%d", &tm) == 0 ||
	    (comment = authorize_join(argc, argv)) == NULL)
		return NULL;
	if (asprintf(&line, "%s revoked %s%s%s", hex, day,
		*comment != '\0' ? ": " : "", comment) == -1)
		line = NULL;
	free(comment);
	return line;
}

/* Where it is still named; what is there does no harm. */
static int
revoke_tell(struct lists_command *c, const struct key_public *pk)
{
	struct authorize_found f = { .quiet = false };
	int r;

	if ((r = authorize_find(c, pk, &f)) != 0)
		return r;
	if (authorize_in_wl(c, pk))
		visible_line(stdout, "%s: wl", c->set.conf_path);
	return 0;
}

static int
revoke_add(struct lists_command *c, const struct key_public *pk, char *line)
{
	struct authorize_found f = { .quiet = true };
	const char *path = c->set.revoked;
	int lock, r;

	if ((r = authorize_make(path)) != 0)
		return authorize_cannot(path, r);
	if ((lock = config_lock_wl(path)) < 0)
		return authorize_cannot(path, lock);
	/* Whatever else is wrong with the files: the line is to be there. */
	(void)authorize_find(c, pk, &f);
	if (f.revoked == 0 &&
	    (r = config_rewrite(path, PKS_FILE_MAX, authorize_compose, line)) !=
		0)
		r = authorize_cannot(path, r);
	close(lock);
	if (r != 0)
		return r;
	if (f.revoked == 0)
		lists_tell(c, "revoke", pk, path);
	puts(f.revoked != 0 ? "the key was revoked already; it stands in:" :
			      "the key is revoked; it stands in:");
	return revoke_tell(c, pk);
}

/* It is out already; whoever is in goes. */
static int
revoke_now(struct lists_command *c, const struct key_public *pk)
{
	const char *cliaddr = c->set.conf.cliaddr;
	char why[ASK_WHY_MAX];
	unsigned long n = 0;

	older_tell();
	if (ask_kill_key(*cliaddr != '\0' ? cliaddr : NULL, pk, &n, why) != 0) {
		visible_line(stderr,
		    "skyptyd: its connections are not ended: %s", why);
		return EXIT_OS;
	}
	printf("%lu connection%s ended\n", n, n == 1 ? "" : "s");
	return 0;
}

static int
revoke_run(struct lists_command *c)
{
	struct key_public pk;
	char *line;
	int r, now;

	if (!authorize_is_key(c, c->argv[0], &pk)) {
		visible_line(stderr, "skyptyd: revoke: %s: " KEY_WANTED,
		    c->argv[0]);
		return EXIT_USAGE;
	}
	if ((line = revoke_line(&pk, c->argc - 1, c->argv + 1)) == NULL)
		return EXIT_OS;
	if (authorize_is_line(line)) {
		r = revoke_add(c, &pk, line);
		if ((r == 0 || r == EXIT_CONFIG) &&
		    (c->flags & 1U << REVOKE_NOW) &&
		    (now = revoke_now(c, &pk)) != 0)
			r = now;
	} else {
		fputs("skyptyd: revoke: a comment is one line\n", stderr);
		r = EXIT_USAGE;
	}
	free(line);
	return r;
}

int
revoke_main(int argc, char **argv)
{
	struct lists_command c = { .usage = revoke_text,
		.mode = "revoke ",
		.own = revoke_flags };
	int r;

	if ((r = lists_begin(&c, argc, argv)) != 0)
		return r == -1 ? 0 : r;
	if (c.argc == 0)
		r = authorize_usage(&c);
	else if (*c.set.revoked == '\0')
		r = authorize_none("revoked_pks");
	else
		r = revoke_run(&c);
	lists_end(&c);
	return r;
}
