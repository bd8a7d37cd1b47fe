/* SPDX-License-Identifier: ISC */
/*
 * Where the session of a key with a dmsg server is: with a holder that runs
 * already, or with one that we make.  Whoever has the lock beside its socket
 * may make one, and the holder keeps the lock for as long as it lives.
 */
#include "client/detach.h"
#include "client/dmsg/dmsg.h"
#include "client/identity.h"
#include "client/identity_file.h"
#include "client/place.h"
#include "client/runtime.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

/* --- the place --- */

/* One for each pair of keys. */
static bool
share_find_place(struct place *p, const struct dmsg_dialer *d,
    const struct key_public *server)
{
	uint8_t keys[2 * KEY_PUBLIC_LEN];

	p->fd = -1;
	memcpy(keys, d->id.pk.b, KEY_PUBLIC_LEN);
	memcpy(keys + KEY_PUBLIC_LEN, server->b, KEY_PUBLIC_LEN);
	return runtime_path(p->sock, keys, sizeof(keys), "") &&
	    runtime_path(p->lock, keys, sizeof(keys), ".lock");
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
share_tell(const struct place *p, const struct dmsg_way *w, const char *why)
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
share_heard(const struct place *p, const struct dmsg_way *w)
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

/* In a new process: guests come to the listener, or there is the one. */
__attribute__((noreturn)) static void
share_hold(struct dmsg_link *l, struct place *p, int listener, int guest,
    int ms)
{
	int *kept[] = { &l->fd, &p->fd, &listener, &guest };

	detach(kept, sizeof(kept) / sizeof(kept[0]), "skypty-dmsg");
	holder_run(l, p, listener, guest, ms);
	/* In place still: some servers would end the next session with it. */
	dmsg_link_end(l);
	place_leave(p);
	dmsg_link_close(l);
	_exit(0);
}

/* The session that we have made goes to a process of its own. */
static const char *
share_fork(struct dmsg_link *l, struct dmsg_dialer *d, struct place *p)
{
	int listener = place_listen(p, BACKLOG), r;
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
	struct place nowhere = { .fd = -1 };
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
    struct place *p)
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
    struct place *p)
{
	const char *why = NULL;

	switch (place_lock(p)) {
	case 0:
		if ((why = share_begin(fd, d, w, p)) != NULL)
			place_leave(p);
		break;
	case SKY_ERR_AGAIN:
		(void)poll(NULL, 0, PAUSE_MS);
		break;
	case SKY_ERR_NOTFOUND:
		why = share_heard(p, w);
		place_forget(p);
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
	struct place p;

	*fd = -1;
	if (!share_find_place(&p, d, &w->server))
		return share_begin(fd, d, w, NULL);
	while (why == NULL && now_ms() < deadline) {
		*fd = unix_connect(p.sock, SOCK_NONBLOCK);
		if (*fd != -1 && unix_is_ours(*fd)) {
			place_forget(&p);
			return NULL;
		}
		if (*fd != -1)
			close(*fd);
		why = share_try(fd, d, w, &p);
	}
	place_forget(&p);
	*fd = -1;
	return why != NULL ? why :
			     "another process that makes the session is not "
			     "done with it";
}
