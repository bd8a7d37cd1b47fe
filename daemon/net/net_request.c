/* SPDX-License-Identifier: ISC */
/* Which services there are, and the request for one. */
#include "daemon/net/net_request.h"

#include <stdio.h>

#include "common/base/err.h"
#include "common/pty/mux.h"
#include "common/pty/mux_forward.h"
#include "daemon/net/net_service.h"

/* clang-format off */
const struct service net_services[] = {
	/* URI                   grant                   remote control channel does */
	{ MUX_URI_PTY,           0,                      true,  true,  true,  &net_pty_ops },
	{ MUX_URI_EXEC_STREAM,   PRIV_GRANT_EXEC,        true,  false, true,  &net_http_ops },
	{ MUX_URI_EXEC_STREAM2,  PRIV_GRANT_EXEC,        true,  false, true,  &net_http_ops },
	{ MUX_URI_EXEC,          0,                      true,  true,  true,  &net_exec_ops },
	{ MUX_URI_SFTP,          PRIV_GRANT_SFTP,        true,  false, true,  &net_sftp_ops },
	{ MUX_URI_FILES,         PRIV_GRANT_SFTP,        true,  true,  true,  &net_sftp_ops },
	{ MUX_URI_JOB,           PRIV_GRANTS_JOB,        true,  true,  true,  &net_job_ops },
	{ MUX_URI_SESSION,       PRIV_GRANTS_SESSION,    true,  true,  true,  &net_session_ops },
	{ MUX_URI_FORWARD,       PRIV_GRANT_FORWARD,     true,  false, true,  &net_forward_ops },
	{ MUX_URI_LISTEN,        PRIV_GRANT_FORWARD,     false, false, true,  &net_listen_ops },
	{ MUX_URI_CHANNELS,      0,                      true,  false, false, &net_channels_ops },
	{ MUX_URI_WHITELIST,     PRIV_GRANT_WHITELIST,   false, true,  false, &net_wl_ops },
	{ MUX_URI_STATUS,        PRIV_GRANT_WHITELIST,   false, true,  false, &net_status_ops },
	{ MUX_URI_CONNS,         PRIV_GRANT_WHITELIST,   false, true,  false, &net_conns_ops },
	{ MUX_URI_METRICS,       PRIV_GRANT_WHITELIST,   false, true,  false, &net_metrics_ops },
	{ MUX_URI_KILL,          PRIV_GRANT_WHITELIST,   false, true,  false, &net_kill_ops },
	{ MUX_URI_PROXY,         PRIV_GRANT_DIAL,        false, true,  false, &net_proxy_ops },
	{ MUX_URI_DIAL,          PRIV_GRANT_DIAL,        false, true,  false, &net_dial_ops },
	{ NULL,                  0,                      false, false, false, NULL },
};
/* clang-format on */

/* NULL: there is none like that here, or the peer may not have it, and why. */
static const struct service *
net_request_find(const struct channel *ch, struct buf *uri, struct buf *query,
    const char **why)
{
	const struct service *s;
	bool here;

	for (s = net_services; s->uri != NULL; s++)
		if (mux_match(uri, s->uri, query))
			break;
	*why = NULL;
	if (s->uri == NULL)
		return NULL;
	if (ch->number != 0)
		here = s->channel;
	else
		here = ch->peer->control ? s->control : s->remote;
	if (!here)
		return NULL;
	*why = channel_denied(ch, s->grant);
	return *why == NULL ? s : NULL;
}

static void
net_request_begin(struct channel *ch, struct buf *query)
{
	const struct service_ops *ops = ch->service->ops;
	int r;

	r = ops->begin(ch, query);
	if (r == SKY_ERR_NOMEM)
		channel_fatal(ch, "bad request for %s: %s", ch->service->uri,
		    err_text(r));
	if (r != 0)
		channel_fault(ch, "bad request for %s: %s", ch->service->uri,
		    err_text(r));
	else if (ops->request_s != 0)
		channel_timer(ch, ops->request_s);
}

void
net_request_open(struct channel *ch, struct buf *uri)
{
	struct buf query;
	const char *why;
	char asked[128];

	snprintf(asked, sizeof(asked), "%.*s", (int)buf_len(uri),
	    (const char *)buf_ptr(uri));
	ch->service = net_request_find(ch, uri, &query, &why);
	if (ch->service != NULL) {
		channel_log(ch, LOG_LEVEL_DEBUG, "asked for %s", asked);
		net_request_begin(ch, &query);
		return;
	}
	channel_log(ch, LOG_LEVEL_INFO, "asked for %s, which %s", asked,
	    why == NULL ? "is not offered" : "this key may not have");
	channel_reject(ch, why);
}
