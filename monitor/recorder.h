/* SPDX-License-Identifier: ISC */
/* The recorder of a session's terminal: its file, its start, its end. */
#ifndef MONITOR_RECORDER_H
#define MONITOR_RECORDER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct command;
struct monitor;
struct winsize;

struct recorder {
	pid_t pid; /* 0: there is none */
	int dir;   /* the folder, and the file in it; 0: none */
	int file;
	bool told; /* that the session has ended */
	char name[NAME_MAX + 1];
};

/* Whether this session's terminal is to be recorded. */
bool recorder_wanted(const struct monitor *);
/* What is recorded: a session's terminal, as it begins. */
struct recorded {
	int user, term; /* a slave, and the master that it goes to and from */
	const struct command *command;
	const struct winsize *size;
	bool login;
};

/*
 * Makes the file and starts a recorder between both descriptors, which stay
 * open here.  0, or -1 with a sentence for the peer in why; the log has more
 * then.
 */
int recorder_start(struct monitor *, struct recorder *, const struct recorded *,
    char *why, size_t len);
/* Nothing was begun that there is to record: takes the file away again. */
void recorder_drop(struct recorder *);
/* The session has ended: what is left on its terminal is passed on. */
void recorder_leave(struct recorder *);
/* A zombie may be there.  Whether it ended before its session was to. */
bool recorder_reap(const struct monitor *, struct recorder *);

#endif
