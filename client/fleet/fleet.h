/* SPDX-License-Identifier: ISC */
/* A command, or a copy, on many hosts: what its parts share. */
#ifndef CLIENT_FLEET_H
#define CLIENT_FLEET_H

#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "client/options.h"
#include "common/base/buf.h"
#include "common/pty/exec_stream.h"
#include "common/pty/keys.h"

#define FLEET_STOPPED 2 /* exit status: before all hosts had their turn */

enum fleet_outcome {
	OUTCOME_LEFT, /* it had no turn */
	OUTCOME_OK,
	OUTCOME_EXIT, /* another status than 0 */
	OUTCOME_SIGNAL,
	OUTCOME_TIMEOUT,
	OUTCOME_UNREACHED, /* the command did not leave for it */
	OUTCOME_LOST,	   /* it did, and how it has ended is not known */
	OUTCOME_CHECK	   /* it has done well, and --check has not */
};

struct fleet_host {
	char *dest;   /* as it was written */
	char *canon;  /* the same for all ways to write it */
	char *leads;  /* of a name: where, as canon of a destination; or NULL */
	char *label;  /* as it is shown */
	char **tag;   /* NULL-terminated, or NULL */
	char *why;    /* the client's last words on it, or NULL */
	bool began;   /* the command has left for it, in an earlier run, too */
	bool passed;  /* --check has */
	bool settled; /* nothing more is to be done */
	enum fleet_outcome outcome;
	int status; /* exit status, or signal */
	int64_t ms; /* that the command took */
	unsigned attempts;
	int64_t due;	    /* now_ms() of the next one; 0: none */
	int64_t check_ends; /* the same of the last check */
	struct fleet_group *group;
	struct fleet_host *next_waiting, *next_in_group;
};

/* --- which hosts: fleet_hosts.c --- */

struct fleet_hosts {
	struct fleet_host *host;
	size_t n, room;
};

/*
 * Adds what the words name; the tags and exclusions of the flags count.  0,
 * EXIT_USAGE or EXIT_FAILED, told.
 */
int fleet_hosts_find(struct fleet_hosts *, struct keyctx *,
    const struct client_options *, char **words, size_t n);
/* One more, as it was written.  0, or EXIT_FAILED. */
int fleet_hosts_add(struct fleet_hosts *, const char *dest, const char *canon);
void fleet_hosts_free(struct fleet_hosts *);

/* --- in which order: fleet_plan.c --- */

/* Where each batch ends. */
struct fleet_plan {
	size_t *end, nbatch;
};

void fleet_plan_order(struct fleet_hosts *, const struct fleet_flags *);
/* 0, or EXIT_USAGE, told. */
int fleet_plan_batches(struct fleet_plan *, size_t hosts,
    const struct fleet_flags *);
/* How many of the hosts may fail, which is rounded down. */
size_t fleet_plan_share_down(const struct fleet_share *, size_t hosts);

/* --- what was done: fleet_journal.c --- */

struct fleet_journal {
	char id[64];
	char *path;
	int fd;
	off_t len; /* up to the last whole line */
	struct buf pending;
};

/* What a journal tells of a run. */
struct fleet_record {
	char *at, *folder;
	char **word, **command; /* flags and command, NULL-terminated */
	size_t nword, ncommand;
	char *sum; /* of the script, or NULL */
	struct fleet_hosts hosts;
	struct fleet_plan plan;
	bool planned; /* its plan is complete */
	char *over;   /* how it was left at last, or NULL */
};

/* A new one, locked.  0, or EXIT_FAILED, told. */
int fleet_journal_new(struct fleet_journal *);
/*
 * That of an earlier run (NULL: the newest that is not over), locked if it is
 * to be written to, and what it says.  0, EXIT_USAGE or EXIT_FAILED, told.
 */
int fleet_journal_open(struct fleet_journal *, const char *id,
    struct fleet_record *);
/* The same to be read alone; *busy: a run goes on. */
int fleet_journal_look(struct fleet_journal *, const char *id,
    struct fleet_record *, bool *busy);
/* Another line, for fleet_journal_sync(); the word, which may be NULL, is
 * encoded. */
int fleet_journal_add(struct fleet_journal *, const char *word, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
int fleet_journal_add_host(struct fleet_journal *, const struct fleet_host *);
/* Writes what was added: 0 when it is on the disk, or EXIT_FAILED, told. */
int fleet_journal_sync(struct fleet_journal *);
void fleet_journal_close(struct fleet_journal *);
void fleet_record_free(struct fleet_record *);
/* The names of all of them, oldest first, NULL-terminated; NULL: none. */
char **fleet_journal_ids(size_t *n);
const char *fleet_outcome_word(enum fleet_outcome);

/* --- output: fleet_output.c, fleet_group.c --- */

struct fleet;

/* What a host has written, while its command runs. */
struct fleet_output {
	struct buf text[2]; /* of standard output and error: the beginning */
	uint64_t total[2];
	struct buf line[2]; /* with --live: the last one, not complete */
	crypto_hash_sha256_state sum[2];
	int file[2]; /* with --output, or -1 */
};

/* Hosts that said the same and ended alike. */
struct fleet_group {
	uint8_t hash[32];
	struct fleet_host *first;
	size_t n;
	struct buf text[2];
	uint64_t total[2];
	struct fleet_group *next;  /* of all */
	struct fleet_group *chain; /* of the table */
};

/* For a command's, or with host NULL for what nobody looks at.  0 or -1, told.
 */
int fleet_output_begin(struct fleet_output *, struct fleet *,
    const struct fleet_host *);
/* Some more of standard output (0) or error (1). */
void fleet_output_take(struct fleet_output *, struct fleet *,
    const struct fleet_host *, int which, const uint8_t *, size_t);
/* The host has ended: it goes to those that said the same. */
void
fleet_output_end(struct fleet_output *, struct fleet *, struct fleet_host *);
void fleet_output_drop(struct fleet_output *);
/* The groups, on standard output. */
void fleet_output_tell(struct fleet *);
void fleet_output_free(struct fleet *);
/*
 * What a host's file or folder is called, with more behind it: a name that no
 * other host has, in which there is no slash.  malloc'ed, or NULL.
 */
char *fleet_file_name(const struct fleet_host *, const char *more);

/* --- a host's process: fleet_child.c --- */

struct fleet_child {
	struct fleet_host *host;
	pid_t pid;
	int ctl, fd[2];
	struct buf said;   /* on ctl, an incomplete line */
	bool checking;	   /* it runs --check */
	bool ready;	   /* the host has taken us, and waits for our word */
	bool gone, reaped; /* it has it; its process has ended */
	int wait_status;
	bool ended; /* the host has told how the command ended */
	enum xs_how how;
	int64_t status;
	bool late, cut; /* killed: after its time; by our user */
	int64_t begun, deadline;
	struct fleet_output output;
};

/* 0, or -1 with errno. */
int fleet_child_start(struct fleet *, struct fleet_child *);

/* --- the whole --- */

enum fleet_stop { STOP_NO, STOP_SOFT, STOP_HARD };

struct fleet {
	struct client_options *o;
	struct keyctx *ctx;
	struct fleet_hosts hosts;
	struct fleet_plan plan;
	struct fleet_journal journal;
	char **command;
	char **shell; /* words of a script's shell, then its arguments */
	struct fleet_record record; /* of the run that goes on */
	char **words;		    /* its flags, behind argv[0] */
	struct stat script;
	int folder;    /* of --output, or -1 */
	char *none[1]; /* no words */
	pid_t pid;
	/* the run */
	struct fleet_child *child;
	size_t running;
	size_t batch, next; /* the batch we are in, its next host */
	size_t open;	    /* hosts of it that are not settled */
	struct fleet_host *waiting;
	int64_t pause_until;
	enum fleet_stop stop;
	const char *stopped; /* why, or NULL */
	size_t done, failed, max_fail;
	bool has_max_fail;
	int64_t started, drawn_at;
	bool drawn, terminal;
	/* output */
	struct fleet_group *groups, **last_group, **table;
	size_t ngroup, kept;
};

/* Runs the plan.  An exit status. */
int fleet_run(struct fleet *);
/* No more hosts get their turn, because of that (static text). */
void fleet_stop(struct fleet *, const char *why);
/* A line for the user, in which nothing drives the terminal. */
void fleet_say(struct fleet *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
void fleet_clear(struct fleet *);
void fleet_draw(struct fleet *, bool now);
/* "exit status 3" */
void fleet_outcome_text(const struct fleet_host *, char *, size_t);
bool fleet_host_failed(const struct fleet_host *);
void fleet_table(const struct fleet *);
/* A line of JSON a host, on standard output. */
void fleet_report_json(const struct fleet *, int status);
/* The file of --junit.  0, or EXIT_LOCAL, told. */
int fleet_report_junit(const struct fleet *);
int fleet_list(void);
int fleet_show(const char *id);

#endif
