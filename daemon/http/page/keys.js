// SPDX-License-Identifier: ISC
// What keys send that are held together with others.  Needs no browser.
// @ts-check

const LETTER = { ArrowUp: "A", ArrowDown: "B", ArrowRight: "C", ArrowLeft: "D",
	End: "F", Home: "H" };
const NUMBER = { PageUp: 5, PageDown: 6 };
const PLAIN = { Escape: "\x1b", Tab: "\t", Enter: "\r" };

/** Beside the letters and @[\]^_, whose codes are told by themselves. */
const CONTROL = { " ": 0, 2: 0, 3: 27, "{": 27, 4: 28, "|": 28, 5: 29, "}": 29, 6: 30, "~": 30,
	7: 31, "/": 31, "-": 31, 8: 127, "?": 127 };

/** @param {string} c one character */
function control(c) {
	const code = c.toUpperCase().charCodeAt(0);

	if (c.length === 1 && code >= 64 && code < 96)
		return String.fromCharCode(code - 64);
	return c in CONTROL ? String.fromCharCode(CONTROL[c]) : c;
}

/**
 * What is typed with Ctrl or Alt held, which is for its first character, or
 * for the one key that it is.
 * @param {string} text @param {boolean} ctrl @param {boolean} alt
 */
export function modified(text, ctrl, alt) {
	const how = 1 + (alt ? 2 : 0) + (ctrl ? 4 : 0);
	const cursor = /^\x1b[[O]([ABCDFH])$/.exec(text);
	const page = /^\x1b\[(\d+)~$/.exec(text);

	if (how === 1 || text === "")
		return text;
	if (cursor)
		return `\x1b[1;${how}${cursor[1]}`;
	if (page)
		return `\x1b[${page[1]};${how}~`;
	const [first] = text;
	return (alt ? "\x1b" : "") + (ctrl ? control(first) : first) + text.slice(first.length);
}

/**
 * A key by its name.
 * @param {string} key @param {boolean} application the arrows' other form
 */
export function sequence(key, application) {
	if (key in LETTER)
		return (application ? "\x1bO" : "\x1b[") + LETTER[key];
	return key in NUMBER ? `\x1b[${NUMBER[key]}~` : PLAIN[key] ?? "";
}
