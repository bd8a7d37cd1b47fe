/* SPDX-License-Identifier: ISC */
/* The confined child: starting it, and what the monitor says to it. */
#include "monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/paths.h"
#include "common/base/process.h"

#define PROGRAM_NET  "skyptyd-net"
#define PROGRAM_DMSG "skyptyd-dmsg"

/* In the new process: only the two descriptors, nothing on standard ones. */
static void
become_child(const char *path, int conn, int peer)
{
	const char *argv[] = { conn == -1 ? "skyptyd: dmsg" : "skyptyd: net",
		NULL };
	const char *env[] = { NULL };
	const struct process_program program = { .path = path,
		.argv = argv,
		.env = env,
		.fd = { conn, peer },
		.nfd = 2 };

	process_become(&program);
	_exit(127);
}

int
child_start(struct monitor *m, int conn)
{
	char path[PROCESS_PATH_MAX];
	int sv[2], r;

	if ((r = process_companion(path, sizeof(path),
		 conn == -1 ? PROGRAM_DMSG : PROGRAM_NET, ".", LIBEXECDIR)) !=
		0 ||
	    (r = privmsg_pair(sv)) != 0)
		return r;
	if ((r = process_fork(&m->child_pid)) == -1) {
		close(sv[0]);
		close(sv[1]);
		return SKY_ERR_SYS;
	}
	if (r == 0)
		become_child(path, conn, sv[1]);
	close(sv[1]);
	m->child = sv[0];
	return 0;
}

static int
put_welcome(struct buf *b, const struct start *s)
{
	int r;

	if ((r = buf_put_u32(b, PRIVMSG_VERSION)) != 0 ||
	    (r = buf_put_u8(b, (uint8_t)s->carrier)) != 0 ||
	    (r = buf_put_u32(b, s->uid)) != 0 ||
	    (r = buf_put_u32(b, s->gid)) != 0 ||
	    (r = buf_put_u8(b, s->welcome)) != 0)
		return r;
	return buf_put_cstring(b, s->chroot_dir);
}

int
child_welcome(struct monitor *m)
{
	struct buf b;
	int r;

	buf_init(&b, PRIVMSG_TEXT_MAX + 64);
	if ((r = put_welcome(&b, &m->start)) == 0)
		r = privmsg_send(m->child, PM_WELCOME, 0, &b, NULL, 0);
	buf_free(&b);
	return r;
}

/*
 * A child that takes no message any more is as good as dead.  One that has
 * closed its end is about to be reaped, and its last words are heard before.
 */
static void
tell(struct monitor *m, enum privmsg_type type, uint16_t id, struct buf *b,
    const int *fds, size_t nfd)
{
	if (m->child == -1)
		return;
	if (privmsg_send(m->child, type, id, b, fds, nfd) != 0 &&
	    errno != EPIPE)
		mon_die(m, "its confined process takes no message");
}

void
child_answer_fds(struct monitor *m, const struct privmsg *req, struct buf *b,
    int *fds, size_t nfd)
{
	tell(m, req->type + 1, req->id, b, fds, nfd);
	for (size_t i = 0; i < nfd; i++)
		close(fds[i]);
}

void
child_answer(struct monitor *m, const struct privmsg *req, struct buf *b)
{
	child_answer_fds(m, req, b, NULL, 0);
}

void
child_answer_text(struct monitor *m, const struct privmsg *req,
    const char *text)
{
	struct buf b;

	buf_init(&b, PRIVMSG_TEXT_MAX + 4);
	if (buf_put_string(&b, text, strnlen(text, PRIVMSG_TEXT_MAX)) == 0)
		child_answer(m, req, &b);
	buf_free(&b);
}

int
child_tell(struct monitor *m, enum privmsg_type event, struct buf *b)
{
	return privmsg_send(m->child, event, 0, b, NULL, 0);
}

void
child_tell_exit(struct monitor *m, uint32_t handle, enum priv_exit how,
    uint32_t status)
{
	struct buf b;

	buf_init(&b, 16);
	if (buf_put_u32(&b, handle) == 0 && buf_put_u8(&b, (uint8_t)how) == 0 &&
	    buf_put_u32(&b, status) == 0)
		tell(m, PM_EXITED, 0, &b, NULL, 0);
	buf_free(&b);
}

void
child_tell_control(struct monitor *m)
{
	struct buf b;

	buf_init(&b, 4);
	if (buf_put_u32(&b, m->grants) == 0)
		tell(m, PM_CONTROL_OK, 0, &b, NULL, 0);
	buf_free(&b);
}
