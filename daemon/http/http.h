/* SPDX-License-Identifier: ISC */
/*
 * skyptyd-http, the confined process of the terminal for browsers: it speaks
 * HTTP and WebSocket with them, and on control connections, which skyptyd
 * makes, the protocol of a host.
 *
 * Memory of one browser: what libwebsockets takes, and below HTTP_INPUT_MAX
 * bytes of what is typed, HTTP_OUTPUT_MAX of output; a reply of an older host
 * up to HTTP_REPLY_MAX.
 */
#ifndef DAEMON_HTTP_HTTP_H
#define DAEMON_HTTP_HTTP_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/privsep/http_conf.h"
#include "common/privsep/privmsg.h"
#include "common/pty/exec_stream.h"
#include "common/pty/rpc.h"

#define HTTP_FRAME_MAX	 65536 /* bytes of one frame of a browser */
#define HTTP_TEXT_MAX	 4096  /* of one text message */
#define HTTP_WS_CHUNK	 16384 /* of output, in one frame or one read */
#define HTTP_INPUT_MAX	 (256U * 1024)
#define HTTP_OUTPUT_HIGH (64U * 1024) /* unsent: no more is read */
#define HTTP_OUTPUT_MAX	 (2 * HTTP_OUTPUT_HIGH + 4096)
#define HTTP_UNACKED_MAX (384U * 1024) /* sent, and not shown yet */
#define HTTP_NOTES_MAX	 (32U * 1024)  /* messages that wait */
#define HTTP_REPLY_MAX	 (128U * 1024)
#define HTTP_SIZE_MS	 16 /* between two sizes that are told the host */
#define HTTP_GATHER_MS	 16 /* output of a flood to the original's page */
#define HTTP_PING_S	 10
#define HTTP_PONG_S	 8
#define HTTP_FAREWELL_S	 120 /* for a browser to read what is left */
#define HTTP_HOST_PING_S 30
#define HTTP_HOST_WAIT_S 15 /* for the host to answer at all */
#define HTTP_DIGITS	 (2 * HTTP_TOKEN_LEN + 1) /* of a cookie, with NUL */

/* Close codes.  The first are RFC 6455's. */
enum http_close {
	HTTP_CLOSE_DONE = 1000,
	HTTP_CLOSE_GOING = 1001,
	HTTP_CLOSE_DENIED = 1008,
	HTTP_CLOSE_BIG = 1009,
	HTTP_CLOSE_FAILED = 1011,
	HTTP_CLOSE_MANY = 1013,
	HTTP_CLOSE_IDLE = 4000
};

/* --- http_mon.c: what is asked of the http monitor --- */

struct http;

void http_log(struct http *, enum log_level, const char *, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes one message, if there is one.  SKY_ERR_*: to end. */
int http_mon_message(struct http *);
/*
 * A token for a cookie.  cookie: of a browser that has one, or NULL.  fresh is
 * written for HTTP_ENTERED.
 */
enum http_entry http_enter(struct http *, const uint8_t token[HTTP_TOKEN_LEN],
    const uint8_t *cookie, const char *address, uint8_t fresh[HTTP_TOKEN_LEN]);
bool http_check(struct http *, const uint8_t cookie[HTTP_TOKEN_LEN]);
/* For one terminal a ticket.  cookie: NULL where none is asked for. */
enum http_admission http_admit(struct http *, enum http_kind,
    const uint8_t *cookie, uint32_t *ticket);
/* The terminal is no more. */
void http_leave(struct http *, uint32_t ticket);
/* Asks for a control connection. */
void http_connect(struct http *, uint16_t id, uint32_t ticket);
void http_tell_ended(struct http *);

/* --- http_visitor.c: connections of browsers --- */

enum visitor_place {
	VISITOR_STRANGER, /* has not shown that he is let in */
	VISITOR_KNOWN,	  /* has */
	VISITOR_ADMITTED, /* has a terminal, or files */
	VISITOR_GOING,
	VISITOR_PLACES
};

struct visitor {
	TAILQ_ENTRY(visitor) entry;
	struct http *h;
	struct lws *wsi;
	enum visitor_place place;
	uint8_t address[8];
	size_t alen;
	size_t same; /* of its place and address, with itself */
	/* When it has asked to be a WebSocket: */
	enum { ASKED_NOTHING, ASKED_ADMITTED, ASKED_FULL } asked;
	enum http_kind kind;
	uint32_t ticket; /* 0: none */
};
TAILQ_HEAD(visitors, visitor);

void visitor_init(struct http *);
/* A connection that was accepted, which is closed when it fails. */
void visitor_new(struct http *, int fd);
/* NULL for what is no browser's. */
struct visitor *visitor_of(struct lws *);
/* Once admitted it stays so. */
void visitor_move(struct visitor *, enum visitor_place);
void visitor_gone(struct lws *);
/* Every second. */
void visitor_tick(struct http *);

/* --- http_origin.c: who may ask --- */

/* Whether a Host field names us: no page of another name, by DNS, is us. */
bool origin_host_ok(const struct http_conf *, const char *host);
/* Whether a page of that origin may open a WebSocket; NULL: not a browser. */
bool origin_ok(const struct http_conf *, const char *origin, const char *host);

/* --- http_text.c: what a page says in text --- */

struct http_said {
	enum { SAID_NOTHING, SAID_RESIZE, SAID_ACK, SAID_PING } what;
	uint16_t cols, rows;
	uint64_t bytes, id;
};

/* false: it is no message of the page's but typed. */
bool text_read(const char *, size_t, struct http_said *);
/* "a,b" to what is typed for it, each from the list; false: not in the list. */
bool text_commands(const struct http_list *, const char *names, struct buf *);

/* --- http_term.c, http_rpc.c: the host's side --- */

struct client;

/* A host with skypty/1/exec, or the calls of an older one. */
struct host_ops {
	void (*begin)(struct client *);	 /* behind the mux's answer */
	void (*input)(struct client *);	 /* something may be sent on */
	int (*receive)(struct client *); /* 0, or SKY_ERR_* */
	void (*resize)(struct client *);
	void (*ping)(struct client *);
};
extern const struct host_ops host_stream, host_calls, host_files;

/* --- http_client.c: what a browser is told --- */

struct client {
	LIST_ENTRY(client) entry;
	struct http *h;
	uint16_t id;	 /* of the request for a connection */
	uint32_t ticket; /* 0: there is no room */
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
	bool opening; /* which it has been told */
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
	enum {
		FAREWELL_UNSAID,
		FAREWELL_SAID,	/* a ping behind all that was said */
		FAREWELL_HEARD, /* or given up */
	} farewell;
	int64_t leave_ms; /* when it is given up */
	enum http_close close_code;
	char close_text[124];
	/* skypty/1/exec: */
	struct xs_reader reader;
	uint32_t window;
	struct buf frame;
	/* Calls: */
	struct rpc_client *rpc;
	bool plain_start;	       /* StartSession is not known there */
	bool reading, writing, sizing; /* without an answer yet */
	bool no_ping;
	uint8_t exit_how;
	bool over; /* the host has said the last word */
};

/* Ends it: what is queued still leaves. */
void client_close(struct client *, enum http_close, const char *text);
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
/* The page asks whether anybody is there. */
void client_answer_ping(struct client *, uint64_t id);
/* An answer to a ping. */
void client_pong(struct client *, const void *, size_t);

/* --- http_host.c: the control connection --- */

/* Asks for a new one: what was said on an old one is void. */
void client_reconnect(struct client *);
/* The monitor's answer: a control connection, or why there is none. */
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
/*
 * A connection is to be something else.  0 for a WebSocket that may be one:
 * of our page, and of a browser that is let in.  Everything else is answered
 * here, with -1.
 */
int page_upgrade(struct lws *, const char *to);
/*
 * What stands behind "NAME=" in the query, wherever that is, kept in text.
 * NULL: nothing, or more than max bytes with the name.
 */
const char *page_arg(struct lws *, const char *name, char *text, int max);
/* Answers such a request with a status; the caller ends the connection. */
void page_refuse(struct lws *, int status);

/* --- http_tls.c --- */

/* The context that libwebsockets has made for its connections. */
void http_tls_begin(struct http *, void *ssl_ctx);
/*
 * Another certificate, with what leads to an authority, and its key, as PEM.
 * -1, told in the log: the one before stays.
 */
int http_tls_renew(struct http *, struct buf *cert, struct buf *key);

/* --- http.c --- */

struct http {
	struct lws_context *ctx;
	struct lws_vhost *vhost;  /* of browsers */
	struct lws_vhost *inside; /* of everything else */
	struct http_conf conf;
	int monitor;
	int door; /* that browsers come through */
	struct privmsg msg;
	LIST_HEAD(, client) clients;
	size_t nterminals, nfiles;
	struct visitors visitors[VISITOR_PLACES];
	size_t nvisitors[VISITOR_PLACES];
	uint16_t last_id, last_ask;
	struct http_cert *cert; /* NULL: the one that it began with */
};

struct http *http_of(struct lws *);
void http_once_done(struct http *);
int ws_callback(struct lws *, enum lws_callback_reasons, void *user, void *in,
    size_t len);
int host_callback(struct lws *, enum lws_callback_reasons, void *user, void *in,
    size_t len);

#endif
