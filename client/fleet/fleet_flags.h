/* SPDX-License-Identifier: ISC */
/* What the flags of skypty fleet say. */
#ifndef CLIENT_FLEET_FLAGS_H
#define CLIENT_FLEET_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_options;

#define FLEET_WORDS_MAX 64 /* --tag and --exclude, each */
#define FLEET_STEPS_MAX 64 /* of --batch */

/* A number of hosts, or a part of all of them. */
struct fleet_share {
	double value;
	bool percent;
};

enum fleet_order { ORDER_LISTED, ORDER_SORTED, ORDER_REVERSE, ORDER_RANDOM };

struct fleet_flags {
	/* Where --put finds the second of its words; set by the command. */
	char **argv;
	int argc;
	unsigned jobs, canary, retry;
	struct fleet_share step[FLEET_STEPS_MAX];
	size_t nstep;
	struct fleet_share max_fail;
	bool max_fail_given;
	int64_t pause_ms, connect_ms, check_ms;
	const char *check;
	enum fleet_order order;
	uint64_t seed;
	bool seed_given;
	bool idempotent, detach, live, dry_run;
	const char *output, *junit, *script;
	const char *source, *target; /* of a copy */
	bool put, get;
	const char *tag[FLEET_WORDS_MAX], *exclude[FLEET_WORDS_MAX];
	size_t ntag, nexclude;
	bool resume;
	const char *id; /* which run, or NULL: the last one */
};

/* What stands before any flag. */
void fleet_flags_init(struct client_options *);
/*
 * What the table of flags calls for each that says more than a text: 0, or
 * EXIT_USAGE, told.
 */
int fleet_flag(struct client_options *, const char *flag, const char *value);

#endif
