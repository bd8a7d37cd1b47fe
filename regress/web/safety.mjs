// SPDX-License-Identifier: ISC
// Who is let in, and what other pages can do: nothing.
import { execFileSync } from "node:child_process";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { Web, ask, context, dir, equal, freePort, launch, matches, open, run, screen,
	sees, state, status, until } from "./lib.mjs";
import { scene } from "./terminal.mjs";

/** Serves one text as a page. */
async function site(html, host = "127.0.0.1") {
	const port = await freePort();
	const server = createServer((_, reply) => {
		reply.setHeader("content-type", "text/html");
		reply.end(html);
	});
	await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
	return { url: `http://${host}:${port}/`, close: () => server.close() };
}

/** Whether a WebSocket opens in that page. */
function socketOpens(page, url) {
	page.mayComplain = true;
	return page.evaluate((u) => new Promise((resolve) => {
		const s = new WebSocket(u, "skypty.1");
		s.onopen = () => resolve(true);
		s.onerror = () => resolve(false);
	}), url);
}

const asWs = (url) => url.replace(/^http/, "ws");

export const tests = {
	async a_link_is_good_once() {
		const { host } = await scene();
		const web = await Web.start(host);
		const link = web.link();
		matches(link, /^http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]{64}$/, "the link");
		const c = await context();
		const page = await open(c, link);
		equal(page.url(), web.base, "address");
		equal(await page.evaluate(() => history.length), 2, "history"); // about:blank, and it
		await page.goBack();
		if (page.url().includes("token"))
			throw new Error("the token is in the history");
		const thief = await context();
		const stolen = await thief.newPage();
		equal((await stolen.goto(link)).status(), 403, "the link once more");
		matches(await stolen.textContent("body"), /SIGUSR1/, "what the thief reads");
		equal((await stolen.goto(web.base)).status(), 401, "without a link");
		const fresh = await web.newLink();
		equal((await stolen.goto(link)).status(), 403, "the old link");
		await open(thief, fresh);
		await thief.close();
		await c.close();
	},

	async nothing_without_a_cookie() {
		const { web } = await scene();
		for (const name of ["", "app.js", "xterm.mjs", "config.json", "licences.txt", "nothing"])
			equal((await ask(web.base + name)).status, 401, name);
		for (const cookie of ["", "x", "0".repeat(64), "f".repeat(63), "%00"])
			equal((await ask(web.base, { cookie: `skypty${web.port}=${cookie}` })).status, 401, cookie);
		const c = await context();
		const page = await c.newPage();
		equal((await page.goto(web.base)).status(), 401, "the page");
		equal(await socketOpens(page, asWs(web.base)), false, "a WebSocket");
		await c.close();
	},

	async cookie_is_kept_close() {
		const { c, web } = await scene();
		const cookie = (await c.cookies()).find((k) => k.name === "skypty" + web.port);
		equal(cookie.httpOnly, true, "HttpOnly");
		equal(cookie.sameSite, "Strict", "SameSite");
		const page = await open(c, web.base);
		equal(await page.evaluate(() => document.cookie), "", "cookies of scripts");
		equal([...page.origins].join(), web.base.slice(0, -1), "origins that it asked");
		await page.close();
	},

	async cookie_expires() {
		const { host } = await scene();
		const web = await Web.start(host, ["--session-ttl", "60s"]);
		const c = await context();
		const page = await open(c, web.link());
		await until("the end of the cookie", async () =>
			(await c.request.get(web.base)).status() === 401);
		// What runs goes on; what is lost does not come back.
		await run(page, "echo goes on", /^goes on$/m);
		await run(page, "exit");
		await until("the end", async () => (await state(page)) === "ended");
		await page.click("#again");
		await until("it is told", async () => /signed out/.test(await status(page)));
		await c.close();
	},

	async other_pages_get_nothing() {
		const { c, web } = await scene();
		for (const host of ["127.0.0.1", "evil.test"]) {
			const evil = await site(`<iframe src="${web.base}"></iframe><img src="${web.base}favicon.svg">`, host);
			const page = await c.newPage();
			page.mayComplain = true;
			await page.goto(evil.url);
			equal(await socketOpens(page, asWs(web.base)), false, "a WebSocket of " + host);
			equal(await socketOpens(page, asWs(web.base) + "sftp"), false, "files, of " + host);
			equal(await page.evaluate((u) => fetch(u, { credentials: "include" })
				.then((r) => r.text(), () => "refused"), web.base + "config.json"), "refused",
			"config.json for " + host);
			await until("the frame", () => page.frames().length === 2);
			equal(await page.frames()[1].locator("#terminal").count(), 0, "terminals in a frame");
			await page.close();
			evil.close();
		}
	},

	// A token is no use to a page that guesses: its tries are none.
	async other_pages_lock_nobody_out() {
		const { host } = await scene();
		const web = await Web.start(host);
		const c = await context();
		const tries = Array.from({ length: 50 },
			(_, i) => `<img src="${web.base}?token=${String(i).padStart(64, "0")}">`).join("");
		const evil = await site(tries);
		const page = await c.newPage();
		page.mayComplain = true;
		await page.goto(evil.url, { waitUntil: "load" });
		await page.close();
		await open(c, web.link());
		await c.close();
		evil.close();
	},

	async a_link_from_another_site() {
		const { host } = await scene();
		const web = await Web.start(host);
		const mail = await site(`<a href="${web.link()}">your terminal</a>`, "mail.test");
		const c = await context();
		const page = await c.newPage();
		await page.goto(mail.url);
		await page.click("a");
		await until("the terminal", async () =>
			page.url() === web.base && (await state(page).catch(() => "")) === "open");
		await c.close();
		mail.close();
	},

	async wrong_tokens_are_harmless() {
		const { host } = await scene();
		const web = await Web.start(host);
		const wrong = web.base + "?token=" + "0".repeat(64);
		for (let i = 0; i < 50; i++)
			equal((await ask(wrong)).status, 403, "a wrong token");
		equal((await ask(web.link())).status, 303, "the right one, after many");
		await until("the log", () => /Refused a token of 127\.0\.0\.1/.test(web.child.err));
		if (web.child.err.includes("0".repeat(64)))
			throw new Error("the token is in the log");
	},

	async other_names() {
		const { host } = await scene();
		const web = await Web.start(host);
		const c = await context();
		const page = await open(c, web.link());
		// By DNS it is here, by its name it is not.
		const evil = await c.newPage();
		const rebound = await evil.goto(`http://evil.test:${web.port}/`);
		equal(rebound.status(), 403, "a page of another name");
		equal(await socketOpens(evil, `ws://evil.test:${web.port}/`), false, "a WebSocket of its own");
		await page.close();
		await c.close();
		const good = await Web.start(host, ["--origin", "http://good.test:" + (web.port + 1)],
			{ port: web.port + 1 });
		const d = await context();
		await open(d, good.link());
		matches(good.link(), /^http:\/\/good\.test/, "the link");
		await d.close();
	},

	async only_our_scripts() {
		const { c, web } = await scene();
		const page = await open(c, web.base);
		page.mayComplain = true;
		const ran = await page.evaluate(() => new Promise((resolve) => {
			globalThis.ran = false;
			document.addEventListener("securitypolicyviolation", (e) =>
				resolve(e.effectiveDirective + " " + globalThis.ran));
			const script = document.createElement("script");
			script.textContent = "globalThis.ran = true";
			document.body.append(script);
			setTimeout(() => resolve("no violation " + globalThis.ran), 30000);
		}));
		equal(ran, "script-src-elem false", "a script in the page");
		const elsewhere = await page.evaluate(() =>
			fetch("http://127.0.0.1:1/").then(() => "sent", (e) => String(e)));
		matches(elsewhere, /TypeError/, "a request to another origin");
		const { headers } = await c.request.get(web.base).then((r) => ({ headers: r.headers() }));
		matches(headers["content-security-policy"], /^default-src 'none'; script-src 'self';/, "policy");
		equal(headers["referrer-policy"], "no-referrer", "referrers");
		await page.close();
	},

	async the_faster_screen() {
		const { web } = await scene();
		const fast = await launch(["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]);
		const c = await context({}, fast);
		const page = await c.newPage();
		await page.goto(await web.newLink());
		await until("the terminal", async () => (await state(page)) === "open");
		await until("WebGL", () => page.evaluate(() =>
			document.querySelectorAll(".xterm-screen canvas").length > 0));
		equal((await screen(page)).trim(), "", "text in the page");
		await page.keyboard.type("stty -echo; clear; printf '\\e[48;2;200;10;20m%500s'");
		await page.keyboard.press("Enter");
		await until("colour", async () => {
			const [r, g, b] = await pixel(page, 40, 60);
			return r > 180 && g < 40 && b < 50;
		});
		await c.close();
	},

	async tls() {
		const { host } = await scene();
		const [cert, key] = [join(dir, "cert"), join(dir, "key")];
		execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
			"-nodes", "-days", "2", "-subj", "/CN=skypty", "-keyout", key, "-out", cert],
		{ stdio: "ignore" });
		const web = await Web.start(host, ["--tls-cert", cert, "--tls-key", key]);
		matches(web.link(), /^https:/, "the link");
		const c = await context({ ignoreHTTPSErrors: true });
		const page = await open(c, web.link());
		await run(page, "echo over TLS", /^over TLS$/m);
		equal((await c.cookies())[0].secure, true, "Secure");
		// Who speaks in clear there is told nothing, and hurts nobody.
		const plain = connect(web.port, "127.0.0.1");
		let got = "";
		plain.on("data", (data) => (got += data));
		plain.on("error", () => {});
		plain.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
		await until("its end", () => plain.closed);
		if (/200|401|<html/.test(got))
			throw new Error("answered in clear: " + got);
		await run(page, "echo goes on", /^goes on$/m);
		await c.close();
	},

	async below_a_path() {
		const { host } = await scene();
		const web = await Web.start(host, ["--base-path", "/a/term"]);
		matches(web.base, /\/a\/term\/$/, "the link");
		const c = await context();
		const page = await open(c, web.link());
		await run(page, "echo below", /^below$/m);
		equal((await c.cookies())[0].path, "/a/term/", "the cookie's path");
		equal((await ask(new URL("/", web.base))).status, 404, "the top");
		equal((await ask(web.base.slice(0, -1))).status, 301, "without the slash");
		await c.close();
	},

	async behind_a_proxy() {
		const { host } = await scene();
		const path = join(dir, "unix");
		const port = await freePort();
		const name = `http://127.0.0.1:${port}`;
		await Web.start(host, ["--origin", name, "--auth-header", "X-User"],
			{ where: ["--unix", path] });
		let user = "admin";
		const head = (from) => ({ ...from.headers, "x-user": user });
		const proxy = createServer((from, to) => {
			if (!user)
				delete from.headers["x-user"];
			from.pipe(request({ socketPath: path, path: from.url, headers: user ? head(from) : from.headers },
				(reply) => {
					to.writeHead(reply.statusCode, reply.headers);
					reply.pipe(to);
				}));
		});
		proxy.on("upgrade", (from, socket) => {
			const on = connect(path);
			const lines = Object.entries(head(from)).map(([k, v]) => `${k}: ${v}`).join("\r\n");
			on.write(`GET ${from.url} HTTP/1.1\r\n${lines}\r\n\r\n`);
			socket.on("error", () => {});
			on.on("error", () => {});
			socket.pipe(on).pipe(socket);
		});
		await new Promise((resolve) => proxy.listen(port, "127.0.0.1", resolve));
		const c = await context();
		const page = await open(c, name + "/");
		await run(page, "echo behind a proxy", /^behind a proxy$/m);
		user = "";
		equal((await ask(name + "/")).status, 401, "whom the proxy does not know");
		await c.close();
		proxy.closeAllConnections();
		proxy.close();
	},

	async storage_is_forbidden() {
		const { web } = await scene();
		const c = await context();
		await c.addInitScript(() => {
			for (const name of ["localStorage", "sessionStorage"])
				Object.defineProperty(window, name, { get() {
					throw new DOMException("no", "SecurityError");
				} });
		});
		const page = await open(c, await web.newLink());
		await page.keyboard.press("Control+Equal");
		await run(page, "echo in", /^in$/m);
		await c.close();
	},

	// What another page wants to be typed is asked about.
	async commands_of_other_pages() {
		const { host } = await scene();
		const web = await Web.start(host, ["--no-auth", "--commands", "one=echo first",
			"--commands", "two=echo second"]);
		const c = await context();
		for (const host of ["evil.test", "127.0.0.1"]) {
			const evil = await site(`<a href="${web.base}?commands=one,two">a</a>
				<a id=b href="${web.base}index.html?&x&&commands=two">b</a>`, host);
			const page = await c.newPage();
			await page.goto(evil.url);
			await page.click("#b");
			await page.waitForURL(/index/);
			equal(await page.locator("#terminal").count(), 0, "terminals");
			await page.goto(evil.url);
			await page.click("a");
			await until("the question", async () =>
				/typed into a new terminal: one,two/.test(await page.textContent("body")));
			equal(await page.locator("#terminal").count(), 0, "terminals");
			await page.click("a");
			await sees(page, /^first\nsecond$/m);
			await page.close();
			evil.close();
		}
		await c.close();
	},

	async no_lock_at_all() {
		const { host } = await scene();
		const web = await Web.start(host, ["--no-auth"]);
		matches(web.child.err, /every user of this machine/, "the warning");
		const c = await context();
		const page = await open(c, web.link());
		await run(page, "echo in", /^in$/m);
		// Even so, for our own page alone.
		const evil = await site("<p>evil", "evil.test");
		const other = await c.newPage();
		await other.goto(evil.url);
		equal(await socketOpens(other, asWs(web.base)), false, "a WebSocket of another page");
		equal((await other.goto(`http://evil.test:${web.port}/`)).status(), 403, "another name");
		await c.close();
		evil.close();
	},
};

/** One point of what is seen. */
export async function pixel(page, x, y) {
	const png = await page.screenshot({ clip: { x, y, width: 1, height: 1 } });
	return page.evaluate(async (data) => {
		const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
		const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
		const canvas = new OffscreenCanvas(1, 1);
		const context = canvas.getContext("2d");
		context.drawImage(bitmap, 0, 0);
		return [...context.getImageData(0, 0, 1, 1).data];
	}, png.toString("base64"));
}
