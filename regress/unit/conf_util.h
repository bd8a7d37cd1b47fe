/* SPDX-License-Identifier: ISC */
/*
 * What the tests of the configuration share: keys, a listener to complaints
 * and files in a folder of their own.  Include behind cmocka.h.
 */
#ifndef REGRESS_UNIT_CONF_UTIL_H
#define REGRESS_UNIT_CONF_UTIL_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/privsep/config.h"
#include "common/pty/keys.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Public keys of the secret keys 1, 2 and 3. */
#define PK1 "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define PK2 "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
#define PK3 "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
/* No point of the curve has this coordinate. */
#define PK_BAD \
	"020000000000000000000000000000000000000000000000000000000000000005"
/* A secret key that must not turn up in any message, and its public key. */
#define SECRET \
	"5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2"
#define SECRET_PART "5ec2e7"

/* What was complained about. */
struct said {
	size_t fatal, warnings;
	char text[8192]; /* a line each, "E " or "W " before it */
};

static inline void
said_take(void *arg, bool fatal, const char *text)
{
	struct said *s = arg;
	size_t n = strlen(s->text);

	assert_null(strchr(text, '\n'));
	assert_null(strstr(text, SECRET_PART));
	*(fatal ? &s->fatal : &s->warnings) += 1;
	snprintf(s->text + n, sizeof(s->text) - n, "%c %s\n", fatal ? 'E' : 'W',
	    text);
}

/* A report that writes into s, which is emptied. */
static inline struct config_report
said_report(struct said *s)
{
	memset(s, 0, sizeof(*s));
	return (struct config_report){ .say = said_take, .arg = s };
}

static inline void
said_expect(const struct said *s, const char *want)
{
	assert_string_equal(s->text, want);
}

/* Exactly this error, and nothing else. */
static inline void
said_error(const struct said *s, const char *part)
{
	if (s->fatal != 1 || s->warnings != 0 || strstr(s->text, part) == NULL)
		fail_msg("wanted one error with \"%s\", got:\n%s", part,
		    s->text);
}

/* The folder of this run and the keys' context. */
static struct {
	char dir[64];
	struct keyctx *keyctx;
} test;

/* --- texts --- */

/* A good configuration. */
static const char conf_full[] =
    "{\n  \"sk\": \"" SECRET "\",\n  \"wl\": [ \"" PK1 "\", \"" PK2
    "\" ],\n  \"dmsgport\": 23,\n  \"dmsg_servers\": null,\n"
    "  \"cliaddr\": \"/a\",\n  \"maxstartups\": \"1:2:3\"\n}";

static inline void
defaults(struct config *c)
{
	assert_int_equal(config_defaults(c), 0);
}

/* Parses text over what is there. */
static inline int
parse_over(struct config *c, struct said *s, const char *text)
{
	struct config_report report = said_report(s);

	return config_parse(c, test.keyctx, text, strlen(text), "conf.json",
	    &report);
}

/* Parses text over the defaults. */
static inline int
parse_text(struct config *c, struct said *s, const char *text)
{
	defaults(c);
	return parse_over(c, s, text);
}

/* Good, and not a word said. */
static inline void
accept_text(struct config *c, const char *text)
{
	struct said s;

	if (parse_text(c, &s, text) != 0 || *s.text != '\0')
		fail_msg("%s: %s", text, s.text);
}

/* --- files --- */

/* Path of a file in the folder, good for the next fifteen calls. */
static inline const char *
in_dir(const char *name)
{
	static char path[16][256];
	static size_t next;

	next = (next + 1) % COUNT(path);
	snprintf(path[next], sizeof(path[next]), "%s/%s", test.dir, name);
	return path[next];
}

static inline void
write_file(const char *path, const char *text, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(close(fd), 0);
}

static inline const char *
put_file(const char *name, const char *text)
{
	const char *path = in_dir(name);

	write_file(path, text, strlen(text));
	return path;
}

/* malloc'ed and NUL-terminated. */
static inline char *
read_text(const char *path)
{
	struct stat st;
	char *text;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(read(fd, text, (size_t)st.st_size), st.st_size);
	close(fd);
	return text;
}

static inline void
expect_file(const char *path, const char *want)
{
	char *text = read_text(path);

	assert_string_equal(text, want);
	free(text);
}

static inline void
parse_pk(const char *text, struct key_public *pk)
{
	assert_int_equal(key_parse_public(test.keyctx, text, pk), 0);
}

static inline int
set_up(void **state)
{
	(void)state;
	snprintf(test.dir, sizeof(test.dir), "/tmp/skypty-unit.XXXXXX");
	if (mkdtemp(test.dir) == NULL || (test.keyctx = keyctx_new()) == NULL)
		return -1;
	return 0;
}

static inline int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline int
tear_down(void **state)
{
	(void)state;
	keyctx_free(test.keyctx);
	return nftw(test.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* One error with that part; why NULL: any error. */
static inline void
refuse_text(const char *text, const char *why)
{
	struct config c;
	struct said s;

	if (parse_text(&c, &s, text) != SKY_ERR_FORMAT)
		fail_msg("%s: accepted or another error", text);
	if (why != NULL)
		said_error(&s, why);
	assert_int_not_equal(s.fatal, 0);
	config_free(&c);
}

#endif
