/* SPDX-License-Identifier: ISC */
/* The connection's SFTP server: OpenSSH's program, as sshd's Subsystem. */
#include "monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"

/* Our end goes to the child, which does not block on it. */
static int
open_pair(int sv[2])
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
start(struct monitor *m, int fd, char *why, size_t len)
{
	static char readonly[] = "-R";
	char *argv[] = { m->start.sftp_server,
		m->start.sftp_readonly ? readonly : NULL, NULL };
	char *env[] = { NULL };
	struct command c = { .name = argv[0], .argv = argv, .env = env };
	struct spawn s = { .cmd = &c, .in = fd, .out = fd, .err = -1 };

	return spawn(m, &s, &m->sftp.pid, why, len);
}

int
sftp_start(struct monitor *m, struct privmsg *msg)
{
	char why[PRIVMSG_TEXT_MAX];
	struct buf b;
	int sv[2];

	if (m->sftp_used)
		return SKY_ERR_STATE;
	m->sftp_used = true;
	if (*m->start.sftp_server == '\0') {
		log_info("SFTP not started: files are not served here");
		child_answer_text(m, msg, "files are not served here");
		return 0;
	}
	if (open_pair(sv) != 0) {
		child_answer_text(m, msg, strerror(errno));
		return 0;
	}
	if (!start(m, sv[1], why, sizeof(why))) {
		log_error("sftp_server: %s", why);
		close(sv[0]);
		child_answer_text(m, msg, why);
	} else {
		log_info("SFTP started%s",
		    m->start.sftp_readonly ? ", read-only" : "");
		job_begin(&m->sftp, "SFTP", "");
		ending_used(m, USE_FILES);
		buf_init(&b, 4);
		(void)buf_put_u32(&b, 0);
		child_answer_fds(m, msg, &b, &sv[0], 1);
		buf_free(&b);
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
	if (m->phase != MON_DYING)
		job_tell(&m->sftp,
		    how == PRIV_EXITED && status == 0 ? LOG_LEVEL_INFO :
							LOG_LEVEL_WARN,
		    how, status);
	job_signal(&m->sftp, SIGKILL);
	job_free(&m->sftp);
}
