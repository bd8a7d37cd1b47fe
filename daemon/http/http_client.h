/* SPDX-License-Identifier: ISC */
/* A browser with a terminal or files: what it is told. */
#ifndef DAEMON_HTTP_HTTP_CLIENT_H
#define DAEMON_HTTP_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/buf.h"
#include "common/pty/exec_stream.h"

struct http;
struct lws;
struct rpc_client;
struct client;

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

/* A host with skypty/1/exec, or the calls of an older one. */
struct host_ops {
	void (*begin)(struct client *);	 /* behind the mux's answer */
	void (*input)(struct client *);	 /* something may be sent on */
	int (*receive)(struct client *); /* 0, or SKY_ERR_* */
	void (*resize)(struct client *);
	void (*ping)(struct client *);
};
extern const struct host_ops host_stream, host_calls, host_files;

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

#endif
