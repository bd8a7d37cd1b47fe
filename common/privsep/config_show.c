/* SPDX-License-Identifier: ISC */
/* The configuration that is in force, as the text of one. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/privsep/config.h"
#include "common/privsep/config_keys.h"

static int
config_put_text(struct buf *b, const char *text)
{
	return json_put_string(b, text, strlen(text));
}

static int config_put_format(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
config_put_format(struct buf *b, const char *fmt, ...)
{
	char text[ADDR_TEXT_MAX + KEY_PUBLIC_HEX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return n < 0 || (size_t)n >= sizeof(text) ? SKY_ERR_LIMIT :
						    buf_put(b, text, (size_t)n);
}

static int
show_text(struct buf *b, const struct config *c, size_t offset)
{
	return config_put_text(b,
	    *(char *const *)(const void *)((const char *)c + offset));
}

static int
show_number(struct buf *b, const struct config *c, size_t offset)
{
	return config_put_format(b, "%u",
	    *(const unsigned *)(const void *)((const char *)c + offset));
}

static int
show_port(struct buf *b, const struct config *c, size_t offset)
{
	(void)offset;
	return config_put_format(b, "%u", c->dmsgport);
}

static int
show_sandbox(struct buf *b, const struct config *c, size_t offset)
{
	(void)offset;
	return config_put_text(b, c->best_effort ? "best-effort" : "strict");
}

static int
show_log_format(struct buf *b, const struct config *c, size_t offset)
{
	(void)offset;
	return config_put_text(b,
	    c->log_format == LOG_FORMAT_JSON ? "json" : "text");
}

static int
show_sftp_log(struct buf *b, const struct config *c, size_t offset)
{
	(void)offset;
	return config_put_text(b, config_sftp_log(c->sftp_log));
}

static int
show_bool(struct buf *b, const struct config *c, size_t offset)
{
	return config_put_format(b, "%s",
	    *(const bool *)((const char *)c + offset) ? "true" : "false");
}

static int
show_startups(struct buf *b, const struct config *c, size_t offset)
{
	(void)offset;
	return config_put_format(b, "\"%u:%u:%u\"", c->maxstartups.begin,
	    c->maxstartups.rate, c->maxstartups.full);
}

static int
show_startuprate(struct buf *b, const struct config *c, size_t offset)
{
	(void)offset;
	return config_put_format(b, "\"%u:%u:%u\"", c->startuprate.origin,
	    c->startuprate.network, c->startuprate.all);
}

static int
show_blocks(struct buf *b, const struct config *c, size_t offset)
{
	const struct config_blocks *both =
	    (const void *)((const char *)c + offset);

	return config_put_format(b, "\"%u:%u\"", both->v4, both->v6);
}

static int
show_penalties(struct buf *b, const struct config *c, size_t offset)
{
	char text[CONFIG_PENALTIES_TEXT];

	(void)offset;
	config_print_penalties(&c->penalties, text);
	return config_put_text(b, text);
}

static int
show_exempt(struct buf *b, const struct config *c, size_t offset)
{
	char text[CIDR_TEXT_MAX];
	int r = buf_put(b, "[", 1);

	(void)offset;
	for (size_t i = 0; r == 0 && i < c->npenalty_exempt; i++) {
		cidr_text(&c->penalty_exempt[i], text);
		r = config_put_format(b, "%s\"%s\"", i > 0 ? ", " : "", text);
	}
	return r == 0 ? buf_put(b, "]", 1) : r;
}

/* Values with newlines between. */
static int
show_permits(struct buf *b, const struct config *c, size_t offset)
{
	const char *s =
	    *(char *const *)(const void *)((const char *)c + offset);
	int r = buf_put(b, "[", 1);

	for (bool first = true; r == 0 && *s != '\0'; first = false) {
		size_t n = strcspn(s, "\n");
		char *value = strndup(s, n);

		if (value == NULL)
			return SKY_ERR_NOMEM;
		if (!first)
			r = buf_put(b, ", ", 2);
		if (r == 0)
			r = config_put_text(b, value);
		free(value);
		s += n + (s[n] == '\n');
	}
	return r == 0 ? buf_put(b, "]", 1) : r;
}

static int
show_pk(struct buf *b, const struct config *c, size_t offset)
{
	char text[KEY_PUBLIC_HEX];

	(void)offset;
	key_text(&c->pk, text);
	return config_put_text(b, text);
}

static int
show_wl(struct buf *b, const struct config *c, size_t offset)
{
	char text[KEY_PUBLIC_HEX];
	int r = buf_put(b, "[", 1);

	(void)offset;
	for (size_t i = 0; r == 0 && i < c->nwl; i++) {
		key_text(&c->wl[i], text);
		r = config_put_format(b, "%s\n        \"%s\"", i > 0 ? "," : "",
		    text);
	}
	return r == 0 ?
	    config_put_format(b, "%s]", c->nwl > 0 ? "\n    " : "") :
	    r;
}

/* "<pk>@host:port" each, divided by spaces. */
static int
show_servers(struct buf *b, const struct config *c, size_t offset)
{
	const char *s = c->dmsg_servers;
	int r = buf_put(b, "[", 1), n, at;

	(void)offset;
	for (bool first = true; r == 0 && *s != '\0'; first = false) {
		n = (int)strcspn(s, " ");
		at = (int)strcspn(s, "@");
		r = config_put_format(b,
		    "%s\n        { \"static\": \"%.*s\", "
		    "\"server\": { \"address\": \"%.*s\" } }",
		    first ? "" : ",", at, s, at < n ? n - at - 1 : 0,
		    s + at + (at < n));
		s += n + (s[n] == ' ');
	}
	return r == 0 ? config_put_format(b, "%s]",
			    *c->dmsg_servers != '\0' ? "\n    " : "") :
			r;
}

/* Of the key itself nothing is shown. */
static int (*const shown[CONFIG_KINDS])(struct buf *, const struct config *,
    size_t offset) = {
	[CONFIG_IS_PK] = show_pk,
	[CONFIG_IS_WL] = show_wl,
	[CONFIG_IS_TEXT] = show_text,
	[CONFIG_IS_PATH] = show_text,
	[CONFIG_IS_FOLDER] = show_text,
	[CONFIG_IS_NUMBER] = show_number,
	[CONFIG_IS_BOOL] = show_bool,
	[CONFIG_IS_PORT] = show_port,
	[CONFIG_IS_SANDBOX] = show_sandbox,
	[CONFIG_IS_STARTUPS] = show_startups,
	[CONFIG_IS_STARTUPRATE] = show_startuprate,
	[CONFIG_IS_NETBLOCKS] = show_blocks,
	[CONFIG_IS_PENALTIES] = show_penalties,
	[CONFIG_IS_PENALTY_BLOCKS] = show_blocks,
	[CONFIG_IS_EXEMPT] = show_exempt,
	[CONFIG_IS_SERVERS] = show_servers,
	[CONFIG_IS_ACCEPT_ENV] = show_text,
	[CONFIG_IS_LOG_FORMAT] = show_log_format,
	[CONFIG_IS_SFTP_LOG] = show_sftp_log,
	[CONFIG_IS_METRICS] = show_text,
	[CONFIG_IS_PERMITOPEN] = show_permits,
	[CONFIG_IS_PERMITLISTEN] = show_permits,
};

int
config_show(struct buf *b, const struct config *c)
{
	const struct config_key *k;
	int r = buf_put(b, "{", 1);

	for (size_t i = 0; r == 0 && (k = config_key(i)) != NULL; i++)
		if (shown[k->kind] != NULL &&
		    (r = config_put_format(b, "%s\n    \"%s\": ",
			 buf_len(b) > 1 ? "," : "", k->name)) == 0)
			r = shown[k->kind](b, c, k->offset);
	return r == 0 ? buf_put(b, "\n}\n", 3) : r;
}
