/* SPDX-License-Identifier: ISC */
/* How a keeper begins what it keeps. */
#ifndef DAEMON_KEEPER_KEEPER_START_H
#define DAEMON_KEEPER_KEEPER_START_H

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/keeper/keeper.h"

/*
 * In the new process: waits for a word at start, as what it is must be noted
 * first, and becomes the command; fd[0] is to be its terminal if it has one.
 */
__attribute__((noreturn)) void start_become(const struct keeper_orders *,
    int start, const int fd[3], bool terminal);
/* At the other end of start, which is closed: whether it runs; else why. */
bool
start_let_go(int start, const struct keeper_orders *, char why[STORE_TEXT]);
/* Puts into the entry what is known of it. */
void start_describe(struct store *, const struct keeper_orders *, pid_t);

#endif
