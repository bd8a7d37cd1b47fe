/* SPDX-License-Identifier: ISC */
/* A file on a host, as a user writes it. */
#ifndef CLIENT_REMOTE_H
#define CLIENT_REMOTE_H

#include <stdbool.h>

/*
 * Splits "DEST:path", where DEST is what dest_parse takes: pk@host:path,
 * pk@host:port:path, pk@[::1]:path, pk@[::1]:2022:path, all of them also behind
 * tcp://, or word:path without a '/' in the word.  Digits between two colons
 * are a port: a path that begins so is written ./2022:x.  True with both parts
 * malloc'ed, the path maybe empty; false for a local file (or without memory).
 */
bool remote_split(const char *word, char **dest, char **path);

#endif
