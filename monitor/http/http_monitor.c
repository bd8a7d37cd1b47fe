/* SPDX-License-Identifier: ISC */
/*
 * skyptyd http, the http monitor: accepts the connections of browsers for the
 * confined process that speaks with them.  It parses no byte of the network,
 * but knows who is let in.
 */
#include "monitor/http/http_gate.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/file.h"
#include "common/base/hex.h"
#include "common/base/paths.h"
#include "common/base/process.h"
#include "common/privsep/account.h"
#include "common/privsep/chroot_dir.h"
#include "common/privsep/notify.h"

#define PROGRAM	      "skyptyd-http"
#define PAUSE_S	      2	    /* before it is started again, or killed */
#define ANSWER_S      10    /* until it must take a message */
#define START_S	      60    /* in which the first may find that it cannot */
#define DOOR_BYTES    16384 /* connections that it has not taken yet */
#define ACCEPTS_BURST 16    /* of one socket, before anything else is done */

static struct web {
	struct http_options o;
	struct sockets ls;
	char where[HTTP_TEXT]; /* "https://host:port" of links */
	char token[2 * HTTP_TOKEN_LEN + 1];
	struct gate gate;
	struct event_base *base;
	int sock; /* to the child, -1 */
	int door; /* to the child, for browsers; -1 */
	int held; /* a browser for whom there was no room in the door; -1 */
	pid_t pid;
	unsigned children; /* so far */
	int64_t begun;	   /* when the first was started */
	int result;	   /* of the program */
	bool stopping;
	struct event *ev, *again, *term, *intr, *usr1, *hup, *chld;
	struct event *door_ev; /* room for the one who is held */
	struct event *pause;   /* until the next is accepted */
	struct event *knock[SOCKETS_MAX];
} w = { .sock = -1,
	.door = -1,
	.held = -1,
	.result = EXIT_OS,
	.ls.say = log_at };

/* --- tokens --- */

static void
http_make_token(void)
{
	uint8_t raw[HTTP_TOKEN_LEN], hash[32];

	randombytes_buf(raw, sizeof(raw));
	hex_encode(raw, sizeof(raw), w.token);
	crypto_hash_sha256(hash, raw, sizeof(raw));
	auth_new_token(&w.gate.auth, hash);
	sodium_memzero(raw, sizeof(raw));
}

/* No buffer of stdio's keeps it. */
static bool
http_write(int fd, const char *text)
{
	size_t n = strlen(text);
	ssize_t r;

	while (n != 0) {
		if ((r = write(fd, text, n)) == -1 && errno != EINTR)
			return false;
		if (r > 0) {
			text += r;
			n -= (size_t)r;
		}
	}
	return true;
}

/* A new file: an old one may be open elsewhere. */
static int
http_write_link(const char *link)
{
	const char *path = w.o.token_file;
	struct file_new f;
	int r;

	file_sweep(path);
	if ((r = file_new_open(&f, path)) == 0) {
		if (http_write(f.fd, link)) {
			r = file_new_commit(&f, true);
		} else {
			file_new_drop(&f);
			r = SKY_ERR_SYS;
		}
	}
	if (r != 0)
		log_error("%s: %s", path,
		    r == SKY_ERR_DENIED ?
			"its folder belongs to somebody else" :
			err_text(r));
	return r == 0 ? 0 : -1;
}

static int
http_print_link(void)
{
	char link[HTTP_TEXT + 2 * HTTP_TOKEN_LEN + 300];
	bool open = w.o.conf.no_auth || *w.o.conf.auth_header != '\0';
	int r = 0;

	strlcpy(link, w.where, sizeof(link));
	strlcat(link, w.o.conf.base, sizeof(link));
	if (!open) {
		strlcat(link, "?token=", sizeof(link));
		strlcat(link, w.token, sizeof(link));
	}
	strlcat(link, "\n", sizeof(link));
	if (!open && w.o.token_file != NULL)
		r = http_write_link(link);
	else
		(void)http_write(STDOUT_FILENO, link);
	sodium_memzero(link, sizeof(link));
	sodium_memzero(w.token, sizeof(w.token));
	return r;
}

/* --- browsers --- */

static void
http_listen_for(bool on)
{
	for (size_t i = 0; i < w.ls.n; i++)
		if (w.knock[i] != NULL && on)
			event_add(w.knock[i], NULL);
		else if (w.knock[i] != NULL)
			event_del(w.knock[i]);
}

/* The child has no listening socket, which it could close to all or keep. */
static void
http_hand_over(int fd)
{
	int r = privmsg_send(w.door, HTTP_BROWSER, 0, NULL, &fd, 1);

	if (r == SKY_ERR_SYS && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		w.held = fd;
		http_listen_for(false);
		event_add(w.door_ev, NULL);
	} else
		close(fd);
}

static void
http_on_room(evutil_socket_t sock, short what, void *arg)
{
	int fd = w.held;

	w.held = -1;
	if (fd != -1)
		http_hand_over(fd);
	if (w.held == -1)
		http_listen_for(true);
}

static void
http_on_knock(evutil_socket_t sock, short what, void *arg)
{
	struct timeval tv = { .tv_sec = 1 };
	int fd;

	for (int i = 0; i < ACCEPTS_BURST && w.held == -1; i++) {
		fd = accept4(sock, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd != -1) {
			http_hand_over(fd);
			continue;
		}
		/* What cannot be accepted would be logged again and again. */
		if (errno != EAGAIN && errno != EINTR &&
		    errno != ECONNABORTED && errno != EPROTO) {
			http_listen_for(false);
			event_add(w.pause, &tv);
		}
		return;
	}
}

static void
http_on_pause(evutil_socket_t fd, short what, void *arg)
{
	if (w.door != -1 && w.held == -1)
		http_listen_for(true);
}

static int
http_open_door(int door)
{
	int size = DOOR_BYTES;

	w.door = door;
	(void)setsockopt(door, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (fcntl(door, F_SETFL, O_NONBLOCK) == -1 ||
	    (w.door_ev = event_new(w.base, door, EV_WRITE, http_on_room,
		 NULL)) == NULL)
		return -1;
	http_listen_for(true);
	return 0;
}

/* Who comes now waits until there is another child. */
static void
http_close_door(void)
{
	http_listen_for(false);
	if (w.door_ev != NULL)
		event_free(w.door_ev);
	w.door_ev = NULL;
	if (w.door != -1)
		close(w.door);
	if (w.held != -1)
		close(w.held);
	w.door = w.held = -1;
}

/* --- the child --- */

/* It is listened to no more; what it has said is heard when it has ended. */
static void
http_drop_child(void)
{
	if (w.ev != NULL)
		event_free(w.ev);
	w.ev = NULL;
	http_close_door();
	(void)process_signal(w.pid, SIGKILL);
}

/* It has ended; nobody else holds its end. */
static void
http_bury_child(void)
{
	struct privmsg m = { 0 };

	while (w.sock != -1 && privmsg_recv(w.sock, &m, false) == 1)
		gate_last_words(&w.gate, &m);
	privmsg_free(&m);
	http_drop_child();
	http_dial_drop(&w.gate.dials);
	if (w.sock != -1)
		close(w.sock);
	w.sock = -1;
}

static void
http_on_child(evutil_socket_t fd, short what, void *arg)
{
	struct privmsg m = { 0 };
	int r;

	if ((r = privmsg_recv(fd, &m, false)) == 1)
		r = gate_request(&w.gate, &m);
	else if (r == SKY_ERR_FORMAT)
		log_error("http: message refused: %s", err_text(r));
	privmsg_free(&m);
	w.stopping |= w.gate.ended;
	if (r != 0 && r != SKY_ERR_AGAIN)
		http_drop_child();
}

static void
http_become_child(const char *path, int peer, int door)
{
	const char *argv[] = { "skyptyd: http", NULL }, *env[] = { NULL };
	const struct process_program program = { .path = path,
		.argv = argv,
		.env = env,
		.fd = { door, peer },
		.nfd = 2 };

	process_become(&program);
	_exit(127);
}

static int
http_tell_config(void)
{
	struct buf b;
	int r;

	buf_init(&b, PRIVMSG_MAX - PRIVMSG_HEAD_LEN);
	if ((r = http_conf_put(&b, &w.o.conf)) == 0)
		r = privmsg_send(w.sock, HTTP_CONFIG, 0, &b, NULL, 0);
	buf_free(&b);
	return r;
}

static int
http_set_timeout(int option, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };

	return setsockopt(w.sock, SOL_SOCKET, option, &tv, sizeof(tv));
}

/* Both ends in sv, or none. */
static int
http_pairs(int sock[2], int door[2])
{
	if (privmsg_pair(sock) != 0)
		return -1;
	if (privmsg_pair(door) == 0)
		return 0;
	close(sock[0]);
	close(sock[1]);
	return -1;
}

/* -1: logged; what there is of a child is dropped. */
static int
http_start_child(void)
{
	char path[PROCESS_PATH_MAX];
	int sock[2], door[2], r = 0, forked;

	if (process_companion(path, sizeof(path), PROGRAM, ".", LIBEXECDIR) !=
	    0) {
		log_error("the program " PROGRAM " is not here: it is built "
			  "where libwebsockets is");
		return -1;
	}
	if (http_pairs(sock, door) == -1) {
		log_error("http: %s", strerror(errno));
		return -1;
	}
	if ((forked = process_fork(&w.pid)) == 0)
		http_become_child(path, sock[1], door[1]);
	close(sock[1]);
	close(door[1]);
	w.sock = sock[0];
	if (forked == -1 || http_set_timeout(SO_SNDTIMEO, ANSWER_S) == -1 ||
	    http_set_timeout(SO_RCVTIMEO, 1) == -1 ||
	    (r = http_tell_config()) != 0 ||
	    (w.ev = event_new(w.base, w.sock, EV_READ | EV_PERSIST,
		 http_on_child, NULL)) == NULL ||
	    event_add(w.ev, NULL) == -1) {
		log_error("http cannot be started: %s",
		    r == SKY_ERR_LIMIT ? "the options are too long" :
			r != 0	       ? err_text(r) :
					 strerror(errno));
		close(door[0]);
		return -1;
	}
	if (w.children++ == 0)
		w.begun = now_ms();
	gate_child(&w.gate, w.sock);
	return http_open_door(door[0]);
}

static void
http_restart_later(void)
{
	struct timeval tv = { .tv_sec = PAUSE_S };

	event_add(w.again, &tv);
}

static void
http_on_again(evutil_socket_t fd, short what, void *arg)
{
	if (w.stopping) {
		http_drop_child();
		return;
	}
	if (w.pid != 0 || http_start_child() == 0)
		return;
	http_drop_child();
	if (w.pid != 0)
		return; /* its end brings us here again */
	http_bury_child();
	http_restart_later();
}

/* What the first one finds wrong at once, a certificate say, does not mend. */
static bool
http_cannot_begin(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == HTTP_EXIT_START &&
	    w.children == 1 && now_ms() - w.begun < START_S * 1000;
}

/* Who took it over has seen cookies and perhaps the link: all are void. */
static void
http_on_chld(evutil_socket_t sig, short what, void *arg)
{
	int status;

	http_dial_reap(&w.gate.dials);
	if (w.pid == 0 || waitpid(w.pid, &status, WNOHANG) != w.pid)
		return;
	w.pid = 0;
	http_bury_child();
	w.stopping |= w.gate.ended;
	if (w.stopping) {
		event_base_loopbreak(w.base);
		return;
	}
	if (WIFSIGNALED(status))
		log_error("http was killed by signal %d%s", WTERMSIG(status),
		    WTERMSIG(status) == SIGSYS ? " (forbidden system call)" :
						 "");
	else
		log_error("http ended with status %d", WEXITSTATUS(status));
	if (http_cannot_begin(status)) {
		w.result = EXIT_CONFIG;
		event_base_loopbreak(w.base);
		return;
	}
	auth_forget(&w.gate.auth);
	http_make_token();
	(void)http_print_link();
	http_restart_later();
}

static void
http_on_term(evutil_socket_t sig, short what, void *arg)
{
	w.stopping = true;
	http_restart_later(); /* then it is killed */
	notify("STOPPING=1");
	if (process_signal(w.pid, SIGTERM) == -1)
		event_base_loopbreak(w.base);
}

/* The whole file, or -1, logged. */
static int
http_read_pem(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t r = fd == -1 ? SKY_ERR_SYS : 1;

	while (r > 0)
		r = buf_read(b, fd, HTTP_PEM_MAX);
	if (r != 0 && r != SKY_ERR_EOF)
		log_error("%s: %s; the old certificate stays", path,
		    err_text((int)r));
	if (fd != -1)
		close(fd);
	return r == 0 || r == SKY_ERR_EOF ? 0 : -1;
}

/* A child that is about to begin reads them itself. */
static void
http_on_hup(evutil_socket_t sig, short what, void *arg)
{
	const struct http_conf *c = &w.o.conf;
	struct buf cert, key, b;
	int r = 0;

	if (*c->cert == '\0') {
		log_warn("SIGHUP is for a new certificate, and there is none "
			 "(--tls-cert)");
		return;
	}
	if (w.sock == -1)
		return;
	buf_init(&cert, HTTP_PEM_MAX);
	buf_init(&key, HTTP_PEM_MAX);
	buf_init(&b, PRIVMSG_MAX - PRIVMSG_HEAD_LEN);
	if (http_read_pem(c->cert, &cert) == 0 &&
	    http_read_pem(c->key, &key) == 0) {
		if ((r = buf_put_string(&b, buf_ptr(&cert), buf_len(&cert))) ==
			0 &&
		    (r = buf_put_string(&b, buf_ptr(&key), buf_len(&key))) == 0)
			r = privmsg_send(w.sock, HTTP_CERTIFICATE, 0, &b, NULL,
			    0);
		if (r != 0)
			log_error("the new certificate: %s; the old one stays",
			    err_text(r));
	}
	buf_free(&b);
	buf_free(&key);
	buf_free(&cert);
}

static void
http_on_usr1(evutil_socket_t sig, short what, void *arg)
{
	http_make_token();
	(void)http_print_link();
}

/* --- the beginning --- */

static int
http_find_user(void)
{
	struct http_conf *c = &w.o.conf;
	int r = account_find(w.o.user, &c->drop, &c->uid, &c->gid);

	if (r != 0) {
		log_error("--user %s: %s", w.o.user,
		    r == SKY_ERR_NOTFOUND ? "there is no such account" :
					    "that is root or of root's group");
		return -1;
	}
	if (c->drop && (r = chroot_dir_make()) != 0) {
		log_error("%s: %s", CHROOT_DIR, chroot_dir_text(r));
		return -1;
	}
	return 0;
}

static int
http_set_title(void)
{
	char name[256];

	if (*w.o.conf.title != '\0' || gethostname(name, sizeof(name)) == -1)
		return 0;
	free(w.o.conf.title);
	return (w.o.conf.title = strdup(name)) != NULL ? 0 : -1;
}

static struct event *
http_on_signal(int sig, event_callback_fn cb)
{
	struct event *ev = evsignal_new(w.base, sig, cb, NULL);

	if (ev != NULL && event_add(ev, NULL) == -1)
		return NULL;
	return ev;
}

static int
http_watch_listeners(void)
{
	for (size_t i = 0; i < w.ls.n; i++)
		if ((w.knock[i] = event_new(w.base, w.ls.each[i].fd,
			 EV_READ | EV_PERSIST, http_on_knock, NULL)) == NULL)
			return -1;
	return 0;
}

static int
http_set_up(void)
{
	free(w.o.conf.root);
	if ((w.o.conf.root = strdup(CHROOT_DIR)) == NULL ||
	    sodium_init() == -1 || http_find_user() == -1 ||
	    http_set_title() == -1 || http_listen(&w.o, &w.ls, w.where) == -1)
		return -1;
	if ((w.base = event_base_new()) == NULL ||
	    (w.again = evtimer_new(w.base, http_on_again, NULL)) == NULL ||
	    (w.pause = evtimer_new(w.base, http_on_pause, NULL)) == NULL ||
	    (w.term = http_on_signal(SIGTERM, http_on_term)) == NULL ||
	    (w.intr = http_on_signal(SIGINT, http_on_term)) == NULL ||
	    (w.usr1 = http_on_signal(SIGUSR1, http_on_usr1)) == NULL ||
	    (w.hup = http_on_signal(SIGHUP, http_on_hup)) == NULL ||
	    (w.chld = http_on_signal(SIGCHLD, http_on_chld)) == NULL ||
	    http_watch_listeners() == -1)
		return -1;
	gate_init(&w.gate, &w.o, w.base);
	http_make_token();
	return http_start_child();
}

/* "skyptyd http ...", which has become us. */
int
main(int argc, char **argv)
{
	int r;

	process_standard_fds();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2)
		return EXIT_USAGE;
	if ((r = http_options_parse(&w.o, argc - 1, argv + 1)) != 0)
		return r == -1 ? 0 : r;
	log_init("skyptyd",
	    w.o.verbose	  ? LOG_LEVEL_DEBUG :
		w.o.quiet ? LOG_LEVEL_WARN :
			    LOG_LEVEL_INFO,
	    false);
	signal(SIGHUP, SIG_IGN);
	if (http_set_up() == -1 || http_print_link() == -1) {
		w.stopping = true;
		http_drop_child();
		sockets_close(&w.ls);
		return EXIT_OS;
	}
	notify("READY=1");
	event_base_dispatch(w.base);
	sockets_close(&w.ls);
	auth_forget(&w.gate.auth);
	http_conf_free(&w.o.conf);
	return w.stopping ? 0 : w.result;
}
