/* SPDX-License-Identifier: ISC */
/* The daemon's loop: accept, give each connection a monitor, reap. */
#include "daemon/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/process.h"
#include "common/privsep/chroot_dir.h"
#include "common/privsep/control.h"
#include "common/privsep/notify.h"
#include "daemon/older.h"
#include "daemon/tables.h"

#define ACCEPT_PAUSE 1 /* seconds, when descriptors or memory are short */
#define RESERVE	     (16 + METRICS_MAX) /* for control, and on the way */

/* --- connections --- */

/* The dmsg process takes leave of its discovery, last of all. */
void
listener_leave_if_done(struct listener *s)
{
	if (!s->stopping || (s->conns.n != 0 && !notify_managed()))
		return;
	if (s->dmsg.pid == 0)
		event_base_loopbreak(s->base);
	else if (!s->dmsg.dropped) {
		s->dmsg.dropped = true;
		(void)process_signal(s->dmsg.pid, SIGTERM);
	}
}

static void
listener_forget(struct listener *s, struct limits_conn *c)
{
	limits_unlink(&s->conns, c);
	if (c->quiet && !c->authenticated)
		listener_untold(s);
	event_free(c->ev);
	close(c->sock);
	conns_free_about(c);
	free(c->peer);
	free(c);
	lobby_pump(s);
	listener_leave_if_done(s);
}

/* A monitor of the control socket may ask for the dmsg. */
static int
answer_control(struct listener *s, struct limits_conn *c, struct privmsg *m)
{
	switch (m->type) {
	case PM_GET_STATUS:
		return privmsg_send(c->sock, PM_GET_STATUS + 1, m->id,
		    &s->status, NULL, 0);
	case PM_DIAL:
		return dmsg_monitor_dial(s, c, m);
	case PM_END_CONNS:
		return conns_kill(s, c, m);
	case PM_GET_CONNS:
		return conns_list(s, c, m);
	case PM_GET_COUNTS:
		return conns_count(s, c, m);
	case PM_ABOUT:
		return conns_about(s, c, m);
	case PM_MOVED:
		return conns_moved(s, c, m);
	}
	return SKY_ERR_STATE;
}

/* Whom we have ended ourselves did nothing wrong. */
static int
take_failure(struct listener *s, struct limits_conn *c, struct privmsg *m)
{
	uint8_t what;
	int r;

	if (c->authenticated || c->failed)
		return SKY_ERR_STATE;
	c->failed = true;
	if ((r = buf_get_u8(&m->body, &what)) != 0 ||
	    (r = buf_at_end(&m->body)) != 0)
		return r;
	if (what >= PENALTY_COUNT)
		return SKY_ERR_FORMAT;
	if (c->dropped || s->stopping)
		return 0;
	s->count[PRIV_COUNT_NOAUTH + what]++;
	limits_penalise(&s->conns, &s->set->conf, &c->origin,
	    (enum penalty)what, c->peer, now_ms());
	return 0;
}

/* A monitor tells whom it has let in and asks whether there is room. */
static int
answer_monitor(struct listener *s, struct limits_conn *c, struct privmsg *m)
{
	struct buf b;
	uint32_t max;
	uint8_t ok;
	int r;

	if (c->control)
		return answer_control(s, c, m);
	if (m->type == PM_TURN)
		return limits_turn(c, now_ms()) ? 0 : SKY_ERR_STATE;
	if (m->type == PM_ABOUT && c->authenticated)
		return conns_about(s, c, m);
	if (m->type == PM_MOVED && c->authenticated)
		return conns_moved(s, c, m);
	if (m->type == PM_FAILED)
		return take_failure(s, c, m);
	if (m->type != PM_AUTH || c->authenticated)
		return SKY_ERR_STATE;
	if ((r = buf_get(&m->body, c->pk.b, KEY_PUBLIC_LEN)) != 0 ||
	    (r = buf_get_u32(&m->body, &max)) != 0 ||
	    (r = buf_at_end(&m->body)) != 0)
		return r;
	if (max == 0)
		max = s->set->conf.maxperkey;
	ok = !c->dropped && !conns_is_killed(s, c) &&
	    limits_key(&s->conns, &c->pk, max);
	if (ok) {
		limits_authenticated(&s->conns, &s->set->conf, c, now_ms());
		conns_authenticated(s, c);
	}
	buf_init(&b, 1);
	if ((r = buf_put_u8(&b, ok)) == 0)
		r = privmsg_send(c->sock, PM_AUTH + 1, m->id, &b, NULL, 0);
	buf_free(&b);
	lobby_pump(s);
	return r;
}

static void
listener_on_monitor(evutil_socket_t fd, short what, void *arg)
{
	struct limits_conn *c = arg;
	struct listener *s = c->server;
	struct privmsg m = { 0 };
	int r;

	if ((r = privmsg_recv(fd, &m, false)) == 1)
		r = answer_monitor(s, c, &m);
	privmsg_free(&m);
	if (r != 0 && r != SKY_ERR_AGAIN)
		listener_forget(s, c);
}

/* --- accepting --- */

static int
listener_watch(struct listener *s, struct limits_conn *c)
{
	c->server = s;
	c->ev = event_new(s->base, c->sock, EV_READ | EV_PERSIST,
	    listener_on_monitor, c);
	if (c->ev != NULL && event_add(c->ev, NULL) == 0)
		return 0;
	if (c->ev != NULL)
		event_free(c->ev);
	return -1;
}

static struct limits_conn *
new_conn(struct listener *s, const struct origin *from, const char *peer)
{
	struct limits_conn *c = calloc(1, sizeof(*c));

	if (c == NULL || (c->peer = strdup(peer)) == NULL) {
		free(c);
		return NULL;
	}
	c->id = monitor_new_id();
	c->kills = s->kills.n;
	c->control = from == NULL;
	if (from == NULL)
		return c;
	c->origin = *from;
	c->quiet = !limits_may_tell(&s->conns, now_ms());
	return c;
}

int
listener_serve(struct listener *s, int fd, const struct origin *from,
    const char *peer, enum priv_carrier carrier)
{
	struct monitor_for what = { .carrier = carrier, .peer = peer };
	struct limits_conn *c;

	if ((c = new_conn(s, from, peer)) == NULL)
		return -1;
	what.quiet = c->quiet;
	what.id = c->id;
	if (monitor_spawn(s->set, s->opts, fd, &what, &c->pid, &c->sock) ==
	    -1) {
		free(c->peer);
		free(c);
		return -1;
	}
	/* Only who is served pays, and only for him another one is ended. */
	if (listener_watch(s, c) == 0) {
		if (!c->control)
			limits_admit(&s->conns, &s->set->conf, c, now_ms());
		limits_link(&s->conns, c);
		conns_begin(s, c, carrier);
		return 0;
	}
	log_error("cannot watch a monitor: out of memory");
	conn_end(c);
	close(c->sock);
	free(c->peer);
	free(c);
	return -1;
}

bool
listener_has_room(struct listener *s)
{
	return s->conns.n + s->lobby.n < s->room || lobby_make_room(s);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct listener *s = arg;

	for (size_t i = 0; i < s->ls.n; i++)
		event_add(s->ls.each[i].ev, NULL);
	metrics_resume(s);
}

/* Only where it failed: the control socket's turn may come before. */
static void
pause_accepting(struct sockets_one *l)
{
	struct listener *s = l->owner;
	struct timeval tv = { .tv_sec = ACCEPT_PAUSE };

	log_error("accept: %s; pausing", strerror(errno));
	event_del(l->ev);
	event_add(s->resume, &tv);
}

/*
 * Its monitor asks the same.  But a socket that a service manager made may let
 * anybody connect: who may not come costs no process.
 */
static bool
is_stranger(struct listener *s, int fd)
{
	struct ucred who;

	if (control_may_call(fd, s->set->cligroup, &who))
		return false;
	if (limits_may_tell(&s->conns, now_ms()))
		log_warn("control: Refused control connection from uid %lu, "
			 "pid %ld",
		    (unsigned long)who.uid, (long)who.pid);
	else
		listener_untold(s);
	return true;
}

/* Who has been refused has cost an accept and a close. */
static void
tell_refused(struct listener *s, const struct sockaddr_storage *addr,
    socklen_t len, enum log_level level, const char *why)
{
	struct log_fields f = { .event = "turned-away" };
	char peer[ADDR_TEXT_MAX];

	if (!limits_may_tell(&s->conns, now_ms())) {
		listener_untold(s);
		return;
	}
	addr_text((const struct sockaddr *)addr, len, peer);
	log_put(&f, "from", peer);
	log_put(&f, "reason", why);
	log_event(level, &f, "Turned away %s: %s", peer, why);
}

static void
accept_tcp(struct listener *s, int fd, const struct sockaddr_storage *addr,
    socklen_t len)
{
	struct origin from;
	const char *why;

	limits_tcp(&s->conns, &s->set->conf, &from, addr);
	why = lobby_refuses(s, &from);
	if (why == NULL && listener_has_room(s)) {
		lobby_enter(s, fd, addr, len, &from);
		return;
	}
	s->count[PRIV_COUNT_TURNED_AWAY]++;
	if (why != NULL)
		tell_refused(s, addr, len, LOG_LEVEL_INFO, why);
	else
		tell_refused(s, addr, len, LOG_LEVEL_WARN,
		    "out of descriptors");
	close(fd);
}

static void
on_accept(evutil_socket_t lfd, short what, void *arg)
{
	struct sockets_one *l = arg;
	struct listener *s = l->owner;
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int fd;

	memset(&addr, 0, sizeof(addr));
	fd = accept4(lfd, (struct sockaddr *)&addr, &len,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd == -1) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			pause_accepting(l);
		return;
	}
	if (!l->control) {
		accept_tcp(s, fd, &addr, len);
		return;
	}
	if (!is_stranger(s, fd))
		(void)listener_serve(s, fd, NULL, "control", PRIV_CONTROL);
	close(fd);
}

void
listener_untold(struct listener *s)
{
	struct timeval tv = { .tv_sec = 1 };

	limits_untold(&s->conns, now_ms());
	if (!event_pending(s->rest, EV_TIMEOUT, NULL))
		event_add(s->rest, &tv);
}

static void
on_rest(evutil_socket_t fd, short what, void *arg)
{
	struct timeval tv = { .tv_sec = 1 };
	struct listener *s = arg;

	limits_tell_rest(&s->conns, now_ms(), false);
	if (s->conns.untold != 0)
		event_add(s->rest, &tv);
}

/* --- signals --- */

static void
stop_listening(struct listener *s)
{
	event_del(s->resume);
	lobby_empty(s);
	metrics_close(s);
	limits_tell_rest(&s->conns, now_ms(), true);
	for (size_t i = 0; i < s->ls.n; i++)
		event_free(s->ls.each[i].ev);
	sockets_close(&s->ls);
}

/* Once: no new connections.  Twice: not the running ones either. */
static void
listener_on_term(evutil_socket_t sig, short what, void *arg)
{
	struct listener *s = arg;
	struct limits_conn *c;

	if (s->stopping) {
		log_event(LOG_LEVEL_INFO, LOG_EVENT("stop"),
		    "Ending %zu connections", s->conns.n);
		TAILQ_FOREACH (c, &s->conns.all, entry)
			conn_end(c);
		return;
	}
	s->stopping = true;
	notify("STOPPING=1");
	stop_listening(s);
	(void)prctl(PR_SET_NAME, OLDER_NAME);
	if (s->conns.n != 0)
		log_event(LOG_LEVEL_INFO, LOG_EVENT("stop"),
		    "Listening ended; %zu connections go on%s", s->conns.n,
		    notify_managed() ? "" : " (again SIGTERM ends them)");
	listener_leave_if_done(s);
}

/* What was opened or started by the old one stays as it is. */
static void
warn_of_old(const struct settings *old, const struct settings *fresh)
{
	const struct config *a = &old->conf, *b = &fresh->conf;

	if (strcmp(fresh->listen, old->listen) != 0 ||
	    strcmp(b->cliaddr, a->cliaddr) != 0)
		log_warn("other addresses need a restart");
	if (strcmp(a->metrics, b->metrics) != 0)
		log_warn("another address for metrics needs a restart");
	if (old->control && old->cligroup != fresh->cligroup)
		log_warn("another cligroup can connect after a restart only; "
			 "members of the former one are refused at once");
	if (old->dmsg &&
	    (strcmp(a->dmsgdisc, b->dmsgdisc) != 0 ||
		strcmp(old->dmsg_servers, fresh->dmsg_servers) != 0 ||
		a->dmsgport != b->dmsgport ||
		a->dmsgsessions != b->dmsgsessions ||
		!key_equal(&old->pk, &fresh->pk)))
		log_warn("what concerns dmsg, and another key on it, needs a "
			 "restart");
}

/* A configuration with a mistake changes nothing. */
static void
on_hup(evutil_socket_t sig, short what, void *arg)
{
	struct listener *s = arg;
	struct settings fresh;

	notify("RELOADING=1");
	if (s->opts->conf_stdin)
		log_warn("the configuration came from standard input and "
			 "cannot be read again");
	else if (settings_load(&fresh, s->opts, s->keyctx) != 0) {
		log_set_format(s->set->conf.log_format);
		log_error("the configuration has mistakes; the old one stays "
			  "in force");
		settings_free(&fresh);
	} else {
		warn_of_old(s->set, &fresh);
		settings_free(s->set);
		*s->set = fresh;
		log_event(LOG_LEVEL_INFO, LOG_EVENT("reload"),
		    "Configuration read again");
		tables_log(s->set);
	}
	notify("READY=1");
}

static void
listener_on_chld(evutil_socket_t sig, short what, void *arg)
{
	struct listener *s = arg;
	struct limits_conn *c;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (s->dmsg.pid == pid)
			s->dmsg.pid = 0;
		TAILQ_FOREACH (c, &s->conns.all, entry)
			if (c->pid == pid)
				break;
		if (c != NULL)
			c->pid = 0; /* it may be somebody else's now */
		/* It could not say so itself; SIGTERM is for us to send. */
		if (!WIFSIGNALED(status) || WTERMSIG(status) == SIGTERM)
			continue;
		log_set_id(c != NULL ? c->id : 0);
		log_error("monitor %ld was killed by signal %d, and with it "
			  "its connection",
		    (long)pid, WTERMSIG(status));
		log_set_id(0);
	}
	listener_leave_if_done(s);
}

static struct event *
listener_on_signal(struct listener *s, int sig, event_callback_fn cb)
{
	struct event *ev = evsignal_new(s->base, sig, cb, s);

	if (ev == NULL || event_add(ev, NULL) == -1)
		return NULL;
	return ev;
}

/* --- start --- */

/* 0 or an exit status. */
static int
open_listeners(struct listener *s)
{
	int inherited;

	if ((inherited = sockets_inherit(&s->ls)) < 0)
		return EXIT_OS;
	if (inherited == 0 && *s->set->listen == '\0' && !s->set->dmsg) {
		log_error("nowhere to listen: give --addr ADDR, e.g. "
			  "--addr :" SOCKETS_PORT ", or \"ssh_listen\" in the "
			  "configuration");
		return EXIT_CONFIG;
	}
	if (inherited == 0 && sockets_tcp(&s->ls, s->set->listen) != 0)
		return EXIT_OS;
	if (!s->set->control)
		return 0;
	if (control_make_folder(s->set->conf.cliaddr) == -1)
		log_error("the folder of %s cannot be made: %s",
		    s->set->conf.cliaddr, strerror(errno));
	if (sockets_unix(&s->ls, s->set->conf.cliaddr, s->set->cligroup) == 0) {
		log_event(LOG_LEVEL_INFO, LOG_EVENT("start"),
		    "Control socket %s", s->set->conf.cliaddr);
		return 0;
	}
	/* In a folder like /tmp anybody could keep us from starting so. */
	if (s->ls.n == 0)
		return EXIT_OS;
	log_error("there is no control socket; remote connections are served");
	return 0;
}

static int
listener_set_up_events(struct listener *s)
{
	if ((s->base = event_base_new()) == NULL ||
	    (s->resume = evtimer_new(s->base, on_resume, s)) == NULL ||
	    (s->again = evtimer_new(s->base, dmsg_monitor_start, s)) == NULL ||
	    (s->rest = evtimer_new(s->base, on_rest, s)) == NULL ||
	    lobby_init(s) == -1 || metrics_begin(s) == -1 ||
	    (s->term = listener_on_signal(s, SIGTERM, listener_on_term)) ==
		NULL ||
	    (s->intr = listener_on_signal(s, SIGINT, listener_on_term)) ==
		NULL ||
	    (s->hup = listener_on_signal(s, SIGHUP, on_hup)) == NULL ||
	    (s->chld = listener_on_signal(s, SIGCHLD, listener_on_chld)) ==
		NULL)
		return -1;
	for (size_t i = 0; i < s->ls.n; i++) {
		struct sockets_one *l = &s->ls.each[i];

		l->owner = s;
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

/* Of a change that was killed between two steps. */
static void
listener_clean(const struct settings *s)
{
	int r = config_clean(s->conf_path);

	if (r > 0)
		log_event(LOG_LEVEL_INFO, LOG_EVENT("cleaned"),
		    "Removed what a change that was cut off had left "
		    "beside %s",
		    s->conf_path);
	else if (r < 0)
		log_warn("a change that was cut off has left a file beside %s: "
			 "%s",
		    s->conf_path, err_text(r));
}

/*
 * Descriptors: as many as may be, as everybody's connection is one.  Some are
 * kept for the control socket, whose connections come last when others have
 * taken all.
 */
static void
set_room(struct listener *s)
{
	struct rlimit rl = s->opts->nofile;
	int used;

	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1 &&
	    getrlimit(RLIMIT_NOFILE, &rl) == -1)
		rl.rlim_cur = 256;
	/* They are given out from the lowest on. */
	if ((used = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) == -1)
		used = 0;
	else
		close(used);
	s->room = rl.rlim_cur > (rlim_t)used + RESERVE + 1 ?
	    (size_t)(rl.rlim_cur - (rlim_t)used - RESERVE) :
	    1;
}

int
listener_run(const struct skyptyd_options *o, struct settings *set,
    struct keyctx *ctx)
{
	static struct listener s = { .ls.say = log_at };
	char pk[KEY_PUBLIC_HEX];
	int r;

	s.opts = o;
	s.set = set;
	s.keyctx = ctx;
	limits_init(&s.conns);
	if ((r = try_confinement(set) == -1 ? EXIT_OS : open_listeners(&s)) !=
		0 ||
	    (r = metrics_open(&s)) != 0) {
		sockets_close(&s.ls);
		return r;
	}
	listener_clean(set);
	if (o->daemonise && daemon(1, 0) == -1) {
		log_error("cannot go to the background: %s", strerror(errno));
		sockets_close(&s.ls);
		return EXIT_OS;
	}
	log_set_watched(false);
	/* As sshd: whatever else is killed, somebody can come and look. */
	if (geteuid() == 0)
		process_set_oom_score(-1000);
	/* Locks on memory are not inherited by the one in the background. */
	if (o->daemonise && set->conf.sk != NULL)
		(void)sodium_mlock(set->conf.sk, KEY_SECRET_LEN);
	if (listener_set_up_events(&s) == -1) {
		log_error("cannot set up the event loop");
		sockets_close(&s.ls);
		return EXIT_OS;
	}
	set_room(&s);
	key_text(&set->pk, pk);
	log_event(LOG_LEVEL_INFO, LOG_EVENT("start"), "Serving as %s", pk);
	tables_log(set);
	dmsg_monitor_start(-1, 0, &s);
	notify("READY=1");
	event_base_dispatch(s.base);
	return 0;
}
