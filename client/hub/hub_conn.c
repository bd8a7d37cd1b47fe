/* SPDX-License-Identifier: ISC */
/*
 * Connections by a hub.  Whoever finds none makes the connection himself, in
 * sight of his user: it is his terminal that is asked for a passphrase, and it
 * is told in the same words what goes wrong.  When the host has let us in, a
 * new process takes it over.
 */
#include "client/hub/hub_conn.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/detach.h"
#include "client/exits.h"
#include "client/forward/forward.h"
#include "client/hub/hub.h"
#include "client/identity_file.h"
#include "client/offer.h"
#include "client/options.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/process.h"
#include "common/pty/mux.h"

#define BACKLOG	 128
#define WAIT_MS	 10000 /* for another one to make the hub */
#define PAUSE_MS 10
#define NOTED_S	 600 /* how long a host is taken to have no channels */
#define NOFILE	 4096

bool
hub_is_wanted(const struct client_options *o)
{
	const struct hub_flags *f = &o->control;

	if (o->dest.kind == DEST_LOCAL ||
	    (f->path != NULL && strcasecmp(f->path, HUB_NONE) == 0))
		return false;
	return f->master != HUB_NO || f->path != NULL;
}

/* --- the process --- */

/* As many as the system lets us have: each caller is one. */
static void
hub_allow_files(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1 || rl.rlim_cur >= NOFILE)
		return;
	rl.rlim_cur = rl.rlim_max < NOFILE ? rl.rlim_max : NOFILE;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
}

/* Not our child, which its descriptor tells of: is it there still? */
static void
hub_end_proxy(const struct conn *c, int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	if (pidfd != -1 && poll(&p, 1, 0) == 0)
		(void)process_signal_orphans(c->proxy, SIGTERM);
}

__attribute__((noreturn)) static void
hub_become(struct conn *c, struct hub_place *p, struct hub_way *way, int proxy)
{
	int *kept[] = { &c->fd, &p->place.fd, &way->listener, &way->guest,
		&proxy };
	struct hub *h;

	identity_file_forget();
	complain_to(COMPLAIN_NOBODY, NULL);
	detach(kept, sizeof(kept) / sizeof(kept[0]), "skypty-hub");
	hub_allow_files();
	if ((h = hub_new(c, way, &hub_tables)) != NULL) {
		while (hub_round(h, -1))
			;
		forward_end(h);
		hub_free(h);
	}
	place_leave(&p->place);
	hub_end_proxy(c, proxy);
	_exit(h != NULL ? 0 : 1);
}

/* 0 with *fd, which leads there as its first caller; -1 with errno. */
static int
hub_fork(struct conn *c, struct hub_place *p, const struct client_options *o,
    int *fd)
{
	struct hub_way way = { .persist_ms = o->control.persist_ms };
	int sv[2], r, proxy;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		sv) == -1)
		return -1;
	memcpy(way.id, p->id, sizeof(way.id));
	way.place = &p->place;
	way.guest = sv[1];
	if ((way.listener = place_listen(&p->place, BACKLOG)) == -1 &&
	    o->verbose)
		complain("%s: %s; nobody else can share the connection",
		    p->place.sock, strerror(errno));
	proxy = c->proxy != 0 ? process_pidfd(c->proxy) : -1;
	if ((r = process_fork(&pid)) == 0)
		hub_become(c, p, &way, proxy);
	if (proxy != -1)
		close(proxy);
	if (way.listener != -1)
		close(way.listener);
	close(sv[1]);
	if (r == -1) {
		close(sv[0]);
		return -1;
	}
	/* The lock is the hub's now, and so is the way to the host. */
	place_forget(&p->place);
	c->proxy = 0;
	*fd = sv[0];
	return 0;
}

/*
 * A host without channels costs whoever asks it a connection: for a while
 * nobody does so again.
 */
static bool
hub_note_path(const struct hub_place *p, char path[RUNTIME_MAX])
{
	return snprintf(path, RUNTIME_MAX, "%s.none", p->place.sock) <
	    RUNTIME_MAX;
}

static bool
hub_is_noted(const struct hub_place *p)
{
	char path[RUNTIME_MAX];
	struct stat st;
	time_t now = time(NULL);

	return hub_note_path(p, path) && lstat(path, &st) == 0 &&
	    S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    st.st_mtime <= now && now - st.st_mtime < NOTED_S;
}

static void
hub_note(const struct hub_place *p)
{
	char path[RUNTIME_MAX];
	int fd;

	if (!hub_note_path(p, path))
		return;
	/* A pipe of somebody's would keep us waiting. */
	fd = open(path,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd == -1)
		return;
	(void)futimens(fd, NULL);
	close(fd);
}

static int
hub_none(const struct hub_place *p, const struct client_options *o)
{
	hub_note(p);
	if (o->verbose)
		complain("the host has no channels: the connection is not "
			 "shared");
	return 0;
}

static int
hub_hand_over(struct conn *c, struct hub_place *p,
    const struct client_options *o, int *fd)
{
	if (hub_fork(c, p, o, fd) == -1) {
		complain("sharing the connection: %s", strerror(errno));
		return EXIT_FAILED;
	}
	if (o->verbose)
		complain("the connection is shared from now on: %s",
		    p->place.sock);
	return 0;
}

/* With the lock.  0, with *fd or, for a host without channels, without. */
static int
hub_make(struct hub_place *p, struct keyctx *ctx,
    const struct client_options *o, int *fd)
{
	struct client_options own = *o;
	struct conn c;
	int r;

	own.user_optional = true; /* it may be channels that it lacks */
	own.how.proxy_stays = true;
	r = offer_open(&c, ctx, &own, MUX_URI_CHANNELS, true);
	if (r == 0)
		r = conn_hear(&c);
	if (r == 0 && !c.accepted && !c.rejected)
		r = conn_ended(&c);
	if (r == 0)
		r = c.accepted ? hub_hand_over(&c, p, o, fd) : hub_none(p, o);
	if (*fd == -1)
		place_leave(&p->place);
	conn_close(&c);
	return r;
}

/* --- which --- */

static int
hub_no_place(const struct hub_place *p, const struct client_options *o, int r)
{
	if (r > 0)
		return r;
	if (o->verbose || o->control.path != NULL)
		complain("the connection is not shared: %s%s%s",
		    o->control.path != NULL ? o->control.path : "",
		    o->control.path != NULL ? ": " : "",
		    r == SKY_ERR_LIMIT ?
			"too long a path for a socket" :
			"there is no folder for its socket that nobody else "
			"may write to");
	(void)p;
	return 0;
}

/* 0, with *fd or without: a connection of its own; else an exit status. */
static int
hub_reach(struct hub_place *p, struct keyctx *ctx,
    const struct client_options *o, int *fd)
{
	int64_t deadline = now_ms() + WAIT_MS;

	do {
		switch (hub_call(p, fd)) {
		case HUB_CALLED:
			return 0;
		case HUB_OTHERS:
			if (!o->quiet)
				complain("%s: the connection there is another "
					 "destination's, or another user's; it "
					 "is not used",
				    p->place.sock);
			return 0;
		case HUB_ABSENT:
			break;
		}
		if (o->control.master == HUB_NO || hub_is_noted(p))
			return 0;
		switch (place_lock(&p->place)) {
		case 0:
			return hub_make(p, ctx, o, fd);
		case SKY_ERR_AGAIN:
			(void)poll(NULL, 0, PAUSE_MS);
			break;
		case SKY_ERR_NOTFOUND:
			place_forget(&p->place);
			break;
		default:
			if (o->verbose)
				complain("%s: %s", p->place.lock,
				    strerror(errno));
			return 0;
		}
	} while (now_ms() < deadline);
	return 0;
}

int
hub_fetch(struct keyctx *ctx, const struct client_options *o, int *fd)
{
	struct hub_place p;
	int r;

	*fd = -1;
	if ((r = hub_find_place(&p, ctx, o)) != 0)
		r = hub_no_place(&p, o, r);
	else
		r = hub_reach(&p, ctx, o, fd);
	place_forget(&p.place);
	if (r != 0 || *fd != -1)
		return r;
	complain("there is no connection with channels: the host is no "
		 "skyptyd, or an older one, or %s cannot be used",
	    o->control.path != NULL ? o->control.path :
				      "the folder for its "
				      "socket");
	return EXIT_FAILED;
}

bool
hub_connect(struct conn *c, struct keyctx *ctx, const struct client_options *o,
    const char *uri, bool optional, int *status)
{
	struct hub_place p;
	int fd = -1, r;

	if (!hub_is_wanted(o))
		return false;
	conn_init(c);
	if ((r = hub_find_place(&p, ctx, o)) != 0)
		r = hub_no_place(&p, o, r);
	else
		r = hub_reach(&p, ctx, o, &fd);
	place_forget(&p.place);
	*status = r;
	if (r == 0 && fd != -1) {
		if (o->verbose)
			complain("a shared connection is used: %s",
			    p.place.sock);
		*status = conn_share(c, o, uri, optional, fd);
	}
	return r != 0 || fd != -1;
}
