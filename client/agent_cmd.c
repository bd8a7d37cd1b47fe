/* SPDX-License-Identifier: ISC */
/*
 * skypty agent: finds a place for the socket, goes into the background and
 * tells the shell.  What runs then is agent_door.c.
 */
#include "client/agent_call.h"
#include "client/agent_door.h"
#include "client/commands.h"
#include "client/complain.h"
#include "client/duration.h"
#include "client/exits.h"
#include "client/flags.h"
#include "client/options.h"
#include "client/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/process.h"
#include "common/base/unix.h"

#define BACKLOG 128
/* What means nothing to a shell. */
#define PLAIN                        \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789/._-+@:,=%"

/* --- what the shell is told --- */

static bool
agent_is_csh(const struct client_options *o)
{
	const char *shell = getenv("SHELL");
	size_t n = shell != NULL ? strlen(shell) : 0;

	if (o->csh || o->sh)
		return o->csh;
	return n >= 3 && strcmp(shell + n - 3, "csh") == 0;
}

static void
agent_print(const struct client_options *o, const char *socket, pid_t pid)
{
	if (agent_is_csh(o))
		printf("setenv " AGENT_ENV " %s;\nsetenv " AGENT_ENV_PID
		       " %ld;\n",
		    socket, (long)pid);
	else
		printf(AGENT_ENV "=%s; export " AGENT_ENV ";\n" AGENT_ENV_PID
				 "=%ld; export " AGENT_ENV_PID ";\n",
		    socket, (long)pid);
	printf("echo Agent pid %ld;\n", (long)pid);
	(void)fflush(stdout);
}

/* --- the end of one --- */

static int
agent_kill(const struct client_options *o)
{
	const struct agent_request q = { .type = AGENT_QUIT };
	struct agent_answer a = { .list = NULL };
	struct buf packet;
	int fd, r;

	if ((fd = agent_open()) == -1)
		return EXIT_LOCAL;
	r = agent_call(fd, &q, &packet, &a);
	buf_free(&packet);
	close(fd);
	if (r != 0)
		return EXIT_LOCAL;
	if (agent_is_csh(o))
		puts("unsetenv " AGENT_ENV ";\nunsetenv " AGENT_ENV_PID ";");
	else
		puts("unset " AGENT_ENV ";\nunset " AGENT_ENV_PID ";");
	puts("echo Agent killed;");
	return 0;
}

/* --- the place --- */

/* A name that nobody listens at any more may be taken. */
static void
agent_sweep(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) == -1 || !S_ISSOCK(st.st_mode) ||
	    st.st_uid != geteuid())
		return;
	if ((fd = unix_connect_packets(path, SOCK_NONBLOCK)) != -1)
		close(fd);
	else if (errno == ECONNREFUSED)
		(void)unlink(path);
}

/* Nobody else may make names there, or take ours away. */
static bool
agent_may_lie(const char *path)
{
	char *folder = strdup(path), *slash;
	struct stat st;
	bool ok;

	if (folder == NULL)
		return false;
	if ((slash = strrchr(folder, '/')) == NULL)
		strcpy(folder, *folder != '\0' ? "." : "");
	else
		slash[slash == folder] = '\0';
	ok = stat(folder, &st) == 0 &&
	    (st.st_uid == 0 || st.st_uid == geteuid()) &&
	    ((st.st_mode & 022) == 0 || (st.st_mode & S_ISVTX) != 0);
	free(folder);
	return ok;
}

static int
agent_bind(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd, r;

	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	agent_sweep(path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	umask(mask);
	if (r == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

/* In a folder of ours alone, whose name a shell takes as it is. */
static bool
agent_choose(struct agent_door *d)
{
	char folder[RUNTIME_MAX] = "/tmp/skypty-XXXXXX", *path = d->path;
	unsigned number = (unsigned)randombytes_random();

	if (sodium_init() == -1)
		return false;
	if (!runtime_folder(path) || path[strspn(path, PLAIN)] != '\0') {
		if (mkdtemp(folder) == NULL)
			return false;
		strlcpy(d->folder, folder, RUNTIME_MAX);
		strlcpy(path, folder, RUNTIME_MAX);
	}
	return (size_t)snprintf(path + strlen(path), RUNTIME_MAX - strlen(path),
		   "/agent.%08x", number) < RUNTIME_MAX - strlen(path);
}

static int
agent_place(const struct client_options *o, struct agent_door *d)
{
	char *path = d->path;
	int fd;

	if (o->socket == NULL && !agent_choose(d)) {
		complain("there is no folder for its socket; -a names one");
		return -1;
	}
	if (o->socket != NULL &&
	    (strlcpy(path, o->socket, RUNTIME_MAX) >= RUNTIME_MAX ||
		path[strspn(path, PLAIN)] != '\0' || *path != '/')) {
		complain("-a %s: write a whole path of at most %d characters "
			 "that mean nothing to a shell",
		    o->socket, RUNTIME_MAX - 1);
		return -1;
	}
	if (!agent_may_lie(path)) {
		complain("%s: its folder is not there, or others may change "
			 "names in it",
		    path);
		return -1;
	}
	if ((fd = agent_bind(path)) == -1)
		complain("%s: %s%s", path, strerror(errno),
		    errno == EADDRINUSE ? "; another agent is there" : "");
	return fd;
}

/* --- the background --- */

/* Of what its parent had open it keeps these: somebody may wait for an end. */
static void
agent_keep(int **kept, int n)
{
	enum { FIRST = STDERR_FILENO + 1 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < FIRST; fd++)
		if (null == -1 || dup2(null, fd) == -1)
			_exit(EXIT_LOCAL);
	/* Out of the way of the fixed numbers first. */
	for (int i = 0; i < n; i++)
		if (*kept[i] != -1 &&
		    (*kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, FIRST + n)) ==
			-1)
			_exit(EXIT_LOCAL);
	for (int i = 0; i < n; i++)
		if (*kept[i] == -1)
			close(FIRST + i); /* whatever it was */
		else if ((*kept[i] = dup3(*kept[i], FIRST + i, O_CLOEXEC)) ==
		    -1)
			_exit(EXIT_LOCAL);
	closefrom(FIRST + n);
}

/* In a new process: told is where it says that it is ready, or why not. */
__attribute__((noreturn)) static void
agent_detach(struct agent_door *d, int told)
{
	char why[AGENT_DOOR_WHY] = "";
	int *kept[] = { &d->listener, &d->parent, &told };

	setsid();
	agent_keep(kept, sizeof(kept) / sizeof(kept[0]));
	if (chdir("/") == -1)
		_exit(EXIT_LOCAL);
	(void)agent_door_open(d, why);
	if (write(told, why, sizeof(why)) == -1)
		*why = '?';
	close(told);
	if (*why != '\0') {
		agent_door_tidy(d);
		_exit(EXIT_LOCAL);
	}
	agent_door_run(d);
}

static int
agent_fork(struct agent_door *d, pid_t *pid)
{
	char why[AGENT_DOOR_WHY] = "it has ended";
	int p[2], r;

	if (pipe2(p, O_CLOEXEC) == -1 || (r = process_fork(pid)) == -1) {
		complain("%s", strerror(errno));
		return EXIT_LOCAL;
	}
	if (r == 0) {
		close(p[0]);
		agent_detach(d, p[1]);
	}
	close(p[1]);
	close(d->listener);
	if (read(p[0], why, sizeof(why)) == -1)
		*why = '?';
	close(p[0]);
	why[sizeof(why) - 1] = '\0';
	if (*why == '\0')
		return 0;
	complain("the agent does not start: %s", why);
	agent_door_tidy(d);
	return EXIT_LOCAL;
}

static int
agent_foreground(struct agent_door *d, const struct client_options *o)
{
	char why[AGENT_DOOR_WHY] = "";

	if (agent_door_open(d, why) != 0) {
		complain("the agent does not start: %s", why);
		agent_door_tidy(d);
		return EXIT_LOCAL;
	}
	agent_print(o, d->path, getpid());
	agent_door_run(d);
}

static int
agent_run_command(const struct agent_door *d, pid_t pid, char **command)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", (long)pid);
	if (setenv(AGENT_ENV, d->path, 1) == -1 ||
	    setenv(AGENT_ENV_PID, text, 1) == -1)
		return EXIT_LOCAL;
	execvp(*command, command);
	complain("%s: %s", *command, strerror(errno));
	return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

int
agent_main(int argc, char **argv)
{
	struct agent_door d = { .parent = -1 };
	struct client_options o;
	bool command;
	pid_t pid;
	int r;

	options_init(&o);
	if ((r = flags_take(&o, STYLE_AGENT, argv[0], argc, argv, NULL)) != 0)
		return r;
	command = optind < argc;
	if (o.kill)
		return agent_kill(&o);
	if (command && (o.foreground || o.debug)) {
		complain("agent: a command goes with neither -D nor -d");
		return EXIT_USAGE;
	}
	if ((d.listener = agent_place(&o, &d)) == -1)
		return EXIT_LOCAL;
	d.life = o.life;
	d.debug = o.debug;
	if (o.foreground || o.debug)
		return agent_foreground(&d, &o);
	/* It ends with the command, which will be in our place. */
	if (command)
		d.parent = (int)syscall(SYS_pidfd_open, getpid(), 0U);
	if ((r = agent_fork(&d, &pid)) != 0)
		return r;
	if (command)
		return agent_run_command(&d, pid, argv + optind);
	agent_print(&o, d.path, pid);
	return 0;
}
