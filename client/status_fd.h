/* SPDX-License-Identifier: ISC */
/*
 * --status-fd: a descriptor on which a program that runs us hears how far a
 * command is, which an exit status alone does not tell.
 */
#ifndef CLIENT_STATUS_FD_H
#define CLIENT_STATUS_FD_H

struct client_options;

/*
 * From now on what we complain of goes there.  0, or EXIT_USAGE, told on
 * standard error.  Without the flag it does nothing.
 */
int status_fd_begin(struct client_options *);
/* For the table of flags. */
int status_fd_flag(struct client_options *, const char *flag, const char *);

#endif
