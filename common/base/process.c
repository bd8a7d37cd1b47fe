/* SPDX-License-Identifier: ISC */
/*
 * Starting and signalling other programs: where they are, a clean slate for
 * their signals, and whom a signal may reach.
 */
#include "common/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/err.h"

/* Facts: asm-generic/unistd.h; the number is the same everywhere. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#define OOM_SCORE "/proc/self/oom_score_adj"
#define SELF_MAX  1024 /* a longer path is cut and nothing found there */

/* The folder of the running program, without a slash at its end. */
static int
own_folder(char *folder, size_t len)
{
	char *slash;
	ssize_t n;

	if ((n = readlink("/proc/self/exe", folder, len - 1)) == -1)
		return SKY_ERR_SYS;
	folder[n] = '\0';
	if ((slash = strrchr(folder, '/')) == NULL)
		return SKY_ERR_FORMAT;
	*slash = '\0';
	return 0;
}

/* One place to look in; relative may be "". */
static int
try_folder(char *path, size_t len, const char *folder, const char *relative,
    const char *program)
{
	int n = snprintf(path, len, "%s/%s%s%s", folder, relative,
	    *relative != '\0' ? "/" : "", program);

	if (n < 0 || (size_t)n >= len)
		return SKY_ERR_LIMIT;
	return access(path, X_OK) == 0 ? 0 : SKY_ERR_NOTFOUND;
}

int
process_companion(char *path, size_t len, const char *program,
    const char *relative, const char *built_in)
{
	char self[SELF_MAX];
	int r;

	if ((r = own_folder(self, sizeof(self))) != 0)
		return r;
	if ((r = try_folder(path, len, self, "", program)) !=
		SKY_ERR_NOTFOUND ||
	    (r = try_folder(path, len, self, relative, program)) !=
		SKY_ERR_NOTFOUND)
		return r;
	return try_folder(path, len, built_in, "", program);
}

void
process_standard_fds(void)
{
	/* The lowest free number is what open() gives. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDWR) != fd)
			_exit(EXIT_FAILURE);
}

int
process_fork(pid_t *pid)
{
	pid_t p = fork();

	*pid = p > 0 ? p : 0;
	return p > 0 ? 1 : (int)p;
}

int
process_fork_orphan(int (*prepare)(void *), void *arg)
{
	pid_t pid;
	int status, r;

	if ((r = process_fork(&pid)) == -1)
		return -1;
	if (r == 0) {
		if (prepare != NULL && prepare(arg) != 0)
			_exit(errno & 0xff);
		if ((r = process_fork(&pid)) == 0)
			return 0;
		_exit(r == -1 ? (errno & 0xff) : 0);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 1;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EAGAIN;
	return -1;
}

/* Out of the way of the fixed numbers, which are below end. */
static int
process_lift(int fd, int end)
{
	if (fd == -1 && (fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		return -1;
	return fcntl(fd, F_DUPFD_CLOEXEC, end);
}

/* A sanitizer's last words go where ours go. */
static int
process_null_stdio(void)
{
	int null = open("/dev/null", O_RDWR);

	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1)
		return -1;
	return SKYPTY_SANITIZE ? 0 : dup2(null, STDERR_FILENO);
}

void
process_become(const struct process_program *p)
{
	/* exec(2) changes neither; it only lacks the const. */
	char **argv = (char **)(uintptr_t)p->argv;
	char **env = p->env != NULL ? (char **)(uintptr_t)p->env : environ;
	int n = (int)p->nfd, end = PROCESS_FD_FIRST + n + 1;
	int fd[PROCESS_FDS_MAX], file = -1;

	for (int i = 0; i < n; i++)
		if ((fd[i] = process_lift(p->fd[i], end)) == -1)
			return;
	if (p->file != 0 && (file = process_lift(p->file, end)) == -1)
		return;
	if (!p->own_stdio && process_null_stdio() == -1)
		return;
	for (int i = 0; i < n; i++)
		if (dup2(fd[i], PROCESS_FD_FIRST + i) == -1)
			return;
	if (file != -1 && dup3(file, end - 1, O_CLOEXEC) == -1)
		return;
	closefrom(file != -1 ? end : end - 1);
	if (p->nofile != NULL)
		(void)setrlimit(RLIMIT_NOFILE, p->nofile);
	process_reset_signals();
	if (file != -1)
		fexecve(end - 1, argv, env);
	else
		execve(p->path, argv, env);
}

int
process_oom_score(void)
{
	char text[16] = "";
	int fd = open(OOM_SCORE, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return 0;
	if (read(fd, text, sizeof(text) - 1) == -1)
		*text = '\0';
	close(fd);
	return (int)strtol(text, NULL, 10);
}

void
process_set_oom_score(int score)
{
	int fd = open(OOM_SCORE, O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return;
	(void)dprintf(fd, "%d", score);
	close(fd);
}

static bool
process_is_child(pid_t pid)
{
	siginfo_t si;

	return pid > 1 &&
	    waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0;
}

int
process_signal(pid_t pid, int sig)
{
	if (!process_is_child(pid)) {
		errno = ESRCH;
		return -1;
	}
	return kill(pid, sig);
}

int
process_signal_group(pid_t leader, int sig)
{
	if (!process_is_child(leader)) {
		errno = ESRCH;
		return -1;
	}
	return kill(-leader, sig);
}

int
process_signal_orphans(pid_t leader, int sig)
{
	if (leader <= 1) {
		errno = ESRCH;
		return -1;
	}
	return kill(-leader, sig);
}

int
process_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0U);
}

void
process_suspend(void)
{
	(void)kill(0, SIGTSTP);
}

bool
process_ignores(int sig)
{
	struct sigaction sa;

	return sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
}

void
process_reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
process_ignore_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
}
