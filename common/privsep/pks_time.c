/* SPDX-License-Identifier: ISC */
/* Times as sshd writes them. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/err.h"
#include "common/privsep/pks.h"

#define DIGITS	   "0123456789"
#define DIGITS_MAX 9 /* of one number of an interval */

/* n digits, which are there. */
static int
pks_time_number(const char *digits, size_t n)
{
	int v = 0;

	while (n-- > 0)
		v = 10 * v + (*digits++ - '0');
	return v;
}

/* What mktime(3) would move to another day, there is not. */
static bool
pks_time_exists(const struct tm *want, const struct tm *got)
{
	return want->tm_year == got->tm_year && want->tm_mon == got->tm_mon &&
	    want->tm_mday == got->tm_mday && want->tm_hour < 24 &&
	    want->tm_min < 60 && want->tm_sec < 60;
}

int
pks_time(const char *text, int64_t *t)
{
	size_t n = strspn(text, DIGITS);
	bool utc = text[n] == 'Z' || text[n] == 'z';
	struct tm want = { 0 }, got;
	time_t v;

	if ((n != 8 && n != 12 && n != 14) || text[n + utc] != '\0')
		return SKY_ERR_FORMAT;
	want.tm_year = pks_time_number(text, 4) - 1900;
	want.tm_mon = pks_time_number(text + 4, 2) - 1;
	want.tm_mday = pks_time_number(text + 6, 2);
	if (n >= 12) {
		want.tm_hour = pks_time_number(text + 8, 2);
		want.tm_min = pks_time_number(text + 10, 2);
	}
	if (n == 14)
		want.tm_sec = pks_time_number(text + 12, 2);
	want.tm_isdst = -1;
	got = want;
	v = utc ? timegm(&got) : mktime(&got);
	if (v < 0 || !pks_time_exists(&want, &got))
		return SKY_ERR_FORMAT;
	*t = v;
	return 0;
}

void
pks_time_text(int64_t t, char text[PKS_TIME_MAX])
{
	time_t v = (time_t)t;
	struct tm tm;

	if (localtime_r(&v, &tm) == NULL ||
	    strftime(text, PKS_TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		strlcpy(text, "?", PKS_TIME_MAX);
}

static unsigned
pks_time_unit(char c)
{
	switch (c) {
	case '\0':
	case 's':
	case 'S':
		return 1;
	case 'm':
	case 'M':
		return 60;
	case 'h':
	case 'H':
		return 60 * 60;
	case 'd':
	case 'D':
		return 24 * 60 * 60;
	case 'w':
	case 'W':
		return 7 * 24 * 60 * 60;
	}
	return 0;
}

int
pks_interval(const char *text, unsigned *seconds)
{
	uint64_t sum = 0;
	unsigned unit;
	size_t n;

	do {
		n = strspn(text, DIGITS);
		if (n == 0 || n > DIGITS_MAX ||
		    (unit = pks_time_unit(text[n])) == 0)
			return SKY_ERR_FORMAT;
		sum += (uint64_t)pks_time_number(text, n) * unit;
		text += n + (text[n] != '\0');
	} while (*text != '\0' && sum <= INT_MAX);
	if (sum > INT_MAX)
		return SKY_ERR_FORMAT;
	*seconds = (unsigned)sum;
	return 0;
}
