/* SPDX-License-Identifier: ISC */
/*
 * The monitor of a connection, as a child that was taken over has it: whole
 * sequences of requests, made well and as bytes come, while processes end, time
 * goes by and skyptyd answers or does not.  Processes are a model: what may be
 * started when, who may be signalled and waited for, and that nothing is left
 * in the end, is required of each input.
 */
#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* With its life: what begins, leaves and reaps. */
#define main monitor_main
int monitor_main(int, char **, char **);
#include "monitor/monitor.c"
#undef main

#include "common/base/process.h"
#include "monitor/account.h"
#include "regress/fuzz/life.h"

#define INPUT_MAX 400
#define PROCESSES 1024 /* in one input, at most */
#define FIRST_PID 0x40000000
#define FDS	  256
#define OTHER	  "sync" /* who has a shell of a kind */
#define HANDLES	  8	 /* as may be named by a byte */

enum state { NONE, RUNS, ENDED, REAPED };

static struct model {
	struct process {
		enum state state;
		bool killed;
		int code, status;
	} process[PROCESSES];
	size_t n;
	bool recorded; /* what is spawned next has a recorder */
	int64_t now;
	uint32_t last_handle;
	int forwarder; /* its end, -1 */
	struct wish {
		uint16_t type, id;
		uint8_t kind;
	} wish;	   /* the last one that it has heard of */
	uid_t uid; /* of what was started first */
	bool started;
} model;

static struct monitor mon;
static struct keyctx *keys;
static struct key_public own;
static struct privmsg got;
static int child, parent;    /* their ends */
static unsigned descriptors; /* before an input */
static char nothing[1], name[64];

#define require(what) ((what) ? (void)0 : fault(__LINE__))

static void
fault(int line)
{
	fprintf(stderr, "line %d\n", line);
	abort();
}

/* --- processes that are none --- */

bool
__wrap_spawn(struct monitor *, const struct spawn *, pid_t *, char *, size_t);
int __wrap_process_fork(pid_t *);
int __wrap_process_signal(pid_t, int);
int __wrap_process_signal_group(pid_t, int);
int __wrap_waitid(idtype_t, id_t, siginfo_t *, int);
pid_t __wrap_waitpid(pid_t, int *, int);
int __wrap_recorder_start(struct monitor *, struct recorder *,
    const struct recorded *, char *, size_t);
bool __wrap_forwarder_start(struct monitor *, char *, size_t);
int64_t __wrap_now_ms(void);
void __wrap_half_die(struct half *, const char *);
void __wrap_half_timer(struct half *, int);

int64_t
__wrap_now_ms(void)
{
	return model.now;
}

static pid_t
begin_process(void)
{
	if (model.n == PROCESSES)
		return 0;
	model.process[model.n].state = RUNS;
	return FIRST_PID + (pid_t)model.n++;
}

/* Whoever it is, it is one of ours that has not been waited for. */
static struct process *
process_of(pid_t pid)
{
	struct process *p = &model.process[pid - FIRST_PID];

	require(pid >= FIRST_PID && (size_t)(pid - FIRST_PID) < model.n);
	require(p->state == RUNS || p->state == ENDED);
	return p;
}

static void
end_process(struct process *p, int code, int status)
{
	if (p->state != RUNS)
		return;
	p->state = ENDED;
	p->code = code;
	p->status = status;
}

/* What is asked for is granted, of a session, and the same user's always. */
static void
may_spawn(const struct monitor *m, const struct spawn *s)
{
	uint32_t need = PRIV_GRANT_EXEC;

	require(m->half.phase == MON_SESSION);
	require(m->account.pw_name != NULL);
	require(!model.started || model.uid == m->account.pw_uid);
	model.started = true;
	model.uid = m->account.pw_uid;
	if (s->tty != NULL)
		need = PRIV_GRANT_PTY;
	else if (s->keeper != NULL)
		need = PRIV_GRANTS_JOB;
	else if (s->in == s->out)
		need = PRIV_GRANT_SFTP;
	require((m->half.grants & need) == need);
	require(s->tty == NULL || recorder_wanted(m) == model.recorded);
	model.recorded = false;
}

bool
__wrap_spawn(struct monitor *m, const struct spawn *s, pid_t *pid, char *why,
    size_t len)
{
	may_spawn(m, s);
	if (next() % 8 != 7 && (*pid = begin_process()) != 0)
		return true;
	*pid = 0;
	(void)snprintf(why, len, "no such file or directory");
	return false;
}

int
__wrap_process_fork(pid_t *pid)
{
	return (*pid = begin_process()) != 0 ? 1 : -1;
}

static int
signal_one(pid_t pid, int sig)
{
	struct process *p;

	/* A slot that is free: the helper refuses it. */
	if (pid == 0)
		return -1;
	p = process_of(pid);
	if (sig == SIGKILL)
		p->killed = true;
	return 0;
}

int
__wrap_process_signal(pid_t pid, int sig)
{
	return signal_one(pid, sig);
}

int
__wrap_process_signal_group(pid_t pid, int sig)
{
	return signal_one(pid, sig);
}

int
__wrap_waitid(idtype_t type, id_t id, siginfo_t *si, int options)
{
	struct process *p = process_of((pid_t)id);

	require(type == P_PID && (options & WNOHANG) && (options & WNOWAIT));
	if (p->state == RUNS)
		return 0;
	si->si_pid = (pid_t)id;
	si->si_code = p->code;
	si->si_status = p->status;
	return 0;
}

/* Nobody is waited for who may take his time. */
pid_t
__wrap_waitpid(pid_t pid, int *status, int options)
{
	struct process *p = process_of(pid);

	if (p->state == RUNS && (options & WNOHANG))
		return 0;
	require(p->state == ENDED || p->killed);
	if (status != NULL)
		*status = p->code == CLD_EXITED ? p->status << 8 : p->status;
	p->state = REAPED;
	return pid;
}

int
__wrap_recorder_start(struct monitor *m, struct recorder *rec,
    const struct recorded *what, char *why, size_t len)
{
	require(recorder_wanted(m) && what->user != -1 && what->term != -1);
	require(rec->pid == 0 && rec->file == 0);
	*rec = (struct recorder){ 0 };
	if (next() % 8 == 7 || (rec->pid = begin_process()) == 0) {
		(void)snprintf(why, len, "not possible");
		return -1;
	}
	require((rec->file = memfd_create("recording", 0)) != -1);
	model.recorded = true;
	return 0;
}

static int
pair(int *other)
{
	int sv[2];

	require(privmsg_pair(sv) == 0);
	require(fcntl(sv[0], F_SETFL, O_NONBLOCK) == 0);
	require(fcntl(sv[1], F_SETFL, O_NONBLOCK) == 0);
	*other = sv[1];
	return sv[0];
}

/* Whose end is ours, for what it may say. */
bool
__wrap_forwarder_start(struct monitor *m, char *why, size_t len)
{
	struct forward *f = &m->forward;

	require(m->half.phase == MON_SESSION && m->account.pw_name != NULL);
	require(m->half.grants & PRIV_GRANT_FORWARD);
	require(f->rd == NULL && f->wr == NULL);
	f->mon = m;
	if (f->pid != 0 || next() % 8 == 7 || (f->pid = begin_process()) == 0) {
		(void)snprintf(why, len, "not possible");
		return false;
	}
	if (model.forwarder != -1)
		close(model.forwarder);
	f->fd = pair(&model.forwarder);
	f->rd = event_new(m->half.base, f->fd, EV_READ | EV_PERSIST,
	    forward_on_answer, f);
	f->wr = event_new(m->half.base, f->fd, EV_WRITE, forward_on_room, f);
	require(f->rd != NULL && f->wr != NULL && event_add(f->rd, NULL) == 0);
	return true;
}

/* As in the program; but there is no child, and this one goes on. */
void
__wrap_half_die(struct half *h, const char *why)
{
	int was = h->phase;

	if (was == HALF_DYING)
		return;
	h->phase = HALF_DYING;
	close(h->child);
	h->child = -1;
	h->role->leave(h, was, why);
}

void
__wrap_half_timer(struct half *h, int seconds)
{
	(void)h, (void)seconds;
}

/* --- what the child hears --- */

static bool
gives_handle(unsigned type)
{
	return type == PM_PTY_START + 1 || type == PM_EXEC_START + 1 ||
	    type == PM_SFTP_START + 1 || type == PM_JOB_RUN + 1 ||
	    type == PM_JOB_DOOR + 1;
}

/* A handle is a new one, and descriptors come with one. */
static void
hear_start(void)
{
	struct buf text;
	uint32_t handle;

	require(buf_get_string(&got.body, &text) == 0);
	if (buf_len(&text) != 0) {
		require(buf_len(&got.body) == 0 && got.nfd == 0);
		return;
	}
	require(buf_get_u32(&got.body, &handle) == 0);
	require(handle > model.last_handle && handle != PRIV_CONN_HANDLE);
	require(buf_len(&got.body) == 0);
	require(got.nfd >= (got.type == PM_EXEC_START + 1 ? 2 : 1));
	model.last_handle = handle;
}

static void
hear(void)
{
	uint32_t handle;

	while (privmsg_recv(child, &got, true) == 1) {
		require(got.type & 1);
		if (gives_handle(got.type))
			hear_start();
		else if (got.type == PM_EXITED) {
			require(buf_get_u32(&got.body, &handle) == 0);
			require(handle != 0 && handle <= model.last_handle);
		}
		privmsg_clear(&got);
	}
	while (privmsg_recv(parent, &got, false) == 1)
		privmsg_clear(&got);
}

/* --- what it says --- */

/* False: it is ended. */
static void
ask(unsigned type, struct buf *body)
{
	struct privmsg msg = { .type = (uint16_t)type, .id = next() };

	buf_view(&msg.body, buf_ptr(body), buf_len(body));
	if (mon.half.phase != HALF_DYING && half_dispatch(&mon.half, &msg) != 0)
		half_die(&mon.half, "refused");
	buf_free(body);
}

static void
put_raw(struct buf *b, size_t n)
{
	if (n > life.left)
		n = life.left;
	require(buf_put(b, life.input, n) == 0);
	life.input += n;
	life.left -= n;
}

static void
put_command(struct buf *b, uint8_t how)
{
	static const char *const names[] = { "sh", "", "/bin/sh", "a b" };
	unsigned words = how / 4 % 4;

	require(buf_put_cstring(b, names[how % 4]) == 0);
	require(buf_put_u32(b, words) == 0);
	for (unsigned i = 0; i < words; i++)
		require(buf_put_cstring(b, "word") == 0);
	require(buf_put_u32(b, how / 16 % 2) == 0);
	for (unsigned i = 0; i < how / 16 % 2; i++)
		require(buf_put_cstring(b, "TERM=xterm") == 0);
}

/* One that was given lately, or any. */
static uint32_t
some_handle(void)
{
	uint8_t which = next();

	return which < 240 ? model.last_handle + 1 - which % HANDLES :
			     which % 2 * PRIV_CONN_HANDLE;
}

static void
ask_start(unsigned type)
{
	struct buf b;
	uint8_t how = next();

	buf_init(&b, PRIVMSG_MAX);
	put_command(&b, next());
	if (type == PM_PTY_START) {
		require(buf_put_u8(&b, how & ~PRIV_PTY_MODES) == 0);
		require(buf_put_u64(&b, how) == 0);
	} else {
		require(buf_put_u32(&b, how & 128 ? how : 0) == 0);
		require(buf_put_u8(&b, how & 127) == 0);
	}
	ask(type, &b);
}

static void
ask_handle(unsigned type)
{
	struct buf b;

	buf_init(&b, PRIVMSG_MAX);
	require(buf_put_u32(&b, some_handle()) == 0);
	if (type == PM_EXEC_SIGNAL)
		require(buf_put_u8(&b, next() % 32) == 0);
	if (type == PM_BYTES)
		require(buf_put_u64(&b, 1) == 0 && buf_put_u64(&b, 2) == 0);
	ask(type, &b);
}

static void
ask_nothing(unsigned type)
{
	struct buf b;

	buf_init(&b, PRIVMSG_MAX);
	ask(type, &b);
}

/* Any row with any bytes, or with as many as it wants. */
static void
ask_any(void)
{
	const struct request *r =
	    &monitor_requests.row[next() % monitor_requests.n];
	uint8_t how = next();
	struct buf b;

	buf_init(&b, PRIVMSG_MAX);
	put_raw(&b, how & 128 ? r->min : how);
	ask(how == 127 ? how : r->type, &b);
}

static const char *const places[] = { "127.0.0.1", "localhost", "/sock",
	"elsewhere", "", "a\nb", "::1", "*" };
static const uint16_t ports[] = { 22, 4000, 0, 65535 };

static void
ask_forward(uint8_t how)
{
	unsigned type = how & 128 ? PM_FORWARD_LISTEN : PM_FORWARD_OPEN;
	struct buf b;

	buf_init(&b, PRIVMSG_MAX);
	require(buf_put_u8(&b, how / 32 % 2) == 0);
	require(buf_put_cstring(&b, places[how % 8]) == 0);
	require(buf_put_u16(&b, ports[how / 8 % 4]) == 0);
	if (type == PM_FORWARD_LISTEN)
		require(buf_put_u8(&b, how / 64 % 2) == 0);
	ask(type, &b);
}

static void
ask_user(uint8_t how)
{
	static const char *const names[] = { name, OTHER, "no-such-user", "" };
	struct buf b;

	buf_init(&b, PRIVMSG_MAX);
	require(buf_put_cstring(&b, names[how % 4]) == 0);
	ask(PM_USER, &b);
}

/* --- what happens besides --- */

static void
end_one(uint8_t which, uint8_t how)
{
	size_t n = model.n;

	/* The later ones are the likelier to run still. */
	if (n != 0)
		end_process(&model.process[n - 1 - which % n],
		    how & 1 ? CLD_KILLED : CLD_EXITED, how / 2 % 64 + 1);
	mon.half.role->reap(&mon.half);
}

static int
fire_timer(const struct event_base *base, const struct event *ev, void *arg)
{
	struct event **found = arg;
	unsigned *skip = (unsigned *)&found[1];

	(void)base;
	if (event_get_fd(ev) != -1 || !event_pending(ev, EV_TIMEOUT, NULL) ||
	    (*skip)-- != 0)
		return 0;
	memcpy(found, &ev, sizeof(ev));
	return 1;
}

static void
fire(uint8_t nth)
{
	struct event *found[2] = { NULL, NULL };
	unsigned skip = nth % 8;

	memcpy(&found[1], &skip, sizeof(skip));
	event_base_foreach_event(mon.half.base, fire_timer, found);
	if (found[0] != NULL)
		event_active(found[0], EV_TIMEOUT, 0);
	event_base_loop(mon.half.base, EVLOOP_NONBLOCK);
}

/* What is wished for is what the key may have. */
static void
hear_wish(void)
{
	const struct rights *r = &mon.rights;
	struct buf where;
	uint16_t port;

	model.wish.type = got.type;
	model.wish.id = got.id;
	require(buf_get_u8(&got.body, &model.wish.kind) == 0);
	require(buf_get_string(&got.body, &where) == 0);
	require(buf_get_u16(&got.body, &port) == 0);
	if (got.type == PM_FORWARD_OPEN ? r->nopen == 0 : r->nlisten == 0)
		return;
	/* put_rights() */
	require(model.wish.kind == PRIV_FORWARD_TCP);
	require(buf_len(&where) == 9);
	require(memcmp(buf_ptr(&where),
		    got.type == PM_FORWARD_OPEN ? "127.0.0.1" : "localhost",
		    9) == 0);
	require(port == (got.type == PM_FORWARD_OPEN ? 22 : 4000));
}

/* A socket of some kind, and its port. */
static int
some_socket(uint8_t how, uint16_t *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd, sv[2];

	if (how & 1) {
		require(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0);
		close(sv[1]);
		return sv[0];
	}
	require((fd = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	if (how & 2 && bind(fd, (struct sockaddr *)&in, len) == 0 &&
	    listen(fd, 1) == 0 &&
	    getsockname(fd, (struct sockaddr *)&in, &len) == 0)
		*port = ntohs(in.sin_port);
	return fd;
}

/* skypty-forward is its user's: it may say anything, and go. */
static void
forwarder_says(uint8_t how)
{
	bool listens = model.wish.type == PM_FORWARD_LISTEN;
	uint16_t port = 0;
	struct buf b;
	int fd[2];

	while (privmsg_recv(model.forwarder, &got, false) == 1)
		hear_wish();
	if (how >= 240) {
		close(model.forwarder);
		model.forwarder = -1;
	} else {
		buf_init(&b, PRIVMSG_MAX);
		fd[0] = some_socket(how, &port);
		fd[1] = some_socket(how / 2, &port);
		require(buf_put_cstring(&b, how & 4 ? "no" : "") == 0);
		if (listens)
			require(buf_put_u16(&b, port) == 0);
		if (how >= 200)
			put_raw(&b, how % 8);
		(void)privmsg_send(model.forwarder,
		    model.wish.type + (how < 230), model.wish.id + how / 225,
		    &b, fd, how / 64 % 3);
		close(fd[0]);
		close(fd[1]);
		buf_free(&b);
	}
	event_base_loop(mon.half.base, EVLOOP_NONBLOCK);
}

/* skyptyd answers what it will be asked, before it is. */
static void
answer(uint8_t how)
{
	static const unsigned types[] = { PM_GET_STATUS, PM_GET_CONNS,
		PM_GET_COUNTS, PM_END_CONNS, PM_DIAL };
	struct buf b;

	buf_init(&b, PRIVMSG_MAX);
	put_raw(&b, how / 8);
	require(privmsg_send(parent,
		    types[how % 8 % (sizeof(types) / sizeof(types[0]))] + 1, 0,
		    &b, NULL, 0) == 0);
	buf_free(&b);
}

static void
act(void)
{
	static const unsigned starts[] = { PM_PTY_START, PM_EXEC_START,
		PM_JOB_RUN, PM_PTY_START };
	static const unsigned handles[] = { PM_PTY_STOP, PM_EXEC_END,
		PM_EXEC_LEAVE, PM_EXEC_SIGNAL, PM_BYTES };
	uint8_t what = next();

	switch (what % 14) {
	case 0:
		ask_any();
		break;
	case 1:
	case 2:
	case 3:
		ask_start(starts[what / 14 % 4]);
		break;
	case 4:
	case 5:
		ask_handle(handles[what / 14 % 5]);
		break;
	case 6:
		ask_nothing(what & 32 ? PM_SFTP_START : PM_JOB_DOOR);
		break;
	case 7:
	case 8:
		end_one(next(), what);
		break;
	case 9:
		fire(what / 14);
		break;
	case 10:
		model.now += what * 10;
		answer(next());
		break;
	case 11:
		ask_user(what / 14);
		break;
	case 12:
		ask_forward(next());
		break;
	case 13:
		if (model.forwarder != -1)
			forwarder_says(next());
	}
	hear();
}

/* --- all of it --- */

static char *
copied(const char *s)
{
	char *copy = strdup(s);

	require(copy != NULL);
	return copy;
}

static size_t
put_permit(struct rights_permit **p, const char *host, uint16_t port)
{
	require((*p = calloc(1, sizeof(**p))) != NULL);
	(*p)->host = copied(host);
	(*p)->port = port;
	return 1;
}

static void
put_rights(struct rights *r)
{
	uint8_t grants = next(), more = next(), permits = next();

	r->grants = grants & PRIV_GRANTS_KEY;
	r->record = more & 1;
	r->idle_timeout = more & 2 ? 60 : 0;
	r->sftp_readonly = more & 4;
	if (more & 8)
		r->command = copied(more & 16 ? "internal-sftp" : "echo");
	if (more & 32) {
		require((r->user = calloc(2, sizeof(*r->user))) != NULL);
		r->user[r->nuser++] = copied(more & 64 ? name : OTHER);
		r->user[r->nuser++] = copied(more & 64 ? OTHER : name);
	}
	if (permits & 1)
		r->nopen = put_permit(&r->open, "127.0.0.1", 22);
	if (permits & 2)
		r->nlisten = put_permit(&r->listen, "localhost", 4000);
	mon.half.start.sftp_log = more & 128 ? SFTP_LOG_INFO : SFTP_LOG_OFF;
}

static void
begin_half(struct half *h, enum priv_carrier carrier)
{
	h->role = &role;
	require((h->base = event_base_new()) != NULL);
	h->child = pair(&child);
	h->parent = pair(&parent);
	h->start.carrier = carrier;
	h->start.peer = h->start.conf = h->start.chroot_dir = nothing;
	h->start.record = h->start.authorized = h->start.revoked = nothing;
	h->start.accept_env = h->start.job_dir = nothing;
	h->start.sftp_server = name;
	h->start.max_jobs = 2;
	h->start.pk = own;
	require((h->keyctx = keyctx_new()) != NULL);
	require((h->start.sk = sodium_malloc(KEY_SECRET_LEN)) != NULL);
	memset(h->start.sk, 1, KEY_SECRET_LEN);
}

static unsigned
count_descriptors(void)
{
	unsigned n = 0;

	for (int i = 0; i < FDS; i++)
		n += fcntl(i, F_GETFD) != -1;
	return n;
}

static void
begin(void)
{
	uint8_t how = next();

	descriptors = count_descriptors();
	memset(&mon, 0, sizeof(mon));
	memset(&model, 0, sizeof(model));
	begin_half(&mon.half,
	    how % 8 == 0     ? PRIV_CONTROL :
		how % 8 == 1 ? PRIV_KK :
			       PRIV_XK);
	mon.proxy.stream = mon.proxy.result = model.forwarder = -1;
	mon.half.start.record_all = how & 128;
	if (how % 8 == 0) {
		mon.half.phase = MON_SESSION;
		session_begin_control(&mon);
	} else if (how % 8 == 1)
		require(kk_begin(&mon) == 0);
	else if (how % 8 == 2)
		require(handshake_begin(&mon) == 0);
	else {
		mon.half.phase = MON_SESSION;
		put_rights(&mon.rights);
		session_begin(&mon);
	}
}

static void
live(void)
{
	while (life.left != 0 && mon.half.phase != HALF_DYING)
		act();
}

/* Those that end by themselves, and those that are killed. */
static void
end_all(bool killed)
{
	for (size_t i = 0; i < model.n; i++)
		if (!killed || model.process[i].killed)
			end_process(&model.process[i], CLD_KILLED, SIGHUP);
	mon.half.role->reap(&mon.half);
	hear();
}

static void
nothing_is_left(void)
{
	struct half *h = &mon.half;

	require(pty_running(h) == 0 && exec_running(h) == 0);
	require(sftp_running(h) == 0 && keep_running(h) == 0);
}

/* Zombies of commands whose end nobody asks for go with the program. */
static void
free_commands(void)
{
	for (size_t i = 0; i < PRIV_EXECS_MAX; i++)
		if (mon.exec[i].pid != 0)
			job_free(&mon.exec[i]);
}

static void
free_monitor(void)
{
	struct half *h = &mon.half;

	handshake_end(&mon);
	sodium_free(mon.kk);
	rights_free(&mon.rights);
	account_free(&mon.account);
	if (mon.idle != NULL)
		event_free(mon.idle);
	if (mon.telling != NULL)
		event_free(mon.telling);
	if (mon.proxy.ev != NULL)
		event_free(mon.proxy.ev);
	if (mon.proxy.stream != -1)
		close(mon.proxy.stream);
	if (mon.proxy.result != -1)
		close(mon.proxy.result);
	if (mon.guard_pid != 0)
		close(mon.guard);
	close(h->parent);
	event_base_free(h->base);
}

/* The child goes, and then all else: what is told to end does. */
static void
end(void)
{
	struct half *h = &mon.half;

	half_die(h, "over");
	end_all(true);
	if (h->role->waits(h)) {
		h->role->kill_left(h);
		end_all(true);
	}
	end_all(false);
	require(!h->role->waits(h));
	free_commands();
	hear();
	close(child);
	close(parent);
	if (model.forwarder != -1)
		close(model.forwarder);
	free_monitor();
	privmsg_free(&got);
	nothing_is_left();
	/* As with memory: what a library has opened for good is there then. */
	life.allocations += (long)count_descriptors() - (long)descriptors;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint8_t secret[KEY_SECRET_LEN] = { 1, 1 };
	struct passwd *pw = getpwuid(geteuid());

	(void)argc, (void)argv;
	require(pw != NULL && sodium_init() != -1);
	(void)snprintf(name, sizeof(name), "%s", pw->pw_name);
	require((keys = keyctx_new()) != NULL);
	require(key_public(keys, secret, &own) == 0);
	log_init("fuzz", LOG_LEVEL_ERROR, false);
	log_set_level(LOG_LEVEL_ERROR);
	life_prepare();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n != 0 && n <= INPUT_MAX)
		life_run(data, n, begin, live, end);
	return 0;
}
