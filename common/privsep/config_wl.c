/* SPDX-License-Identifier: ISC */
/* The whitelist in its file: read strictly, replaced and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/privsep/config_file.h"

#define GUARDED "/proc/sys/fs/protected_hardlinks"

/* --- reading --- */

/* Warnings have been given when the daemon read the file. */
static void
say_errors(void *arg, bool fatal, const char *text)
{
	const struct config_report *outer = arg;

	if (fatal && outer->say != NULL)
		outer->say(outer->arg, true, text);
}

int
config_read_wl(struct keyctx *ctx, const char *path, struct key_public **wl,
    size_t *nwl, const struct config_report *report)
{
	struct config_report outer = { 0 },
			     inner = { .say = say_errors, .arg = &outer };
	struct config c = { 0 };
	int r;

	if (report != NULL)
		outer = *report;
	if ((r = config_read_file(&c, ctx, path, &inner)) == 0) {
		*wl = c.wl;
		*nwl = c.nwl;
		c.wl = NULL;
	}
	config_free(&c);
	return r;
}

/* --- where it stands --- */

/* Places in the text of a configuration. */
struct span {
	bool found;
	size_t start, end; /* of wl's value, if found */
	size_t last;	   /* behind the last member's value */
	bool empty;	   /* no member at all */
	size_t close;	   /* the object's closing brace */
};

static int
config_wl_on_event(void *arg, const struct json_event *e)
{
	struct span *s = arg;
	bool is_wl =
	    e->depth == 1 && e->key != NULL && strcmp(e->key, "wl") == 0;

	if (e->depth == 0 && e->type == JSON_END)
		s->close = e->end - 1;
	else if (e->depth == 0 && e->type != JSON_OBJECT)
		return SKY_ERR_FORMAT;
	if (e->depth != 1)
		return 0;
	s->empty = false;
	s->last = e->end;
	if (!is_wl)
		return 0;
	if (e->type == JSON_ARRAY || e->type == JSON_NULL) {
		s->found = true;
		s->start = e->start;
	} else if (e->type != JSON_END)
		return SKY_ERR_FORMAT;
	s->end = e->end;
	return 0;
}

/* --- the new text --- */

/* The blanks that the line at this place begins with. */
static void
indent_at(const struct buf *text, size_t at, char *indent, size_t len)
{
	const char *t = (const char *)buf_ptr(text);
	size_t start = at, n;

	while (start > 0 && t[start - 1] != '\n')
		start--;
	n = strspn(t + start, " \t");
	snprintf(indent, len, "%.*s", (int)n, t + start);
}

static int
config_wl_put(struct buf *b, const char *s)
{
	return buf_put(b, s, strlen(s));
}

/* A key a line, one step deeper than the line that "wl" stands in. */
static int
config_wl_put_list(struct buf *b, const struct key_public *wl, size_t n,
    const char *indent)
{
	const char *step = strchr(indent, '\t') != NULL ? "\t" : indent;
	char hex[KEY_PUBLIC_HEX];
	int r = config_wl_put(b, "[");

	for (size_t i = 0; r == 0 && i < n; i++) {
		if ((r = config_wl_put(b, i > 0 ? ",\n" : "\n")) == 0 &&
		    (r = config_wl_put(b, indent)) == 0 &&
		    (r = config_wl_put(b, step)) == 0) {
			key_text(&wl[i], hex);
			r = json_put_string(b, hex, strlen(hex));
		}
	}
	if (r == 0 && n > 0 && (r = config_wl_put(b, "\n")) == 0)
		r = config_wl_put(b, indent);
	return r == 0 ? config_wl_put(b, "]") : r;
}

/* --- replacing the file --- */

/*
 * Whether strangers cannot give our file another name; where they can, such
 * names must not keep us from changing it.
 */
static bool
links_are_guarded(void)
{
	int fd = open(GUARDED, O_RDONLY | O_CLOEXEC);
	char c = '0';

	if (fd == -1)
		return false;
	if (read(fd, &c, 1) != 1)
		c = '0';
	close(fd);
	return c != '0';
}

static int
replace_file(const char *path, int old, struct buf *content)
{
	struct file_new f;
	ssize_t n;
	int r;

	if ((r = file_new_open(&f, path)) != 0)
		return r;
	while ((n = buf_write(content, f.fd)) > 0 || n == SKY_ERR_AGAIN)
		;
	if ((r = (int)n) != 0 || (r = file_new_like(&f, old)) != 0) {
		file_new_drop(&f);
		return r;
	}
	return file_new_commit(&f, true);
}

/* What a file is to become. */
struct rewrite {
	size_t max;
	int (*compose)(void *arg, struct buf *out, const struct buf *text);
	void *arg;
};

static int
rewrite_open_file(const char *path, int old, const struct rewrite *w)
{
	struct buf text, out;
	struct stat st;
	int r;

	if ((r = config_slurp_fd(old, w->max, &text, &st)) != 0)
		return r;
	buf_init(&out, w->max);
	if (st.st_nlink > 1 && links_are_guarded())
		r = SKY_ERR_EXISTS;
	else if ((r = w->compose(w->arg, &out, &text)) == 0)
		r = replace_file(path, old, &out);
	buf_free(&out);
	buf_free(&text);
	return r;
}

int
config_rewrite(const char *path, size_t max,
    int (*compose)(void *arg, struct buf *out, const struct buf *text),
    void *arg)
{
	const struct rewrite w = { .max = max, .compose = compose, .arg = arg };
	char *real;
	int fd, error, r = SKY_ERR_SYS;

	/* A link stays a link: its target is what is replaced. */
	if ((real = realpath(path, NULL)) == NULL)
		return SKY_ERR_SYS;
	if ((fd = config_open(real)) != -1) {
		r = rewrite_open_file(real, fd, &w);
		error = errno;
		close(fd);
	} else
		error = errno;
	free(real);
	errno = error;
	return r;
}

/* A whitelist to be written. */
struct config_wl_list {
	const struct key_public *wl;
	size_t n;
};

static int
config_wl_compose_list(void *arg, struct buf *out, const struct buf *text)
{
	const struct config_wl_list *l = arg;
	const char *t = (const char *)buf_ptr(text);
	struct span s = { .empty = true };
	struct buf middle;
	char indent[64];
	int r;

	if ((r = json_parse(t, buf_len(text), config_wl_on_event, &s, NULL,
		 0)) != 0)
		return r;
	buf_init(&middle, CONFIG_FILE_MAX);
	indent_at(text, s.found ? s.start : s.last, indent, sizeof(indent));
	if (!s.found) {
		s.start = s.end = s.empty ? s.close : s.last;
		r = config_wl_put(&middle, s.empty ? "\"wl\": " : ",\n");
		if (r == 0 && !s.empty &&
		    (r = config_wl_put(&middle, indent)) == 0)
			r = config_wl_put(&middle, "\"wl\": ");
	}
	if (r == 0 &&
	    (r = config_wl_put_list(&middle, l->wl, l->n, indent)) == 0 &&
	    (r = buf_put(out, t, s.start)) == 0 &&
	    (r = buf_put(out, buf_ptr(&middle), buf_len(&middle))) == 0)
		r = buf_put(out, t + s.end, buf_len(text) - s.end);
	buf_free(&middle);
	return r;
}

int
config_write_wl(const char *path, const struct key_public *wl, size_t n)
{
	struct config_wl_list l = { .wl = wl, .n = n };

	/* What is written must be read again. */
	if (n > CONFIG_WL_MAX)
		return SKY_ERR_LIMIT;
	return config_rewrite(path, CONFIG_FILE_MAX, config_wl_compose_list,
	    &l);
}

/*
 * Readers never wait; writers of one file wait for each other, so that none
 * writes over what another has just added.  Whoever has the lock is alone, so
 * what others have left behind is nobody's any more.
 */
int
config_lock_wl(const char *path)
{
	char *real;
	int error, r;

	if ((real = realpath(path, NULL)) == NULL)
		return SKY_ERR_SYS;
	if ((r = file_lock(real)) >= 0)
		file_sweep(real);
	error = errno;
	free(real);
	errno = error;
	return r;
}

int
config_clean(const char *path)
{
	char *real = realpath(path, NULL);
	bool left = real != NULL && file_left(real);
	int lock;

	free(real);
	if (!left)
		return 0;
	if ((lock = config_lock_wl(path)) < 0)
		return lock;
	close(lock);
	return 1;
}
