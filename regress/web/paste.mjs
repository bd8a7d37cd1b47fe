// SPDX-License-Identifier: ISC
// Text that somebody else wrote, on every way into the terminal: it types no
// control character, and no line without a question.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Budget, clean, isAnswer, isGesture, visible, visibleLines } from "../../daemon/http/page/text.js";
import { context, dir, equal, matches, open, run, screen, sees, state, until } from "./lib.mjs";
import { scene } from "./terminal.mjs";

const START = "\x1b[200~";
const END = "\x1b[201~";

let serial = 0;

/** A page, and the browser's own hands. */
async function fresh() {
	const { c, web } = await scene();
	const page = await open(c, web.base);
	page.hands = await c.newCDPSession(page);
	return page;
}

const focus = (page) => page.locator(".xterm-helper-textarea").focus();
const copy = (page, text) => page.evaluate((t) => navigator.clipboard.writeText(t), text);

/** A key that means an editor's command, as menus do. */
async function command(page, name) {
	const key = { key: "F24", code: "F24", windowsVirtualKeyCode: 135 };
	await page.hands.send("Input.dispatchKeyEvent", { type: "rawKeyDown", commands: [name], ...key });
	await page.hands.send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
}

/** The middle of the screen. */
async function middle(page) {
	const box = await page.locator(".xterm-screen").boundingBox();
	return [box.x + box.width / 2, box.y + box.height / 2];
}

// Each way that text comes in by, other than keys.
const ways = {
	async "Ctrl+Shift+V"(page, text) {
		await copy(page, text);
		await focus(page);
		await page.keyboard.press("Control+Shift+V");
	},
	async "the browser's own paste"(page, text) {
		await copy(page, text);
		await focus(page);
		await command(page, "Paste");
	},
	async "paste as plain text"(page, text) {
		await copy(page, text);
		await focus(page);
		await command(page, "PasteAndMatchStyle");
	},
	async "the menu of the right button"(page, text) {
		await copy(page, text);
		await page.mouse.click(...await middle(page), { button: "right" });
		await command(page, "Paste");
	},
	// What is selected elsewhere.
	async "the middle button"(page, text) {
		await page.evaluate((t) => {
			const other = document.createElement("textarea");
			other.id = "other";
			other.style.position = "fixed";
			other.value = t;
			document.body.append(other);
		}, text);
		await page.click("#other");
		await page.keyboard.press("Control+a");
		await page.evaluate(() => document.getElementById("other").remove());
		await page.mouse.click(...await middle(page), { button: "middle" });
	},
	// As Firefox does, where nothing can be edited.
	async "a paste beside the text area"(page, text) {
		await page.evaluate((t) => {
			const data = new DataTransfer();
			data.setData("text/plain", t);
			document.querySelector(".xterm-screen").dispatchEvent(new ClipboardEvent("paste",
				{ clipboardData: data, bubbles: true, cancelable: true, composed: true }));
		}, text);
	},
	async "a drop"(page, text) {
		const [x, y] = await middle(page);
		const data = { items: [{ mimeType: "text/plain", data: text }], dragOperationsMask: 1 };
		for (const type of ["dragEnter", "dragOver", "drop"])
			await page.hands.send("Input.dispatchDragEvent", { type, x, y, data });
	},
	// The text area lies under the mouse then.
	async "a drop where text can be edited"(page, text) {
		await page.mouse.click(...await middle(page), { button: "right" });
		await ways["a drop"](page, text);
	},
	async "an input method"(page, text) {
		await focus(page);
		await page.hands.send("Input.insertText", { text });
	},
	async "a composition"(page, text) {
		await focus(page);
		await page.hands.send("Input.imeSetComposition",
			{ text: "x", selectionStart: 1, selectionEnd: 1 });
		await page.hands.send("Input.imeSetComposition",
			{ text, selectionStart: text.length, selectionEnd: text.length });
		await page.hands.send("Input.insertText", { text });
	},
	async "a composition that a key ends"(page, text) {
		// A text area that a dialog gave the focus back to takes none at once.
		await until("a composition", async () => {
			await page.locator(".xterm-helper-textarea").blur();
			await focus(page);
			await page.hands.send("Input.imeSetComposition",
				{ text, selectionStart: text.length, selectionEnd: text.length });
			return page.waitForFunction(() =>
				document.querySelector(".xterm-helper-textarea").value !== "", null,
			{ timeout: 3000, polling: 25 }).then(() => true, () => false);
		});
		await command(page, "Nothing");
	},
	// As keyboards of phones do.
	async "a key without a name"(page, text) {
		await focus(page);
		const key = { key: "Unidentified", windowsVirtualKeyCode: 229 };
		await page.hands.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...key });
		await page.hands.send("Input.insertText", { text });
		await page.hands.send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
	},
};

const asked = (page) => page.isVisible("#paste-dialog");

/** Gets ready to read n bytes as they come: a pattern of their digits. */
async function reader(page, n, brackets) {
	const name = "R" + serial++;
	await run(page, `stty raw -echo; printf '\\e[?2004${brackets ? "h" : "l"}'; echo go-${name}; ` +
		`head -c ${n} | od -An -v -tx1 | tr -d ' \\n'; stty sane; echo _don''e-${name}`,
		new RegExp(`^go-${name}$`, "m"));
	return new RegExp(`^go-${name}\\s+([0-9a-f\\s]*)_done-${name}$`, "m");
}

const hex = (text) => Buffer.from(text).toString("hex");

export const tests = {
	async paste_is_clean() {
		const hostile = ["x\x1b[201~;y", "\x1b[201~", "\x9b201~", "\x1b\x1b[201~[201~", "\x1b\x00[201~",
			"\x1b[20\x1b[201~1~", "\x1b[2\x9b201~01~", "\u001b\u009b201~", "a\x03b", "a\x04", "\x7f", "a\x16\x1b",
			"\x8f\x90\x9c\x9d", "\x1b]52;c;AA\x07", "a\x0bb\x0cc", "\x1bP\x1b\\", "\x18\x1a\x1b[201~", "\x85", "\x0e\x0f",
			"\x1b[\x1b2\x1b0\x1b1\x1b~", "\ud800\x1b[201~\udc00"];
		for (let c = 0; c < 0xa0; c++)
			hostile.push(String.fromCharCode(c), "a" + String.fromCharCode(c) + "b",
				String.fromCharCode(c) + "[201~", "\x1b" + String.fromCharCode(c) + "[201~");
		// A generator of its own, that a failure can be seen again.
		let seed = 1;
		const next = (n) => (seed = (seed * 48271) % 0x7fffffff) % n;
		const parts = ["\x1b", "[", "2", "0", "1", "~", "201~", "\x9b", "\x1b[201~", "\r", "\n", "\t", "\0", "\x7f",
			"\x80", "é", "漢", "🙂", "\u2028", "\u202e", "\ud800", "\udc00", "a"];
		for (let i = 0; i < 20000; i++)
			hostile.push(Array.from({ length: next(12) }, () => parts[next(parts.length)]).join(""));
		for (const text of hostile) {
			const got = clean(text);
			// What the wire carries, in either half of the code.
			const bytes = new TextDecoder().decode(new TextEncoder().encode(got));
			if (/[\x00-\x08\x0b-\x1f\x7f-\x9f]/.test(bytes))
				throw new Error(`${JSON.stringify(text)} became ${JSON.stringify(got)}`);
			equal(clean(got), got, "twice");
			const kept = (t) => t.replace(/[\x00-\x1f\x7f-\x9f]/g, "");
			equal(kept(got), kept(text), "the rest");
			if (/[\x00-\x1f\x7f-\x9f]/.test(visible(text)) || /[\x00-\x08\x0b-\x1f\x7f-\x9f]/.test(visibleLines(text)))
				throw new Error(`${JSON.stringify(text)} is shown as it is`);
		}
		equal(clean("a\r\nb\rc\n\rd\n"), "a\nb\nc\n\nd\n", "ends of lines");
		equal(clean("a\tb"), "a\tb", "a tab");
		equal(clean("grün 漢字 🙂 e\u0301 \u2028\u202e"), "grün 漢字 🙂 e\u0301 \u2028\u202e", "text");
		equal(visible("a\u202eb\u200bc\u2028d\u00a0e f\u{e0001}"), "a\\u202eb\\u200bc\\u2028d\\u00a0e f\\ue0001", "shown");
		equal(visibleLines("a\tb\n\u061c\n"), "a→\tb⏎\n\\u061c⏎\n", "lines shown");
	},

	async answers_are_known() {
		for (const text of ["\x1b[?1;2c", "\x1b[>0;276;0c", "\x1b[0n", "\x1b[24;80R", "\x1b[?24;80R", "\x1b[?2004;1$y",
			"\x1b[4;0$y", "\x1b[8;24;80t", "\x1bP1$r0m\x1b\\", "\x1bP1$r61;1\"p\x1b\\", "\x1bP1$r2 q\x1b\\", "\x1bP0$r\x1b\\",
			"\x1bP1$r1;24r\x1b\\", "\x1b]11;rgb:1010/1414/1818\x1b\\", "\x1b]4;255;rgb:ff/ff/ff\x1b\\", "\x1b[I", "\x1b[O"])
			equal(isAnswer(text), true, JSON.stringify(text));
		for (const text of ["", "a", "\r", "\x1b", "\x1b[201~", "\x1b[200~", "\x1b[A", "\x1b]lrm -rf\x1b\\", "\x1b]Lx\x1b\\",
			"\x1b[0n\n", "\n\x1b[0n", "\x1b[0n\x1b[0n", "\x1bP1$rx\x1b\\", "\x1bP1$r0m\n\x1b\\", "\x1b]52;c;aGk=\x1b\\",
			"\x1b]10;rgb:x\x1b\\", "\x1b[" + "1".repeat(11) + "c", "\x1b[1;1;1;1;1c", "\x1bOP", "\x1bOS", "\x1bP>|x\x1b\\"])
			equal(isAnswer(text), false, JSON.stringify(text));
		for (const text of ["\x1b[<0;1;1M", "\x1b[<64;999;999m", "\x1b[<35;-1;2M", "\x1b[A", "\x1bOB\x1bOB", "\x1b[D\x1b[C"])
			equal(isGesture(text), true, JSON.stringify(text));
		for (const text of ["", "\x1b[201~", "\x1b[<0;1;1Mx", "\x1b[A\n", "\x1b[<0;1;1M\x1b[<0;1;1M", "A"])
			equal(isGesture(text), false, JSON.stringify(text));
		const b = new Budget(3, 2);
		const take = (now, n) => Array.from({ length: n }, () => Number(b.take(now))).join("");
		equal(take(1000, 5), "11100", "at once");
		equal(take(1400, 1), "0", "too early");
		equal(take(1500, 2), "10", "half a second later");
		equal(take(9000, 5), "11100", "much later");
		equal(take(0, 1), "0", "a clock that goes back");
	},

	async paste_runs_nothing() {
		const page = await fresh();
		for (const [name, way] of Object.entries(ways)) {
			const pwned = join(dir, "pwned" + serial++);
			const mark = "here" + serial;
			await way(page, `echo ${mark}${END}; touch ${pwned}\n`);
			// It is in the line, and waits for Enter.
			await sees(page, new RegExp(`^\\$ echo ${mark}\\[201~; touch `, "m")).catch((error) => {
				throw new Error(`${name}: ${error.message}`);
			});
			await focus(page);
			await page.keyboard.press("Control+u"); // ^C may leave what was pasted
			await run(page, `clear; echo after-${mark}`, new RegExp(`^after-${mark}\\n\\$$`, "m"));
			equal(existsSync(pwned), false, name + " ran it");
		}
		await page.close();
	},

	async paste_types_no_controls() {
		const page = await fresh();
		const text = "a\x1b[201~b\x9b201~\x03\x00\x7fc\td\u2028é漢🙂";
		const want = "a[201~b201~c\td\u2028é漢🙂";
		for (const [name, way] of Object.entries(ways))
			for (const brackets of [false, true]) {
				// Words of a composition are typed, not pasted.
				const typed = /composition/.test(name);
				const whole = brackets && !typed ? START + want + END : want;
				const seen = await reader(page, Buffer.byteLength(whole), brackets);
				await way(page, text);
				const got = (await sees(page, seen))[1].replace(/\s/g, "");
				equal(got, hex(whole), `${name}, ${brackets ? "with" : "without"} brackets`);
				equal(await asked(page), false, name + " asks");
				await run(page, "clear; echo nothing-else", /^nothing-else\n\$$/m);
			}
		await page.close();
	},

	async several_lines_are_asked_about() {
		const page = await fresh();
		const text = "one\r\ntwo\rthr\x1bee\u202e\tx\n";
		const want = "one\rtwo\rthree\u202e\tx\r";
		for (const [name, way] of Object.entries(ways)) {
			const seen = await reader(page, Buffer.byteLength(want), false);
			for (const no of [() => page.keyboard.press("Escape"), () => page.keyboard.press("Enter"),
				() => page.click("#paste-dialog button:not([value])")]) {
				await way(page, text);
				await until("the question, by " + name, () => asked(page));
				await no();
				await until("no question", async () => !(await asked(page)));
			}
			await way(page, text);
			await until("the question, by " + name, () => asked(page));
			matches(await page.textContent("#paste-question"), /^Paste 3 lines\?/, "the question");
			equal(await page.textContent("#paste-text"), "one⏎\ntwo⏎\nthree\\u202e→\tx⏎\n", "what is shown");
			// Keys that were meant for the terminal do not say yes.
			await page.keyboard.type("yes ");
			await until("no question", async () => !(await asked(page)));
			await way(page, text);
			await until("the question, by " + name, () => asked(page));
			await page.click("#paste-yes");
			const got = (await sees(page, seen))[1].replace(/\s/g, "");
			equal(got, hex(want), name);
			await run(page, "clear; echo nothing-else", /^nothing-else\n\$$/m);
		}
		// In brackets there is no question.
		const whole = START + want + END;
		const seen = await reader(page, Buffer.byteLength(whole), true);
		await ways["Ctrl+Shift+V"](page, text);
		equal((await sees(page, seen))[1].replace(/\s/g, ""), hex(whole), "in brackets");
		equal(await asked(page), false, "a question");
		await page.close();
	},

	// The answer is for the terminal that was there when it was asked.
	async a_question_ends_with_its_terminal() {
		const page = await fresh();
		const [, pid] = await run(page, "exec sh -c 'echo go $$; read x; exit 3'", /^go (\d+)$/m);
		await ways["Ctrl+Shift+V"](page, "a\nb\n");
		await until("the question", () => asked(page));
		process.kill(Number(pid), "SIGKILL");
		await until("the end", async () => (await state(page)) === "ended");
		await until("no question", async () => !(await asked(page)));
		await page.click("#again");
		await until("another one", async () => (await state(page)) === "open");
		await run(page, "echo alone", /^alone\n\$$/m);
		await page.close();
	},

	// A held Alt is a character in front of the bracket, which ends it as one.
	async held_keys_are_not_for_pastes() {
		const { web } = await scene();
		const c = await context({ permissions: ["clipboard-read", "clipboard-write"], hasTouch: true, isMobile: true });
		const page = await c.newPage();
		await page.goto(await web.newLink());
		await sees(page, /\$$/m);
		page.hands = await c.newCDPSession(page);
		for (const hold of ["alt", "ctrl"]) {
			const whole = START + "a" + END;
			const seen = await reader(page, whole.length, true);
			await page.click(`[data-hold=${hold}]`);
			await ways["Ctrl+Shift+V"](page, "a");
			equal((await sees(page, seen))[1].replace(/\s/g, ""), hex(whole), hold);
			equal(await page.getAttribute(`[data-hold=${hold}]`, "aria-pressed"), "false", "held " + hold);
		}
		await c.close();
	},

	// The mouse, the focus and the other screen are of the program that asked.
	async nothing_is_left_of_a_dead_program() {
		const { c, web } = await scene();
		const page = await c.newPage();
		const sent = [];
		page.on("websocket", (w) => w.on("framesent", (f) => {
			if (typeof f.payload !== "string")
				sent.push(f.payload.toString());
		}));
		await page.goto(web.base);
		await sees(page, /\$$/m);
		await run(page, "echo before", /^before$/m);
		let round = 1;
		for (const end of [
			() => page.click("#again"), // after its exit
			() => page.keyboard.press("Enter"),
		]) {
			await run(page, "printf '\\e[3g\\e[20h\\e[?12l\\e[?1049h\\e[?1003h\\e[?1006h\\e[?1004h\\e[?25l\\e[31;7m\\e[?1h\\e[4h\\e[?2004h" +
				"\\e]0;its title\\a\\e[2;3r\\e[?6h\\e[?7l\\e]11;red\\a\\e[?2026h\\e]0;cut'; kill -9 $$");
			await until("the end", async () => (await state(page)) === "ended");
			await sees(page, /^before$/m);
			await end();
			await until("another one", async () => (await state(page)) === "open");
			// Behind what was there before the other screen.
			await sees(page, /kill -9 \$\$\n+ ended by signal KILL\n[^]*\$$/m);
			equal(await page.title(), "a host", "the title");
			sent.length = 0;
			const [x, y] = await middle(page);
			await page.mouse.move(x, y);
			await page.mouse.move(x + 50, y + 50);
			await page.mouse.click(x, y);
			await page.mouse.wheel(0, 100);
			await page.locator(".xterm-helper-textarea").blur();
			await focus(page);
			await page.keyboard.press("ArrowUp");
			await until("the key", () => sent.length > 0);
			equal(sent.join(""), "\x1b[A", "what is typed");
			await page.keyboard.press("Control+c");
			await run(page, "echo it is new", /^it is new$/m);
			await run(page, `stty -onlcr; printf 'a\\tb\\n${round}\\r\\n'; stty onlcr`,
				new RegExp(`^a {7}b\\n {9}${round++}$`, "m"));
		}
		await page.close();
	},

	// What a host writes makes the screen answer, in its own words and not for ever.
	async answers_are_few_and_our_own() {
		const page = await fresh();
		const questions = ["\\e[c", "\\e[>c", "\\e[5n", "\\e[6n", "\\e[?6n", "\\e[21t", "\\e[20t", "\\e[18t", "\\e[14t",
			"\\eP$qm\\e\\\\", "\\eP$qtouch x\\e\\\\", "\\eP+q746f756368\\e\\\\", "\\e]4;1;?\\a", "\\e]10;?\\a", "\\e]11;?\\a", "\\e]12;?\\a",
			"\\e]52;c;?\\a", "\\e[?2004$p", "\\e[>q", "\\e[?u", "\\e]0;touch pwned\\a", "\\e]l\\e\\\\", "\\e[?1004h", "\\x05"].join("");
		// What is typed comes behind the answers to what is seen before it.
		const answers = async (what) => {
			const name = "A" + serial++;
			const path = join(dir, name);
			await run(page, `clear; stty raw -echo; ${what}; printf '\\r\\nasked-${name}\\r\\n'; ` +
				`IFS= read -rd Z p; stty sane; printf %s "$p" >${path}; printf '\\e[?1004l'; echo told-${name}`,
			new RegExp(`^asked-${name}$`, "m"));
			await page.keyboard.press("Z");
			await sees(page, new RegExp(`^told-${name}$`, "m"));
			return readFileSync(path, "latin1");
		};
		const some = await answers(`printf '${questions}\\e[5n'`);
		matches(some, /^(?:\x1b[ -~]*)+$/, "the answers");
		equal(/touch|pwned|l;|L;/.test(some), false, "words of the host's in them");
		// A flood of questions is answered some hundred times.
		const bytes = (await answers("printf '\\e[c%.0s' {1..20000}")).length;
		if (bytes < 7 || bytes > 7 * 2000)
			throw new Error(`${bytes} bytes of answers`);
		await run(page, "echo goes on", /^goes on$/m);
		equal(/pwned/.test(await screen(page)), false, "the title is typed");
		await page.close();
	},
};
