/* SPDX-License-Identifier: ISC */
/*
 * What skyptyd is told of a connection, for skyptyd status: who, by which rule
 * and what runs is our own knowledge; how many bytes there were is the child's
 * word, and passed on as such.
 */
#include "monitor/about.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "monitor/monitor.h"

static void
about_add(char text[PRIV_ABOUT_MAX], const char *what, const char *name)
{
	size_t n = strlen(text);

	(void)snprintf(text + n, PRIV_ABOUT_MAX - n, "%s%s%s%s",
	    n != 0 ? ", " : "", what, *name != '\0' ? " " : "", name);
}

static void
about_add_job(char text[PRIV_ABOUT_MAX], const struct job *j, const char *what)
{
	if (j->pid != 0 && !j->exited)
		about_add(text, what, j->name);
}

static void
about_add_all(const struct monitor *m, char text[PRIV_ABOUT_MAX])
{
	for (size_t i = 0; i < PRIV_PTYS_MAX; i++)
		about_add_job(text, &m->terminal[i].shell, "terminal");
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		about_add_job(text, &m->exec[i], "command");
	for (size_t i = 0; i < PRIV_SFTPS_MAX; i++)
		about_add_job(text, &m->sftp[i].server, "files");
	for (size_t i = 0; i < PRIV_KEEPERS_MAX; i++)
		about_add_job(text, &m->keeper[i],
		    *m->keeper[i].name != '\0' ? "job" : "jobs");
}

static int
about_put(struct buf *b, const char *text)
{
	return buf_put_string(b, text != NULL ? text : "",
	    text != NULL ? strnlen(text, PRIV_ABOUT_MAX) : 0);
}

void
about_tell(const struct monitor *m)
{
	const unsigned begun[PRIV_BEGUN] = { [PRIV_BEGUN_TERMINALS] =
						 m->used[USE_TERMINAL],
		[PRIV_BEGUN_COMMANDS] = m->used[USE_COMMAND],
		[PRIV_BEGUN_FILES] = m->used[USE_FILES] };
	char runs[PRIV_ABOUT_MAX] = "";
	struct buf b;
	int r;

	if (m->half.parent == -1 || m->half.phase != MON_SESSION)
		return;
	about_add_all(m, runs);
	if (m->forward.rd != NULL)
		about_add(runs, "forwarding", "");
	buf_init(&b, 4 * (4 + PRIV_ABOUT_MAX) + 4 * PRIV_BEGUN);
	if ((r = about_put(&b, m->account.pw_name)) == 0 &&
	    (r = about_put(&b, m->rights.comment)) == 0 &&
	    (r = about_put(&b, m->rights.rule)) == 0)
		r = about_put(&b, runs);
	for (int i = 0; r == 0 && i < PRIV_BEGUN; i++)
		r = buf_put_u32(&b, begun[i]);
	if (r == 0)
		(void)privmsg_send(m->half.parent, PM_ABOUT, 0, &b, NULL, 0);
	buf_free(&b);
}

int
about_moved(struct monitor *m, struct buf *b)
{
	struct buf both = *b;
	int r;

	if ((r = buf_get_u64(b, &m->moved.in)) != 0 ||
	    (r = buf_get_u64(b, &m->moved.out)) != 0)
		return r;
	m->moved.told = true;
	if (m->half.parent != -1)
		(void)privmsg_send(m->half.parent, PM_MOVED, 0, &both, NULL, 0);
	return 0;
}
