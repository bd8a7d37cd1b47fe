// SPDX-License-Identifier: ISC
// Files of the host, both ways, in the browser.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync,
	symlinkSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { dir, equal, matches, sees, sleep, until } from "./lib.mjs";
import { scene } from "./terminal.mjs";

/** The dialog, in a folder of its own; in between, its connection can be cut. */
async function dialog(between = false) {
	const { c, web } = await scene();
	const page = await c.newPage();
	page.delay = 0;
	if (between)
		await page.routeWebSocket(/sftp$/, (ws) => {
			const server = ws.connectToServer();
			page.cut = () => {
				server.close();
				ws.close();
			};
			ws.onMessage((message) => {
				const late = page.delay;
				setTimeout(() => server.send(message), late);
			});
		});
	await page.goto(web.base);
	await sees(page, /\$$/m);
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
	await until(pattern, async () => pattern.test(await transfer(page).textContent()));
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

	async links_and_odd_names() {
		const { page, folder, go } = await dialog();
		mkdirSync(join(folder, "real"));
		writeFileSync(join(folder, "real", "leaf"), "12345");
		symlinkSync("real", join(folder, "to-folder"));
		symlinkSync("real/leaf", join(folder, "to-file"));
		symlinkSync("nowhere", join(folder, "to-nothing"));
		const odd = Buffer.from("gr\xfcn", "latin1");
		writeFileSync(Buffer.concat([Buffer.from(folder + "/"), odd]), "odd");
		mkdirSync(Buffer.concat([Buffer.from(folder + "/d"), odd]));
		const click = (name) => page.locator("#listing button", { hasText: name }).click();
		await go();
		await until("all", async () => (await names(page)).length === 6);
		equal((await names(page)).join("|"), "dgr\\xfcn/|real/|gr\\xfcn|to-file|to-folder|to-nothing", "names");
		await click("to-nothing");
		await until("an answer", async () =>
			(await page.textContent("#files-status")) === "to-nothing: it leads nowhere");
		for (const [name, content] of [["to-file", "12345"], [/^gr/, "odd"]]) {
			const coming = page.waitForEvent("download");
			await click(name);
			equal(readFileSync(await (await coming).path(), "utf8"), content, "through " + name);
		}
		await click("to-folder");
		await until("what is behind it", async () => (await names(page)).join() === "leaf");
		await page.click("#up");
		await until("the folder", async () => (await names(page)).length === 6);
		await click("dgr");
		await until("nothing", async () => (await names(page)).length === 0);
		equal(await page.inputValue("#folder"), folder + "/dgr\\xfcn", "where");
		await upload(page, "inside", "of it");
		await ends(page, /^inside: copied/);
		await page.click("#folder-form button[type=submit]"); // as it is shown
		await until("the file", async () => (await names(page)).join() === "inside");
		await page.close();
	},

	async proc_is_copied() {
		const { page, go } = await dialog();
		await go("/proc/sys/kernel");
		await until("the folder", async () => (await names(page)).includes("ostype"));
		const coming = page.waitForEvent("download");
		await page.locator("#listing button", { hasText: /^ostype$/ }).click();
		equal(readFileSync(await (await coming).path(), "utf8"), "Linux\n", "what says that it is empty");
		await page.close();
	},

	async a_folder_is_not_replaced() {
		const { page, folder } = await dialog();
		mkdirSync(join(folder, "a"));
		await upload(page, "a", "x");
		await ends(page, /^a: there is a folder of that name$/);
		await page.close();
	},

	// An answer that comes late is not that to what was asked last.
	async the_last_one_counts() {
		const { page, folder, go } = await dialog(true);
		for (const name of ["slow", "fast"])
			mkdirSync(join(folder, name));
		writeFileSync(join(folder, "slow", "old"), "");
		writeFileSync(join(folder, "fast", "new"), "");
		page.delay = 1500; // of answers to what is about "slow"
		await go(join(folder, "slow"));
		page.delay = 0;
		await go(join(folder, "fast"));
		await until("the last", async () => (await names(page)).join() === "new");
		await sleep(2500);
		equal((await names(page)).join(), "new", "what is seen then");
		equal(await page.inputValue("#folder"), join(folder, "fast"), "where");
		page.delay = 1500;
		await go(join(folder, "slow"));
		await page.fill("#folder", "/typed/meanwhile");
		await until("the folder", async () => (await names(page)).join() === "old");
		equal(await page.inputValue("#folder"), "/typed/meanwhile", "what was typed");
		await page.close();
	},

	// All of the dialog that is not the list stays in sight.
	async long_folders() {
		const { page, folder, go } = await dialog();
		for (let i = 0; i < 300; i++)
			writeFileSync(join(folder, "f" + String(i).padStart(3, "0")), "x");
		await go();
		await until("all", async () => (await names(page)).length === 300);
		const coming = page.waitForEvent("download");
		await page.locator("#listing button").last().click();
		await coming;
		await ends(page, /^f299: copied from the host/);
		const height = page.viewportSize().height;
		for (const what of ["#folder", "#close-files", "#transfers li"]) {
			const box = await page.locator(what).boundingBox();
			if (!box || box.y < 0 || box.y + box.height > height)
				throw new Error(what + " is out of sight: " + JSON.stringify(box));
		}
		await page.close();
	},

	// A host that sends malformed data ends the connection, not the page's patience.
	async a_host_that_makes_no_sense() {
		const { c, web } = await scene();
		const u32 = (n) => Buffer.from([n >>> 24, n >>> 16 & 255, n >>> 8 & 255, n & 255]);
		const string = (s) => Buffer.concat([u32(s.length), Buffer.from(s, "latin1")]);
		const attrs = (size) => Buffer.concat([u32(5), u32(0), u32(size), u32(0o100644)]);
		const names = (...list) => Buffer.concat([u32(list.length),
			...list.flatMap((n) => [string(n), string(n), attrs(5)])]);
		// What is answered to each request; the rest is good.
		const modes = {
			"no names for ever": { 12: () => [104, u32(0)] },
			"a slash": { 12: () => [104, names("a/b")] },
			"an empty name": { 12: () => [104, names("")] },
			"a long name": { 12: () => [104, names("x".repeat(1025))] },
			"a cut packet": { 12: () => [104, Buffer.concat([u32(9), string("a")])] },
			"another kind": { 12: () => [105, attrs(5)] },
			"good without a handle": { 11: () => [101, Buffer.concat([u32(0), string(""), string("")])] },
			"an answer that nobody waits for": { 16: () => [104, names("/x"), 999] },
			"a long packet": { 16: () => Buffer.from([0x7f, 255, 255, 255, 104]) },
			"no packet": { 16: () => u32(0) },
			"text": { 16: () => "text" },
			"no bytes for ever": { 5: () => [103, string("")] },
			"more bytes than asked for": { 5: () => [103, string("123456")] },
			"another size than was listed": { 8: () => [105, attrs(2 ** 31)], 5: () => [103, string("1")] },
			"a long answer": { 16: () => [101, Buffer.concat([u32(4), string("no".repeat(50000)), string("")])],
				said: 300 },
			"what is kept of an entry": { kept: true },
			"fewer bytes than told": { 5: (n) => n ? [101, Buffer.concat([u32(1), string(""), string("")])] : [103, string("123")] },
		};
		for (const [name, mode] of Object.entries(modes)) {
			const page = await c.newPage();
			let reads = 0;
			let listed = false;
			await page.routeWebSocket(/sftp$/, (ws) => ws.onMessage((message) => {
				const type = message[4];
				const id = message.readUInt32BE(5);
				const say = (answer) => {
					if (typeof answer === "string" || Buffer.isBuffer(answer))
						return ws.send(answer);
					const [kind, content, other] = answer;
					const packet = Buffer.concat([Buffer.from([kind]), u32(other ?? id), content]);
					return ws.send(Buffer.concat([u32(packet.length), packet]));
				};
				if (type === 1)
					return ws.send(Buffer.concat([u32(5), Buffer.from([2]), u32(3)]));
				if (mode[type])
					return say(mode[type](reads++));
				const status = (code) => [101, Buffer.concat([u32(code), string(""), string("")])];
				if (type === 12 && !listed) {
					listed = true;
					return say([104, names("file")]);
				}
				return say({ 3: [102, string("h")], 11: [102, string("h")], 16: [104, names("/x")],
					8: [105, attrs(5)], 12: status(1) }[type] ?? status(0));
			}));
			await page.goto(web.base);
			if (mode.kept) {
				equal(await page.evaluate(async (url) => {
					const { Sftp } = await import("./sftp.js");
					const { entries } = await new Sftp(url).list("/x");
					return entries[0].name.buffer.byteLength;
				}, web.base.replace(/^http/, "ws") + "sftp"), 4, name);
				await page.close();
				continue;
			}
			await page.click("#files");
			const says = () => page.textContent("#files-status");
			if (mode.said) {
				await until(name, async () => (await says()).length === mode.said);
				await page.close();
				continue;
			}
			if (mode[5]) {
				await page.locator("#listing button", { hasText: "file" }).click();
				await ends(page, /^file: (malformed data from the host|cut: 3 of 5 bytes have come|not copied)$/);
			} else
				await until(name, async () => (await says()) === "malformed data from the host");
			if (reads > 3)
				throw new Error(`${name}: asked ${reads} times`);
			await page.close();
		}
	},

	// What a lost connection leaves on the host is taken away with the next one.
	async cut_uploads_leave_nothing() {
		const { page, folder } = await dialog(true);
		await upload(page, "kept", randomBytes(30000000));
		await until("a part", () => readdirSync(folder).some((n) => /^kept\.skypty-/.test(n)));
		page.cut();
		await ends(page, /^kept: the connection was lost$/);
		await until("nothing to be left", () => readdirSync(folder).length === 0);
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
