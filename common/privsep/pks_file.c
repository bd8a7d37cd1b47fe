/* SPDX-License-Identifier: ISC */
/*
 * The files that hold lines of keys, read as a stream: whatever their size, no
 * more of them is in memory than a chunk.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/privsep/config_file.h"
#include "common/privsep/pks.h"

#define CHUNK (4 * PKS_LINE_MAX)
#define NAMES                                                      \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123" \
	"456789_-"
#define SUFFIX	      ".conf"
#define LINE_TOO_LONG "longer than 64 KiB"

/* --- one file --- */

/* The lines between two reads. */
struct reader {
	const struct pks_scan *scan;
	struct pks_at at;
	char hex[KEY_PUBLIC_HEX];
	char *text;   /* CHUNK bytes, and a word for a NUL */
	char *folded; /* the same in lower case, if a key is looked for */
	size_t n;
	uint64_t total;
	bool skip; /* the rest of a line that is too long */
};

static int
reader_tell(struct reader *r, char *line, size_t n, const char *why)
{
	char was = line[n];
	int e;

	if (n > PKS_LINE_MAX)
		why = LINE_TOO_LONG;
	r->at.line++;
	line[n] = '\0';
	e = r->scan->on_line(r->scan->arg, &r->at,
	    n != 0 || why == NULL ? line : NULL, n, why);
	line[n] = was;
	return e;
}

static unsigned long
reader_count(const char *text, size_t n)
{
	const char *end = text + n;
	unsigned long lines = 0;

	while ((text = memchr(text, '\n', (size_t)(end - text))) != NULL) {
		text++;
		lines++;
	}
	return lines;
}

/*
 * Digits are in lower case then, and what is no digit may become one: a line is
 * found too often rather than not.  A word at a time, as a stranger can have
 * this done as often as he comes.
 */
static void
reader_fold(struct reader *r, size_t n)
{
	const uint64_t bits = UINT64_C(0x2020202020202020);
	uint64_t word;

	for (size_t i = 0; i < n; i += sizeof(word)) {
		memcpy(&word, r->text + i, sizeof(word));
		word |= bits;
		memcpy(r->folded + i, &word, sizeof(word));
	}
}

/* Each line of what is there, up to n: a newline is behind the last one. */
static int
reader_all(struct reader *r, size_t n)
{
	char *line = r->text, *end;
	int e = 0;

	for (; e == 0 && line < r->text + n; line = end + 1) {
		end = memchr(line, '\n', (size_t)(r->text + n - line));
		e = reader_tell(r, line, (size_t)(end - line), NULL);
	}
	return e;
}

/* Those lines alone in which the key's digits stand. */
static int
reader_some(struct reader *r, size_t n)
{
	size_t done = 0, at, len;
	const char *found;
	int e = 0;

	reader_fold(r, n);
	while (e == 0 &&
	    (found = memmem(r->folded + done, n - done, r->hex,
		 KEY_PUBLIC_HEX - 1)) != NULL) {
		at = (size_t)(found - r->folded);
		while (at > done && r->text[at - 1] != '\n')
			at--;
		r->at.line += reader_count(r->text + done, at - done);
		len = (size_t)((char *)memchr(r->text + at, '\n', n - at) -
		    (r->text + at));
		e = reader_tell(r, r->text + at, len, NULL);
		done = at + len + 1;
	}
	if (e == 0)
		r->at.line += reader_count(r->text + done, n - done);
	return e;
}

/* Whatever lines are complete. */
static int
reader_lines(struct reader *r)
{
	char *last = memrchr(r->text, '\n', r->n), *rest;
	int e = 0;

	if (last != NULL && r->skip) {
		rest = (char *)memchr(r->text, '\n', r->n) + 1;
		r->n -= (size_t)(rest - r->text);
		memmove(r->text, rest, r->n);
		r->skip = false;
		last = memrchr(r->text, '\n', r->n);
	}
	if (last != NULL) {
		size_t n = (size_t)(last + 1 - r->text);

		e = r->scan->pk != NULL ? reader_some(r, n) : reader_all(r, n);
		r->n -= n;
		memmove(r->text, last + 1, r->n);
	}
	if (e == 0 && r->n > PKS_LINE_MAX) {
		if (!r->skip)
			e = reader_tell(r, r->text, 0, LINE_TOO_LONG);
		r->skip = true;
		r->n = 0;
	}
	return e;
}

/* 0 at the end, 1 for more. */
static int
reader_fill(struct reader *r, int fd)
{
	ssize_t n;

	do
		n = read(fd, r->text + r->n, CHUNK - r->n);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return SKY_ERR_SYS;
	r->n += (size_t)n;
	r->total += (uint64_t)n;
	if (r->total > PKS_FILE_MAX)
		return SKY_ERR_LIMIT;
	if (n != 0)
		return 1;
	if (r->n != 0)
		r->text[r->n++] = '\n'; /* CHUNK has room for one more */
	return 0;
}

static int
reader_run(struct reader *r, int fd)
{
	int more, e;

	do {
		if ((more = reader_fill(r, fd)) < 0)
			return more;
		if ((e = reader_lines(r)) != 0)
			return e;
	} while (more != 0);
	return 0;
}

static bool
pks_file_changed(const struct stat *a, const struct stat *b)
{
	return a->st_size != b->st_size ||
	    memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) != 0 ||
	    memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim)) != 0;
}

/* SKY_ERR_AGAIN for what an editor has not finished. */
static int
pks_file_read(const struct pks_scan *scan, const struct pks_at *at, int fd,
    const struct stat *st)
{
	struct reader r = { .scan = scan, .at = *at };
	struct stat now;
	int e;

	if (scan->pk != NULL) {
		key_text(scan->pk, r.hex);
		r.folded = malloc(CHUNK + sizeof(uint64_t));
	}
	r.text = calloc(1, CHUNK + sizeof(uint64_t));
	if (r.text == NULL || (scan->pk != NULL && r.folded == NULL))
		e = SKY_ERR_NOMEM;
	else
		e = reader_run(&r, fd);
	free(r.text);
	free(r.folded);
	if (e >= 0 && fstat(fd, &now) == 0 && pks_file_changed(st, &now))
		return SKY_ERR_AGAIN;
	return e;
}

static int
pks_file_cannot(const struct pks_scan *scan, const char *path, int e)
{
	if (e == SKY_ERR_LIMIT)
		config_say(scan->report, true, path, "", "larger than %u MiB",
		    PKS_FILE_MAX >> 20);
	else if (e == SKY_ERR_TYPE)
		config_say(scan->report, true, path, "", "not a regular file");
	else if (e == SKY_ERR_SYS && errno == ENOENT)
		config_say(scan->report, true, path, "",
		    "%s; nobody is let in before it is made, with or without "
		    "lines",
		    err_text(e));
	else if (e == SKY_ERR_SYS)
		config_say(scan->report, true, path, "", "%s", err_text(e));
	return e;
}

int
pks_read_file(const struct pks_scan *scan, const char *path, const char *name,
    bool must)
{
	const struct pks_at at = { .path = path, .name = name };
	struct stat st;
	int fd, e;

	if ((fd = config_open(path)) == -1) {
		if (errno == ENOENT && !must)
			return 0;
		return pks_file_cannot(scan, path, SKY_ERR_SYS);
	}
	if (fstat(fd, &st) == -1)
		e = pks_file_cannot(scan, path, SKY_ERR_SYS);
	else if (!S_ISREG(st.st_mode))
		e = pks_file_cannot(scan, path, SKY_ERR_TYPE);
	else if ((e = config_check_safety(scan->report, path, &st)) == 0 &&
	    (e = pks_file_read(scan, &at, fd, &st)) < 0 && e != SKY_ERR_AGAIN)
		(void)pks_file_cannot(scan, path, e);
	close(fd);
	return e;
}

/* --- the folder beside it --- */

static int
pks_folder_filter(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int
pks_folder_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* What an editor or a package manager leaves has another kind of name. */
static bool
pks_folder_takes(const char *name)
{
	size_t n = strspn(name, NAMES);

	return n > 0 && (name[n] == '\0' || strcmp(name + n, SUFFIX) == 0);
}

static void
pks_folder_skip(const struct pks_scan *scan, const char *path, const char *why)
{
	if (scan->on_skipped != NULL)
		scan->on_skipped(scan->arg, path, why);
}

static int
pks_folder_file(const struct pks_scan *scan, const char *folder,
    const char *name)
{
	const char *slash = strrchr(folder, '/');
	char path[PATH_MAX];
	struct stat st;
	int n;

	n = snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return pks_file_cannot(scan, folder, SKY_ERR_SYS);
	}
	if (!pks_folder_takes(name)) {
		pks_folder_skip(scan, path,
		    "left out for its name: only letters, digits, _ and -, "
		    "perhaps with .conf behind them, are read");
		return 0;
	}
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		pks_folder_skip(scan, path, "left out: a folder");
		return 0;
	}
	return pks_read_file(scan, path,
	    slash != NULL ? path + (slash + 1 - folder) : path, true);
}

static int
pks_folder_read(const struct pks_scan *scan, const char *folder)
{
	struct dirent **names;
	char inside[PATH_MAX];
	int n, e;

	n = snprintf(inside, sizeof(inside), "%s/.", folder);
	if (n < 0 || (size_t)n >= sizeof(inside))
		return 0; /* nothing is there, then */
	if ((n = scandir(folder, &names, pks_folder_filter,
		 pks_folder_order)) == -1)
		return errno == ENOENT ?
		    0 :
		    pks_file_cannot(scan, folder, SKY_ERR_SYS);
	e = config_check_place(scan->report, inside);
	for (int i = 0; i < n; i++) {
		if (e == 0)
			e = pks_folder_file(scan, folder, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return e;
}

static const char *
pks_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

int
pks_read_table(const struct pks_scan *scan, const char *path, bool must)
{
	char folder[PATH_MAX];
	int e;

	if ((e = pks_read_file(scan, path, pks_base_name(path), must)) != 0)
		return e;
	if (snprintf(folder, sizeof(folder), "%s.d", path) >=
	    (int)sizeof(folder))
		return 0;
	return pks_folder_read(scan, folder);
}

bool
pks_any(const char *path)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s.d", path);
	return access(path, F_OK) == 0 || access(folder, F_OK) == 0;
}

/* --- what has changed --- */

static void
pks_stamp_one(crypto_generichash_state *h, const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		memset(&st, 0, sizeof(st));
	memset(&st.st_atim, 0, sizeof(st.st_atim));
	crypto_generichash_update(h, (const unsigned char *)path,
	    strlen(path) + 1);
	crypto_generichash_update(h, (const unsigned char *)&st, sizeof(st));
}

void
pks_stamp(const char *path, uint8_t stamp[PKS_STAMP_LEN])
{
	char folder[PATH_MAX], file[PATH_MAX];
	crypto_generichash_state h;
	struct dirent **names;
	int n;

	crypto_generichash_init(&h, NULL, 0, PKS_STAMP_LEN);
	pks_stamp_one(&h, path);
	snprintf(folder, sizeof(folder), "%s.d", path);
	pks_stamp_one(&h, folder);
	n = scandir(folder, &names, pks_folder_filter, pks_folder_order);
	for (int i = 0; i < n; i++) {
		if (snprintf(file, sizeof(file), "%s/%s", folder,
			names[i]->d_name) < (int)sizeof(file))
			pks_stamp_one(&h, file);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	crypto_generichash_final(&h, stamp, PKS_STAMP_LEN);
}
