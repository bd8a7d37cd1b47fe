/* SPDX-License-Identifier: ISC */
/*
 * What an agent is asked and answers: a packet each, the type and what belongs
 * to it, over a socket of packets in order.  PROTOCOL 11.
 */
#ifndef COMMON_PRIVSEP_AGENTMSG_H
#define COMMON_PRIVSEP_AGENTMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/pty/keys.h"

#define AGENT_MSG_MAX	  8192 /* bytes of a packet */
#define AGENT_KEYS_MAX	  32
#define AGENT_COMMENT_MAX 127
#define AGENT_HASH_LEN	  32 /* Argon2id of what locks an agent */
#define AGENT_SALT_LEN	  16
#define AGENT_ENV	  "SKYPTY_AUTH_SOCK"
#define AGENT_ENV_PID	  "SKYPTY_AGENT_PID"

/* Requests are even, answers odd. */
enum agent_type {
	AGENT_OK = 1,
	AGENT_FAIL = 3,	   /* u8 enum agent_why */
	AGENT_KEYS = 5,	   /* u8 locked, u8 n, n times struct agent_key */
	AGENT_SALT_IS = 7, /* AGENT_SALT_LEN bytes */
	AGENT_ASKING = 9,  /* the user is asked: the answer will take a while */
	AGENT_FIRST = 11,  /* message 1, of AGENT_DIAL the signed request */
	AGENT_DONE = 13, /* send[32], recv[32], u8 hybrid, message 3 or none */

	AGENT_LIST = 2,
	AGENT_ADD = 4,	  /* sk[32], u8 flags, u32 life, u8 length, comment */
	AGENT_REMOVE = 6, /* pk */
	AGENT_REMOVE_ALL = 8,
	AGENT_SALT = 10,
	AGENT_LOCK = 12,   /* hash */
	AGENT_UNLOCK = 14, /* hash */
	AGENT_BEGIN = 16,  /* u8 enum agent_way, pk, peer; u16 from, u16 to */
	AGENT_FINISH = 18, /* message 2 */
	AGENT_QUIT = 20
};

/* AGENT_XK has no ports. */
enum agent_way { AGENT_XK, AGENT_DIAL, AGENT_WAYS };

enum agent_why {
	AGENT_WHY_MALFORMED = 1,
	AGENT_WHY_NO_KEY,  /* it has no such key, or has it no longer */
	AGENT_WHY_LOCKED,  /* and in a state for AGENT_UNLOCK alone */
	AGENT_WHY_REFUSED, /* the user said no, or nothing */
	AGENT_WHY_FULL,	   /* of keys, or of memory that is locked */
	AGENT_WHY_STATE,   /* no handshake has begun; not locked */
	AGENT_WHY_PROOF,   /* message 2 proves nothing */
	AGENT_WHY_PASS,	   /* not what it was locked with */
	AGENT_WHY_SOON	   /* too soon behind a wrong one */
};

enum { AGENT_CONFIRM = 1 << 0, AGENT_FLAGS = AGENT_CONFIRM };

struct agent_key {
	struct key_public pk;
	uint8_t flags;
	uint32_t life; /* seconds that are left; 0: no limit */
	char comment[AGENT_COMMENT_MAX + 1];
};

struct agent_list {
	bool locked;
	size_t n;
	struct agent_key key[AGENT_KEYS_MAX];
};

struct agent_request {
	uint8_t type; /* enum agent_type */
	struct key_public pk, peer;
	uint8_t way;
	uint16_t from, to;
	/* Borrowed from the packet: 32 bytes of ADD, LOCK and UNLOCK. */
	const uint8_t *secret;
	struct agent_key add; /* without pk */
	struct buf message;   /* view */
};

/*
 * SKY_ERR_FORMAT for whatever is not exactly as above: lengths, flags, an
 * unknown type, what is left over.  Whether keys are keys is not looked at.
 */
int agent_get_request(struct buf *, struct agent_request *);
int agent_put_request(struct buf *, const struct agent_request *);

struct agent_answer {
	uint8_t type;
	uint8_t why;
	struct agent_list *list;
	/* Borrowed from the packet. */
	const uint8_t *salt, *send, *recv;
	bool hybrid;	    /* noise.h */
	struct buf message; /* view */
};

/* list, which the caller gives, is filled in for AGENT_KEYS.  The same. */
int agent_get_answer(struct buf *, struct agent_answer *);
int agent_put_answer(struct buf *, const struct agent_answer *);
/* What a person reads; also for an unknown one. */
const char *agent_why_text(unsigned);

/*
 * Between the agent, which is confined, and the process before it, which
 * accepts and asks.  privmsg.h's packets, with these types.
 */
enum door_type {
	DOOR_READY = 1,	 /* text: "", or what keeps it from working */
	DOOR_ASK = 3,	 /* u32 number, pk, peer, u8 way, comment */
	DOOR_OVER = 5,	 /* u32 number: nobody waits for it any more */
	DOOR_CALLER = 2, /* a socket */
	DOOR_YES = 4,	 /* u32 number */
	DOOR_NO = 6	 /* u32 number */
};

#define DOOR_FD 3 /* the agent's end */

#endif
