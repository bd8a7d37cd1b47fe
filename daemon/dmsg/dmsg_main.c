/* SPDX-License-Identifier: ISC */
/* skyptyd-dmsg: everything that its filter forbids later, then the loop. */
#include <signal.h>
#include <sodium.h>
#include <unistd.h>

#include "common/base/process.h"
#include "common/pty/aead.h"
#include "daemon/dmsg/dmsg.h"

static struct ov *
dmsg_set_up(void)
{
	uint8_t seed[32];

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	closefrom(PRIV_FD_COUNT);
	close(PRIV_FD_CONN);
	if (sodium_init() == -1)
		return NULL;
	aead_bulk_prepare();
	randombytes_buf(seed, sizeof(seed));
	return ov_new(PRIV_FD_PEER, seed);
}

int
main(void)
{
	struct ov *o;

	process_standard_fds();
	if ((o = dmsg_set_up()) == NULL)
		_exit(1);
	ov_mon_welcome(o);
	event_base_dispatch(o->base);
	_exit(1);
}
