/* SPDX-License-Identifier: ISC */
/*
 * When and how long what is typed leaves is the same whatever it is: a frame of
 * one size at a fixed cadence, with nothing in it where nothing was typed, from
 * the first key on until a while after the last one.  See PROTOCOL.
 */
#ifndef CLIENT_OBSCURE_H
#define CLIENT_OBSCURE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/exec_stream.h"

#define OBSCURE_MS     20 /* between two frames, unless told */
#define OBSCURE_MS_MAX 1000

struct obscure {
	int64_t interval; /* ms; 0: it is off */
	bool active;
	int64_t next;	 /* when the next frame is due */
	int64_t until;	 /* nothing is sent from then on, but keys */
	struct buf keys; /* typed, and not sent yet */
};

/* "yes", "no" or "interval:MS".  False: it is neither. */
bool obscure_parse(const char *text, int64_t *ms);
void obscure_init(struct obscure *, int64_t ms);
void obscure_free(struct obscure *);
/*
 * Takes keys, at a time in milliseconds.  False: they are too many to be typed
 * by hand, and go as they are, behind those that wait.
 */
bool obscure_keys(struct obscure *, int64_t now, const struct buf *keys);
/* Whether a frame is to leave now. */
bool obscure_due(const struct obscure *, int64_t now);
/* The frame, of what waits; out is a view of keys of ours, or none. */
void obscure_take(struct obscure *, int64_t now, struct buf *out);
/* Milliseconds until one is due; -1: none is. */
int64_t obscure_wait(const struct obscure *, int64_t now);

#endif
