/* SPDX-License-Identifier: ISC */
/* The connection's SFTP server: OpenSSH's program, as sshd's Subsystem. */
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
sftp_spawn(struct monitor *m, int fd, const struct cage *cage, char *why,
    size_t len)
{
	struct command c;
	struct spawn s = { .cmd = &c,
		.in = fd,
		.out = fd,
		.err = -1,
		.cage = cage };
	bool ok;

	if (sftp_logs(m) && (s.err = sftp_log_open(m)) == -1) {
		(void)snprintf(why, len, "%s", strerror(errno));
		return false;
	}
	if (!(ok = sftp_command(m, &c) == 0))
		(void)snprintf(why, len, "out of memory");
	else
		ok = spawn(m, &s, &m->sftp.pid, why, len);
	command_free(&c);
	if (s.err != -1)
		close(s.err);
	if (!ok)
		sftp_log_close(m);
	return ok;
}

/* The same in a folder of its own.  False: the server, if there is one, goes.
 */
static bool
sftp_spawn_caged(struct monitor *m, int sv[2], char *why, size_t len)
{
	struct cage cage;
	bool ok = false;

	if (cage_begin(&cage, m->rights.sftp_root, sftp_is_readonly(m), why,
		len) == 0)
		ok = sftp_spawn(m, sv[1], &cage, why, len);
	if (ok && cage_close(&cage, sv[0], why, len) != 0) {
		ok = false;
		job_signal(&m->sftp, SIGKILL);
		waitpid(m->sftp.pid, NULL, 0);
		m->sftp.pid = 0;
		sftp_log_close(m);
	}
	cage_free(&cage);
	return ok;
}

/* What goes wrong there, the peer need not know in detail. */
static bool
sftp_begin(struct monitor *m, int sv[2], char *why, size_t len)
{
	bool ok;

	if (m->rights.sftp_root == NULL || session_forces_files(m)) {
		if (!(ok = sftp_spawn(m, sv[1], NULL, why, len)))
			log_error("sftp_server: %s", why);
		return ok;
	}
	if (!(ok = sftp_spawn_caged(m, sv, why, len))) {
		log_error("SFTP not started: %s", why);
		(void)snprintf(why, len,
		    "the folder of this key (sftp-root) cannot be served; the "
		    "host's log says why");
	}
	return ok;
}

static void
sftp_tell(const struct monitor *m)
{
	struct log_fields f = { .event = "started" };

	log_put(&f, "kind", "SFTP");
	log_put_number(&f, "process", (uint64_t)m->sftp.pid);
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

int
sftp_start(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	char why[PRIVMSG_TEXT_MAX];
	int sv[2];

	if (*m->half.start.sftp_server == '\0') {
		job_refuse(m, msg, "SFTP", "files are not served here");
		return 0;
	}
	if (!session_ready(m, why, sizeof(why))) {
		job_refuse(m, msg, "SFTP", why);
		return 0;
	}
	if (sftp_open_pair(sv) != 0) {
		job_refuse(m, msg, "SFTP", strerror(errno));
		return 0;
	}
	if (!sftp_begin(m, sv, why, sizeof(why))) {
		close(sv[0]);
		half_answer_why(&m->half, msg, why);
	} else {
		sftp_tell(m);
		m->sftp.handle = PRIV_SFTP_HANDLE;
		job_begin(&m->sftp, "SFTP", "");
		ending_used(m, USE_FILES);
		half_answer_ok(&m->half, msg, NULL, &sv[0], 1);
	}
	close(sv[1]);
	return 0;
}

/* The child learns of the end by its socket; here it is only noted. */
void
sftp_reap(struct monitor *m)
{
	enum priv_exit how;
	uint32_t status;

	if (m->sftp.pid == 0 || !job_exited(&m->sftp, &how, &status))
		return;
	sftp_log_drain(m);
	if (!m->sftp.ended)
		job_tell(m, &m->sftp,
		    how == PRIV_EXITED && status == 0 ? LOG_LEVEL_INFO :
							LOG_LEVEL_WARN,
		    how, status);
	job_signal(&m->sftp, SIGKILL);
	job_free(&m->sftp);
	sftp_log_close(m);
	about_tell(m);
}

void
sftp_leave(struct monitor *m)
{
	if (m->sftp.pid == 0)
		return;
	job_tell_left(&m->sftp, "ended");
	m->sftp.ended = true;
	/* Its end of file has come; what it closes by that is to be told. */
	if (m->sftp_log.ev == NULL)
		job_signal(&m->sftp, SIGTERM);
}
