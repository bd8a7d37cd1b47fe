/* SPDX-License-Identifier: ISC */
/*
 * ~/.config/skypty/config: names for destinations, in ssh_config's manner.
 * The first value found for a keyword counts.
 */
#include "client/skypty.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS_MAX 64

static const struct keyword {
	const char *name;
	size_t offset;
	const char *what; /* for skypty config */
} keywords[] = {
	{ "Key", offsetof(struct host, key), "key" },
	{ "Address", offsetof(struct host, address), "address" },
	{ "HostName", offsetof(struct host, address), NULL },
	{ "Port", offsetof(struct host, port), "port" },
	{ "Identity", offsetof(struct host, identity), "identity" },
	{ "IdentityFile", offsetof(struct host, identity), NULL },
	{ "Via", offsetof(struct host, via), "via" },
	{ "Discovery", offsetof(struct host, discovery), "discovery" },
	{ "DmsgServers", offsetof(struct host, dmsg_servers), "dmsgservers" },
	{ "VisorKey", offsetof(struct host, visor_key), "visorkey" },
	{ "Timeout", offsetof(struct host, timeout), "timeout" },
	{ "Escape", offsetof(struct host, escape), "escape" },
};

#define KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

struct reader {
	const char *path;
	size_t line;
	const char *alias; /* NULL: list the names */
	struct host *host;
	bool applies; /* the section that we are in */
};

static char **
field(struct host *h, const struct keyword *k)
{
	return (char **)((char *)h + k->offset);
}

/* --- words of a line --- */

/* The next word, quotes taken off; NULL at the end or a comment. */
static char *
next_word(char **line, bool *open_quote)
{
	char *p = *line, *word, end;

	while (*p == ' ' || *p == '\t' || *p == '=')
		p++;
	if (*p == '\0' || *p == '#')
		return NULL;
	if ((end = *p) == '"') {
		word = ++p;
		p += strcspn(p, "\"");
		*open_quote = *p == '\0';
	} else {
		word = p;
		p += strcspn(p, " \t=");
	}
	if (*p != '\0')
		*p++ = '\0';
	*line = p;
	return word;
}

static int
mistake(const struct reader *r, const char *what, const char *word)
{
	complain("%s line %zu: %s%s%s", r->path, r->line, what,
	    *word != '\0' ? ": " : "", word);
	return EXIT_USAGE;
}

/* --- sections --- */

static bool
matches(const char *alias, char **patterns, size_t n)
{
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		if (patterns[i][0] == '!') {
			if (fnmatch(patterns[i] + 1, alias, 0) == 0)
				return false;
		} else if (fnmatch(patterns[i], alias, 0) == 0)
			found = true;
	}
	return found;
}

static void
list(char **patterns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strpbrk(patterns[i], "*?![") == NULL)
			puts(patterns[i]);
}

static int
begin_section(struct reader *r, char **words, size_t n)
{
	if (n == 0)
		return mistake(r, "Host needs a name", "");
	if (r->alias == NULL)
		list(words, n);
	else
		r->applies = matches(r->alias, words, n);
	return 0;
}

static int
set(struct reader *r, const char *name, char **words, size_t n)
{
	char **value;

	for (size_t i = 0; i < KEYWORDS; i++) {
		if (strcasecmp(name, keywords[i].name) != 0)
			continue;
		if (n != 1)
			return mistake(r, "one value is needed", name);
		if (!r->applies || r->host == NULL)
			return 0;
		value = field(r->host, &keywords[i]);
		if (*value == NULL && (*value = strdup(words[0])) == NULL)
			return EXIT_FAILED;
		return 0;
	}
	return mistake(r, "unknown keyword", name);
}

static int
read_line(struct reader *r, char *line)
{
	char *words[WORDS_MAX], *name;
	bool open_quote = false;
	size_t n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	if ((name = next_word(&line, &open_quote)) == NULL)
		return 0;
	while (
	    n < WORDS_MAX && (words[n] = next_word(&line, &open_quote)) != NULL)
		n++;
	if (open_quote)
		return mistake(r, "a quote is not closed", "");
	if (n == WORDS_MAX)
		return mistake(r, "too many words", "");
	if (strcasecmp(name, "Host") == 0)
		return begin_section(r, words, n);
	return set(r, name, words, n);
}

/* --- the file --- */

/* Who may write to it decides whom we talk to. */
static int
check_owner(FILE *f, const char *path)
{
	struct stat st;

	if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_uid == 0 || st.st_uid == getuid()) &&
	    (st.st_mode & 022) == 0)
		return 0;
	complain("%s: must be a file of yours that nobody else may write to",
	    path);
	return EXIT_USAGE;
}

static int
read_lines(struct reader *r, FILE *f)
{
	char *line = NULL;
	size_t size = 0;
	int result = 0;

	while (result == 0 && getline(&line, &size, f) != -1) {
		r->line++;
		result = read_line(r, line);
	}
	free(line);
	return result;
}

/* No file is an empty one, unless it was asked for by name. */
static int
read_file(struct reader *r, const char *file)
{
	char *own = file == NULL ? user_file("config") : NULL;
	FILE *f;
	int result = 0;

	r->path = file != NULL ? file : own;
	if (r->path == NULL)
		return 0;
	if ((f = fopen(r->path, "re")) != NULL) {
		if ((result = check_owner(f, r->path)) == 0)
			result = read_lines(r, f);
		fclose(f);
	} else if (file != NULL || errno != ENOENT) {
		complain("%s: %s", r->path, strerror(errno));
		result = EXIT_USAGE;
	}
	free(own);
	return result;
}

/* "~/x" stands for a file of the home folder. */
static int
expand(char **path)
{
	const char *home = getenv("HOME");
	char *full;

	if (*path == NULL || strncmp(*path, "~/", 2) != 0 || home == NULL)
		return 0;
	if (asprintf(&full, "%s%s", home, *path + 1) == -1)
		return EXIT_FAILED;
	free(*path);
	*path = full;
	return 0;
}

int
hosts_find(struct host *h, const char *file, const char *alias)
{
	struct reader r = { .alias = alias, .host = h, .applies = true };
	int result;

	memset(h, 0, sizeof(*h));
	if ((result = read_file(&r, file)) == 0)
		result = expand(&h->identity);
	if (result == 0)
		return h->via != NULL || h->key != NULL;
	hosts_free(h);
	return result;
}

void
hosts_free(struct host *h)
{
	for (size_t i = 0; i < KEYWORDS; i++) {
		free(*field(h, &keywords[i]));
		*field(h, &keywords[i]) = NULL;
	}
}

int
hosts_list(const char *file)
{
	struct reader r = { .alias = NULL };

	return read_file(&r, file);
}

/* --- skypty config --- */

int
config_main(int argc, char **argv)
{
	const char *file = NULL;
	struct host h;
	char **value;
	int opt, r;

	while ((opt = getopt(argc, argv, "+F:")) != -1) {
		if (opt != 'F')
			return EXIT_USAGE;
		file = optarg;
	}
	if (optind >= argc)
		return hosts_list(file);
	if ((r = hosts_find(&h, file, argv[optind])) == EXIT_USAGE)
		return r;
	printf("host %s\n", argv[optind]);
	for (size_t i = 0; i < KEYWORDS; i++) {
		value = field(&h, &keywords[i]);
		if (keywords[i].what != NULL && *value != NULL)
			printf("%s %s\n", keywords[i].what, *value);
	}
	hosts_free(&h);
	if (r == 1)
		return 0;
	complain("'%s' leads nowhere: there is neither a Key nor a Via for it",
	    argv[optind]);
	return 1;
}
