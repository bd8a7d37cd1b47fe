/* SPDX-License-Identifier: ISC */
/*
 * The recorder of a session's terminal.  The file is made here, as root; what
 * is written to it is made of what the session says, and so by a confined
 * process, skypty-record, which can do no more than add to it.
 */
#include "monitor/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cast.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/paths.h"
#include "common/base/process.h"
#include "common/privsep/config_file.h"
#include "common/privsep/recording.h"
#include "monitor/account.h"
#include "monitor/command.h"
#include "monitor/env.h"
#include "monitor/monitor.h"

#define RECORDER_START_MS 10000
#define RECORDER_NAMES	  100 /* that may be taken in one second */
#define KEY_DIGITS	  16
#define HEAD_MAX	  16384
#define BLOCK		  4096

#define NOT_RECORDED                                                         \
	"this session is to be recorded, which is not possible; the host's " \
	"log says why"

bool
recorder_wanted(const struct monitor *m)
{
	return m->rights.record || m->rights.record_input ||
	    m->half.start.record_all;
}

/* --- the file --- */

static void
recorder_complain(void *arg, bool fatal, const char *text)
{
	(void)arg;
	log_at(fatal ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "%s", text);
}

/* Nobody but root, or who we run as, may get at what is in it. */
static int
recorder_open_folder(const char *path)
{
	const struct config_report report = { .say = recorder_complain };
	struct stat st;
	int dir;

	if (mkdir(path, 0700) == -1 && errno != EEXIST) {
		log_error("%s: %s", path, strerror(errno));
		return -1;
	}
	if ((dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1 ||
	    fstat(dir, &st) == -1)
		log_error("%s: %s", path, strerror(errno));
	else if (config_check_safety(&report, path, &st) == 0)
		return dir;
	if (dir != -1)
		close(dir);
	return -1;
}

/* When, whose and in which connection. */
static int
recorder_make_file(struct recorder *rec, const struct monitor *m, time_t now)
{
	char when[32], who[KEY_PUBLIC_HEX] = "local";
	struct tm tm;
	int fd;

	(void)gmtime_r(&now, &tm);
	(void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	if (m->half.start.carrier != PRIV_CONTROL)
		key_text(&m->peer, who);
	for (int i = 1; rec->file == 0 && i <= RECORDER_NAMES; i++) {
		(void)snprintf(rec->name, sizeof(rec->name),
		    i == 1 ? "%s-%.*s-%016llx.cast" : "%s-%.*s-%016llx.%d.cast",
		    when, KEY_DIGITS, who, (unsigned long long)m->half.start.id,
		    i);
		fd = openat(rec->dir, rec->name,
		    O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW |
			O_CLOEXEC,
		    0600);
		if (fd != -1)
			rec->file = fd;
		else if (errno != EEXIST)
			break;
	}
	if (rec->file != 0 && fchmod(rec->file, 0600) == 0)
		return 0;
	log_error("%s/%s: %s", m->half.start.record, rec->name,
	    strerror(errno));
	return -1;
}

/* The terminal as the client has it, and who sits there. */
static int
recorder_describe(const struct monitor *m, const struct recorded *what,
    time_t now, struct buf *b)
{
	const struct command *c = what->command;
	const struct winsize *ws = what->size;
	const char *shell = env_get(c->env, "SHELL");
	char who[KEY_PUBLIC_HEX], title[512];
	struct cast_head head = { .columns = ws->ws_col != 0 ? ws->ws_col : 80,
		.rows = ws->ws_row != 0 ? ws->ws_row : 24,
		.time = now,
		.term = env_get(c->env, "TERM"),
		.shell = shell != NULL ? shell : account_shell(&m->account),
		.command = what->login ? NULL : c->name,
		.title = title };

	if (m->half.start.carrier == PRIV_CONTROL)
		(void)snprintf(who, sizeof(who), "uid %lu",
		    (unsigned long)m->caller);
	else
		key_text(&m->peer, who);
	(void)snprintf(title, sizeof(title), "%s on %s%s%s, connection %016llx",
	    m->account.pw_name, who,
	    m->rights.comment != NULL && *m->rights.comment != '\0' ? " " : "",
	    m->rights.comment != NULL ? m->rights.comment : "",
	    (unsigned long long)m->half.start.id);
	return cast_put_head(b, &head);
}

static int
recorder_begin_file(struct recorder *rec, const struct monitor *m,
    const struct recorded *what)
{
	time_t now = time(NULL);
	struct buf b;
	int r = -1;

	if (recorder_make_file(rec, m, now) != 0)
		return -1;
	buf_init(&b, HEAD_MAX);
	if (recorder_describe(m, what, now, &b) != 0)
		log_error("Recording: the terminal's description is too long");
	else if (!recording_has_room(rec->file))
		log_error("%s: less than a twentieth is free, and less than "
			  "1 GiB",
		    m->half.start.record);
	else if (write(rec->file, buf_ptr(&b), buf_len(&b)) !=
	    (ssize_t)buf_len(&b))
		log_error("%s/%s: %s", m->half.start.record, rec->name,
		    strerror(errno));
	else
		r = 0;
	buf_free(&b);
	return r;
}

/* What was cut off in the middle of an event is no event. */
static void
recorder_mend(int file)
{
	off_t end = lseek(file, 0, SEEK_END), at;
	char block[BLOCK];
	ssize_t n;

	for (at = end; at > 0; at -= n) {
		n = at > BLOCK ? BLOCK : (ssize_t)at;
		if (pread(file, block, (size_t)n, at - n) != n)
			return;
		for (ssize_t i = n; i > 0; i--)
			if (block[i - 1] == '\n') {
				at = at - n + i;
				if (at < end)
					(void)!ftruncate(file, at);
				return;
			}
	}
}

/* --- the process --- */

static void
recorder_become(const struct monitor *m, const char *path, int file,
    const struct recorded *what, int peer)
{
	const char *argv[] = { "skyptyd: record",
		m->rights.record_input ? RECORDING_INPUT : NULL, NULL };
	const char *env[] = { NULL };
	const struct process_program program = { .path = path,
		.argv = argv,
		.env = env,
		.fd = { what->user, what->term, file, peer },
		.nfd = 4 };

	process_become(&program);
	_exit(127);
}

/* Nothing is begun before it says that it is confined. */
static int
recorder_hear(int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	struct privmsg msg = { 0 };
	char *text = NULL;
	int r = -1;

	if (poll(&p, 1, RECORDER_START_MS) != 1 ||
	    privmsg_recv(sock, &msg, false) != 1 || msg.type != PM_RECORDING ||
	    buf_get_cstring(&msg.body, &text, PRIVMSG_TEXT_MAX) != 0)
		log_error(RECORDING_PROGRAM " did not start");
	else if (*text != '\0')
		log_error(RECORDING_PROGRAM " cannot be confined: %s", text);
	else
		r = 0;
	free(text);
	privmsg_free(&msg);
	return r;
}

static int
recorder_spawn(struct monitor *m, struct recorder *rec,
    const struct recorded *what)
{
	char path[PROCESS_PATH_MAX];
	int sv[2], r;

	if (process_companion(path, sizeof(path), RECORDING_PROGRAM, ".",
		LIBEXECDIR) != 0 ||
	    privmsg_pair(sv) != 0) {
		log_error(RECORDING_PROGRAM ": %s", strerror(errno));
		return -1;
	}
	if ((r = process_fork(&rec->pid)) == 0)
		recorder_become(m, path, rec->file, what, sv[1]);
	close(sv[1]);
	if (r == 1) {
		/* One that has ended says nothing, which is heard. */
		(void)half_welcome(&m->half, sv[0]);
		r = recorder_hear(sv[0]);
	}
	close(sv[0]);
	return r;
}

int
recorder_start(struct monitor *m, struct recorder *rec,
    const struct recorded *what, char *why, size_t len)
{
	const char *folder = m->half.start.record;
	int dir;

	(void)snprintf(why, len, "%s", NOT_RECORDED);
	*rec = (struct recorder){ .pid = 0 };
	if (*folder == '\0') {
		log_error("Recording: \"record\" names no folder");
		return -1;
	}
	if ((dir = recorder_open_folder(folder)) == -1)
		return -1;
	rec->dir = dir;
	if (recorder_begin_file(rec, m, what) != 0 ||
	    recorder_spawn(m, rec, what) != 0) {
		recorder_drop(rec);
		return -1;
	}
	log_event(LOG_LEVEL_INFO, LOG_EVENT("recorded"),
	    "Terminal is recorded in %s/%s%s", folder, rec->name,
	    m->rights.record_input ? ", what is typed as well" : "");
	return 0;
}

/* --- the end --- */

static void
recorder_close(struct recorder *rec)
{
	if (rec->file != 0)
		close(rec->file);
	if (rec->dir != 0)
		close(rec->dir);
	*rec = (struct recorder){ .pid = 0 };
}

void
recorder_drop(struct recorder *rec)
{
	if (rec->pid != 0) {
		(void)process_signal(rec->pid, SIGKILL);
		(void)waitpid(rec->pid, NULL, 0);
	}
	if (rec->file != 0)
		(void)unlinkat(rec->dir, rec->name, 0);
	recorder_close(rec);
}

void
recorder_leave(struct recorder *rec)
{
	if (rec->told)
		return;
	rec->told = true;
	(void)process_signal(rec->pid, SIGTERM);
}

static void
recorder_tell(const struct recorder *rec, const char *folder, int status)
{
	const char *name = rec->name;
	struct stat st = { .st_size = 0 };

	(void)fstat(rec->file, &st);
	if (WIFSIGNALED(status))
		log_error("Recording failed: killed by signal %d%s: %s/%s",
		    WTERMSIG(status),
		    WTERMSIG(status) == SIGSYS ? " (forbidden system call)" :
						 "",
		    folder, name);
	else if (WEXITSTATUS(status) == ENOSPC)
		log_error("Recording failed: no space is left, or less than a "
			  "twentieth: %s/%s",
		    folder, name);
	else if (WEXITSTATUS(status) != 0)
		log_error("Recording failed: %s: %s/%s",
		    strerror(WEXITSTATUS(status)), folder, name);
	else
		log_event(LOG_LEVEL_INFO, LOG_EVENT("recorded"),
		    "Recording ended: %lld bytes in %s/%s",
		    (long long)st.st_size, folder, name);
}

bool
recorder_reap(const struct monitor *m, struct recorder *rec)
{
	const bool early = !rec->told;
	int status;

	if (rec->pid == 0 || waitpid(rec->pid, &status, WNOHANG) != rec->pid)
		return false;
	recorder_mend(rec->file);
	recorder_tell(rec, m->half.start.record, status);
	rec->pid = 0;
	recorder_close(rec);
	return early;
}
