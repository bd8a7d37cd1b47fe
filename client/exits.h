/* SPDX-License-Identifier: ISC */
/*
 * Exit statuses that are not the remote command's own.  What the client's
 * functions return is 0 or one of these, with the reason told to the user where
 * it was found; SKY_ERR_* come from the libraries, and go no further up than
 * whoever can say what was being done.
 */
#ifndef CLIENT_EXITS_H
#define CLIENT_EXITS_H

#define EXIT_LOCAL   1 /* something here, not the connection */
#define EXIT_USAGE   64
#define EXIT_TIMEOUT 124
/* As shells have it, and env(1) and timeout(1). */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND	    127
#define EXIT_FAILED	    255 /* connection or call, not the command */

#endif
