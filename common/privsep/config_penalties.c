/* SPDX-License-Identifier: ISC */
/* "penalties", in the form of sshd_config's PerSourcePenalties. */
#include "common/privsep/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

#define BLANKS	 "\t "
#define TEXT_MAX 256

static const struct {
	const char *name;
	size_t offset;
} words[] = {
#define WORD(name, field)                                      \
	{                                                      \
		name, offsetof(struct config_penalties, field) \
	}
	WORD("noauth", each[PENALTY_NOAUTH]),
	WORD("handshake", each[PENALTY_HANDSHAKE]),
	WORD("authfail", each[PENALTY_AUTHFAIL]),
	WORD("grace-exceeded", each[PENALTY_GRACE]),
	WORD("crash", each[PENALTY_CRASH]),
	WORD("min", min),
	WORD("max", max),
#undef WORD
};
#define NWORDS (sizeof(words) / sizeof(words[0]))

/* "90", "90s", "10m", "1h". */
static int
penalties_time(const char *text, unsigned *seconds)
{
	size_t n = strspn(text, "0123456789");
	unsigned long v, unit = 1;

	if (n == 0 || n > 6)
		return SKY_ERR_FORMAT;
	v = strtoul(text, NULL, 10);
	if (text[n] != '\0') {
		if (text[n + 1] != '\0' || strchr("smh", text[n]) == NULL)
			return SKY_ERR_FORMAT;
		unit = text[n] == 'h' ? 3600 : text[n] == 'm' ? 60 : 1;
	}
	if (v > CONFIG_PENALTY_MAX / unit)
		return SKY_ERR_RANGE;
	*seconds = (unsigned)(v * unit);
	return 0;
}

static int
penalties_word(char *word, struct config_penalties *p, unsigned *seen)
{
	char *colon = strchr(word, ':');
	size_t i;

	if (colon == NULL)
		return SKY_ERR_FORMAT;
	*colon = '\0';
	for (i = 0; i < NWORDS && strcmp(word, words[i].name) != 0; i++)
		;
	if (i == NWORDS || *seen & 1U << i)
		return SKY_ERR_FORMAT;
	*seen |= 1U << i;
	return penalties_time(colon + 1,
	    (unsigned *)(void *)((char *)p + words[i].offset));
}

void
config_default_penalties(struct config_penalties *p)
{
	*p = (struct config_penalties){ .each = { [PENALTY_NOAUTH] = 1,
					    [PENALTY_HANDSHAKE] = 5,
					    [PENALTY_AUTHFAIL] = 2,
					    [PENALTY_GRACE] = 20,
					    [PENALTY_CRASH] = 90 },
		.min = 15,
		.max = 600 };
}

int
config_parse_penalties(const char *text, struct config_penalties *result)
{
	struct config_penalties p;
	char copy[TEXT_MAX], *word, *rest = copy;
	unsigned seen = 0;
	int r;

	config_default_penalties(&p);
	if (strlcpy(copy, text, sizeof(copy)) >= sizeof(copy))
		return SKY_ERR_FORMAT;
	if (strcmp(copy, "off") == 0)
		p.off = true;
	else if (strcmp(copy, "on") != 0)
		while ((word = strsep(&rest, BLANKS)) != NULL)
			if (*word != '\0' &&
			    (r = penalties_word(word, &p, &seen)) != 0)
				return r;
	if (!p.off && strcmp(text, "on") != 0 && seen == 0)
		return SKY_ERR_FORMAT;
	if (p.min > p.max)
		return SKY_ERR_RANGE;
	*result = p;
	return 0;
}

void
config_print_penalties(const struct config_penalties *p,
    char text[CONFIG_PENALTIES_TEXT])
{
	(void)snprintf(text, CONFIG_PENALTIES_TEXT,
	    "noauth:%u handshake:%u authfail:%u grace-exceeded:%u crash:%u "
	    "min:%u max:%u",
	    p->each[PENALTY_NOAUTH], p->each[PENALTY_HANDSHAKE],
	    p->each[PENALTY_AUTHFAIL], p->each[PENALTY_GRACE],
	    p->each[PENALTY_CRASH], p->min, p->max);
	if (p->off)
		(void)strlcpy(text, "off", CONFIG_PENALTIES_TEXT);
}
