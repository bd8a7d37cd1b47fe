/* SPDX-License-Identifier: ISC */
/* A folder for sockets and notes. */
#ifndef CLIENT_RUNTIME_H
#define CLIENT_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>

#define RUNTIME_MAX 108 /* what an address of a socket holds */

/*
 * A folder that is ours alone, and made if it is not there; false where none
 * can be trusted.
 */
bool runtime_folder(char path[RUNTIME_MAX]);
/* A file in it, named by what it is of; false also for a name too long. */
bool runtime_path(char path[RUNTIME_MAX], const void *of, size_t len,
    const char *suffix);

#endif
