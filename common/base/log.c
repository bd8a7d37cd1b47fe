/* SPDX-License-Identifier: ISC */
/*
 * Log lines, to syslog or standard error, with nothing unprintable in them.
 * Whoever reads them may have stopped reading: nothing here waits for it.
 */
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log_format.h"

#define PREFIX_MAX 128
#define LOG_FD_MIN 64 /* descriptors below are other people's business */
#ifndef LOG_DEVICE
#define LOG_DEVICE "/dev/log"
#endif
#ifndef LOG_JOURNAL
#define LOG_JOURNAL "/run/systemd/journal/socket"
#endif
#define KEY_MAX 67

/* The process's one log. */
static struct {
	const char *ident;
	enum log_level level;
	bool to_syslog;
	bool watched; /* by who has started us, at standard error */
	enum log_format format;
	char prefix[PREFIX_MAX]; /* without its colon */
	char key[KEY_MAX];
	uint64_t id;
	int fd; /* to syslog or a journal, or a way of our own to standard error
		 */
	bool journal;	    /* that is a journal's */
	unsigned long lost; /* lines that nobody took */
} state = { .ident = "skypty", .level = LOG_LEVEL_INFO, .fd = -1 };

static const struct {
	const char *name;
	enum log_level level;
} names[] = {
	{ "panic", LOG_LEVEL_ERROR },
	{ "fatal", LOG_LEVEL_ERROR },
	{ "error", LOG_LEVEL_ERROR },
	{ "warn", LOG_LEVEL_WARN },
	{ "warning", LOG_LEVEL_WARN },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
	{ "trace", LOG_LEVEL_DEBUG },
};

/* --- where lines go --- */

static void
log_close(void)
{
	if (state.fd != -1)
		close(state.fd);
	state.fd = -1;
	state.journal = false;
}

static void
log_keep(int fd)
{
	state.fd = fcntl(fd, F_DUPFD_CLOEXEC, LOG_FD_MIN);
	if (state.fd == -1)
		state.fd = fd;
	else
		close(fd);
}

static bool
log_open_socket(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return false;
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		close(fd);
		return false;
	}
	log_keep(fd);
	return true;
}

/* A journal takes what syslog does, and what else there is beside the text. */
static void
log_open(void)
{
	state.journal = log_open_socket(LOG_JOURNAL);
	if (!state.journal && state.to_syslog)
		(void)log_open_socket(LOG_DEVICE);
}

static size_t
log_for_syslog(char *dst, size_t len, const struct log_line *l, int priority,
    const char *text)
{
	char when[32];
	struct tm tm;
	int n;

	(void)localtime_r(&l->time.tv_sec, &tm);
	strftime(when, sizeof(when), "%b %e %T", &tm);
	n = snprintf(dst, len, "<%d>%s %s[%ld]: %s", LOG_AUTH | priority, when,
	    l->ident, l->pid, text);
	return n < 0 ? 0 : (size_t)n < len ? (size_t)n : len - 1;
}

/* The daemon behind it may have been restarted. */
static bool
log_to_socket(const struct log_line *l, int priority, const char *text)
{
	char data[2 * LOG_RECORD_MAX];
	size_t n;

	for (int i = 0; i < 2; i++) {
		if (state.fd == -1)
			log_open();
		if (state.fd == -1)
			return false;
		n = state.journal ?
		    log_format_journal(data, l, priority,
			state.to_syslog ? LOG_AUTH >> 3 : -1, text) :
		    log_for_syslog(data, sizeof(data), l, priority, text);
		if (send(state.fd, data, n, MSG_NOSIGNAL) != -1)
			return true;
		if (errno == EAGAIN || errno == ENOBUFS)
			return false;
		log_close();
	}
	return false;
}

/*
 * A pipe or terminal as opened for us alone: not to wait for it is a property
 * that whoever else writes there would share.  Where that cannot be had, room
 * is looked for before each line.
 */
static int
log_own_stderr(const struct stat *st)
{
	struct stat own;
	int fd;

	if (state.fd != -1 && fstat(state.fd, &own) == 0 &&
	    own.st_dev == st->st_dev && own.st_ino == st->st_ino)
		return state.fd;
	log_close();
	if ((fd = open("/proc/self/fd/2",
		 O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) == -1)
		return -1;
	log_keep(fd);
	return state.fd;
}

/* What a service manager has given us leads to its journal, it says. */
static bool
log_is_journal(const struct stat *st)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];

	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st->st_dev,
	    (uintmax_t)st->st_ino);
	return stream != NULL && strcmp(stream, ours) == 0;
}

/*
 * A journal adds name, number and time by itself, and takes a level; JSON has
 * all of that.  Bytes.
 */
static size_t
log_for_stderr(char *dst, size_t len, const struct log_line *l, int priority,
    bool journal, const char *text)
{
	int n;

	if (journal)
		n = snprintf(dst, len, "<%d>%s\n", priority, text);
	else if (state.format == LOG_FORMAT_JSON)
		n = snprintf(dst, len, "%s\n", text);
	else
		n = snprintf(dst, len, "%s[%ld]: %s\n", l->ident, l->pid, text);
	return n < 0 ? 0 : (size_t)n < len ? (size_t)n : len - 1;
}

static bool
log_to_stderr(const struct log_line *l, int priority, const char *text)
{
	char line[LOG_RECORD_MAX + 64];
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	struct stat st;
	int fd = -1;
	bool journal;
	size_t n;

	if (fstat(STDERR_FILENO, &st) == -1)
		return true;
	journal = log_is_journal(&st);
	if (journal && log_to_socket(l, priority, text))
		return true;
	n = log_for_stderr(line, sizeof(line), l, priority, journal, text);
	if (S_ISSOCK(st.st_mode))
		return send(STDERR_FILENO, line, n,
			   MSG_DONTWAIT | MSG_NOSIGNAL) != -1 ||
		    errno != EAGAIN;
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		fd = log_own_stderr(&st);
	if (fd == -1 && !S_ISREG(st.st_mode) && poll(&p, 1, 0) == 0)
		return false;
	return write(fd != -1 ? fd : STDERR_FILENO, line, n) != -1 ||
	    errno != EAGAIN;
}

/* As text, as it has always been: id and address before it. */
static void
log_text(char line[LOG_LINE_MAX], const struct log_line *l)
{
	char raw[LOG_LINE_MAX], id[LOG_ID_LEN + 2] = "";

	if (l->id != 0)
		snprintf(id, sizeof(id), "%016" PRIx64 " ", l->id);
	snprintf(raw, sizeof(raw), "%s%s%s%s", id, l->address,
	    *l->address != '\0' ? ": " : "", l->text);
	(void)log_escape(line, LOG_LINE_MAX, raw);
}

static bool
log_write(const struct log_line *l)
{
	static const int priority[] = { LOG_ERR, LOG_WARNING, LOG_INFO,
		LOG_DEBUG };
	char text[LOG_RECORD_MAX];

	if (state.format == LOG_FORMAT_JSON)
		(void)log_format_json(text, l);
	else
		log_text(text, l);
	if (!state.to_syslog)
		return log_to_stderr(l, priority[l->level], text);
	if (state.watched && l->level <= LOG_LEVEL_WARN) {
		(void)log_to_stderr(l, priority[l->level], text);
		log_close(); /* one way is open at a time */
	}
	return log_to_socket(l, priority[l->level], text);
}

void
log_init(const char *ident, enum log_level level, bool use_syslog)
{
	state.ident = ident;
	state.level = level;
	state.to_syslog = use_syslog;
	log_close();
	if (use_syslog)
		log_open();
}

void
log_set_watched(bool watched)
{
	state.watched = watched;
}

void
log_set_level(enum log_level level)
{
	state.level = level;
}

enum log_level
log_get_level(void)
{
	return state.level;
}

int
log_parse_level(const char *text, enum log_level *level)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i].name) == 0) {
			*level = names[i].level;
			return 0;
		}
	return SKY_ERR_FORMAT;
}

void
log_set_format(enum log_format format)
{
	state.format = format;
}

void
log_set_prefix(const char *prefix)
{
	snprintf(state.prefix, sizeof(state.prefix), "%s", prefix);
}

void
log_set_key(const char *key)
{
	snprintf(state.key, sizeof(state.key), "%s", key);
}

void
log_set_id(uint64_t id)
{
	state.id = id;
}

/* --- a line --- */

void
log_put(struct log_fields *f, const char *name, const char *text)
{
	if (f->n < LOG_FIELDS_MAX && text != NULL && *text != '\0')
		f->each[f->n++] = (struct log_field){ name, text, 0 };
}

void
log_put_number(struct log_fields *f, const char *name, uint64_t number)
{
	if (f->n < LOG_FIELDS_MAX)
		f->each[f->n++] = (struct log_field){ name, NULL, number };
}

static struct log_line
log_about(enum log_level level, const struct log_fields *f, const char *text)
{
	struct log_line l = { .level = level,
		.pid = (long)getpid(),
		.ident = state.ident,
		.id = state.id,
		.address = state.prefix,
		.key = state.key,
		.fields = f,
		.text = text };

	(void)clock_gettime(CLOCK_REALTIME, &l.time);
	return l;
}

static void
log_emit(const struct log_line *l)
{
	struct log_line lost;
	char notice[64];

	if (state.lost != 0) {
		snprintf(notice, sizeof(notice),
		    "lines missing here, as nobody read them: %lu", state.lost);
		lost = log_about(LOG_LEVEL_WARN, NULL, notice);
		if (log_write(&lost))
			state.lost = 0;
	}
	if (state.lost != 0 || !log_write(l))
		state.lost++;
}

static void log_va(enum log_level, const struct log_fields *, const char *,
    va_list) __attribute__((format(printf, 3, 0)));

static void
log_va(enum log_level level, const struct log_fields *f, const char *fmt,
    va_list ap)
{
	struct log_line l;
	char text[LOG_LINE_MAX];

	if (level > state.level)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	l = log_about(level, f, text);
	log_emit(&l);
}

void
log_event(enum log_level level, const struct log_fields *f, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(level, f, fmt, ap);
	va_end(ap);
}

void
log_at(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(level, NULL, fmt, ap);
	va_end(ap);
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(LOG_LEVEL_ERROR, NULL, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(LOG_LEVEL_WARN, NULL, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(LOG_LEVEL_INFO, NULL, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(LOG_LEVEL_DEBUG, NULL, fmt, ap);
	va_end(ap);
}
