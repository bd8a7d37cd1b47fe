/* SPDX-License-Identifier: ISC */
/*
 * skyptyd http: opens the sockets, starts the confined process that meets the
 * browsers, and makes it connections to the host's control socket.  It parses
 * no byte of the network.
 */
#include "daemon/web.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/hex.h"
#include "common/process.h"

#define PROGRAM	       "skyptyd-http"
#define PAUSE_S	       2  /* before it is started again, or killed */
#define CONNECTS_PER_S 20 /* and as many at once */

static struct web {
	struct web_options o;
	struct listeners ls;
	char where[WEB_TEXT]; /* "https://host:port" of links */
	char token[2 * WEB_TOKEN_LEN + 1];
	struct event_base *base;
	int sock; /* to the child, -1 */
	pid_t pid;
	bool stopping;
	struct event *ev, *again, *term, *intr, *usr1, *chld;
	int64_t second;
	unsigned connects, lines;
} w = { .sock = -1 };

/* --- tokens --- */

static void
make_token(uint8_t hash[32])
{
	uint8_t raw[WEB_TOKEN_LEN];

	randombytes_buf(raw, sizeof(raw));
	hex_encode(raw, sizeof(raw), w.token);
	crypto_hash_sha256(hash, raw, sizeof(raw));
	sodium_memzero(raw, sizeof(raw));
}

static int
write_link(const char *link)
{
	const char *path = w.o.token_file;
	bool ok = unlink(path) == 0 || errno == ENOENT;
	int fd = -1;

	/* A new file: an old one may be open elsewhere. */
	if (ok)
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ok = fd != -1 && fchmod(fd, 0600) == 0 && dprintf(fd, "%s\n", link) > 0;
	if (fd != -1 && close(fd) == -1)
		ok = false;
	if (!ok)
		log_error("%s: %s", path, strerror(errno));
	return ok ? 0 : -1;
}

static int
print_link(void)
{
	char link[WEB_TEXT + 2 * WEB_TOKEN_LEN + 300];
	int r = 0;

	if (w.o.conf.no_auth || *w.o.conf.auth_header != '\0') {
		printf("%s%s\n", w.where, w.o.conf.base);
	} else {
		snprintf(link, sizeof(link), "%s%s?token=%s", w.where,
		    w.o.conf.base, w.token);
		if (w.o.token_file != NULL)
			r = write_link(link);
		else
			printf("%s\n", link);
		sodium_memzero(link, sizeof(link));
	}
	fflush(stdout);
	sodium_memzero(w.token, sizeof(w.token));
	return r;
}

/* --- the host --- */

/* What is counted by the second begins anew in the next one. */
static void
look_at_clock(void)
{
	int64_t second = now_ms() / 1000;

	if (second == w.second)
		return;
	w.second = second;
	w.connects = w.lines = 0;
}

static int
answer_connect(const struct privmsg *m)
{
	char why[WEB_TEXT] = "";
	struct buf b;
	int fd = -1, r;

	look_at_clock();
	if (++w.connects > CONNECTS_PER_S)
		strlcpy(why, "too many terminals at once", sizeof(why));
	else
		fd = web_dial(&w.o, why);
	buf_init(&b, PRIVMSG_TEXT_MAX + 4);
	if ((r = buf_put_cstring(&b, why)) == 0)
		r = privmsg_send(w.sock, (enum privmsg_type)(WEB_CONNECT + 1),
		    m->id, &b, &fd, fd != -1 ? 1 : 0);
	buf_free(&b);
	if (fd != -1)
		close(fd);
	return r;
}

/* --- the child --- */

static int
write_log(struct privmsg *m)
{
	uint8_t level;
	char *text;
	int r;

	if ((r = buf_get_u8(&m->body, &level)) != 0 ||
	    (r = buf_get_cstring(&m->body, &text, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	if (buf_len(&m->body) != 0) {
		free(text);
		return ERR_FORMAT;
	}
	look_at_clock();
	if (level <= LOG_LEVEL_DEBUG && w.lines++ < PRIV_LOGS_PER_S)
		log_at((enum log_level)level, "http: %s", text);
	free(text);
	return 0;
}

static int
take(struct privmsg *m)
{
	bool plain = buf_len(&m->body) == 0;

	if (m->type == WEB_CONNECT && plain)
		return answer_connect(m);
	if (m->type == PM_LOG)
		return write_log(m);
	if (m->type == WEB_ENDED && plain && w.o.conf.once) {
		w.stopping = true;
		return 0;
	}
	return ERR_DENIED;
}

static void
drop_child(void)
{
	if (w.sock == -1)
		return;
	event_free(w.ev);
	close(w.sock);
	w.sock = -1;
	if (w.pid != 0)
		kill(w.pid, SIGKILL);
}

static void
on_child(evutil_socket_t fd, short what, void *arg)
{
	struct privmsg m = { 0 };
	int r;

	(void)what, (void)arg;
	if ((r = privmsg_recv(fd, &m, false)) == 1)
		r = take(&m);
	if (r != 0 && r != ERR_AGAIN && r != ERR_EOF)
		log_error("http: request %u refused: %s", (unsigned)m.type,
		    err_text(r));
	privmsg_free(&m);
	if (r != 0 && r != ERR_AGAIN)
		drop_child();
}

static void
become_child(const char *path, int peer)
{
	static char title[] = "skyptyd: http";
	char *argv[] = { title, NULL }, *envp[] = { NULL };
	int null;

	if ((peer = fcntl(peer, F_DUPFD, PRIV_FD_COUNT)) == -1 ||
	    (null = open("/dev/null", O_RDWR)) == -1 || dup2(null, 0) == -1 ||
	    dup2(null, 1) == -1 || (!SKYPTY_SANITIZE && dup2(null, 2) == -1) ||
	    dup2(null, PRIV_FD_CONN) == -1 || dup2(peer, PRIV_FD_PEER) == -1)
		_exit(126);
	closefrom(PRIV_FD_COUNT);
	process_reset_signals();
	execve(path, argv, envp);
	_exit(127);
}

static int
tell_config(void)
{
	int fds[PRIVMSG_FDS_MAX], r;
	struct buf b;

	for (size_t i = 0; i < w.ls.n; i++)
		fds[i] = w.ls.l[i].fd;
	buf_init(&b, PRIVMSG_MAX - PRIVMSG_HEAD_LEN);
	if ((r = web_conf_put(&b, &w.o.conf)) == 0)
		r = privmsg_send(w.sock, (enum privmsg_type)WEB_CONFIG, 0, &b,
		    fds, w.ls.n);
	buf_free(&b);
	return r;
}

static int
start(void)
{
	char path[PROCESS_PATH_MAX];
	int sv[2], r = 0;

	if (process_companion(path, sizeof(path), PROGRAM, ".", LIBEXECDIR) !=
	    0) {
		log_error("the program " PROGRAM " is not here: it is built "
			  "where libwebsockets is");
		return -1;
	}
	if (privmsg_pair(sv) != 0)
		return -1;
	if ((w.pid = fork()) == 0)
		become_child(path, sv[1]);
	close(sv[1]);
	w.sock = sv[0];
	if (w.pid == -1 || (r = tell_config()) != 0) {
		log_error("http: %s",
		    w.pid == -1	       ? strerror(errno) :
			r == ERR_LIMIT ? "the options are too long" :
					 err_text(r));
		return -1;
	}
	w.ev = event_new(w.base, w.sock, EV_READ | EV_PERSIST, on_child, NULL);
	return w.ev != NULL ? event_add(w.ev, NULL) : -1;
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	if (w.stopping)
		drop_child();
	else if (w.sock == -1 && start() == -1)
		event_base_loopbreak(w.base);
}

/* A cookie does not outlive the process that knows it: a new link. */
static void
on_chld(evutil_socket_t sig, short what, void *arg)
{
	struct timeval tv = { .tv_sec = PAUSE_S };
	int status;

	(void)sig, (void)what, (void)arg;
	if (w.pid == 0 || waitpid(w.pid, &status, WNOHANG) != w.pid)
		return;
	w.pid = 0;
	drop_child();
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
	make_token(w.o.conf.token);
	(void)print_link();
	event_add(w.again, &tv);
}

static void
on_term(evutil_socket_t sig, short what, void *arg)
{
	struct timeval tv = { .tv_sec = PAUSE_S };

	(void)sig, (void)what, (void)arg;
	w.stopping = true;
	event_add(w.again, &tv); /* then it is killed */
	notify("STOPPING=1");
	if (w.pid != 0)
		kill(w.pid, SIGTERM);
	else
		event_base_loopbreak(w.base);
}

static void
on_usr1(evutil_socket_t sig, short what, void *arg)
{
	struct buf b;

	(void)sig, (void)what, (void)arg;
	make_token(w.o.conf.token);
	buf_init(&b, 32);
	if (w.sock != -1 && buf_put(&b, w.o.conf.token, 32) == 0)
		(void)privmsg_send(w.sock, (enum privmsg_type)WEB_TOKEN, 0, &b,
		    NULL, 0);
	buf_free(&b);
	(void)print_link();
}

/* --- the beginning --- */

static int
find_user(void)
{
	struct web_conf *c = &w.o.conf;
	const struct passwd *pw;

	c->uid = getuid();
	c->gid = getgid();
	if (!(c->drop = geteuid() == 0))
		return 0;
	if ((pw = getpwnam(w.o.user)) == NULL || pw->pw_uid == 0) {
		log_error("--user %s: %s", w.o.user,
		    pw == NULL ? "there is no such account" : "that is root");
		return -1;
	}
	c->uid = pw->pw_uid;
	c->gid = pw->pw_gid;
	return settings_chroot_dir();
}

static int
set_title(void)
{
	char name[256];

	if (*w.o.conf.title != '\0' || gethostname(name, sizeof(name)) == -1)
		return 0;
	free(w.o.conf.title);
	return (w.o.conf.title = strdup(name)) != NULL ? 0 : -1;
}

static struct event *
on_signal(int sig, event_callback_fn cb)
{
	struct event *ev = evsignal_new(w.base, sig, cb, NULL);

	if (ev != NULL && event_add(ev, NULL) == -1)
		return NULL;
	return ev;
}

static int
set_up(void)
{
	free(w.o.conf.root);
	if ((w.o.conf.root = strdup(CHROOT_DIR)) == NULL ||
	    sodium_init() == -1 || find_user() == -1 || set_title() == -1 ||
	    web_listen(&w.o, &w.ls, w.where) == -1)
		return -1;
	if ((w.base = event_base_new()) == NULL ||
	    (w.again = evtimer_new(w.base, on_again, NULL)) == NULL ||
	    (w.term = on_signal(SIGTERM, on_term)) == NULL ||
	    (w.intr = on_signal(SIGINT, on_term)) == NULL ||
	    (w.usr1 = on_signal(SIGUSR1, on_usr1)) == NULL ||
	    (w.chld = on_signal(SIGCHLD, on_chld)) == NULL)
		return -1;
	make_token(w.o.conf.token);
	return start();
}

int
web_main(int argc, char **argv)
{
	int r;

	if ((r = web_options_parse(&w.o, argc, argv)) != 0)
		return r == -1 ? 0 : r;
	log_init("skyptyd",
	    w.o.verbose	  ? LOG_LEVEL_DEBUG :
		w.o.quiet ? LOG_LEVEL_WARN :
			    LOG_LEVEL_INFO,
	    false);
	signal(SIGHUP, SIG_IGN);
	if (set_up() == -1 || print_link() == -1) {
		w.stopping = true;
		drop_child();
		listeners_close(&w.ls);
		return EXIT_OS;
	}
	notify("READY=1");
	event_base_dispatch(w.base);
	listeners_close(&w.ls);
	web_conf_free(&w.o.conf);
	return w.stopping ? 0 : EXIT_OS;
}
