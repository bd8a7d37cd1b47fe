// SPDX-License-Identifier: ISC
// The connection: lost, made again, limited.
import { connect, createServer } from "node:net";
import { Host, Web, context, equal, freePort, matches, open, run, screen, sees, sleep, state, status,
	until } from "./lib.mjs";
import { scene } from "./terminal.mjs";

/** A way to a port that can be cut. */
async function proxy(to) {
	const port = await freePort();
	const sockets = new Set();
	let dead = false;
	let held = false;
	const server = createServer((from) => {
		if (dead)
			return from.destroy();
		if (held) {
			sockets.add(from);
			from.on("error", () => {});
			return;
		}
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
		/** Nothing moves any more, and nobody is told. */
		hold() {
			held = true;
			for (const s of sockets)
				s.unpipe().pause();
		},
		mend() {
			dead = held = false;
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
		await run(page, "echo before; printf '\\e[?1049h\\e[?1003h\\e[?1006hinside'", /^inside/m);
		way.cut(true);
		await until("it is lost", async () => (await state(page)) === "lost");
		await until("a countdown", async () => /^again in \d+ s$/.test(await page.textContent("#wait")));
		way.mend();
		await until("the terminal", isOpen(page));
		// On the screen as it was, without the mouse.
		await sees(page, /^before$[^]*\$$/m);
		for (let x = 100; x < 500; x += 50)
			await page.mouse.move(x, 200);
		await run(page, "clear; echo behind", /^behind\n\$$/m);
		way.cut(true);
		await until("it is lost", async () => (await state(page)) === "lost");
		way.mend();
		await page.click("#again");
		await until("the terminal", isOpen(page));
		await c.close();
		way.close();
	},

	// Nobody tells the page that the network is gone, and what was typed meanwhile
	// is neither there nor forgotten.
	async a_silent_network() {
		const { host } = await scene();
		const port = await freePort();
		const way = await proxy(port);
		const web = await Web.start(host, ["--origin", `http://127.0.0.1:${way.port}`], { port });
		const c = await context();
		const page = await open(c, web.link());
		await run(page, "echo before", /^before$/m);
		// All of that has arrived.
		await until("the answer to a question", () => page.evaluate(() =>
			new Promise((resolve) => setTimeout(() => resolve(true), 5000))));
		way.hold();
		await page.keyboard.type("grün");
		await until("it is lost", async () => (await state(page)) === "lost", 60000);
		equal(await status(page),
			"nothing is heard of the host; of what was typed last 4 may not have arrived", "status");
		await page.keyboard.type("x");
		await until("it is told", async () => /nothing is typed/.test(await page.textContent("#note")));
		// What is asked over HTTP hangs as well, and holds up nothing.
		await until("another try", async () => (await state(page)) === "connecting");
		await until("its end", async () => (await state(page)) === "lost");
		way.mend();
		await until("the terminal", isOpen(page));
		await sees(page, /^ connection lost; of what was typed last 4 characters may not have arrived$/m);
		await run(page, "echo behind", /^behind$/m);
		await c.close();
		way.close();
	},

	// The first connection is refused at once, whatever else hangs.
	async a_cut_while_the_rest_hangs() {
		const { host } = await scene();
		const port = await freePort();
		const way = await proxy(port);
		const web = await Web.start(host, ["--origin", `http://127.0.0.1:${way.port}`], { port });
		const c = await context();
		const page = await open(c, web.link());
		let hang = true;
		await c.route("**/config.json", (route) => hang ? undefined : route.continue());
		way.cut(true);
		await until("it is lost", async () => (await state(page)) === "lost", 5000);
		way.mend();
		await until("the terminal", isOpen(page));
		hang = false;
		await c.close();
		way.close();
	},

	async a_busy_host_is_no_lost_one() {
		const { host, c } = await scene();
		const web = await Web.start(host);
		const page = await open(c, await web.link());
		const states = await page.evaluateHandle(() => {
			const seen = [];
			new MutationObserver(() => seen.push(document.getElementById("state").dataset.state))
				.observe(document.getElementById("state"), { attributes: true });
			return seen;
		});
		process.kill(web.confined(), "SIGSTOP");
		await sleep(12000);
		process.kill(web.confined(), "SIGCONT");
		await run(page, "echo still here", /^still here$/m);
		equal((await states.jsonValue()).join(), "", "other states");
		await page.close();
	},

	async begins_when_nobody_is_there() {
		const { host } = await scene();
		const port = await freePort();
		const way = await proxy(port);
		const web = await Web.start(host, ["--origin", `http://127.0.0.1:${way.port}`], { port });
		const c = await context();
		let fail = true;
		await c.route("**/config.json", (route) => fail ? route.abort() : route.continue());
		const page = await c.newPage();
		await page.goto(web.link());
		await until("it is told", async () => (await status(page)) === "nobody answers");
		await until("it is lost", async () => (await state(page)) === "lost");
		fail = false;
		await until("the terminal", isOpen(page));
		matches(await page.title(), /a host$/, "the title");
		await run(page, "echo in", /^in$/m);
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
		await until("the terminal", isOpen(page));
		await run(page, "clear; echo again", /^again$/m);
		await c.close();
	},

	async says_that_it_is_signed_out() {
		const { host } = await scene();
		const web = await Web.start(host);
		const c = await context();
		const page = await open(c, web.link());
		process.kill(web.confined(), "SIGKILL"); // its cookies die with it
		await until("it is told", async () => /signed out/.test(await status(page)));
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
		// Its end may come behind the next one's beginning.
		await until("the terminal", async () => {
			if ((await state(two)) === "failed")
				await two.click("#again");
			return isOpen(two)();
		});
		await c.close();
	},

	async idle() {
		const { host } = await scene();
		// Output, and what the page says of it by itself, is not typing.
		const web = await Web.start(host, ["--idle-timeout", "10s"], { shell: ["--cmd", "/bin/sh",
			"--arg", "-c", "--arg", "while sleep 0.2; do echo output; done"] });
		const c = await context();
		const page = await c.newPage();
		await page.goto(web.link());
		await sees(page, /^output$/m);
		await until("the end", async () => (await state(page)) === "ended");
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
