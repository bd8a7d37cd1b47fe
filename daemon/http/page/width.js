// SPDX-License-Identifier: ISC
// How many columns a character takes: as Unicode 11 says, and of what came
// later what hosts take for two columns.  Needs no browser.
// @ts-check

// Unicode 13 to 15; the last ranges are for pictures, whatever comes there.
const WIDE = [[0x16ff0, 0x16ff1], [0x18af3, 0x18d08], [0x1aff0, 0x1affe], [0x1b11f, 0x1b167],
	[0x1f6d6, 0x1f6df], [0x1f6fb, 0x1f6fc], [0x1f7f0, 0x1f7f0], [0x1f90c, 0x1f9ff],
	[0x1fa70, 0x1faff]];

/** @param {number} code */
export const isNewAndWide = (code) => code >= WIDE[0][0] &&
	WIDE.some(([first, last]) => code >= first && code <= last);

// Marks on one character; a screen would take minutes for a million of them.
const MARKS_MAX = 32;
const ALONE = 1 << 1; // of one column, joined with nothing

/**
 * A provider for the screen, made from that of Unicode 11.
 * @template {{ version: string, wcwidth: (code: number) => number,
 *     charProperties: (code: number, preceding: number) => number }} T
 * @param {T} eleven
 * @returns {T}
 */
export const withNewer = (eleven) => Object.assign(Object.create(eleven), {
	version: "15",
	wcwidth: (code) => isNewAndWide(code) ? 2 : eleven.wcwidth(code),
	/** Behind the three bits that it has for itself, the marks are counted. */
	charProperties(code, preceding) {
		const found = eleven.charProperties.call(this, code, preceding);
		const marks = (preceding >> 3) + 1;
		if ((found & 1) === 0)
			return found;
		return marks > MARKS_MAX ? ALONE : found | marks << 3;
	},
});
