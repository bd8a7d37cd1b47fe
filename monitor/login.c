/* SPDX-License-Identifier: ISC */
/*
 * What is done around a session as root.  It is done in the session's own
 * process and not in the monitor: what a module of PAM gives goes to whoever
 * calls it (limits, audit session, cgroup, context), and one that hangs or
 * crashes takes along nothing but a session that has not begun.  What must be
 * undone is left to the closer, a copy of that process that waits for its end;
 * so it is undone also when the monitor has been killed.
 */
#include "monitor/login.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/process.h"
#include "monitor/account.h"
#include "monitor/origin.h"
#include "monitor/pam_login.h"

#define MOTD	 "/etc/motd"
#define MOTD_MAX 32768 /* a terminal takes that much before it is read */
#define HUSH	 ".hushlogin"

/* --- the closer --- */

/* What modules have open stays open: pam_systemd's end of a session is one. */
static void
login_leave_fds(int kept)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++)
		if (null == -1 || dup2(null, fd) == -1)
			close(fd);
	for (int fd = 3; fd < kept; fd++)
		close(fd);
	if (null >= kept)
		close(null);
}

/*
 * A limit for the size of files that PAM has set is for the user's, and not for
 * the records.  Who may not lift it gets an error, and no signal.
 */
static bool
login_lift_limit(struct rlimit *its)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	return getrlimit(RLIMIT_FSIZE, its) == 0 &&
	    setrlimit(RLIMIT_FSIZE, &none) == 0;
}

static void
login_undo(struct login *s)
{
	alarm(LOGIN_PAM_S); /* a module that hangs ends us */
	records_logout(&s->record);
	if (s->pam != NULL)
		pam_login_close(s->pam);
}

__attribute__((noreturn)) static void
login_close_later(struct login *s, int leader, int kept)
{
	struct pollfd p = { .fd = leader, .events = POLLIN };

	login_leave_fds(kept);
	setproctitle("-skyptyd: closer %s", s->pw->pw_name);
	while (poll(&p, 1, -1) == -1 && errno == EINTR)
		;
	login_undo(s);
	_exit(0);
}

/* Before there is one: who ends the session's group does not meet it. */
static int
login_leave_session(void *arg)
{
	struct rlimit its;

	login_lift_limit(&its);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	(void)setsid();
	return 0;
}

/*
 * The closer is nobody's child: whoever the session is would be told of its
 * end otherwise.
 */
static int
login_start_closer(struct login *s, int kept)
{
	int leader = process_pidfd(getpid()), r;

	if (leader == -1)
		return SKY_ERR_SYS;
	if ((r = process_fork_orphan(login_leave_session, NULL)) == 0)
		login_close_later(s, leader, kept);
	close(leader);
	return r == 1 ? 0 : SKY_ERR_SYS;
}

/* --- the beginning --- */

static struct pam_wish
login_wish(const struct login *s)
{
	return (struct pam_wish){ .user = s->pw->pw_name,
		.tty = s->tty,
		.host = s->origin->host,
		.connection = s->origin->connection,
		.pk = s->origin->pk };
}

static int
login_take_groups(const struct login *s, char *why, size_t len)
{
	if (account_join(s->pw) == 0)
		return 0;
	snprintf(why, len, "groups of %s: %s", s->pw->pw_name, strerror(errno));
	return SKY_ERR_SYS;
}

/*
 * Whose session it is, for the kernel's audit and for last(1), as pam_loginuid
 * says it.  Where it may not be said it is nobody's.
 */
static void
login_set_audit(uid_t uid)
{
	int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return;
	(void)dprintf(fd, "%lu", (unsigned long)uid);
	close(fd);
}

static bool
login_record(struct login *s)
{
	struct rlimit its;
	bool lifted = login_lift_limit(&its);

	records_login(&s->record, &s->last, s->pw, s->origin, s->tty,
	    s->warning, sizeof(s->warning));
	signal(SIGXFSZ, SIG_DFL);
	return !lifted || setrlimit(RLIMIT_FSIZE, &its) == 0;
}

int
login_join(const struct login *s, char *why, size_t len)
{
	const struct pam_wish w = login_wish(s);
	int r;

	if (geteuid() != 0)
		return 0;
	if ((r = login_take_groups(s, why, len)) == 0 && s->use_pam)
		r = pam_login_check(&w, why, len);
	return r;
}

int
login_open(struct login *s, int kept, char *why, size_t len)
{
	const struct pam_wish w = login_wish(s);
	int r;

	if (geteuid() != 0)
		return 0;
	if ((r = login_take_groups(s, why, len)) != 0)
		return r;
	if (s->use_pam && (r = pam_login_open(&s->pam, &w, why, len)) != 0)
		return r;
	if (!s->use_pam)
		login_set_audit(s->pw->pw_uid);
	if (s->tty != NULL && !login_record(s)) {
		snprintf(why, len, "limits of %s: %s", s->pw->pw_name,
		    strerror(errno));
		r = SKY_ERR_SYS;
	} else if (s->pam == NULL && !s->record.written) {
		return 0;
	} else if ((r = login_start_closer(s, kept)) == 0) {
		return 0;
	} else {
		snprintf(why, len, "no process for the end of the session: %s",
		    strerror(errno));
	}
	login_undo(s);
	return r;
}

char *const *
login_env(const struct login *s)
{
	return s->pam != NULL ? pam_login_env(s->pam) : NULL;
}

/* --- the greeting --- */

static void
login_tell_last(const struct record_last *last)
{
	time_t when = (time_t)last->when;
	char text[64];

	if (last->when == 0 || ctime_r(&when, text) == NULL)
		return;
	text[strcspn(text, "\n")] = '\0';
	printf("Last login: %s%s%s\n", text,
	    *last->host != '\0' ? " from " : "", last->host);
}

static void
login_tell_motd(void)
{
	char text[4096];
	size_t n, all = 0;
	FILE *f = fopen(MOTD, "re");

	if (f == NULL)
		return;
	while (all < MOTD_MAX && (n = fread(text, 1, sizeof(text), f)) > 0) {
		(void)fwrite(text, 1, n, stdout);
		all += n;
	}
	fclose(f);
}

void
login_greet(const struct login *s)
{
	char hush[4096];
	struct stat st;

	if (access(s->pw->pw_dir, X_OK) == -1)
		printf("Could not chdir to home directory %s: %s\n",
		    s->pw->pw_dir, strerror(errno));
	(void)fflush(stdout);
	(void)snprintf(hush, sizeof(hush), "%s/" HUSH, s->pw->pw_dir);
	if (stat(hush, &st) == 0)
		return;
	if (s->pam != NULL)
		fputs(pam_login_said(s->pam), stdout);
	login_tell_last(&s->last);
	if (s->pam == NULL)
		login_tell_motd();
	(void)fflush(stdout);
}
