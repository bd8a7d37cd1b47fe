/* SPDX-License-Identifier: ISC */
/*
 * skypty-agent: holds secret keys for "skypty agent", which accepts its callers
 * and hands them over.  Confined before it has any key: it can open, connect
 * and start nothing, and write to nobody but its callers.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client/agent/agent.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/process.h"
#include "common/privsep/agentmsg.h"
#include "common/privsep/privmsg.h"
#include "common/privsep/sandbox.h"
#include "common/pty/keys.h"

#define DESCRIPTORS (DOOR_FD + 1 + AGENT_CONNS_MAX + 8)
#define MEMORY	    (64U * 1024 * 1024)
#define WHY_MAX	    512
#define STACK	    (48U * 1024) /* more than any call here takes */

static struct {
	struct agent *agent;
	int caller[AGENT_CONNS_MAX];	 /* -1: none */
	uint32_t asked[AGENT_CONNS_MAX]; /* for that one; 0: nothing */
	struct privmsg door;
} loop;

/* A night that the machine sleeps counts for the life of a key. */
static int64_t
agent_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

__attribute__((noreturn)) static void
agent_end(int status)
{
	agent_free(loop.agent);
	_exit(status);
}

/*
 * What arithmetic leaves of a key on the stack is wiped behind each packet; so
 * that it is not written to a disk meanwhile, that much of the stack is locked,
 * where the limit allows.
 */
__attribute__((noinline)) static void
agent_wipe_stack(bool lock)
{
	uint8_t below[STACK];

	explicit_bzero(below, sizeof(below));
	if (lock)
		(void)mlock(below, sizeof(below));
}

/* --- the door --- */

static void
agent_tell_door(unsigned type, struct buf *body)
{
	if (privmsg_send(DOOR_FD, type, 0, body, NULL, 0) != 0)
		agent_end(1);
}

static void
agent_ready(const char *why)
{
	struct buf b;

	buf_init(&b, WHY_MAX + 4);
	(void)buf_put_cstring(&b, why);
	agent_tell_door(DOOR_READY, &b);
	buf_free(&b);
	if (*why != '\0')
		agent_end(1);
}

static void
agent_ask(size_t i, const struct agent_question *q)
{
	struct buf b;

	buf_init(&b, 1024);
	if (buf_put_u32(&b, q->number) != 0 ||
	    buf_put(&b, q->pk.b, KEY_PUBLIC_LEN) != 0 ||
	    buf_put(&b, q->peer.b, KEY_PUBLIC_LEN) != 0 ||
	    buf_put_u8(&b, q->way) != 0 || buf_put_cstring(&b, q->comment) != 0)
		agent_end(1);
	agent_tell_door(DOOR_ASK, &b);
	buf_free(&b);
	loop.asked[i] = q->number;
}

/* Questions of callers who have gone, or for keys that have, are not shown. */
static void
agent_take_back(void)
{
	struct buf b;

	for (size_t i = 0; i < AGENT_CONNS_MAX; i++) {
		if (loop.asked[i] == 0 ||
		    agent_asks(loop.agent, i) == loop.asked[i])
			continue;
		buf_init(&b, 4);
		if (buf_put_u32(&b, loop.asked[i]) != 0)
			agent_end(1);
		agent_tell_door(DOOR_OVER, &b);
		buf_free(&b);
		loop.asked[i] = 0;
	}
}

/* --- callers --- */

static void
agent_hang_up(size_t i)
{
	close(loop.caller[i]);
	loop.caller[i] = -1;
	agent_leave(loop.agent, i);
}

/* Who does not take his answer is not waited for. */
static void
agent_answer(size_t i, struct buf *out)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)buf_ptr(out),
		.iov_len = buf_len(out) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (sendmsg(loop.caller[i], &mh, MSG_NOSIGNAL | MSG_DONTWAIT) !=
	    (ssize_t)buf_len(out))
		agent_hang_up(i);
}

/* Descriptors that come with a packet are not taken. */
static void
agent_hear(size_t i)
{
	struct iovec iov = { .iov_base = agent_packet(loop.agent),
		.iov_len = AGENT_MSG_MAX + 1 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct agent_question ask;
	enum agent_then then;
	struct buf out;
	ssize_t n;

	n = recvmsg(loop.caller[i], &mh, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		agent_hang_up(i);
		return;
	}
	buf_init(&out, AGENT_MSG_MAX);
	then = agent_take(loop.agent, i, (size_t)n, agent_now(), &out, &ask);
	agent_wipe_stack(false);
	agent_answer(i, &out);
	buf_free(&out);
	if (then == AGENT_THEN_END)
		agent_end(0);
	if (then == AGENT_THEN_ASK)
		agent_ask(i, &ask);
}

static void
agent_meet(int fd)
{
	size_t i;

	if (fd == -1)
		return;
	if (agent_join(loop.agent, agent_now(), &i))
		loop.caller[i] = fd;
	else
		close(fd);
}

static void
agent_decided(bool yes)
{
	struct buf out;
	uint32_t number;
	size_t i;

	if (buf_get_u32(&loop.door.body, &number) != 0)
		agent_end(1);
	buf_init(&out, AGENT_MSG_MAX);
	if (agent_decide(loop.agent, number, yes, agent_now(), &i, &out)) {
		loop.asked[i] = 0;
		agent_wipe_stack(false);
		agent_answer(i, &out);
	}
	buf_free(&out);
}

static void
agent_hear_door(void)
{
	int r = privmsg_recv(DOOR_FD, &loop.door, true);

	if (r == SKY_ERR_AGAIN)
		return;
	if (r <= 0)
		agent_end(0); /* it has gone, and nobody comes any more */
	switch (loop.door.type) {
	case DOOR_CALLER:
		agent_meet(privmsg_take_fd(&loop.door, 0));
		break;
	case DOOR_YES:
	case DOOR_NO:
		agent_decided(loop.door.type == DOOR_YES);
		break;
	default:
		agent_end(1);
	}
}

/* --- the loop --- */

static int
agent_wait_ms(int64_t now)
{
	int64_t next = agent_next(loop.agent), left = next - now;

	if (next == -1)
		return -1;
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void
agent_round(void)
{
	struct pollfd p[AGENT_CONNS_MAX + 1] = {
		[AGENT_CONNS_MAX] = { .fd = DOOR_FD, .events = POLLIN }
	};
	bool over[AGENT_CONNS_MAX];

	agent_expire(loop.agent, agent_now(), over);
	for (size_t i = 0; i < AGENT_CONNS_MAX; i++) {
		if (loop.caller[i] != -1 && over[i])
			agent_hang_up(i);
		p[i] =
		    (struct pollfd){ .fd = loop.caller[i], .events = POLLIN };
	}
	if (poll(p, AGENT_CONNS_MAX + 1, agent_wait_ms(agent_now())) <= 0)
		return;
	/* Time has passed: what is over is over before it is used. */
	agent_expire(loop.agent, agent_now(), over);
	for (size_t i = 0; i < AGENT_CONNS_MAX; i++)
		if (p[i].revents != 0 && loop.caller[i] == p[i].fd)
			agent_hear(i);
	if (p[AGENT_CONNS_MAX].revents != 0)
		agent_hear_door();
}

static void
agent_report(void *arg, const char *step, const char *detail, int error)
{
	char *why = arg;

	if (error != 0 && *why == '\0')
		snprintf(why, WHY_MAX, "it cannot be confined: %s (%s): %s",
		    step, detail, strerror(error));
}

static void
agent_confine(void)
{
	const struct sandbox sb = { .program = SANDBOX_AGENT,
		.memory = MEMORY,
		.nofile = DESCRIPTORS };
	char why[WHY_MAX] = "";

	if (sandbox_enter(&sb, agent_report, why) != 0)
		agent_ready(why);
	agent_ready("");
}

int
main(int argc, char **argv)
{
	struct keyctx *keyctx;

	process_standard_fds();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (argc != 2) {
		fputs("skypty-agent is run by 'skypty agent'\n", stderr);
		return 64;
	}
	closefrom(DOOR_FD + 1);
	(void)prctl(PR_SET_NAME, "skypty-agent");
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < AGENT_CONNS_MAX; i++)
		loop.caller[i] = -1;
	if ((keyctx = keyctx_new()) == NULL)
		agent_ready("out of memory");
	loop.agent = agent_new(keyctx, (uint32_t)strtoul(argv[1], NULL, 10));
	if (loop.agent == NULL)
		agent_ready("its memory cannot be locked: raise RLIMIT_MEMLOCK "
			    "(ulimit -l)");
	agent_wipe_stack(true);
	agent_confine();
	for (;;) {
		agent_round();
		agent_take_back();
	}
}
