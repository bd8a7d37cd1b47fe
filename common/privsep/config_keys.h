/* SPDX-License-Identifier: ISC */
/* What the configuration's keys are, for those who read and who print them. */
#ifndef COMMON_PRIVSEP_CONFIG_KEYS_H
#define COMMON_PRIVSEP_CONFIG_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/json.h"

#define CONFIG_COUNT_MAX 1000000

/* How a value is written, or whose it is alone. */
enum config_kind {
	CONFIG_IS_SK,
	CONFIG_IS_PK,
	CONFIG_IS_WL,
	CONFIG_IS_TEXT,
	CONFIG_IS_PATH,
	CONFIG_IS_FOLDER,
	CONFIG_IS_NUMBER,
	CONFIG_IS_BOOL,
	CONFIG_IS_PORT,
	CONFIG_IS_SANDBOX,
	CONFIG_IS_STARTUPS,
	CONFIG_IS_STARTUPRATE,
	CONFIG_IS_NETBLOCKS,
	CONFIG_IS_PENALTIES,
	CONFIG_IS_PENALTY_BLOCKS,
	CONFIG_IS_EXEMPT,
	CONFIG_IS_SERVERS,
	CONFIG_IS_ACCEPT_ENV,
	CONFIG_IS_LOG_FORMAT,
	CONFIG_IS_SFTP_LOG,
	CONFIG_IS_METRICS,
	CONFIG_IS_PERMITOPEN,
	CONFIG_IS_PERMITLISTEN,
	CONFIG_KINDS
};

struct config_key {
	const char *name;
	uint64_t bit;
	enum json_type type;
	enum config_kind kind;
	size_t offset;	   /* in struct config; 0 for what is one of a kind */
	unsigned min, max; /* of a number */
};

/* In the order in which they are printed; NULL behind the last. */
const struct config_key *config_key(size_t i);

/* --- config_values.c --- */

/* A string that is another one from now on.  SKY_ERR_NOMEM. */
int config_replace(char **, const char *text);
/* Digits alone.  SKY_ERR_FORMAT; SKY_ERR_RANGE: not from min to max. */
int config_parse_number(const char *text, unsigned min, unsigned max,
    unsigned *value);

#endif
