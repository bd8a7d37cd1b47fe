/* SPDX-License-Identifier: ISC */
/* Counters as text for Prometheus: their names are for ever. */
#include "common/privsep/metrics.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/addr.h"
#include "common/base/err.h"

/* Those of one name follow one another, the first with type and help. */
static const struct {
	const char *name, *labels, *type, *help;
	bool thousandths; /* it is counted in them */
} metrics[PRIV_COUNTS] = {
	[PRIV_COUNT_TCP] = { "skypty_connections_total", "{carrier=\"tcp\"}",
	    "counter", "Connections that were served.", false },
	[PRIV_COUNT_DMSG] = { "skypty_connections_total", "{carrier=\"dmsg\"}",
	    NULL, NULL, false },
	[PRIV_COUNT_CONTROL] = { "skypty_connections_total",
	    "{carrier=\"control\"}", NULL, NULL, false },
	[PRIV_COUNT_AUTH_TCP] = { "skypty_authenticated_total",
	    "{carrier=\"tcp\"}", "counter", "Connections whose key was let in.",
	    false },
	[PRIV_COUNT_AUTH_DMSG] = { "skypty_authenticated_total",
	    "{carrier=\"dmsg\"}", NULL, NULL, false },
	[PRIV_COUNT_NOAUTH] = { "skypty_unauthenticated_total",
	    "{reason=\"noauth\"}", "counter",
	    "Connections that ended before a key was let in.", false },
	[PRIV_COUNT_HANDSHAKE] = { "skypty_unauthenticated_total",
	    "{reason=\"handshake\"}", NULL, NULL, false },
	[PRIV_COUNT_AUTHFAIL] = { "skypty_unauthenticated_total",
	    "{reason=\"authfail\"}", NULL, NULL, false },
	[PRIV_COUNT_GRACE] = { "skypty_unauthenticated_total",
	    "{reason=\"grace-exceeded\"}", NULL, NULL, false },
	[PRIV_COUNT_CRASH] = { "skypty_unauthenticated_total",
	    "{reason=\"crash\"}", NULL, NULL, false },
	[PRIV_COUNT_TURNED_AWAY] = { "skypty_turned_away_total", "", "counter",
	    "Connections that limits or penalties kept out.", false },
	[PRIV_COUNT_DROPPED] = { "skypty_dropped_total", "", "counter",
	    "Connections that had to make room before they authenticated.",
	    false },
	[PRIV_COUNT_PENALTIES] = { "skypty_penalties_total", "", "counter",
	    "Times that an address block, key or relay came to be refused.",
	    false },
	[PRIV_COUNT_KILLED] = { "skypty_killed_total", "", "counter",
	    "Connections that skyptyd kill has ended.", false },
	[PRIV_COUNT_TERMINALS] = { "skypty_sessions_total",
	    "{kind=\"terminal\"}", "counter", "Sessions that were started.",
	    false },
	[PRIV_COUNT_COMMANDS] = { "skypty_sessions_total", "{kind=\"command\"}",
	    NULL, NULL, false },
	[PRIV_COUNT_FILES] = { "skypty_sessions_total", "{kind=\"files\"}",
	    NULL, NULL, false },
	[PRIV_COUNT_BYTES_IN] = { "skypty_received_bytes_total", "", "counter",
	    "Bytes of authenticated connections, as their processes say.",
	    false },
	[PRIV_COUNT_BYTES_OUT] = { "skypty_sent_bytes_total", "", "counter",
	    "Bytes of authenticated connections, as their processes say.",
	    false },
	[PRIV_COUNT_HANDSHAKE_MS] = { "skypty_handshake_seconds_sum", "",
	    "counter", "Time from a connection's first word to its login.",
	    true },
	[PRIV_COUNT_HANDSHAKES] = { "skypty_handshake_seconds_count", "",
	    "counter", "Logins whose time has been counted.", false },
	[PRIV_COUNT_NOW] = { "skypty_connections", "{state=\"authenticated\"}",
	    "gauge", "Connections that there are.", false },
	[PRIV_COUNT_NOW_UNKNOWN] = { "skypty_connections",
	    "{state=\"unauthenticated\"}", NULL, NULL, false },
	[PRIV_COUNT_NOW_CONTROL] = { "skypty_connections",
	    "{state=\"control\"}", NULL, NULL, false },
	[PRIV_COUNT_START] = { "skypty_start_time_seconds", "", "gauge",
	    "When skyptyd was started, since 1970.", false },
};

static int
metrics_put_one(struct buf *b, size_t i, uint64_t n)
{
	char text[512];
	size_t len = 0;

	if (metrics[i].help != NULL)
		len += (size_t)snprintf(text, sizeof(text),
		    "# HELP %s %s\n# TYPE %s %s\n", metrics[i].name,
		    metrics[i].help, metrics[i].name, metrics[i].type);
	if (metrics[i].thousandths)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%s %" PRIu64 ".%03u\n", metrics[i].name,
		    metrics[i].labels, n / 1000, (unsigned)(n % 1000));
	else
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%s %" PRIu64 "\n", metrics[i].name, metrics[i].labels,
		    n);
	return buf_put(b, text, len);
}

int
metrics_put(struct buf *b, const uint64_t n[PRIV_COUNTS])
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < PRIV_COUNTS; i++)
		r = metrics_put_one(b, i, n[i]);
	return r;
}

int
metrics_address(const char *text, struct sockaddr_storage *addr)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)addr;
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	in_port_t number;

	memset(addr, 0, sizeof(*addr));
	if (addr_split(text, NULL, host, port) != 0 ||
	    strspn(port, "0123456789") != strlen(port))
		return SKY_ERR_FORMAT;
	if ((number = htons((in_port_t)strtoul(port, NULL, 10))) == 0)
		return SKY_ERR_FORMAT;
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = number;
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127 ?
		    (int)sizeof(*v4) :
		    SKY_ERR_DENIED;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
		return SKY_ERR_FORMAT;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = number;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ? (int)sizeof(*v6) :
						      SKY_ERR_DENIED;
}
