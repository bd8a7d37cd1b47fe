/* SPDX-License-Identifier: ISC */
/* What every program that starts another one needs. */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include <stddef.h>

#define PROCESS_PATH_MAX 1280 /* enough for process_companion */

/*
 * Path of a program that belongs to the running one: beside it, as in the
 * build tree; else in a folder relative to its own ("../libexec/skypty"), as
 * installed below any prefix; else in the folder built in.  The first that is
 * there and executable.  ERR_SYS, ERR_LIMIT, ERR_NOTFOUND.
 */
int process_companion(char *path, size_t len, const char *program,
    const char *relative, const char *built_in);
/* Default actions and an empty mask: what a new program expects. */
void process_reset_signals(void);

#endif
