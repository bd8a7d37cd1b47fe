/* SPDX-License-Identifier: ISC */
/* Who may come in. */
#ifndef MONITOR_WHITELIST_H
#define MONITOR_WHITELIST_H

#include <stdbool.h>

#include "common/privsep/rights.h"
#include "monitor/half/request.h"

struct monitor;

/*
 * Reads the lists anew and decides what a peer's key may do, as rights_find()
 * does.
 */
int whitelist_check(struct monitor *, const struct key_public *,
    struct rights *, char *why, size_t);
/* Whether the process behind the control socket may use it. */
bool whitelist_control(struct monitor *, int conn);

request_handler whitelist_list, whitelist_add, whitelist_remove;

#endif
