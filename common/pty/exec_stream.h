/* SPDX-License-Identifier: ISC */
/*
 * A command whose output flows: the original's exec stream over HTTP
 * (PROTOCOL.pty 7.2) and our own skypty/1/exec (PROTOCOL).  Both carry frames
 *
 *	tag u8 | len u32 | payload
 *
 * in a chunked response body the one, bare and both ways the other.
 */
#ifndef COMMON_PTY_EXEC_STREAM_H
#define COMMON_PTY_EXEC_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/rpc.h"

#define XS_HEAD_LEN  5
#define XS_FRAME_MAX (1024U * 1024) /* payload */

#define XS_MEDIA_TYPE	    "application/vnd.skywire.exec-stream.v1"
#define XS_PATH		    "/exec"
#define XS_TRAILER_EXIT	    "X-Exec-Exit-Code"
#define XS_TRAILER_TIMEDOUT "X-Exec-Timed-Out"
#define XS_TRAILER_DURATION "X-Exec-Duration-Ms"
#define XS_TRAILER_ERROR    "X-Exec-Error"

#define XS_STDIN_MAX	  (1024U * 1024)	  /* over HTTP */
#define XS_BODY_MAX	  (XS_STDIN_MAX + 65536U) /* of a request */
#define XS_TIMEOUT_MS	  (30 * 60 * 1000)	  /* when none is asked for */
#define XS_TIMEOUT_MAX_MS (24 * 60 * 60 * 1000)
#define XS_KEEPALIVE_S	  45

/* skypty/1/exec: what a host lets a client send before it must wait. */
#define XS_WINDOW     (2U * 1024 * 1024)
#define XS_START_MAX  (XS_FRAME_MAX)
#define XS_SIGNAL_MAX 16 /* bytes of a signal's name */
#define XS_KEYS_LEN   32 /* of a payload of KEYS, whatever is in it */
#define XS_KEYS_MAX   30 /* bytes that were typed, in one */
#define XS_ANSWER_MAX 10 /* milliseconds until it is answered */

enum xs_tag {
	/* Host to client; the first three are the original's. */
	XS_KEEPALIVE = 0, /* nothing */
	XS_STDOUT = 1,
	XS_STDERR = 2,
	/* Ours. */
	XS_WINDOW_ADD = 3, /* u32: bytes of standard input taken */
	XS_STARTED = 4,	   /* nothing; to who wished for keys, XS_TAKES_KEYS */
	XS_FAILED = 5,	   /* why the command could not be started */
	XS_EXIT = 6,	   /* how u8, status u32, duration_ms u64; the last */
	XS_PONG = 7,	   /* a byte, where KEYS had no other answer */
	/* Client to host. */
	XS_START = 16, /* struct xs_start; the first, once */
	XS_STDIN = 17,
	XS_STDIN_END = 18, /* nothing */
	XS_SIGNAL = 19,	   /* name without SIG, for the process group */
	XS_RESIZE = 20,	   /* rows, cols, x, y u16 */
	XS_KEYS = 21	   /* struct xs_keys; to be answered */
};

/* XS_EXIT's first byte. */
enum xs_how { XS_EXITED = 0, XS_SIGNALED = 1, XS_TIMEDOUT = 2 };

/* Appends a frame.  SKY_ERR_LIMIT over XS_FRAME_MAX. */
int xs_put_frame(struct buf *, enum xs_tag, const void *, size_t);
/* Writes a head into XS_HEAD_LEN bytes. */
void xs_head(uint8_t *, enum xs_tag, uint32_t len);

/*
 * Frames out of a stream, a piece at a time: payloads are not waited for as a
 * whole.
 */
struct xs_reader {
	uint8_t tag;
	uint32_t left; /* of the payload */
	bool inside;
};

/*
 * The next piece of a payload: 1 with it (also an empty frame's, as an empty
 * view), 0 when more must arrive.  SKY_ERR_LIMIT over XS_FRAME_MAX.
 */
int xs_get_piece(struct xs_reader *, struct buf *in, struct buf *piece);
/* A whole frame: 1, 0, or SKY_ERR_LIMIT for a payload over max bytes. */
int xs_get_frame(struct buf *in, size_t max, uint8_t *tag, struct buf *payload);

/* --- requests --- */

/*
 * The original's request, JSON.  What e has lies in a storage of the struct's
 * own.
 */
struct xs_request {
	struct rpc_exec e;
	struct buf name, input;
	bool in_arg, in_env;
};

/*
 * Fills it, to be freed with xs_request_free also after an error.
 * SKY_ERR_FORMAT with the reason in why; SKY_ERR_LIMIT, SKY_ERR_NOMEM.
 */
int xs_get_request(const struct buf *json, struct xs_request *, char *why,
    size_t whylen);
void xs_request_free(struct xs_request *);
int xs_put_request(struct buf *json, const struct rpc_exec *);

/*
 * Our own: flags u8, timeout_ms u32 (0: none), rows cols x y u16, name
 * string, count u32 and arguments, count u32 and environment; strings are u32
 * length and bytes.
 */
enum xs_flag { XS_HAS_STDIN = 1 << 0, XS_TERMINAL = 1 << 1 };

struct xs_start {
	uint8_t flags;
	uint32_t timeout_ms;
	struct rpc_winsize size;
	struct buf name;
	struct gob_list arg, env;
};

/* Into lists that own memory; xs_start_free also after an error. */
int xs_get_start(struct buf *payload, struct xs_start *);
void xs_start_free(struct xs_start *);
int xs_put_start(struct buf *, const struct xs_start *);

/* --- keys --- */

#define XS_TAKES_KEYS 0x01 /* a byte of STARTED */

/* A KEYS' payload: answer_ms u8, n u8, bytes, and zeros up to XS_KEYS_LEN. */
struct xs_keys {
	uint8_t answer_ms; /* when it is answered, at the latest */
	struct buf bytes;  /* a view */
};

/* SKY_ERR_FORMAT for one that is none. */
int xs_get_keys(struct buf *payload, struct xs_keys *);
/* Appends the whole frame.  SKY_ERR_LIMIT. */
int xs_put_keys(struct buf *, const struct xs_keys *);

/* --- ends --- */

/* An EXIT's payload: how u8, status u32, duration_ms u64. */
struct xs_exit {
	enum xs_how how;
	uint32_t status;
	uint64_t duration_ms;
};

/* SKY_ERR_FORMAT. */
int xs_get_exit(struct buf *payload, struct xs_exit *);
int xs_put_exit(struct buf *, const struct xs_exit *);

/* A signal that may be sent by name; 0 for none of that name. */
int xs_signal(const struct buf *name);
/* The name of a signal without SIG, "?" for one without. */
const char *xs_signal_name(int);

#endif
