/* SPDX-License-Identifier: ISC */
/* Where a command's output goes. */
#ifndef CLIENT_SINK_H
#define CLIENT_SINK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/buf.h"

#define SINK_FRAME_MAX 8192 /* payload of a frame that is no output */

enum sink_result {
	SINK_MORE,    /* what is there has been written */
	SINK_BLOCKED, /* standard output or error takes no more now */
	SINK_FRAME,   /* a frame that is no output */
	SINK_BAD,     /* too large a frame */
	SINK_FAILED   /* it cannot be written, told */
};

struct sink_end {
	int fd;
	bool never_blocks, is_socket;
	size_t piece; /* what may be written at once */
};

struct sink {
	struct sink_end end[2]; /* standard output, error */
	struct sink_end *blocked;
	bool inside; /* a frame of output */
	uint8_t tag;
	uint32_t left;
};

/*
 * Opens standard output and error for us.  Once, at the very beginning: a
 * process that may not be dumped cannot look at its own descriptors.
 */
void sink_prepare(void);
/* Closes what it opened; a sink made before is not to be used again. */
void sink_release(void);
/* Standard output or error, or a socket. */
void sink_end_init(struct sink_end *, int fd);
/* How many bytes went, 0 when it would block, -1 told. */
ssize_t sink_write(struct sink_end *, const uint8_t *, size_t);
void sink_init(struct sink *);
/* Writes output out of src, up to the next other frame. */
enum sink_result
sink_next(struct sink *, struct buf *src, uint8_t *tag, struct buf *payload);
/* What poll(2) is to wait for when blocked. */
struct pollfd sink_poll(const struct sink *);

#endif
