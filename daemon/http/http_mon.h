/* SPDX-License-Identifier: ISC */
/* What is asked of the http monitor. */
#ifndef DAEMON_HTTP_HTTP_MON_H
#define DAEMON_HTTP_HTTP_MON_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/log.h"
#include "common/privsep/http_conf.h"

struct http;

/* A line for the log, by way of the monitor. */
void http_log(struct http *, enum log_level, const char *, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes one message, if there is one.  SKY_ERR_*: to end. */
int http_mon_message(struct http *);
/*
 * A token for a cookie.  cookie: of a browser that has one, or NULL.  fresh is
 * written for HTTP_ENTERED.
 */
enum http_entry http_enter(struct http *, const uint8_t token[HTTP_TOKEN_LEN],
    const uint8_t *cookie, const char *address, uint8_t fresh[HTTP_TOKEN_LEN]);
bool http_check(struct http *, const uint8_t cookie[HTTP_TOKEN_LEN]);
/* For one terminal a ticket.  cookie: NULL where none is asked for. */
enum http_admission http_admit(struct http *, enum http_kind,
    const uint8_t *cookie, uint32_t *ticket);
/* The terminal is no more. */
void http_leave(struct http *, uint32_t ticket);
/* Asks for a control connection. */
void http_connect(struct http *, uint16_t id, uint32_t ticket);
void http_tell_ended(struct http *);

#endif
