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

#define PREFIX_MAX 128
#define LOG_FD_MIN 64 /* descriptors below are other people's business */
#ifndef LOG_DEVICE
#define LOG_DEVICE "/dev/log"
#endif

/* The process's one log. */
static struct {
	const char *ident;
	enum log_level level;
	bool to_syslog;
	bool watched; /* by who has started us, at standard error */
	char prefix[PREFIX_MAX];
	char id[LOG_ID_LEN + 2]; /* with a blank behind it, or empty */
	int fd; /* to syslog, or a way of our own to standard error */
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

static void
log_open_syslog(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX,
		.sun_path = LOG_DEVICE };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		close(fd);
	else
		log_keep(fd);
}

/* The daemon behind it may have been restarted. */
static bool
log_to_syslog(int priority, const char *text)
{
	char line[LOG_LINE_MAX + PREFIX_MAX + 64], when[32];
	time_t now = time(NULL);
	struct tm tm;
	int n;

	(void)localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%b %e %T", &tm);
	n = snprintf(line, sizeof(line), "<%d>%s %s[%ld]: %s",
	    LOG_AUTH | priority, when, state.ident, (long)getpid(), text);
	for (int i = 0; i < 2; i++) {
		if (state.fd == -1)
			log_open_syslog();
		if (state.fd == -1)
			return false;
		if (send(state.fd, line, (size_t)n, MSG_NOSIGNAL) != -1)
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

/* A journal adds name, number and time by itself, and takes a level. */
static bool
log_to_stderr(int priority, const char *text)
{
	char line[LOG_LINE_MAX + PREFIX_MAX + 64];
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	struct stat st;
	int fd = -1, n;

	if (fstat(STDERR_FILENO, &st) == -1)
		return true;
	if (log_is_journal(&st))
		n = snprintf(line, sizeof(line), "<%d>%s\n", priority, text);
	else
		n = snprintf(line, sizeof(line), "%s[%ld]: %s\n", state.ident,
		    (long)getpid(), text);
	if (n < 0)
		return true;
	if (S_ISSOCK(st.st_mode))
		return send(STDERR_FILENO, line, (size_t)n,
			   MSG_DONTWAIT | MSG_NOSIGNAL) != -1 ||
		    errno != EAGAIN;
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		fd = log_own_stderr(&st);
	if (fd == -1 && !S_ISREG(st.st_mode) && poll(&p, 1, 0) == 0)
		return false;
	return write(fd != -1 ? fd : STDERR_FILENO, line, (size_t)n) != -1 ||
	    errno != EAGAIN;
}

static bool
log_write(enum log_level level, const char *text)
{
	static const int priority[] = { LOG_ERR, LOG_WARNING, LOG_INFO,
		LOG_DEBUG };

	if (!state.to_syslog)
		return log_to_stderr(priority[level], text);
	if (state.watched && level <= LOG_LEVEL_WARN) {
		(void)log_to_stderr(priority[level], text);
		log_close(); /* one way is open at a time */
	}
	return log_to_syslog(priority[level], text);
}

void
log_init(const char *ident, enum log_level level, bool use_syslog)
{
	state.ident = ident;
	state.level = level;
	state.to_syslog = use_syslog;
	log_close();
	if (use_syslog)
		log_open_syslog();
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
log_set_prefix(const char *prefix)
{
	if (*prefix == '\0')
		state.prefix[0] = '\0';
	else
		snprintf(state.prefix, sizeof(state.prefix), "%s: ", prefix);
}

void
log_set_id(uint64_t id)
{
	if (id == 0)
		state.id[0] = '\0';
	else
		snprintf(state.id, sizeof(state.id), "%016" PRIx64 " ", id);
}

/*
 * Printable ASCII as it is but the backslash, which is doubled; anything else
 * as \ooo.  As far as dst goes.
 */
static size_t
log_escape(char *dst, size_t len, const char *src)
{
	size_t n = 0;
	unsigned char c;

	while ((c = (unsigned char)*src++) != '\0' && n + 5 <= len) {
		if (c >= ' ' && c <= '~' && c != '\\') {
			dst[n++] = (char)c;
			continue;
		}
		dst[n++] = '\\';
		if (c == '\\') {
			dst[n++] = '\\';
			continue;
		}
		dst[n++] = (char)('0' + (c >> 6));
		dst[n++] = (char)('0' + (c >> 3 & 7));
		dst[n++] = (char)('0' + (c & 7));
	}
	dst[n] = '\0';
	return n;
}

static void
log_emit(enum log_level level, const char *text)
{
	char notice[64];

	if (state.lost != 0) {
		snprintf(notice, sizeof(notice),
		    "lines missing here, as nobody read them: %lu", state.lost);
		if (log_write(LOG_LEVEL_WARN, notice))
			state.lost = 0;
	}
	if (state.lost != 0 || !log_write(level, text))
		state.lost++;
}

static void log_va(enum log_level, const char *, va_list)
    __attribute__((format(printf, 2, 0)));

static void
log_va(enum log_level level, const char *fmt, va_list ap)
{
	char raw[LOG_LINE_MAX], line[LOG_LINE_MAX];
	size_t n;

	if (level > state.level)
		return;
	n = (size_t)snprintf(raw, sizeof(raw), "%s%s", state.id, state.prefix);
	vsnprintf(raw + n, sizeof(raw) - n, fmt, ap);
	log_escape(line, sizeof(line), raw);
	log_emit(level, line);
}

void
log_at(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(level, fmt, ap);
	va_end(ap);
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(LOG_LEVEL_WARN, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}
