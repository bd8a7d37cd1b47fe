/* SPDX-License-Identifier: ISC */
/* Values of the configuration, each by itself: from text to what it means. */
#include "common/privsep/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/privsep/config_keys.h"

int
config_replace(char **s, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return SKY_ERR_NOMEM;
	free(*s);
	*s = copy;
	return 0;
}

int
config_parse_number(const char *text, unsigned min, unsigned max,
    unsigned *value)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (strspn(text, "0123456789") != strlen(text) || *text == '\0')
		return SKY_ERR_FORMAT;
	if (errno != 0 || v < min || v > max)
		return SKY_ERR_RANGE;
	*value = (unsigned)v;
	return 0;
}

int
config_parse_startups(const char *text, struct config_startups *s)
{
	unsigned begin, rate, full;
	char after;

	/* No signs, no blanks, and no more digits than the limits have. */
	if (strspn(text, "0123456789:") != strlen(text))
		return SKY_ERR_FORMAT;
	if (sscanf(text, "%7u:%3u:%7u%c", &begin, &rate, &full, &after) == 3) {
		if (begin < 1 || full < begin || rate < 1 || rate > 100 ||
		    full > CONFIG_COUNT_MAX)
			return SKY_ERR_RANGE;
	} else if (sscanf(text, "%7u%c", &full, &after) == 1) {
		if (full < 1 || full > CONFIG_COUNT_MAX)
			return SKY_ERR_RANGE;
		begin = full;
		rate = 100;
	} else
		return SKY_ERR_FORMAT;
	*s = (struct config_startups){ .begin = begin,
		.rate = rate,
		.full = full };
	return 0;
}

int
config_parse_rates(const char *text, struct config_rates *r)
{
	unsigned origin, network, all;
	char after;

	if (strspn(text, "0123456789:") != strlen(text) ||
	    sscanf(text, "%7u:%7u:%7u%c", &origin, &network, &all, &after) != 3)
		return SKY_ERR_FORMAT;
	if (origin < 1 || network < origin || all < network ||
	    all > CONFIG_COUNT_MAX)
		return SKY_ERR_RANGE;
	*r = (struct config_rates){ .origin = origin,
		.network = network,
		.all = all };
	return 0;
}

int
config_parse_blocks(const char *text, struct config_blocks *b)
{
	unsigned v4, v6;
	char after;

	if (strspn(text, "0123456789:") != strlen(text) ||
	    sscanf(text, "%3u:%3u%c", &v4, &v6, &after) != 2)
		return SKY_ERR_FORMAT;
	if (v4 < 8 || v4 > 32 || v6 < 16 || v6 > 64)
		return SKY_ERR_RANGE;
	*b = (struct config_blocks){ .v4 = v4, .v6 = v6 };
	return 0;
}

static const char *const sftp_logs[SFTP_LOGS] = { [SFTP_LOG_OFF] = "off",
	[SFTP_LOG_INFO] = "info",
	[SFTP_LOG_VERBOSE] = "verbose",
	[SFTP_LOG_DEBUG] = "debug" };

int
config_parse_sftp_log(const char *text, enum sftp_logs *level)
{
	for (int i = 0; i < SFTP_LOGS; i++)
		if (strcmp(text, sftp_logs[i]) == 0) {
			*level = (enum sftp_logs)i;
			return 0;
		}
	return SKY_ERR_FORMAT;
}

const char *
config_sftp_log(enum sftp_logs level)
{
	return sftp_logs[level];
}
