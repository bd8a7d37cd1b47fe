/* SPDX-License-Identifier: ISC */
/*
 * Destinations to go by, as ssh does it: the last of them is asked for a
 * connection to where we want to go by a command of its own, which goes by
 * those before it.  What the command carries is sealed for its end; the hosts
 * between do no more than pass it on.
 */
#include "client/complain.h"
#include "client/forward/forward_flags.h"
#include "client/options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"

#define COMMAND_MAX (64U * 1024)
#define HOPS_MAX    16

static int
jump_put(struct buf *b, const char *text)
{
	return buf_put(b, text, strlen(text));
}

/* A blank, and the text as one word for a shell. */
static int
jump_put_word(struct buf *b, const char *text, size_t n)
{
	int r = jump_put(b, " '");

	for (size_t i = 0; r == 0 && i < n; i++)
		r = text[i] == '\'' ? jump_put(b, "'\\''") :
				      buf_put(b, text + i, 1);
	return r == 0 ? jump_put(b, "'") : r;
}

static int
jump_put_flag(struct buf *b, const char *flag, const char *value)
{
	int r;

	if (value == NULL)
		return 0;
	if ((r = jump_put(b, flag)) == 0)
		r = jump_put_word(b, value, strlen(value));
	return r;
}

/* What the file says of our end is not meant for them. */
static const char *
jump_said(const char *value, const char *by_file)
{
	return value == by_file ? NULL : value;
}

/*
 * What flags have said of our own network holds for each of them.  Which key is
 * theirs is said by the file of names, as with ssh.
 */
static int
jump_put_options(struct buf *b, const struct client_options *o, bool as_ssh)
{
	const struct host *h = &o->alias;
	int r;

	if ((r = jump_put_flag(b, " -F", o->hosts)) != 0 ||
	    (r = o->verbose ? jump_put(b, " -v") : 0) != 0 || as_ssh)
		return r;
	if ((r = jump_put_flag(b, " --dmsgdisc",
		 jump_said(o->dmsgdisc, h->discovery))) != 0 ||
	    (r = jump_put_flag(b, " --dmsg-servers",
		 jump_said(o->dmsg_servers, h->dmsg_servers))) != 0 ||
	    (r = jump_put_flag(b, " --rpc", o->rpc)) != 0 ||
	    (r = jump_put_flag(b, " --cliaddr", o->cliaddr)) != 0)
		return r;
	if (o->require_pq)
		r = jump_put(b, " --require-pq");
	if (r == 0 && o->standalone)
		r = jump_put(b, " --standalone");
	return r;
}

/* A list of destinations: each is a word that no flag looks like. */
static bool
jump_check(const char *list)
{
	size_t n, hops = 0;

	for (;; list += n + 1) {
		n = strcspn(list, ",");
		if (n == 0 || *list == '-' || ++hops > HOPS_MAX)
			return false;
		if (list[n] == '\0')
			return true;
	}
}

static int
jump_put_command(struct buf *b, const struct client_options *o,
    const char *word, const char *list, const char *target)
{
	const char *comma = strrchr(list, ','),
		   *last = comma != NULL ? comma + 1 : list;
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
	int r;

	if (n <= 0 || (size_t)n == sizeof(self)) {
		complain("our own program is not found: %s", strerror(errno));
		return -1;
	}
	if ((r = jump_put_word(b, self, (size_t)n)) != 0 ||
	    (r = jump_put(b, " ")) != 0 || (r = jump_put(b, word)) != 0 ||
	    (r = jump_put_flag(b, " -W", target)) != 0 ||
	    (r = jump_put_options(b, o, strcmp(word, "ssh") == 0)) != 0)
		return r;
	if (comma != NULL &&
	    ((r = jump_put(b, " -J")) != 0 ||
		(r = jump_put_word(b, list, (size_t)(comma - list))) != 0))
		return r;
	return jump_put_word(b, last, strlen(last));
}

char *
forward_jump(const struct client_options *o, const char *word, const char *list,
    const char *host, const char *port)
{
	char *target = NULL, *command = NULL;
	struct buf b;

	if (!jump_check(list)) {
		complain("-J %s: write destinations with commas between them, "
			 "at most %d",
		    list, HOPS_MAX);
		return NULL;
	}
	buf_init(&b, COMMAND_MAX);
	if (asprintf(&target, "[%s]:%s", host, port) == -1)
		target = NULL;
	else if (jump_put_command(&b, o, word, list, target) == 0 &&
	    buf_put_u8(&b, '\0') == 0)
		/* The blank in front of the first word. */
		command = strdup((const char *)buf_ptr(&b) + 1);
	free(target);
	buf_free(&b);
	return command;
}
