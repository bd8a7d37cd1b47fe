/* SPDX-License-Identifier: ISC */
/*
 * skyptyd-http, the confined process of the terminal for browsers: it speaks
 * HTTP and WebSocket with them, and on control connections, which skyptyd
 * makes, the protocol of a host.
 *
 * Memory of one browser: what libwebsockets takes, and below WEB_INPUT_MAX
 * bytes of what is typed, WEB_OUTPUT_MAX of output; a reply of an older host
 * up to WEB_REPLY_MAX.
 */
#ifndef DAEMON_HTTP_H
#define DAEMON_HTTP_H

/* OpenSSL, which comes with it, has a type of a name that is ours. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <libwebsockets.h>
#undef ERR_STATE
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/exec_stream.h"
#include "common/log.h"
#include "common/privmsg.h"
#include "common/rpc.h"
#include "common/web.h"

#define WEB_FRAME_MAX	65536 /* bytes of one frame of a browser */
#define WEB_TEXT_MAX	4096  /* of one text message */
#define WEB_CHUNK	16384 /* of output, in one frame or one read */
#define WEB_INPUT_MAX	(256U * 1024)
#define WEB_OUTPUT_HIGH (64U * 1024) /* unsent: no more is read */
#define WEB_OUTPUT_MAX	(2 * WEB_OUTPUT_HIGH + 4096)
#define WEB_UNACKED_MAX (384U * 1024) /* sent, and not shown yet */
#define WEB_NOTES_MAX	(32U * 1024)  /* messages that wait */
#define WEB_REPLY_MAX	(128U * 1024)
#define WEB_SIZE_MS	16 /* between two sizes that are told the host */
#define WEB_GATHER_MS	16 /* output of a flood to the original's page */
#define WEB_PING_S	10
#define WEB_PONG_S	8
#define WEB_HOST_PING_S 30
#define WEB_HOST_WAIT_S 15 /* for the host to answer at all */

/* Close codes.  The first are RFC 6455's. */
enum web_close {
	WEB_CLOSE_DONE = 1000,
	WEB_CLOSE_GOING = 1001,
	WEB_CLOSE_DENIED = 1008,
	WEB_CLOSE_BIG = 1009,
	WEB_CLOSE_FAILED = 1011,
	WEB_CLOSE_MANY = 1013,
	WEB_CLOSE_IDLE = 4000
};

/* --- http_auth.c: tokens and cookies --- */

#define AUTH_COOKIES	64
#define AUTH_PEERS	256
#define AUTH_COOKIE_LEN (2 * WEB_TOKEN_LEN + 1) /* with NUL */

struct auth {
	uint8_t token[32]; /* SHA-256 */
	bool token_good;   /* not used yet */
	struct {
		uint8_t hash[32];
		int64_t until; /* seconds; 0: free */
	} cookie[AUTH_COOKIES];
	struct {
		char address[46];
		unsigned failed;
		int64_t since;
	} peer[AUTH_PEERS];
	unsigned failed; /* of all, in this minute */
	int64_t since;
	uint8_t seed[32]; /* randomness for cookies */
};

/* seed: 32 unpredictable bytes. */
void auth_init(struct auth *, const uint8_t token[32], const uint8_t seed[32]);
void auth_new_token(struct auth *, const uint8_t hash[32]);
/*
 * Takes a token, once, for a cookie that is good for ttl seconds.  false for a
 * wrong or used one, and for anybody who has tried too often.
 */
bool auth_take_token(struct auth *, const char *token, const char *address,
    int64_t now, int64_t ttl, char cookie[AUTH_COOKIE_LEN]);
bool auth_cookie(const struct auth *, const char *cookie, int64_t now);

/* --- http_origin.c: who may ask --- */

/* Whether a Host field names us: no page of another name, by DNS, is us. */
bool origin_host_ok(const struct web_conf *, const char *host);
/* Whether a page of that origin may open a WebSocket; NULL: not a browser. */
bool origin_ok(const struct web_conf *, const char *origin, const char *host);

/* --- http_text.c: what a page says in text --- */

struct web_said {
	enum { SAID_NOTHING, SAID_RESIZE, SAID_ACK } what;
	uint16_t cols, rows;
	uint64_t bytes;
};

/* false: it is no message of the page's but typed. */
bool text_read(const char *, size_t, struct web_said *);
/* "a,b" to what is typed for it, each from the list; false: not in the list. */
bool text_commands(const struct web_list *, const char *names, struct buf *);

/* --- http_term.c, http_rpc.c: the host's side --- */

struct client;

/* A host with skypty/1/exec, or the calls of an older one. */
struct host_ops {
	void (*begin)(struct client *);	 /* behind the mux's answer */
	void (*input)(struct client *);	 /* something may be sent on */
	int (*receive)(struct client *); /* 0, or ERR_* */
	void (*resize)(struct client *);
	void (*ping)(struct client *);
};
extern const struct host_ops host_stream, host_calls, host_files;

/* --- http_client.c: what a browser is told --- */

struct client {
	LIST_ENTRY(client) entry;
	struct http *h;
	uint16_t id; /* of the request for a connection */
	struct lws *ws, *host;
	int fd; /* of host */
	enum {
		CLIENT_DIALING,
		CLIENT_OPENING,
		CLIENT_RUNNING,
		CLIENT_ENDED
	} state;
	const struct host_ops *ops;
	bool ours;  /* the page speaks skypty.1 */
	bool files; /* SFTP and nothing else */
	bool attached;
	bool admitted; /* there was room */
	char sid[65];
	struct buf typed;   /* from the browser */
	struct buf to_host; /* ready to be sent */
	struct buf from_host;
	struct buf output; /* to the browser, binary */
	struct buf notes;  /* messages: u8 binary, u32 length, bytes */
	struct buf text;   /* a message that is not complete */
	bool text_message; /* of the message under way */
	size_t message_len;
	uint64_t sent, acked;
	uint16_t cols, rows;
	bool size_changed;
	int64_t size_ms, gather_ms, heard_ms, idle_since_ms, ping_ms;
	bool closing;
	enum web_close close_code;
	char close_text[124];
	/* skypty/1/exec: */
	struct xs_reader reader;
	uint32_t window;
	struct buf frame;
	/* Calls: */
	struct rpc_client *rpc;
	bool plain_start; /* StartSession is not known there */
	bool reading, writing, no_ping;
	uint8_t exit_how;
	bool over; /* the host has said the last word */
};

/* Ends it: what is queued still leaves. */
void client_close(struct client *, enum web_close, const char *text);
/* A text message to the page. */
void client_tell(struct client *, const char *json);
/* For people: to our page a status, to others a line. */
void client_status(struct client *, const char *text);
void client_fail(struct client *, const char *text);
/* The end of the session, with what is known of it. */
void client_exited(struct client *, const char *json_members);
void client_running(struct client *);
/* There is output, room, or something to be sent. */
void client_wake(struct client *);
/* Whether the host may go on. */
bool client_wants_output(const struct client *);
/* One message, if there is one, or the end; -1: no more. */
int client_writable(struct client *);

/* --- http_host.c: the control connection --- */

/* Asks for a new one: what was said on an old one is void. */
void client_reconnect(struct client *);
/* The launcher's answer: a control connection, or why there is none. */
void client_connected(struct http *, uint16_t id, int fd, const char *why);
/* The browser has made room. */
void host_resume(struct client *);
void host_drop(struct client *);

/* --- http_ws.c: what comes from a browser, and its life --- */

/* On to the host: what is typed, and the last size. */
void client_push_input(struct client *);
void client_resize(struct client *);
/* Every second. */
void client_tick(struct http *, int64_t now);

/* --- http_page.c: everything else over HTTP --- */

int page_callback(struct lws *, enum lws_callback_reasons, void *user, void *in,
    size_t len);
/* For a WebSocket: 0, or the status to refuse it with. */
int page_check(struct http *, struct lws *);

/* --- http.c --- */

struct http {
	struct lws_context *ctx;
	struct lws_vhost *vhost;
	struct web_conf conf;
	struct auth auth;
	int launcher;
	struct privmsg msg;
	LIST_HEAD(, client) clients;
	size_t nterminals, nfiles;
	struct lws *listener[PRIVMSG_FDS_MAX];
	size_t nlisteners;
	bool full; /* no descriptors: nobody is accepted for a second */
	uint16_t last_id;
	bool served; /* somebody, for --once */
};

struct http *http_of(struct lws *);
void http_log(struct http *, enum log_level, const char *, ...)
    __attribute__((format(printf, 3, 4)));
/* Asks for a control connection. */
void http_connect(struct http *, uint16_t id);
void http_once_done(struct http *);
int ws_callback(struct lws *, enum lws_callback_reasons, void *user, void *in,
    size_t len);
int host_callback(struct lws *, enum lws_callback_reasons, void *user, void *in,
    size_t len);

#endif
