/* SPDX-License-Identifier: ISC */
/* A command that outlives its connection. */
#ifndef CLIENT_JOB_H
#define CLIENT_JOB_H

struct client_options;
struct keyctx;

/*
 * Begins the command of the options as a job, and prints its id; with follow
 * its output, too, until it has ended.  An exit status, told.
 */
int job_run(struct keyctx *, const struct client_options *);

#endif
