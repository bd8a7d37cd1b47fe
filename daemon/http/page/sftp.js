// SPDX-License-Identifier: ISC
// A small client of SFTP version 3 (draft-ietf-secsh-filexfer-02) on a
// WebSocket: what a browser needs to list folders and to move files.
// @ts-check

const VERSION = 3;
const PACKET_MAX = 256 * 1024;
const PIECE = 32768; // of one read or write
const AHEAD = 32; // requests under way
const LIST_MAX = 10000; // entries of one folder
const NAME_MAX = 1024; // bytes of an entry's name
const WAITING_MAX = 4 * 1024 * 1024; // unsent bytes that make us wait
const ODD_MAX = 16 * 1024 * 1024; // of a file that says it is empty, as /proc's do
const LOOK_MS = 5000;
const GONE = 12; // looks without a sign of life while something is waited for

const T = {
	INIT: 1, VERSION: 2, OPEN: 3, CLOSE: 4, READ: 5, WRITE: 6, OPENDIR: 11,
	FSTAT: 8, FSETSTAT: 10, READDIR: 12, REMOVE: 13, MKDIR: 14, REALPATH: 16, STAT: 17, RENAME: 18,
	STATUS: 101, HANDLE: 102, DATA: 103, NAME: 104, ATTRS: 105, EXTENDED: 200,
};
const F = { READ: 1, WRITE: 2, CREAT: 8, TRUNC: 16, EXCL: 32 };
const STATUS_OK = 0;
const STATUS_EOF = 1;
const STATUS_NO_FILE = 2;
const HAS_MODE = 4;
const DOT = 0x2e;
const SLASH = 0x2f;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The host's mistake, which ends the connection. */
class Nonsense extends Error {
	constructor() {
		super("malformed data from the host");
	}
}

/** @typedef {string|Uint8Array} Path not every name is UTF-8 */

/** @param {Path} path */
export const bytesOf = (path) => typeof path === "string" ? encoder.encode(path) : path;

/** @param {...Path} parts */
export function together(...parts) {
	const all = parts.map(bytesOf);
	const out = new Uint8Array(all.reduce((n, p) => n + p.length, 0));
	all.reduce((at, p) => (out.set(p, at), at + p.length), 0);
	return out;
}

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
	/** Where the next n bytes begin. @param {number} n */
	step(n) {
		if (n > this.view.byteLength - this.at)
			throw new Nonsense();
		this.at += n;
		return this.at - n;
	}
	u8() {
		return this.view.getUint8(this.step(1));
	}
	u32() {
		return this.view.getUint32(this.step(4));
	}
	u64() {
		return this.u32() * 2 ** 32 + this.u32();
	}
	string() {
		const n = this.u32();
		const at = this.step(n);
		return new Uint8Array(this.view.buffer, this.view.byteOffset + at, n);
	}
	attrs() {
		const flags = this.u32();
		const a = { size: -1, mode: 0, time: 0 };
		if (flags & 1)
			a.size = this.u64();
		if (flags & 2)
			this.step(8);
		if (flags & 4)
			a.mode = this.u32();
		if (flags & 8) {
			this.step(4);
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

/** Bytes of a stream, cut anywhere; each is copied once. */
class Stream {
	constructor() {
		this.parts = [];
		this.length = 0;
	}
	/** @param {Uint8Array} bytes */
	put(bytes) {
		this.parts.push(bytes);
		this.length += bytes.length;
	}
	/** The first n, which are there. @param {number} n */
	get(n) {
		const out = new Uint8Array(n);
		let at = 0;
		let used = 0; // whole parts
		while (at < n) {
			const part = this.parts[used];
			const piece = part.subarray(0, n - at);
			out.set(piece, at);
			at += piece.length;
			if (piece.length === part.length)
				used++;
			else
				this.parts[used] = part.subarray(piece.length);
		}
		this.parts.splice(0, used);
		this.length -= n;
		return out;
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
		this.waiting = new Map(); // id: { want, resolve, reject }
		this.id = 0;
		this.stream = new Stream();
		this.need = 0; // bytes of the packet that has begun
		this.renames = false;
		this.silent = 0;
		this.unsent = 0;
		this.socket = new WebSocket(url, "skypty.sftp");
		this.socket.binaryType = "arraybuffer";
		this.ready = new Promise((resolve, reject) => {
			this.waiting.set("version", { want: T.VERSION, resolve, reject });
		});
		this.ready.catch(() => {}); // who asks is told
		this.timer = setInterval(() => this.look(), LOOK_MS);
		this.socket.onopen = () => {
			this.socket.send(new Writer(T.INIT).u32(VERSION).bytes());
		};
		this.socket.onmessage = (event) => this.take(event.data);
		this.socket.onclose = (event) => {
			this.fail(new Error(event.reason || "the connection was lost"));
		};
	}

	fail(error) {
		clearInterval(this.timer);
		this.failed ??= error;
		this.socket.onmessage = this.socket.onclose = null;
		this.socket.close();
		for (const { reject } of this.waiting.values())
			reject(this.failed);
		this.waiting.clear();
	}

	/** A network that has gone away says nothing. */
	look() {
		const unsent = this.socket.bufferedAmount;
		if (this.waiting.size === 0 || unsent < this.unsent)
			this.silent = 0;
		this.unsent = unsent;
		if (++this.silent > GONE)
			this.fail(new Error("nothing is heard of the host"));
	}

	/** Bytes of the stream, cut anywhere. @param {ArrayBuffer} data */
	take(data) {
		this.silent = 0;
		try {
			if (!(data instanceof ArrayBuffer))
				throw new Nonsense();
			this.stream.put(new Uint8Array(data));
			while (this.stream.length >= (this.need || 4)) {
				if (this.need === 0) {
					this.need = new Reader(this.stream.get(4)).u32();
					if (this.need > PACKET_MAX || this.need < 5)
						throw new Nonsense();
				} else {
					const packet = this.stream.get(this.need);
					this.need = 0;
					this.packet(packet);
				}
			}
		} catch (error) {
			this.fail(error);
		}
	}

	/** Only what was asked for, as what was asked for. @param {Uint8Array} bytes */
	packet(bytes) {
		const r = new Reader(bytes);
		const type = r.u8();
		const number = r.u32();
		const key = type === T.VERSION ? "version" : number;
		const waiter = this.waiting.get(key);
		if (!waiter || (type !== waiter.want && type !== T.STATUS))
			throw new Nonsense();
		if (type === T.VERSION)
			this.extensions(r);
		const answer = type === T.STATUS ? this.status(r, waiter.want) : r;
		this.waiting.delete(key);
		if (answer instanceof SftpError)
			waiter.reject(answer);
		else
			waiter.resolve(answer);
	}

	extensions(r) {
		while (r.at < r.view.byteLength) {
			if (decoder.decode(r.string()) === "posix-rename@openssh.com")
				this.renames = true;
			r.string();
		}
	}

	status(r, want) {
		const code = r.u32();
		const text = r.at < r.view.byteLength ? decoder.decode(r.string()) : "";
		if (code !== STATUS_OK)
			return new SftpError(code, text || "error " + code);
		if (want !== T.STATUS)
			throw new Nonsense();
		return r;
	}

	/**
	 * @param {number} type @param {number} want of the answer
	 * @param {(w: Writer) => void} fill
	 * @returns {Promise<Reader>}
	 */
	async ask(type, want, fill) {
		await this.ready;
		while (!this.failed && this.socket.bufferedAmount > WAITING_MAX)
			await new Promise((r) => setTimeout(r, 10));
		if (this.failed)
			throw this.failed;
		const id = this.id++;
		const w = new Writer(type).u32(id);
		fill(w);
		return new Promise((resolve, reject) => {
			this.waiting.set(id, { want, resolve, reject });
			this.socket.send(w.bytes());
		});
	}

	/** Reads an answer; what cannot be read ends the connection. */
	parse(r, how) {
		try {
			return how(r);
		} catch (error) {
			this.fail(error);
			throw error;
		}
	}

	async handle(type, fill) {
		return this.parse(await this.ask(type, T.HANDLE, fill), (r) => r.string());
	}

	/** @param {Path} path */
	async realpath(path) {
		const answer = await this.ask(T.REALPATH, T.NAME, (w) => w.string(path));
		return this.parse(answer, (r) => {
			if (r.u32() !== 1)
				throw new Nonsense();
			return r.string();
		});
	}

	/** What is in a folder, and whether that is all. @param {Path} path */
	async list(path) {
		const handle = await this.handle(T.OPENDIR, (w) => w.string(path));
		const entries = [];
		let all = false;
		try {
			while (entries.length < LIST_MAX) {
				const answer = await this.ask(T.READDIR, T.NAME, (w) => w.string(handle));
				this.parse(answer, (r) => this.names(r, entries));
			}
		} catch (error) {
			if (error.code !== STATUS_EOF)
				throw error;
			all = true;
		} finally {
			await this.shut(handle);
		}
		const real = ({ name }) => name.length > 2 || name.some((c) => c !== DOT);
		return { entries: entries.filter(real), all };
	}

	names(r, entries) {
		let n = r.u32();
		if (n === 0)
			throw new Nonsense(); // it would go on for ever
		for (; n > 0; n--) {
			const name = r.string();
			r.string();
			if (name.length === 0 || name.length > NAME_MAX || name.includes(SLASH) ||
			    name.includes(0))
				throw new Nonsense();
			entries.push({ name: name.slice(), ...r.attrs() }); // without its packet
		}
	}

	async shut(handle) {
		if (!this.failed)
			await this.ask(T.CLOSE, T.STATUS, (w) => w.string(handle));
	}

	/**
	 * A file as long as it is now, if it is wanted then. @param {Path} path
	 * @param {(size: number) => boolean} wanted
	 * @param {(done: number, size: number) => void} progress
	 */
	async download(path, wanted, progress, cancelled) {
		const handle = await this.handle(T.OPEN, (w) => w.string(path).u32(F.READ).u32(0));
		const parts = [];
		const under = [];
		let asked = 0;
		let done = 0;
		try {
			const answer = await this.ask(T.FSTAT, T.ATTRS, (w) => w.string(handle));
			const { size } = this.parse(answer, (r) => r.attrs());
			if (!wanted(size))
				throw new Error("not copied");
			const end = size > 0 ? size : ODD_MAX;
			const ahead = size > 0 ? AHEAD : 1;
			const more = () => {
				while (under.length < ahead && asked < end) {
					under.push(this.read(handle, asked, Math.min(PIECE, end - asked)));
					under.at(-1).catch(() => {});
					asked += PIECE;
				}
			};
			for (more(); under.length > 0; more()) {
				const piece = await under.shift();
				if (cancelled())
					throw new Error("cancelled");
				if (piece.length === 0)
					break;
				parts.push(piece);
				done += piece.length;
				progress(done, size);
				if (piece.length < PIECE)
					break; // the end, or one that was cut
			}
			if (size > 0 && done < size)
				throw new Error(`cut: ${done} of ${size} bytes have come`);
			if (size <= 0 && done >= ODD_MAX)
				throw new Error("longer than the host says");
		} finally {
			await Promise.allSettled(under);
			await this.shut(handle).catch(() => {});
		}
		return new Blob(parts, { type: "application/octet-stream" });
	}

	/** As many bytes as are there, up to n. */
	async read(handle, offset, n) {
		const got = new Uint8Array(n);
		let have = 0;
		try {
			while (have < n) {
				const at = offset + have;
				const answer = await this.ask(T.READ, T.DATA,
					(w) => w.string(handle).u64(at).u32(n - have));
				const piece = this.parse(answer, (r) => r.string());
				if (piece.length === 0 || piece.length > n - have)
					this.parse(null, () => {
						throw new Nonsense();
					});
				got.set(piece, have);
				have += piece.length;
			}
		} catch (error) {
			if (error.code !== STATUS_EOF)
				throw error;
		}
		return got.subarray(0, have);
	}

	/** The attributes of what is there, or null. @param {Path} path */
	async stat(path) {
		try {
			const answer = await this.ask(T.STAT, T.ATTRS, (w) => w.string(path));
			return this.parse(answer, (r) => r.attrs());
		} catch (error) {
			if (error.code !== STATUS_NO_FILE)
				throw error;
			return null;
		}
	}

	/** @param {Path} path */
	async remove(path) {
		await this.ask(T.REMOVE, T.STATUS, (w) => w.string(path));
	}

	/**
	 * Under another name first, so that what was there stays until all is.
	 * old: the attributes of what is replaced, or null.  left: is told a name
	 * that may be left on the host.
	 * @param {Path} path
	 */
	async upload(file, path, old, progress, cancelled, left) {
		const part = together(path, ".skypty-" + Math.random().toString(36).slice(2, 10));
		try {
			const handle = await this.handle(T.OPEN,
				(w) => w.string(part).u32(F.WRITE | F.CREAT | F.EXCL).u32(0));
			try {
				await this.send(file, handle, progress, cancelled);
				if (old !== null)
					await this.ask(T.FSETSTAT, T.STATUS, (w) => w.string(handle)
						.u32(HAS_MODE).u32(old.mode & 0o777));
			} finally {
				await this.shut(handle);
			}
			await this.rename(part, path);
		} catch (error) {
			if (this.failed)
				left(part);
			else
				await this.remove(part).catch(() => {});
			throw error;
		}
	}

	async send(file, handle, progress, cancelled) {
		const under = [];
		let done = 0;
		for (let at = 0; at < file.size; at += PIECE) {
			const bytes = new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer());
			under.push(this.ask(T.WRITE, T.STATUS, (w) => w.string(handle).u64(at).string(bytes))
				.then(() => progress(done += bytes.length, file.size)));
			under.at(-1).catch(() => {}); // the first that fails is told
			if (under.length >= AHEAD)
				await under.shift();
			if (cancelled())
				throw new Error("cancelled");
		}
		await Promise.all(under);
	}

	/** @param {Path} from @param {Path} to */
	async rename(from, to) {
		if (this.renames)
			await this.ask(T.EXTENDED, T.STATUS,
				(w) => w.string("posix-rename@openssh.com").string(from).string(to));
		else
			await this.ask(T.RENAME, T.STATUS, (w) => w.string(from).string(to));
	}
}
