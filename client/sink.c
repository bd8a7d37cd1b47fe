/* SPDX-License-Identifier: ISC */
/*
 * Where a command's output goes.  Frames are written from the buffer that they
 * arrived in, and never so that we could block: a program that talks to us
 * both ways may be waiting for us to read.
 */
#include "client/sink.h"
#include "client/complain.h"
#include "client/term.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/pty/exec_stream.h"

#define PIECE (256U * 1024)

/* Standard output and error as sink_prepare() found them. */
static struct sink_end standard[2];

/*
 * Not to block is a property of the open file, which others may share.  A pipe
 * can be opened once more for us; a socket takes it as a flag of each call.
 */
static void
sink_open_end(struct sink_end *e, int fd)
{
	struct stat st;
	char path[32];
	int own;

	*e = (struct sink_end){ .fd = fd, .piece = PIPE_BUF };
	if (fstat(fd, &st) == -1)
		return;
	e->is_socket = S_ISSOCK(st.st_mode);
	if (e->is_socket || S_ISREG(st.st_mode))
		e->piece = PIECE;
	if (!S_ISFIFO(st.st_mode))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if ((own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) == -1)
		return;
	e->never_blocks = true;
	e->fd = own;
	e->piece = PIECE;
}

void
sink_prepare(void)
{
	sink_open_end(&standard[0], STDOUT_FILENO);
	sink_open_end(&standard[1], STDERR_FILENO);
}

void
sink_release(void)
{
	for (int i = 0; i < 2; i++) {
		if (standard[i].never_blocks)
			close(standard[i].fd);
		standard[i] = (struct sink_end){ .fd = STDOUT_FILENO + i,
			.piece = PIPE_BUF };
	}
}

void
sink_end_init(struct sink_end *e, int fd)
{
	if (fd == STDOUT_FILENO || fd == STDERR_FILENO)
		*e = standard[fd - STDOUT_FILENO];
	else
		*e = (struct sink_end){ .fd = fd,
			.is_socket = true,
			.piece = PIECE };
}

void
sink_init(struct sink *k)
{
	memset(k, 0, sizeof(*k));
	sink_end_init(&k->end[0], STDOUT_FILENO);
	sink_end_init(&k->end[1], STDERR_FILENO);
}

ssize_t
sink_write(struct sink_end *e, const uint8_t *p, size_t n)
{
	struct pollfd room = { .fd = e->fd, .events = POLLOUT };
	ssize_t r;

	if (n > e->piece)
		n = e->piece;
	if (!e->never_blocks && !e->is_socket && poll(&room, 1, 0) != 1)
		return 0;
	r = e->is_socket ? send(e->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) :
			   write(e->fd, p, n);
	if (r >= 0)
		return r;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	/* Whoever read it has heard enough. */
	if (errno != EPIPE)
		complain("output: %s", strerror(errno));
	return -1;
}

/* The open frame's payload as far as it goes: SINK_FRAME when it is all gone.
 */
static enum sink_result
sink_write_payload(struct sink *k, struct buf *src)
{
	struct sink_end *e = &k->end[k->tag == XS_STDERR];
	size_t n;
	ssize_t r;

	k->blocked = NULL;
	while (k->left > 0 && buf_len(src) > 0) {
		n = buf_len(src) < k->left ? buf_len(src) : k->left;
		if ((r = sink_write(e, buf_ptr(src), n)) < 0)
			return SINK_FAILED;
		if (r == 0) {
			k->blocked = e;
			return SINK_BLOCKED;
		}
		if (k->tag == XS_STDOUT)
			term_watch(buf_ptr(src), (size_t)r);
		(void)buf_skip(src, (size_t)r);
		k->left -= (uint32_t)r;
	}
	return k->left == 0 ? SINK_FRAME : SINK_MORE;
}

enum sink_result
sink_next(struct sink *k, struct buf *src, uint8_t *tag, struct buf *payload)
{
	enum sink_result r;
	uint32_t len;
	int got;

	for (;;) {
		if (k->inside) {
			if ((r = sink_write_payload(k, src)) != SINK_FRAME)
				return r;
			k->inside = false;
		}
		if (buf_len(src) < XS_HEAD_LEN)
			return SINK_MORE;
		if (*buf_ptr(src) != XS_STDOUT && *buf_ptr(src) != XS_STDERR) {
			got = xs_get_frame(src, SINK_FRAME_MAX, tag, payload);
			return got == 1 ? SINK_FRAME :
			    got == 0	? SINK_MORE :
					  SINK_BAD;
		}
		(void)buf_get_u8(src, &k->tag);
		(void)buf_get_u32(src, &len);
		if (len > XS_FRAME_MAX)
			return SINK_BAD;
		k->left = len;
		k->inside = true;
	}
}

struct pollfd
sink_poll(const struct sink *k)
{
	return (struct pollfd){ .fd = k->blocked != NULL ? k->blocked->fd : -1,
		.events = POLLOUT };
}
