/* SPDX-License-Identifier: ISC */
/* A command's forwards: what its process does for them. */
#ifndef CLIENT_FORWARD_FORWARD_CMD_H
#define CLIENT_FORWARD_FORWARD_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "client/forward/forward.h"
#include "client/forward/forward_flags.h"

struct client_options;
struct keyctx;

/*
 * What its hub has for it: a socket for each forward, which stands for as long
 * as that is open, and tells there what goes wrong with its connections.
 */
struct forward_held {
	int fd[FORWARDS_MAX];
	size_t n;
	int waits; /* one of them, for the connection itself, or -1 */
	int epoll; /* of all of them, or -1; readable when there is news */
	struct keyctx *ctx;
	const struct client_options *o;
};

/*
 * Has the hub forward all that the options say: 0, or EXIT_FAILED, EXIT_USAGE,
 * told.  One that fails is told, and ends the command if that was asked for.
 */
int
forward_begin(struct forward_held *, struct keyctx *, struct client_options *);
/* Adds one, takes one away, lists them: 0, or EXIT_FAILED, told. */
int forward_add(struct forward_held *, const struct forward_wish *);
int forward_cancel(struct forward_held *, const struct forward_wish *);
int forward_list(struct forward_held *);
/*
 * Orders for a hub that is there, for all that the options say: to forward,
 * for as long as it lives, or to cancel.  0, EXIT_USAGE, EXIT_FAILED, told.
 */
int
forward_order(struct keyctx *, const struct client_options *, const char *uri);
/*
 * The line of ~C, which is read at the terminal: "-L8080:host:80", "-KL8080".
 */
void forward_line(struct forward_held *);
/* What it says; 0, or EXIT_FAILED, told. */
int forward_line_do(struct forward_held *, const char *line);
/* Tells what has gone wrong meanwhile; false: the connection has ended. */
bool forward_news(struct forward_held *);
/* -N: waits for that end.  EXIT_FAILED, told. */
int forward_wait(struct forward_held *);
void forward_leave(struct forward_held *);

/* -W: standard input and output are the connection.  0, EXIT_FAILED. */
int forward_stdio(struct keyctx *, const struct client_options *);

#endif
