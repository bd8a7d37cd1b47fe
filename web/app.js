// SPDX-License-Identifier: ISC
// The terminal in the browser: the connection, the screen and the buttons.
// @ts-check
import { Terminal } from "./xterm.mjs";
import { FitAddon } from "./addon-fit.mjs";
import { SearchAddon } from "./addon-search.mjs";
import { Unicode11Addon } from "./addon-unicode11.mjs";
import { WebLinksAddon } from "./addon-web-links.mjs";
import { WebglAddon } from "./addon-webgl.mjs";
import { Files } from "./files.js";

const ACK_BYTES = 65536; // of output that is told to be shown
const PIECE = 32768; // of what is pasted, in one frame
const WAITING_MAX = 262144; // unsent bytes that make a paste wait
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 30000;
const TITLE_MAX = 120;
const FONT = { min: 8, max: 32, own: 15 };

const CLOSE = { done: 1000, denied: 1008, failed: 1011, many: 1013, idle: 4000 };

const themes = {
	dark: {
		background: "#101418", foreground: "#e6edf3", cursor: "#7cc4ff",
		selectionBackground: "#2f4a66",
	},
	light: {
		background: "#ffffff", foreground: "#1f2328", cursor: "#0757b8",
		selectionBackground: "#b6d7ff",
		black: "#24292f", red: "#b3261e", green: "#116329", yellow: "#7d4e00",
		blue: "#0757b8", magenta: "#8250df", cyan: "#1b7c83", white: "#6e7781",
		brightBlack: "#57606a", brightRed: "#a40e26", brightGreen: "#1a7f37",
		brightYellow: "#633c01", brightBlue: "#218bff", brightMagenta: "#a475f9",
		brightCyan: "#3192aa", brightWhite: "#8c959f",
	},
};

/** @param {string} id */
const $ = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const encoder = new TextEncoder();
const dark = matchMedia("(prefers-color-scheme: dark)");

// --- what is remembered -------------------------------------------------

/** A browser may forbid it. @param {Storage|undefined} store */
function remembered(store, key) {
	try {
		return store?.getItem(key) ?? null;
	} catch {
		return null;
	}
}

function remember(store, key, value) {
	try {
		if (value === null)
			store.removeItem(key);
		else
			store.setItem(key, value);
	} catch {
		// Then it is for this page only.
	}
}

const sidKey = "skypty-sid:" + location.pathname;

// --- the screen ---------------------------------------------------------

const term = new Terminal({
	allowProposedApi: true,
	cursorBlink: true,
	fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
	fontSize: Number(remembered(localStorage, "skypty-font")) || FONT.own,
	scrollback: 10000,
	theme: dark.matches ? themes.dark : themes.light,
	minimumContrastRatio: 4.5,
});
const fit = new FitAddon();
const search = new SearchAddon();
term.loadAddon(fit);
term.loadAddon(search);
term.loadAddon(new Unicode11Addon());
term.unicode.activeVersion = "11";
term.loadAddon(new WebLinksAddon((event, uri) => {
	if (/^https?:\/\//i.test(uri))
		window.open(uri, "_blank", "noopener,noreferrer");
}));
term.open($("terminal"));

/** The faster renderer, as long as there is one. */
function useWebgl() {
	try {
		const addon = new WebglAddon();
		addon.onContextLoss(() => addon.dispose());
		term.loadAddon(addon);
	} catch {
		// The other one is there already.
	}
}
useWebgl();

dark.addEventListener("change", () => {
	term.options.theme = dark.matches ? themes.dark : themes.light;
});

function fitScreen() {
	const view = window.visualViewport;
	if (view)
		document.body.style.setProperty("--height", view.height + "px");
	fit.fit();
}
new ResizeObserver(fitScreen).observe($("terminal"));
window.visualViewport?.addEventListener("resize", fitScreen);

/** @param {number} size */
function setFont(size) {
	term.options.fontSize = Math.min(FONT.max, Math.max(FONT.min, size));
	remember(localStorage, "skypty-font", String(term.options.fontSize));
	fitScreen();
}

// --- what the bar says --------------------------------------------------

let hostTitle = "skypty";
let ownTitle = "";
let rung = false;

function showTitle() {
	const title = ownTitle ? ownTitle + " – " + hostTitle : hostTitle;
	document.title = (rung ? "● " : "") + title;
	$("title").textContent = hostTitle;
}

/** @param {string} state @param {string} text */
function show(state, text) {
	$("state").dataset.state = state;
	if ($("status").textContent !== text)
		$("status").textContent = text;
	$("wait").textContent = "";
	$("again").hidden = !(state === "lost" || state === "ended" || state === "failed");
	$("again").textContent = state === "ended" ? "New terminal" : "Reconnect now";
}

term.onTitleChange((title) => {
	ownTitle = title.replace(/[\p{C}]/gu, "").slice(0, TITLE_MAX);
	showTitle();
});

term.onBell(() => {
	if (document.hidden) {
		rung = true;
		showTitle();
	} else if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
		$("terminal").classList.add("bell");
		setTimeout(() => $("terminal").classList.remove("bell"), 120);
	}
});

// --- the connection -----------------------------------------------------

/** @type {WebSocket|null} */
let socket = null;
let running = false;
let readonly = false;
let sid = remembered(sessionStorage, sidKey);
let retryMs = RETRY_MIN_MS;
let retryTimer = 0;
let countdown = 0;
let shown = 0; // bytes of this socket that are on the screen
let acked = 0;
let queue = []; // what is typed and not sent
let draining = false;
let commands = new URLSearchParams(location.search).get("commands");
let lastError = "";

/** @param {string} path */
function socketUrl(path, query = {}) {
	const url = new URL(path, new URL(".", location.href));
	url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
	url.search = new URLSearchParams(query).toString();
	return url.href;
}

function say(message) {
	if (socket?.readyState === WebSocket.OPEN)
		socket.send(JSON.stringify(message));
}

/** @param {number} bytes */
function ack(bytes) {
	shown += bytes;
	if (shown - acked >= ACK_BYTES || bytes === 0) {
		acked = shown;
		say({ type: "ack", bytes: shown });
	}
}

/** Sends what is queued, no more than the socket takes. */
function drain() {
	draining = false;
	while (queue.length > 0 && socket?.readyState === WebSocket.OPEN) {
		if (socket.bufferedAmount > WAITING_MAX) {
			draining = true;
			setTimeout(drain, 20);
			return;
		}
		socket.send(queue.shift());
	}
}

/** @param {Uint8Array} bytes */
function type(bytes) {
	if (!running || readonly)
		return;
	for (let i = 0; i < bytes.length; i += PIECE)
		queue.push(bytes.slice(i, i + PIECE));
	if (!draining)
		drain();
}

function onText(text) {
	let message;
	try {
		message = JSON.parse(text);
	} catch {
		return;
	}
	switch (message.type) {
	case "status":
		show("connecting", String(message.text));
		break;
	case "open":
		running = true;
		retryMs = RETRY_MIN_MS;
		commands = null;
		show("open", readonly ? "connected, look only" : "connected");
		say({ type: "resize", cols: term.cols, rows: term.rows });
		break;
	case "session":
		sid = String(message.id);
		remember(sessionStorage, sidKey, sid);
		break;
	case "exit":
		onExit(message);
		break;
	case "error":
		lastError = String(message.text);
	}
}

function onExit(message) {
	let text = "ended";
	if (typeof message.status === "number")
		text = "ended with status " + message.status;
	else if (typeof message.signal === "string")
		text = "ended by signal " + message.signal;
	sid = null;
	remember(sessionStorage, sidKey, null);
	term.write("\r\n\x1b[7m " + text.replace(/[^\x20-\x7e]/g, "?") + " \x1b[0m\r\n");
	show("ended", text);
}

/** @param {CloseEvent} event */
async function onClose(event) {
	running = false;
	socket = null;
	queue = [];
	if (event.code === CLOSE.done)
		return;
	if (event.code === CLOSE.idle) {
		show("ended", "ended: nothing was typed for too long");
		return;
	}
	if (event.code === CLOSE.many) {
		show("failed", "too many terminals are open");
		return;
	}
	if (!(await isLetIn()))
		return;
	retry(lastError || event.reason || "connection lost");
}

/** Whether the cookie is still good; told if not. */
async function isLetIn() {
	try {
		const reply = await fetch("config.json", { cache: "no-store" });
		if (reply.status === 401 || reply.status === 403) {
			show("failed", "signed out: open a new link of skyptyd http");
			return false;
		}
	} catch {
		// Nobody is there: that may change.
	}
	return true;
}

/** @param {string} why */
function retry(why) {
	const wait = retryMs * (0.75 + Math.random() / 2);
	let left = Math.ceil(wait / 1000);

	retryMs = Math.min(RETRY_MAX_MS, retryMs * 2);
	clearInterval(countdown);
	show("lost", why);
	// Beside the text that is read aloud: not each second.
	const tell = () => {
		$("wait").textContent = `again in ${left} s`;
		left = Math.max(0, left - 1);
	};
	tell();
	countdown = window.setInterval(tell, 1000);
	retryTimer = window.setTimeout(connect, wait);
}

function connect() {
	clearTimeout(retryTimer);
	clearInterval(countdown);
	if (socket)
		return;
	const query = { cols: term.cols, rows: term.rows };
	if (sid)
		query.sid = sid;
	else if (commands)
		query.commands = commands;
	lastError = "";
	shown = acked = 0;
	show("connecting", "connecting…");
	const mine = new WebSocket(socketUrl(".", query), "skypty.1");
	mine.binaryType = "arraybuffer";
	mine.onmessage = (event) => {
		if (typeof event.data === "string")
			onText(event.data);
		else
			write(mine, new Uint8Array(event.data));
	};
	mine.onclose = onClose;
	socket = mine;
}

/** @param {WebSocket} from @param {Uint8Array} bytes */
function write(from, bytes) {
	term.write(bytes, () => {
		if (from === socket)
			ack(bytes.length);
	});
}

// What is left over is told when nothing more comes.
setInterval(() => {
	if (socket && shown !== acked)
		ack(0);
}, 250);

function connectSoon() {
	if (!socket && $("state").dataset.state === "lost")
		connect();
}
window.addEventListener("online", connectSoon);
document.addEventListener("visibilitychange", () => {
	if (document.hidden)
		return;
	rung = false;
	showTitle();
	connectSoon();
});
window.addEventListener("beforeunload", (event) => {
	if (running && !sid && !readonly)
		event.preventDefault();
});

// --- what is typed ------------------------------------------------------

const held = { ctrl: false, alt: false };

/** A held Ctrl or Alt of the row of keys counts for one key. @param {string} text */
function withHeld(text) {
	if (held.ctrl && text.length === 1) {
		const code = text.toUpperCase().charCodeAt(0);
		if (code >= 64 && code < 96)
			text = String.fromCharCode(code - 64);
	}
	if (held.alt)
		text = "\x1b" + text;
	hold("ctrl", false);
	hold("alt", false);
	return text;
}

/** @param {"ctrl"|"alt"} key @param {boolean} on */
function hold(key, on) {
	held[key] = on;
	document.querySelector(`[data-hold=${key}]`)?.setAttribute("aria-pressed", String(on));
}

term.onData((text) => {
	if (!socket && $("state").dataset.state === "ended" && text === "\r")
		connect();
	else
		type(encoder.encode(held.ctrl || held.alt ? withHeld(text) : text));
});
term.onBinary((text) => type(Uint8Array.from(text, (c) => c.charCodeAt(0))));
term.onResize(({ cols, rows }) => say({ type: "resize", cols, rows }));

async function copy() {
	if (term.hasSelection())
		await navigator.clipboard?.writeText(term.getSelection());
}

async function paste() {
	const text = await navigator.clipboard?.readText();
	if (text)
		term.paste(text);
}

const shortcuts = {
	"ctrl+shift+KeyC": copy,
	"ctrl+shift+KeyV": paste,
	"ctrl+shift+KeyF": () => showSearch(true),
	"ctrl+shift+Period": () => $("find").focus(),
	"ctrl+Equal": () => setFont(term.options.fontSize + 1),
	"ctrl+shift+Equal": () => setFont(term.options.fontSize + 1),
	"ctrl+NumpadAdd": () => setFont(term.options.fontSize + 1),
	"ctrl+Minus": () => setFont(term.options.fontSize - 1),
	"ctrl+NumpadSubtract": () => setFont(term.options.fontSize - 1),
	"ctrl+Digit0": () => setFont(FONT.own),
};

term.attachCustomKeyEventHandler((event) => {
	const name = (event.ctrlKey ? "ctrl+" : "") + (event.shiftKey ? "shift+" : "") +
		event.code;
	const action = event.altKey || event.metaKey ? undefined : shortcuts[name];
	if (!action)
		return true;
	event.preventDefault();
	if (event.type === "keydown")
		Promise.resolve(action()).catch(() => show("open", "the browser forbids the clipboard"));
	return false;
});

$("bar").addEventListener("keydown", (event) => {
	if (event.key === "Escape" || (event.ctrlKey && event.shiftKey && event.code === "Period"))
		term.focus();
});

// --- buttons ------------------------------------------------------------

/** @param {boolean} on */
function showSearch(on) {
	$("search").hidden = !on;
	if (on) {
		$("needle").focus();
		return;
	}
	search.clearDecorations();
	term.focus();
}

function findNext(back) {
	const text = /** @type {HTMLInputElement} */ ($("needle")).value;
	if (text)
		back ? search.findPrevious(text) : search.findNext(text);
}

$("search").addEventListener("submit", (event) => {
	event.preventDefault();
	findNext(false);
});
$("needle").addEventListener("keydown", (event) => {
	if (event.key === "Escape")
		showSearch(false);
	else if (event.key === "Enter" && event.shiftKey) {
		event.preventDefault();
		findNext(true);
	}
});
$("previous").onclick = () => findNext(true);
$("close-search").onclick = () => showSearch(false);
$("find").onclick = () => showSearch($("search").hidden);
$("smaller").onclick = () => setFont(term.options.fontSize - 1);
$("larger").onclick = () => setFont(term.options.fontSize + 1);
$("help").onclick = () => /** @type {HTMLDialogElement} */ ($("help-dialog")).showModal();
$("again").onclick = () => {
	retryMs = RETRY_MIN_MS;
	connect();
	term.focus();
};
$("reader").onclick = () => {
	const on = !term.options.screenReaderMode;
	term.options.screenReaderMode = on;
	$("reader").setAttribute("aria-pressed", String(on));
	term.focus();
};
for (const dialog of document.querySelectorAll("dialog"))
	dialog.addEventListener("close", () => term.focus());
$("keys").addEventListener("pointerdown", (event) => event.preventDefault());
$("keys").addEventListener("click", (event) => {
	const button = /** @type {HTMLElement} */ (event.target);
	const keys = { Escape: "\x1b", Tab: "\t", ArrowLeft: "D", ArrowUp: "A",
		ArrowRight: "C", ArrowDown: "B" };
	const { key, text, font, hold: holds } = button.dataset;
	if (font)
		setFont(Number(term.options.fontSize) + Number(font));
	if (holds) {
		hold(/** @type {"ctrl"|"alt"} */ (holds), !held[holds]);
		return;
	}
	let typed = text ?? (key ? keys[key] : "");
	if (key?.startsWith("Arrow"))
		typed = (term.modes.applicationCursorKeysMode ? "\x1bO" : "\x1b[") + typed;
	if (typed)
		type(encoder.encode(withHeld(typed)));
});

// --- the beginning ------------------------------------------------------

async function begin() {
	const reply = await fetch("config.json", { cache: "no-store" });
	if (!reply.ok) {
		show("failed", "signed out: open a new link of skyptyd http");
		return;
	}
	const config = await reply.json();
	hostTitle = String(config.title).slice(0, TITLE_MAX);
	readonly = config.readonly === true;
	term.options.disableStdin = readonly;
	showTitle();
	if (config.sftp) {
		$("files").hidden = false;
		const files = new Files(() => socketUrl("sftp"));
		$("files").onclick = () => files.open();
	}
	fitScreen();
	connect();
	term.focus();
}

begin().catch(() => retry("nobody answers"));
