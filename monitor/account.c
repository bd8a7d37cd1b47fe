/* SPDX-License-Identifier: ISC */
/*
 * Whom a session runs as: whether anybody may log in to that account, and the
 * way from root to it.  The account that skyptyd runs as is not asked about:
 * whoever has a session without another one is that already.
 */
#include "monitor/account.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <shadow.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "monitor/monitor.h"

#define A_DAY	    (24L * 60 * 60)
#define LOCKED	    '!' /* sshd on Linux: usermod -L; '*' is no password */
#define NOTICE_MAX  256 /* bytes of nologin that are told */
#define LONGEST_WHY 512

static const char *const nologin[] = { "/etc/nologin", "/run/nologin" };
static const char *const not_shells[] = { "nologin", "false" };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *
account_shell(const struct passwd *pw)
{
	return *pw->pw_shell != '\0' ? pw->pw_shell : "/bin/sh";
}

__attribute__((format(printf, 3, 4))) static bool
account_refuse(char *why, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, len, fmt, ap);
	va_end(ap);
	return false;
}

/* sshd's auth_shadow_acctexpired() and auth_shadow_pwexpired(). */
static bool
account_is_current(const struct passwd *pw, char *why, size_t len)
{
	const struct spwd *sp = getspnam(pw->pw_name);
	const char *password = sp != NULL ? sp->sp_pwdp : pw->pw_passwd;
	long today = (long)(time(NULL) / A_DAY);

	if (password != NULL && *password == LOCKED)
		return account_refuse(why, len, "the account %s is locked",
		    pw->pw_name);
	if (sp == NULL)
		return true;
	if (sp->sp_expire != -1 && sp->sp_expire < today)
		return account_refuse(why, len, "the account %s has expired",
		    pw->pw_name);
	if (sp->sp_lstchg == 0 ||
	    (sp->sp_max != -1 && sp->sp_lstchg + sp->sp_max < today))
		return account_refuse(why, len,
		    "the password of %s has expired: it must be changed on "
		    "the host first",
		    pw->pw_name);
	return true;
}

/* One line of what the file says, if it says anything. */
static void
account_read_notice(int fd, char text[NOTICE_MAX])
{
	ssize_t n = read(fd, text, NOTICE_MAX - 1);

	n = n < 0 ? 0 : n;
	while (n > 0 && isspace((unsigned char)text[n - 1]))
		n--;
	text[n] = '\0';
	for (char *p = text; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p))
			*p = ' ';
}

/* nologin(5): a file that cannot be read keeps people out as well. */
static bool
account_are_logins_open(char *why, size_t len)
{
	char text[NOTICE_MAX] = "";
	struct stat st;
	int fd;

	for (size_t i = 0; i < COUNT(nologin); i++) {
		if (stat(nologin[i], &st) == -1 && errno == ENOENT)
			continue;
		fd = open(nologin[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd != -1) {
			account_read_notice(fd, text);
			close(fd);
		}
		return account_refuse(why, len,
		    "nobody but root may log in now (%s)%s%s", nologin[i],
		    *text != '\0' ? ": " : "", text);
	}
	return true;
}

static bool
account_has_shell(const struct passwd *pw, char *why, size_t len)
{
	const char *shell = account_shell(pw), *name = strrchr(shell, '/');
	struct stat st;

	for (size_t i = 0; i < COUNT(not_shells); i++)
		if (strcmp(name != NULL ? name + 1 : shell, not_shells[i]) == 0)
			return account_refuse(why, len,
			    "nobody may log in as %s: its shell is %s",
			    pw->pw_name, shell);
	if (stat(shell, &st) == -1)
		return account_refuse(why, len,
		    "nobody can log in as %s: its shell %s does not exist",
		    pw->pw_name, shell);
	if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
		return account_refuse(why, len,
		    "nobody can log in as %s: its shell %s is no program",
		    pw->pw_name, shell);
	return true;
}

static bool
account_is_open(const struct passwd *pw, char *why, size_t len)
{
	uid_t own = geteuid();

	if (pw->pw_uid == own)
		return true;
	if (own != 0)
		return account_refuse(why, len,
		    "nobody becomes %s here: skyptyd does not run as root",
		    pw->pw_name);
	return account_is_current(pw, why, len) &&
	    account_are_logins_open(why, len) &&
	    account_has_shell(pw, why, len);
}

static const struct passwd *
account_look_up(const char *name, char *why, size_t len)
{
	const struct passwd *pw =
	    name != NULL ? getpwnam(name) : getpwuid(geteuid());

	if (pw != NULL)
		return pw;
	if (name != NULL)
		(void)account_refuse(why, len, "there is no account %s", name);
	else
		(void)account_refuse(why, len, "no account has uid %lu",
		    (unsigned long)geteuid());
	return NULL;
}

static int
account_copy(struct passwd *to, const struct passwd *from)
{
	struct passwd pw = { .pw_uid = from->pw_uid, .pw_gid = from->pw_gid };

	if ((pw.pw_name = strdup(from->pw_name)) != NULL &&
	    (pw.pw_passwd = strdup(from->pw_passwd)) != NULL &&
	    (pw.pw_dir = strdup(from->pw_dir)) != NULL &&
	    (pw.pw_shell = strdup(from->pw_shell)) != NULL) {
		account_free(to);
		*to = pw;
		return 0;
	}
	account_free(&pw);
	return SKY_ERR_NOMEM;
}

int
account_set(struct monitor *m, const char *name, char *why, size_t len)
{
	char text[LONGEST_WHY] = "";
	const struct passwd *pw = account_look_up(name, text, sizeof(text));
	struct passwd its = { 0 };
	int r = SKY_ERR_NOTFOUND;

	/* What getpwnam() has given lasts until the next look-up. */
	if (pw != NULL && (r = account_copy(&its, pw)) != 0)
		(void)account_refuse(text, sizeof(text), "out of memory");
	if (r == 0 && !account_is_open(&its, text, sizeof(text)))
		r = SKY_ERR_DENIED;
	if (r == 0) {
		account_free(&m->account);
		m->account = its;
		return 0;
	}
	account_free(&its);
	snprintf(why, len, "%s", text);
	return r;
}

void
account_free(struct passwd *pw)
{
	free(pw->pw_name);
	free(pw->pw_passwd);
	free(pw->pw_dir);
	free(pw->pw_shell);
	memset(pw, 0, sizeof(*pw));
}

/* As setuid(2) has it, a system that lets us back has not let us go. */
static bool
account_is_left(const struct passwd *pw)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (getresuid(&r, &e, &s) == -1 || getresgid(&rg, &eg, &sg) == -1)
		return false;
	if (r != pw->pw_uid || e != r || s != r)
		return false;
	if (r == 0)
		return true; /* root can do what it likes */
	return setuid(0) == -1 && seteuid(0) == -1 &&
	    (pw->pw_gid == 0 || (setgid(0) == -1 && setegid(0) == -1)) &&
	    (geteuid() != 0 && rg == eg && sg == eg);
}

int
account_join(const struct passwd *pw)
{
	return geteuid() != 0 ? 0 : initgroups(pw->pw_name, pw->pw_gid);
}

/*
 * What is in our memory stays ours: where the kernel lets a process be looked
 * into that has changed its user (fs.suid_dumpable), it is told not to.
 */
int
account_become(const struct passwd *pw)
{
	if (geteuid() == 0 &&
	    (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
		setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1))
		return -1;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return -1;
	if (!account_is_left(pw)) {
		errno = EPERM;
		return -1;
	}
	return chdir(pw->pw_dir) == -1 && chdir("/") == -1 ? -1 : 0;
}
