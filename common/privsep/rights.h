/* SPDX-License-Identifier: ISC */
/*
 * What a key may do here, and which rule says so: revoked_pks before all else,
 * then the lines of authorized_pks, then wl, --allow and the host's own key.
 * authorized_pks(5).
 */
#ifndef COMMON_PRIVSEP_RIGHTS_H
#define COMMON_PRIVSEP_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/privsep/config.h"
#include "common/privsep/permits.h"
#include "common/privsep/privmsg.h"
#include "common/pty/keys.h"

#define RIGHTS_WHY_MAX 512 /* room for a sentence, with NUL */

/* Zero-initialised it grants nothing. */
struct rights {
	uint32_t grants; /* enum priv_grant that a session of this key has */
	bool full;	 /* of wl, --allow or the own key: the original's way */
	char **user;	 /* nuser accounts, the first is the default */
	size_t nuser;	 /* 0: the daemon's user */
	/*
	 * Forced, or NULL.  With it PRIV_GRANT_EXEC is set, and
	 * PRIV_GRANT_SFTP is not, unless the line says sftp as well.
	 */
	char *command;
	char **env; /* nenv of NAME=value */
	size_t nenv;
	bool sftp_readonly;
	char *sftp_root; /* absolute, or NULL */
	/* Where to connections may be forwarded; nothing listed: nowhere. */
	struct rights_permit *open, *listen;
	size_t nopen, nlisten;
	unsigned max_sessions; /* connections at once; 0: maxperkey */
	unsigned idle_timeout; /* seconds; 0: none */
	bool record, record_input, verbose; /* its terminals; what is typed */
	char *comment;			    /* "" if none */
	char *rule; /* what decided: "authorized_pks:12", "wl", ... */
};

/* Where the rules are. */
struct rights_files {
	const char *conf;		/* whose wl counts; "" is none */
	const char *authorized;		/* authorized_pks; "" is none */
	bool authorized_given;		/* it must be there */
	const char *revoked;		/* revoked_pks; "" is none */
	bool revoked_given;		/* it must be there */
	const struct key_public *own;	/* the host's */
	const struct key_public *allow; /* nallow of --allow, standard input */
	size_t nallow;
	/* Lists for permits_read(), of who has none of his own; NULL: none. */
	const char *permitopen, *permitlisten;
	const struct config_report *report; /* what is wrong with them; NULL */
};

/* Who is asking. */
struct rights_peer {
	const struct key_public *pk;
	const struct sockaddr *addr; /* NULL: none */
	enum priv_carrier carrier;
	int64_t now; /* time(2) */
};

/*
 * Reads the files anew and decides.  0 and the rights, the caller's to free.
 * SKY_ERR_DENIED and why: a sentence for the log.  Any other error, with a
 * sentence as well: a list cannot be read, and nobody may be let in.
 */
int rights_find(struct keyctx *, const struct rights_files *,
    const struct rights_peer *, struct rights *, char *why, size_t);
/*
 * Whether this process can become the accounts of a line at all: root can, and
 * anybody himself.  Else why not.
 */
bool rights_may_become(const struct rights *, char *why, size_t);
/* Frees what it holds; it is zero then. */
void rights_free(struct rights *);

#endif
