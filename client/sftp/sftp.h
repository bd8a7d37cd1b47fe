/* SPDX-License-Identifier: ISC */
/*
 * An SFTP client (version 3) that never waits: each request names the function
 * that takes its answer, and up to SFTP_REQUESTS of them are under way at once.
 * It knows two byte buffers and no connection.  PROTOCOL.pty 8,
 * draft-ietf-secsh-filexfer-02.
 */
#ifndef CLIENT_SFTP_SFTP_H
#define CLIENT_SFTP_SFTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

#define SFTP_VERSION	3
#define SFTP_REQUESTS	128
#define SFTP_HANDLE_MAX 256
#define SFTP_NAME_MAX	255 /* of a directory's entry */
/* Other implementations' packets end at 256 KiB of content. */
#define SFTP_PACKET_MAX (256U * 1024 + 1024)
/* File bytes of one READ or WRITE, and of all that are under way. */
#define SFTP_CHUNK  (128U * 1024)
#define SFTP_WINDOW (4U * 1024 * 1024)

enum sftp_status {
	SFTP_OK,
	SFTP_EOF,
	SFTP_NO_SUCH_FILE,
	SFTP_PERMISSION_DENIED,
	SFTP_FAILURE,
	SFTP_BAD_MESSAGE,
	SFTP_NO_CONNECTION,
	SFTP_CONNECTION_LOST,
	SFTP_UNSUPPORTED
};

enum sftp_open {
	SFTP_OPEN_READ = 1,
	SFTP_OPEN_WRITE = 2,
	SFTP_OPEN_CREATE = 8,
	SFTP_OPEN_TRUNCATE = 16
};

enum sftp_attr {
	SFTP_ATTR_SIZE = 1,
	SFTP_ATTR_OWNER = 2,
	SFTP_ATTR_MODE = 4,
	SFTP_ATTR_TIMES = 8
};
#define SFTP_ATTR_EXTENDED 0x80000000U

struct sftp_attrs {
	uint32_t has; /* of enum sftp_attr */
	uint64_t size;
	uint32_t mode; /* with the type's bits, as stat(2) */
	uint32_t atime, mtime;
};

struct sftp_handle {
	size_t len;
	uint8_t b[SFTP_HANDLE_MAX];
};

/* An answer.  Its buffers are views that end with the call that got it. */
struct sftp_reply {
	uint32_t status;    /* SFTP_OK with every answer that is no status */
	struct buf message; /* what the host says about another status */
	struct sftp_handle handle;
	struct buf data;
	uint32_t count; /* of names, which have been checked */
	struct buf names;
	struct sftp_attrs attrs;
	/* From the request: */
	uint64_t offset;
	uint32_t length;
};

/* Takes an answer.  What is not 0 ends sftp_take with it. */
typedef int sftp_fn(void *owner, struct sftp_reply *);

struct sftp_request {
	uint32_t id;
	uint8_t type; /* 0: free */
	sftp_fn *fn;
	void *owner;
	uint64_t offset;
	uint32_t length; /* of file bytes */
};

/* Fields belong to sftp.c and sftp_put.c. */
struct sftp {
	struct buf *in, *out;
	bool ready;	 /* the host has told its version */
	uint32_t serial; /* makes ids that do not come back soon */
	unsigned busy;
	size_t under_way; /* file bytes */
	struct sftp_request requests[SFTP_REQUESTS];
};

/* --- sftp.c: answers --- */

/* Puts the greeting.  The buffers must outlive it.  0 or SKY_ERR_*. */
int sftp_init(struct sftp *, struct buf *in, struct buf *out);
/* Whether the host has answered the greeting: requests may be put. */
bool sftp_ready(const struct sftp *);
/*
 * Takes every whole packet in the input and calls for each answer.  0,
 * SKY_ERR_* for malformed input, or what a sftp_fn returned.
 */
int sftp_take(struct sftp *);
/* Requests without an answer yet. */
unsigned sftp_busy(const struct sftp *);
/*
 * The lowest offset of the READs or WRITEs of an owner that are under way;
 * none without any.
 */
uint64_t sftp_lowest(const struct sftp *, const void *owner, uint64_t none);
/*
 * Takes the next entry off the names of an answer: its name, as a view, and
 * attributes.  0 or SKY_ERR_*.
 */
int sftp_next_name(struct buf *names, struct buf *name, struct sftp_attrs *);
/* The text of a status, static. */
const char *sftp_text(uint32_t status);

/* --- sftp_put.c: requests; 0, or SKY_ERR_LIMIT, SKY_ERR_NOMEM --- */

/* Whether a further request, or one of n file bytes, is to be put now. */
bool sftp_room(const struct sftp *);
bool sftp_data_room(const struct sftp *, size_t n);

/* Answers: a handle. */
int sftp_open(struct sftp *, const char *path, uint32_t how,
    const struct sftp_attrs *, sftp_fn *, void *owner);
int sftp_opendir(struct sftp *, const char *path, sftp_fn *, void *owner);
/* Data: 1 to n bytes; a status, SFTP_EOF behind the end. */
int sftp_read(struct sftp *, const struct sftp_handle *, uint64_t offset,
    uint32_t n, sftp_fn *, void *owner);
/* Names: at least one; a status, SFTP_EOF when all have been told. */
int
sftp_readdir(struct sftp *, const struct sftp_handle *, sftp_fn *, void *owner);
/* Names: exactly one. */
int sftp_realpath(struct sftp *, const char *path, sftp_fn *, void *owner);
int sftp_readlink(struct sftp *, const char *path, sftp_fn *, void *owner);
/* The same; hosts that do not know ~user answer SFTP_UNSUPPORTED. */
int sftp_expand(struct sftp *, const char *path, sftp_fn *, void *owner);
/* Attributes. */
int sftp_stat(struct sftp *, const char *path, sftp_fn *, void *owner);
/* A status only. */
int sftp_write(struct sftp *, const struct sftp_handle *, uint64_t offset,
    const void *, uint32_t n, sftp_fn *, void *owner);
int
sftp_close(struct sftp *, const struct sftp_handle *, sftp_fn *, void *owner);
int sftp_mkdir(struct sftp *, const char *path, const struct sftp_attrs *,
    sftp_fn *, void *owner);
int sftp_setstat(struct sftp *, const char *path, const struct sftp_attrs *,
    sftp_fn *, void *owner);
int sftp_fsetstat(struct sftp *, const struct sftp_handle *,
    const struct sftp_attrs *, sftp_fn *, void *owner);

/* --- types of packets --- */

enum sftp_type {
	SFTP_INIT = 1,
	SFTP_VERSION_ANSWER = 2,
	SFTP_OPEN = 3,
	SFTP_CLOSE = 4,
	SFTP_READ = 5,
	SFTP_WRITE = 6,
	SFTP_SETSTAT = 9,
	SFTP_FSETSTAT = 10,
	SFTP_OPENDIR = 11,
	SFTP_READDIR = 12,
	SFTP_MKDIR = 14,
	SFTP_REALPATH = 16,
	SFTP_STAT = 17,
	SFTP_READLINK = 19,
	SFTP_EXTENDED = 200,
	SFTP_STATUS = 101,
	SFTP_HANDLE = 102,
	SFTP_DATA = 103,
	SFTP_NAME = 104,
	SFTP_ATTRS = 105
};

#endif
