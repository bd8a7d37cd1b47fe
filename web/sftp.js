// SPDX-License-Identifier: ISC
// A small client of SFTP version 3 (draft-ietf-secsh-filexfer-02) on a
// WebSocket: what a browser needs to list folders and to move files.
// @ts-check

const VERSION = 3;
const PACKET_MAX = 256 * 1024;
const PIECE = 32768; // of one read or write
const AHEAD = 32; // requests under way
const LIST_MAX = 10000; // entries of one folder
const WAITING_MAX = 4 * 1024 * 1024; // unsent bytes that make us wait

const T = {
	INIT: 1, VERSION: 2, OPEN: 3, CLOSE: 4, READ: 5, WRITE: 6, OPENDIR: 11,
	FSETSTAT: 10, READDIR: 12, REMOVE: 13, MKDIR: 14, REALPATH: 16, STAT: 17, RENAME: 18,
	STATUS: 101, HANDLE: 102, DATA: 103, NAME: 104, ATTRS: 105, EXTENDED: 200,
};
const F = { READ: 1, WRITE: 2, CREAT: 8, TRUNC: 16, EXCL: 32 };
const STATUS_OK = 0;
const STATUS_EOF = 1;
const STATUS_NO_FILE = 2;
const HAS_MODE = 4;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A packet that is being written. */
class Writer {
	constructor(type) {
		this.parts = [];
		this.u8(type);
	}
	u8(v) {
		this.parts.push(Uint8Array.of(v));
		return this;
	}
	u32(v) {
		this.parts.push(Uint8Array.of(v >>> 24, v >>> 16, v >>> 8, v));
		return this;
	}
	u64(v) {
		return this.u32(Math.floor(v / 2 ** 32)).u32(v % 2 ** 32);
	}
	/** @param {string|Uint8Array} v */
	string(v) {
		const bytes = typeof v === "string" ? encoder.encode(v) : v;
		this.u32(bytes.length);
		this.parts.push(bytes);
		return this;
	}
	bytes() {
		const n = this.parts.reduce((sum, p) => sum + p.length, 0);
		const out = new Uint8Array(4 + n);
		new DataView(out.buffer).setUint32(0, n);
		let at = 4;
		for (const p of this.parts) {
			out.set(p, at);
			at += p.length;
		}
		return out;
	}
}

/** A packet that has come; reading beyond its end throws. */
class Reader {
	/** @param {Uint8Array} bytes */
	constructor(bytes) {
		this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
		this.at = 0;
	}
	u8() {
		return this.view.getUint8(this.at++);
	}
	u32() {
		const v = this.view.getUint32(this.at);
		this.at += 4;
		return v;
	}
	u64() {
		return this.u32() * 2 ** 32 + this.u32();
	}
	string() {
		const n = this.u32();
		if (n > this.view.byteLength - this.at)
			throw new Error("the host makes no sense");
		this.at += n;
		return new Uint8Array(this.view.buffer,
			this.view.byteOffset + this.at - n, n);
	}
	attrs() {
		const flags = this.u32();
		const a = { size: -1, mode: 0, time: 0 };
		if (flags & 1)
			a.size = this.u64();
		if (flags & 2)
			this.at += 8;
		if (flags & 4)
			a.mode = this.u32();
		if (flags & 8) {
			this.at += 4;
			a.time = this.u32();
		}
		if (flags & 0x80000000)
			for (let n = this.u32(); n > 0; n--) {
				this.string();
				this.string();
			}
		return a;
	}
}

export class SftpError extends Error {
	constructor(code, text) {
		super(text);
		this.code = code;
	}
}

export class Sftp {
	/** @param {string} url */
	constructor(url) {
		this.waiting = new Map(); // id: [resolve, reject]
		this.id = 0;
		this.rest = new Uint8Array(0);
		this.renames = false;
		this.socket = new WebSocket(url, "skypty.sftp");
		this.socket.binaryType = "arraybuffer";
		this.ready = new Promise((resolve, reject) => {
			this.waiting.set("version", [resolve, reject]);
		});
		this.socket.onopen = () => {
			this.socket.send(new Writer(T.INIT).u32(VERSION).bytes());
		};
		this.socket.onmessage = (event) => this.take(new Uint8Array(event.data));
		this.socket.onclose = (event) => {
			this.fail(new Error(event.reason || "the connection was lost"));
		};
	}

	close() {
		this.socket.close();
	}

	fail(error) {
		this.failed = error;
		for (const [, reject] of this.waiting.values())
			reject(error);
		this.waiting.clear();
	}

	/** Bytes of the stream, cut anywhere. @param {Uint8Array} bytes */
	take(bytes) {
		const all = new Uint8Array(this.rest.length + bytes.length);
		all.set(this.rest);
		all.set(bytes, this.rest.length);
		let at = 0;
		try {
			while (all.length - at >= 4) {
				const n = new DataView(all.buffer, at).getUint32(0);
				if (n > PACKET_MAX || n < 5)
					throw new Error("the host makes no sense");
				if (all.length - at - 4 < n)
					break;
				this.packet(all.subarray(at + 4, at + 4 + n));
				at += 4 + n;
			}
		} catch (error) {
			this.fail(error);
			this.close();
		}
		this.rest = all.slice(at);
	}

	packet(bytes) {
		const r = new Reader(bytes);
		const type = r.u8();
		const number = r.u32();
		const key = type === T.VERSION ? "version" : number;
		const waiter = this.waiting.get(key);
		if (!waiter)
			return;
		this.waiting.delete(key);
		if (type === T.VERSION)
			this.extensions(r);
		if (type === T.STATUS)
			this.status(r, waiter);
		else
			waiter[0]({ type, r });
	}

	extensions(r) {
		while (r.at < r.view.byteLength) {
			if (decoder.decode(r.string()) === "posix-rename@openssh.com")
				this.renames = true;
			r.string();
		}
	}

	status(r, [resolve, reject]) {
		const code = r.u32();
		const text = r.at < r.view.byteLength ? decoder.decode(r.string()) : "";
		if (code === STATUS_OK)
			resolve(null);
		else
			reject(new SftpError(code, text || "error " + code));
	}

	/** @param {number} type @param {(w: Writer) => void} fill */
	async ask(type, fill) {
		await this.ready;
		if (this.failed)
			throw this.failed;
		while (this.socket.bufferedAmount > WAITING_MAX)
			await new Promise((r) => setTimeout(r, 10));
		const id = this.id++;
		const w = new Writer(type).u32(id);
		fill(w);
		return new Promise((resolve, reject) => {
			this.waiting.set(id, [resolve, reject]);
			this.socket.send(w.bytes());
		});
	}

	async handle(type, fill) {
		const { r } = await this.ask(type, fill);
		return r.string();
	}

	async realpath(path) {
		const { r } = await this.ask(T.REALPATH, (w) => w.string(path));
		r.u32();
		return decoder.decode(r.string());
	}

	async list(path) {
		const handle = await this.handle(T.OPENDIR, (w) => w.string(path));
		const out = [];
		try {
			while (out.length < LIST_MAX) {
				const { r } = await this.ask(T.READDIR, (w) => w.string(handle));
				for (let n = r.u32(); n > 0; n--) {
					const name = decoder.decode(r.string());
					r.string();
					out.push({ name, ...r.attrs() });
				}
			}
		} catch (error) {
			if (error.code !== STATUS_EOF)
				throw error;
		} finally {
			await this.shut(handle);
		}
		return out.filter((e) => e.name !== "." && e.name !== "..");
	}

	async shut(handle) {
		await this.ask(T.CLOSE, (w) => w.string(handle));
	}

	/** The pieces of a file in order. @param {(done: number) => void} progress */
	async download(path, size, progress, cancelled) {
		const handle = await this.handle(T.OPEN, (w) => w.string(path).u32(F.READ).u32(0));
		const parts = [];
		const under = [];
		let asked = 0;
		let done = 0;
		const more = () => {
			under.push(this.read(handle, asked));
			asked += PIECE;
		};
		try {
			for (let i = 0; i < AHEAD && (i === 0 || asked < size); i++)
				more();
			while (under.length > 0) {
				const piece = await under.shift();
				if (cancelled())
					throw new Error("cancelled");
				if (piece === null)
					break;
				parts.push(piece);
				done += piece.length;
				progress(done);
				more();
			}
		} finally {
			await Promise.allSettled(under);
			if (!this.failed)
				await this.shut(handle);
		}
		return new Blob(parts, { type: "application/octet-stream" });
	}

	/** PIECE bytes, fewer at the end, null behind it. */
	async read(handle, offset) {
		let got = new Uint8Array(0);
		try {
			while (got.length < PIECE) {
				const at = offset + got.length;
				const want = PIECE - got.length;
				const { r } = await this.ask(T.READ, (w) => w.string(handle).u64(at).u32(want));
				const piece = r.string();
				const both = new Uint8Array(got.length + piece.length);
				both.set(got);
				both.set(piece, got.length);
				got = both;
			}
		} catch (error) {
			if (error.code !== STATUS_EOF)
				throw error;
		}
		return got.length > 0 ? got : null;
	}

	/** The attributes of what is there, or null. @param {string} path */
	async stat(path) {
		try {
			const { r } = await this.ask(T.STAT, (w) => w.string(path));
			return r.attrs();
		} catch (error) {
			if (error.code !== STATUS_NO_FILE)
				throw error;
			return null;
		}
	}

	/**
	 * Under another name first, so that what was there stays until all is.
	 * old: the attributes of what is replaced, or null.
	 */
	async upload(file, path, old, progress, cancelled) {
		const part = path + ".skypty-" + Math.random().toString(36).slice(2, 10);
		const handle = await this.handle(T.OPEN,
			(w) => w.string(part).u32(F.WRITE | F.CREAT | F.EXCL).u32(0));
		try {
			await this.send(file, handle, progress, cancelled);
			if (old !== null)
				await this.ask(T.FSETSTAT, (w) => w.string(handle)
					.u32(HAS_MODE).u32(old.mode & 0o777));
			await this.shut(handle);
			await this.rename(part, path);
		} catch (error) {
			if (!this.failed) {
				await this.shut(handle).catch(() => {});
				await this.ask(T.REMOVE, (w) => w.string(part)).catch(() => {});
			}
			throw error;
		}
	}

	async send(file, handle, progress, cancelled) {
		const under = [];
		let done = 0;
		for (let at = 0; at < file.size; at += PIECE) {
			const bytes = new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer());
			under.push(this.ask(T.WRITE, (w) => w.string(handle).u64(at).string(bytes))
				.then(() => progress(done += bytes.length)));
			if (under.length >= AHEAD)
				await under.shift();
			if (cancelled())
				throw new Error("cancelled");
		}
		await Promise.all(under);
	}

	async rename(from, to) {
		if (this.renames)
			await this.ask(T.EXTENDED,
				(w) => w.string("posix-rename@openssh.com").string(from).string(to));
		else
			await this.ask(T.RENAME, (w) => w.string(from).string(to));
	}
}
