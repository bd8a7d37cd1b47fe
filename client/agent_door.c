/* SPDX-License-Identifier: ISC */
/* Before an agent: callers, and questions to the user. */
#include "client/agent_door.h"
#include "client/complain.h"
#include "client/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/paths.h"
#include "common/base/process.h"
#include "common/base/unix.h"
#include "common/base/visible.h"
#include "common/privsep/agentmsg.h"
#include "common/privsep/privmsg.h"
#include "common/pty/keys.h"

#define READY_MS   10000
#define ASK_MS	   120000 /* no longer than the agent waits */
#define TERM_MS	   1000	  /* from SIGTERM to SIGKILL */
#define ASKS	   64
#define TEXT_MAX   512
#define PROGRAM	   "skypty-agent"
#define RELATIVE   "../libexec/skypty"
#define PAUSE_MS   100	     /* without descriptors */
#define CONFIRM_IT "confirm" /* SSH_ASKPASS_PROMPT, for ssh's programs */

/* Questions in their order; the first is being asked. */
struct door_asks {
	struct {
		uint32_t number;
		int64_t until;
		char text[TEXT_MAX];
	} ask[ASKS];
	size_t n;
	int out;      /* what the program prints that asks */
	int64_t kill; /* it was told to end, and is killed then; or 0 */
};

void
agent_door_tidy(const struct agent_door *d)
{
	(void)unlink(d->path);
	if (*d->folder != '\0')
		(void)rmdir(d->folder);
}

__attribute__((noreturn)) static void
door_end(const struct agent_door *d, int status)
{
	if (d->asking != 0)
		(void)process_signal_group(d->asking, SIGKILL);
	agent_door_tidy(d);
	_exit(status);
}

/* --- skypty-agent --- */

__attribute__((noreturn)) static void
door_become(const struct agent_door *d, int fd, const char *path)
{
	char life[16];
	const char *const argv[] = { PROGRAM, life, NULL };
	const char *const env[] = { NULL };
	const struct process_program program = { .path = path,
		.argv = argv,
		.env = env,
		.fd = { fd },
		.nfd = 1 };

	snprintf(life, sizeof(life), "%u", d->life);
	process_become(&program);
	_exit(127);
}

static int
door_await(const struct agent_door *d, char why[AGENT_DOOR_WHY])
{
	struct pollfd p = { .fd = d->agent, .events = POLLIN };
	struct privmsg m = { 0 };
	char *text = NULL;

	snprintf(why, AGENT_DOOR_WHY, PROGRAM " does not answer");
	if (poll(&p, 1, READY_MS) == 1 &&
	    privmsg_recv(d->agent, &m, false) == 1 && m.type == DOOR_READY &&
	    buf_get_cstring(&m.body, &text, AGENT_DOOR_WHY - 1) == 0)
		snprintf(why, AGENT_DOOR_WHY, "%s", text);
	free(text);
	privmsg_free(&m);
	return *why == '\0' ? 0 : -1;
}

static int
door_spawn(struct agent_door *d, char why[AGENT_DOOR_WHY])
{
	char path[PROCESS_PATH_MAX];
	int sv[2], r;

	if (process_companion(path, sizeof(path), PROGRAM, RELATIVE,
		LIBEXECDIR) != 0) {
		snprintf(why, AGENT_DOOR_WHY,
		    PROGRAM " is neither beside this program nor in %s",
		    LIBEXECDIR);
		return -1;
	}
	if (privmsg_pair(sv) != 0 || (r = process_fork(&d->pid)) == -1) {
		snprintf(why, AGENT_DOOR_WHY, "%s", strerror(errno));
		return -1;
	}
	if (r == 0)
		door_become(d, sv[1], path);
	close(sv[1]);
	d->agent = sv[0];
	return door_await(d, why);
}

int
agent_door_open(struct agent_door *d, char why[AGENT_DOOR_WHY])
{
	sigset_t set;

	/* A child's end is not to be missed before somebody looks. */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (d->signals == -1) {
		snprintf(why, AGENT_DOOR_WHY, "%s", strerror(errno));
		return -1;
	}
	return door_spawn(d, why);
}

/* --- callers --- */

static void
door_accept(struct agent_door *d)
{
	int fd = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd == -1) {
		/* They wait, for those that are here to go. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			(void)poll(NULL, 0, PAUSE_MS);
		return;
	}
	if (!unix_is_trusted(fd)) {
		if (d->debug)
			complain("another user has called, and is not let in");
	} else if (privmsg_send(d->agent, DOOR_CALLER, 0, NULL, &fd, 1) != 0)
		door_end(d, 1);
	close(fd);
}

/* --- questions --- */

static void
door_tell(const struct agent_door *d, uint32_t number, bool yes)
{
	struct buf b;

	buf_init(&b, 4);
	if (buf_put_u32(&b, number) != 0 ||
	    privmsg_send(d->agent, yes ? DOOR_YES : DOOR_NO, 0, &b, NULL, 0) !=
		0)
		door_end(d, 1);
	buf_free(&b);
}

static void
door_answer(struct agent_door *d, struct door_asks *a, bool yes)
{
	if (d->debug)
		complain("%s: %s", a->ask[0].text, yes ? "yes" : "no");
	door_tell(d, a->ask[0].number, yes);
	a->n--;
	memmove(a->ask, a->ask + 1, a->n * sizeof(a->ask[0]));
}

/*
 * The next, if nobody is asked: whom the agent does not keep waiting any more,
 * as behind others that got no answer, is not asked for.
 */
static void
door_ask(struct agent_door *d, struct door_asks *a)
{
	const char *program = passphrase_program();

	a->kill = 0;
	while (d->asking == 0 && a->n != 0)
		if (program == NULL || a->ask[0].until <= now_ms() ||
		    passphrase_start(program, a->ask[0].text, CONFIRM_IT,
			&d->asking, &a->out) == -1) {
			d->asking = 0;
			door_answer(d, a, false);
		}
}

/*
 * As of ssh's programs: one that knows nothing of such questions, and lets its
 * user write "no", ends well all the same.  One that was ended has heard
 * nothing.
 */
static bool
door_heard_yes(struct door_asks *a, int status)
{
	char said[8] = "";

	if (fcntl(a->out, F_SETFL, O_NONBLOCK) == -1 ||
	    (read(a->out, said, sizeof(said) - 1) == -1 && errno != EAGAIN))
		status = -1;
	close(a->out);
	said[strcspn(said, "\r\n")] = '\0';
	return status == 0 && a->kill == 0 &&
	    (*said == '\0' || strcasecmp(said, "yes") == 0);
}

static int
door_get_pk(struct buf *b, char text[KEY_PUBLIC_HEX])
{
	struct key_public pk;

	if (buf_get(b, pk.b, sizeof(pk.b)) != 0)
		return -1;
	key_text(&pk, text);
	return 0;
}

static void
door_take_ask(struct agent_door *d, struct door_asks *a, struct buf *b)
{
	char pk[KEY_PUBLIC_HEX], peer[KEY_PUBLIC_HEX], *comment = NULL;
	char shown[VISIBLE_GROWTH * (AGENT_COMMENT_MAX + 1)];
	uint32_t number;
	uint8_t way;

	if (buf_get_u32(b, &number) != 0 || door_get_pk(b, pk) != 0 ||
	    door_get_pk(b, peer) != 0 || buf_get_u8(b, &way) != 0 ||
	    buf_get_cstring(b, &comment, AGENT_COMMENT_MAX) != 0)
		door_end(d, 1);
	visible_text(shown, sizeof(shown), comment, strlen(comment), 0);
	free(comment);
	/* Of those who have gone meanwhile the questions are still here. */
	if (a->n == ASKS) {
		door_tell(d, number, false);
		return;
	}
	a->ask[a->n].number = number;
	a->ask[a->n].until = now_ms() + ASK_MS;
	snprintf(a->ask[a->n].text, TEXT_MAX,
	    "Allow the use of the key %.16s (%.200s) for %s %s?", pk, shown,
	    way == AGENT_XK ? "a connection to" : "a stream of dmsg to", peer);
	a->n++;
	if (d->asking == 0)
		door_ask(d, a);
}

/* What is shown goes now, and what waits before it would be shown. */
static void
door_take_back(struct agent_door *d, struct door_asks *a, struct buf *b)
{
	uint32_t number;

	if (buf_get_u32(b, &number) != 0)
		door_end(d, 1);
	for (size_t i = 0; i < a->n; i++)
		if (a->ask[i].number == number)
			a->ask[i].until = 0;
}

static void
door_hear(struct agent_door *d, struct door_asks *a)
{
	struct privmsg m = { 0 };

	if (privmsg_recv(d->agent, &m, false) != 1)
		door_end(d, 0);
	if (m.type == DOOR_ASK)
		door_take_ask(d, a, &m.body);
	else if (m.type == DOOR_OVER)
		door_take_back(d, a, &m.body);
	else
		door_end(d, 1);
	privmsg_free(&m);
}

/* --- the loop --- */

static void
door_reap(struct agent_door *d, struct door_asks *a)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == d->pid)
			door_end(d, status == 0 ? 0 : 1);
		if (pid != d->asking)
			continue;
		d->asking = 0;
		door_answer(d, a, door_heard_yes(a, status));
		door_ask(d, a);
	}
}

static void
door_signal(struct agent_door *d, struct door_asks *a)
{
	struct signalfd_siginfo si;

	while (read(d->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			door_reap(d, a);
		else
			door_end(d, 0);
	}
}

/* Who does not answer has said no; who does not end is killed. */
static int
door_wait_ms(const struct agent_door *d, struct door_asks *a)
{
	int64_t now = now_ms();
	int64_t left = (a->kill != 0 ? a->kill : a->ask[0].until) - now;

	if (d->asking == 0)
		return -1;
	if (left > 0)
		return (int)left;
	(void)process_signal_group(d->asking, a->kill != 0 ? SIGKILL : SIGTERM);
	a->kill = now + TERM_MS;
	return TERM_MS;
}

void
agent_door_run(struct agent_door *d)
{
	static struct door_asks asks;
	struct pollfd p[] = {
		{ .fd = d->listener, .events = POLLIN },
		{ .fd = d->agent, .events = POLLIN },
		{ .fd = d->signals, .events = POLLIN },
		{ .fd = d->parent, .events = POLLIN },
	};

	for (;;) {
		if (poll(p, sizeof(p) / sizeof(p[0]), door_wait_ms(d, &asks)) <=
		    0)
			continue;
		if (p[3].revents != 0)
			door_end(d, 0);
		if (p[2].revents != 0)
			door_signal(d, &asks);
		if (p[1].revents != 0)
			door_hear(d, &asks);
		if (p[0].revents != 0)
			door_accept(d);
	}
}
