/* SPDX-License-Identifier: ISC */
/* The modes of a terminal as bytes.  Facts: RFC 4254, section 8. */
#include "common/pty/modes.h"

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>
#include <unistd.h>

#define CHARACTERS 18
#define ABSENT	   (-1)
#define NO_CHAR	   255 /* on the wire */

/* Opcodes 1 to 18; Linux lacks VDSUSP, VFLUSH and VSTATUS. */
static const int chars[CHARACTERS] = { VINTR, VQUIT, VERASE, VKILL, VEOF, VEOL,
	VEOL2, VSTART, VSTOP, VSUSP, ABSENT, VREPRINT, VWERASE, VLNEXT, ABSENT,
	VSWTC, ABSENT, VDISCARD };

/* From 30, from 50 and from 70 on. */
static const tcflag_t input[] = { IGNPAR, PARMRK, INPCK, ISTRIP, INLCR, IGNCR,
	ICRNL, IUCLC, IXON, IXANY, IXOFF, IMAXBEL, IUTF8 };
static const tcflag_t local[] = { ISIG, ICANON, XCASE, ECHO, ECHOE, ECHOK,
	ECHONL, NOFLSH, TOSTOP, IEXTEN, ECHOCTL, ECHOKE, PENDIN };
static const tcflag_t output[] = { OPOST, OLCUC, ONLCR, OCRNL, ONOCR, ONLRET };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static unsigned
modes_pack(tcflag_t flags, const tcflag_t *table, size_t n)
{
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++)
		if (flags & table[i])
			bits |= 1U << i;
	return bits;
}

static void
modes_unpack(tcflag_t *flags, unsigned bits, const tcflag_t *table, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bits & 1U << i)
			*flags |= table[i];
		else
			*flags &= ~table[i];
}

void
modes_get(const struct termios *t, uint8_t modes[MODES_LEN])
{
	unsigned in = modes_pack(t->c_iflag, input, COUNT(input));
	unsigned lo = modes_pack(t->c_lflag, local, COUNT(local));

	for (size_t i = 0; i < CHARACTERS; i++) {
		cc_t c =
		    chars[i] == ABSENT ? _POSIX_VDISABLE : t->c_cc[chars[i]];

		modes[i] = c == _POSIX_VDISABLE ? NO_CHAR : c;
	}
	modes[CHARACTERS] = (uint8_t)(in >> 8);
	modes[CHARACTERS + 1] = (uint8_t)in;
	modes[CHARACTERS + 2] = (uint8_t)(lo >> 8);
	modes[CHARACTERS + 3] = (uint8_t)lo;
	modes[CHARACTERS + 4] =
	    (uint8_t)modes_pack(t->c_oflag, output, COUNT(output));
}

void
modes_set(struct termios *t, const uint8_t modes[MODES_LEN])
{
	const uint8_t *flags = modes + CHARACTERS;

	for (size_t i = 0; i < CHARACTERS; i++)
		if (chars[i] != ABSENT)
			t->c_cc[chars[i]] =
			    modes[i] == NO_CHAR ? _POSIX_VDISABLE : modes[i];
	modes_unpack(&t->c_iflag, (unsigned)flags[0] << 8 | flags[1], input,
	    COUNT(input));
	modes_unpack(&t->c_lflag, (unsigned)flags[2] << 8 | flags[3], local,
	    COUNT(local));
	modes_unpack(&t->c_oflag, flags[4], output, COUNT(output));
}
