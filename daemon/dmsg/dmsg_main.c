/* SPDX-License-Identifier: ISC */
/* skyptyd-dmsg: everything that its filter forbids later, then the loop. */
#include <signal.h>
#include <sodium.h>
#include <unistd.h>

#include "common/base/process.h"
#include "common/pty/aead.h"
#include "daemon/dmsg/dmsg_life.h"
#include "daemon/dmsg/dmsg_mon.h"

static struct dmsg *
dmsg_set_up(void)
{
	uint8_t seed[32];

	process_ignore_signals();
	closefrom(PRIV_FD_COUNT);
	close(PRIV_FD_CONN);
	if (sodium_init() == -1)
		return NULL;
	aead_bulk_prepare();
	randombytes_buf(seed, sizeof(seed));
	return dmsg_new(PRIV_FD_PEER, seed);
}

int
main(void)
{
	struct dmsg *d;

	process_standard_fds();
	if ((d = dmsg_set_up()) == NULL)
		_exit(1);
	dmsg_mon_welcome(d);
	event_base_dispatch(d->base);
	_exit(1);
}
