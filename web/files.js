// SPDX-License-Identifier: ISC
// Files of the host: a folder to look into, and what is copied either way.
// Names come from strangers: they are text, never markup.
// @ts-check
import { Sftp } from "./sftp.js";

const FOLDER = 0o040000;
const TYPE = 0o170000;
const LARGE = 2 ** 30; // a download is gathered in memory

/** @param {string} id */
const $ = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** What cannot be seen is shown escaped. @param {string} name */
function visible(name) {
	return name.replace(/\p{C}/gu, (c) => "\\u" + c.codePointAt(0).toString(16).padStart(4, "0"));
}

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

/** @param {string} folder @param {string} name */
const join = (folder, name) => (folder.endsWith("/") ? folder : folder + "/") + name;

export class Files {
	/** @param {() => string} url */
	constructor(url) {
		this.url = url;
		this.folder = ".";
		this.dialog = /** @type {HTMLDialogElement} */ ($("files-dialog"));
		this.input = /** @type {HTMLInputElement} */ ($("folder"));
		this.wire();
	}

	wire() {
		$("folder-form").addEventListener("submit", (event) => {
			event.preventDefault();
			this.go(this.input.value);
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
		$("files-status").textContent = text;
	}

	/** One connection for all; a new one when it has ended. */
	sftp() {
		if (!this.connection || this.connection.failed)
			this.connection = new Sftp(this.url());
		return this.connection;
	}

	async open() {
		if (!this.dialog.open)
			this.dialog.showModal();
		await this.go(this.folder);
	}

	async go(path) {
		try {
			const sftp = this.sftp();
			const folder = await sftp.realpath(path || ".");
			const entries = await sftp.list(folder);
			this.folder = folder;
			this.input.value = folder;
			this.show(entries);
			this.say("");
		} catch (error) {
			this.say(visible(error.message));
		}
	}

	show(entries) {
		const isFolder = (e) => (e.mode & TYPE) === FOLDER;
		entries.sort((a, b) => Number(isFolder(b)) - Number(isFolder(a)) || (a.name < b.name ? -1 : 1));
		$("listing").replaceChildren(...entries.map((e) => {
			const row = document.createElement("li");
			const button = document.createElement("button");
			const text = document.createElement("span");
			button.textContent = visible(e.name) + (isFolder(e) ? "/" : "");
			button.onclick = () => isFolder(e) ?
				this.go(join(this.folder, e.name)) :
				this.download(e);
			text.className = "size";
			text.textContent = isFolder(e) ? "" : size(e.size);
			row.append(button, text);
			return row;
		}));
	}

	/** A row with a bar and a way to stop. */
	transfer(name, total) {
		const row = document.createElement("li");
		const text = document.createElement("span");
		const bar = document.createElement("progress");
		const stop = document.createElement("button");
		const state = { cancelled: false };
		text.textContent = visible(name);
		bar.max = Math.max(total, 1);
		bar.value = 0;
		stop.textContent = "Cancel";
		stop.onclick = () => {
			state.cancelled = true;
		};
		row.append(text, bar, stop);
		$("transfers").append(row);
		return {
			progress: (done) => {
				bar.value = done;
			},
			cancelled: () => state.cancelled,
			end: (why) => {
				bar.remove();
				stop.textContent = "×";
				stop.setAttribute("aria-label", "Forget");
				stop.onclick = () => row.remove();
				text.textContent = visible(name) + ": " + visible(why);
			},
		};
	}

	async upload(files) {
		for (const file of files) {
			const t = this.transfer(file.name, file.size);
			const path = join(this.folder, localName(file.name));
			try {
				const old = await this.sftp().stat(path);
				if (old !== null && !confirm(`${visible(path)} is there. Replace it?`)) {
					t.end("not copied");
					continue;
				}
				await this.sftp().upload(file, path, old, t.progress, t.cancelled);
				t.end("copied to the host, " + size(file.size));
			} catch (error) {
				t.end(error.message);
			}
		}
		await this.go(this.folder);
	}

	async download(entry) {
		if (entry.size > LARGE && !confirm(
			`${size(entry.size)} are gathered in the memory of this page first. ` +
			"'skypty cp' does without. Go on?"))
			return;
		const t = this.transfer(entry.name, entry.size);
		try {
			const blob = await this.sftp().download(join(this.folder, entry.name),
				entry.size, t.progress, t.cancelled);
			const link = document.createElement("a");
			link.href = URL.createObjectURL(blob);
			link.download = localName(entry.name);
			link.click();
			setTimeout(() => URL.revokeObjectURL(link.href), 60000);
			t.end("copied from the host, " + size(blob.size));
		} catch (error) {
			t.end(error.message);
		}
	}
}
