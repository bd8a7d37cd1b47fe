/* SPDX-License-Identifier: ISC */
/* The request that opens a service on a connection.  PROTOCOL.pty 4. */
#ifndef COMMON_PTY_MUX_H
#define COMMON_PTY_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/keys.h"
#include "common/pty/modes.h"

#define MUX_URI_MAX 255
#define MUX_ACCEPT  0x00
#define MUX_REJECT  0x01

/* Every service there is; which are offered to whom: daemon/net/net.c. */
#define MUX_URI_PTY	     "dmsgpty/pty"
#define MUX_URI_WHITELIST    "dmsgpty/whitelist"
#define MUX_URI_PROXY	     "dmsgpty/proxy"
#define MUX_URI_SFTP	     "dmsgpty/sftp"
#define MUX_URI_EXEC_STREAM  "dmsgpty/exec-stream"
#define MUX_URI_EXEC_STREAM2 "dmsgpty/exec"
/* Our own.  See PROTOCOL. */
#define MUX_URI_EXEC	 "skypty/1/exec"
#define MUX_URI_STATUS	 "skypty/1/status"
#define MUX_URI_CONNS	 "skypty/1/connections"
#define MUX_URI_METRICS	 "skypty/1/metrics"
#define MUX_URI_KILL	 "skypty/1/kill"
#define MUX_URI_JOB	 "skypty/1/job"
#define MUX_URI_SESSION	 "skypty/1/session"
#define MUX_URI_FILES	 "skypty/1/sftp" /* MUX_URI_SFTP, where that is not */
#define MUX_URI_CHANNELS "skypty/1/channels" /* yamux from then on */
#define MUX_URI_DIAL	 "skypty/1/dial" /* MUX_URI_PROXY, no service opened */
/* In front of any: as which user, whose name and a slash follow. */
#define MUX_AS	     "skypty/1/as/"
#define MUX_USER_MAX 64 /* bytes of the name */
/* Why there is no stream: where dmsg does not run, word for word. */
#define MUX_NO_DMSG "dmsg is not on here"
/* Why no command is run, though a shell may be, on a terminal: the same. */
#define MUX_NO_EXEC "this key may not run commands (authorized_pks)"

/* Appends a request.  SKY_ERR_LIMIT for a URI over MUX_URI_MAX bytes. */
int mux_put_request(struct buf *, const char *uri);
/*
 * Takes a request off in: 1 with the URI as a view, 0 when incomplete.
 */
int mux_get_request(struct buf *in, struct buf *uri);
/*
 * Takes MUX_AS off, if it stands there: 1 with the user's name as a view, 0
 * without.  SKY_ERR_FORMAT where no name follows that could be one's.
 */
int mux_get_user(struct buf *uri, struct buf *name);
/* The URI with that in front.  SKY_ERR_FORMAT, SKY_ERR_LIMIT. */
int mux_put_user(char to[MUX_URI_MAX + 1], const char *name, const char *uri);
/*
 * Whether a URI names this service, one of those above, after Go's rules: one
 * leading slash is dropped, the rest parsed as a URL reference, its escaped
 * path compared, query and fragment ignored.  query receives the raw query
 * (view; may be NULL).
 */
bool mux_match(const struct buf *uri, const char *service, struct buf *query);
/*
 * Reads the proxy's query: pk required, port an unsigned 16-bit number (22 if
 * absent).  Whether pk is a point of the curve is for key_valid to say.
 * SKY_ERR_FORMAT.
 */
int mux_proxy_query(struct buf *query, struct key_public *, uint16_t *port);

/* Which connections skypty/1/kill is to end: the one of an id, or a key's. */
struct mux_kill {
	bool by_key;
	uint8_t id[8];
	struct key_public pk;
};

/* Reads its query: id of 16 digits, or key.  SKY_ERR_FORMAT. */
int mux_kill_query(struct buf *query, struct mux_kill *);

#define MUX_SESSION_NAME_MAX 32
/* Letters, digits, ".", "_" and "-", of which the last two are not first. */
bool mux_is_session_name(const char *);

/*
 * What the query of a session's service may wish for.  A host that does not
 * know a wish passes over it.  See PROTOCOL.
 */
struct mux_session {
	bool keep;  /* a command goes on without its client */
	bool login; /* the account's shell, as a login shell */
	bool line;  /* sh -c SCRIPT LINE, of which LINE is asked for */
	bool shell; /* the command is a shell, and the account's will do */
	bool keys;  /* KEYS is sent if it is taken */
	/* Of a session that is kept, "" for none. */
	char name[MUX_SESSION_NAME_MAX + 1];
	bool has_modes;
	uint8_t modes[MODES_LEN]; /* modes.h */
};

/* SKY_ERR_FORMAT for a malformed wish. */
int mux_session_query(struct buf *query, struct mux_session *);
/* The service's URI with that query, if any.  SKY_ERR_LIMIT. */
int mux_session_uri(char uri[MUX_URI_MAX + 1], const char *service,
    const struct mux_session *);

#endif
