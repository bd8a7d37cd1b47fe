/* SPDX-License-Identifier: ISC */
/* What the log tells of the end of a connection: why, who, for what. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "monitor/about.h"
#include "monitor/ending.h"
#include "monitor/monitor.h"

#define USES_TEXT_MAX 240

static const struct {
	const char *one, *many; /* NULL: not counted */
} uses[USE_COUNT] = {
	[USE_TERMINAL] = { "terminal", "terminals" },
	[USE_COMMAND] = { "command", "commands" },
	[USE_FILES] = { "files", NULL },
	[USE_JOB] = { "job", "jobs" },
	[USE_JOBS] = { "jobs", NULL },
	[USE_SESSION] = { "kept session", "kept sessions" },
	[USE_SESSIONS] = { "sessions", NULL },
	[USE_WHITELIST] = { "whitelist", NULL },
	[USE_STATUS] = { "dmsg status", NULL },
	[USE_CONNS] = { "connections", NULL },
	[USE_KILL] = { "kill", NULL },
	[USE_DIAL] = { "stream over dmsg", NULL },
	[USE_FORWARD] = { "forwarded connection", "forwarded connections" },
	[USE_LISTEN] = { "listener", "listeners" },
};

void
ending_used(struct monitor *m, enum mon_use use)
{
	m->used[use]++;
	about_tell(m);
}

void
ending_time(char text[ENDING_TIME_MAX], int64_t ms)
{
	int64_t s = ms / 1000;

	if (s < 60)
		(void)snprintf(text, ENDING_TIME_MAX, "%lld.%lld s",
		    (long long)s, (long long)(ms % 1000 / 100));
	else if (s < 3600)
		(void)snprintf(text, ENDING_TIME_MAX, "%lldm%02llds",
		    (long long)(s / 60), (long long)(s % 60));
	else
		(void)snprintf(text, ENDING_TIME_MAX, "%lldh%02lldm%02llds",
		    (long long)(s / 3600), (long long)(s / 60 % 60),
		    (long long)(s % 60));
}

void
ending_moved(char text[ENDING_MOVED_MAX], const struct job_moved *moved,
    struct log_fields *f)
{
	*text = '\0';
	if (!moved->told)
		return;
	(void)snprintf(text, ENDING_MOVED_MAX,
	    "; %" PRIu64 " bytes in, %" PRIu64 " out", moved->in, moved->out);
	log_put_number(f, "bytes_in", moved->in);
	log_put_number(f, "bytes_out", moved->out);
}

/* "terminal, 2 commands" */
static void
ending_uses(const struct monitor *m, char text[USES_TEXT_MAX])
{
	size_t n = 0;

	for (int i = 0; i < USE_COUNT; i++) {
		const char *comma = n == 0 ? "" : ", ";

		if (m->used[i] == 1 || (m->used[i] != 0 && !uses[i].many))
			n += (size_t)snprintf(text + n, USES_TEXT_MAX - n,
			    "%s%s", comma, uses[i].one);
		else if (m->used[i] != 0)
			n += (size_t)snprintf(text + n, USES_TEXT_MAX - n,
			    "%s%u %s", comma, m->used[i], uses[i].many);
	}
	if (n == 0)
		(void)snprintf(text, USES_TEXT_MAX, "nothing was asked for");
}

/* Who was not let in has a line that says so, and no other usually. */
void
ending_tell(const struct monitor *m, int phase, const char *why)
{
	char time[ENDING_TIME_MAX], text[USES_TEXT_MAX], who[KEY_PUBLIC_HEX];
	char moved[ENDING_MOVED_MAX];
	struct log_fields f = { .event = "closed" };
	int64_t ms = now_ms() - m->begun;

	ending_time(time, ms);
	if (phase != MON_SESSION) {
		log_debug("Connection closed, nobody was let in: %s after %s",
		    phase == MON_REFUSED ? "refused" : why, time);
		return;
	}
	if (m->half.start.carrier == PRIV_CONTROL)
		(void)snprintf(who, sizeof(who), "%lu",
		    (unsigned long)m->caller);
	else
		key_text(&m->peer, who);
	ending_uses(m, text);
	log_put(&f, "reason", why);
	log_put_number(&f, "duration_ms", (uint64_t)ms);
	log_put(&f, "used_for", text);
	ending_moved(moved, &m->moved, &f);
	log_event(LOG_LEVEL_INFO, &f,
	    "Connection closed: %s after %s; %s %s; %s%s", why, time,
	    m->half.start.carrier == PRIV_CONTROL ? "uid" : "key", who, text,
	    moved);
}
