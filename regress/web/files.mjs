// SPDX-License-Identifier: ISC
// Files of the host, both ways, in the browser.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync,
	writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { context, dir, equal, matches, open, until } from "./lib.mjs";
import { scene } from "./terminal.mjs";

/** The dialog, in a folder of its own. */
async function dialog() {
	const { c, web } = await scene();
	const page = await open(c, web.base);
	const folder = mkdtempSync(join(dir, "files-"));
	await page.click("#files");
	await until("the folder", async () => (await page.inputValue("#folder")) !== "");
	const go = async (to = folder) => {
		await page.fill("#folder", to);
		await page.keyboard.press("Enter");
	};
	await go();
	await until("the folder", async () => (await page.locator("#listing li").count()) === 0);
	return { page, folder, go };
}

const transfer = (page) => page.locator("#transfers li span").last();
const names = (page) => page.locator("#listing button").allTextContents();

async function upload(page, name, content) {
	const path = join(mkdtempSync(join(dir, "own-")), name);
	writeFileSync(path, content);
	await page.setInputFiles("#pick", path);
}

async function ends(page, pattern) {
	await until(pattern, async () => pattern.test(await transfer(page).textContent()), 30000);
}

export const tests = {
	async look_around() {
		const { page, folder, go } = await dialog();
		mkdirSync(join(folder, "sub"));
		writeFileSync(join(folder, "sub", "leaf"), "12345");
		await go();
		await until("a folder", async () => (await names(page)).join() === "sub/");
		await page.click("#listing button");
		await until("a file", async () => (await names(page)).join() === "leaf");
		equal(await page.inputValue("#folder"), join(folder, "sub"), "where");
		equal(await page.textContent("#listing .size"), "5 B", "size");
		await page.click("#up");
		await until("the folder", async () => (await names(page)).join() === "sub/");
		await go(join(folder, "nowhere"));
		await until("an error", async () => /No such file/.test(await page.textContent("#files-status")));
		equal((await names(page)).join(), "sub/", "what is seen then");
		await page.close();
	},

	async both_ways() {
		const { page, folder } = await dialog();
		for (const size of [0, 1, 32768, 20000001]) {
			const content = randomBytes(size);
			await upload(page, `f${size}`, content);
			await ends(page, new RegExp(`^f${size}: copied to the host`));
			if (Buffer.compare(readFileSync(join(folder, `f${size}`)), content) !== 0)
				throw new Error(`f${size} was changed on the way there`);
			const coming = page.waitForEvent("download");
			await page.locator("#listing button", { hasText: new RegExp(`^f${size}$`) }).click();
			const download = await coming;
			equal(download.suggestedFilename(), `f${size}`, "its name");
			if (Buffer.compare(readFileSync(await download.path()), content) !== 0)
				throw new Error(`f${size} was changed on the way back`);
		}
		equal(readdirSync(folder).length, 4, "what else is there");
		await page.close();
	},

	async dropped() {
		const { page, folder } = await dialog();
		await page.click("#close-files");
		const data = await page.evaluateHandle(() => {
			const transfer = new DataTransfer();
			transfer.items.add(new File(["dropped here"], "dropped.txt"));
			transfer.items.add(new File(["and here"], "second.txt"));
			return transfer;
		});
		await page.dispatchEvent("#terminal", "dragover", { dataTransfer: data });
		equal(await page.isVisible("#drop"), true, "a sign");
		await page.dispatchEvent("#terminal", "drop", { dataTransfer: data });
		await ends(page, /^second\.txt: copied to the host/);
		equal(readFileSync(join(folder, "dropped.txt"), "utf8"), "dropped here", "the file");
		equal(await page.isVisible("#drop"), false, "a sign");
		await page.close();
	},

	async what_is_there_is_asked_for() {
		const { page, folder } = await dialog();
		const path = join(folder, "a");
		writeFileSync(path, "old");
		chmodSync(path, 0o640);
		let asked = "";
		let answer = "dismiss";
		page.on("dialog", (d) => {
			asked = d.message();
			return d[answer]();
		});
		await upload(page, "a", "new");
		await ends(page, /^a: not copied/);
		matches(asked, /\/a is there\. Replace it\?$/, "the question");
		equal(readFileSync(path, "utf8"), "old", "the file");
		answer = "accept";
		await upload(page, "a", "new");
		await ends(page, /^a: copied/);
		equal(readFileSync(path, "utf8"), "new", "the file");
		equal(statSync(path).mode & 0o777, 0o640, "its mode");
		await page.close();
	},

	async names_are_text() {
		const { page, folder, go } = await dialog();
		const markup = "<img src=x onerror=alert(1)>";
		writeFileSync(join(folder, markup), "x");
		writeFileSync(join(folder, "a\nb\u202ec"), "x");
		await go();
		await until("both", async () => (await names(page)).length === 2);
		equal((await names(page)).sort().join("|"), `${markup}|a\\u000ab\\u202ec`, "names");
		equal(await page.locator("#listing img").count(), 0, "pictures");
		const coming = page.waitForEvent("download");
		await page.locator("#listing button", { hasText: "img" }).click();
		equal((await coming).suggestedFilename().includes("/"), false, "a path");
		await page.close();
	},

	async refused_by_the_host() {
		const { page, go } = await dialog();
		await go("/proc/self");
		await until("the folder", async () => (await names(page)).includes("status"));
		await upload(page, "x", "y");
		await ends(page, /^x: (Permission denied|Failure|No such file)/i);
		await page.close();
	},

	async cancelled() {
		const { page, folder } = await dialog();
		await page.evaluate(() => {
			const slice = File.prototype.slice;
			File.prototype.slice = function (...args) {
				return { arrayBuffer: async () => {
					await new Promise((r) => setTimeout(r, 50));
					return slice.apply(this, args).arrayBuffer();
				} };
			};
		});
		await upload(page, "large", randomBytes(20000000));
		await page.locator("#transfers button", { hasText: "Cancel" }).click();
		await ends(page, /^large: cancelled/);
		await until("nothing to be left", () => readdirSync(folder).length === 0);
		await page.close();
	},
};
