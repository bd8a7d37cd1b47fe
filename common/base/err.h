/* SPDX-License-Identifier: ISC */
/*
 * Error codes.  Functions of common/ return 0 (or a count) on success and one
 * of these on failure; the text is made once, where a person will read it.
 * What gives a descriptor or a pid, or stands for one system call, fails as
 * system calls do, with -1 and errno, and its header says so.
 */
#ifndef COMMON_BASE_ERR_H
#define COMMON_BASE_ERR_H

enum {
	SKY_ERR_NOMEM = -1,	/* allocation failed */
	SKY_ERR_SYS = -2,	/* system call failed, errno tells */
	SKY_ERR_SHORT = -3,	/* input ends before its content does */
	SKY_ERR_TRAILING = -4,	/* input goes on after its content */
	SKY_ERR_FORMAT = -5,	/* malformed input */
	SKY_ERR_LIMIT = -6,	/* over a limit that we set */
	SKY_ERR_RANGE = -7,	/* value outside its type or legal range */
	SKY_ERR_TYPE = -8,	/* value of another type than expected */
	SKY_ERR_KEY = -9,	/* not a valid public or secret key */
	SKY_ERR_AUTH = -10,	/* authentication tag does not fit */
	SKY_ERR_NONCE = -11,	/* counter repeated or gone backwards */
	SKY_ERR_STATE = -12,	/* not allowed in this state */
	SKY_ERR_EOF = -13,	/* peer closed the stream */
	SKY_ERR_AGAIN = -14,	/* would block */
	SKY_ERR_EXISTS = -15,	/* is there already */
	SKY_ERR_NOTFOUND = -16, /* is not there */
	SKY_ERR_DENIED = -17,	/* policy says no */
	SKY_ERR_RDONLY = -18	/* write to a read-only buffer */
};

/*
 * Text for an error code, without a full stop.  SKY_ERR_SYS gives
 * strerror(errno), so errno must still be that of the failed call.  The result
 * is static or, for SKY_ERR_SYS, valid until the next call of strerror(3).
 */
const char *err_text(int);

#endif
