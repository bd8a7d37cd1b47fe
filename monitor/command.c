/* SPDX-License-Identifier: ISC */
/* Reading what a child asks to run: name, arguments, environment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/privsep/privmsg.h"
#include "monitor/command.h"

/*
 * u32 count, strings; room for first (if not NULL) in front and the closing
 * NULL.  The vector is freed by the caller also after an error.
 */
static int
command_read_vector(struct buf *b, char *first, char ***vector)
{
	size_t n = first != NULL ? 1 : 0;
	uint32_t count;
	int r;

	if ((r = buf_get_u32(b, &count)) != 0)
		return r;
	if (count > PRIV_ARGS_MAX || count > buf_len(b) / 4)
		return SKY_ERR_LIMIT;
	if ((*vector = calloc(count + n + 1, sizeof(**vector))) == NULL)
		return SKY_ERR_NOMEM;
	if (first != NULL)
		(*vector)[0] = first;
	for (; count > 0; count--, n++)
		if ((r = buf_get_cstring(b, &(*vector)[n], PRIV_ARG_MAX)) != 0)
			return r;
	return 0;
}

int
command_read(struct buf *b, struct command *c)
{
	int r;

	memset(c, 0, sizeof(*c));
	if ((r = buf_get_cstring(b, &c->name, PRIV_ARG_MAX)) == 0 &&
	    (r = command_read_vector(b, c->name, &c->argv)) == 0)
		r = command_read_vector(b, NULL, &c->env);
	if (r != 0)
		command_free(c);
	return r;
}

/* Arguments may be secrets: whoever reads the log wants them or does not. */
void
command_tell(const struct command *c, const char *kind, bool login, pid_t pid,
    const char *user)
{
	const char *name = login ? "login shell" : c->name;
	struct log_fields f = { .event = "started" };
	char args[LOG_LINE_MAX];
	size_t n = 0;

	log_put(&f, "kind", kind);
	log_put(&f, "name", name);
	log_put_number(&f, "process", (uint64_t)pid);
	log_put(&f, "user", user);
	log_event(LOG_LEVEL_INFO, &f, "%s started: %s, pid %ld", kind, name,
	    (long)pid);
	if (login || log_get_level() < LOG_LEVEL_DEBUG)
		return;
	args[0] = '\0';
	for (char **a = c->argv + 1; *a != NULL && n < sizeof(args) - 1; a++)
		n += (size_t)snprintf(args + n, sizeof(args) - n, " %s", *a);
	log_debug("%s arguments, pid %ld:%s", kind, (long)pid, args);
}

void
command_free(struct command *c)
{
	for (size_t i = 1; c->argv != NULL && c->argv[i] != NULL; i++)
		free(c->argv[i]);
	for (size_t i = 0; c->env != NULL && c->env[i] != NULL; i++)
		free(c->env[i]);
	free(c->argv);
	free(c->env);
	free(c->name);
	memset(c, 0, sizeof(*c));
}
