/* SPDX-License-Identifier: ISC */
/*
 * What a run has done, in a file that outlives it: a line for each step, which
 * is on the disk before the step is taken.  A line is a word and what it tells,
 * encoded by vis(3); the last one may be torn.
 *
 *	skypty-fleet 1
 *	at 2026-11-27T12:00:00Z
 *	folder /home/admin
 *	word --jobs		a flag's word, in their order
 *	command uptime		a word of the command
 *	sum 0123...		SHA-256 of the script
 *	host web-1 web-1	as it was written, and in the one way to do so
 *	batch 1			where each ends
 *	planned 2		how many hosts: the plan is complete
 *	began 0			the command leaves for that one, counted from 0
 *	ended 0 exit 3 120	how, with which status, after which milliseconds
 *	why 0 no answer		what the client said
 *	passed 0		its check has
 *	over stopped		how the run was left
 */
#include "client/complain.h"
#include "client/exits.h"
#include "client/fleet/fleet.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <vis.h>

#include "common/base/err.h"
#include "common/base/file.h"

#define SUFFIX	    ".journal"
#define PENDING_MAX (64U * 1024 * 1024)
#define FIRST_LINE  "skypty-fleet 1"
#define LOCK_TRIES  20
#define LOCK_MS	    50

static const char *const outcomes[] = { [OUTCOME_LEFT] = "left",
	[OUTCOME_OK] = "ok",
	[OUTCOME_EXIT] = "exit",
	[OUTCOME_SIGNAL] = "signal",
	[OUTCOME_TIMEOUT] = "timeout",
	[OUTCOME_UNREACHED] = "unreached",
	[OUTCOME_LOST] = "lost",
	[OUTCOME_CHECK] = "check" };

const char *
fleet_outcome_word(enum fleet_outcome o)
{
	return outcomes[o];
}

/* --- where --- */

/* A file of the folder; NULL: the folder. */
static char *
journal_path(const char *id)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	const struct passwd *pw;
	char *path;
	int n;

	if ((home == NULL || *home == '\0') &&
	    (pw = getpwuid(getuid())) != NULL)
		home = pw->pw_dir;
	if (state != NULL && *state == '/')
		n = asprintf(&path, "%s/skypty/fleet/%s%s", state,
		    id != NULL ? id : "", id != NULL ? SUFFIX : "");
	else
		n = asprintf(&path, "%s/.local/state/skypty/fleet/%s%s",
		    home != NULL ? home : "", id != NULL ? id : "",
		    id != NULL ? SUFFIX : "");
	return n != -1 ? path : NULL;
}

/*
 * A lock of the open file, which goes with it.  Whoever looks asks for it, and
 * keeps nobody from his run.  Processes of a run that was killed are gone a
 * moment after it, and have the file until then.
 */
static int
journal_lock(int fd, int how, bool *busy)
{
	struct timespec moment = { .tv_nsec = LOCK_MS * 1000000L };
	struct flock l;
	int r;

	for (int i = 0;; i++) {
		l = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
		r = fcntl(fd, how, &l);
		*busy = how == F_OFD_GETLK ?
		    r == 0 && l.l_type != F_UNLCK :
		    r == -1 && (errno == EAGAIN || errno == EACCES);
		if (how == F_OFD_GETLK || !*busy || i == LOCK_TRIES)
			return r == -1 && !*busy ? -1 : 0;
		nanosleep(&moment, NULL);
	}
}

static int
journal_failed(const struct fleet_journal *j, const char *what)
{
	complain("%s: %s: %s", j->path != NULL ? j->path : "journal", what,
	    strerror(errno));
	return EXIT_FAILED;
}

static bool
journal_is_id(const char *id)
{
	return *id != '\0' && *id != '.' && strlen(id) < 64 &&
	    id[strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz-")] == '\0';
}

static int
journal_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Their names begin with the time. */
char **
fleet_journal_ids(size_t *n)
{
	char *path = journal_path(NULL), **id = NULL, **more;
	DIR *d = path != NULL ? opendir(path) : NULL;
	struct dirent *e;
	size_t len, suffix = strlen(SUFFIX);

	*n = 0;
	while (d != NULL && (e = readdir(d)) != NULL) {
		len = strlen(e->d_name);
		if (len <= suffix ||
		    strcmp(e->d_name + len - suffix, SUFFIX) != 0)
			continue;
		e->d_name[len - suffix] = '\0';
		if (!journal_is_id(e->d_name) ||
		    (more = reallocarray(id, *n + 2, sizeof(*id))) == NULL)
			continue;
		id = more;
		if ((id[*n] = strdup(e->d_name)) != NULL)
			++*n;
		id[*n] = NULL;
	}
	if (d != NULL)
		closedir(d);
	if (id != NULL)
		qsort(id, *n, sizeof(*id), journal_compare);
	free(path);
	return id;
}

/* --- writing --- */

static void
journal_init(struct fleet_journal *j)
{
	*j = (struct fleet_journal){ .fd = -1 };
	buf_init(&j->pending, PENDING_MAX);
}

static void
journal_free_ids(char **ids)
{
	for (size_t i = 0; ids != NULL && ids[i] != NULL; i++)
		free(ids[i]);
	free(ids);
}

/* Their names are in the order of time, but for a clock that was put back. */
static void
journal_tell_later(const char *stamp)
{
	size_t n;
	char **ids = fleet_journal_ids(&n);

	if (n != 0 && strncmp(ids[n - 1], stamp, strlen(stamp)) > 0)
		complain("the clock is behind that of the run %s, which is "
			 "what 'newest' means: name the one to --resume",
		    ids[n - 1]);
	journal_free_ids(ids);
}

int
fleet_journal_new(struct fleet_journal *j)
{
	time_t now = time(NULL);
	char stamp[32];
	struct tm tm;
	bool busy;

	journal_init(j);
	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm) == 0)
		return EXIT_FAILED;
	journal_tell_later(stamp);
	do {
		free(j->path);
		snprintf(j->id, sizeof(j->id), "%s-%04x", stamp,
		    (unsigned)randombytes_uniform(0x10000));
		if ((j->path = journal_path(j->id)) == NULL)
			return EXIT_FAILED;
		if (file_make_folders(j->path, 0700) == -1)
			return journal_failed(j, "its folder");
		j->fd = open(j->path,
		    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	} while (j->fd == -1 && errno == EEXIST);
	if (j->fd == -1)
		return journal_failed(j, "it cannot be made");
	if (journal_lock(j->fd, F_OFD_SETLK, &busy) == -1 || busy)
		return journal_failed(j, "it cannot be locked");
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (fleet_journal_add(j, NULL, FIRST_LINE) != 0 ||
	    fleet_journal_add(j, NULL, "at %s", stamp) != 0)
		return EXIT_FAILED;
	return 0;
}

int
fleet_journal_add(struct fleet_journal *j, const char *word, const char *fmt,
    ...)
{
	char *line = NULL, *code = NULL;
	va_list ap;
	int n, r = -1;

	va_start(ap, fmt);
	n = vasprintf(&line, fmt, ap);
	va_end(ap);
	if (n == -1)
		return -1;
	if (word != NULL && (code = malloc(4 * strlen(word) + 1)) != NULL)
		strvis(code, word, VIS_OCTAL | VIS_WHITE);
	if (word == NULL || code != NULL)
		r = buf_put(&j->pending, line, (size_t)n);
	if (r == 0 && code != NULL && (r = buf_put(&j->pending, " ", 1)) == 0)
		r = buf_put(&j->pending, code, strlen(code));
	if (r == 0)
		r = buf_put(&j->pending, "\n", 1);
	free(code);
	free(line);
	return r;
}

int
fleet_journal_add_host(struct fleet_journal *j, const struct fleet_host *h)
{
	char *code = malloc(4 * strlen(h->dest) + 1);
	int r = -1;

	if (code != NULL) {
		strvis(code, h->dest, VIS_OCTAL | VIS_WHITE);
		r = fleet_journal_add(j, h->canon, "host %s", code);
	}
	free(code);
	return r;
}

/* Half a line is taken back, so that another can follow. */
int
fleet_journal_sync(struct fleet_journal *j)
{
	ssize_t n;

	if (buf_len(&j->pending) == 0)
		return 0;
	while (buf_len(&j->pending) != 0) {
		n = pwrite(j->fd, buf_ptr(&j->pending), buf_len(&j->pending),
		    j->len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		j->len += n;
		(void)buf_skip(&j->pending, (size_t)n);
	}
	if (buf_len(&j->pending) == 0 && fdatasync(j->fd) == 0) {
		buf_reset(&j->pending);
		return 0;
	}
	return journal_failed(j, "it cannot be written");
}

void
fleet_journal_close(struct fleet_journal *j)
{
	if (j->fd != -1)
		close(j->fd);
	j->fd = -1;
	buf_free(&j->pending);
	free(j->path);
	j->path = NULL;
}

/* --- reading --- */

/* The next word, decoded in place; NULL: there is none. */
static char *
journal_word(char **rest)
{
	char *word = strsep(rest, " "), *plain;
	int n;

	if (word == NULL || (plain = malloc(strlen(word) + 1)) == NULL)
		return NULL;
	if ((n = strunvis(plain, word)) < 0) {
		free(plain);
		return NULL;
	}
	memcpy(word, plain, (size_t)n);
	word[n] = '\0';
	free(plain);
	return word;
}

static int
journal_keep(char ***list, size_t *n, const char *word)
{
	char **more = reallocarray(*list, *n + 2, sizeof(*more));

	if (more == NULL)
		return SKY_ERR_NOMEM;
	*list = more;
	if ((more[*n] = strdup(word)) == NULL)
		return SKY_ERR_NOMEM;
	more[++*n] = NULL;
	return 0;
}

/* In the place of an earlier one. */
static int
journal_keep_one(char **to, const char *word)
{
	char *copy;

	if (word == NULL)
		return SKY_ERR_FORMAT;
	if ((copy = strdup(word)) == NULL)
		return SKY_ERR_NOMEM;
	free(*to);
	*to = copy;
	return 0;
}

static bool
journal_number(const char *word, long long max, long long *n)
{
	const char *problem;

	if (word == NULL)
		return false;
	*n = strtonum(word, 0, max, &problem);
	return problem == NULL;
}

static int
journal_read_host(struct fleet_record *rec, char *rest)
{
	char *dest = journal_word(&rest), *canon = journal_word(&rest);

	if (dest == NULL || canon == NULL || rec->planned)
		return SKY_ERR_FORMAT;
	return fleet_hosts_add(&rec->hosts, dest, canon) == 0 ? 0 :
								SKY_ERR_NOMEM;
}

static int
journal_read_batch(struct fleet_record *rec, const char *word)
{
	struct fleet_plan *p = &rec->plan;
	size_t *more;
	long long n;

	if (!journal_number(word, (long long)rec->hosts.n, &n) ||
	    (p->nbatch != 0 && (size_t)n <= p->end[p->nbatch - 1]))
		return SKY_ERR_FORMAT;
	more = reallocarray(p->end, p->nbatch + 1, sizeof(*more));
	if (more == NULL)
		return SKY_ERR_NOMEM;
	p->end = more;
	p->end[p->nbatch++] = (size_t)n;
	return 0;
}

static int
journal_read_planned(struct fleet_record *rec, const char *word)
{
	const struct fleet_plan *p = &rec->plan;
	long long n;

	if (!journal_number(word, (long long)rec->hosts.n, &n) ||
	    (size_t)n != rec->hosts.n || p->nbatch == 0 ||
	    p->end[p->nbatch - 1] != rec->hosts.n)
		return SKY_ERR_FORMAT;
	rec->planned = true;
	return 0;
}

static int
journal_read_ended(struct fleet_host *h, char *rest)
{
	const char *how = journal_word(&rest), *status = journal_word(&rest),
		   *ms = journal_word(&rest);
	long long n, took;

	if (how == NULL || !journal_number(status, INT32_MAX, &n) ||
	    !journal_number(ms, INT64_MAX, &took))
		return SKY_ERR_FORMAT;
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		if (strcmp(how, outcomes[i]) == 0) {
			h->outcome = (enum fleet_outcome)i;
			h->status = (int)n;
			h->ms = took;
			h->attempts++;
			return 0;
		}
	return SKY_ERR_FORMAT;
}

/* What is told of one host, whose number comes first. */
static int
journal_read_step(struct fleet_record *rec, const char *key, char *rest)
{
	struct fleet_host *h;
	long long n;

	if (!rec->planned ||
	    !journal_number(journal_word(&rest), (long long)rec->hosts.n - 1,
		&n))
		return SKY_ERR_FORMAT;
	h = &rec->hosts.host[n];
	if (strcmp(key, "ended") == 0)
		return journal_read_ended(h, rest);
	if (strcmp(key, "why") == 0)
		return journal_keep_one(&h->why, journal_word(&rest));
	if (strcmp(key, "passed") == 0) {
		h->passed = true;
		h->outcome = OUTCOME_OK;
		return 0;
	}
	if (strcmp(key, "began") != 0)
		return SKY_ERR_FORMAT;
	h->began = true;
	h->outcome = OUTCOME_LOST;
	return 0;
}

static int
journal_read_line(struct fleet_record *rec, char *line)
{
	char *rest = line;
	const char *key = strsep(&rest, " ");

	if (rest == NULL)
		return SKY_ERR_FORMAT;
	if (strcmp(key, "at") == 0)
		return journal_keep_one(&rec->at, journal_word(&rest));
	if (strcmp(key, "folder") == 0)
		return journal_keep_one(&rec->folder, journal_word(&rest));
	if (strcmp(key, "sum") == 0)
		return journal_keep_one(&rec->sum, journal_word(&rest));
	if (strcmp(key, "over") == 0)
		return journal_keep_one(&rec->over, journal_word(&rest));
	if (strcmp(key, "word") == 0 && (rest = journal_word(&rest)) != NULL)
		return journal_keep(&rec->word, &rec->nword, rest);
	if (strcmp(key, "command") == 0 && (rest = journal_word(&rest)) != NULL)
		return journal_keep(&rec->command, &rec->ncommand, rest);
	if (strcmp(key, "host") == 0)
		return journal_read_host(rec, rest);
	if (strcmp(key, "batch") == 0)
		return journal_read_batch(rec, journal_word(&rest));
	if (strcmp(key, "planned") == 0)
		return journal_read_planned(rec, journal_word(&rest));
	return journal_read_step(rec, key, rest);
}

/* To the last line that is whole; what follows it was never finished. */
static int
journal_read(struct fleet_journal *j, struct fleet_record *rec)
{
	FILE *f = fopen(j->path, "re");
	char *line = NULL;
	size_t size = 0, n = 0;
	ssize_t len;
	int r = 0;

	if (f == NULL)
		return journal_failed(j, "it cannot be read");
	for (j->len = 0; r == 0 && (len = getline(&line, &size, f)) != -1;) {
		if (line[len - 1] != '\n')
			break;
		line[len - 1] = '\0';
		r = strlen(line) != (size_t)len - 1 ?
		    SKY_ERR_FORMAT :
		    n == 0 ?
		    (strcmp(line, FIRST_LINE) == 0 ? 0 : SKY_ERR_FORMAT) :
		    journal_read_line(rec, line);
		n++;
		if (r == 0)
			j->len += len;
	}
	free(line);
	fclose(f);
	if (r != 0)
		complain("%s line %zu: %s", j->path, n,
		    r == SKY_ERR_FORMAT ? "this is no journal of ours" :
					  err_text(r));
	return r == 0 ? 0 : EXIT_FAILED;
}

void
fleet_record_free(struct fleet_record *rec)
{
	for (size_t i = 0; i < rec->nword; i++)
		free(rec->word[i]);
	for (size_t i = 0; i < rec->ncommand; i++)
		free(rec->command[i]);
	free(rec->word);
	free(rec->command);
	free(rec->at);
	free(rec->folder);
	free(rec->sum);
	free(rec->over);
	free(rec->plan.end);
	fleet_hosts_free(&rec->hosts);
	*rec = (struct fleet_record){ .at = NULL };
}

/* Locked if it is taken over, and read. */
static int
journal_open(struct fleet_journal *j, const char *id, struct fleet_record *rec,
    int lock, bool *busy)
{
	struct stat st;

	journal_init(j);
	*rec = (struct fleet_record){ .at = NULL };
	if (!journal_is_id(id)) {
		complain("'%s' is no run; 'skypty fleet list' lists them", id);
		return EXIT_USAGE;
	}
	strlcpy(j->id, id, sizeof(j->id));
	if ((j->path = journal_path(id)) == NULL)
		return EXIT_FAILED;
	j->fd = open(j->path,
	    (lock == F_OFD_GETLK ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW);
	if (j->fd == -1 && errno == ENOENT) {
		complain("there is no run %s; 'skypty fleet list' lists them",
		    id);
		return EXIT_USAGE;
	}
	if (j->fd == -1)
		return journal_failed(j, "it cannot be opened");
	if (fstat(j->fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
		complain("%s: must be a file of yours that nobody else may "
			 "write to",
		    j->path);
		return EXIT_FAILED;
	}
	if (journal_lock(j->fd, lock, busy) == -1)
		return journal_failed(j, "it cannot be locked");
	return journal_read(j, rec);
}

int
fleet_journal_look(struct fleet_journal *j, const char *id,
    struct fleet_record *rec, bool *busy)
{
	return journal_open(j, id, rec, F_OFD_GETLK, busy);
}

/* What is left of a line that was never finished goes. */
static int
journal_take_over(struct fleet_journal *j, bool busy)
{
	if (busy) {
		complain("the run %s is going on", j->id);
		return EXIT_USAGE;
	}
	if (ftruncate(j->fd, j->len) == -1)
		return journal_failed(j, "it cannot be written");
	return 0;
}

static bool
journal_is_over(const struct fleet_record *rec)
{
	return !rec->planned ||
	    (rec->over != NULL && strcmp(rec->over, "done") == 0);
}

int
fleet_journal_open(struct fleet_journal *j, const char *id,
    struct fleet_record *rec)
{
	char **ids, going[sizeof(j->id)] = "";
	size_t n;
	bool busy;
	int r;

	if (id != NULL) {
		r = journal_open(j, id, rec, F_OFD_SETLK, &busy);
		return r == 0 ? journal_take_over(j, busy) : r;
	}
	ids = fleet_journal_ids(&n);
	r = EXIT_USAGE;
	while (n > 0) {
		r = journal_open(j, ids[--n], rec, F_OFD_SETLK, &busy);
		if (r != 0 || (!journal_is_over(rec) && !busy))
			break;
		if (busy && *going == '\0')
			strlcpy(going, j->id, sizeof(going));
		fleet_record_free(rec);
		fleet_journal_close(j);
		r = EXIT_USAGE;
	}
	if (r == EXIT_USAGE && n == 0 && j->path == NULL) {
		if (*going != '\0')
			complain("the run %s is going on, and there is no "
				 "other to go on with",
			    going);
		else
			complain("there is no run to go on with; one that is "
				 "done is named: --resume=ID, see 'skypty "
				 "fleet list'");
	}
	journal_free_ids(ids);
	return r == 0 ? journal_take_over(j, false) : r;
}
