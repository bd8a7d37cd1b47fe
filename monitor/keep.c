/* SPDX-License-Identifier: ISC */
/*
 * Jobs: a command under a keeper of its own, as the session's user, and the
 * door to those that there are; and terminals that are kept in the same way,
 * called sessions where they are asked for.  All are skypty-keeper; what they
 * are asked goes by the socket that the child gets, and never through here.
 * Whose jobs they are about, the monitor says on their command line, and nobody
 * else can.
 */
#include "monitor/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/paths.h"
#include "common/base/process.h"
#include "common/pty/mux.h"
#include "monitor/about.h"
#include "monitor/command.h"
#include "monitor/ending.h"
#include "monitor/job.h"
#include "monitor/monitor.h"
#include "monitor/pty.h"
#include "monitor/recorder.h"
#include "monitor/session.h"
#include "monitor/spawn.h"

#define PROGRAM	   "skypty-keeper"
#define A_MIB	   (1024ULL * 1024)
#define A_DAY	   (24ULL * 60 * 60)
#define NUMBER_MAX 24
#define FOLDER_MAX 4096
#define WORDS_MAX  10

/* The words in front of what a keeper is to run; the first is its file. */
struct keep_words {
	char path[PROCESS_PATH_MAX], folder[FOLDER_MAX], key[KEY_PUBLIC_HEX];
	char jobs[NUMBER_MAX], output[NUMBER_MAX], age[NUMBER_MAX],
	    timeout[NUMBER_MAX];
	const char *word[WORDS_MAX + 1];
	size_t n;
};

static void
keep_number(char text[NUMBER_MAX], unsigned long long n)
{
	(void)snprintf(text, NUMBER_MAX, "%llu", n);
}

/* "~/" is the account's home; in any other folder each has one of its own. */
static bool
keep_folder(const struct monitor *m, char folder[FOLDER_MAX])
{
	const char *dir = m->half.start.job_dir;
	const struct passwd *pw = &m->account;
	int n;

	if (*dir == '~')
		n = snprintf(folder, FOLDER_MAX, "%s%s", pw->pw_dir, dir + 1);
	else
		n = snprintf(folder, FOLDER_MAX, "%s/%s", dir, pw->pw_name);
	return n < FOLDER_MAX;
}

static void
keep_add_word(struct keep_words *w, const char *word)
{
	w->word[w->n++] = word;
	w->word[w->n] = NULL;
}

/* The first of them.  False: why. */
static bool
keep_words_fill(const struct monitor *m, struct keep_words *w, const char *what,
    char *why, size_t len)
{
	const struct start *s = &m->half.start;

	w->n = 0;
	if (process_companion(w->path, sizeof(w->path), PROGRAM, ".",
		LIBEXECDIR) != 0) {
		(void)snprintf(why, len, "there is no " PROGRAM " here");
		return false;
	}
	if (!keep_folder(m, w->folder)) {
		(void)snprintf(why, len,
		    "the path of the folder of jobs (job_dir) is too long");
		return false;
	}
	if (s->carrier == PRIV_CONTROL)
		(void)snprintf(w->key, sizeof(w->key), "-");
	else
		key_text(&m->peer, w->key);
	keep_number(w->jobs, s->max_jobs);
	keep_number(w->output, s->job_output * A_MIB);
	keep_number(w->age, s->job_age * A_DAY);
	keep_add_word(w, w->path);
	keep_add_word(w, what);
	keep_add_word(w, w->folder);
	keep_add_word(w, w->key);
	keep_add_word(w, w->jobs);
	keep_add_word(w, w->output);
	keep_add_word(w, w->age);
	return true;
}

static void
keep_add_forced(const struct monitor *m, struct keep_words *w)
{
	keep_add_word(w, m->rights.command != NULL ? "forced" : "asked");
}

static bool
keep_is_ready(struct monitor *m, char *why, size_t len)
{
	if (m->half.start.max_jobs != 0)
		return session_ready(m, why, len);
	(void)snprintf(why, len, "jobs are not kept here (max_jobs)");
	return false;
}

unsigned
keep_running(const struct half *h)
{
	const struct monitor *m = monitor_of_const(h);
	unsigned n = 0;

	for (size_t i = 0; i < PRIV_KEEPERS_MAX; i++)
		n += m->keeper[i].pid != 0;
	return n;
}

static struct job *
keep_free_slot(struct monitor *m)
{
	for (size_t i = 0; i < PRIV_KEEPERS_MAX; i++)
		if (m->keeper[i].pid == 0)
			return &m->keeper[i];
	return NULL;
}

/* Our end goes to the child, which does not block on it. */
static bool
keep_spawn(struct monitor *m, struct job *j, struct spawn *s, int *ours,
    char *why, size_t len)
{
	int sv[2];
	bool ok;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1) {
		(void)snprintf(why, len, "%s", strerror(errno));
		return false;
	}
	s->in = sv[1];
	if (s->tty == NULL) {
		s->out = sv[1];
		s->err = -1;
	}
	ok = fcntl(sv[0], F_SETFL, O_NONBLOCK) == 0 &&
	    spawn(m, s, &j->pid, why, len) == 1;
	close(sv[1]);
	if (!ok)
		close(sv[0]);
	else
		*ours = sv[0];
	return ok;
}

/* What a job moves is its keeper's, and not the connection's. */
static void
keep_begin(struct monitor *m, struct job *j, const char *kind, const char *name)
{
	j->handle = job_next_handle(m);
	j->uncounted = true;
	job_begin(j, kind, name);
}

static int
keep_run_command(struct monitor *m, struct privmsg *msg, struct job *j,
    struct command *c, uint32_t timeout, uint8_t flags)
{
	enum session_asked asked =
	    flags & PRIV_EXEC_LINE ? SESSION_LINE : SESSION_WORDS;
	char why[PRIVMSG_TEXT_MAX] = "";
	struct keep_words w;
	struct spawn s = { .cmd = c, .keeper = w.word };
	int fd, r;

	if (!keep_is_ready(m, why, sizeof(why)) ||
	    !keep_words_fill(m, &w, "run", why, sizeof(why))) {
		job_refuse(m, msg, "Job", why);
		return 0;
	}
	keep_number(w.timeout, timeout);
	keep_add_word(&w, w.timeout);
	keep_add_word(&w, flags & PRIV_EXEC_STDIN ? "input" : "none");
	keep_add_forced(m, &w);
	if ((r = session_command(m, c, asked, &s.login)) != 0)
		return r;
	if (s.login) {
		job_refuse(m, msg, "Job", "this key may not run commands");
		return 0;
	}
	if (!keep_spawn(m, j, &s, &fd, why, sizeof(why))) {
		job_refuse(m, msg, "Job", why);
		return 0;
	}
	keep_begin(m, j, "Job", c->name);
	command_tell(c, "Job", false, j->pid, m->account.pw_name);
	ending_used(m, USE_JOB);
	job_hand_down(m, msg, j, &fd, 1);
	return 0;
}

int
keep_run(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	struct job *j = keep_free_slot(m);
	struct command c;
	uint32_t timeout;
	uint8_t flags;
	int r;

	if (j == NULL || !job_has_handle(m))
		return SKY_ERR_LIMIT;
	if ((r = command_read(&msg->body, &c)) != 0)
		return r;
	if ((r = buf_get_u32(&msg->body, &timeout)) == 0 &&
	    (r = buf_get_u8(&msg->body, &flags)) == 0 &&
	    (r = buf_at_end(&msg->body)) == 0)
		r = flags & ~(PRIV_EXEC_STDIN | PRIV_EXEC_LINE) ?
		    SKY_ERR_RANGE :
		    keep_run_command(m, msg, j, &c, timeout, flags);
	command_free(&c);
	return r;
}

/*
 * What is recorded goes through a process of this connection's.  A session may
 * be from before the key was told what runs, or that it is recorded.
 */
static bool
keep_session_is_ready(struct monitor *m, char *why, size_t len)
{
	if (m->rights.command != NULL)
		(void)snprintf(why, len,
		    "no terminal of this key outlives its connection: what "
		    "runs is not its choice (command)");
	else if (recorder_wanted(m))
		(void)snprintf(why, len,
		    "terminals of this key are recorded, which is not possible "
		    "for one that outlives its connection (record)");
	else
		return keep_is_ready(m, why, len);
	return false;
}

/* As a command of its own, which no forced one replaces. */
static int
keep_open_door(struct half *h, struct privmsg *msg, const char *role,
    const char *kind, enum mon_use use)
{
	bool sessions = use == USE_SESSIONS;
	struct monitor *m = monitor_of(h);
	struct job *j = keep_free_slot(m);
	char why[PRIVMSG_TEXT_MAX] = "", *none = NULL;
	struct log_fields f = { .event = "started" };
	struct keep_words w;
	struct command c = { .env = &none };
	struct spawn s = { .cmd = &c };
	int fd;

	if (j == NULL || !job_has_handle(m))
		return SKY_ERR_LIMIT;
	if (!(sessions ? keep_session_is_ready : keep_is_ready)(m, why,
		sizeof(why)) ||
	    !keep_words_fill(m, &w, role, why, sizeof(why))) {
		job_refuse(m, msg, kind, why);
		return 0;
	}
	/* execve(2) only lacks the const. */
	c.argv = (char **)(uintptr_t)w.word;
	c.name = w.path;
	if (!keep_spawn(m, j, &s, &fd, why, sizeof(why))) {
		job_refuse(m, msg, kind, why);
		return 0;
	}
	keep_begin(m, j, kind, "");
	log_put(&f, "kind", kind);
	log_put_number(&f, "process", (uint64_t)j->pid);
	log_put(&f, "user", m->account.pw_name);
	log_event(LOG_LEVEL_INFO, &f, "%s asked about, pid %ld", kind,
	    (long)j->pid);
	ending_used(m, use);
	job_hand_down(m, msg, j, &fd, 1);
	return 0;
}

int
keep_door(struct half *h, struct privmsg *msg)
{
	return keep_open_door(h, msg, "door", "Jobs", USE_JOBS);
}

int
keep_session_door(struct half *h, struct privmsg *msg)
{
	return keep_open_door(h, msg, "sessions", "Sessions", USE_SESSIONS);
}

/* --- sessions --- */

/* Its terminal is made here, so that records of logins can have it. */
static bool
keep_session_spawn(struct monitor *m, struct job *j, struct spawn *s,
    const struct pty_looks *l, int *fd, char *why, size_t len)
{
	char name[PTY_NAME_MAX];
	int master, slave;
	bool ok;

	if (pty_open(&master, &slave, m->account.pw_uid, l, name) != 0) {
		(void)snprintf(why, len, "%s", err_text(SKY_ERR_SYS));
		return false;
	}
	s->tty = name;
	s->out = slave;
	s->err = master;
	ok = keep_spawn(m, j, s, fd, why, len);
	close(slave);
	close(master);
	return ok;
}

static int
keep_session_run_command(struct monitor *m, struct privmsg *msg, struct job *j,
    struct command *c, const struct pty_looks *l, const char *name)
{
	char why[PRIVMSG_TEXT_MAX] = "";
	struct keep_words w;
	struct spawn s = { .cmd = c, .keeper = w.word };
	int fd, r;

	if (!keep_session_is_ready(m, why, sizeof(why)) ||
	    !keep_words_fill(m, &w, "session", why, sizeof(why))) {
		job_refuse(m, msg, "Session", why);
		return 0;
	}
	keep_add_word(&w, *name != '\0' ? name : "-");
	keep_add_forced(m, &w);
	if ((r = session_command(m, c, pty_asked(l), &s.login)) != 0)
		return r;
	if (!keep_session_spawn(m, j, &s, l, &fd, why, sizeof(why))) {
		job_refuse(m, msg, "Session", why);
		return 0;
	}
	keep_begin(m, j, "Session", s.login ? "login shell" : c->name);
	command_tell(c, "Session", s.login, j->pid, m->account.pw_name);
	ending_used(m, USE_SESSION);
	job_hand_down(m, msg, j, &fd, 1);
	return 0;
}

int
keep_session_run(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	struct job *j = keep_free_slot(m);
	char *name = NULL;
	struct pty_looks l;
	struct command c;
	int r;

	if (j == NULL || !job_has_handle(m))
		return SKY_ERR_LIMIT;
	if ((r = command_read(&msg->body, &c)) != 0)
		return r;
	if ((r = pty_read_looks(&msg->body, &l)) == 0 &&
	    (r = buf_get_cstring(&msg->body, &name, MUX_SESSION_NAME_MAX)) ==
		0 &&
	    (r = buf_at_end(&msg->body)) == 0)
		r = *name == '\0' || mux_is_session_name(name) ?
		    keep_session_run_command(m, msg, j, &c, &l, name) :
		    SKY_ERR_FORMAT;
	free(name);
	command_free(&c);
	return r;
}

static void
keep_reap_one(struct monitor *m, struct job *j)
{
	enum priv_exit how;
	uint32_t status;

	if (j->pid == 0 || !job_exited(j, &how, &status))
		return;
	job_tell(m, j, *j->name != '\0' ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, how,
	    status);
	job_free(j);
	about_tell(m);
}

void
keep_reap(struct monitor *m)
{
	for (size_t i = 0; i < PRIV_KEEPERS_MAX; i++)
		keep_reap_one(m, &m->keeper[i]);
}

void
keep_leave(struct monitor *m)
{
	for (size_t i = 0; i < PRIV_KEEPERS_MAX; i++)
		if (m->keeper[i].pid != 0 && *m->keeper[i].name != '\0')
			job_tell_left(&m->keeper[i], "goes on");
}
