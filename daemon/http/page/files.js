// SPDX-License-Identifier: ISC
// Files of the host: a folder to look into, and what is copied either way.
// Names come from strangers: they are text, never markup.
// @ts-check
import { Sftp, together } from "./sftp.js";
import { visible } from "./text.js";

const FOLDER = 0o040000;
const FILE = 0o100000;
const TYPE = 0o170000;
const AGAIN_MS = 5000;
const SAID_MAX = 300; // characters of what the host says
const LARGE = 2 ** 30; // a download is gathered in memory

/** @param {string} id */
const $ = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** A name that is safe on our side. @param {string} name */
function localName(name) {
	return name.replace(/[\p{C}/\\:]/gu, "_").replace(/^\.+/, "_").slice(0, 200) || "file";
}

/** @param {number} n */
function size(n) {
	const units = ["B", "kB", "MB", "GB", "TB"];
	let i = 0;
	for (; n >= 1000 && i < units.length - 1; i++)
		n /= 1000;
	return n < 0 ? "" : (i === 0 ? n : n.toFixed(1)) + " " + units[i];
}

/** @typedef {import("./sftp.js").Path} Path */

/** @param {Uint8Array} folder @param {Path} name */
const join = (folder, name) => folder.at(-1) === 0x2f ? together(folder, name) :
	together(folder, "/", name);

const strict = new TextDecoder("utf-8", { fatal: true });

/** As it is shown; what is no UTF-8 by its bytes. @param {Uint8Array} name */
function textOf(name) {
	try {
		return visible(strict.decode(name));
	} catch {
		return visible([...name].map((c) => c < 0x80 ? String.fromCharCode(c) :
			"\\x" + c.toString(16)).join(""));
	}
}

/** @param {number} mode @param {number} type */
const is = (mode, type) => (mode & TYPE) === type;

export class Files {
	/** @param {() => string} url */
	constructor(url) {
		this.url = url;
		this.folder = new Uint8Array([0x2e]);
		this.shownAs = ""; // the same in the form
		this.turn = 0; // of what was asked for last
		this.left = []; // on the host, of uploads that were cut
		this.dialog = /** @type {HTMLDialogElement} */ ($("files-dialog"));
		this.input = /** @type {HTMLInputElement} */ ($("folder"));
		this.wire();
	}

	wire() {
		$("folder-form").addEventListener("submit", (event) => {
			event.preventDefault();
			const text = this.input.value;
			this.go(text === this.shownAs ? this.folder : text || ".");
		});
		$("up").onclick = () => this.go(join(this.folder, ".."));
		$("close-files").onclick = () => this.dialog.close();
		const pick = /** @type {HTMLInputElement} */ ($("pick"));
		pick.onchange = () => {
			this.upload([...pick.files]);
			pick.value = "";
		};
		document.addEventListener("dragover", (event) => {
			if (!event.dataTransfer?.types.includes("Files"))
				return;
			event.preventDefault();
			$("drop").hidden = false;
		});
		document.addEventListener("dragleave", (event) => {
			if (event.relatedTarget === null)
				$("drop").hidden = true;
		});
		document.addEventListener("drop", (event) => {
			event.preventDefault();
			$("drop").hidden = true;
			const files = [...(event.dataTransfer?.files ?? [])];
			if (files.length > 0)
				this.open().then(() => this.upload(files));
		});
	}

	say(text) {
		$("files-status").textContent = text.slice(0, SAID_MAX);
	}

	/** One connection for all; a new one when it has ended. */
	sftp() {
		if (!this.connection || this.connection.failed)
			this.connection = new Sftp(this.url());
		return this.connection;
	}

	/** What an upload has left when its connection was lost. @param {Uint8Array} part */
	async tidy(part) {
		this.left.push(part);
		for (let tries = 0; tries < 60 && this.left.includes(part); tries++) {
			await new Promise((r) => setTimeout(r, AGAIN_MS));
			try {
				await this.sftp().remove(part);
			} catch (error) {
				if (error.code === undefined)
					continue; // nobody was there
			}
			this.left = this.left.filter((p) => p !== part);
		}
	}

	async open() {
		if (!this.dialog.open)
			this.dialog.showModal();
		await this.go(this.folder);
	}

	/** @param {Path} path */
	async go(path) {
		const turn = ++this.turn;
		const typed = this.input.value;
		try {
			const sftp = this.sftp();
			const folder = await sftp.realpath(path);
			const { entries, all } = await sftp.list(folder);
			if (turn !== this.turn)
				return;
			this.folder = folder;
			this.shownAs = textOf(folder);
			if (this.input.value === typed)
				this.input.value = this.shownAs;
			this.show(entries);
			this.say(all ? "" : `There are more than ${entries.length}: the rest is not shown.`);
		} catch (error) {
			if (turn === this.turn)
				this.say(visible(error.message));
		}
	}

	/** What a name stands for may be something else. */
	async enter(e) {
		const path = join(this.folder, e.name);
		let { mode } = e;
		if (is(mode, FOLDER))
			return this.go(path);
		try {
			if (!is(mode, FILE)) {
				const found = await this.sftp().stat(path);
				if (found === null)
					throw new Error("it leads nowhere");
				({ mode } = found);
				e = { ...e, size: found.size };
			}
		} catch (error) {
			return this.say(textOf(e.name) + ": " + visible(error.message));
		}
		if (is(mode, FOLDER))
			return this.go(path);
		if (is(mode, FILE) || (mode & TYPE) === 0)
			return this.download(e, path);
		return this.say(textOf(e.name) + ": neither a file nor a folder");
	}

	show(entries) {
		const isFolder = (e) => is(e.mode, FOLDER);
		const rows = entries.map((e) => ({ ...e, text: textOf(e.name) }));
		rows.sort((a, b) => Number(isFolder(b)) - Number(isFolder(a)) || (a.text < b.text ? -1 : 1));
		$("listing").replaceChildren(...rows.map((e) => {
			const row = document.createElement("li");
			const button = document.createElement("button");
			const text = document.createElement("span");
			button.textContent = e.text + (isFolder(e) ? "/" : "");
			button.onclick = () => this.enter(e);
			text.className = "size";
			text.textContent = isFolder(e) ? "" : is(e.mode, 0o120000) ? "link" : size(e.size);
			row.append(button, text);
			return row;
		}));
		$("listing").scrollTop = 0;
	}

	/** A row with a bar and a way to stop. */
	transfer(shown, total) {
		const row = document.createElement("li");
		const text = document.createElement("span");
		const bar = document.createElement("progress");
		const stop = document.createElement("button");
		const state = { cancelled: false };
		text.textContent = shown;
		bar.max = Math.max(total, 1);
		bar.value = 0;
		stop.textContent = "Cancel";
		stop.onclick = () => {
			state.cancelled = true;
		};
		row.append(text, bar, stop);
		$("transfers").append(row);
		row.scrollIntoView({ block: "nearest" });
		return {
			progress: (done, all) => {
				bar.max = Math.max(all, done, 1);
				bar.value = done;
			},
			cancelled: () => state.cancelled,
			end: (why) => {
				bar.remove();
				stop.textContent = "×";
				stop.setAttribute("aria-label", "Forget");
				stop.onclick = () => row.remove();
				text.textContent = shown + ": " + visible(why).slice(0, SAID_MAX);
				row.scrollIntoView({ block: "nearest" });
			},
		};
	}

	async upload(files) {
		for (const file of files) {
			const t = this.transfer(visible(file.name), file.size);
			const path = join(this.folder, localName(file.name));
			try {
				const old = await this.sftp().stat(path);
				if (old !== null && is(old.mode, FOLDER))
					throw new Error("there is a folder of that name");
				if (old !== null && !confirm(`${textOf(path)} is there. Replace it?`)) {
					t.end("not copied");
					continue;
				}
				await this.sftp().upload(file, path, old, t.progress, t.cancelled,
					(part) => this.tidy(part));
				t.end("copied to the host, " + size(file.size));
			} catch (error) {
				t.end(error.message);
			}
		}
		await this.go(this.folder);
	}

	/** @param {Uint8Array} path */
	async download(entry, path) {
		// What the host says of a file may be another thing each time.
		const wanted = (n) => n <= LARGE || confirm(
			`${size(n)} are gathered in the memory of this page first. ` +
			"'skypty cp' does without. Go on?");
		const name = textOf(entry.name);
		const t = this.transfer(name, entry.size);
		try {
			const blob = await this.sftp().download(path, wanted, t.progress, t.cancelled);
			const link = document.createElement("a");
			link.href = URL.createObjectURL(blob);
			link.download = localName(name);
			link.click();
			setTimeout(() => URL.revokeObjectURL(link.href), 60000);
			t.end("copied from the host, " + size(blob.size));
		} catch (error) {
			t.end(error.message);
		}
	}
}
