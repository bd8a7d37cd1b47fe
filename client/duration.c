/* SPDX-License-Identifier: ISC */
/* Durations as Go writes them: "30s", "1m30s", "1.5h", "500ms". */
#include "client/duration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MS_MAX (366.0 * 24 * 3600 * 1000)

static const struct {
	const char *name;
	double ms;
} units[] = {
	{ "ms", 1 },
	{ "us", 0.001 },
	{ "ns", 0.000001 },
	{ "s", 1000 },
	{ "m", 60000 },
	{ "h", 3600000 },
};

static const char *
duration_take_unit(const char *text, double *ms)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t n = strlen(units[i].name);

		if (strncmp(text, units[i].name, n) == 0) {
			*ms = units[i].ms;
			return text + n;
		}
	}
	return NULL;
}

/* A number alone is seconds.  -1: no duration. */
int64_t
duration_ms(const char *text)
{
	double total = 0, unit, value;
	char *end;

	if (*text == '\0' || strspn(text, "0123456789.hmsun") != strlen(text))
		return -1;
	if (strspn(text, "0123456789") == strlen(text))
		total = strtod(text, NULL) * 1000;
	else
		while (*text != '\0') {
			value = strtod(text, &end);
			if (end == text ||
			    (text = duration_take_unit(end, &unit)) == NULL)
				return -1;
			total += value * unit;
		}
	return total >= 0 && total <= MS_MAX ? (int64_t)total : -1;
}

uint32_t
duration_life(const char *text)
{
	static const struct {
		char name;
		uint32_t seconds;
	} parts[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 604800 } };
	uint64_t total = 0, n;
	size_t i;

	while (*text != '\0') {
		if (strspn(text, "0123456789") == 0)
			return 0;
		for (n = 0; *text >= '0' && *text <= '9'; text++)
			if ((n = n * 10 + (uint64_t)(*text - '0')) > UINT32_MAX)
				return 0;
		for (i = 0;
		     *text != '\0' && i < sizeof(parts) / sizeof(parts[0]); i++)
			if ((*text | 0x20) == parts[i].name)
				break;
		if (i == sizeof(parts) / sizeof(parts[0]))
			return 0;
		total += n * parts[i].seconds;
		if (total > UINT32_MAX)
			return 0;
		text += *text != '\0';
	}
	return (uint32_t)total;
}
