/* SPDX-License-Identifier: ISC */
/* What the user of skypty fleet is told, and how far it is. */
#include "client/fleet/fleet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/visible.h"

#define DRAW_MS 100
#define WIDTH	80 /* of a terminal that does not tell */

static int
tell_width(void)
{
	struct winsize ws;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == -1 || ws.ws_col < 2)
		return WIDTH;
	return ws.ws_col;
}

void
fleet_clear(struct fleet *f)
{
	if (f->drawn)
		fprintf(stderr, "\r%*s\r", tell_width() - 1, "");
	f->drawn = false;
}

void
fleet_say(struct fleet *f, const char *fmt, ...)
{
	va_list ap;

	fleet_clear(f);
	va_start(ap, fmt);
	visible_vline(stderr, "\n", fmt, ap);
	va_end(ap);
}

/* "01:23" */
static void
tell_time(int64_t ms, char *out, size_t size)
{
	int64_t s = (ms + 999) / 1000;

	if (s >= 3600)
		snprintf(out, size, "%lld:%02lld:%02lld", (long long)(s / 3600),
		    (long long)(s / 60 % 60), (long long)(s % 60));
	else
		snprintf(out, size, "%02lld:%02lld", (long long)(s / 60),
		    (long long)(s % 60));
}

void
fleet_draw(struct fleet *f, bool now)
{
	size_t left = f->hosts.n - f->done - f->running;
	int64_t at = now_ms(), ms = at - f->started;
	char line[256], eta[32] = "--:--";
	double rate;

	if (!f->terminal || (!now && at - f->drawn_at < DRAW_MS))
		return;
	f->drawn_at = at;
	rate = (double)f->done * 1000 / (double)(ms > 0 ? ms : 1);
	if (f->done > 0)
		tell_time(
		    (int64_t)((double)(f->hosts.n - f->done) / rate * 1000),
		    eta, sizeof(eta));
	snprintf(line, sizeof(line),
	    "%zu done, %zu failed, %zu running, %zu left, %.1f/s, ETA %s%s",
	    f->done, f->failed, f->running, left, rate, eta,
	    f->pause_until != 0 ? ", pausing" : "");
	fprintf(stderr, "\r%-*.*s", tell_width() - 1, tell_width() - 1, line);
	f->drawn = true;
}

void
fleet_outcome_text(const struct fleet_host *h, char *out, size_t size)
{
	switch (h->outcome) {
	case OUTCOME_LEFT:
		snprintf(out, size, "had no turn");
		break;
	case OUTCOME_OK:
		snprintf(out, size, "ok");
		break;
	case OUTCOME_EXIT:
		snprintf(out, size, "exit status %d", h->status);
		break;
	case OUTCOME_SIGNAL:
		snprintf(out, size, "killed by signal %s",
		    xs_signal_name(h->status));
		break;
	case OUTCOME_TIMEOUT:
		snprintf(out, size, "timed out");
		break;
	case OUTCOME_UNREACHED:
		snprintf(out, size, "not reached");
		break;
	case OUTCOME_LOST:
		snprintf(out, size, "began, end not known");
		break;
	case OUTCOME_CHECK:
		snprintf(out, size, "check failed");
		break;
	}
}

bool
fleet_host_failed(const struct fleet_host *h)
{
	return h->outcome != OUTCOME_OK && h->outcome != OUTCOME_LEFT;
}

/* Those that failed, with -v all; and how many of each kind. */
void
fleet_table(const struct fleet *f)
{
	size_t count[OUTCOME_CHECK + 1] = { 0 };
	char how[64];

	for (size_t i = 0; i < f->hosts.n; i++) {
		const struct fleet_host *h = &f->hosts.host[i];

		count[h->outcome]++;
		if (!fleet_host_failed(h) && !f->o->verbose)
			continue;
		fleet_outcome_text(h, how, sizeof(how));
		visible_line(stderr, "%-24s  %-22s %6lld.%lld s%s%s", h->label,
		    how, (long long)(h->ms / 1000),
		    (long long)(h->ms / 100 % 10), h->why != NULL ? "  " : "",
		    h->why != NULL ? h->why : "");
	}
	fprintf(stderr, "%zu hosts: %zu ok, %zu failed", f->hosts.n,
	    count[OUTCOME_OK],
	    count[OUTCOME_EXIT] + count[OUTCOME_SIGNAL] +
		count[OUTCOME_TIMEOUT] + count[OUTCOME_CHECK]);
	if (count[OUTCOME_UNREACHED] != 0)
		fprintf(stderr, ", %zu not reached", count[OUTCOME_UNREACHED]);
	if (count[OUTCOME_LOST] != 0)
		fprintf(stderr, ", %zu began and their end is not known",
		    count[OUTCOME_LOST]);
	if (count[OUTCOME_LEFT] != 0)
		fprintf(stderr, ", %zu had no turn", count[OUTCOME_LEFT]);
	putc('\n', stderr);
}
