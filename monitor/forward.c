/* SPDX-License-Identifier: ISC */
/*
 * Forwarding: what of it the key's rights permit, word for word and before
 * anything is resolved.
 */
#include "monitor/forward.h"

#include <ctype.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/privsep/forwarder.h"
#include "monitor/about.h"
#include "monitor/monitor.h"
#include "monitor/session.h"

#define LINES_PER_S 20 /* of the log, of what was made, and of refusals */
#define SWEEP_S	    60
#define PLACE_MAX   300

/* "db port 5432", "/run/x" */
static void
forward_place(const struct forward_wish *w, char text[PLACE_MAX])
{
	const char *name =
	    w->type == PM_FORWARD_LISTEN && *w->name == '\0' ? "*" : w->name;

	if (w->kind == PRIV_FORWARD_UNIX)
		(void)snprintf(text, PLACE_MAX, "%s", name);
	else
		(void)snprintf(text, PLACE_MAX, "%s port %u", name, w->port);
}

/* --- the wishes --- */

static void
forward_free(struct forward_wish *w)
{
	free(w->name);
	free(w);
}

static void
forward_forget(struct forward *f, struct forward_wish *w)
{
	TAILQ_REMOVE(&f->wishes, w, next);
	f->making--;
	forward_free(w);
}

static struct forward_wish *
forward_find(const struct forward *f, uint16_t id)
{
	struct forward_wish *w;

	if (f->making == 0)
		return NULL;
	TAILQ_FOREACH (w, &f->wishes, next)
		if (w->id == id)
			return w;
	return NULL;
}

/* One that no other has: there are fewer wishes than ids. */
static uint16_t
forward_new_id(struct forward *f)
{
	do
		f->last_id++;
	while (f->last_id == 0 || forward_find(f, f->last_id) != NULL);
	return f->last_id;
}

unsigned
forward_making(const struct half *h)
{
	return monitor_of_const(h)->forward.making;
}

/* --- the log --- */

/* A peer that forwards much does not fill it. */
static bool
forward_may_log(struct rate_span *span, const char *what)
{
	unsigned n = rate_count(span, now_ms(), 1000);

	if (n == LINES_PER_S + 1)
		log_warn("Forwarding: more than %d %s in 1 s: the rest is not "
			 "told",
		    LINES_PER_S, what);
	return n <= LINES_PER_S;
}

static void
forward_log_made(struct forward *f, const struct forward_wish *w)
{
	bool listens = w->type == PM_FORWARD_LISTEN;
	struct log_fields fields = { .event = "forwarding" };
	char place[PLACE_MAX];

	if (!forward_may_log(&f->opened, "connections"))
		return;
	forward_place(w, place);
	log_put(&fields, "kind", listens ? "Listener" : "Connection");
	log_put(&fields, "place", place);
	log_put(&fields, "user", f->mon->account.pw_name);
	log_event(LOG_LEVEL_INFO, &fields, "%s %s",
	    listens ? "Listening for forwarding at" : "Forwarding to", place);
}

static void
forward_log_refused(struct forward *f, const struct forward_wish *w,
    const char *why)
{
	bool listens = w->type == PM_FORWARD_LISTEN;
	struct log_fields fields = { .event = "forwarding-refused" };
	char place[PLACE_MAX];

	if (!forward_may_log(&f->refused, "refusals"))
		return;
	forward_place(w, place);
	log_put(&fields, "kind", listens ? "Listener" : "Connection");
	log_put(&fields, "place", place);
	log_put(&fields, "reason", why);
	log_event(LOG_LEVEL_INFO, &fields, "Refused forwarding: to %s %s: %s",
	    listens ? "listen at" : "connect to", place, why);
}

/* --- answers to the child --- */

static void
forward_answer_why(struct forward *f, const struct forward_wish *w,
    const char *why)
{
	const struct privmsg req = { .type = w->type, .id = w->child_id };
	char place[PLACE_MAX];

	forward_place(w, place);
	log_debug("Forwarding: %s: %s", place, why);
	half_answer_why(&f->mon->half, &req, why);
}

static void
forward_answer_all(struct forward *f, const char *why)
{
	struct forward_wish *w;

	while (f->making != 0) {
		w = TAILQ_FIRST(&f->wishes);
		forward_answer_why(f, w, why);
		forward_forget(f, w);
	}
}

/* The descriptors go with it. */
static void
forward_answer_ok(struct forward *f, const struct forward_wish *w,
    uint16_t port, struct privmsg *from)
{
	const struct privmsg req = { .type = w->type, .id = w->child_id };
	bool listens = w->type == PM_FORWARD_LISTEN;
	int fds[PRIVMSG_FDS_MAX];
	size_t n = from->nfd;
	struct buf b;

	for (size_t i = 0; i < n; i++)
		fds[i] = privmsg_take_fd(from, i);
	buf_init(&b, 2);
	if (!listens || buf_put_u16(&b, port) == 0)
		half_answer_ok(&f->mon->half, &req, &b, fds, n);
	buf_free(&b);
}

/* --- skypty-forward's --- */

static void
forward_end(struct forward *f, bool lies, const char *why)
{
	forwarder_drop(f, lies);
	forward_answer_all(f, why);
	about_tell(f->mon);
}

/* False: it is malformed, or about nothing, or not what it says. */
static bool
forward_take_answer(struct forward *f, struct privmsg *msg)
{
	struct forward_wish *w = forward_find(f, msg->id);
	char *why = NULL;
	uint16_t port = 0;
	bool ok;

	if (w == NULL || !w->sent || msg->type != w->type + 1 ||
	    buf_get_cstring(&msg->body, &why, PRIVMSG_TEXT_MAX) != 0)
		return false;
	if (*why != '\0') {
		forward_answer_why(f, w, why);
		forward_forget(f, w);
		free(why);
		return true;
	}
	free(why);
	ok = (w->type == PM_FORWARD_OPEN ||
		 buf_get_u16(&msg->body, &port) == 0) &&
	    buf_at_end(&msg->body) == 0 &&
	    forward_is_good(w, port, msg->fd, msg->nfd);
	if (!ok)
		return false;
	forward_log_made(f, w);
	f->mon->used[w->type == PM_FORWARD_OPEN ? USE_FORWARD : USE_LISTEN]++;
	forward_answer_ok(f, w, port, msg);
	forward_forget(f, w);
	return true;
}

/* Its last word is why there is no such process. */
static bool
forward_take_refusal(struct forward *f, struct privmsg *msg)
{
	char *why;

	if (msg->id != 0 ||
	    buf_get_cstring(&msg->body, &why, PRIVMSG_TEXT_MAX) != 0)
		return false;
	log_warn("Forwarding: %s", why);
	forward_end(f, false, why);
	free(why);
	return true;
}

/*
 * Its last words are there also where it has ended without having read all of
 * ours, which the kernel tells first, once.
 */
static int
forward_recv(int fd, struct privmsg *msg)
{
	int r = privmsg_recv(fd, msg, true);

	return r == SKY_ERR_SYS && errno == ECONNRESET ?
	    privmsg_recv(fd, msg, true) :
	    r;
}

void
forward_on_answer(int fd, short what, void *arg)
{
	struct forward *f = arg;
	struct privmsg msg = { 0 };
	int r = forward_recv(fd, &msg);

	if (r == 1 && !forward_take_refusal(f, &msg) &&
	    !forward_take_answer(f, &msg)) {
		log_warn("Forwarding: " FORWARDER_PROGRAM
			 " has not made what it says");
		forward_end(f, true, FORWARDER_PROGRAM " has failed");
	} else if (r != 1 && r != SKY_ERR_AGAIN) {
		log_warn("Forwarding: " FORWARDER_PROGRAM " has ended");
		forward_end(f, r != SKY_ERR_EOF,
		    FORWARDER_PROGRAM " has ended");
	}
	privmsg_free(&msg);
}

static int
forward_send(const struct forward *f, const struct forward_wish *w)
{
	struct buf b;
	int r;

	buf_init(&b, PRIVMSG_TEXT_MAX);
	if ((r = buf_put_u8(&b, w->kind)) == 0 &&
	    (r = buf_put_cstring(&b, w->name)) == 0 &&
	    (r = buf_put_u16(&b, w->port)) == 0 && w->type == PM_FORWARD_LISTEN)
		r = buf_put_u8(&b, w->flags);
	if (r == 0)
		r = privmsg_send(f->fd, w->type, w->id, &b, NULL, 0);
	buf_free(&b);
	return r == SKY_ERR_SYS && errno == EAGAIN ? SKY_ERR_AGAIN : r;
}

/* What it takes now; it is heard meanwhile, and never waited for. */
static void
forward_send_all(struct forward *f)
{
	struct forward_wish *w;
	int r;

	TAILQ_FOREACH (w, &f->wishes, next) {
		if (w->sent)
			continue;
		if ((r = forward_send(f, w)) == SKY_ERR_AGAIN) {
			event_add(f->wr, NULL);
			return;
		}
		/* That it has ended its end of the socket tells. */
		w->sent = true;
	}
}

void
forward_on_room(int fd, short what, void *arg)
{
	forward_send_all(arg);
}

/* One that answers nothing is left alone, but not for ever. */
static void
forward_on_sweep(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval tv = { .tv_sec = SWEEP_S };
	struct forward *f = arg;
	struct forward_wish *w, *following;
	int64_t old = now_ms() - FORWARDER_S * INT64_C(1000);

	for (w = f->making != 0 ? TAILQ_FIRST(&f->wishes) : NULL; w != NULL;
	     w = following) {
		following = TAILQ_NEXT(w, next);
		if (w->begun > old)
			continue;
		forward_answer_why(f, w, "no answer in time");
		forward_forget(f, w);
	}
	if (f->making != 0)
		event_add(f->timer, &tv);
}

/* --- the child's --- */

/* Whatever the peer has said: only the text is refused, not the child. */
static const char *
forward_objection(const struct monitor *m, const struct forward_wish *w)
{
	const struct rights *r = &m->rights;
	bool listens = w->type == PM_FORWARD_LISTEN;

	for (const char *p = w->name; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p))
			return "a name has no control characters";
	if (w->kind == PRIV_FORWARD_UNIX && *w->name != '/')
		return "the path of a socket begins with a slash";
	if (w->kind == PRIV_FORWARD_UNIX && strlen(w->name) > PERMITS_PATH_MAX)
		return "the path of a socket is too long";
	if (listens && w->kind == PRIV_FORWARD_TCP &&
	    permits_where(w->name) == PERMITS_NOWHERE)
		return "to listen takes an address in digits, or localhost";
	if (!listens) {
		if (w->kind == PRIV_FORWARD_TCP &&
		    (*w->name == '\0' || w->port == 0))
			return "that is no host and port";
		if (w->kind == PRIV_FORWARD_UNIX ?
			permits_path(r->open, r->nopen, w->name) :
			permits_open(r->open, r->nopen, w->name, w->port))
			return NULL;
		return "this key may not have that (permitopen)";
	}
	if (w->kind == PRIV_FORWARD_UNIX ?
		permits_path(r->listen, r->nlisten, w->name) :
		permits_listen(r->listen, r->nlisten, w->name, w->port))
		return NULL;
	return "this key may not have that (permitlisten)";
}

/* As sshd: whether the kernel would let others, is not asked. */
static const char *
forward_objection_to_port(const struct monitor *m, const struct forward_wish *w)
{
	if (w->type == PM_FORWARD_LISTEN && w->kind == PRIV_FORWARD_TCP &&
	    w->port != 0 && w->port < IPPORT_RESERVED && m->account.pw_uid != 0)
		return "only root listens at a port below 1024";
	return NULL;
}

static void
forward_refuse(struct forward *f, struct forward_wish *w, const char *why)
{
	forward_log_refused(f, w, why);
	forward_answer_why(f, w, why);
	forward_free(w);
}

static void
forward_add(struct forward *f, struct forward_wish *w)
{
	const struct timeval tv = { .tv_sec = SWEEP_S };

	if (f->making == 0)
		TAILQ_INIT(&f->wishes);
	w->id = forward_new_id(f);
	w->begun = now_ms();
	TAILQ_INSERT_TAIL(&f->wishes, w, next);
	f->making++;
	if (f->timer == NULL)
		f->timer = evtimer_new(f->mon->half.base, forward_on_sweep, f);
	if (f->timer != NULL && !event_pending(f->timer, EV_TIMEOUT, NULL))
		event_add(f->timer, &tv);
	forward_send_all(f);
}

static void
forward_make(struct monitor *m, struct forward_wish *w)
{
	char why[PRIVMSG_TEXT_MAX] = "";
	struct forward *f = &m->forward;
	const char *objection;

	f->mon = m;
	if ((objection = forward_objection(m, w)) != NULL) {
		forward_refuse(f, w, objection);
		return;
	}
	if (!session_ready(m, why, sizeof(why))) {
		forward_refuse(f, w, why);
		return;
	}
	if ((objection = forward_objection_to_port(m, w)) != NULL) {
		forward_refuse(f, w, objection);
		return;
	}
	if (f->rd == NULL) {
		if (!forwarder_start(m, why, sizeof(why))) {
			log_error("Forwarding: %s", why);
			forward_answer_why(f, w, why);
			forward_free(w);
			return;
		}
		about_tell(m);
	}
	forward_add(f, w);
}

static int
forward_ask(struct half *h, struct privmsg *msg, enum privmsg_type type)
{
	struct forward_wish *w = calloc(1, sizeof(*w));
	int r;

	if (w == NULL)
		return SKY_ERR_NOMEM;
	w->type = type;
	w->child_id = msg->id;
	if ((r = buf_get_u8(&msg->body, &w->kind)) == 0 &&
	    (r = buf_get_cstring(&msg->body, &w->name, PRIV_FORWARD_NAME)) ==
		0 &&
	    (r = buf_get_u16(&msg->body, &w->port)) == 0 &&
	    type == PM_FORWARD_LISTEN)
		r = buf_get_u8(&msg->body, &w->flags);
	if (r == 0 && (r = buf_at_end(&msg->body)) == 0 &&
	    (w->kind > PRIV_FORWARD_UNIX || w->flags & ~PRIV_LISTEN_UNLINK))
		r = SKY_ERR_RANGE;
	if (r == 0)
		forward_make(monitor_of(h), w);
	else
		forward_free(w);
	return r;
}

int
forward_open(struct half *h, struct privmsg *msg)
{
	return forward_ask(h, msg, PM_FORWARD_OPEN);
}

int
forward_listen(struct half *h, struct privmsg *msg)
{
	return forward_ask(h, msg, PM_FORWARD_LISTEN);
}

/* --- its life --- */

void
forward_reap(struct monitor *m)
{
	struct forward *f = &m->forward;

	if (f->pid != 0 && waitpid(f->pid, NULL, WNOHANG) == f->pid) {
		f->pid = 0;
		about_tell(m);
	}
}

void
forward_leave(struct monitor *m)
{
	struct forward *f = &m->forward;

	while (f->making != 0)
		forward_forget(f, TAILQ_FIRST(&f->wishes));
	if (f->timer != NULL)
		event_free(f->timer);
	f->timer = NULL;
	forwarder_drop(f, false);
}

void
forward_kill(struct monitor *m)
{
	(void)process_signal(m->forward.pid, SIGKILL);
}
