/* SPDX-License-Identifier: ISC */
/*
 * Go's net/rpc over gob with this protocol's methods and types: the host's
 * side reads calls and writes replies, the client's the other way round.
 * PROTOCOL.pty 5.1, 5.3, 5.4.  All views are borrowed from the input buffer
 * and valid until bytes are taken from it or added to it.
 */
#ifndef COMMON_PTY_RPC_H
#define COMMON_PTY_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/gob.h"
#include "common/pty/keys.h"

#define RPC_HOST_MSG_MAX   (2U * 1024 * 1024)
#define RPC_CLIENT_MSG_MAX (40U * 1024 * 1024)

enum rpc_method {
	RPC_PTY_START,
	RPC_PTY_STOP,
	RPC_PTY_READ,
	RPC_PTY_WRITE,
	RPC_PTY_SETSIZE,
	RPC_PTY_EXEC,
	RPC_PTY_PING,
	RPC_PTY_STARTSESSION,
	RPC_PTY_ATTACH,
	RPC_WL_LIST,
	RPC_WL_ADD,
	RPC_WL_REMOVE,
	RPC_METHODS /* how many */
};

struct rpc_winsize {
	uint64_t x, y; /* pixels */
	uint64_t rows, cols;
};

struct rpc_command {
	struct buf name;
	struct gob_list arg;
	struct rpc_winsize size;
	bool has_size;
	struct gob_list env;
};

struct rpc_exec {
	struct buf name;
	struct gob_list arg;
	struct gob_list env;
	struct buf in;
	int64_t timeout_ms;
};

struct rpc_exec_result {
	struct buf out;
	struct buf err;
	bool out_cut;
	bool err_cut;
	int64_t exit_code;
	bool timed_out;
	int64_t duration_ms;
};

/* An argument or a reply; which one is told by the method. */
union rpc_value {
	struct rpc_command command;    /* Start, StartSession */
	int64_t number;		       /* Read's size, Write's count */
	struct buf bytes;	       /* Write's data, Read's data */
	struct buf text;	       /* Attach's id, StartSession's id */
	struct rpc_winsize size;       /* SetPtySize */
	struct rpc_exec exec;	       /* Exec */
	struct rpc_exec_result result; /* Exec */
	struct gob_list keys;	       /* whitelist.* */
};

/* --- host --- */

/* Which methods exist on this connection: bits 1U << enum rpc_method. */
#define RPC_SERVICE_PTY                                                        \
	(1U << RPC_PTY_START | 1U << RPC_PTY_STOP | 1U << RPC_PTY_READ |       \
	    1U << RPC_PTY_WRITE | 1U << RPC_PTY_SETSIZE | 1U << RPC_PTY_EXEC | \
	    1U << RPC_PTY_PING)
#define RPC_SERVICE_WHITELIST \
	(1U << RPC_WL_LIST | 1U << RPC_WL_ADD | 1U << RPC_WL_REMOVE)

struct rpc_call {
	enum rpc_method method;
	uint64_t seq;
	union rpc_value arg;
};

/* Room that out must have for a further call to be read. */
#define RPC_HOST_ROOM 1024

struct rpc_host;
/* NULL when memory is missing. */
struct rpc_host *rpc_host_new(unsigned methods);
void rpc_host_free(struct rpc_host *);
/*
 * Reads the next call from in.  1: *call is to be carried out and answered.
 * 0: more bytes are needed, or out has less room than RPC_HOST_ROOM; call again
 * when either has changed.  < 0: the connection is to be closed.  Calls that
 * cannot be made (unknown service or method, argument of the wrong type) are
 * answered into out here, with Go's texts, and never seen by the caller.
 * in must be able to hold a message: RPC_HOST_MSG_MAX + 9 bytes.
 */
int rpc_host_next(struct rpc_host *, struct buf *in, struct buf *out,
    struct rpc_call *call);
/*
 * Appends the reply to out; value as the method's reply type, NULL if empty.
 * SKY_ERR_LIMIT or SKY_ERR_NOMEM: nothing was appended.
 */
int rpc_host_reply(struct rpc_host *, struct buf *out, enum rpc_method,
    uint64_t seq, const union rpc_value *);
int rpc_host_error(struct rpc_host *, struct buf *out, enum rpc_method,
    uint64_t seq, const char *text);

/* --- client --- */

#define RPC_PENDING_MAX 128	     /* calls that may wait for their reply */
#define RPC_ERROR_MAX	(64U * 1024) /* bytes of an error text that are kept */

struct rpc_reply {
	enum rpc_method method;
	uint64_t seq;
	bool failed;	  /* then error tells, else value */
	struct buf error; /* text from the host, unescaped, or "gob: ..." */
	union rpc_value value; /* of the method's reply type */
};

struct rpc_client;
/* NULL when memory is missing. */
struct rpc_client *rpc_client_new(void);
void rpc_client_free(struct rpc_client *);
/*
 * Appends a call to out; its number, counted from 0, is put into *seq unless
 * that is NULL.  On errors nothing is appended: SKY_ERR_LIMIT (RPC_PENDING_MAX
 * calls are waiting, or out has no room), SKY_ERR_NOMEM.
 */
int rpc_client_call(struct rpc_client *, struct buf *out, enum rpc_method,
    const union rpc_value *arg, uint64_t *seq);
/*
 * Reads the next reply from in: 1, 0 for more bytes needed, or an error that
 * ends the connection.  Replies to calls never made are dropped.  in must be
 * able to hold a message: RPC_CLIENT_MSG_MAX + 9 bytes.  The reply's error is
 * borrowed until the next call of this.
 */
int rpc_client_next(struct rpc_client *, struct buf *in, struct rpc_reply *);
/*
 * Calls waiting for their reply.  For tests alone: nothing else shows that a
 * reply has freed its place.
 */
size_t rpc_client_pending(const struct rpc_client *);

#endif
