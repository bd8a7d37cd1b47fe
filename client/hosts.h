/* SPDX-License-Identifier: ISC */
/* ~/.config/skypty/config: names of hosts. */
#ifndef CLIENT_HOSTS_H
#define CLIENT_HOSTS_H

struct ssh_opts;

/* What the file says of one alias; all malloc'ed, NULL where it is silent. */
struct host {
	char *key, *address, *port, *identity, *via, *visor_key, *timeout,
	    *escape, *discovery, *dmsg_servers;
	char *proxy; /* ProxyCommand; not where it is among ssh's options */
};

/*
 * Looks an alias up in file (NULL: the user's own).  1 if it leads to a host,
 * 0 if not, EXIT_USAGE for a mistake in the file, told.
 */
int hosts_find(struct host *, const char *file, const char *alias);
/* The same with keywords of ssh's: to skypty-ssh's options, or NULL. */
int hosts_find_ssh(struct host *, const char *file, const char *alias,
    struct ssh_opts *);
void hosts_free(struct host *);
/* Prints the names without wildcards, for completion. */
int hosts_list(const char *file);

#endif
