/* SPDX-License-Identifier: ISC */
/* skyptyd-dmsg: everything that its filter forbids later, then the loop. */
#include <signal.h>
#include <sodium.h>
#include <unistd.h>

#include "common/base/process.h"
#include "common/pty/aead.h"
#include "daemon/dmsg/dmsg_life.h"
#include "daemon/dmsg/dmsg_mon.h"

int
main(void)
{
	uint8_t seed[32];
	struct dmsg *d;

	process_standard_fds();
	process_ignore_signals();
	closefrom(PRIV_FD_COUNT);
	close(PRIV_FD_CONN);
	if (sodium_init() == -1)
		_exit(1);
	aead_bulk_prepare();
	randombytes_buf(seed, sizeof(seed));
	if ((d = dmsg_new(PRIV_FD_PEER, seed)) == NULL)
		_exit(1);
	dmsg_mon_welcome(d);
	event_base_dispatch(d->base);
	_exit(1);
}
