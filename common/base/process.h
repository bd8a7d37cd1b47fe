/* SPDX-License-Identifier: ISC */
/* What every program that starts another one needs. */
#ifndef COMMON_BASE_PROCESS_H
#define COMMON_BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#define PROCESS_PATH_MAX 1280 /* enough for process_companion */

/*
 * Path of a program that belongs to the running one: beside it, as in the
 * build tree; else in a folder relative to its own ("../libexec/skypty"), as
 * installed below any prefix; else in the folder built in.  The first that is
 * there and executable.  SKY_ERR_SYS, SKY_ERR_LIMIT, SKY_ERR_NOTFOUND.
 */
int process_companion(char *path, size_t len, const char *program,
    const char *relative, const char *built_in);
/*
 * Opens /dev/null for those of the descriptors 0, 1 and 2 that are closed, so
 * that no file or socket ever gets one of their numbers.  The first thing that
 * a program does; it ends the program if there is no /dev/null.
 */
void process_standard_fds(void);
/*
 * fork(2): 0 in the new process, 1 in the one that called, -1 with errno set.
 * *pid is the new process's in the one that called if there is a new process,
 * else 0: what is no process is never kept as one.
 */
int process_fork(pid_t *pid);
/*
 * The same for a process that is nobody's child, so that no one is told of its
 * end: 0 in it, 1 in the one that called, -1 with errno.  prepare, if there is
 * one, is called before the new process is there, on its way to it; 0, or other
 * than that with errno, and then there is none.
 */
int process_fork_orphan(int (*prepare)(void *), void *arg);
/*
 * Executes a program that is to find these descriptors, and no others: fd[i]
 * becomes PROCESS_FD_FIRST + i, -1 there is /dev/null.  For a new process,
 * whose descriptors it closes; returns only on failure, with errno.
 */
#define PROCESS_FD_FIRST 3
#define PROCESS_FDS_MAX	 4
struct process_program {
	const char *path;
	int file; /* of O_PATH in place of the path, which may be out of reach
		   * by now; else 0 */
	const char *const *argv;
	const char *const *env; /* NULL: ours */
	int fd[PROCESS_FDS_MAX];
	size_t nfd;
	bool own_stdio; /* ours; else /dev/null */
	/* Of descriptors, or NULL: set when ours, which may be beyond it, are
	 * closed. */
	const struct rlimit *nofile;
};
void process_become(const struct process_program *);
/*
 * Our own readiness to be killed when memory is short, -1000 to 1000, as
 * proc(5) has it; 0 where it cannot be read.  A lesser one only root can set.
 */
int process_oom_score(void);
void process_set_oom_score(int);
/*
 * The only ways of this tree to signal another process.  pid is a child of the
 * caller's that has not been waited for, or that group's leader; anything else,
 * 0, -1 and 1 among it, is refused with -1 and ESRCH.  A child that has ended
 * keeps its number until it is waited for, so that nobody else can be meant.
 */
int process_signal(pid_t pid, int sig);
int process_signal_group(pid_t leader, int sig);
/*
 * For who is not the leader's parent but knows, by a pidfd, that it runs still
 * and so keeps its number.
 */
int process_signal_orphans(pid_t leader, int sig);
/*
 * A descriptor that is readable once the process has ended, and closed on exec.
 * -1 with errno.
 */
int process_pidfd(pid_t pid);
/* Stops the caller's own process group, as ^Z at the terminal does. */
void process_suspend(void);
/*
 * Whether whoever started us wants this signal ignored, as nohup(1) does: asked
 * before it is caught.
 */
bool process_ignores(int sig);
/* Default actions and an empty mask: what a new program expects. */
void process_reset_signals(void);

/*
 * SIGPIPE, and what a terminal sends to all of us but means for skyptyd: SIGHUP
 * and SIGINT.
 */
void process_ignore_signals(void);

#endif
