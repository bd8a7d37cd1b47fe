/* SPDX-License-Identifier: ISC */
/* Starting shells and commands as the session's user. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/process.h"
#include "monitor/account.h"
#include "monitor/cage.h"
#include "monitor/command.h"
#include "monitor/env.h"
#include "monitor/monitor.h"
#include "monitor/spawn.h"

#define START_LIMIT  10000  /* milliseconds for becoming the command */
#define START_MAX    120000 /* the same, with those spent in line for a CPU */
#define START_STEP   250
#define USUAL_NOFILE 1024
#define USUAL_UMASK  022
#define ERROR_FD     3 /* where a new process says why it could not start */

/* What a new process that could not become the command says. */
struct spawn_failure {
	bool lookup; /* no such command in PATH, rather than a failed call */
	int error;
};

static bool
spawn_is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & 0111) != 0 && access(path, X_OK) == 0;
}

/* The first program of that name along path, into file. */
static bool
spawn_look_up(const char *name, const char *path, char *file, size_t len)
{
	size_t n;

	for (; *path != '\0'; path += n + (path[n] == ':')) {
		n = strcspn(path, ":");
		if (snprintf(file, len, "%.*s/%s", (int)n, path, name) <
			(int)len &&
		    spawn_is_program(file))
			return true;
	}
	return false;
}

/* What SHELL says, which the client may have changed, named as by login(1). */
static void
spawn_execute_shell(char **env)
{
	const char *shell = env_get(env, "SHELL"), *name;
	char title[PATH_MAX];
	char *argv[] = { title, NULL };

	name = strrchr(shell, '/');
	snprintf(title, sizeof(title), "-%s", name != NULL ? name + 1 : shell);
	execve(shell, argv, env);
}

static void
spawn_execute(const struct command *c, const char *path, char **env,
    struct spawn_failure *f)
{
	char file[PATH_MAX];
	const char *program = c->name;

	if (strchr(c->name, '/') == NULL) {
		if (*c->name == '\0' || strcmp(c->name, ".") == 0 ||
		    strcmp(c->name, "..") == 0 ||
		    !spawn_look_up(c->name, path, file, sizeof(file))) {
			f->lookup = true;
			return;
		}
		program = file;
	}
	execve(program, c->argv, env);
}

/* Puts fd where it belongs; -1 stands for /dev/null. */
static int
spawn_place_fd(int fd, int where)
{
	int r;

	if (fd != -1)
		return dup2(fd, where);
	if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		return -1;
	r = dup2(fd, where);
	close(fd);
	return r;
}

static int
spawn_arrange_fds(const struct spawn *s, int error)
{
	if (spawn_place_fd(s->in, 0) == -1 || spawn_place_fd(s->out, 1) == -1 ||
	    spawn_place_fd(s->err, 2) == -1 || dup2(error, ERROR_FD) == -1 ||
	    fcntl(ERROR_FD, F_SETFD, FD_CLOEXEC) == -1)
		return -1;
	closefrom(ERROR_FD + 1);
	return 0;
}

/*
 * What the service runs with is not what a login has: neither the room it was
 * given nor the protection of the kernel's memory killer.  Limits are those of
 * process 1; its own descriptors and locked memory a service manager may have
 * raised, so that the usual soft limit stands in for the first.
 */
static void
spawn_reset_limits(void)
{
	struct rlimit rl;

	for (int i = 0; i < (int)RLIM_NLIMITS; i++)
		if (i != RLIMIT_NOFILE && i != RLIMIT_MEMLOCK &&
		    prlimit(1, (__rlimit_resource_t)i, NULL, &rl) == 0)
			(void)setrlimit((__rlimit_resource_t)i, &rl);
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur > USUAL_NOFILE) {
		rl.rlim_cur = USUAL_NOFILE;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
}

static void
spawn_become(const struct spawn *s, const struct passwd *pw, char **env,
    int error)
{
	struct spawn_failure f = { 0 };
	bool arranged;
	ssize_t n;

	umask(USUAL_UMASK);
	spawn_reset_limits();
	arranged = setsid() != -1 &&
	    (s->cage == NULL || cage_build(s->cage) != -1) &&
	    spawn_arrange_fds(s, error) != -1;
	if (arranged && (s->tty == NULL || ioctl(0, TIOCSCTTY, 0) != -1) &&
	    account_become(pw) != -1 && (s->cage == NULL || chdir("/") != -1)) {
		process_reset_signals();
		if (s->login)
			spawn_execute_shell(env);
		else
			spawn_execute(s->cmd, env_path(pw), env, &f);
	}
	f.error = errno;
	n = write(arranged ? ERROR_FD : error, &f, sizeof(f));
	_exit(n == sizeof(f) ? 127 : 126);
}

/* Go's spelling of an error begins with a small letter. */
static void
spawn_describe(const struct spawn_failure *f, const char *name, char *why,
    size_t len)
{
	char text[256];

	if (f->lookup) {
		snprintf(why, len,
		    "exec: \"%s\": executable file not found in $PATH", name);
		return;
	}
	snprintf(text, sizeof(text), "%s", strerror(f->error));
	text[0] = (char)tolower((unsigned char)text[0]);
	snprintf(why, len, "fork/exec %s: %s", name, text);
}

/* Whether it runs, or would with a processor; no for what /proc hides. */
static bool
spawn_is_running(pid_t pid)
{
	char path[32], text[512];
	const char *name;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	/* pid (name) state ...: the name may have anything in it. */
	return (name = strrchr(text, ')')) != NULL &&
	    strncmp(name, ") R", 3) == 0;
}

/*
 * Waits until the new process has become the command, or hears why not.  A
 * file system that hangs is not waited for: it would hold the connection.  A
 * machine that has too much to do is.
 */
static bool
spawn_started(int fd, pid_t pid, struct spawn_failure *f)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int hung = 0, all = 0, r;

	while (
	    (r = poll(&p, 1, START_STEP)) == 0 || (r == -1 && errno == EINTR)) {
		all += START_STEP;
		if (!spawn_is_running(pid))
			hung += START_STEP;
		if (hung >= START_LIMIT || all >= START_MAX)
			break;
	}
	f->error = ETIMEDOUT;
	return r == 1 && read(fd, f, sizeof(*f)) != sizeof(*f);
}

/* One that hangs in the kernel dies when it gets out of there. */
static void
spawn_abandon(struct monitor *m, pid_t pid)
{
	(void)process_signal(pid, SIGKILL);
	for (size_t i = 0; i < MON_ABANDONED_MAX; i++)
		if (m->abandoned[i] == 0) {
			m->abandoned[i] = pid;
			spawn_reap(m);
			return;
		}
	half_die(&m->half, "too many programs hang as they are started");
}

void
spawn_reap(struct monitor *m)
{
	for (size_t i = 0; i < MON_ABANDONED_MAX; i++)
		if (m->abandoned[i] != 0 &&
		    waitpid(m->abandoned[i], NULL, WNOHANG) != 0)
			m->abandoned[i] = 0;
}

static int
spawn_for(struct monitor *m, const struct spawn *s, const struct passwd *pw,
    char **env, pid_t *pid, char *why, size_t len)
{
	const char *name = s->login ? env_get(env, "SHELL") : s->cmd->name;
	struct spawn_failure f = { 0 };
	int p[2], r;

	if (pipe2(p, O_CLOEXEC) == -1) {
		f.error = errno;
		spawn_describe(&f, name, why, len);
		return 0;
	}
	if ((r = process_fork(pid)) == 0) {
		process_set_oom_score(m->half.start.oom_score);
		spawn_become(s, pw, env, p[1]);
	}
	f.error = errno;
	close(p[1]);
	if (r == 1 && spawn_started(p[0], *pid, &f)) {
		close(p[0]);
		return 1;
	}
	close(p[0]);
	if (r == 1)
		spawn_abandon(m, *pid);
	*pid = 0;
	spawn_describe(&f, name, why, len);
	return 0;
}

int
spawn(struct monitor *m, const struct spawn *s, pid_t *pid, char *why,
    size_t len)
{
	const struct passwd *pw = &m->account;
	char **env;
	int ok;

	*pid = 0;
	if (pw->pw_name == NULL && account_set(m, NULL, why, len) != 0)
		return 0;
	if ((env = env_login(pw, &m->origin, s->tty, s->cmd->env)) == NULL) {
		snprintf(why, len, "out of memory");
		return 0;
	}
	ok = spawn_for(m, s, pw, env, pid, why, len);
	env_free(env);
	return ok;
}
