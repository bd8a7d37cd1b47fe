/* SPDX-License-Identifier: ISC */
/* Splits what a user writes for a file on a host. */
#include "client/remote.h"

#include <stdlib.h>
#include <string.h>

/* Behind "tcp://" and the like, where a word has it. */
static const char *
remote_behind_scheme(const char *word)
{
	size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz");

	return n != 0 && strncmp(word + n, "://", 3) == 0 ? word + n + 3 : word;
}

/* The colon at the end of a host's name or bracketed address; NULL: none. */
static const char *
remote_end_of_host(const char *host)
{
	const char *end = host;

	if (*host == '[') {
		if ((end = strchr(host, ']')) == NULL)
			return NULL;
		end++;
	} else
		end += strcspn(host, ":/");
	return *end == ':' ? end : NULL;
}

/* The colon behind a port, if there is one here, else the one before it. */
static const char *
remote_behind_port(const char *colon)
{
	size_t digits = strspn(colon + 1, "0123456789");

	return digits != 0 && colon[1 + digits] == ':' ? colon + 1 + digits :
							 colon;
}

bool
remote_split(const char *word, char **dest, char **path)
{
	const char *body = remote_behind_scheme(word), *at = strchr(body, '@'),
		   *colon;
	bool address = at != NULL && (size_t)(at - body) < strcspn(body, ":/");

	colon = remote_end_of_host(address ? at + 1 : body);
	if (colon == NULL || colon == body || (address && colon == at + 1))
		return false;
	if (address)
		colon = remote_behind_port(colon);
	*dest = strndup(word, (size_t)(colon - word));
	*path = strdup(colon + 1);
	if (*dest != NULL && *path != NULL)
		return true;
	free(*dest);
	free(*path);
	*dest = *path = NULL;
	return false;
}
