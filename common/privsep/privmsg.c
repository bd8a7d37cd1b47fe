/* SPDX-License-Identifier: ISC */
/* Sending and receiving the messages between the daemon's processes. */
#include "common/privsep/privmsg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/base/err.h"

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(PRIVMSG_FDS_MAX * sizeof(int))];
};

int
privmsg_pair(int sv[2])
{
	int size = (int)PRIVMSG_MAX * 2;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) == -1)
		return SKY_ERR_SYS;
	/* Beyond the default only as far as the system lets us. */
	for (int i = 0; i < 2; i++)
		(void)setsockopt(sv[i], SOL_SOCKET, SO_SNDBUF, &size,
		    sizeof(size));
	return 0;
}

static void
attach_fds(struct msghdr *mh, union control *ctl, const int *fds, size_t nfd)
{
	struct cmsghdr *cm;

	memset(ctl, 0, sizeof(*ctl));
	mh->msg_control = ctl;
	mh->msg_controllen = CMSG_SPACE(nfd * sizeof(int));
	cm = CMSG_FIRSTHDR(mh);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(nfd * sizeof(int));
	memcpy(CMSG_DATA(cm), fds, nfd * sizeof(int));
}

int
privmsg_send(int sock, unsigned type, uint16_t id, struct buf *body,
    const int *fds, size_t nfd)
{
	uint8_t head[PRIVMSG_HEAD_LEN] = { (uint8_t)(type >> 8), (uint8_t)type,
		(uint8_t)(id >> 8), (uint8_t)id };
	struct iovec iov[2] = { { .iov_base = head, .iov_len = sizeof(head) } };
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = 1 };
	union control ctl;
	ssize_t n;

	if (nfd > PRIVMSG_FDS_MAX)
		return SKY_ERR_LIMIT;
	if (body != NULL && buf_len(body) != 0) {
		if (buf_len(body) > PRIVMSG_MAX - PRIVMSG_HEAD_LEN)
			return SKY_ERR_LIMIT;
		/* sendmsg(2) only reads; iovec has no const. */
		iov[1].iov_base = (void *)(uintptr_t)buf_ptr(body);
		iov[1].iov_len = buf_len(body);
		mh.msg_iovlen = 2;
	}
	if (nfd != 0)
		attach_fds(&mh, &ctl, fds, nfd);
	do
		n = sendmsg(sock, &mh, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? SKY_ERR_SYS : 0;
}

/* Keeps what came; of too many the rest is closed, the message cut off. */
static void
collect_fds(struct privmsg *m, struct msghdr *mh)
{
	struct cmsghdr *cm;
	size_t n;
	int fd;

	for (cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int),
			    sizeof(fd));
			if (m->nfd < PRIVMSG_FDS_MAX)
				m->fd[m->nfd++] = fd;
			else {
				/* One more fits into the padding. */
				close(fd);
				mh->msg_flags |= MSG_CTRUNC;
			}
		}
	}
}

static int
parse_head(struct privmsg *m)
{
	int r;

	buf_view(&m->body, m->storage, m->len);
	if ((r = buf_get_u16(&m->body, &m->type)) != 0 ||
	    (r = buf_get_u16(&m->body, &m->id)) != 0)
		return SKY_ERR_FORMAT;
	return 1;
}

int
privmsg_send_log(int fd, enum log_level level, const char *text)
{
	size_t n = strnlen(text, PRIVMSG_TEXT_MAX);
	struct buf b;
	int r;

	buf_init(&b, PRIVMSG_TEXT_MAX + 8);
	if ((r = buf_put_u8(&b, (uint8_t)level)) == 0 &&
	    (r = buf_put_string(&b, text, n)) == 0)
		r = privmsg_send(fd, PM_LOG, 0, &b, NULL, 0);
	buf_free(&b);
	return r;
}

int
privmsg_recv(int sock, struct privmsg *m, bool fds)
{
	struct iovec iov = { .iov_len = PRIVMSG_MAX };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control ctl;
	ssize_t n;

	privmsg_clear(m);
	if (m->storage == NULL && (m->storage = malloc(PRIVMSG_MAX)) == NULL)
		return SKY_ERR_NOMEM;
	iov.iov_base = m->storage;
	if (fds) {
		mh.msg_control = &ctl;
		mh.msg_controllen = sizeof(ctl);
	}
	n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? SKY_ERR_AGAIN :
							   SKY_ERR_SYS;
	m->len = (size_t)n;
	if (fds)
		collect_fds(m, &mh);
	/* An empty packet looks like the end, but may bring descriptors. */
	if (n == 0 || (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		privmsg_clear(m);
		return n == 0 ? SKY_ERR_EOF : SKY_ERR_FORMAT;
	}
	return parse_head(m);
}

int
privmsg_take_fd(struct privmsg *m, size_t n)
{
	int fd;

	if (n >= m->nfd)
		return -1;
	fd = m->fd[n];
	m->fd[n] = -1;
	return fd;
}

void
privmsg_clear(struct privmsg *m)
{
	for (size_t i = 0; i < m->nfd; i++)
		if (m->fd[i] != -1)
			close(m->fd[i]);
	m->nfd = 0;
	if (m->storage != NULL)
		explicit_bzero(m->storage, m->len);
	m->len = 0;
	buf_view(&m->body, NULL, 0);
}

void
privmsg_free(struct privmsg *m)
{
	privmsg_clear(m);
	free(m->storage);
	m->storage = NULL;
}
