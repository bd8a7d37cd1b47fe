/* SPDX-License-Identifier: ISC */
/* The daemon's loop: accept, give each connection a monitor, reap. */
#include "daemon/server.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"

#define ACCEPT_PAUSE 1 /* seconds, when descriptors or memory are short */

/* --- connections --- */

static void
link_conn(struct conns *cs, struct conn *c)
{
	c->prev = cs->last;
	if (cs->last != NULL)
		cs->last->next = c;
	else
		cs->first = c;
	cs->last = c;
	cs->n++;
	if (!c->control)
		cs->startups++;
}

static void
unlink_conn(struct conns *cs, struct conn *c)
{
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		cs->first = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	else
		cs->last = c->prev;
	cs->n--;
	if (!c->control && !c->authenticated && !c->dropped)
		cs->startups--;
}

/* The overlay takes leave of its discovery, last of all. */
void
server_leave_if_done(struct server *s)
{
	if (!s->stopping || (s->conns.n != 0 && !notify_managed()))
		return;
	if (s->overlay.pid == 0)
		event_base_loopbreak(s->base);
	else if (!s->overlay.dropped) {
		s->overlay.dropped = true;
		kill(s->overlay.pid, SIGTERM);
	}
}

static void
forget(struct server *s, struct conn *c)
{
	unlink_conn(&s->conns, c);
	event_free(c->ev);
	close(c->sock);
	free(c);
	server_leave_if_done(s);
}

/* A monitor of the control socket may ask for the overlay. */
static int
answer_control(struct server *s, struct conn *c, struct privmsg *m)
{
	switch (m->type) {
	case PM_GET_STATUS:
		return privmsg_send(c->sock, PM_GET_STATUS + 1, m->id,
		    &s->status, NULL, 0);
	case PM_DIAL:
		return overlay_dial(s, c, m);
	}
	return ERR_STATE;
}

/* A monitor tells whom it has let in and asks whether there is room. */
static int
answer_monitor(struct server *s, struct conn *c, struct privmsg *m)
{
	struct buf b;
	uint8_t ok;
	int r;

	if (c->control)
		return answer_control(s, c, m);
	if (m->type != PM_AUTH || c->authenticated)
		return ERR_STATE;
	if ((r = buf_get(&m->body, c->pk.b, KEY_PUBLIC_LEN)) != 0)
		return r;
	ok = !c->dropped && limits_key(&s->conns, &s->set->conf, &c->pk);
	if (ok) {
		c->authenticated = true;
		s->conns.startups--;
	}
	buf_init(&b, 1);
	if ((r = buf_put_u8(&b, ok)) == 0)
		r = privmsg_send(c->sock, PM_AUTH + 1, m->id, &b, NULL, 0);
	buf_free(&b);
	return r;
}

static void
on_monitor(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	struct server *s = c->server;
	struct privmsg m = { 0 };
	int r;

	(void)what;
	if ((r = privmsg_recv(fd, &m, false)) == 1)
		r = answer_monitor(s, c, &m);
	privmsg_free(&m);
	if (r != 0 && r != ERR_AGAIN)
		forget(s, c);
}

/* --- accepting --- */

static int
watch(struct server *s, struct conn *c)
{
	c->server = s;
	c->ev =
	    event_new(s->base, c->sock, EV_READ | EV_PERSIST, on_monitor, c);
	if (c->ev == NULL || event_add(c->ev, NULL) == -1)
		return -1;
	link_conn(&s->conns, c);
	return 0;
}

int
server_serve(struct server *s, int fd, const struct sockaddr_storage *addr,
    const char *peer, enum priv_carrier carrier)
{
	struct conn *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return -1;
	c->addr = *addr;
	c->control = carrier == PRIV_CONTROL;
	if (session_spawn(s->set, s->opts, fd, carrier, peer, &c->pid,
		&c->sock) == -1) {
		free(c);
		return -1;
	}
	if (watch(s, c) == 0)
		return 0;
	kill(c->pid, SIGTERM);
	close(c->sock);
	free(c);
	return -1;
}

static void
admit(struct server *s, const struct listener *l, int fd,
    const struct sockaddr_storage *addr, socklen_t len)
{
	char peer[ADDR_TEXT_MAX];
	const char *why = NULL;

	if (l->control) {
		(void)server_serve(s, fd, addr, "control", PRIV_CONTROL);
		return;
	}
	addr_text((const struct sockaddr *)addr, len, peer);
	if (!limits_admit(&s->conns, &s->set->conf, addr, &why)) {
		if (limits_may_tell())
			log_info("Turned away %s: %s", peer, why);
		return;
	}
	session_prepare(&s->set->conf, fd);
	(void)server_serve(s, fd, addr, peer, PRIV_XK);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd, (void)what;
	for (size_t i = 0; i < s->ls.n; i++)
		event_add(s->ls.l[i].ev, NULL);
}

static void
pause_accepting(struct server *s)
{
	struct timeval tv = { .tv_sec = ACCEPT_PAUSE };

	log_error("accept: %s; pausing", strerror(errno));
	for (size_t i = 0; i < s->ls.n; i++)
		event_del(s->ls.l[i].ev);
	event_add(s->resume, &tv);
}

static void
on_accept(evutil_socket_t lfd, short what, void *arg)
{
	struct listener *l = arg;
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int fd;

	(void)what;
	memset(&addr, 0, sizeof(addr));
	fd = accept4(lfd, (struct sockaddr *)&addr, &len,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd == -1) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			pause_accepting(l->server);
		return;
	}
	admit(l->server, l, fd, &addr, len);
	close(fd);
}

/* --- signals --- */

static void
end_all(struct server *s)
{
	log_info("Ending %zu connections", s->conns.n);
	for (struct conn *c = s->conns.first; c != NULL; c = c->next)
		conn_end(c);
}

static void
stop_listening(struct server *s)
{
	event_del(s->resume);
	for (size_t i = 0; i < s->ls.n; i++)
		event_free(s->ls.l[i].ev);
	listeners_close(&s->ls);
}

/* Once: no new connections.  Twice: not the running ones either. */
static void
on_term(evutil_socket_t sig, short what, void *arg)
{
	struct server *s = arg;

	(void)sig, (void)what;
	if (s->stopping) {
		end_all(s);
		return;
	}
	s->stopping = true;
	notify("STOPPING=1");
	stop_listening(s);
	if (s->conns.n != 0)
		log_info("Listening ended; %zu connections go on%s", s->conns.n,
		    notify_managed() ? "" : " (again SIGTERM ends them)");
	server_leave_if_done(s);
}

/* A configuration with a mistake changes nothing. */
static void
on_hup(evutil_socket_t sig, short what, void *arg)
{
	struct server *s = arg;
	struct settings fresh;

	(void)sig, (void)what;
	notify("RELOADING=1");
	if (s->opts->conf_stdin)
		log_warn("the configuration came from standard input and "
			 "cannot be read again");
	else if (settings_load(&fresh, s->opts, s->keyctx) != 0) {
		log_error("the configuration has mistakes; the old one stays "
			  "in force");
		settings_free(&fresh);
	} else {
		if (strcmp(fresh.listen, s->set->listen) != 0 ||
		    strcmp(fresh.conf.cliaddr, s->set->conf.cliaddr) != 0)
			log_warn("other addresses need a restart");
		settings_free(s->set);
		*s->set = fresh;
		log_info("Configuration read again");
	}
	notify("READY=1");
}

static void
on_chld(evutil_socket_t sig, short what, void *arg)
{
	struct server *s = arg;
	pid_t pid;

	(void)sig, (void)what;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		if (s->overlay.pid == pid)
			s->overlay.pid = 0;
		for (struct conn *c = s->conns.first; c != NULL; c = c->next)
			if (c->pid == pid)
				c->pid = 0; /* it may be somebody else's now */
	}
	server_leave_if_done(s);
}

static struct event *
on_signal(struct server *s, int sig, event_callback_fn cb)
{
	struct event *ev = evsignal_new(s->base, sig, cb, s);

	if (ev == NULL || event_add(ev, NULL) == -1)
		return NULL;
	return ev;
}

/* --- start --- */

static int
open_listeners(struct server *s)
{
	int inherited;

	if ((inherited = listeners_inherit(&s->ls)) == -1)
		return -1;
	if (inherited == 0 && *s->set->listen == '\0' && !s->set->dmsg) {
		log_error("nowhere to listen: give --addr ADDR, e.g. "
			  "--addr :" DEFAULT_PORT ", or \"ssh_listen\" in the "
			  "configuration");
		return -1;
	}
	if (inherited == 0 && listeners_tcp(&s->ls, s->set->listen) == -1)
		return -1;
	if (!s->set->control)
		return 0;
	if (listeners_unix(&s->ls, s->set->conf.cliaddr, s->set->cligroup) ==
	    0) {
		log_info("Control socket %s", s->set->conf.cliaddr);
		return 0;
	}
	/* In a folder like /tmp anybody could keep us from starting so. */
	if (s->ls.n == 0)
		return -1;
	log_error("there is no control socket; remote connections are served");
	return 0;
}

static int
set_up_events(struct server *s)
{
	if ((s->base = event_base_new()) == NULL ||
	    (s->resume = evtimer_new(s->base, on_resume, s)) == NULL ||
	    (s->again = evtimer_new(s->base, overlay_start, s)) == NULL ||
	    (s->term = on_signal(s, SIGTERM, on_term)) == NULL ||
	    (s->intr = on_signal(s, SIGINT, on_term)) == NULL ||
	    (s->hup = on_signal(s, SIGHUP, on_hup)) == NULL ||
	    (s->chld = on_signal(s, SIGCHLD, on_chld)) == NULL)
		return -1;
	for (size_t i = 0; i < s->ls.n; i++) {
		struct listener *l = &s->ls.l[i];

		l->server = s;
		l->ev = event_new(s->base, l->fd, EV_READ | EV_PERSIST,
		    on_accept, l);
		if (l->ev == NULL || event_add(l->ev, NULL) == -1)
			return -1;
	}
	return 0;
}

/* What cannot be confined is not served, unless that has been asked for. */
static int
try_confinement(const struct settings *s)
{
	int failed = check_confinement(s, stderr, false);

	if (failed == 0)
		return 0;
	if (failed > 0 && s->conf.best_effort) {
		log_warn("confinement is incomplete (\"sandbox\": "
			 "\"best-effort\"); 'skyptyd check' tells more");
		return 0;
	}
	log_error("processes that meet the network cannot be confined here; "
		  "'skyptyd check' tells more");
	return -1;
}

int
server_run(const struct options *o, struct settings *set, struct keyctx *ctx)
{
	static struct server s;
	char pk[KEY_PUBLIC_HEX];

	s.opts = o;
	s.set = set;
	s.keyctx = ctx;
	if (try_confinement(set) == -1 || open_listeners(&s) == -1) {
		listeners_close(&s.ls);
		return EXIT_OS;
	}
	if (o->daemonise && daemon(1, 0) == -1) {
		log_error("cannot go to the background: %s", strerror(errno));
		return EXIT_OS;
	}
	/* Locks on memory are not inherited by the one in the background. */
	if (o->daemonise && set->conf.sk != NULL)
		(void)sodium_mlock(set->conf.sk, KEY_SECRET_LEN);
	if (set_up_events(&s) == -1) {
		log_error("cannot set up the event loop");
		return EXIT_OS;
	}
	key_text(&set->pk, pk);
	log_info("Serving as %s", pk);
	overlay_start(-1, 0, &s);
	notify("READY=1");
	event_base_dispatch(s.base);
	return 0;
}
