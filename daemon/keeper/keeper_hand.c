/* SPDX-License-Identifier: ISC */
/* Handing a client over to the keeper of its job. */
#include "daemon/keeper/keeper_hand.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/err.h"

#define HAND_FDS 2     /* the client, the pipe */
#define TAKEN_MS 10000 /* for a keeper to take one */

static const struct sockaddr_un hand_address = { .sun_family = AF_UNIX,
	.sun_path = HAND_SOCK };

int
hand_listen(void)
{
	const struct sockaddr *sa = (const void *)&hand_address;
	int one = 1, sock, error;

	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock == -1)
		return -1;
	if (setsockopt(sock, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) == 0 &&
	    bind(sock, sa, sizeof(hand_address)) == 0 &&
	    chmod(HAND_SOCK, 0600) == 0)
		return sock;
	error = errno;
	close(sock);
	errno = error;
	return -1;
}

/* What came along with it: descriptors into fd, and whether it is our user's.
 */
static bool
hand_look(struct msghdr *msg, int fd[HAND_FDS])
{
	struct ucred who;
	bool ours = false;
	size_t n;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		n = c->cmsg_len - CMSG_LEN(0);
		if (c->cmsg_type == SCM_CREDENTIALS && n == sizeof(who)) {
			memcpy(&who, CMSG_DATA(c), sizeof(who));
			ours = who.uid == geteuid() || who.uid == 0;
		} else if (c->cmsg_type == SCM_RIGHTS) {
			/* The room that we gave holds no more of them. */
			memcpy(fd, CMSG_DATA(c),
			    n < HAND_FDS * sizeof(*fd) ?
				n :
				HAND_FDS * sizeof(*fd));
		}
	}
	return ours && fd[HAND_FDS - 1] != -1 &&
	    (msg->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
}

static bool
hand_is_stream(int fd)
{
	socklen_t len = sizeof(int);
	int type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type == SOCK_STREAM && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

int
hand_take(int sock, struct buf *asked)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(HAND_FDS * sizeof(int)) +
		    CMSG_SPACE(sizeof(struct ucred))];
	} control;
	uint8_t text[HAND_MAX];
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	int fd[HAND_FDS] = { -1, -1 };
	ssize_t n;
	bool ok;

	if ((n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC)) < 0)
		return -1;
	ok = hand_look(&msg, fd) && hand_is_stream(fd[0]) &&
	    buf_put(asked, text, (size_t)n) == 0 &&
	    fcntl(fd[1], F_SETFL, O_NONBLOCK) == 0 && write(fd[1], "", 1) == 1;
	if (fd[1] != -1)
		close(fd[1]);
	if (ok)
		return fd[0];
	if (fd[0] != -1)
		close(fd[0]);
	return -1;
}

static bool
hand_send(int sock, const int fd[HAND_FDS], const struct buf *asked)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(HAND_FDS * sizeof(int))];
	} control = { .room = "" };
	struct iovec iov = { .iov_len = buf_len(asked) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	/* sendmsg(2) only lacks the const. */
	iov.iov_base = (void *)(uintptr_t)buf_ptr(asked);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(HAND_FDS * sizeof(int));
	memcpy(CMSG_DATA(c), fd, HAND_FDS * sizeof(int));
	return sendmsg(sock, &msg, MSG_NOSIGNAL) == (ssize_t)buf_len(asked);
}

bool
hand_over(int fd, const struct buf *asked)
{
	const struct sockaddr *sa = (const void *)&hand_address;
	struct timeval tv = { .tv_sec = TAKEN_MS / 1000 };
	struct pollfd p = { .events = POLLIN };
	int pipefd[2], sock;
	bool ok = false;
	char byte;

	if (pipe2(pipefd, O_CLOEXEC) == -1)
		return false;
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock != -1)
		ok = setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &tv,
			 sizeof(tv)) == 0 &&
		    connect(sock, sa, sizeof(hand_address)) == 0 &&
		    hand_send(sock, (int[]){ fd, pipefd[1] }, asked);
	if (sock != -1)
		close(sock);
	/* One that is thrown away unread closes the pipe. */
	close(pipefd[1]);
	p.fd = pipefd[0];
	ok = ok && poll(&p, 1, TAKEN_MS) == 1 && read(p.fd, &byte, 1) == 1;
	close(pipefd[0]);
	return ok;
}
