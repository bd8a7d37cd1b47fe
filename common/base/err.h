/* SPDX-License-Identifier: ISC */
/*
 * Error codes.  Functions of common/ return 0 (or a count) on success and one
 * of these on failure; the text is made once, where a person will read it.
 */
#ifndef COMMON_BASE_ERR_H
#define COMMON_BASE_ERR_H

enum {
	ERR_NOMEM = -1,	    /* allocation failed */
	ERR_SYS = -2,	    /* system call failed, errno tells */
	ERR_SHORT = -3,	    /* input ends before its content does */
	ERR_TRAILING = -4,  /* input goes on after its content */
	ERR_FORMAT = -5,    /* malformed input */
	ERR_LIMIT = -6,	    /* over a limit that we set */
	ERR_RANGE = -7,	    /* value outside its type or legal range */
	ERR_TYPE = -8,	    /* value of another type than expected */
	ERR_KEY = -9,	    /* not a valid public or secret key */
	ERR_AUTH = -10,	    /* authentication tag does not fit */
	ERR_NONCE = -11,    /* counter repeated or gone backwards */
	ERR_STATE = -12,    /* not allowed in this state */
	ERR_EOF = -13,	    /* peer closed the stream */
	ERR_AGAIN = -14,    /* would block */
	ERR_EXISTS = -15,   /* is there already */
	ERR_NOTFOUND = -16, /* is not there */
	ERR_DENIED = -17,   /* policy says no */
	ERR_RDONLY = -18    /* write to a read-only buffer */
};

/*
 * Text for an error code, without a full stop.  ERR_SYS gives strerror(errno),
 * so errno must still be that of the failed call.  The result is static or,
 * for ERR_SYS, valid until the next call of strerror(3).
 */
const char *err_text(int);

#endif
