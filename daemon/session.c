/* SPDX-License-Identifier: ISC */
/* Giving a connection its monitor. */
#include "daemon/skyptyd.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/process.h"
#include "common/start.h"

#define PROGRAM	   "skyptyd-monitor"
#define KEEP_COUNT 4 /* probes without an answer until a peer is dead */

/* Nothing waits for more to come, and a dead peer is noticed. */
void
session_prepare(const struct config *conf, int fd)
{
	int on = 1, idle = (int)conf->tcp_keepalive, count = KEEP_COUNT;
	unsigned limit = conf->tcp_keepalive * (KEEP_COUNT + 1) * 1000;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit,
	    sizeof(limit));
}

static int
program_path(char *path, size_t len)
{
	return process_companion(path, len, PROGRAM, "../libexec/skypty",
	    LIBEXECDIR);
}

static struct start
describe(const struct settings *s, const struct options *o,
    enum priv_carrier carrier, const char *peer)
{
	uint8_t flags = (uint8_t)((s->drop ? PRIV_DROP : 0) |
	    (s->conf.best_effort ? PRIV_BEST_EFFORT : 0));

	return (struct start){ .carrier = carrier,
		.log_level = (uint8_t)o->log_level,
		.use_syslog = o->syslog,
		.handshake_timeout = (uint16_t)s->conf.handshake_timeout,
		.welcome = flags,
		.uid = s->uid,
		.gid = s->gid,
		.cligroup = s->cligroup,
		.peer = (char *)(uintptr_t)peer,
		.conf = s->conf_path,
		.chroot_dir = (char *)(uintptr_t)CHROOT_DIR,
		.sftp_server = s->sftp_server,
		.sftp_readonly = s->conf.sftp_readonly,
		.dmsgport = s->conf.dmsgport,
		.dmsgsessions = s->conf.dmsgsessions,
		.dmsgdisc = s->conf.dmsgdisc,
		.dmsg_servers = s->dmsg_servers,
		.sk = carrier == PRIV_CONTROL ? NULL : s->conf.sk,
		.wl = s->wl,
		.nwl = s->nwl };
}

static void
become_monitor(const char *path, int conn, int peer)
{
	char *argv[] = { (char *)(uintptr_t)PROGRAM, NULL };

	/* Our handlers would write into the daemon's own event loop. */
	process_reset_signals();
	if ((conn = fcntl(conn, F_DUPFD, PRIV_FD_COUNT)) == -1 ||
	    (peer = fcntl(peer, F_DUPFD, PRIV_FD_COUNT)) == -1 ||
	    dup2(conn, PRIV_FD_CONN) == -1 || dup2(peer, PRIV_FD_PEER) == -1)
		return;
	closefrom(PRIV_FD_COUNT);
	execv(path, argv);
}

int
session_spawn(const struct settings *s, const struct options *o, int conn,
    enum priv_carrier carrier, const char *peer, pid_t *pid, int *sock)
{
	struct start st = describe(s, o, carrier, peer);
	sigset_t all, before;
	char path[PROCESS_PATH_MAX];
	int sv[2];

	if (program_path(path, sizeof(path)) != 0 || privmsg_pair(sv) != 0) {
		log_error("cannot start a monitor: %s", strerror(errno));
		return -1;
	}
	/* limits.c may signal the new process at any time from now on. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	if ((*pid = fork()) == 0) {
		become_monitor(path, conn, sv[1]);
		log_error("%s: %s", path, strerror(errno));
		_exit(127);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(sv[1]);
	if (*pid == -1 || start_send(sv[0], &st) != 0) {
		log_error("cannot start a monitor: %s", strerror(errno));
		close(sv[0]);
		return -1;
	}
	*sock = sv[0];
	return 0;
}

/* A standard descriptor that is the connection would keep it open. */
static int
detach_standard(int conn)
{
	struct stat st, cs;
	int null;

	if (fstat(conn, &cs) == -1 ||
	    (null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		return -1;
	for (int fd = 0; fd <= 2; fd++)
		if (fstat(fd, &st) == -1 ||
		    (st.st_dev == cs.st_dev && st.st_ino == cs.st_ino))
			if (dup2(null, fd) == -1)
				return -1;
	return close(null);
}

static int
connected_socket(int fd, char *peer)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getpeername(fd, (struct sockaddr *)&ss, &len) == -1) {
		log_error("--listen-fd %d: not a connected socket: %s", fd,
		    strerror(errno));
		return -1;
	}
	addr_text((struct sockaddr *)&ss, len, peer);
	return fcntl(fd, F_SETFL, O_NONBLOCK);
}

int
session_become(const struct settings *s, const struct options *o, int conn)
{
	char path[PROCESS_PATH_MAX], peer[ADDR_TEXT_MAX];
	struct start st;
	int sv[2], fd;

	if (connected_socket(conn, peer) == -1)
		return EXIT_OS;
	if ((fd = fcntl(conn, F_DUPFD_CLOEXEC, PRIV_FD_COUNT)) == -1 ||
	    detach_standard(fd) == -1 || privmsg_pair(sv) != 0 ||
	    program_path(path, sizeof(path)) != 0) {
		log_error("--listen-fd %d: %s", conn, strerror(errno));
		return EXIT_OS;
	}
	session_prepare(&s->conf, fd);
	st = describe(s, o, PRIV_XK, peer);
	if (start_send(sv[0], &st) == 0) {
		close(sv[0]);
		become_monitor(path, fd, sv[1]);
	}
	log_error("%s: %s", path, strerror(errno));
	return EXIT_OS;
}
