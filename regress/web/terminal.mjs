// SPDX-License-Identifier: ISC
// The terminal: what is typed, and what is seen.
import { createHash } from "node:crypto";
import { Host, Web, context, equal, file, freePort, launch, open, run, runs, sees, sleep, state,
	status, until } from "./lib.mjs";

let shared;

/** One host and one terminal for tests that do not end them. */
export async function scene() {
	shared ??= (async () => {
		const host = await Host.start();
		const web = await Web.start(host, ["--max-clients", "64"]);
		const c = await context({ permissions: ["clipboard-read", "clipboard-write"] });
		(await open(c, web.link())).close();
		return { host, web, c };
	})();
	return shared;
}

async function fresh() {
	const { c, web } = await scene();
	return open(c, web.base);
}

/** What a program asks of the terminal, and is answered. */
let asked = 0;
async function cursorColumn(page, text) {
	const name = "at" + asked++;
	const [, column] = await run(page,
		`printf '\\r${text}\\e[6n'; IFS= read -rsdR p; echo; echo "${name} \${p##*;}"`,
		new RegExp(`^${name} (\\d+)$`, "m"));
	return Number(column);
}

function focused(page) {
	return page.evaluate(() => document.activeElement.id);
}

export const tests = {
	async types_and_sees() {
		const page = await fresh();
		await run(page, "echo $((6 * 7)) seen", /^42 seen$/m);
		await page.keyboard.type("echo abX");
		await page.keyboard.press("Backspace");
		await page.keyboard.type("c");
		await page.keyboard.press("Enter");
		await sees(page, /^abc$/m);
		await runs(page);
		await page.keyboard.press("Control+c");
		await run(page, "echo $? after", /^130 after$/m);
		await page.close();
	},

	async size_follows_the_window() {
		const page = await fresh();
		let times = 0;
		const size = async () => {
			const name = "size" + times++;
			const found = await run(page, `clear; echo ${name} $(stty size)`,
				new RegExp(`^${name} (\\d+) (\\d+)$`, "m"));
			return found.slice(1).map(Number);
		};
		const [rows, cols] = await size();
		if (rows < 20 || rows > 60 || cols < 60 || cols > 160)
			throw new Error(`${rows} rows and ${cols} columns in 900x600`);
		await page.setViewportSize({ width: 500, height: 300 });
		await until("a smaller size", async () => (await size())[1] < cols);
		await page.setViewportSize({ width: 900, height: 600 });
		await until("the size as before", async () => (await size()).join() === `${rows},${cols}`);
		await page.close();
	},

	async colours() {
		const page = await fresh();
		await run(page, "printf '\\e[38;2;12;200;34mtrue\\e[0m \\e[31mred\\e[0m\\n'", /^true red$/m);
		const colour = (text) => page.evaluate((t) => {
			const span = [...document.querySelectorAll(".xterm-rows span")]
				.findLast((s) => s.textContent.trim() === t);
			return getComputedStyle(span).color;
		}, text);
		equal(await colour("true"), "rgb(12, 200, 34)", "true colour");
		const [r, g, b] = (await colour("red")).match(/\d+/g).map(Number);
		if (r < 2 * g || r < 2 * b)
			throw new Error(`red is ${r}, ${g}, ${b}`);
		await page.close();
	},

	async wide_characters() {
		const page = await fresh();
		equal(await cursorColumn(page, "ab"), 3, "column behind two letters");
		equal(await cursorColumn(page, "漢字"), 5, "column behind two wide ones");
		equal(await cursorColumn(page, "🙂"), 3, "column behind an emoji");
		equal(await cursorColumn(page, "e\\xcc\\x81"), 2, "column behind a combining accent");
		// Those of Unicode 13 and 14, as hosts count them.
		for (const emoji of ["🥲", "🛖", "🫠", "🫨", "🟰"])
			equal(await cursorColumn(page, emoji), 3, "column behind " + emoji);
		await run(page, "clear; echo grün 漢字", /^grün 漢字$/m);
		// Typed, too.
		await page.keyboard.insertText("echo ÄÖ漢🙂 | od -An -tx1");
		await page.keyboard.press("Enter");
		await sees(page, /c3 84 c3 96 e6 bc a2 f0 9f 99 82 0a/);
		await page.close();
	},

	async invalid_utf8() {
		const page = await fresh();
		await run(page, "printf '\\xff\\xfe\\xc3\\n\\xe6\\xbc'; sleep 0.2; printf '\\xa2 cut\\n'",
			/漢 cut$|\u6f22 cut/m);
		await run(page, "head -c 2000 /dev/urandom | tr -d '\\000-\\037\\177-\\237' | tail -c 50; echo; " +
			"echo still here", /^still here$/m);
		equal(await state(page), "open", "state");
		await page.close();
	},

	async paste_of_100_kB() {
		const page = await fresh();
		const text = Array.from({ length: 1600 },
			(_, i) => String(i).padStart(61, "grün-0") + "z").join("\n") + "\n";
		const bytes = Buffer.byteLength(text);
		if (bytes < 100000)
			throw new Error("the text is too short: " + bytes);
		const sum = createHash("md5").update(text.replaceAll("\n", "\r")).digest("hex");
		const take = (name, n, first = "") => run(page,
			`stty raw -echo; ${first} echo take-${name}; head -c ${n} | md5sum | tr - '${name}'; stty sane`,
			new RegExp(`^take-${name}$`, "m"));
		await take("A", bytes);
		await page.evaluate((t) => navigator.clipboard.writeText(t), text);
		await page.keyboard.press("Control+Shift+V");
		await page.click("#paste-yes"); // so many lines are asked about
		equal((await sees(page, /([0-9a-f]{32}) {2}A/))[1], sum, "what was pasted");

		// In brackets, for programs that ask for them.
		const whole = bytes + 12;
		const inBrackets = createHash("md5")
			.update("\x1b[200~" + text.replaceAll("\n", "\r") + "\x1b[201~").digest("hex");
		await take("B", whole, "printf '\\e[?2004h';");
		await page.keyboard.press("Control+Shift+V");
		equal((await sees(page, /([0-9a-f]{32}) {2}B/))[1], inBrackets, "what was pasted in brackets");
		await page.close();
	},

	async copy() {
		const page = await fresh();
		await run(page, "clear; echo to-be-copied", /^to-be-copied$/m);
		const box = await page.locator(".xterm-rows > div", { hasText: /^to-be-copied/ })
			.last().boundingBox();
		await page.mouse.dblclick(box.x + 20, box.y + box.height / 2);
		await page.keyboard.press("Control+Shift+C");
		await until("the copy", async () => (await page.evaluate(() =>
			navigator.clipboard.readText())) === "to-be-copied");
		await page.close();
	},

	// A browser gives pages of plain http no clipboard.
	async copy_and_paste_without_https() {
		const { host } = await scene();
		const port = await freePort();
		const web = await Web.start(host, ["--origin", `http://lan.test:${port}`], { port });
		const c = await context();
		const page = await open(c, web.link());
		equal(await page.evaluate(() => String(navigator.clipboard)), "undefined", "the clipboard");
		await run(page, "clear; echo to-be-copied", /^to-be-copied$/m);
		const box = await page.locator(".xterm-rows > div", { hasText: /^to-be-copied/ })
			.last().boundingBox();
		await page.mouse.dblclick(box.x + 20, box.y + box.height / 2);
		await page.keyboard.press("Control+Shift+C");
		await until("a note", async () => /^copied/.test(await page.textContent("#note")));
		// What was copied is there to be pasted, and the terminal has the keyboard.
		const hands = await c.newCDPSession(page);
		const key = { key: "F24", code: "F24", windowsVirtualKeyCode: 135 };
		await page.keyboard.type("echo got-");
		await hands.send("Input.dispatchKeyEvent", { type: "rawKeyDown", commands: ["Paste"], ...key });
		await hands.send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
		await sees(page, /^\$ echo got-to-be-copied$/m);
		await page.keyboard.press("Enter");
		await sees(page, /^got-to-be-copied$/m);
		// The button of phones asks for the browser's own paste.
		await page.evaluate(() => document.querySelector("[data-act=paste]").click());
		await until("a place", () => page.isVisible("#paste-here"));
		await page.fill("#paste-here-text", "echo pasted\x1b[201~ here");
		await page.click("#paste-here button[value=yes]");
		await sees(page, /echo pasted\[201~ here$/m);
		await c.close();
	},

	// OSC 52: programs may ask to copy, and the user says whether they do.
	async a_program_wants_to_copy() {
		const page = await fresh();
		const read = () => page.evaluate(() => navigator.clipboard.readText());
		const osc = (text) => `printf '\\e]52;c;${Buffer.from(text).toString("base64")}\\a'`;
		await page.evaluate(() => navigator.clipboard.writeText("mine"));
		await run(page, `${osc("grün\u202e\n")}; echo asked`, /^asked$/m);
		await until("the question", () => page.isVisible("#clip"));
		equal(await page.textContent("#clip-question"),
			"A program wants to copy 6 characters: grün\\u202e\\u000a", "the question");
		equal(await read(), "mine", "the clipboard, without an answer");
		await page.click("#clip-no");
		equal(await page.isVisible("#clip"), false, "the question");
		equal(await read(), "mine", "the clipboard, refused");
		await run(page, osc("theirs"));
		await page.click("#clip-yes");
		await until("the copy", async () => (await read()) === "theirs");
		await run(page, osc("again"));
		await page.click("#clip-always");
		await until("the copy", async () => (await read()) === "again");
		await run(page, osc("and again"));
		await until("the copy", async () => (await read()) === "and again");
		// Not what is no text, nor for another program.
		await run(page, "printf '\\e]52;c;/w==\\a\\e]52;c;?\\a\\e]52;c;$$$\\a'; exec bash --norc");
		await run(page, "kill -9 $$");
		await until("the end", async () => (await state(page)) === "ended");
		await page.click("#again");
		await until("another one", async () => (await state(page)) === "open");
		await sees(page, /\$$/m);
		await run(page, osc("of another"));
		await until("the question", () => page.isVisible("#clip"));
		equal(await read(), "and again", "the clipboard");
		await page.close();
	},

	async a_flood_of_links() {
		const page = await fresh();
		await run(page, "clear; printf '\\e]8;;http://a.test/\\e\\\\linked\\e]8;;\\e\\\\\\n'", /^linked$/m);
		await run(page, "clear; for i in {1..60}; do printf '\\e]8;;http://a.test/%d\\e\\\\a\\e]8;;\\e\\\\\\n' {1..1000}; done; " +
			"echo all of them", /^all of them$/m);
		await run(page, "echo goes on", /^goes on$/m);
		await page.close();
	},

	async marks_without_end() {
		const page = await fresh();
		await run(page, "clear; printf 'e\\u0301x\\n'", /^e\u0301x$/m);
		await run(page, "clear; printf e; for i in {1..100}; do printf '\\u0301%.0s' {1..2000}; done; clear; echo goes on",
			/^goes on$/m);
		await page.close();
	},

	// Of many changes of colours the last ones are left out, but not the end of all.
	async colours_without_end() {
		const page = await fresh();
		const ground = () => page.$eval(".xterm-scrollable-element", (e) => getComputedStyle(e).backgroundColor);
		const own = await ground();
		await run(page, "printf '\\e]11;#123456\\a'");
		await until("a colour", async () => (await ground()) === "rgb(18, 52, 86)");
		await run(page, "clear; for i in {1..50}; do printf '\\e]11;#%06x\\a\\e]4;1;#%06x\\a' {1..1000}; done; clear; echo goes on",
			/^goes on$/m);
		await run(page, "clear; for i in {1..50}; do printf '\\e[?12h\\e[?12;25l\\e[20h\\e[20l%.0s' {1..1000}; done; clear; echo goes on",
			/^goes on$/m);
		await run(page, "kill -9 $$");
		await until("the end", async () => (await state(page)) === "ended");
		await until("its colour", async () => (await ground()) === own);
		await page.close();
	},

	// A screen does some things once for each of a count, or of a list.
	async counts_without_end() {
		const page = await fresh();
		await run(page, "clear; printf 'x\\e[3b\\e[2Iy\\e[Zz\\n'", /^xxxx +z$/m);
		for (const final of "LMSTIZb") {
			await run(page, `clear; printf 'a\\e[2000000000${final}'; echo; echo "${final} is"; echo over`,
				new RegExp(`^${final} is\nover$`, "m"));
			await run(page, `clear; printf 'a\\e[2147483647${final}'; echo; echo on`, /^on$/m);
		}
		for (const list of ["4%.0s", "104%.0s"])
			await run(page, `clear; printf '\\e]'; printf '${list.replace("%.0s", "")}';` +
				"for i in {1..20}; do printf ';1;#fff%.0s' {1..10000}; done;" +
				"printf '\\a'; echo listed", /^listed$/m);
		await page.close();
	},

	// Each character in colours that were not there before: they are not kept.
	async a_film() {
		const film = file("film", `BEGIN { srand(); for (f = 0; f < 150; f++) {
			printf "\\033[H"
			for (i = 0; i < 3000; i++)
				printf "\\033[38;2;%d;%d;%d;48;2;%d;%d;%dmx", rand() * 256, rand() * 256,
					rand() * 256, rand() * 256, rand() * 256, rand() * 256
			fflush(); system("sleep 0.3") } }`);
		const { web } = await scene();
		const fast = await launch(["--use-gl=angle", "--use-angle=swiftshader",
			"--enable-unsafe-swiftshader"]);
		const c = await context({}, fast);
		const page = await c.newPage();
		await page.goto(await web.newLink());
		await until("the terminal", async () => (await state(page)) === "open");
		const asks = await c.newCDPSession(page);
		const heap = async () => {
			await asks.send("HeapProfiler.collectGarbage");
			return (await asks.send("Runtime.getHeapUsage")).usedSize;
		};
		const before = await heap();
		await page.keyboard.type(`awk -f ${film}; printf '\\e]0;o%s\\a' ver`);
		await page.keyboard.press("Enter");
		await until("its end", async () => /^over/.test(await page.title()));
		const more = await heap() - before;
		if (more > 120e6)
			throw new Error(`${more} bytes are kept of it`);
		await c.close();
	},

	async mouse_for_programs() {
		const page = await fresh();
		await run(page, "stty raw -echo; printf '\\e[?1000h\\e[?1006hready\\r\\n'; " +
			"IFS= read -rsdm m; stty sane; printf '\\e[?1000l'; echo \"mouse ${m//[^0-9;Mm]/}\"", /^ready$/m);
		const box = await page.locator(".xterm-screen").boundingBox();
		await page.mouse.click(box.x + 100, box.y + 100);
		await sees(page, /^mouse 0;(\d+;\d+)M0;\1$/m);
		await page.close();
	},

	async find() {
		const page = await fresh();
		await run(page, "clear; echo hay; echo needle; echo hay", /needle\nhay/);
		await page.keyboard.press("Control+Shift+F");
		await page.keyboard.type("needle");
		await page.keyboard.press("Enter");
		await until("a selection", () => page.evaluate(() =>
			document.querySelectorAll(".xterm-selection > div").length > 0));
		equal(await page.textContent("#found"), "1 of 1", "how many");
		await page.fill("#needle", "hay");
		await page.keyboard.press("Enter");
		await until("two", async () => /^[12] of 2$/.test(await page.textContent("#found")));
		await page.fill("#needle", "straw");
		await page.keyboard.press("Enter");
		await until("none", async () => (await page.textContent("#found")) === "not found");
		await page.keyboard.press("Escape");
		equal(await page.isVisible("#search"), false, "the bar is there");
		await run(page, "echo back", /^back$/m); // the terminal has the keyboard
		await page.close();
	},

	async size_of_letters() {
		const page = await fresh();
		const height = async () => (await page.locator(".xterm-rows > div").first().boundingBox()).height;
		const before = await height();
		for (let i = 0; i < 5; i++)
			await page.keyboard.press("Control+Equal");
		await until("larger letters", async () => (await height()) > before * 1.2);
		await page.reload();
		await until("the terminal", async () => (await state(page)) === "open");
		await until("letters as large", async () => (await height()) > before * 1.2);
		await page.keyboard.press("Control+Digit0");
		await until("letters as before", async () => (await height()) === before);
		await page.close();
	},

	async title_is_text() {
		const page = await fresh();
		await run(page, "printf '\\e]0;<img src=x onerror=alert(1)>\\a'");
		await until("the title", async () =>
			/^<img src=x onerror=alert\(1\)> – a host$/.test(await page.title()));
		await run(page, "printf '\\e]0;a\\xe2\\x80\\xaeb\\x01c\\a'");
		await until("the title", async () => /^abc – a host$/.test(await page.title()));
		equal(await page.locator("img").count(), 0, "pictures in the page");
		await page.close();
	},

	async links_open_apart() {
		const page = await fresh();
		const { c, web } = await scene();
		await run(page, `clear; echo ${web.base}nothing`, /^http.*nothing$/m);
		const box = await page.locator(".xterm-rows > div", { hasText: /^http/ }).last().boundingBox();
		await page.mouse.move(box.x + 30, box.y + box.height / 2);
		await until("the link", async () => (await page.locator(".xterm-cursor-pointer").count()) > 0);
		const opened = c.waitForEvent("page");
		await page.mouse.click(box.x + 30, box.y + box.height / 2);
		const other = await opened;
		equal(await other.evaluate(() => window.opener), null, "its opener");
		await other.close();
		await page.close();
	},

	async bell() {
		const page = await fresh();
		await page.evaluate(() => {
			new MutationObserver(() => (document.body.dataset.rung = "yes"))
				.observe(document.getElementById("terminal"), { attributeFilter: ["class"] });
		});
		await run(page, "printf '\\a'");
		await until("the bell", () => page.evaluate(() => document.body.dataset.rung === "yes"));
		// Many of them are one: the page goes on.
		await page.evaluate(() => {
			window.flashes = 0;
			new MutationObserver((all) => (window.flashes += all.length))
				.observe(document.getElementById("terminal"), { attributeFilter: ["class"] });
		});
		await run(page, "clear; head -c 100000 /dev/zero | tr '\\0' '\\a'; echo rung", /^rung$/m);
		const flashes = await page.evaluate(() => window.flashes);
		if (flashes > 1000)
			throw new Error(`it flashed ${flashes} times`);
		await page.close();
	},

	async ends_with_a_status() {
		const page = await fresh();
		await run(page, "exit 4");
		await until("the end", async () => (await state(page)) === "ended");
		equal(await status(page), "ended with status 4", "status");
		await page.keyboard.press("Enter");
		await until("another one", async () => (await state(page)) === "open");
		await sees(page, /\$$/m);
		await run(page, "kill -9 $$");
		await until("the end", async () => (await state(page)) === "ended");
		equal(await status(page), "ended by signal KILL", "status");
		await page.click("#again");
		await until("another one", async () => (await state(page)) === "open");
		await page.close();
	},

	async two_tabs() {
		const one = await fresh();
		const two = await fresh();
		await run(one, "x=one; echo $x-$x", /^one-one$/m);
		await run(two, "echo \"[$x]\"", /^\[\]$/m);
		await run(one, "exit");
		await until("the end of one", async () => (await state(one)) === "ended");
		await run(two, "echo goes on", /^goes on$/m);
		await one.close();
		await two.close();
	},

	async reader_mode() {
		const page = await fresh();
		equal(await page.locator(".xterm-accessibility-tree").count(), 0, "trees before");
		await page.click("#reader");
		await run(page, "echo read to me");
		await until("the text", async () =>
			/read to me/.test(await page.locator(".xterm-accessibility-tree").innerText()));
		equal(await page.getAttribute("#reader", "aria-pressed"), "true", "the button");
		await page.close();
	},

	async keyboard_alone() {
		const page = await fresh();
		await page.keyboard.press("Control+Shift+Period");
		const names = [];
		for (let i = 0; i < 6; i++) {
			await until("another button", async () => (await focused(page)) !== names.at(-1));
			names.push(await focused(page));
			await page.keyboard.press("Tab");
		}
		equal(names.join(), "find,files,smaller,larger,reader,help", "buttons by Tab");
		await page.focus("#help");
		await page.keyboard.press("Enter");
		await until("the help", () => page.isVisible("#help-dialog"));
		await page.keyboard.press("Escape");
		await until("no help", async () => !(await page.isVisible("#help-dialog")));
		await until("the terminal", () => page.evaluate(() =>
			document.activeElement.classList.contains("xterm-helper-textarea")));
		await page.keyboard.type("echo back");
		await page.keyboard.press("Enter");
		await sees(page, /^back$/m);
		await page.close();
	},

	async flood_can_be_stopped() {
		const page = await fresh();
		await run(page, "yes flood", /^flood$/m);
		await sleep(500);
		await page.keyboard.press("Control+c");
		await run(page, "echo stopped", /^stopped$/m);
		await page.close();
	},

	async ten_megabytes() {
		const page = await fresh();
		await run(page, "clear; head -c 7500000 /dev/urandom | base64; echo the-end", /^the-end$/m);
		const heap = await page.evaluate(() => performance.memory?.usedJSHeapSize ?? 0);
		if (heap > 300e6)
			throw new Error(`the page holds ${heap} bytes`);
		await run(page, "echo goes on", /^goes on$/m);
		await page.close();
	},
};
