/* SPDX-License-Identifier: ISC */
/* What every program that starts another one needs. */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include <stddef.h>

/*
 * Path of a program that belongs to the running one.  Installed in the folder
 * from, ours finds its companion in the folder to; anywhere else, as in the
 * build tree, beside itself.  from may be NULL.  ERR_SYS, ERR_LIMIT.
 */
int process_companion(char *path, size_t len, const char *program,
    const char *from, const char *to);
/* Default actions and an empty mask: what a new program expects. */
void process_reset_signals(void);

#endif
