/* SPDX-License-Identifier: ISC */
/* Connections of a skyptyd that has ended. */
#ifndef DAEMON_OLDER_H
#define DAEMON_OLDER_H

/* The process's name for the kernel from when it has stopped listening on. */
#define OLDER_NAME "skyptyd-ended"

/* Says on standard error how many there are and how they end, if there are. */
void older_tell(void);

#endif
