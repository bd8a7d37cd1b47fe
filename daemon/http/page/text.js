// SPDX-License-Identifier: ISC
// Text of strangers: what of it may be typed, and how it is shown.  Needs no
// browser.
// @ts-check

/** C0 but tab and newline, DEL, C1. */
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/**
 * What may be typed of text that somebody else wrote: the clipboard's, an input
 * method's.  Ends of lines are "\n"; no other control character is left but the
 * tab, so that nothing in it can end a bracketed paste or press a key.
 * @param {string} text
 */
export function clean(text) {
	return text.replace(/\r\n?/g, "\n").replace(CONTROL, "");
}

/** Controls, marks that turn the direction, lines' ends, odd spaces. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/** What cannot be seen is shown escaped. @param {string} text */
export function visible(text) {
	return text.replace(UNSEEN, (c) => "\\u" +
		/** @type {number} */ (c.codePointAt(0)).toString(16).padStart(4, "0"));
}

/** Lines as they would be typed, the ends and tabs marked. @param {string} text */
export function visibleLines(text) {
	return text.split("\n").map((line) => line.split("\t").map(visible).join("→\t")).join("⏎\n");
}

// What the screen says by itself, as far as its settings allow.  Nothing of it
// is of the host's choosing but numbers.
const ANSWERS = [
	/^\x1b\[[?>]?\d{1,10}(?:;\d{1,10}){0,3}[cnRt]$/, // attributes, state, cursor, size
	/^\x1b\[\??\d{1,10};\d\$y$/, // modes
	/^\x1bP[01]\$r[\d;]{0,24}(?:"[pq]| q|[mr])?\x1b\\$/, // settings
	/^\x1b\](?:4;\d{1,3}|1[0-2]);rgb:[\da-f]{1,4}(?:\/[\da-f]{1,4}){2}\x1b\\$/, // colours
	/^\x1b\[[IO]$/, // the focus, also as soon as it is asked for
];
const GESTURES = [
	/^\x1b\[<\d{1,5};-?\d{1,5};-?\d{1,5}[Mm]$/, // the mouse
	/^(?:\x1b[[O][ABCD])+$/, // its wheel, and clicks that move the cursor
];

/** @param {string} text */
export const isAnswer = (text) => ANSWERS.some((a) => a.test(text));

/** @param {string} text */
export const isGesture = (text) => GESTURES.some((g) => g.test(text));

/** So many at once, and so many a second then. */
export class Budget {
	/** @param {number} most @param {number} second */
	constructor(most, second) {
		this.most = this.left = most;
		this.second = second;
		this.at = 0;
	}

	/** Whether there is one more. @param {number} now milliseconds */
	take(now) {
		this.left = Math.min(this.most,
			this.left + Math.max(0, now - this.at) / 1000 * this.second);
		this.at = now;
		if (this.left < 1)
			return false;
		this.left--;
		return true;
	}
}
