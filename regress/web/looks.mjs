// SPDX-License-Identifier: ISC
// How it looks: dark, light, and on a phone.  The pictures are kept.
import { join } from "node:path";
import { Web, context, equal, open, run, runs, shots, state, until } from "./lib.mjs";
import { pixel } from "./safety.mjs";
import { scene } from "./terminal.mjs";

const SHOW = "clear; printf '\\e[31mred \\e[32mgreen \\e[1;34mblue\\e[0m grün 漢字 ┌─┐\\n'; ls --color /";

async function light(page) {
	const [r, g, b] = await pixel(page, 450, 400);
	return (r + g + b) / 3;
}

async function shoot(name, options) {
	const { web } = await scene();
	const c = await context(options);
	const page = await open(c, await web.newLink());
	await run(page, SHOW, /red green blue/);
	await page.screenshot({ path: join(shots, name + ".png") });
	return { c, page };
}

export const tests = {
	async dark() {
		const { c, page } = await shoot("dark", { colorScheme: "dark" });
		if (await light(page) > 60)
			throw new Error("it is not dark");
		await page.emulateMedia({ colorScheme: "light" });
		await until("light", async () => (await light(page)) > 200);
		await c.close();
	},

	async light() {
		const { c, page } = await shoot("light", { colorScheme: "light" });
		if (await light(page) < 200)
			throw new Error("it is not light");
		await page.click("#files");
		await until("files", async () => (await page.locator("#listing li").count()) > 0);
		await page.screenshot({ path: join(shots, "files.png") });
		await page.click("#close-files");
		await run(page, "exit 3");
		await until("the end", async () => (await state(page)) === "ended");
		await page.screenshot({ path: join(shots, "ended.png") });
		await c.close();
	},

	async phone() {
		const { c, page } = await shoot("phone",
			{ viewport: { width: 390, height: 700 }, hasTouch: true, isMobile: true });
		const wide = await page.evaluate(() => document.documentElement.scrollWidth);
		equal(wide, 390, "width of the page");
		await runs(page, "sleep 100");
		await page.locator("[data-hold=ctrl]").tap();
		equal(await page.getAttribute("[data-hold=ctrl]", "aria-pressed"), "true", "Ctrl");
		await page.keyboard.type("c");
		equal(await page.getAttribute("[data-hold=ctrl]", "aria-pressed"), "false", "Ctrl");
		await run(page, "echo $? behind", /^130 behind$/m);
		await page.locator("[data-key=ArrowUp]").tap();
		await page.locator("[data-key=ArrowUp]").tap();
		await page.keyboard.press("Control+a");
		await page.keyboard.type("echo not-run ");
		await page.keyboard.press("Enter");
		await run(page, "echo done", /^not-run sh -c echo [^]*^done$/m);
		const before = await page.locator(".xterm-rows > div").first().boundingBox();
		await page.locator("[data-font='1']").tap();
		await until("larger letters", async () =>
			(await page.locator(".xterm-rows > div").first().boundingBox()).height > before.height);
		await c.close();
	},

	async no_motion_no_noise() {
		const { host } = await scene();
		const web = await Web.start(host);
		const c = await context({ reducedMotion: "reduce" });
		const page = await open(c, web.link());
		await page.evaluate(() => {
			new MutationObserver(() => (document.body.dataset.rung = "yes"))
				.observe(document.getElementById("terminal"), { attributeFilter: ["class"] });
		});
		await run(page, "printf '\\a'; echo rung", /^rung$/m);
		equal(await page.evaluate(() => document.body.dataset.rung), undefined, "a flash");
		await c.close();
	},
};
