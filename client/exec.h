/* SPDX-License-Identifier: ISC */
/* A command on a host. */
#ifndef CLIENT_EXEC_H
#define CLIENT_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/exec_stream.h"
#include "common/pty/keys.h"
#include "common/pty/rpc.h"

struct client_options;

/* A command by the best of the ways that the host has.  An exit status. */
int exec_command(struct keyctx *, const struct client_options *);

/* The same without skypty/1/exec. */
int exec_older(struct keyctx *, const struct client_options *);

/*
 * The ways to run one.  True with an exit status, told; false when the host
 * does not know this way, or a command cannot go by it.
 */
bool
exec_frames_run(struct keyctx *, const struct client_options *, int *status);
bool exec_http_run(struct keyctx *, const struct client_options *,
    const struct buf *input, int *status);
/* The last one, which every host knows: an exit status, told. */
int exec_rpc_run(struct keyctx *, const struct client_options *,
    const struct buf *input);

/* Words as a list that owns its memory. */
int exec_put_list(struct gob_list *, const char *const *, size_t n);
/* The command of the options; its lists own memory, also after an error. */
int exec_describe(struct rpc_exec *, const struct client_options *);
void exec_describe_free(struct rpc_exec *);
/* Whether standard input can give anything. */
bool exec_has_input(const struct client_options *);
/* The exit status for a command that could not be started, and why. */
int exec_not_started(const struct buf *why);
/* What a command's end means: an exit status, told. */
int exec_ended(const struct client_options *, enum xs_how, int64_t status,
    int64_t duration_ms);

#endif
