/* SPDX-License-Identifier: ISC */
/* A line on the terminal that tells how far a copy is. */
#include "client/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/visible.h"

#define DRAW_MS	       100
#define MEASURE_MS     500
#define WIDTH_MAX      256
#define LINE_MAX_BYTES (VISIBLE_GROWTH * WIDTH_MAX + 128)
#define WIDTH	       80 /* of a terminal that does not tell */
#define COLUMNS	       38 /* of everything but the name */
#define NAME_MIN       8

void
progress_init(struct progress *p, bool quiet)
{
	*p = (struct progress){ .on = !quiet && isatty(STDERR_FILENO) == 1,
		.started = now_ms() };
	p->last = p->measured = p->started;
}

/* "12.3MB", at most seven characters. */
static void
progress_amount(double n, char *out, size_t size)
{
	static const char units[] = " KMGTPE";
	size_t unit = 0;

	while (n >= 1000 && units[unit + 1] != '\0') {
		n /= 1024;
		unit++;
	}
	if (unit == 0)
		snprintf(out, size, "%.0fB", n);
	else
		snprintf(out, size, "%.1f%cB", n, units[unit]);
}

/* "01:23", or with hours. */
static void
progress_duration(double seconds, char *out, size_t size)
{
	unsigned s;

	if (seconds < 0 || seconds > 99 * 3600.0) {
		snprintf(out, size, "--:--");
		return;
	}
	s = (unsigned)seconds;
	if (s >= 3600)
		snprintf(out, size, "%u:%02u:%02u", s / 3600, s / 60 % 60,
		    s % 60);
	else
		snprintf(out, size, "%02u:%02u", s / 60, s % 60);
}

static void
progress_numbers(const struct progress *p, const struct progress_item *item,
    int64_t seconds, char *out, size_t size)
{
	bool whole = item->name == NULL || item->done >= item->size;
	char bytes[16], rate[16], left[32], percent[16] = "";
	double eta = -1; /* not known */

	progress_amount((double)(item->name != NULL ? item->done : p->bytes),
	    bytes, sizeof(bytes));
	progress_amount(p->rate, rate, sizeof(rate));
	if (item->name != NULL && item->size >= item->done)
		snprintf(percent, sizeof(percent), "%3.0f%%",
		    item->size == 0 ?
			100.0 :
			100.0 * (double)item->done / (double)item->size);
	if (p->rate >= 1 && item->size >= item->done)
		eta = (double)(item->size - item->done) / p->rate;
	progress_duration(whole ? (double)seconds : eta, left, sizeof(left));
	snprintf(out, size, " %4s %8s %8s/s %8s%s", percent, bytes, rate, left,
	    whole ? "    " : " ETA");
}

void
progress_line(const struct progress *p, const struct progress_item *item,
    int64_t seconds, int width, char *out, size_t size)
{
	char name[LINE_MAX_BYTES], raw[WIDTH_MAX + 1], right[96];
	int columns, room;
	size_t cut;

	if (width > WIDTH_MAX)
		width = WIDTH_MAX;
	if (item->name != NULL)
		strlcpy(raw, item->name, sizeof(raw));
	else
		snprintf(raw, sizeof(raw), "%llu files",
		    (unsigned long long)p->files);
	visible_text(name, sizeof(name), raw, strlen(raw), VISIBLE_SLASH);
	progress_numbers(p, item, seconds, right, sizeof(right));
	room = width - COLUMNS;
	if (room < NAME_MIN)
		room = NAME_MIN;
	if (room > width)
		room = width;
	columns = visible_columns(name, room, &cut);
	snprintf(out, size, "%.*s%*s%.*s", (int)cut, name, room - columns, "",
	    width - room, right);
}

static int
progress_terminal_width(void)
{
	struct winsize ws;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == -1 || ws.ws_col < 2)
		return WIDTH;
	return ws.ws_col;
}

static void
progress_measure(struct progress *p, int64_t now)
{
	double rate;

	if (now - p->measured < (p->rate < 1 ? DRAW_MS : MEASURE_MS))
		return;
	rate = (double)(p->bytes - p->measured_bytes) * 1000 /
	    (double)(now - p->measured);
	p->rate = p->measured_bytes == 0 ? rate : p->rate * 0.7 + rate * 0.3;
	p->measured = now;
	p->measured_bytes = p->bytes;
}

bool
progress_due(const struct progress *p)
{
	return p->on && now_ms() - p->last >= DRAW_MS;
}

/* The last column stays free: some terminals go on to the next line. */
static void
progress_redraw(struct progress *p, const struct progress_item *item,
    const char *end)
{
	char line[LINE_MAX_BYTES];
	int64_t now = now_ms();

	p->last = now;
	progress_line(p, item, (now - p->started) / 1000,
	    progress_terminal_width() - 1, line, sizeof(line));
	fprintf(stderr, "\r%s%s", line, end);
}

void
progress_draw(struct progress *p, const struct progress_item *item)
{
	if (!p->on)
		return;
	progress_measure(p, now_ms());
	progress_redraw(p, item, "");
	p->drawn = true;
}

/* At the end the average tells more than the last moment's rate. */
void
progress_end(struct progress *p, const struct progress_item *item)
{
	int64_t ms = now_ms() - p->started;

	if (!p->on)
		return;
	p->rate = (double)p->bytes * 1000 / (double)(ms > 0 ? ms : 1);
	progress_redraw(p, item, "\n");
	p->drawn = false;
}

void
progress_clear(struct progress *p)
{
	if (p->drawn)
		fprintf(stderr, "\r%*s\r", progress_terminal_width() - 1, "");
	p->drawn = false;
}
