/* SPDX-License-Identifier: ISC */
/*
 * Where the session of a key with a dmsg server is: with a holder that runs
 * already, or with one that we make.  Whoever has the lock beside its socket
 * may make one, and the holder keeps the lock for as long as it lives.
 */
#include "client/dmsg/dmsg.h"
#include "client/identity.h"
#include "client/identity_file.h"
#include "client/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/process.h"
#include "common/base/unix.h"
#include "common/base/visible.h"
#include "common/pty/keys.h"

#define BACKLOG	   128
#define LOCK_MS	   30000 /* for another one to make the session */
#define PAUSE_MS   20
#define LINGERS_MS 10000 /* without a stream; as for the next command */
#define ALONE_MS   1000	 /* where nobody else can have the key */
#define REASON_MAX 512

struct share_place {
	char sock[RUNTIME_MAX], lock[RUNTIME_MAX];
	int fd; /* of the lock's file, -1 before it is open */
};

/* --- the place --- */

/* One for each pair of keys. */
static bool
share_find_place(struct share_place *p, const struct dmsg_dialer *d,
    const struct key_public *server)
{
	uint8_t keys[2 * KEY_PUBLIC_LEN];

	p->fd = -1;
	memcpy(keys, d->id.pk.b, KEY_PUBLIC_LEN);
	memcpy(keys + KEY_PUBLIC_LEN, server->b, KEY_PUBLIC_LEN);
	return runtime_path(p->sock, keys, sizeof(keys), "") &&
	    runtime_path(p->lock, keys, sizeof(keys), ".lock");
}

/* --- the lock --- */

/*
 * 0 with the lock.  SKY_ERR_AGAIN: another one has it; SKY_ERR_NOTFOUND: had
 * it, while we waited with the file open.  SKY_ERR_SYS.
 */
static int
share_lock(struct share_place *p)
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
	/* The file that is locked has to be the one that others find. */
	if (fstat(p->fd, &mine) == -1 || lstat(p->lock, &there) == -1 ||
	    mine.st_dev != there.st_dev || mine.st_ino != there.st_ino)
		return SKY_ERR_NOTFOUND;
	/* Of one that was killed before it took the file away. */
	return ftruncate(p->fd, 0) == 0 ? 0 : SKY_ERR_SYS;
}

static void
share_forget(struct share_place *p)
{
	if (p->fd != -1)
		close(p->fd);
	p->fd = -1;
}

void
share_leave(struct share_place *p)
{
	if (p->fd == -1)
		return;
	(void)unlink(p->sock);
	(void)unlink(p->lock);
	share_forget(p);
}

/* --- why there is no session, for those who wait for it --- */

/* Others may have found another address, or may go farther in. */
static size_t
share_way(char text[REASON_MAX], const struct dmsg_way *w)
{
	return (size_t)snprintf(text, REASON_MAX, "%d %s\n", (int)w->reach,
	    w->address);
}

static void
share_tell(const struct share_place *p, const struct dmsg_way *w,
    const char *why)
{
	char text[REASON_MAX];
	size_t n = share_way(text, w);

	n += strlcpy(text + n, why, sizeof(text) - n);
	if (n < sizeof(text))
		(void)!pwrite(p->fd, text, n, 0);
}

/*
 * What the one found who had the lock before us, by the same way; NULL if that
 * is not told.  Whoever comes later opens another file.
 */
static const char *
share_heard(const struct share_place *p, const struct dmsg_way *w)
{
	static char why[VISIBLE_GROWTH * REASON_MAX];
	char text[REASON_MAX], way[REASON_MAX];
	size_t n = share_way(way, w);
	struct stat st;
	ssize_t r;

	if (fstat(p->fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_uid != geteuid() || st.st_size >= REASON_MAX)
		return NULL;
	r = pread(p->fd, text, sizeof(text), 0);
	if (r <= (ssize_t)n || memcmp(text, way, n) != 0)
		return NULL;
	visible_text(why, sizeof(why), text + n, (size_t)r - n, VISIBLE_SLASH);
	return why;
}

/* --- the holder --- */

static int
share_listen(const struct share_place *p)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t mask = umask(0177);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strlcpy(sun.sun_path, p->sock, sizeof(sun.sun_path));
	(void)unlink(p->sock);
	if (fd != -1 &&
	    (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
		listen(fd, BACKLOG) == -1)) {
		close(fd);
		fd = -1;
	}
	(void)umask(mask);
	return fd;
}

/* Of what its parent had open it keeps these: somebody may wait for an end. */
static void
share_detach(int **kept, int n)
{
	enum { FIRST = 3 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	process_reset_signals();
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NAME, "skypty-dmsg", 0, 0, 0);
	for (int fd = 0; fd < FIRST; fd++)
		if (null == -1 || dup2(null, fd) == -1)
			_exit(1);
	/* Out of the way of the fixed numbers first. */
	for (int i = 0; i < n; i++)
		if (*kept[i] != -1 &&
		    (*kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, FIRST + n)) ==
			-1)
			_exit(1);
	for (int i = 0; i < n; i++)
		if (*kept[i] == -1)
			close(FIRST + i); /* whatever it was */
		else if ((*kept[i] = dup2(*kept[i], FIRST + i)) == -1)
			_exit(1);
	closefrom(FIRST + n);
	if (chdir("/") == -1)
		_exit(1);
}

/* In a new process: guests come to the listener, or there is the one. */
__attribute__((noreturn)) static void
share_hold(struct dmsg_link *l, struct share_place *p, int listener, int guest,
    int ms)
{
	int *kept[] = { &l->fd, &p->fd, &listener, &guest };

	share_detach(kept, sizeof(kept) / sizeof(kept[0]));
	holder_run(l, p, listener, guest, ms);
	/* In place still: some servers would end the next session with it. */
	dmsg_link_end(l);
	share_leave(p);
	dmsg_link_close(l);
	_exit(0);
}

/* The session that we have made goes to a process of its own. */
static const char *
share_fork(struct dmsg_link *l, struct dmsg_dialer *d, struct share_place *p)
{
	int listener = share_listen(p), r;
	pid_t pid;

	if (listener == -1)
		return strerror(errno);
	if ((r = process_fork(&pid)) == 0) {
		identity_free(&d->id);
		identity_file_forget();
		share_hold(l, p, listener, -1,
		    d->id.fresh ? ALONE_MS : LINGERS_MS);
	}
	close(listener);
	if (r == -1)
		return strerror(errno);
	/* The lock is the holder's now. */
	close(p->fd);
	p->fd = -1;
	return NULL;
}

/* A session that others do not find. */
static const char *
share_fork_alone(int *fd, struct dmsg_link *l, struct dmsg_dialer *d)
{
	struct share_place nowhere = { .fd = -1 };
	int sv[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		sv) == -1)
		return strerror(errno);
	if ((r = process_fork(&pid)) == 0) {
		identity_free(&d->id);
		identity_file_forget();
		share_hold(l, &nowhere, -1, sv[1], ALONE_MS);
	}
	close(sv[1]);
	if (r == -1) {
		close(sv[0]);
		return strerror(errno);
	}
	*fd = sv[0];
	return NULL;
}

/* For others, too, where there is a place; else *fd leads there. */
static const char *
share_begin(int *fd, struct dmsg_dialer *d, const struct dmsg_way *w,
    struct share_place *p)
{
	struct dmsg_link l;
	const char *why;

	if ((why = dmsg_link_open(&l, d, &w->server, w->address, w->reach)) !=
	    NULL) {
		if (p != NULL)
			share_tell(p, w, why);
	} else
		why = p != NULL ? share_fork(&l, d, p) :
				  share_fork_alone(fd, &l, d);
	dmsg_link_close(&l);
	return why;
}

/* As whoever has the lock; or his reason, who had it before. */
static const char *
share_try(int *fd, struct dmsg_dialer *d, const struct dmsg_way *w,
    struct share_place *p)
{
	const char *why = NULL;

	switch (share_lock(p)) {
	case 0:
		if ((why = share_begin(fd, d, w, p)) != NULL)
			share_leave(p);
		break;
	case SKY_ERR_AGAIN:
		(void)poll(NULL, 0, PAUSE_MS);
		break;
	case SKY_ERR_NOTFOUND:
		why = share_heard(p, w);
		share_forget(p);
		break;
	default:
		why = strerror(errno);
	}
	return why;
}

const char *
share_connect(int *fd, struct dmsg_dialer *d, const struct dmsg_way *w)
{
	int64_t deadline = now_ms() + LOCK_MS;
	const char *why = NULL;
	struct share_place p;

	*fd = -1;
	if (!share_find_place(&p, d, &w->server))
		return share_begin(fd, d, w, NULL);
	while (why == NULL && now_ms() < deadline) {
		*fd = unix_connect(p.sock, SOCK_NONBLOCK);
		if (*fd != -1 && unix_is_ours(*fd)) {
			share_forget(&p);
			return NULL;
		}
		if (*fd != -1)
			close(*fd);
		why = share_try(fd, d, w, &p);
	}
	share_forget(&p);
	*fd = -1;
	return why != NULL ? why :
			     "another process that makes the session is not "
			     "done with it";
}
