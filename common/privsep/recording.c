/* SPDX-License-Identifier: ISC */
/* What a monitor and its skypty-record have to agree about. */
#include "common/privsep/recording.h"

#include <stdint.h>
#include <sys/vfs.h>

#define ROOM_PARTS 20
#define ROOM_BYTES (UINT64_C(1024) * 1024 * 1024)

bool
recording_has_room(int fd)
{
	struct statfs st;
	uint64_t left;

	if (fstatfs(fd, &st) == -1 || st.f_blocks == 0 || st.f_bsize <= 0)
		return true; /* writing tells */
	left = (uint64_t)st.f_bavail;
	return left >= (uint64_t)st.f_blocks / ROOM_PARTS ||
	    left >= ROOM_BYTES / (uint64_t)st.f_bsize;
}
