/* SPDX-License-Identifier: ISC */
/*
 * What a confined child may ask of its monitor: rows of a table.  All of policy
 * is in them; a handler decides nothing but whether what is said makes sense
 * for what it names.
 */
#ifndef MONITOR_HALF_REQUEST_H
#define MONITOR_HALF_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/rate.h"
#include "common/privsep/privmsg.h"

struct half;

#define REQUESTS_MAX 32 /* rows of a table */

typedef int request_handler(struct half *, struct privmsg *);

/* What becomes of a request that is above its rate, or its number. */
enum request_above {
	ABOVE_ENDS,   /* it ends the child, like every other refusal */
	ABOVE_DROPS,  /* it is dropped */
	ABOVE_TELLS,  /* so it is, which is told once in each span of time */
	ABOVE_ANSWERS /* it is answered with why not, which is a text */
};

struct request {
	enum privmsg_type type;
	const char *name; /* in the log */
	int phases;	  /* the program's, or'ed; never HALF_DYING */
	uint32_t grant;	  /* enum priv_grant, all of them needed */
	/* How often while the monitor lives; 0: any number of times. */
	unsigned times;
	/* Not while so many are alive; without count there is no limit. */
	struct request_alive {
		unsigned max;
		unsigned (*count)(const struct half *);
		enum request_above above; /* ABOVE_ENDS or ABOVE_ANSWERS */
	} alive;
	/* How often within a span of seconds; 0: at any rate. */
	struct request_rate {
		unsigned max;
		unsigned seconds;
		enum request_above above; /* not ABOVE_ANSWERS */
	} rate;
	size_t min, max; /* bytes of the payload */
	request_handler *handle;
};

struct requests {
	const struct request *row;
	size_t n; /* at most REQUESTS_MAX */
};

/* For tables that are read as tables. */
#define REQUEST(name) PM_##name, #name
#define ANY_TIMES     0
#define ONCE	      1
#define ANY_ALIVE                   \
	{                           \
		0, NULL, ABOVE_ENDS \
	}
#define ALIVE(max, count, above)  \
	{                         \
		max, count, above \
	}
#define ANY_RATE                 \
	{                        \
		0, 0, ABOVE_ENDS \
	}
#define RATE(max, span, above)   \
	{                        \
		max, span, above \
	}
#define A_SECOND 1
#define A_MINUTE 60

/* What the child has asked for already, of each row. */
struct request_count {
	unsigned times;
	struct rate_span rate;
};

/*
 * Carries one out, or logs why not and returns SKY_ERR_DENIED.  What is above
 * its rate and dropped is carried out by doing nothing.
 */
int half_dispatch(struct half *, struct privmsg *);

#endif
