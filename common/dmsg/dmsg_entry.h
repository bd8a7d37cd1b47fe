/* SPDX-License-Identifier: ISC */
/*
 * What the dmsg discovery keeps of a key: a client's entry says which servers
 * it has sessions with, a server's where it listens.  Nothing of an entry is
 * proven; it is a hint.  PROTOCOL.dmsg 6.3 to 6.7.  Needs no libsecp256k1:
 * whether a key is a point of the curve is for others to say.
 *
 * Memory: the readers hold one entry on the stack and what json.h holds of a
 * text, a string and the names of the open objects: never more than a few
 * times the text's size, which the caller bounds, however many elements.
 */
#ifndef COMMON_DMSG_DMSG_ENTRY_H
#define COMMON_DMSG_DMSG_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/pty/keys.h"

#define DMSG_AHEAD_S \
	172800 /* that a timestamp of ours may be ahead: a clock was wrong */
#define DMSG_DELEGATED_MAX 64	/* further ones are left out */
#define DMSG_SERVERS_MAX   512	/* of an answer; further ones are ignored */
#define DMSG_ENTRY_LEN_MAX 5120 /* of what dmsg_put_entry writes */

struct dmsg_entry {
	struct key_public pk;
	uint64_t sequence; /* UINT64_MAX has no successor */
	int64_t timestamp; /* nanoseconds */
	bool is_client, is_server;
	struct key_public delegated[DMSG_DELEGATED_MAX];
	size_t ndelegated;
	char address[ADDR_TEXT_MAX];	/* "host:port" of a server, or "" */
	char address_v6[ADDR_TEXT_MAX]; /* the same */
	int64_t available; /* sessions of a server, 0 if not said */
};

/*
 * Appends a client's entry as canonical JSON: without a signature (NULL) the
 * bytes that are signed, with one of KEY_SIGNATURE_LEN bytes what is posted.
 * SKY_ERR_LIMIT for too many servers; what buf_put returns.
 */
int dmsg_put_entry(struct buf *, const struct dmsg_entry *, const uint8_t *sig);
/*
 * Reads an entry; the buffer is not consumed.  Members that are unknown are
 * passed over, delegated servers and malformed addresses left out:
 * every address that is kept has a host and a port in digits, in printable
 * ASCII.  Keys are 02 or 03 and 32 bytes.  SKY_ERR_FORMAT: no JSON, no object,
 * no such key in it, a number that is none; SKY_ERR_RANGE: one out of range;
 * what json_parse returns.  The entry is all zero then.
 */
int dmsg_get_entry(const struct buf *json, struct dmsg_entry *);
/*
 * Gives take, which returns 0 to go on, the first DMSG_SERVERS_MAX of a list
 * of entries that dmsg_get_entry would accept and that have an address.  The
 * list is an array, null for an empty one, or either of them as the member
 * "dmsg_servers" of an object.  SKY_ERR_FORMAT and what json_parse returns,
 * after what stands in front of the mistake has been given away; or what take
 * returned.
 */
int dmsg_get_servers(const struct buf *json,
    int (*take)(void *arg, const struct dmsg_entry *), void *arg);

/* What a discovery's refusal means for who asked. */
enum dmsg_error {
	DMSG_ERROR_OTHER,     /* also whatever is not understood */
	DMSG_ERROR_NOT_FOUND, /* no such entry */
	DMSG_ERROR_SEQUENCE,  /* somebody has written a later one */
	DMSG_ERROR_TIMESTAMP  /* ours is before that of the stored one */
};

/*
 * Its text goes to message, cut to len with its NUL (0: not wanted), in
 * printable ASCII with question marks for the rest.
 */
enum dmsg_error
dmsg_get_error(const struct buf *json, char *message, size_t len);

#endif
