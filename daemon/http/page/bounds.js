// SPDX-License-Identifier: ISC
// What a host asks of the screen that costs far more than it takes to say.  Of
// what is too much, what nobody would see is left out.
// @ts-check
import { Budget } from "./text.js";

const LINKS = { most: 2000, second: 20 }; // that are kept: each costs with each line that scrolls
const LINK_MAX = 4096; // characters of one
const COLOURS_MAX = 256; // of one list: for each all that is shown is looked at
const DRAWN = { most: 500, second: 20 }; // changes of colours, settings: all is drawn anew
const BLINK = 12; // modes that are settings
const LINE_FEED = 20;

// Leaves the other screen, if that is shown, the cursor where it was before; the
// modes for it move the cursor in any case.  No host knows it.
const LEAVE_OTHER = 1000000 + crypto.getRandomValues(new Uint32Array(1))[0] % 2 ** 30;
const OTHER = 1049;

/**
 * Ends what a program that is gone may have asked of the screen: an unfinished
 * sequence, the other screen, the mouse, held output; modes, colours, cursor,
 * tabs.  Two modes are settings, which a soft reset leaves.
 * @param {import("@xterm/xterm").Terminal} term
 */
export function asNew(term) {
	let text = `\x18\x1b[?2026l\x1b[?${LEAVE_OTHER}l\x1b[?9;1000;1002;1003;1005;1006;1015;1016l` +
		"\x1b[!p\x1b[20l\x1b[?12h\x1b[?25h\x1b[0 q" +
		"\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\\x1b7\x1b[3g";
	for (let column = 1; column <= term.cols; column += 8)
		text += `\x1b[${column}G\x1bH`;
	return text + "\x1b8";
}

/** @param {import("@xterm/xterm").Terminal} term */
export function boundHost(term) {
	const links = new Budget(LINKS.most, LINKS.second);
	const drawn = new Budget(DRAWN.most, DRAWN.second);
	// The numbers themselves, which what comes behind us will see: a handler of
	// the public kind has a copy.
	const core = /** @type {any} */ (term)._core;

	/** Behind the last line or column more makes no difference, but takes hours. */
	const atMost = (final, most) => core.registerCsiHandler({ final }, ({ params }) => {
		params[0] = Math.min(params[0], most());
		return false;
	});
	for (const final of "LMST")
		atMost(final, () => term.rows);
	for (const final of "IZ")
		atMost(final, () => term.cols);
	atMost("b", () => term.cols * term.rows);

	/** Whether a mode may change; if it would not, it costs nothing. */
	const mayChange = (now, wanted) => now === wanted || drawn.take(performance.now());
	const setting = (prefix, mode, now) => {
		for (const final of "hl")
			core.registerCsiHandler({ ...prefix, final }, ({ params, length }) => {
				for (let i = 0; i < length; i++)
					if (params[i] === mode && !mayChange(now(), final === "h"))
						params[i] = 0;
				return false;
			});
	};
	setting({ prefix: "?" }, BLINK, () => term.options.cursorBlink);
	setting({}, LINE_FEED, () => term.options.convertEol);

	for (const which of [4, 10, 11, 12, 104, 110, 111, 112])
		term.parser.registerOscHandler(which, (data) => !drawn.take(performance.now()) ||
			data.split(";").length > 2 * COLOURS_MAX);
	term.parser.registerOscHandler(8, (data) => !data.endsWith(";") &&
		(data.length > LINK_MAX || !links.take(performance.now())));

	core.registerCsiHandler({ prefix: "?", final: "l" }, ({ params }) => {
		if (params[0] === LEAVE_OTHER) {
			params[0] = term.buffer.active.type === "alternate" ? OTHER : 0;
			drawn.left = DRAWN.most;
		}
		return false;
	});
}
