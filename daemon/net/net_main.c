/* SPDX-License-Identifier: ISC */
/* skyptyd-net: everything that its filter forbids later, then the loop. */
#include <signal.h>
#include <sodium.h>
#include <unistd.h>

#include "common/base/process.h"
#include "common/pty/aead.h"
#include "daemon/net/net.h"

int
main(void)
{
	struct net *n;

	process_standard_fds();
	process_ignore_signals();
	closefrom(PRIV_FD_COUNT);
	if (sodium_init() == -1)
		_exit(1);
	aead_bulk_prepare();
	if ((n = net_new(PRIV_FD_CONN, PRIV_FD_PEER)) == NULL)
		_exit(1);
	net_welcome(n);
	while (net_round(n, EVLOOP_ONCE) == 0)
		;
	_exit(1);
}
