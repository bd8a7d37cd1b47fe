/* SPDX-License-Identifier: ISC */
/*
 * The records of logins, as sshd writes them: who(1), w(1), last(1) and
 * lastlog(8) read them.  A file that is not there is not made.  Where there is
 * no utmp nobody is asked to keep records, and the others are left alone, too.
 */
#include "monitor/records.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <lastlog.h>
#include <paths.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utmp.h>

#include "monitor/origin.h"

#define ID_LEN sizeof(((struct utmpx *)NULL)->ut_id)

/* These fields need no NUL at their end. */
static void
records_put(char *field, size_t size, const char *text)
{
	memset(field, 0, size);
	memcpy(field, text, strnlen(text, size));
}

static void
records_put_address(struct utmpx *u, const char *host)
{
	struct in_addr in;
	struct in6_addr in6;

	if (inet_pton(AF_INET, host, &in) == 1)
		memcpy(u->ut_addr_v6, &in, sizeof(in));
	else if (inet_pton(AF_INET6, host, &in6) == 1)
		memcpy(u->ut_addr_v6, &in6, sizeof(in6));
}

static void
records_stamp(struct utmpx *u)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	u->ut_tv.tv_sec = (__typeof__(u->ut_tv.tv_sec))tv.tv_sec;
	u->ut_tv.tv_usec = (__typeof__(u->ut_tv.tv_usec))tv.tv_usec;
}

/* "pts/1", and as sshd has it the last four letters of that. */
static void
records_fill(struct utmpx *u, const struct passwd *pw,
    const struct session_origin *o, const char *tty)
{
	const char *line = strncmp(tty, _PATH_DEV, sizeof(_PATH_DEV) - 1) == 0 ?
	    tty + sizeof(_PATH_DEV) - 1 :
	    tty;
	size_t n = strlen(line);

	memset(u, 0, sizeof(*u));
	u->ut_type = USER_PROCESS;
	u->ut_pid = getpid();
	records_put(u->ut_line, sizeof(u->ut_line), line);
	records_put(u->ut_id, ID_LEN, n > ID_LEN ? line + n - ID_LEN : line);
	records_put(u->ut_user, sizeof(u->ut_user), pw->pw_name);
	records_put(u->ut_host, sizeof(u->ut_host), o->host);
	records_put_address(u, o->host);
	records_stamp(u);
}

static bool
records_write_utmp(const struct utmpx *u)
{
	bool ok;

	setutxent();
	ok = pututxline(u) != NULL;
	endutxent();
	return ok;
}

/* updwtmpx(3) does not tell, and leaves half a record on a full disk. */
static bool
records_write_wtmp(const struct utmpx *u)
{
	int fd = open(_PATH_WTMP, O_WRONLY | O_APPEND | O_CLOEXEC);
	struct stat st;
	bool ok;

	if (fd == -1)
		return errno == ENOENT;
	ok = fstat(fd, &st) == 0;
	if (ok && write(fd, u, sizeof(*u)) != sizeof(*u)) {
		ok = false;
		errno = ENOSPC;
		(void)!ftruncate(fd, st.st_size);
		errno = ENOSPC;
	}
	close(fd);
	return ok;
}

static void
records_read_last(int fd, off_t where, struct record_last *last)
{
	struct lastlog l = { 0 };

	if (pread(fd, &l, sizeof(l), where) != sizeof(l))
		return;
	last->when = l.ll_time;
	memcpy(last->tty, l.ll_line, sizeof(l.ll_line));
	memcpy(last->host, l.ll_host, sizeof(l.ll_host));
	/* Others than we write names there: none is to move the cursor. */
	for (char *p = last->host; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			*p = '?';
}

/* A file with a place for each uid; most of it is a hole. */
static bool
records_write_last(const struct utmpx *u, uid_t uid, struct record_last *last)
{
	int fd = open(_PATH_LASTLOG, O_RDWR | O_CLOEXEC);
	struct lastlog l = { 0 };
	off_t where = (off_t)uid * (off_t)sizeof(l);
	bool ok;

	_Static_assert(sizeof(last->tty) > sizeof(l.ll_line), "");
	_Static_assert(sizeof(last->host) > sizeof(l.ll_host), "");
	if (fd == -1)
		return errno == ENOENT;
	records_read_last(fd, where, last);
	l.ll_time = (__typeof__(l.ll_time))u->ut_tv.tv_sec;
	memcpy(l.ll_line, u->ut_line, sizeof(l.ll_line));
	memcpy(l.ll_host, u->ut_host, sizeof(l.ll_host));
	errno = ENOSPC;
	ok = pwrite(fd, &l, sizeof(l), where) == sizeof(l);
	close(fd);
	return ok;
}

static void
records_warn(char *warning, size_t len, const char *path)
{
	if (*warning == '\0')
		snprintf(warning, len, "%s: %s: the session is not recorded",
		    path, strerror(errno));
}

void
records_login(struct login_record *r, struct record_last *last,
    const struct passwd *pw, const struct session_origin *o, const char *tty,
    char *warning, size_t len)
{
	*warning = '\0';
	memset(r, 0, sizeof(*r));
	memset(last, 0, sizeof(*last));
	if (access(_PATH_UTMP, F_OK) == -1 && errno == ENOENT)
		return;
	records_fill(&r->entry, pw, o, tty);
	r->written = true;
	if (!records_write_utmp(&r->entry))
		records_warn(warning, len, _PATH_UTMP);
	if (!records_write_wtmp(&r->entry))
		records_warn(warning, len, _PATH_WTMP);
	if (!records_write_last(&r->entry, pw->pw_uid, last))
		records_warn(warning, len, _PATH_LASTLOG);
}

void
records_logout(const struct login_record *r)
{
	struct utmpx u = r->entry;

	if (!r->written)
		return;
	u.ut_type = DEAD_PROCESS;
	memset(u.ut_user, 0, sizeof(u.ut_user));
	memset(u.ut_host, 0, sizeof(u.ut_host));
	memset(u.ut_addr_v6, 0, sizeof(u.ut_addr_v6));
	records_stamp(&u);
	(void)records_write_utmp(&u);
	(void)records_write_wtmp(&u);
}
