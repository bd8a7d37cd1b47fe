/* SPDX-License-Identifier: ISC */
/*
 * Where connections may be forwarded to, and where for them may be listened:
 * the values of permitopen and permitlisten, in a line of authorized_pks and in
 * the configuration.
 */
#ifndef COMMON_PRIVSEP_PERMITS_H
#define COMMON_PRIVSEP_PERMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PERMITS_MAX	 256 /* values of a list */
#define PERMITS_TEXT_MAX 16384
#define PERMITS_PATH_MAX 107  /* bytes of a Unix socket's path */
#define PERMITS_ANY_PATH "/*" /* all of them */

/* One value. */
struct rights_permit {
	char *host;    /* "*": any; with a slash first the path of a socket */
	uint16_t port; /* 0: any */
};

enum permits_kind { PERMITS_OPEN, PERMITS_LISTEN };

/*
 * Reads one more value: "host:port", "[v6]:port", of which either may be "*",
 * or the path of a Unix socket, PERMITS_ANY_PATH among them; to listen also a
 * port alone, of any address.  SKY_ERR_FORMAT, SKY_ERR_LIMIT, SKY_ERR_NOMEM.
 */
int permits_add(struct rights_permit **, size_t *n, enum permits_kind,
    const char *text);
/*
 * The same of values with a newline between any two, in at most
 * PERMITS_TEXT_MAX bytes.  After an error there are none.
 */
int permits_read(struct rights_permit **, size_t *n, enum permits_kind,
    const char *text);
void permits_free(struct rights_permit *, size_t n);

/* Whether that may be connected to: word for word, as with sshd. */
bool permits_open(const struct rights_permit *, size_t n, const char *host,
    uint16_t port);
/* Whether a Unix socket may be connected to, or be made, at path. */
bool permits_path(const struct rights_permit *, size_t n, const char *path);

/* Where an address to listen at lies. */
enum permits_where {
	PERMITS_NOWHERE,  /* it is none */
	PERMITS_LOOPBACK, /* "localhost" among them */
	PERMITS_BEYOND,
	PERMITS_EVERYWHERE /* "", "*" and "::" */
};
enum permits_where permits_where(const char *address);
/*
 * Whether at that address may be listened.  One beyond loopback must be named:
 * "*" is none, and every address is "::".  Port 0, a free one, wants a value of
 * any port.
 */
bool permits_listen(const struct rights_permit *, size_t n, const char *address,
    uint16_t port);

#endif
