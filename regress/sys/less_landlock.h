/* SPDX-License-Identifier: ISC */
/*
 * For programs that stand in: a kernel with less of Landlock than this one, or
 * with nothing of it.  They are linked with --wrap=syscall, so that what
 * common/privsep/sandbox.c asks the kernel for is answered here.
 */
#ifndef REGRESS_SYS_LESS_LANDLOCK_H
#define REGRESS_SYS_LESS_LANDLOCK_H

/* From now on at most that ABI; with 0 no step of Landlock has an effect. */
void less_landlock(int abi);

#endif
