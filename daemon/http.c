/* SPDX-License-Identifier: ISC */
/* skyptyd-http: its life.  Everything that the filter forbids comes first. */
#include "daemon/http.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "daemon/http_confine.h"

#define HEAD_S	       10 /* for a whole request */
#define HEAD_MAX       8192
#define ACCEPT_AT_ONCE 16

#define FAREWELL_MS 1000 /* for browsers to be told that we go */

static volatile sig_atomic_t over, going;

struct http *
http_of(struct lws *wsi)
{
	return lws_context_user(lws_get_context(wsi));
}

/* --- to the launcher --- */

static void
tell(struct http *h, unsigned type, uint16_t id, struct buf *body)
{
	if (privmsg_send(h->launcher, (enum privmsg_type)type, id, body, NULL,
		0) != 0)
		_exit(1);
}

void
http_log(struct http *h, enum log_level level, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (privmsg_send_log(h->launcher, level, text) != 0)
		_exit(1);
}

void
http_connect(struct http *h, uint16_t id)
{
	tell(h, WEB_CONNECT, id, NULL);
}

void
http_once_done(struct http *h)
{
	tell(h, WEB_ENDED, 0, NULL);
	over = 1;
}

/* libwebsockets' own word; its lines end themselves. */
static struct http *logger;

static void
emit(int level, const char *line)
{
	char text[256];

	strlcpy(text, line, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	if (logger != NULL)
		http_log(logger,
		    level == LLL_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "%s",
		    text);
}

/* --- from the launcher --- */

static int
connected(struct http *h)
{
	char *why;
	int r;

	if ((r = buf_get_cstring(&h->msg.body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	client_connected(h, h->msg.id, privmsg_take_fd(&h->msg, 0), why);
	free(why);
	return 0;
}

static int
new_token(struct http *h)
{
	uint8_t hash[32];
	int r;

	if ((r = buf_get(&h->msg.body, hash, sizeof(hash))) == 0)
		auth_new_token(&h->auth, hash);
	return r;
}

static int
take_message(struct http *h)
{
	int r = privmsg_recv(h->launcher, &h->msg, true);

	if (r == ERR_AGAIN)
		return 0;
	if (r < 0)
		return r;
	if (h->msg.type == WEB_CONNECT + 1)
		r = connected(h);
	else if (h->msg.type == WEB_TOKEN)
		r = new_token(h);
	else
		r = ERR_FORMAT;
	privmsg_clear(&h->msg);
	return r;
}

static int
launcher_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
    void *in, size_t len)
{
	struct http *h = http_of(wsi);

	(void)user, (void)in, (void)len;
	if (reason == LWS_CALLBACK_RAW_RX_FILE && take_message(h) != 0) {
		over = 1;
		return -1;
	}
	return 0;
}

/* What cannot be accepted would be told again and again. */
static void
pause_listeners(struct http *h)
{
	h->full = true;
	for (size_t i = 0; i < h->nlisteners; i++)
		lws_rx_flow_control(h->listener[i], 0);
}

static void
resume_listeners(struct http *h)
{
	if (!h->full)
		return;
	h->full = false;
	for (size_t i = 0; i < h->nlisteners; i++)
		lws_rx_flow_control(h->listener[i], 1);
}

static int
listener_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
    void *in, size_t len)
{
	struct http *h = http_of(wsi);
	int fd;

	(void)user, (void)in, (void)len;
	if (reason != LWS_CALLBACK_RAW_RX_FILE)
		return 0;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		fd = accept4(lws_get_socket_fd(wsi), NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd == -1) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM)
				pause_listeners(h);
			break;
		}
		if (lws_adopt_socket_vhost(h->vhost, fd) == NULL)
			close(fd);
	}
	return 0;
}

/* --- the beginning --- */

static const struct lws_protocols protocols[] = {
	/* A WebSocket without a subprotocol is the first one's, too. */
	{ "http", page_callback, WEB_WORD_MAX + 64, WEB_FRAME_MAX, 0, NULL, 0 },
	{ "skypty.1", ws_callback, 64, WEB_FRAME_MAX, 0, NULL, 0 },
	{ "skypty.sftp", ws_callback, 64, WEB_FRAME_MAX, 0, NULL, 0 },
	{ "host", host_callback, 0, 0, 0, NULL, 0 },
	{ "launcher", launcher_callback, 0, 0, 0, NULL, 0 },
	{ "listener", listener_callback, 0, 0, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 },
};

static const lws_retry_bo_t keepalive = {
	.secs_since_valid_ping = WEB_PING_S,
	.secs_since_valid_hangup = WEB_PING_S + WEB_PONG_S,
};

static struct lws *
adopt(struct http *h, int fd, const char *protocol)
{
	lws_sock_file_fd_type desc = { .filefd = fd };

	return lws_adopt_descriptor_vhost(h->vhost, LWS_ADOPT_RAW_FILE_DESC,
	    desc, protocol, NULL);
}

static bool
set_up(struct http *h, const int *listeners, size_t n)
{
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
		    LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.user = h,
		.timeout_secs = HEAD_S,
		.keepalive_timeout = HEAD_S,
		.max_http_header_data = HEAD_MAX,
		.pt_serv_buf_size = WEB_FRAME_MAX / 4,
		.retry_and_idle_policy = &keepalive,
		.alpn = "http/1.1",
	};
	bool tls = *h->conf.cert != '\0';

	if (tls) {
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		info.ssl_cert_filepath = h->conf.cert;
		info.ssl_private_key_filepath = h->conf.key;
		info.ssl_options_set =
		    SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1;
	}
	if ((h->ctx = lws_create_context(&info)) == NULL ||
	    (h->vhost = lws_create_vhost(h->ctx, &info)) == NULL)
		return false;
	if (adopt(h, h->launcher, "launcher") == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		h->listener[i] = adopt(h, listeners[i], "listener");
		if (h->listener[i] == NULL)
			return false;
		h->nlisteners++;
	}
	return true;
}

static void
report(void *arg, const char *step, const char *detail, int error)
{
	if (error != 0)
		http_log(arg, LOG_LEVEL_ERROR, "confinement: %s (%s): %s", step,
		    detail, strerror(error));
}

static void
limit_descriptors(const struct http *h)
{
	rlim_t n = http_descriptors(&h->conf);
	struct rlimit rl = { .rlim_cur = n, .rlim_max = n };

	/* libwebsockets sizes its tables by it. */
	(void)setrlimit(RLIMIT_NOFILE, &rl);
}

static void
on_term(int sig)
{
	(void)sig;
	going = 1;
}

/* Until all have been told, or for as long as that may take. */
static void
farewell(struct http *h)
{
	int64_t until = now_ms() + FAREWELL_MS;
	struct client *c;

	LIST_FOREACH(c, &h->clients, entry)
	client_close(c, WEB_CLOSE_GOING, "the server ends");
	while (!over && !LIST_EMPTY(&h->clients) && now_ms() < until)
		if (lws_service(h->ctx, 0) < 0)
			return;
}

/* The configuration, with the sockets to listen on. */
static size_t
welcome(struct http *h, int listeners[PRIVMSG_FDS_MAX])
{
	uint8_t seed[32];
	size_t n;

	if (privmsg_recv(h->launcher, &h->msg, true) != 1 ||
	    h->msg.type != WEB_CONFIG ||
	    web_conf_get(&h->msg.body, &h->conf) != 0)
		_exit(1);
	for (n = 0; n < PRIVMSG_FDS_MAX; n++)
		if ((listeners[n] = privmsg_take_fd(&h->msg, n)) == -1)
			break;
	privmsg_clear(&h->msg);
	randombytes_buf(seed, sizeof(seed));
	auth_init(&h->auth, h->conf.token, seed);
	sodium_memzero(seed, sizeof(seed));
	return n;
}

int
main(void)
{
	static struct http h;
	int listeners[PRIVMSG_FDS_MAX];
	int64_t next = 0, now;
	size_t n;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGTERM, on_term);
	closefrom(PRIV_FD_COUNT);
	close(PRIV_FD_CONN);
	/* libwebsockets dates what it logs; with a name it looks once. */
	if (setenv("TZ", ":/etc/localtime", 1) == -1)
		_exit(1);
	tzset();
	if (sodium_init() == -1)
		_exit(1);
	h.launcher = PRIV_FD_PEER;
	n = welcome(&h, listeners);
	limit_descriptors(&h);
	logger = &h;
	lws_set_log_level(LLL_ERR, emit);
	if (!set_up(&h, listeners, n) || http_confine(&h.conf, report, &h) != 0)
		_exit(1);
	while (!over && !going && lws_service(h.ctx, 0) >= 0) {
		if ((now = now_ms()) >= next) {
			client_tick(&h, now);
			resume_listeners(&h);
			next = now + 1000;
		}
	}
	farewell(&h);
	_exit(0);
}
