// SPDX-License-Identifier: ISC
// Fingers and keyboards of phones.
import { modified, sequence } from "../../daemon/http/page/keys.js";
import { context, equal, matches, open, run, screen, sees, sleep, until } from "./lib.mjs";
import { scene } from "./terminal.mjs";

const UPRIGHT = { viewport: { width: 390, height: 700 }, hasTouch: true, isMobile: true };

/** A phone with a terminal, and its fingers. */
async function phone(options = UPRIGHT) {
	const { web } = await scene();
	const c = await context({ permissions: ["clipboard-read", "clipboard-write"], ...options });
	const page = await open(c, await web.newLink());
	page.hands = await c.newCDPSession(page);
	return { c, page };
}

/** A finger at one point after the other, each for a while. */
async function finger(page, points, ms = 20) {
	const touch = (type, touchPoints) =>
		page.hands.send("Input.dispatchTouchEvent", { type, touchPoints });
	await touch("touchStart", [points[0]]);
	for (const point of points.slice(1)) {
		await sleep(ms);
		await touch("touchMove", [point]);
	}
	await sleep(200); // it rests before it is lifted: no flick
	await touch("touchEnd", []);
}

/** From y to y, in steps. */
function swipe(page, from, to) {
	const points = Array.from({ length: 21 }, (_, i) => ({ x: 150, y: from + (to - from) * i / 20 }));
	return finger(page, points);
}

/** What a program reads as soon as Z is typed. */
let serial = 0;
async function reader(page, first = "") {
	const name = "K" + serial++;
	await run(page, `clear; stty raw -echo; printf '${first}go-${name}\\r\\n'; ` +
		`perl -e 'print unpack "H2", $c while sysread STDIN, $c, 1 and $c ne "Z"'; stty sane; echo .${name}`,
	new RegExp(`^go-${name}$`, "m"));
	return async () => {
		await page.locator(".xterm-helper-textarea").focus();
		await page.keyboard.press("Z");
		const [, digits] = await sees(page, new RegExp(`^go-${name}\\n([0-9a-f\\s]*)\\.${name}$`, "m"));
		return Buffer.from(digits.replace(/\s/g, ""), "hex").toString();
	};
}

/** As a keyboard of a phone types what is no word that grows. */
async function nameless(page, text, what = "Input.insertText") {
	const key = { key: "Unidentified", windowsVirtualKeyCode: 229 };
	await page.hands.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...key });
	await page.hands.send(what, { text });
	await page.hands.send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
}

const compose = (page, text) => page.hands.send("Input.imeSetComposition",
	{ text, selectionStart: text.length, selectionEnd: text.length });
const composed = (page) => page.evaluate(() =>
	document.querySelector(".xterm-helper-textarea").value);

export const tests = {
	async keys_held_together() {
		const keys = [
			["c", true, false, "\x03"], ["C", true, false, "\x03"], ["[", true, false, "\x1b"], ["/", true, false, "\x1f"],
			["-", true, false, "\x1f"], ["~", true, false, "\x1e"], ["|", true, false, "\x1c"], [" ", true, false, "\0"],
			["2", true, false, "\0"], ["8", true, false, "\x7f"], ["ü", true, false, "ü"], ["🙂", true, false, "🙂"],
			["ab", true, false, "\x01b"], ["x", false, true, "\x1bx"], ["x", true, true, "\x1b\x18"], ["", true, true, ""],
			["\x1b[D", true, false, "\x1b[1;5D"], ["\x1bOD", true, false, "\x1b[1;5D"], ["\x1b[A", false, true, "\x1b[1;3A"],
			["\x1b[H", true, true, "\x1b[1;7H"], ["\x1b[5~", true, false, "\x1b[5;5~"], ["\x1b", false, true, "\x1b\x1b"],
			["\t", false, true, "\x1b\t"], ["a", false, false, "a"], ["\x1b[D", false, false, "\x1b[D"]];
		for (const [text, ctrl, alt, want] of keys)
			equal(modified(text, ctrl, alt), want, JSON.stringify([text, ctrl, alt]));
		equal(sequence("ArrowUp", false), "\x1b[A", "up");
		equal(sequence("ArrowUp", true), "\x1bOA", "up for programs");
		equal(sequence("End", false), "\x1b[F", "end");
		equal(sequence("PageDown", true), "\x1b[6~", "a page down");
		equal(sequence("Tab", false), "\t", "tab");
	},

	async a_swipe_scrolls() {
		const { c, page } = await phone();
		await run(page, "clear; seq 1 300; echo end-$((1 + 1))", /^end-2\n\$$/m);
		const top = async () => Number((await screen(page)).split("\n")[0]);
		const before = await top();
		await swipe(page, 150, 450);
		await until("older lines", async () => (await top()) < before - 5);
		const between = await top();
		await swipe(page, 450, 300);
		await until("newer ones", async () => (await top()) > between);
		await swipe(page, 500, 50);
		await sees(page, /^end-2\n\$$/m);
		// In less, as the wheel does.
		await run(page, "seq 1 300 | less", /^1\n2\n/m);
		await swipe(page, 450, 150);
		await until("lines further down", async () => (await top()) > 5);
		const down = await top();
		await swipe(page, 150, 450);
		await until("lines further up", async () => (await top()) < down);
		await page.keyboard.press("q");
		await sees(page, /\$$/m);
		// For a program that has the mouse it is the wheel.
		const get = await reader(page, "\\e[?1000h\\e[?1006h");
		await swipe(page, 450, 250);
		matches(await get(), /^(?:\x1b\[<65;\d+;\d+M)+$/, "reports of the wheel");
		await run(page, "printf '\\e[?1000l'; echo over", /^over$/m);
		// And nothing is typed by it at a prompt.
		const nothing = await reader(page);
		await swipe(page, 450, 250);
		await swipe(page, 250, 450);
		equal(await nothing(), "", "what a swipe types");
		await c.close();
	},

	async a_flick_goes_on() {
		const { c, page } = await phone();
		await run(page, "clear; seq 1 2000; echo end-$((1 + 1))", /^end-2\n\$$/m);
		const top = async () => Number((await screen(page)).split("\n")[0]);
		const before = await top();
		await page.evaluate(() => {
			const area = document.getElementById("terminal");
			const at = (type, y, timeStamp) => {
				const touch = new Touch({ identifier: 1, target: area, clientX: 150, clientY: y });
				const event = new TouchEvent(type, { bubbles: true, cancelable: true,
					touches: type === "touchend" ? [] : [touch], changedTouches: [touch] });
				Object.defineProperty(event, "timeStamp", { value: timeStamp });
				area.querySelector(".xterm-screen").dispatchEvent(event);
			};
			at("touchstart", 100, 0);
			for (let i = 1; i <= 10; i++)
				at("touchmove", 100 + 20 * i, 10 * i);
			at("touchend", 300, 105);
		});
		// The finger itself has passed fewer lines than that.
		await until("many lines", async () => (await top()) < before - 25);
		await c.close();
	},

	async a_long_touch_selects() {
		const { c, page } = await phone();
		await run(page, "clear; echo some to-be-copied words", /^some to-be-copied words$/m);
		const box = await page.locator(".xterm-rows > div", { hasText: /^some to-be/ }).last().boundingBox();
		const [x, y] = [box.x + 80, box.y + box.height / 2];
		await page.hands.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
		await until("a selection", () => page.evaluate(() =>
			document.querySelectorAll(".xterm-selection > div").length > 0));
		await page.hands.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
		await page.locator("[data-act=copy]").tap();
		await until("the copy", async () => (await page.evaluate(() =>
			navigator.clipboard.readText())) === "to-be-copied");
		matches(await page.textContent("#note"), /^copied/, "a note");
		// And back.
		const get = await reader(page);
		await page.locator("[data-act=paste]").tap();
		await until("it is there", async () => true);
		await sleep(500);
		equal(await get(), "to-be-copied", "what is pasted");
		await c.close();
	},

	async all_keys_are_there() {
		for (const [name, viewport] of [["upright", { width: 390, height: 700 }], ["small", { width: 320, height: 500 }],
			["sideways", { width: 844, height: 390 }]]) {
			const { c, page } = await phone({ ...UPRIGHT, viewport });
			const labels = [];
			for (const key of await page.locator("#keys button").all()) {
				const box = await key.boundingBox();
				const label = await key.textContent();
				labels.push(label);
				if (box.x < 0 || box.x + box.width > viewport.width || box.y + box.height > viewport.height)
					throw new Error(`${name}: ${label} is cut off`);
				const cut = await key.evaluate((b) => b.scrollWidth > b.clientWidth + 1);
				equal(cut, false, `${name}: the text of ${label} is cut off`);
			}
			for (const key of ["Esc", "Tab", "Ctrl", "Alt", "Home", "End", "PgUp", "PgDn", "Copy", "Paste", "/", "-", "~"])
				equal(labels.includes(key), true, key);
			await c.close();
		}
	},

	async keys_type() {
		const { c, page } = await phone();
		const key = (name) => page.locator(`[data-key=${name}], [data-text="${name}"], [data-hold=${name === "/" ? "x" : name}]`)
			.first().tap();
		const get = await reader(page);
		for (const name of ["Escape", "Tab", "Home", "End", "PageUp", "PageDown", "ArrowLeft"])
			await key(name);
		for (const name of ["ArrowLeft", "PageUp"]) {
			await page.locator("[data-hold=ctrl]").tap();
			await key(name);
		}
		for (const text of ["/", "-", "~", "|"]) {
			await page.locator("[data-hold=ctrl]").tap();
			await page.locator(`[data-text="${text}"]`).tap();
		}
		await page.locator("[data-hold=alt]").tap();
		await page.locator("[data-text='-']").tap();
		equal(await get(), "\x1b\t\x1b[H\x1b[F\x1b[5~\x1b[6~\x1b[D\x1b[1;5D\x1b[5;5~\x1f\x1f\x1e\x1c\x1b-", "keys");
		await c.close();
	},

	// A caret that was moved, or text that is left of an earlier word, is not typed again.
	async a_moved_caret() {
		const { c, page } = await phone();
		const get = await reader(page);
		const caret = (at) => page.evaluate((n) => {
			const area = document.querySelector(".xterm-helper-textarea");
			area.setSelectionRange(n, n);
		}, at);
		await page.locator(".xterm-helper-textarea").focus();
		for (const letter of "echo abc")
			await nameless(page, letter);
		await caret(2);
		await nameless(page, "z");
		await caret(1);
		await compose(page, "wo");
		await until("a word that grows", async () => (await composed(page)) !== "");
		await page.hands.send("Input.insertText", { text: "word" });
		await until("its end", async () => (await composed(page)) === "");
		await caret(0);
		await nameless(page, "1");
		await nameless(page, "2");
		equal(await get(), "echo abczword12", "what is typed");
		await c.close();
	},

	// On a busy phone timers come late: when a word has just been put in.
	async a_word_and_late_timers() {
		const { c, page } = await phone();
		const get = await reader(page);
		await page.locator(".xterm-helper-textarea").focus();
		await page.evaluate(() => {
			const real = window.setTimeout;
			const late = [];
			window.setTimeout = (f, ms, ...rest) => ms ? real(f, ms, ...rest) : late.push(f);
			document.addEventListener("compositionstart", () => (window.setTimeout = real), { once: true });
			document.addEventListener("compositionend", () => late.forEach((f) => f()), { once: true });
		});
		for (const letter of "abc")
			await nameless(page, letter);
		await compose(page, "wo");
		await until("a word that grows", async () => (await composed(page)) !== "");
		await page.hands.send("Input.insertText", { text: "word" });
		await until("its end", async () => (await composed(page)) === "");
		await nameless(page, "1");
		equal(await get(), "abcword1", "what is typed");
		await c.close();
	},

	async a_held_key_and_a_word() {
		const { c, page } = await phone();
		const get = await reader(page);
		await page.locator(".xterm-helper-textarea").focus();
		await page.locator("[data-hold=ctrl]").tap();
		await compose(page, "a");
		await until("it is typed", async () =>
			(await page.getAttribute("[data-hold=ctrl]", "aria-pressed")) === "false");
		await until("no word", async () => (await composed(page)) === "");
		await page.locator("[data-hold=ctrl]").tap();
		await nameless(page, "b");
		await page.locator("[data-hold=ctrl]").tap();
		await nameless(page, "cd");
		equal(await get(), "\x01\x02\x03d", "what is typed");
		await c.close();
	},
};
