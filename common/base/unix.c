/* SPDX-License-Identifier: ISC */
/* Sockets with names in the file system. */
#include "common/base/unix.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int
unix_connect_type(const char *path, int type)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, error;

	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int
unix_connect(const char *path, int flags)
{
	return unix_connect_type(path, SOCK_STREAM | flags);
}

int
unix_connect_packets(const char *path, int flags)
{
	return unix_connect_type(path, SOCK_SEQPACKET | flags);
}

/* (uid_t)-1, which is nobody, where the system does not tell. */
static uid_t
unix_peer(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 ?
	    who.uid :
	    (uid_t)-1;
}

bool
unix_is_trusted(int fd)
{
	return unix_peer(fd) == 0 || unix_is_ours(fd);
}

bool
unix_is_ours(int fd)
{
	return unix_peer(fd) == geteuid();
}
