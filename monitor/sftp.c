/* SPDX-License-Identifier: ISC */
/* The connection's SFTP servers: OpenSSH's program, as sshd's Subsystem. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "monitor/about.h"
#include "monitor/cage.h"
#include "monitor/command.h"
#include "monitor/ending.h"
#include "monitor/job.h"
#include "monitor/monitor.h"
#include "monitor/session.h"
#include "monitor/sftp.h"
#include "monitor/spawn.h"

#define ARGS_MAX 4 /* -R -e -l LEVEL */

/* Our end goes to the child, which does not block on it. */
static int
sftp_open_pair(int sv[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return SKY_ERR_SYS;
	if (fcntl(sv[0], F_SETFL, O_NONBLOCK) == 0)
		return 0;
	close(sv[0]);
	close(sv[1]);
	return SKY_ERR_SYS;
}

static bool
sftp_is_readonly(const struct monitor *m)
{
	return m->half.start.sftp_readonly || m->rights.sftp_readonly;
}

static bool
sftp_logs(const struct monitor *m)
{
	return m->half.start.sftp_log != SFTP_LOG_OFF &&
	    !session_forces_files(m);
}

/* The server, or the command that this key has in its place.  SKY_ERR_NOMEM. */
static int
sftp_command(const struct monitor *m, struct command *c)
{
	static const char *const levels[] = { [SFTP_LOG_INFO] = "INFO",
		[SFTP_LOG_VERBOSE] = "VERBOSE",
		[SFTP_LOG_DEBUG] = "DEBUG" };
	const char *args[ARGS_MAX];
	size_t n = 0;
	bool login;

	memset(c, 0, sizeof(*c));
	c->argv = calloc(1 + ARGS_MAX + 1, sizeof(*c->argv)); /* name, NULL */
	c->env = calloc(1, sizeof(*c->env));
	c->name = strdup(m->half.start.sftp_server);
	if (c->argv == NULL || c->env == NULL || c->name == NULL)
		return SKY_ERR_NOMEM;
	c->argv[0] = c->name;
	if (sftp_is_readonly(m))
		args[n++] = "-R";
	if (sftp_logs(m)) {
		args[n++] = "-e";
		args[n++] = "-l";
		args[n++] = levels[m->half.start.sftp_log];
	}
	for (size_t i = 0; i < n; i++)
		if ((c->argv[i + 1] = strdup(args[i])) == NULL)
			return SKY_ERR_NOMEM;
	return session_command(m, c, SESSION_FILES, &login);
}

static bool
sftp_spawn(struct monitor *m, struct mon_sftp *f, int fd,
    const struct cage *cage, char *why, size_t len)
{
	struct command c;
	struct spawn s = { .cmd = &c,
		.in = fd,
		.out = fd,
		.err = -1,
		.cage = cage };
	bool ok;

	if (sftp_logs(m) &&
	    (s.err = sftp_log_open(&f->log, m->half.base)) == -1) {
		(void)snprintf(why, len, "%s", strerror(errno));
		return false;
	}
	if (!(ok = sftp_command(m, &c) == 0))
		(void)snprintf(why, len, "out of memory");
	else
		ok = spawn(m, &s, &f->server.pid, why, len);
	command_free(&c);
	if (s.err != -1)
		close(s.err);
	if (!ok)
		sftp_log_close(&f->log);
	return ok;
}

/* The same in a folder of its own.  False: the server, if there is one, goes.
 */
static bool
sftp_spawn_caged(struct monitor *m, struct mon_sftp *f, int sv[2], char *why,
    size_t len)
{
	struct cage cage;
	bool ok = false;

	if (cage_begin(&cage, m->rights.sftp_root, sftp_is_readonly(m), why,
		len) == 0)
		ok = sftp_spawn(m, f, sv[1], &cage, why, len);
	if (ok && cage_close(&cage, sv[0], why, len) != 0) {
		ok = false;
		job_signal(&f->server, SIGKILL);
		waitpid(f->server.pid, NULL, 0);
		f->server.pid = 0;
		sftp_log_close(&f->log);
	}
	cage_free(&cage);
	return ok;
}

/* What goes wrong there, the peer need not know in detail. */
static bool
sftp_begin(struct monitor *m, struct mon_sftp *f, int sv[2], char *why,
    size_t len)
{
	bool ok;

	if (m->rights.sftp_root == NULL || session_forces_files(m)) {
		if (!(ok = sftp_spawn(m, f, sv[1], NULL, why, len)))
			log_error("sftp_server: %s", why);
		return ok;
	}
	if (!(ok = sftp_spawn_caged(m, f, sv, why, len))) {
		log_error("SFTP not started: %s", why);
		(void)snprintf(why, len,
		    "the folder of this key (sftp-root) cannot be served; the "
		    "host's log says why");
	}
	return ok;
}

static void
sftp_tell(const struct monitor *m, const struct job *server)
{
	struct log_fields f = { .event = "started" };

	log_put(&f, "kind", "SFTP");
	log_put_number(&f, "process", (uint64_t)server->pid);
	log_put(&f, "user", m->account.pw_name);
	if (session_forces_files(m))
		log_event(LOG_LEVEL_INFO, &f,
		    "SFTP asked for: the forced command started");
	else
		log_event(LOG_LEVEL_INFO, &f, "SFTP started%s%s%s",
		    sftp_is_readonly(m) ? ", read-only" : "",
		    m->rights.sftp_root != NULL ? ", in " : "",
		    m->rights.sftp_root != NULL ? m->rights.sftp_root : "");
}

unsigned
sftp_running(const struct half *h)
{
	const struct monitor *m = monitor_of_const(h);
	unsigned n = 0;

	for (size_t i = 0; i < PRIV_SFTPS_MAX; i++)
		n += m->sftp[i].server.pid != 0;
	return n;
}

static struct mon_sftp *
sftp_free_slot(struct monitor *m)
{
	for (size_t i = 0; i < PRIV_SFTPS_MAX; i++)
		if (m->sftp[i].server.pid == 0)
			return &m->sftp[i];
	return NULL;
}

struct job *
sftp_find(struct monitor *m, uint32_t handle)
{
	for (size_t i = 0; i < PRIV_SFTPS_MAX; i++)
		if (m->sftp[i].server.pid != 0 &&
		    m->sftp[i].server.handle == handle)
			return &m->sftp[i].server;
	return NULL;
}

static void
sftp_run(struct monitor *m, struct privmsg *msg, struct mon_sftp *f)
{
	char why[PRIVMSG_TEXT_MAX];
	int sv[2];

	if (sftp_open_pair(sv) != 0) {
		job_refuse(m, msg, "SFTP", strerror(errno));
		return;
	}
	if (!sftp_begin(m, f, sv, why, sizeof(why))) {
		close(sv[0]);
		half_answer_why(&m->half, msg, why);
	} else {
		sftp_tell(m, &f->server);
		f->server.handle = job_next_handle(m);
		job_begin(&f->server, "SFTP", "");
		ending_used(m, USE_FILES);
		job_hand_down(m, msg, &f->server, &sv[0], 1);
	}
	close(sv[1]);
}

int
sftp_start(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	struct mon_sftp *f = sftp_free_slot(m);
	char why[PRIVMSG_TEXT_MAX];

	if (f == NULL || !job_has_handle(m))
		return SKY_ERR_LIMIT;
	if (*m->half.start.sftp_server == '\0')
		job_refuse(m, msg, "SFTP", "files are not served here");
	else if (!session_ready(m, why, sizeof(why)))
		job_refuse(m, msg, "SFTP", why);
	else
		sftp_run(m, msg, f);
	return 0;
}

/* The child learns of the end by its socket; here it is only noted. */
static void
sftp_reap_one(struct monitor *m, struct mon_sftp *f)
{
	struct job *j = &f->server;
	enum priv_exit how;
	uint32_t status;

	if (j->pid == 0 || !job_exited(j, &how, &status))
		return;
	sftp_log_drain(&f->log);
	if (!j->ended)
		job_tell(m, j,
		    how == PRIV_EXITED && status == 0 ? LOG_LEVEL_INFO :
							LOG_LEVEL_WARN,
		    how, status);
	job_signal(j, SIGKILL);
	job_free(j);
	sftp_log_close(&f->log);
	about_tell(m);
}

void
sftp_reap(struct monitor *m)
{
	for (size_t i = 0; i < PRIV_SFTPS_MAX; i++)
		sftp_reap_one(m, &m->sftp[i]);
}

void
sftp_leave(struct monitor *m)
{
	for (size_t i = 0; i < PRIV_SFTPS_MAX; i++) {
		struct mon_sftp *f = &m->sftp[i];

		if (f->server.pid == 0)
			continue;
		job_tell_left(&f->server, "ended");
		f->server.ended = true;
		/* Its end of file has come; what it closes by that is told. */
		if (f->log.ev == NULL)
			job_signal(&f->server, SIGTERM);
	}
}

void
sftp_kill(struct monitor *m)
{
	for (size_t i = 0; i < PRIV_SFTPS_MAX; i++)
		job_signal(&m->sftp[i].server, SIGKILL);
}
