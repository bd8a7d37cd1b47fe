/* SPDX-License-Identifier: ISC */
/* Calling the agent.  PROTOCOL 11. */
#include "client/agent_call.h"
#include "client/complain.h"
#include "client/exits.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/unix.h"

#define WAIT_MS	    5000   /* it has little to do */
#define WAIT_ASK_MS 130000 /* for the user, longer than it gives him */

static const char *
agent_named(void)
{
	const char *path = getenv(AGENT_ENV);

	return path != NULL && *path != '\0' ? path : NULL;
}

bool
agent_is_named(void)
{
	return agent_named() != NULL;
}

static int
agent_tell(const char *why)
{
	complain("the agent (" AGENT_ENV "=%s): %s", agent_named(), why);
	return EXIT_FAILED;
}

int
agent_open(void)
{
	const char *path = agent_named();
	int fd;

	if (path == NULL) {
		complain("there is no agent: " AGENT_ENV " is not set; 'eval "
			 "\"$(skypty agent)\"' starts one");
		return -1;
	}
	if ((fd = unix_connect_packets(path, SOCK_NONBLOCK)) == -1) {
		(void)agent_tell(strerror(errno));
		return -1;
	}
	if (unix_is_trusted(fd))
		return fd;
	close(fd);
	(void)agent_tell("it is another user's, and not asked");
	return -1;
}

static int
agent_send(int fd, const struct agent_request *q)
{
	struct buf b;
	int r;

	buf_init(&b, AGENT_MSG_MAX);
	if ((r = agent_put_request(&b, q)) == 0 &&
	    send(fd, buf_ptr(&b), buf_len(&b), MSG_NOSIGNAL) !=
		(ssize_t)buf_len(&b))
		r = SKY_ERR_SYS;
	buf_free(&b);
	return r;
}

static int
agent_await(int fd, int64_t deadline, struct buf *packet)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left;
	uint8_t *to;
	ssize_t n;
	int r;

	buf_reset(packet);
	if ((r = buf_extend(packet, AGENT_MSG_MAX + 1, &to)) != 0)
		return r;
	do {
		if ((left = deadline - now_ms()) <= 0)
			return SKY_ERR_AGAIN;
		if (poll(&p, 1, (int)left) == 0)
			return SKY_ERR_AGAIN;
		n = recv(fd, to, AGENT_MSG_MAX + 1, 0);
	} while (n == -1 && (errno == EAGAIN || errno == EINTR));
	if (n <= 0)
		return n == 0 ? SKY_ERR_EOF : SKY_ERR_SYS;
	return buf_trim(packet, (size_t)(AGENT_MSG_MAX + 1 - n));
}

/* What may follow what was asked. */
static bool
agent_fits(uint8_t asked, uint8_t answered)
{
	switch (answered) {
	case AGENT_FAIL:
		return true;
	case AGENT_ASKING:
	case AGENT_FIRST:
		return asked == AGENT_BEGIN;
	case AGENT_DONE:
		return asked == AGENT_FINISH;
	case AGENT_KEYS:
		return asked == AGENT_LIST;
	case AGENT_SALT_IS:
		return asked == AGENT_SALT;
	default:
		return asked != AGENT_BEGIN && asked != AGENT_FINISH &&
		    asked != AGENT_LIST && asked != AGENT_SALT;
	}
}

int
agent_call(int fd, const struct agent_request *q, struct buf *packet,
    struct agent_answer *a)
{
	int64_t deadline = now_ms() + WAIT_MS;
	bool asking = false;
	int r;

	buf_init(packet, AGENT_MSG_MAX + 1);
	if ((r = agent_send(fd, q)) != 0)
		return agent_tell(err_text(r));
	do {
		if ((r = agent_await(fd, deadline, packet)) == SKY_ERR_AGAIN)
			return agent_tell("no answer");
		if (r == SKY_ERR_EOF)
			return agent_tell("it has ended the connection");
		if (r == SKY_ERR_SYS)
			return agent_tell(strerror(errno));
		if (r != 0 || agent_get_answer(packet, a) != 0 ||
		    !agent_fits(q->type, a->type) ||
		    (asking && a->type == AGENT_ASKING))
			return agent_tell("it answers what no agent of skypty "
					  "does");
		asking = a->type == AGENT_ASKING;
		deadline = now_ms() + WAIT_ASK_MS;
	} while (asking);
	return a->type == AGENT_FAIL ? agent_tell(agent_why_text(a->why)) : 0;
}

bool
agent_get_keys(struct agent_list *list)
{
	static bool failed;
	const struct agent_request q = { .type = AGENT_LIST };
	struct agent_answer a = { .list = list };
	struct buf packet = { 0 };
	int fd, r = EXIT_FAILED;

	list->n = 0;
	if (failed || !agent_is_named())
		return false;
	if ((fd = agent_open()) != -1) {
		r = agent_call(fd, &q, &packet, &a);
		buf_free(&packet);
		close(fd);
	}
	failed = r != 0;
	return r == 0;
}

bool
agent_holds(const struct key_public *pk)
{
	struct agent_list list;

	if (!agent_get_keys(&list))
		return false;
	for (size_t i = 0; i < list.n; i++)
		if (key_equal(&list.key[i].pk, pk))
			return true;
	return false;
}
