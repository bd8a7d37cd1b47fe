// SPDX-License-Identifier: ISC
// The terminal in the browser against the same shell in tmux: how long a key
// takes to its echo on the screen, and 50 MB of output.
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Host, Web, cleanUp, context, file, launch, sleep, state, until } from "./lib.mjs";

const KEYS = 200;
const BULK = 50e6;
const here = dirname(fileURLToPath(import.meta.url));
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

const host = await Host.start();
const web = await Web.start(host);
const data = file("data", ("x".repeat(99) + "\n").repeat(BULK / 100));
const tmux = JSON.parse(execFileSync("python3", [join(here, "../bench/tmux.py"), data,
	join(process.env.BIN, "skypty"), "shell", "-r", host.socket, "--cmd", "/usr/bin/env",
	"-a", "PS1=$ ,HISTFILE=/dev/null,/bin/bash,--norc"]));

/** With the faster screen, or with the one that can be read. */
async function page(args) {
	const c = await context({ viewport: { width: 920, height: 570 } }, await launch(args));
	const p = await c.newPage();
	await p.goto(await web.newLink());
	await until("the terminal", async () => (await state(p)) === "open");
	await sleep(500);
	await p.locator(".xterm-helper-textarea").focus();
	return p;
}

async function enter(p, line) {
	await p.keyboard.type(line);
	await p.keyboard.press("Enter");
}

// From the event of the key to the change of the screen, both seen by the page.
const p = await page(["--disable-gpu", "--disable-webgl", "--disable-3d-apis"]);
await enter(p, "cat >/dev/null");
await sleep(500);
await p.evaluate(() => {
	globalThis.times = [];
	let pressed = 0;
	addEventListener("keydown", () => (pressed = performance.now()), true);
	new MutationObserver(() => {
		if (pressed) {
			times.push(performance.now() - pressed);
			pressed = 0;
		}
	}).observe(document.querySelector(".xterm-rows"),
		{ childList: true, subtree: true, characterData: true });
});
for (let i = 0; i < KEYS; i++) {
	await p.keyboard.press("abcdefghijklmnopqrstuvwxyz"[i % 26]);
	await sleep(20);
}
const times = await p.evaluate(() => times);
const key = median(times);

// The end is told by the title, which is set when all before it is parsed.
async function bulk(args) {
	const q = await page(args);
	const done = q.waitForFunction(() => document.title.startsWith("all is seen"), null,
		{ timeout: 300000, polling: 20 });
	const begun = performance.now();
	await enter(q, `cat ${data}; printf '\\e]0;all is seen\\a'`);
	await done;
	const took = (performance.now() - begun) / 1000;
	await q.context().close();
	return took;
}

const plain = await bulk(["--disable-gpu", "--disable-webgl", "--disable-3d-apis"]);
const webgl = await bulk(["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]);
const line = (what, value, base, unit) =>
	console.log(`${what}: ${(value / base).toFixed(2)} (${value.toFixed(1)} ${unit}, tmux ${base.toFixed(1)} ${unit})`);
line(`browser: key to screen, median of ${times.length} / tmux`, key, tmux.key_ms, "ms");
line("browser: 50 MB of output, time / tmux", plain, tmux.bulk_s, "s");
line("browser: the same by WebGL without a graphics card / tmux", webgl, tmux.bulk_s, "s");
await cleanUp();
process.exit(0);
