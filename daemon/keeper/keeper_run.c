/* SPDX-License-Identifier: ISC */
/*
 * The keeper of one job.  It is the parent of the job's command, writes what
 * that prints into files, notes how it has ended, and is called by others who
 * want to know.  Nobody else needs to live for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/base/process.h"
#include "daemon/keeper/keeper.h"
#include "daemon/keeper/keeper_hand.h"
#include "daemon/keeper/keeper_peer.h"
#include "daemon/keeper/keeper_start.h"

#define PEERS_MAX 32
#define REST_MAX  (1024U * 1024) /* of output that is there at the end */
#define LINGER_MS 600000	 /* for peers, when the job is over */
#define FDS	  (4 + PEERS_MAX)

enum keeper_fd { FD_SIGNAL, FD_CALL, FD_OUT, FD_ERR, FD_PEERS };

struct keeper {
	struct peer_job job;
	struct peer peer[PEERS_MAX];
	pid_t pid;
	int signals, call;
	int out[2]; /* ends of pipes: standard output, error; -1: closed */
	int start;  /* to the new process */
	int64_t begun_ms, deadline, leave_ms;
	bool exited, timed_out;
};

static const enum xs_tag keeper_tags[] = { XS_STDOUT, XS_STDERR };

/* --- its input, which comes as a whole --- */

/* 1: all of it; 0: more is to come; a text: it cannot be. */
static int
keeper_put_input(struct peer *p, int fd, size_t *n, const char **why)
{
	struct buf piece;
	uint8_t tag;
	int r;

	while ((r = xs_get_frame(&p->in, JOB_OUTPUT_MAX, &tag, &piece)) == 1) {
		if (tag == XS_STDIN_END)
			return 1;
		if (tag != XS_STDIN ||
		    (*n += buf_len(&piece)) > JOB_INPUT_MAX) {
			*why = tag == XS_STDIN ?
			    "a job takes at most 1 MiB of standard input; copy "
			    "it into a file there first ('skypty cp')" :
			    "a frame that is no input";
			return -1;
		}
		while (buf_write(&piece, fd) > 0)
			;
		if (buf_len(&piece) != 0) {
			*why = strerror(errno);
			return -1;
		}
	}
	*why = "input in frames that are too large";
	return r;
}

/* A file without a name that the command reads from.  -1 and why. */
static int
keeper_read_input(struct peer *p, const char **why)
{
	int fd = memfd_create("input", MFD_CLOEXEC), r = 0;
	size_t n = 0;

	if (fd == -1) {
		*why = strerror(errno);
		return -1;
	}
	*why = "its input did not come to an end";
	buf_init(&p->in, XS_HEAD_LEN + JOB_OUTPUT_MAX);
	while (r == 0 && peer_wait(p, POLLIN, PEER_PATIENCE_MS)) {
		ssize_t got = buf_read(&p->in, p->fd, buf_room(&p->in));

		if (got <= 0 && got != SKY_ERR_AGAIN)
			break;
		r = keeper_put_input(p, fd, &n, why);
	}
	if (r == 1 && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -1;
}

/* --- its begin --- */

static int
keeper_fork(struct keeper *k, const struct keeper_orders *o, int in)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, sv[2] = { -1, -1 }, r;

	if (pipe2(out, O_CLOEXEC) == -1 || pipe2(err, O_CLOEXEC) == -1 ||
	    fcntl(out[0], F_SETFL, O_NONBLOCK) == -1 ||
	    fcntl(err[0], F_SETFL, O_NONBLOCK) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return -1;
	if ((in = in != -1 ? in : open("/dev/null", O_RDONLY | O_CLOEXEC)) ==
	    -1)
		return -1;
	if ((r = process_fork(&k->pid)) == 0) {
		close(sv[0]);
		start_become(o, sv[1], (int[]){ in, out[1], err[1] }, false);
	}
	close(in);
	close(out[1]);
	close(err[1]);
	close(sv[1]);
	k->out[0] = out[0];
	k->out[1] = err[0];
	k->start = sv[0];
	return r == -1 ? -1 : 0;
}

/* What is noted of it is on the disk before the command runs. */
static bool
keeper_begin(struct keeper *k, const struct keeper_orders *o, int in,
    char why[STORE_TEXT])
{
	struct store *s = &k->job.store;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	k->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k->signals == -1 || keeper_fork(k, o, in) == -1) {
		(void)snprintf(why, STORE_TEXT, "%s", strerror(errno));
		return false;
	}
	start_describe(s, o, k->pid);
	/* From here on we are in the job's folder; the command is not. */
	if (fchdir(s->dir) == -1 || (k->call = hand_listen()) == -1 ||
	    store_show(s) == -1) {
		(void)snprintf(why, STORE_TEXT, "folder of the job: %s",
		    strerror(errno));
		close(k->start);
		return false;
	}
	k->begun_ms = now_ms();
	if (o->timeout_ms != 0)
		k->deadline = k->begun_ms + o->timeout_ms;
	return start_let_go(k->start, o, why);
}

/* --- its end --- */

static void
keeper_close_output(struct keeper *k)
{
	for (int i = 0; i < 2; i++) {
		if (k->out[i] != -1)
			close(k->out[i]);
		k->out[i] = -1;
	}
}

static const char *
keeper_signal(struct peer_job *j, int number)
{
	struct keeper *k = j->arg;

	if (k->exited && k->out[0] == -1 && k->out[1] == -1)
		return "it has ended";
	/* What has left the group holds the output no longer, either. */
	if (k->exited && number == SIGKILL)
		keeper_close_output(k);
	if (process_signal_group(k->pid, number) == 0) {
		if (number != SIGCONT)
			(void)process_signal_group(k->pid, SIGCONT);
		return NULL;
	}
	return errno == ESRCH ? "it has ended" : strerror(errno);
}

/* Reads some of what it prints: whether more is there. */
static bool
keeper_read(struct keeper *k, int i)
{
	uint8_t text[JOB_OUTPUT_MAX];
	ssize_t n = read(k->out[i], text, sizeof(text));

	if (n > 0) {
		store_put(&k->job.store, keeper_tags[i], text, (size_t)n);
		return true;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	close(k->out[i]);
	k->out[i] = -1;
	return false;
}

/*
 * It stays a zombie for as long as we are there, so that its group's number is
 * nobody else's.
 */
static void
keeper_reap(struct keeper *k)
{
	struct job_entry *e = &k->job.store.entry;
	siginfo_t si = { 0 };

	if (k->exited ||
	    waitid(P_PID, (id_t)k->pid, &si, WEXITED | WNOHANG | WNOWAIT) ==
		-1 ||
	    si.si_pid == 0)
		return;
	k->exited = true;
	e->state = JOB_ENDED;
	e->how = k->timed_out	     ? XS_TIMEDOUT :
	    si.si_code == CLD_EXITED ? XS_EXITED :
				       XS_SIGNALED;
	e->status = k->timed_out ? 0 : (uint32_t)si.si_status;
	e->duration_ms = (uint64_t)(now_ms() - k->begun_ms);
	e->ended = (uint64_t)time(NULL);
	for (int i = 0; i < 2; i++)
		for (size_t n = 0; k->out[i] != -1 && n < REST_MAX;
		     n += JOB_OUTPUT_MAX)
			if (!keeper_read(k, i))
				break;
	k->job.drained = true;
	/* Should the disk be full, it is tried again when we leave. */
	(void)store_write_entry(&k->job.store);
}

static void
keeper_hear_signals(struct keeper *k)
{
	struct signalfd_siginfo si;

	while (read(k->signals, &si, sizeof(si)) == sizeof(si))
		/* The machine goes down: the command shall know. */
		if (si.ssi_signo == SIGTERM)
			(void)keeper_signal(&k->job, SIGTERM);
	keeper_reap(k);
}

/* --- who calls --- */

/* One more than there may be can kill, and is told why no more than that. */
static void
keeper_turn_away(struct peer *p)
{
	if (!p->closing)
		peer_fail(p, "too many look at it already");
	(void)peer_write(p);
	peer_close(p);
}

static void
keeper_answer_call(struct keeper *k)
{
	struct peer *p = NULL, more;
	struct buf asked;
	int fd;

	for (size_t i = 0; p == NULL && i < PEERS_MAX; i++)
		if (k->peer[i].fd == -1)
			p = &k->peer[i];
	buf_init(&asked, HAND_MAX);
	if ((fd = hand_take(k->call, &asked)) != -1) {
		if (p == NULL)
			p = &more;
		peer_init(p, fd);
		if (buf_put(&p->in, buf_ptr(&asked), buf_len(&asked)) == 0)
			peer_hear(p, &k->job);
		else
			peer_close(p);
	}
	if (p == &more)
		keeper_turn_away(p);
	buf_free(&asked);
}

/* Whether there is any left. */
static bool
keeper_serve_peers(struct keeper *k, const struct pollfd *fds)
{
	bool any = false;
	int64_t now = now_ms();

	for (size_t i = 0; i < PEERS_MAX; i++) {
		struct peer *p = &k->peer[i];
		bool there = true;

		if (p->fd == -1)
			continue;
		if (p->fd == fds[FD_PEERS + i].fd &&
		    (fds[FD_PEERS + i].revents & (POLLIN | POLLHUP | POLLERR)))
			there = peer_read(p, &k->job);
		if (there)
			peer_tell(p, &k->job, now);
		if (!there || !peer_write(p))
			peer_close(p);
		any = any || p->fd != -1;
	}
	return any;
}

/* --- the loop --- */

static void
keeper_poll(struct keeper *k, struct pollfd *fds)
{
	int64_t now = now_ms(), ms = PEER_KEEP_MS / 3;

	fds[FD_SIGNAL] = (struct pollfd){ k->signals, POLLIN, 0 };
	fds[FD_CALL] = (struct pollfd){ k->call, POLLIN, 0 };
	for (int i = 0; i < 2; i++)
		fds[FD_OUT + i] = (struct pollfd){ k->out[i], POLLIN, 0 };
	for (size_t i = 0; i < PEERS_MAX; i++)
		fds[FD_PEERS + i] = (struct pollfd){ k->peer[i].fd,
			k->peer[i].fd != -1 ? peer_events(&k->peer[i]) : 0, 0 };
	if (!k->exited && k->deadline != 0 && k->deadline - now < ms)
		ms = k->deadline > now ? k->deadline - now : 0;
	if (poll(fds, FDS, (int)ms) == -1)
		for (size_t i = 0; i < FDS; i++)
			fds[i].revents = 0;
}

static void
keeper_check_limit(struct keeper *k)
{
	if (k->exited || k->deadline == 0 || now_ms() < k->deadline)
		return;
	k->timed_out = true;
	k->deadline = 0;
	(void)process_signal_group(k->pid, SIGKILL);
}

/* The command has ended and so has all that holds its output. */
static bool
keeper_is_over(struct keeper *k)
{
	bool over = k->exited && k->out[0] == -1 && k->out[1] == -1;

	if (over && k->leave_ms == 0)
		k->leave_ms = now_ms() + LINGER_MS;
	return over;
}

static void
keeper_loop(struct keeper *k)
{
	struct pollfd fds[FDS];
	bool peers;

	for (;;) {
		keeper_poll(k, fds);
		if (fds[FD_CALL].revents != 0)
			keeper_answer_call(k);
		for (int i = 0; i < 2; i++)
			if (k->out[i] != -1 && fds[FD_OUT + i].revents != 0)
				(void)keeper_read(k, i);
		if (fds[FD_SIGNAL].revents != 0)
			keeper_hear_signals(k);
		keeper_check_limit(k);
		peers = keeper_serve_peers(k, fds);
		if (keeper_is_over(k) && (!peers || now_ms() >= k->leave_ms))
			return;
	}
}

/* A store_write_entry() that failed may work now. */
static int
keeper_leave(struct keeper *k)
{
	int r = store_write_entry(&k->job.store);

	(void)unlink(HAND_SOCK);
	store_close(&k->job.store);
	return r == 0 ? 0 : 1;
}

static int
keeper_refuse(struct peer *p, const char *why)
{
	peer_fail(p, why);
	peer_flush(p);
	return 1;
}

int
keeper_run(const struct keeper_orders *o, int client)
{
	static struct keeper k; /* it has room for all of its peers */
	struct peer *p = &k.peer[0];
	char why[STORE_TEXT] = "", id[JOB_ID_HEX];
	const char *bad;
	int all, in = -1;

	for (size_t i = 1; i < PEERS_MAX; i++)
		k.peer[i].fd = -1;
	k.signals = k.call = k.out[0] = k.out[1] = k.start = -1;
	k.job.runs = true;
	k.job.signal = keeper_signal;
	k.job.arg = &k;
	peer_init(p, client);
	if (o->has_input && (in = keeper_read_input(p, &bad)) == -1)
		return keeper_refuse(p, bad);
	if ((all = store_open_all(o->folder, true, why)) == -1 ||
	    store_new(&k.job.store, all, &o->limits, why) == -1)
		return keeper_refuse(p, why);
	if (!keeper_begin(&k, o, in, why)) {
		store_undo(&k.job.store);
		return keeper_refuse(p, why);
	}
	/* The command has what it needs of us; we need nothing that it may. */
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	hex_encode(k.job.store.entry.id, JOB_ID_LEN, id);
	/* Not before: it takes the words and the environment apart. */
	setproctitle_init(1, o->line, environ);
	setproctitle("-skypty-keeper: job %.8s %s", id, k.job.store.command);
	peer_put_entry(p, &k.job.store.entry);
	peer_hear(p, &k.job);
	keeper_loop(&k);
	return keeper_leave(&k);
}
