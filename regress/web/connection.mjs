// SPDX-License-Identifier: ISC
// The connection: lost, made again, limited.
import { connect, createServer } from "node:net";
import { Host, Web, context, equal, freePort, open, run, screen, sees, sleep, state, status,
	until } from "./lib.mjs";
import { scene } from "./terminal.mjs";

/** A way to a port that can be cut. */
async function proxy(to) {
	const port = await freePort();
	const sockets = new Set();
	let dead = false;
	const server = createServer((from) => {
		if (dead)
			return from.destroy();
		const on = connect(to, "127.0.0.1");
		for (const [a, b] of [[from, on], [on, from]]) {
			sockets.add(a);
			a.on("error", () => {});
			a.on("close", () => b.destroy());
			a.pipe(b);
		}
	});
	await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
	return {
		port,
		cut(forGood) {
			dead = forGood;
			for (const s of sockets)
				s.destroy();
		},
		mend() {
			dead = false;
		},
		close() {
			this.cut(true);
			server.close();
		},
	};
}

const isOpen = (page) => async () => (await state(page)) === "open";

export const tests = {
	async comes_back_when_cut() {
		const { host } = await scene();
		const port = await freePort();
		const way = await proxy(port);
		const name = `http://127.0.0.1:${way.port}`;
		const web = await Web.start(host, ["--origin", name], { port });
		const c = await context();
		const page = await open(c, web.link());
		await run(page, "echo before", /^before$/m);
		way.cut(true);
		await until("it is lost", async () => (await state(page)) === "lost");
		await until("a countdown", async () => /^again in \d+ s$/.test(await page.textContent("#wait")));
		way.mend();
		await until("the terminal", isOpen(page), 20000);
		await run(page, "clear; echo behind", /^behind$/m);
		way.cut(true);
		await until("it is lost", async () => (await state(page)) === "lost");
		way.mend();
		await page.click("#again");
		await until("the terminal", isOpen(page));
		await c.close();
		way.close();
	},

	async comes_back_with_the_host() {
		const host = await Host.start();
		const web = await Web.start(host);
		const c = await context();
		const page = await open(c, web.link());
		await host.stop();
		await until("it is lost", async () => (await state(page)) === "lost");
		await sleep(700);
		await host.up();
		await until("the terminal", isOpen(page), 30000);
		await run(page, "clear; echo again", /^again$/m);
		await c.close();
	},

	async says_that_it_is_signed_out() {
		const { host } = await scene();
		const web = await Web.start(host);
		const c = await context();
		const page = await open(c, web.link());
		process.kill(web.confined(), "SIGKILL"); // its cookies die with it
		await until("it is told", async () => /signed out/.test(await status(page)), 20000);
		equal(await state(page), "failed", "state");
		await until("a new link", () => web.child.out.trim().split("\n").length === 2);
		const again = await open(c, web.link());
		await run(again, "echo in again", /^in again$/m);
		await c.close();
	},

	async the_shell_ends_with_the_browser() {
		const { host } = await scene();
		const web = await Web.start(host);
		const c = await context();
		const page = await open(c, web.link());
		const [, pid] = await run(page, "echo pid $$ .", /^pid (\d+) \.$/m);
		process.kill(Number(pid), 0);
		await c.close();
		await until("the shell's end", () => {
			try {
				process.kill(Number(pid), 0);
				return false;
			} catch {
				return true;
			}
		});
	},

	async look_only() {
		const { host } = await scene();
		const web = await Web.start(host, ["--readonly"],
			{ shell: ["--cmd", "/bin/sh", "--arg", "-c", "--arg", "echo '$ '; read x; echo typed $x; sleep 100"] });
		const c = await context();
		const page = await open(c, web.link());
		await until("it is told", async () => (await status(page)) === "connected, look only");
		await page.keyboard.type("abc\n");
		await sleep(500);
		if (/typed|abc/.test(await screen(page)))
			throw new Error("something was typed");
		equal(await page.isVisible("#files"), false, "files are offered");
		await c.close();
	},

	async too_many() {
		const { host } = await scene();
		const web = await Web.start(host, ["--max-clients", "1"]);
		const c = await context();
		const one = await open(c, web.link());
		const two = await c.newPage();
		await two.goto(web.base);
		await until("it is told", async () => (await status(two)) === "too many terminals are open");
		await run(one, "echo goes on", /^goes on$/m);
		await one.close();
		await two.click("#again");
		await until("the terminal", isOpen(two));
		await c.close();
	},

	async idle() {
		const { host } = await scene();
		const web = await Web.start(host, ["--idle-timeout", "2s"]);
		const c = await context();
		const page = await open(c, web.link());
		// Output, and what the page says of it by itself, is not typing.
		await run(page, "while sleep 0.2; do echo output; done");
		await until("the end", async () => (await state(page)) === "ended", 8000);
		equal(await status(page), "ended: nothing was typed for too long", "status");
		await page.keyboard.press("Enter");
		await until("the terminal", isOpen(page));
		await c.close();
	},

	async once() {
		const { host } = await scene();
		const web = await Web.start(host, ["--once"]);
		const c = await context();
		const page = await open(c, web.link());
		const other = await c.newPage();
		await other.goto(web.base);
		await until("it is told", async () => (await status(other)) === "too many terminals are open");
		await run(page, "exit");
		equal(await web.child.ended, 0, "its exit status");
		await c.close();
	},

	async commands_from_a_list() {
		const { host } = await scene();
		const web = await Web.start(host, ["--commands", "hi=echo hello from the list"]);
		const c = await context();
		await (await open(c, web.link())).close();
		const page = await c.newPage();
		await page.goto(web.base + "?commands=hi");
		await sees(page, /^hello from the list$/m);
		await page.goto(web.base + "?commands=other");
		await until("it is refused", async () => (await state(page)) === "lost");
		await c.close();
	},
};
