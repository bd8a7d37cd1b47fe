/* SPDX-License-Identifier: ISC */
/* What is asked of a session besides its command, in the service's URI. */
#include "client/wishes.h"
#include "client/options.h"
#include "client/term.h"

#include <string.h>

#include "common/pty/mux.h"

int
wishes_uri(char uri[MUX_URI_MAX + 1], const char *service,
    const struct client_options *o, bool terminal)
{
	struct mux_session w = { .keep = o->keep,
		.login = o->login,
		.line = o->line,
		.shell = o->shell,
		.keys = terminal && o->dest.kind != DEST_LOCAL };

	if (o->session_name != NULL)
		(void)strlcpy(w.name, o->session_name, sizeof(w.name));
	w.has_modes = terminal && term_modes(w.modes);
	return mux_session_uri(uri, service, &w);
}
