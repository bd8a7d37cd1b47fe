// SPDX-License-Identifier: ISC
// What the tests of the page share: a host, a skyptyd http, a browser.
import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";

const bin = process.env.BIN;
export const shots = process.env.SHOTS;
export const dir = mkdtempSync("/tmp/skypty-web-");
const running = new Set();
const closers = [];
export const complaints = []; // of the browser, in all tests

export { sleep };

// A machine may have much else to do: only what never comes is a failure.
export const PATIENCE_MS = 240000;

/** Waits until check() is true, or fails. */
export async function until(what, check, ms = PATIENCE_MS) {
	for (const end = Date.now() + ms; Date.now() < end; await sleep(25))
		if (await check())
			return;
	throw new Error("waited too long for " + what);
}

export function equal(got, want, what) {
	if (got !== want)
		throw new Error(`${what}: ${JSON.stringify(got)}, expected ${JSON.stringify(want)}`);
}

export function matches(got, pattern, what) {
	if (!pattern.test(got))
		throw new Error(`${what}: ${JSON.stringify(got)}, expected ${pattern}`);
}

/** One that the kernel gives nobody by itself: others run beside us. */
export async function freePort() {
	for (;;) {
		const port = 10000 + Math.floor(Math.random() * 22000);
		const free = await new Promise((resolve) => {
			const server = createServer().on("error", () => resolve(false));
			server.listen(port, () => server.close(() => resolve(true)));
		});
		if (free)
			return port;
	}
}

/** A program of ours; its lines are kept. */
function start(name, args) {
	const child = spawn(join(bin, name), args, { stdio: ["ignore", "pipe", "pipe"] });
	child.out = "";
	child.err = "";
	child.stdout.on("data", (data) => (child.out += data));
	child.stderr.on("data", (data) => (child.err += data));
	child.ended = new Promise((resolve) => child.on("exit", (code) => {
		running.delete(child);
		resolve(code);
	}));
	running.add(child);
	return child;
}

/** A host on loopback, with a control socket. */
export class Host {
	static async start() {
		const host = new Host();
		host.conf = join(dir, `host${closers.length}.json`);
		host.socket = join(dir, `s${closers.length}`);
		host.port = await freePort();
		execFileSync(join(bin, "skyptyd"), ["confgen", host.conf]);
		closers.push(() => host.stop());
		await host.up();
		return host;
	}

	async up() {
		const { pk } = JSON.parse(execFileSync("cat", [this.conf]));
		this.pk = pk;
		this.child = start("skyptyd", ["tcp", "-c", this.conf, "--allow", pk,
			"--addr", `127.0.0.1:${this.port}`, "--cliaddr", this.socket]);
		await until("the host", () => /Control socket/.test(this.child.err));
	}

	/** With all its connections, unless gently. */
	async stop(gently = false) {
		this.child.kill("SIGTERM");
		// Signals that come close together are one.
		while (!gently && running.has(this.child)) {
			await Promise.race([this.child.ended, sleep(100)]);
			this.child.kill("SIGTERM");
		}
		await this.child.ended;
	}
}

// A shell that looks the same everywhere and remembers nothing.
const SHELL = ["--cmd", "/usr/bin/env", "--arg", "PS1=$ ", "--arg", "HISTFILE=/dev/null",
	"--arg", "/bin/bash", "--arg", "--norc", "--arg", "--noprofile"];

/** A skyptyd http for that host. */
export class Web {
	static async start(host, args = [], { shell = SHELL, port, where } = {}) {
		const web = new Web();
		web.port = port ?? await freePort();
		web.child = start("skyptyd", ["http", "--haddr", host.socket, "--title", "a host",
			...(where ?? ["--addr", `127.0.0.1:${web.port}`]), ...shell, ...args]);
		await until("skyptyd http", () => web.child.out.includes("\n"));
		web.base = web.link().replace(/\?.*/, "");
		closers.push(() => web.stop());
		return web;
	}

	/** The last one that was printed. */
	link() {
		return this.child.out.trim().split("\n").at(-1);
	}

	async newLink() {
		const before = this.child.out.length;
		this.child.kill("SIGUSR1");
		await until("a link", () => this.child.out.length > before);
		return this.link();
	}

	/** The process that meets browsers. */
	confined() {
		return Number(execFileSync("pgrep", ["-P", String(this.child.pid)]).toString());
	}

	async stop() {
		this.child.kill("SIGTERM");
		await this.child.ended;
	}
}

let browser;
let serial = 0;

/** Without WebGL the screen is text in the page, which can be read. */
export async function launch(args = ["--disable-gpu", "--disable-webgl", "--disable-3d-apis"]) {
	const b = await chromium.launch({
		timeout: PATIENCE_MS,
		executablePath: process.env.CHROMIUM,
		args: ["--no-sandbox", "--host-resolver-rules=MAP *.test 127.0.0.1", ...args],
	});
	closers.push(() => b.close());
	return b;
}

/** One user of a browser.  Whatever it complains about is an error at the end. */
export async function context(options = {}, b = undefined) {
	browser ??= await launch();
	const c = await (b ?? browser).newContext({
		viewport: { width: 900, height: 600 }, colorScheme: "dark", ...options });
	c.setDefaultTimeout(PATIENCE_MS);
	c.on("page", (page) => {
		const note = (text) => complaints.push(text);
		page.origins = new Set();
		page.on("pageerror", (e) => note(String(e)));
		page.on("console", (m) => {
			if (/Content.Security.Policy|Refused to/i.test(m.text()) && !page.mayComplain)
				note(m.text());
		});
		page.on("request", (r) => {
			const url = new URL(r.url());
			if (!["data:", "blob:"].includes(url.protocol))
				page.origins.add(url.origin.replace(/^ws/, "http"));
		});
	});
	return c;
}

export function state(page) {
	return page.evaluate(() => document.getElementById("state").dataset.state);
}

export function status(page) {
	return page.textContent("#status");
}

/** A page with a terminal that runs. */
export async function open(c, url) {
	const page = await c.newPage();
	await page.goto(url);
	await until("the terminal", async () => (await state(page)) === "open");
	await sees(page, /\$$/m);
	return page;
}

/** What is on the screen, with the DOM renderer. */
export async function screen(page) {
	const rows = await page.$$eval(".xterm-rows > div",
		(divs) => divs.map((d) => d.textContent.replace(/\u00a0/g, " ").trimEnd()));
	return rows.join("\n").trimEnd();
}

export async function sees(page, pattern, ms) {
	let last = "";
	try {
		await until(pattern, async () => pattern.test(last = await screen(page)), ms);
	} catch (error) {
		throw new Error(`${error.message}; on the screen:\n${last}`);
	}
	return last.match(pattern);
}

/** Types a line, and waits for what is to be seen. */
export async function run(page, line, pattern, ms) {
	await page.locator(".xterm-helper-textarea").focus();
	await page.keyboard.type(line);
	await page.keyboard.press("Enter");
	return pattern ? sees(page, pattern, ms) : undefined;
}

/** Runs a program that ends by a signal only, and waits until it is there. */
export async function runs(page, program = "sleep 1000") {
	const name = "runs" + serial++;
	await run(page, `sh -c 'echo ${name}; exec ${program}'`, new RegExp(`^${name}$`, "m"));
}

/** A request that is none of a browser's. */
export async function ask(url, headers = {}) {
	const reply = await new Promise((resolve, reject) =>
		request(url, { headers, agent: false }, resolve).on("error", reject).end());
	let text = "";
	for await (const piece of reply)
		text += piece;
	return { status: reply.statusCode, headers: reply.headers, text };
}

export function file(name, content) {
	const path = join(dir, name);
	writeFileSync(path, content);
	return path;
}

export async function cleanUp() {
	for (const close of closers.reverse())
		await Promise.race([close(), sleep(5000)]).catch(() => {});
	for (const child of running)
		child.kill("SIGKILL");
	rmSync(dir, { recursive: true, force: true });
}
