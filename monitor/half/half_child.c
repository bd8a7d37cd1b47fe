/* SPDX-License-Identifier: ISC */
/* The confined child: starting it, what is said to it, and what it says. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/paths.h"
#include "common/base/process.h"
#include "monitor/half/half.h"

/* In the new process: only the two descriptors, nothing on standard ones. */
static void
half_become_child(const struct half *h, const char *path, int conn, int peer)
{
	char title[32];
	const char *argv[] = { title, NULL }, *env[] = { NULL };
	const struct process_program program = { .path = path,
		.argv = argv,
		.env = env,
		.fd = { conn, peer },
		.nfd = 2 };

	(void)snprintf(title, sizeof(title), "skyptyd: %s", h->role->child);
	process_set_oom_score(h->start.oom_score);
	process_become(&program);
	_exit(127);
}

int
half_spawn(struct half *h, int conn)
{
	char path[PROCESS_PATH_MAX];
	int sv[2], r;

	if ((r = process_companion(path, sizeof(path), h->role->program, ".",
		 LIBEXECDIR)) != 0 ||
	    (r = privmsg_pair(sv)) != 0)
		return r;
	if ((r = process_fork(&h->child_pid)) == -1) {
		close(sv[0]);
		close(sv[1]);
		return SKY_ERR_SYS;
	}
	if (r == 0)
		half_become_child(h, path, conn, sv[1]);
	close(sv[1]);
	h->child = sv[0];
	return 0;
}

/*
 * A child that takes no message any more is as good as dead.  One that has
 * closed its end is about to be reaped, and its last words are heard before.
 */
static void
half_send(struct half *h, unsigned type, uint16_t id, struct buf *b,
    const int *fds, size_t nfd)
{
	if (h->child == -1)
		return;
	if (privmsg_send(h->child, type, id, b, fds, nfd) != 0 &&
	    errno != EPIPE)
		half_die(h, "its confined process takes no message");
}

void
half_tell(struct half *h, enum privmsg_type event, struct buf *b)
{
	half_send(h, event, 0, b, NULL, 0);
}

static void
half_close_fds(const int *fds, size_t nfd)
{
	for (size_t i = 0; i < nfd; i++)
		close(fds[i]);
}

void
half_answer_fds(struct half *h, const struct privmsg *req, struct buf *b,
    int *fds, size_t nfd)
{
	half_send(h, req->type + 1U, req->id, b, fds, nfd);
	half_close_fds(fds, nfd);
}

void
half_answer(struct half *h, const struct privmsg *req, struct buf *b)
{
	half_answer_fds(h, req, b, NULL, 0);
}

void
half_answer_why(struct half *h, const struct privmsg *req, const char *why)
{
	struct buf b;

	buf_init(&b, PRIVMSG_TEXT_MAX + 4);
	if (buf_put_string(&b, why, strnlen(why, PRIVMSG_TEXT_MAX)) == 0)
		half_answer(h, req, &b);
	buf_free(&b);
}

/* No error text, then the rest. */
void
half_answer_ok(struct half *h, const struct privmsg *req,
    const struct buf *rest, int *fds, size_t nfd)
{
	struct buf b;
	int r;

	buf_init(&b, PRIVMSG_MAX - PRIVMSG_HEAD_LEN);
	if ((r = buf_put_cstring(&b, "")) == 0 && rest != NULL)
		r = buf_put(&b, buf_ptr(rest), buf_len(rest));
	if (r == 0)
		half_answer_fds(h, req, &b, fds, nfd);
	else {
		half_close_fds(fds, nfd);
		half_die(h, "out of memory");
	}
	buf_free(&b);
}

/* A child that was taken over may choose among these, and no more. */
const char *
half_child_end(int status)
{
	switch (WIFEXITED(status) ? WEXITSTATUS(status) : -1) {
	case PRIV_END_LEFT:
		return "client left";
	case PRIV_END_SERVED:
		return "served";
	case PRIV_END_REFUSED:
		return "service refused";
	case PRIV_END_RESET:
		return "connection reset";
	case PRIV_END_LOST:
		return "connection lost";
	case PRIV_END_IDLE:
		return "idle, no request in time";
	case PRIV_END_FAULT:
		return "error told by net";
	}
	return "its confined process failed";
}

/* Marked, so that nobody takes it for the monitor's own word. */
int
half_log(struct half *h, struct privmsg *msg)
{
	uint8_t level;
	char *text;
	int r;

	if ((r = buf_get_u8(&msg->body, &level)) != 0)
		return r;
	if (level > LOG_LEVEL_DEBUG)
		return SKY_ERR_RANGE;
	if ((r = buf_get_cstring(&msg->body, &text, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	if ((r = buf_at_end(&msg->body)) == 0)
		log_at((enum log_level)level, "%s: %s", h->role->child, text);
	free(text);
	return r;
}
