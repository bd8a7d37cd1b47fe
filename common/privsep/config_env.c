/* SPDX-License-Identifier: ISC */
/* The original's environment variables, in place of keys of the same name. */
#include "common/privsep/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/err.h"
#include "common/privsep/config_file.h"
#include "common/privsep/config_keys.h"

static int
config_env_text(const char *prefix, const char *name, char **value)
{
	char var[128];
	const char *text;

	snprintf(var, sizeof(var), "%s_%s", prefix, name);
	if ((text = getenv(var)) == NULL || *text == '\0')
		return 0;
	return config_replace(value, text);
}

static int
config_env_number(const char *prefix, const char *name, unsigned max,
    unsigned *value, const struct config_report *report)
{
	char var[128];
	const char *text;

	snprintf(var, sizeof(var), "%s_%s", prefix, name);
	if ((text = getenv(var)) == NULL || *text == '\0' ||
	    config_parse_number(text, 0, max, value) == 0)
		return 0;
	config_say(report, true, "environment", var,
	    "not a whole number from 0 to %u", max);
	return SKY_ERR_FORMAT;
}

int
config_read_env(struct config *c, const char *prefix,
    const struct config_report *report)
{
	const char *pq = getenv("SKYWIRE_REQUIRE_PQ");
	unsigned port = c->dmsgport;
	int r, bad_number;

	c->require_pq = c->require_pq || (pq != NULL && *pq != '\0');

	if ((r = config_env_text(prefix, "DMSGDISC", &c->dmsgdisc)) != 0 ||
	    (r = config_env_text(prefix, "CLINET", &c->clinet)) != 0 ||
	    (r = config_env_text(prefix, "CLIADDR", &c->cliaddr)) != 0)
		return r;
	bad_number = config_env_number(prefix, "DMSGSESSIONS", CONFIG_COUNT_MAX,
	    &c->dmsgsessions, report);
	r = config_env_number(prefix, "DMSGPORT", UINT16_MAX, &port, report);
	c->dmsgport = (uint16_t)port;
	return bad_number != 0 ? bad_number : r;
}
