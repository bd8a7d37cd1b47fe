/* SPDX-License-Identifier: ISC */
/* skyptyd-http: its life.  Everything that the filter forbids comes first. */
#include "daemon/http/http_main.h"
#include "daemon/http/http_client.h"
#include "daemon/http/http_host.h"
#include "daemon/http/http_mon.h"
#include "daemon/http/http_page.h"
#include "daemon/http/http_ws.h"

#include <errno.h>
#include <malloc.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/process.h"
#include "daemon/http/http_confine.h"

#define HEAD_S	       10    /* for a whole request */
#define HEAD_MAX       32768 /* cookies of all programs of this machine */
#define ACCEPT_AT_ONCE 8

#define FAREWELL_MS 1000 /* for browsers to be told that we go */

static volatile sig_atomic_t over, going;

struct http *
http_of(struct lws *wsi)
{
	return lws_context_user(lws_get_context(wsi));
}

void
http_once_done(struct http *h)
{
	http_tell_ended(h);
	over = 1;
}

/* libwebsockets' own word; its lines end themselves. */
static struct http *logger;

static void
http_emit(int level, const char *line)
{
	char text[256];

	strlcpy(text, line, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	/* It would like to know when addresses change, and we do not. */
	if (strstr(text, "netlink") != NULL)
		return;
	if (strcmp(text, "Ran out of header data space") == 0)
		snprintf(text, sizeof(text),
		    "Dropped a request with more than %d bytes before its "
		    "body: has the browser many cookies of this machine?",
		    HEAD_MAX);
	if (logger != NULL)
		http_log(logger,
		    level == LLL_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "%s",
		    text);
}

/* What a browser has sent, its cookie too, does not stay in free memory. */
static void *
wiping_realloc(void *p, size_t n, const char *what)
{
	if (n != 0)
		return realloc(p, n);
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
	return NULL;
}

/* --- what is no browser --- */

static int
monitor_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
    void *in, size_t len)
{
	struct http *h = http_of(wsi);

	if (reason == LWS_CALLBACK_RAW_RX_FILE && http_mon_message(h) != 0) {
		over = 1;
		return -1;
	}
	return 0;
}

/* Connections that the monitor has accepted. */
static int
door_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
    void *in, size_t len)
{
	struct http *h = http_of(wsi);
	int fd, r;

	if (reason != LWS_CALLBACK_RAW_RX_FILE)
		return 0;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		r = privmsg_recv(h->door, &h->msg, true);
		if (r == SKY_ERR_AGAIN)
			break;
		if (r == SKY_ERR_FORMAT)
			continue; /* no descriptor was left for it */
		if (r != 1 || h->msg.type != HTTP_BROWSER)
			_exit(1);
		fd = privmsg_take_fd(&h->msg, 0);
		privmsg_clear(&h->msg);
		if (fd != -1)
			visitor_new(h, fd);
	}
	return 0;
}

/*
 * Protocols of one vhost are all offered to WebSockets, so what is no
 * browser's is in another one, which no request can name.
 */
static int
inside_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
    void *in, size_t len)
{
	const struct lws_protocols *p = lws_get_protocol(wsi);

	switch (reason) {
	case LWS_CALLBACK_RAW_RX_FILE:
	case LWS_CALLBACK_RAW_WRITEABLE_FILE:
	case LWS_CALLBACK_RAW_CLOSE_FILE:
		break;
	case LWS_CALLBACK_HTTP:
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_RAW_ADOPT:
	case LWS_CALLBACK_RAW_RX:
		return -1;
	default:
		return 0;
	}
	if (strcmp(p->name, "monitor") == 0)
		return monitor_callback(wsi, reason, user, in, len);
	if (strcmp(p->name, "door") == 0)
		return door_callback(wsi, reason, user, in, len);
	return host_callback(wsi, reason, user, in, len);
}

/* --- the beginning --- */

static const struct lws_protocols protocols[] = {
	/* A WebSocket without a subprotocol is the first one's, too. */
	{ "http", page_callback, HTTP_WORD_MAX + 64, HTTP_FRAME_MAX, 0, NULL,
	    0 },
	{ "skypty.1", ws_callback, 64, HTTP_FRAME_MAX, 0, NULL, 0 },
	{ "skypty.sftp", ws_callback, 64, HTTP_FRAME_MAX, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 },
};

static const struct lws_protocols inside[] = {
	{ "host", inside_callback, 0, 0, 0, NULL, 0 },
	{ "monitor", inside_callback, 0, 0, 0, NULL, 0 },
	{ "door", inside_callback, 0, 0, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 },
};

static const lws_retry_bo_t keepalive = {
	.secs_since_valid_ping = HTTP_PING_S,
	.secs_since_valid_hangup = HTTP_PING_S + HTTP_PONG_S,
};

static struct lws *
http_adopt(struct http *h, int fd, const char *protocol)
{
	lws_sock_file_fd_type desc = { .filefd = fd };

	return lws_adopt_descriptor_vhost(h->inside, LWS_ADOPT_RAW_FILE_DESC,
	    desc, protocol, NULL);
}

/* Another port than browsers': by Host a request is moved on its own only. */
static bool
set_up_inside(struct http *h)
{
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = inside,
		.vhost_name = "inside",
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
		    LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.user = h,
	};

	if ((h->inside = lws_create_vhost(h->ctx, &info)) == NULL)
		return false;
	return http_adopt(h, h->monitor, "monitor") != NULL &&
	    http_adopt(h, h->door, "door") != NULL;
}

static bool
http_open_context(struct http *h)
{
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
		    LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS |
		    LWS_SERVER_OPTION_VALIDATE_UTF8,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.user = h,
		.timeout_secs = HEAD_S,
		.keepalive_timeout = HEAD_S,
		.max_http_header_data = HEAD_MAX,
		.pt_serv_buf_size = HTTP_FRAME_MAX / 4,
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
	return set_up_inside(h);
}

static void
http_report(void *arg, const char *step, const char *detail, int error)
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
http_on_end(int sig)
{
	going = 1;
}

/* Until all have been told, or for as long as that may take. */
static void
http_farewell(struct http *h)
{
	int64_t until = now_ms() + FAREWELL_MS;
	struct client *c;

	LIST_FOREACH (c, &h->clients, entry)
		client_close(c, HTTP_CLOSE_GOING, "the server ends");
	while (!over && !LIST_EMPTY(&h->clients) && now_ms() < until)
		if (lws_service(h->ctx, 0) < 0)
			return;
}

static void
http_greet(struct http *h)
{
	if (privmsg_recv(h->monitor, &h->msg, true) != 1 ||
	    h->msg.type != HTTP_CONFIG ||
	    http_conf_get(&h->msg.body, &h->conf) != 0)
		_exit(1);
	privmsg_clear(&h->msg);
}

int
main(void)
{
	static struct http h;
	int64_t next = 0, now;

	process_standard_fds();
	process_ignore_signals();
	signal(SIGUSR1, SIG_IGN);
	signal(SIGTERM, http_on_end);
	closefrom(PRIV_FD_COUNT);
	/* libwebsockets dates what it logs; with a name it looks once. */
	if (setenv("TZ", ":/etc/localtime", 1) == -1)
		_exit(1);
	tzset();
	if (sodium_init() == -1)
		_exit(1);
	h.monitor = PRIV_FD_PEER;
	h.door = PRIV_FD_CONN;
	visitor_init(&h);
	http_greet(&h);
	limit_descriptors(&h);
	logger = &h;
	lws_set_log_level(LLL_ERR, http_emit);
	lws_set_allocator(wiping_realloc);
	if (!http_open_context(&h))
		_exit(HTTP_EXIT_START);
	if (http_confine(&h.conf, http_report, &h) != 0)
		_exit(1);
	while (!over && !going && lws_service(h.ctx, 0) >= 0) {
		if ((now = now_ms()) >= next) {
			client_tick(&h, now);
			visitor_tick(&h);
			next = now + 1000;
		}
	}
	http_farewell(&h);
	_exit(0);
}
