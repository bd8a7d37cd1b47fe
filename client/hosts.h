/* SPDX-License-Identifier: ISC */
/* ~/.config/skypty/config: names of hosts. */
#ifndef CLIENT_HOSTS_H
#define CLIENT_HOSTS_H

#include <stdbool.h>

struct ssh_opts;

/* What the file says of one alias; all malloc'ed, NULL where it is silent. */
struct host {
	char *key, *address, *port, *identity, *user, *via, *visor_key,
	    *identities_only, *timeout, *escape, *obscure, *discovery,
	    *dmsg_servers, *require_pq, *control_master, *control_path,
	    *control_persist;
	/* Of forwarding; each of forwards is a line, "L8080:host:80". */
	char *jump, *forwards, *gateway_ports, *exit_on_failure,
	    *clear_forwards, *unlink_sockets;
	char *tags;  /* of all that apply, with blanks between them */
	char *proxy; /* ProxyCommand; not where it is among ssh's options */
};

/*
 * Looks an alias up in file (NULL: the user's own); found: whether it leads to
 * a host.  0, or EXIT_USAGE or EXIT_FAILED, told, with nothing to be freed.
 */
int hosts_find(struct host *, const char *file, const char *alias, bool *found);
/* The same with keywords of ssh's: to skypty-ssh's options, or NULL. */
int hosts_find_ssh(struct host *, const char *file, const char *alias,
    struct ssh_opts *, bool *found);
void hosts_free(struct host *);
/*
 * Tells of each name without wildcards.  0, or EXIT_USAGE or EXIT_FAILED, told.
 */
int hosts_each(const char *file, void (*)(void *, const char *), void *arg);
/* Prints the names without wildcards, for completion. */
int hosts_list(const char *file);

#endif
