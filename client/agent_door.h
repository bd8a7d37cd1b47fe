/* SPDX-License-Identifier: ISC */
/*
 * The process before an agent: accepts who calls, looks who that is, asks the
 * user; it never has a key.  The keys are with skypty-agent, its child.
 */
#ifndef CLIENT_AGENT_DOOR_H
#define CLIENT_AGENT_DOOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/runtime.h"

#define AGENT_DOOR_WHY 256

struct agent_door {
	char path[RUNTIME_MAX];	  /* of the socket */
	char folder[RUNTIME_MAX]; /* made for it alone, or empty */
	int listener;
	int parent;    /* pidfd of whom it ends with, or -1 */
	uint32_t life; /* of keys, in seconds; 0: for ever */
	bool debug;    /* say what happens */
	/* Its own: */
	int agent; /* the socket to skypty-agent */
	int signals;
	pid_t pid;    /* of skypty-agent */
	pid_t asking; /* leader of those who show the question, or 0 */
};

/* Starts skypty-agent and waits until it is confined.  0, or -1 with why. */
int agent_door_open(struct agent_door *, char why[AGENT_DOOR_WHY]);
/* Takes the socket's name away, with the folder that was made for it. */
void agent_door_tidy(const struct agent_door *);
__attribute__((noreturn)) void agent_door_run(struct agent_door *);

#endif
