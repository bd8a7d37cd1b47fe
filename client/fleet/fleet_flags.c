/* SPDX-License-Identifier: ISC */
/* What the flags of skypty fleet say. */
#include "client/fleet/fleet_flags.h"
#include "client/complain.h"
#include "client/duration.h"
#include "client/exits.h"
#include "client/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define JOBS	    64
#define JOBS_MAX    10000
#define CONNECT_MS  30000
#define CHECK_MS    (5 * 60 * 1000)
#define RETRIES_MAX 1000
#define A_TIME	    "write a time like 30s, 5m or 1m30s"
#define A_SHARE	    "write a number of hosts, or a part of them like 10%"

void
fleet_flags_init(struct client_options *o)
{
	o->fleet = (struct fleet_flags){ .jobs = JOBS,
		.connect_ms = CONNECT_MS,
		.check_ms = CHECK_MS };
	o->timeout_ms = 0;
	o->visor_key = true;
}

static int
flag_bad(const char *flag, const char *value, const char *why)
{
	complain("%s %s: %s", flag, value, why);
	return EXIT_USAGE;
}

static int
flag_number(unsigned *to, const char *flag, const char *value, unsigned least,
    unsigned most)
{
	const char *problem;

	*to = (unsigned)strtonum(value, least, most, &problem);
	if (problem == NULL)
		return 0;
	complain("%s %s: write a number from %u to %u", flag, value, least,
	    most);
	return EXIT_USAGE;
}

static int
flag_time(int64_t *to, const char *flag, const char *value)
{
	return (*to = duration_ms(value)) >= 0 ? 0 :
						 flag_bad(flag, value, A_TIME);
}

/* "10", "2.5%"; what it ends with is left in *end. */
static bool
flag_share(struct fleet_share *to, const char *text, const char **end)
{
	size_t digits = strspn(text, "0123456789.");
	char *after;

	to->value = strtod(text, &after);
	if (digits == 0 || after != text + digits)
		return false;
	to->percent = *after == '%';
	*end = after + to->percent;
	if (!to->percent)
		return memchr(text, '.', digits) == NULL && to->value < 1e9;
	return to->value <= 100;
}

static int
flag_batch(struct fleet_flags *f, const char *flag, const char *value)
{
	const char *at = value;

	for (f->nstep = 0;; at++) {
		if (f->nstep == FLEET_STEPS_MAX)
			return flag_bad(flag, value, "too many of them");
		if (!flag_share(&f->step[f->nstep], at, &at) ||
		    f->step[f->nstep].value <= 0 || (*at != ',' && *at != '\0'))
			return flag_bad(flag, value,
			    "write how far each batch goes, like "
			    "1,10%,50%,100%");
		f->nstep++;
		if (*at == '\0')
			return 0;
	}
}

static int
flag_max_fail(struct fleet_flags *f, const char *flag, const char *value)
{
	const char *end = value;

	f->max_fail_given = true;
	if (flag_share(&f->max_fail, value, &end) && *end == '\0')
		return 0;
	return flag_bad(flag, value, A_SHARE);
}

static int
flag_word(const char **list, size_t *n, const char *flag, const char *value)
{
	if (*value == '\0')
		return flag_bad(flag, value, "an empty word");
	if (*n == FLEET_WORDS_MAX)
		return flag_bad(flag, value, "too many of them");
	list[(*n)++] = value;
	return 0;
}

static int
flag_order(struct fleet_flags *f, const char *flag, const char *value)
{
	static const char *const names[] = { [ORDER_LISTED] = "listed",
		[ORDER_SORTED] = "sorted",
		[ORDER_REVERSE] = "reverse",
		[ORDER_RANDOM] = "random" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(value, names[i]) == 0) {
			f->order = (enum fleet_order)i;
			return 0;
		}
	return flag_bad(flag, value,
	    "there are listed, sorted, reverse and random");
}

static int
flag_seed(struct fleet_flags *f, const char *flag, const char *value)
{
	char *end;

	errno = 0;
	f->seed = strtoull(value, &end, 10);
	f->seed_given = true;
	if (*value != '\0' && value[strspn(value, "0123456789")] == '\0' &&
	    errno == 0)
		return 0;
	return flag_bad(flag, value, "write a number");
}

/* The second word is the next one of the command line. */
static int
flag_copy(struct fleet_flags *f, const char *flag, const char *value)
{
	bool put = strcmp(flag, "--put") == 0;

	if (f->source != NULL)
		return flag_bad(flag, value,
		    "one copy a run: there is another one already");
	if (optind >= f->argc || strcmp(f->argv[optind], "--") == 0)
		return flag_bad(flag, value,
		    put ? "the name on the hosts is missing" :
			  "the folder here is missing");
	if (*value == '\0' || *f->argv[optind] == '\0')
		return flag_bad(flag, value, "an empty name");
	f->source = value;
	f->target = f->argv[optind++];
	f->put = put;
	f->get = !put;
	return 0;
}

int
fleet_flag(struct client_options *o, const char *flag, const char *value)
{
	struct fleet_flags *f = &o->fleet;
	const char *name = flag + 2;

	if (strcmp(name, "jobs") == 0)
		return flag_number(&f->jobs, flag, value, 1, JOBS_MAX);
	if (strcmp(name, "canary") == 0)
		return flag_number(&f->canary, flag, value, 1, INT32_MAX);
	if (strcmp(name, "retry") == 0)
		return flag_number(&f->retry, flag, value, 0, RETRIES_MAX);
	if (strcmp(name, "pause") == 0)
		return flag_time(&f->pause_ms, flag, value);
	if (strcmp(name, "connect-timeout") == 0)
		return flag_time(&f->connect_ms, flag, value);
	if (strcmp(name, "check-within") == 0)
		return flag_time(&f->check_ms, flag, value);
	if (strcmp(name, "batch") == 0)
		return flag_batch(f, flag, value);
	if (strcmp(name, "max-fail") == 0)
		return flag_max_fail(f, flag, value);
	if (strcmp(name, "tag") == 0)
		return flag_word(f->tag, &f->ntag, flag, value);
	if (strcmp(name, "exclude") == 0)
		return flag_word(f->exclude, &f->nexclude, flag, value);
	if (strcmp(name, "order") == 0)
		return flag_order(f, flag, value);
	if (strcmp(name, "seed") == 0)
		return flag_seed(f, flag, value);
	if (strcmp(name, "resume") == 0) {
		f->resume = true;
		f->id = value;
		return 0;
	}
	return flag_copy(f, flag, value);
}
