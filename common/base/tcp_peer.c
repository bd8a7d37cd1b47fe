/* SPDX-License-Identifier: ISC */
/* Whether the other end of a connection over TCP is still there. */
#include "common/base/tcp.h"

/* libc's own header knows less of struct tcp_info. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define MY_TCP_RTO_MAX_MS 44 /* since Linux 6.15 */

#define ANSWERS_MISSED 4 /* questions without one until a peer is dead */
#define RTO_MAX_MS     120000
#define RTT_MAX_US     400000 /* longer ones do not widen a window */
#define BYTES_PER_US   10

/*
 * Not TCP_USER_TIMEOUT: it also counts the time that a peer's window is closed,
 * although the peer answers each probe and only reads nothing.
 */
void
tcp_keep_alive(int fd, int seconds)
{
	int count = ANSWERS_MISSED, rto = RTO_MAX_MS;

	if (seconds < RTO_MAX_MS / 1000)
		rto = seconds * 1000;
	tcp_set_options(fd);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds,
	    sizeof(seconds));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds,
	    sizeof(seconds));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	/* What is asked again is asked as often. */
	(void)setsockopt(fd, IPPROTO_TCP, MY_TCP_RTO_MAX_MS, &rto, sizeof(rto));
}

void
tcp_bound_unsent(int fd, int bytes)
{
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes,
	    sizeof(bytes));
}

/* The kernel doubles it, for its own needs. */
void
tcp_bound_window(int fd, int bytes)
{
	struct tcp_info i = { .tcpi_state = 0 };
	socklen_t len = sizeof(i);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len) == -1)
		return;
	if (i.tcpi_rtt > RTT_MAX_US)
		i.tcpi_rtt = RTT_MAX_US;
	bytes += (int)(i.tcpi_rtt * BYTES_PER_US);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

int
tcp_keep_alive_seconds(int fd)
{
	int on = 0, seconds = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &len) == -1 || !on ||
	    getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, &len) == -1)
		return 0;
	return seconds;
}

/*
 * The kernel's own keep-alive rests while anything waits to be sent.  Segments
 * under way are sent again and again, a closed window is probed: both are
 * questions, and both counters go back to 0 with any answer.
 */
enum tcp_peer
tcp_ask_peer(int fd, int seconds)
{
	struct tcp_info i = { .tcpi_state = 0 };
	socklen_t len = sizeof(i);
	bool asked;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len) == -1)
		return TCP_PEER_IDLE;
	asked = i.tcpi_probes >= ANSWERS_MISSED ||
	    (i.tcpi_unacked != 0 && i.tcpi_retransmits > 1);
	if (asked &&
	    i.tcpi_last_ack_recv / 1000 >=
		(unsigned)seconds * (ANSWERS_MISSED + 1))
		return TCP_PEER_DEAD;
	return i.tcpi_unacked != 0 || i.tcpi_notsent_bytes != 0 ?
	    TCP_PEER_OWES :
	    TCP_PEER_IDLE;
}
