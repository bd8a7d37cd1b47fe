/* SPDX-License-Identifier: ISC */
/* Giving a connection its monitor. */
#include "daemon/skyptyd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/paths.h"
#include "common/base/process.h"
#include "common/base/tcp.h"
#include "common/privsep/start.h"

/* After whatever it runs, before the listener. */
#define OOM_MONITOR (-500)

/* Nothing waits for more to come, and a dead peer is noticed. */
void
monitor_prepare(const struct config *conf, int fd)
{
	tcp_keep_alive(fd, (int)conf->tcp_keepalive);
}

static int
monitors_path(char *path, size_t len, enum priv_carrier carrier)
{
	return process_companion(path, len,
	    carrier == PRIV_DMSG ? "skyptyd-dmsg-monitor" : "skyptyd-monitor",
	    "../libexec/skypty", LIBEXECDIR);
}

uint64_t
monitor_new_id(void)
{
	uint64_t id;

	do
		arc4random_buf(&id, sizeof(id));
	while (id == 0);
	return id;
}

static struct start
monitors_describe(const struct settings *s, const struct skyptyd_options *o,
    const struct monitor_for *what)
{
	uint8_t flags = (uint8_t)((s->drop ? PRIV_DROP : 0) |
	    (s->conf.best_effort ? PRIV_BEST_EFFORT : 0));

	return (struct start){ .carrier = what->carrier,
		.log_level = (uint8_t)o->log_level,
		.use_syslog = o->syslog,
		.log_format = (uint8_t)s->conf.log_format,
		.quiet = what->quiet,
		.oom_score = o->oom_score > 0 ? (uint16_t)o->oom_score : 0,
		.id = what->id,
		.handshake_timeout = (uint16_t)s->conf.handshake_timeout,
		.welcome = flags,
		.uid = s->uid,
		.gid = s->gid,
		.cligroup = s->cligroup,
		.peer = (char *)(uintptr_t)what->peer,
		.conf = s->conf_path,
		.chroot_dir = (char *)(uintptr_t)CHROOT_DIR,
		.sftp_server = s->sftp_server,
		.sftp_readonly = s->conf.sftp_readonly,
		.sftp_log = (uint8_t)s->conf.sftp_log,
		.accept_env = s->conf.accept_env,
		.record = s->record,
		.record_all = *s->conf.record != '\0',
		.pam = s->pam,
		.require_pq = s->conf.require_pq,
		.max_jobs = s->conf.max_jobs,
		.job_output = s->conf.job_output,
		.job_age = s->conf.job_age,
		.job_dir = s->conf.job_dir,
		.permitopen = s->conf.permitopen,
		.permitlisten = s->conf.permitlisten,
		.dmsgport = s->conf.dmsgport,
		.dmsgsessions = s->conf.dmsgsessions,
		.dmsgdisc = s->conf.dmsgdisc,
		.dmsg_servers = s->dmsg_servers,
		.authorized = s->authorized,
		.authorized_given = s->conf.given & CONFIG_AUTHORIZED,
		.revoked = s->revoked,
		.revoked_given = s->conf.given & CONFIG_REVOKED,
		.sk = what->carrier == PRIV_CONTROL ? NULL : s->conf.sk,
		.pk = s->pk,
		.wl = s->wl,
		.nwl = s->nwl };
}

static void
become_monitor(const char *path, const struct skyptyd_options *o, int conn,
    int peer)
{
	const char *argv[] = { strrchr(path, '/') + 1, NULL };
	const struct process_program program = { .path = path,
		.argv = argv,
		.fd = { conn, peer },
		.nfd = 2,
		.own_stdio = true,
		/* What the listener raised is not for sessions. */
		.nofile = &o->nofile };

	if (geteuid() == 0)
		process_set_oom_score(OOM_MONITOR);
	process_become(&program);
}

/* Strangers may bring it about as often as they come. */
static void
tell_failure(const struct monitor_for *what)
{
	if (!what->quiet)
		log_error("cannot start a monitor: %s", strerror(errno));
}

int
monitor_spawn(const struct settings *s, const struct skyptyd_options *o,
    int conn, const struct monitor_for *what, pid_t *pid, int *sock)
{
	struct start st = monitors_describe(s, o, what);
	sigset_t all, before;
	char path[PROCESS_PATH_MAX];
	int sv[2], r;

	*pid = 0;
	if (monitors_path(path, sizeof(path), what->carrier) != 0 ||
	    privmsg_pair(sv) != 0) {
		tell_failure(what);
		return -1;
	}
	/* limits.c may signal the new process at any time from now on. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	if ((r = process_fork(pid)) == 0) {
		become_monitor(path, o, conn, sv[1]);
		log_error("%s: %s", path, strerror(errno));
		_exit(127);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(sv[1]);
	if (r == -1 || start_send(sv[0], &st) != 0) {
		/* A monitor that hears nothing ends. */
		tell_failure(what);
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

/* A stream that has an address of its own and nobody at the other end. */
static bool
peer_has_gone(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	int listening = 1;

	if (!tcp_is_stream(fd) ||
	    getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return false;
	len = sizeof(listening);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == -1)
		return false;
	/* sin_port and sin6_port lie in the same place. */
	return !listening &&
	    (ss.ss_family == AF_INET || ss.ss_family == AF_INET6) &&
	    ((struct sockaddr_in *)&ss)->sin_port != 0;
}

/* 1, 0 if whoever has called hung up before we came to it, or -1, logged. */
static int
connected_socket(int fd, char *peer)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getpeername(fd, (struct sockaddr *)&ss, &len) == -1) {
		if (errno == ENOTCONN && peer_has_gone(fd)) {
			log_debug("--listen-fd %d: the peer has gone", fd);
			return 0;
		}
		log_error("--listen-fd %d: not a connected socket: %s", fd,
		    strerror(errno));
		return -1;
	}
	/* To another it could send what is meant for nobody. */
	if (!tcp_is_stream(fd) || tcp_settle(fd) == -1) {
		log_error("--listen-fd %d: not a connected stream of TCP or "
			  "of this machine",
		    fd);
		return -1;
	}
	addr_text((struct sockaddr *)&ss, len, peer);
	return fcntl(fd, F_SETFL, O_NONBLOCK) == 0 ? 1 : -1;
}

int
monitor_become(const struct settings *s, const struct skyptyd_options *o,
    int conn)
{
	char path[PROCESS_PATH_MAX], peer[ADDR_TEXT_MAX];
	struct monitor_for what = { .carrier = PRIV_XK,
		.peer = peer,
		.id = monitor_new_id() };
	struct start st;
	int sv[2], fd, r;

	if ((r = connected_socket(conn, peer)) != 1)
		return r == 0 ? 0 : EXIT_OS;
	if ((fd = fcntl(conn, F_DUPFD_CLOEXEC, PRIV_FD_COUNT)) == -1 ||
	    detach_standard(fd) == -1 || privmsg_pair(sv) != 0 ||
	    monitors_path(path, sizeof(path), what.carrier) != 0) {
		log_error("--listen-fd %d: %s", conn, strerror(errno));
		return EXIT_OS;
	}
	monitor_prepare(&s->conf, fd);
	st = monitors_describe(s, o, &what);
	if (start_send(sv[0], &st) == 0) {
		close(sv[0]);
		become_monitor(path, o, fd, sv[1]);
	}
	log_error("%s: %s", path, strerror(errno));
	return EXIT_OS;
}
