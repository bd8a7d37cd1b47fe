/* SPDX-License-Identifier: ISC */
/* skyptyd-net: everything that its filter forbids later, then the loop. */
#include <signal.h>
#include <sodium.h>
#include <unistd.h>

#include "common/base/process.h"
#include "common/pty/aead.h"
#include "daemon/net/net.h"

static struct net *
set_up(void)
{
	process_ignore_signals();
	closefrom(PRIV_FD_COUNT);
	if (sodium_init() == -1)
		return NULL;
	aead_bulk_prepare();
	return net_new(PRIV_FD_CONN, PRIV_FD_PEER);
}

int
main(void)
{
	struct net *n;

	process_standard_fds();
	if ((n = set_up()) == NULL)
		_exit(1);
	mon_welcome(n);
	link_read_on(n, !net_busy(n));
	event_base_dispatch(n->base);
	_exit(1);
}
