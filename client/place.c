/* SPDX-License-Identifier: ISC */
/* Where a process of the user's that serves others of his is found. */
#include "client/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/err.h"

int
place_lock(struct place *p)
{
	struct stat mine, there;

	if (p->fd == -1)
		p->fd = open(p->lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (p->fd == -1)
		return SKY_ERR_SYS;
	if (flock(p->fd, LOCK_EX | LOCK_NB) == -1)
		return errno == EWOULDBLOCK || errno == EINTR ? SKY_ERR_AGAIN :
								SKY_ERR_SYS;
	/* Where anybody may make names, it could be another file of ours. */
	if (fstat(p->fd, &mine) == -1)
		return SKY_ERR_SYS;
	if (!S_ISREG(mine.st_mode) || mine.st_uid != geteuid() ||
	    mine.st_nlink > 1) {
		errno = EPERM;
		return SKY_ERR_SYS;
	}
	/* The file that is locked has to be the one that others find. */
	if (mine.st_nlink == 0 || lstat(p->lock, &there) == -1 ||
	    mine.st_dev != there.st_dev || mine.st_ino != there.st_ino)
		return SKY_ERR_NOTFOUND;
	/* Of one that was killed before it took the file away. */
	return ftruncate(p->fd, 0) == 0 ? 0 : SKY_ERR_SYS;
}

/* Whatever else lies there is none of ours. */
static void
place_remove_socket(const struct place *p)
{
	struct stat st;

	if (lstat(p->sock, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    st.st_uid == geteuid())
		(void)unlink(p->sock);
}

int
place_listen(const struct place *p, int backlog)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t mask = umask(0177);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;

	strlcpy(sun.sun_path, p->sock, sizeof(sun.sun_path));
	place_remove_socket(p);
	if (fd != -1 &&
	    (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
		listen(fd, backlog) == -1)) {
		error = errno;
		close(fd);
		fd = -1;
	}
	(void)umask(mask);
	if (error != 0)
		errno = error;
	return fd;
}

void
place_forget(struct place *p)
{
	if (p->fd != -1)
		close(p->fd);
	p->fd = -1;
}

void
place_leave(struct place *p)
{
	if (p->fd == -1)
		return;
	place_remove_socket(p);
	(void)unlink(p->lock);
	place_forget(p);
}
