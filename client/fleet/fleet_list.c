/* SPDX-License-Identifier: ISC */
/* skypty fleet list and show: what earlier runs have done. */
#include "client/complain.h"
#include "client/fleet/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/visible.h"

/* "cmd args", shortened. */
static void
list_words(const struct fleet_record *rec, char *out, size_t size)
{
	*out = '\0';
	for (size_t i = 0; i < rec->ncommand; i++) {
		strlcat(out, i != 0 ? " " : "", size);
		strlcat(out, rec->command[i], size);
	}
	for (size_t i = 0; rec->ncommand == 0 && i < rec->nword; i++) {
		strlcat(out, i != 0 ? " " : "", size);
		strlcat(out, rec->word[i], size);
	}
}

static const char *
list_state(const struct fleet_record *rec, bool busy)
{
	if (busy)
		return "running";
	if (!rec->planned)
		return "not begun";
	return rec->over != NULL ? rec->over : "cut off";
}

static void
list_one(const char *id)
{
	struct fleet_journal j;
	struct fleet_record rec;
	char words[64];
	size_t ok = 0;
	bool busy;

	if (fleet_journal_look(&j, id, &rec, &busy) == 0) {
		for (size_t i = 0; i < rec.hosts.n; i++)
			ok += rec.hosts.host[i].outcome == OUTCOME_OK;
		list_words(&rec, words, sizeof(words));
		visible_line(stdout, "%s  %-9s  %zu of %zu ok  %s", id,
		    list_state(&rec, busy), ok, rec.hosts.n, words);
	}
	fleet_record_free(&rec);
	fleet_journal_close(&j);
}

int
fleet_list(void)
{
	size_t n;
	char **ids = fleet_journal_ids(&n);

	for (size_t i = 0; i < n; i++) {
		list_one(ids[i]);
		free(ids[i]);
	}
	free(ids);
	return 0;
}

int
fleet_show(const char *id)
{
	struct fleet_journal j;
	struct fleet_record rec;
	char words[1024], how[64];
	bool busy;
	int r;

	if ((r = fleet_journal_look(&j, id, &rec, &busy)) == 0) {
		list_words(&rec, words, sizeof(words));
		visible_line(stdout, "run %s of %s: %s", id,
		    rec.at != NULL ? rec.at : "?", list_state(&rec, busy));
		visible_line(stdout, "%s", words);
	}
	for (size_t i = 0; r == 0 && i < rec.hosts.n; i++) {
		const struct fleet_host *h = &rec.hosts.host[i];

		fleet_outcome_text(h, how, sizeof(how));
		visible_line(stdout, "%-24s  %-22s %6lld.%lld s%s%s", h->dest,
		    how, (long long)(h->ms / 1000),
		    (long long)(h->ms / 100 % 10), h->why != NULL ? "  " : "",
		    h->why != NULL ? h->why : "");
	}
	fleet_record_free(&rec);
	fleet_journal_close(&j);
	return r;
}
