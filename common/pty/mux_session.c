/* SPDX-License-Identifier: ISC */
/*
 * What a session's request wishes for besides: keep&login&line&name=N&
 * modes=HEX.
 */
#include "common/pty/mux.h"

#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/pty/mux_text.h"

bool
mux_is_session_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= MUX_SESSION_NAME_MAX && *name != '-' &&
	    *name != '.' &&
	    strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789._-") == n;
}

int
mux_session_query(struct buf *query, struct mux_session *s)
{
	char value[MUX_TEXT_MAX];

	memset(s, 0, sizeof(*s));
	s->keep = mux_setting(*query, "keep", value) == 0;
	s->login = mux_setting(*query, "login", value) == 0;
	s->line = mux_setting(*query, "line", value) == 0;
	s->shell = mux_setting(*query, "shell", value) == 0;
	if (mux_setting(*query, "name", value) == 0) {
		if (!mux_is_session_name(value))
			return SKY_ERR_FORMAT;
		memcpy(s->name, value, strlen(value) + 1);
	}
	s->keys = mux_setting(*query, "keys", value) == 0;
	s->has_modes = mux_setting(*query, "modes", value) == 0;
	if (!s->has_modes)
		return 0;
	return hex_decode(value, s->modes, sizeof(s->modes));
}

int
mux_session_uri(char uri[MUX_URI_MAX + 1], const char *service,
    const struct mux_session *s)
{
	char modes[2 * MODES_LEN + 1] = "";
	bool any = s->keep || s->login || s->line || s->shell || s->keys ||
	    s->has_modes || *s->name != '\0';
	int n;

	if (s->has_modes)
		hex_encode(s->modes, sizeof(s->modes), modes);
	n = snprintf(uri, MUX_URI_MAX + 1, "%s%s%s%s%s%s%s%s%s%s%s%s", service,
	    any ? "?" : "", s->keep ? "keep&" : "", s->login ? "login&" : "",
	    s->line ? "line&" : "", s->shell ? "shell&" : "",
	    s->keys ? "keys&" : "", *s->name != '\0' ? "name=" : "", s->name,
	    *s->name != '\0' ? "&" : "", s->has_modes ? "modes=" : "", modes);
	if (n > MUX_URI_MAX)
		return SKY_ERR_LIMIT;
	if (n > 0 && uri[n - 1] == '&')
		uri[n - 1] = '\0';
	return 0;
}
