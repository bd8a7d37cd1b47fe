/* SPDX-License-Identifier: ISC */
/*
 * A terminal's modes as they travel: 18 characters, in the order of RFC 4254's
 * opcodes from 1 on, 255 for none; then its flags of input u16, local u16 and
 * output u8, the lowest opcode of each group in the lowest bit.  See PROTOCOL.
 */
#ifndef COMMON_PTY_MODES_H
#define COMMON_PTY_MODES_H

#include <stdint.h>

#define MODES_LEN 23

struct termios;
/* PROTOCOL 1.1: what is not set there is 255. */
void modes_get(const struct termios *, uint8_t modes[MODES_LEN]);
/* What is not among them stays as it is. */
void modes_set(struct termios *, const uint8_t modes[MODES_LEN]);

#endif
