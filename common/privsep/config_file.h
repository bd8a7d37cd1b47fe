/* SPDX-License-Identifier: ISC */
/* What the parts of the configuration's code share. */
#ifndef COMMON_PRIVSEP_CONFIG_FILE_H
#define COMMON_PRIVSEP_CONFIG_FILE_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/privsep/config.h"

/* "NAME: PATH: TEXT" to whoever wants to hear it; path may be empty. */
void config_say(const struct config_report *, bool fatal, const char *name,
    const char *path, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

struct stat;
/* A descriptor for reading, or -1. */
int config_open(const char *path);
/*
 * All of a regular file into text, which buf_free() wipes, and what fstat(2)
 * says of it.  SKY_ERR_SYS, SKY_ERR_TYPE (no regular file), SKY_ERR_LIMIT for
 * more than max, or CONFIG_FILE_MAX.
 */
int config_slurp_fd(int fd, size_t max, struct buf *text, struct stat *);
int config_slurp(const char *path, struct buf *text, struct stat *);
/* Tells why config_slurp could not, and returns its error. */
int config_cannot_read(const struct config_report *, const char *path, int r);
/*
 * Replaces a file by what compose makes of its text, max bytes at most, and
 * keeps all that config_write_wl() keeps.  The same errors, or compose's.
 */
int config_rewrite(const char *path, size_t max,
    int (*compose)(void *arg, struct buf *out, const struct buf *text),
    void *arg);
/* StrictModes: 0, or SKY_ERR_DENIED and SKY_ERR_SYS, reported. */
int config_check_safety(const struct config_report *, const char *path,
    const struct stat *);
/* Says so if others may read a file with a secret key in it. */
void config_warn_readable(const struct config_report *, const char *path,
    const struct stat *);

#endif
