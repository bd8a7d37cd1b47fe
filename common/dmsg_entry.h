/* SPDX-License-Identifier: ISC */
/*
 * What the dmsg discovery keeps of a key: a client's entry says which servers
 * it has sessions with, a server's where it listens.  Nothing of an entry is
 * proven; it is a hint.  spec: dmsg.md 6.3 to 6.7.  Needs no libsecp256k1:
 * whether a key is a point of the curve is for others to say.
 */
#ifndef COMMON_DMSG_ENTRY_H
#define COMMON_DMSG_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "buf.h"
#include "keys.h"

#define DMSG_DELEGATED_MAX 64 /* further ones are left out */

struct dmsg_entry {
	struct key_public pk;
	uint64_t sequence;
	int64_t timestamp; /* nanoseconds */
	bool is_client, is_server;
	struct key_public delegated[DMSG_DELEGATED_MAX];
	size_t ndelegated;
	char address[ADDR_TEXT_MAX]; /* "host:port" of a server, or "" */
};

/*
 * A client's entry as canonical JSON: without a signature (NULL) the bytes
 * that are signed, with one what is posted.
 */
int dmsg_put_entry(struct buf *, const struct dmsg_entry *, const uint8_t *sig);
/*
 * Reads an entry; members that are unknown or of no use are passed over.
 * ERR_FORMAT: no JSON, no object, or no key in it.
 */
int dmsg_get_entry(const struct buf *json, struct dmsg_entry *);
/*
 * Every server of an array that has a key and an address, to take, which
 * returns 0 to go on.  Memory: one entry.  ERR_FORMAT, or what take returned.
 */
int dmsg_get_servers(const struct buf *json,
    int (*take)(void *arg, const struct dmsg_entry *), void *arg);

/* What a discovery's refusal means for who asked. */
enum dmsg_error {
	DMSG_ERROR_OTHER,
	DMSG_ERROR_NOT_FOUND, /* no such entry */
	DMSG_ERROR_SEQUENCE   /* somebody has written a later one */
};

/* Its text goes to message, cut to len (0: not wanted). */
enum dmsg_error
dmsg_get_error(const struct buf *json, char *message, size_t len);

#endif
