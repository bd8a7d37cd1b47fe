/* SPDX-License-Identifier: ISC */
/* Starting shells and commands as the session's user. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/process.h"
#include "monitor/account.h"
#include "monitor/cage.h"
#include "monitor/command.h"
#include "monitor/env.h"
#include "monitor/monitor.h"
#include "monitor/login.h"
#include "monitor/spawn.h"

#define START_LIMIT  10000  /* milliseconds for becoming the command */
#define START_MAX    120000 /* the same, with those spent in line for a CPU */
#define START_STEP   250
#define LOGIN_LIMIT  (1000 * LOGIN_PAM_S) /* until root has done its part */
#define USUAL_NOFILE 1024
#define USUAL_UMASK  022
#define ERROR_FD     3 /* where a new process says why it could not start */
#define CAGE_FD	     (ERROR_FD + 1) /* theirs of a cage, if there is one */

#define SPAWN_TEXT_MAX 1024

/* What a new process says on its way to the command; each is one write. */
enum spawn_what {
	SPAWN_WARNING, /* the text, for the log */
	SPAWN_READY,   /* what root does is done: all that is left is execve */
	/* And in the end, if it could not become the command: */
	SPAWN_REFUSED, /* the text */
	SPAWN_LOOKUP,  /* no such command in PATH: its name is the text */
	SPAWN_FAILED   /* a call failed for the one of that name */
};

struct spawn_word {
	enum spawn_what what;
	int error; /* of SPAWN_FAILED */
	char text[SPAWN_TEXT_MAX];
};
_Static_assert(sizeof(struct spawn_word) <= PIPE_BUF, "");

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

/*
 * What SHELL says for who may choose it, or the key's line; a module of PAM may
 * not, as what it says may come from the user's own files.
 */
static const char *
spawn_shell(const struct monitor *m, const struct spawn *s)
{
	const char *chosen = env_get(s->cmd->env, "SHELL");

	return chosen != NULL ? chosen : account_shell(&m->account);
}

/* What is to be executed, as an error names it. */
static const char *
spawn_program(const struct monitor *m, const struct spawn *s)
{
	return s->login ? spawn_shell(m, s) : s->cmd->name;
}

/* Behind its words the command's file and words. */
static void
spawn_execute_keeper(const char *const *keeper, const char *program,
    char *const *argv, char **env)
{
	size_t n = 0, nargs = env_count(argv);
	const char **words;

	while (keeper[n] != NULL)
		n++;
	if ((words = calloc(n + 1 + nargs + 1, sizeof(*words))) == NULL)
		return;
	memcpy(words, keeper, n * sizeof(*words));
	words[n] = program;
	memcpy(&words[n + 1], argv, nargs * sizeof(*words));
	/* execve(2) only lacks the const. */
	execve(keeper[0], (char **)(uintptr_t)words, env);
	free(words);
}

/* Named as by login(1). */
static void
spawn_execute_shell(const struct spawn *s, const char *shell, char **env)
{
	const char *name;
	char title[PATH_MAX];
	char *argv[] = { title, NULL };

	name = strrchr(shell, '/');
	snprintf(title, sizeof(title), "-%s", name != NULL ? name + 1 : shell);
	if (s->keeper != NULL)
		spawn_execute_keeper(s->keeper, shell, argv, env);
	else
		execve(shell, argv, env);
}

static void
spawn_execute(const struct spawn *s, const char *path, char **env,
    struct spawn_word *w)
{
	const struct command *c = s->cmd;
	char file[PATH_MAX];
	const char *program = c->name;

	if (strchr(c->name, '/') == NULL) {
		if (*c->name == '\0' || strcmp(c->name, ".") == 0 ||
		    strcmp(c->name, "..") == 0 ||
		    !spawn_look_up(c->name, path, file, sizeof(file))) {
			w->what = SPAWN_LOOKUP;
			return;
		}
		program = file;
	}
	if (s->keeper != NULL)
		spawn_execute_keeper(s->keeper, program, c->argv, env);
	else
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

/* What is open from there on is not ours. */
static int
spawn_first_fd(const struct spawn *s)
{
	return s->cage != NULL ? CAGE_FD + 1 : CAGE_FD;
}

static int
spawn_arrange_fds(const struct spawn *s, int error)
{
	if (spawn_place_fd(s->in, 0) == -1 || spawn_place_fd(s->out, 1) == -1 ||
	    spawn_place_fd(s->err, 2) == -1 || dup2(error, ERROR_FD) == -1 ||
	    fcntl(ERROR_FD, F_SETFD, FD_CLOEXEC) == -1)
		return -1;
	if (s->cage != NULL &&
	    (dup2(s->cage->theirs, CAGE_FD) == -1 ||
		fcntl(CAGE_FD, F_SETFD, FD_CLOEXEC) == -1))
		return -1;
	closefrom(spawn_first_fd(s));
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

static bool
spawn_say(int fd, const struct spawn_word *w)
{
	return write(fd, w, sizeof(*w)) == sizeof(*w);
}

static void
spawn_name(struct spawn_word *w, const char *name)
{
	snprintf(w->text, sizeof(w->text), "%s", name);
}

/*
 * A monitor that is killed in this moment takes along a module that hangs.
 * What came before the session's own is over: it is root's until here.
 */
static bool
spawn_log_in(const struct spawn *s, struct login *l, struct spawn_word *w)
{
	pid_t monitor = getppid();
	bool ok;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != monitor)
		_exit(126);
	ok = login_open(l, spawn_first_fd(s), w->text, sizeof(w->text)) == 0;
	(void)prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	if (!ok) {
		w->what = SPAWN_REFUSED;
		return false;
	}
	if (*l->warning != '\0') {
		w->what = SPAWN_WARNING;
		spawn_name(w, l->warning);
		(void)spawn_say(ERROR_FD, w);
	}
	w->what = SPAWN_READY;
	return spawn_say(ERROR_FD, w);
}

/* Once the login has its closer, which is to see the whole machine. */
static int
spawn_enter_cage(const struct cage *shared)
{
	struct cage cage;

	if (shared == NULL)
		return 0;
	cage = *shared;
	cage.theirs = CAGE_FD;
	return cage_build(&cage);
}

/* As root, and then not any more.  Returns if it could not. */
static void
spawn_run(const struct monitor *m, const struct spawn *s, struct spawn_word *w)
{
	const struct passwd *pw = &m->account;
	struct login l = { .pw = pw,
		.origin = &m->origin,
		.tty = s->tty,
		.use_pam = m->half.start.pam };
	char **env;

	if (!spawn_log_in(s, &l, w))
		return;
	w->what = SPAWN_FAILED;
	/* A caged server begins outside: no file inside is to say how. */
	env = env_login(pw, &m->origin, s->tty,
	    s->cage != NULL ? NULL : login_env(&l), s->cmd->env);
	if (env == NULL)
		return;
	spawn_name(w, spawn_program(m, s)); /* there may be a warning in it */
	if ((s->tty != NULL && s->keeper == NULL &&
		ioctl(0, TIOCSCTTY, 0) == -1) ||
	    spawn_enter_cage(s->cage) == -1 || account_become(pw) == -1 ||
	    (s->cage != NULL && (cage_forgo() == -1 || chdir("/") == -1)))
		return;
	closefrom(CAGE_FD); /* what a module has left open is root's */
	if (s->login && s->tty != NULL)
		login_greet(&l);
	if (s->login)
		spawn_execute_shell(s, spawn_program(m, s), env);
	else
		spawn_execute(s, env_path(pw), env, w);
}

/*
 * Signals first: what the monitor does about them is not for a process that
 * has other descriptors.
 */
static void
spawn_become(const struct monitor *m, const struct spawn *s, int error)
{
	struct spawn_word w = { .what = SPAWN_FAILED };
	bool arranged;

	process_reset_signals();
	umask(USUAL_UMASK);
	spawn_reset_limits();
	spawn_name(&w, spawn_program(m, s));
	arranged = setsid() != -1 && spawn_arrange_fds(s, error) != -1;
	if (arranged)
		spawn_run(m, s, &w);
	w.error = errno;
	_exit(spawn_say(arranged ? ERROR_FD : error, &w) ? 127 : 126);
}

/* Go's spelling of an error begins with a small letter. */
static void
spawn_describe(const struct spawn_word *w, char *why, size_t len)
{
	char text[256];

	if (w->what == SPAWN_REFUSED) {
		snprintf(why, len, "%s", w->text);
		return;
	}
	if (w->what == SPAWN_LOOKUP) {
		snprintf(why, len,
		    "exec: \"%s\": executable file not found in $PATH",
		    w->text);
		return;
	}
	snprintf(text, sizeof(text), "%s", strerror(w->error));
	text[0] = (char)tolower((unsigned char)text[0]);
	snprintf(why, len, "fork/exec %s: %s", w->text, text);
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
 * Until it says something, or has become the command: 1, 0, or -1 if it takes
 * too long.  A file system that hangs is not waited for: it would hold the
 * connection.  A machine that has too much to do is.
 */
static int
spawn_hear(int fd, pid_t pid, int limit, struct spawn_word *w)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int hung = 0, all = 0, r;

	while (
	    (r = poll(&p, 1, START_STEP)) == 0 || (r == -1 && errno == EINTR)) {
		all += START_STEP;
		if (!spawn_is_running(pid))
			hung += START_STEP;
		if (hung >= limit || all >= START_MAX)
			return -1;
	}
	return r == 1 && read(fd, w, sizeof(*w)) == sizeof(*w);
}

/* Whether it has become the command; else *w says why not. */
static bool
spawn_started(int fd, pid_t pid, struct spawn_word *w)
{
	bool ready = false;
	int r;

	while ((r = spawn_hear(fd, pid, ready ? START_LIMIT : LOGIN_LIMIT,
		    w)) == 1) {
		if (w->what == SPAWN_WARNING)
			log_warn("%s", w->text);
		else if (w->what == SPAWN_READY)
			ready = true;
		else
			return false;
	}
	if (r == 0 && ready)
		return true;
	w->what = ready ? SPAWN_FAILED : SPAWN_REFUSED;
	w->error = ETIMEDOUT;
	if (!ready)
		spawn_name(w,
		    r == 0 ? "what begins a session here has crashed" :
			     "what begins a session here takes too long");
	return false;
}

/*
 * One that hangs in the kernel dies when it gets out of there.  What a module
 * has started in its group goes with it.
 */
static void
spawn_abandon(struct monitor *m, pid_t pid)
{
	(void)process_signal_group(pid, SIGKILL);
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

/* *w says why not; what is in it is there for a call that fails here. */
static int
spawn_for(struct monitor *m, const struct spawn *s, pid_t *pid,
    struct spawn_word *w)
{
	bool ok;
	int p[2], r;

	if (pipe2(p, O_CLOEXEC) == -1) {
		w->error = errno;
		return 0;
	}
	if ((r = process_fork(pid)) == 0) {
		process_set_oom_score(m->half.start.oom_score);
		spawn_become(m, s, p[1]);
	}
	w->error = errno;
	close(p[1]);
	ok = r == 1 && spawn_started(p[0], *pid, w);
	close(p[0]);
	if (!ok && r == 1)
		spawn_abandon(m, *pid);
	if (!ok)
		*pid = 0;
	return ok;
}

int
spawn(struct monitor *m, const struct spawn *s, pid_t *pid, char *why,
    size_t len)
{
	struct spawn_word w = { .what = SPAWN_FAILED };

	*pid = 0;
	spawn_name(&w, spawn_program(m, s));
	if (spawn_for(m, s, pid, &w))
		return 1;
	spawn_describe(&w, why, len);
	return 0;
}
