/* SPDX-License-Identifier: ISC */
/* What dmsg says of itself: JSON, for the control socket. */
#include "daemon/dmsg/dmsg_life.h"
#include "daemon/dmsg/dmsg_mon.h"
#include "daemon/dmsg/dmsg_status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/hex.h"
#include "common/base/json.h"

static int
status_put(struct buf *b, const char *text)
{
	return buf_put(b, text, strlen(text));
}

static int
status_put_session(struct buf *b, const struct server_session *s, bool first)
{
	char text[256], pk[KEY_PUBLIC_HEX];
	int64_t proven = s->probe.proven_ms;
	int r;

	hex_encode(s->server->pk.b, KEY_PUBLIC_LEN, pk);
	if ((r = status_put(b, first ? "{\"address\":" : ",{\"address\":")) !=
		0 ||
	    (r = json_put_string(b, s->address, strlen(s->address))) != 0)
		return r;
	snprintf(text, sizeof(text),
	    ",\"pk\":\"%s\",\"up\":%s,\"proven_age_s\":%" PRId64
	    ",\"rtt_ms\":%" PRId64 ",\"streams\":%zu}",
	    pk, s->state == SESSION_UP ? "true" : "false",
	    proven == 0 ? -1 : (now_ms() - proven) / 1000, s->rtt_ms,
	    s->dmsg != NULL ? dmsg_session_streams(s->dmsg) : 0);
	return status_put(b, text);
}

static int
put_sessions(struct buf *b, const struct dmsg *d)
{
	bool first = true;
	int r = status_put(b, "\"sessions\":[");

	for (size_t i = 0; r == 0 && i < DMSG_SESSIONS_MAX; i++) {
		if (d->sessions[i].state == SESSION_FREE)
			continue;
		r = status_put_session(b, &d->sessions[i], first);
		first = false;
	}
	return r == 0 ? status_put(b, "]") : r;
}

void
status_tell(struct dmsg *d)
{
	int64_t age =
	    d->published_ms == 0 ? -1 : (now_ms() - d->published_ms) / 1000;
	char text[160];
	struct buf b;

	snprintf(text, sizeof(text),
	    "{\"port\":%u,\"servers\":%zu,\"streams\":%zu,"
	    "\"entry_age_s\":%" PRId64 ",\"last_error\":",
	    d->port, d->nservers, d->npipes, age);
	buf_init(&b, PRIV_STATUS_MAX);
	if (status_put(&b, text) == 0 &&
	    json_put_string(&b, d->last_error, strlen(d->last_error)) == 0 &&
	    status_put(&b, ",") == 0 && put_sessions(&b, d) == 0 &&
	    status_put(&b, "}") == 0)
		dmsg_mon_status(d, &b);
	buf_free(&b);
}
