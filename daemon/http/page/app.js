// SPDX-License-Identifier: ISC
// The terminal in the browser: the connection, the screen and the buttons.
// @ts-check
import { Terminal } from "./xterm.mjs";
import { FitAddon } from "./addon-fit.mjs";
import { SearchAddon } from "./addon-search.mjs";
import { Unicode11Addon } from "./addon-unicode11.mjs";
import { WebLinksAddon } from "./addon-web-links.mjs";
import { WebglAddon } from "./addon-webgl.mjs";
import { asNew, boundHost } from "./bounds.js";
import { Files } from "./files.js";
import { modified, sequence } from "./keys.js";
import { Pulse, TICK_MS } from "./pulse.js";
import { Budget, clean, isAnswer, isGesture, visible, visibleLines } from "./text.js";
import { followFingers } from "./touch.js";
import { withNewer } from "./width.js";

const ACK_BYTES = 65536; // of output that is told to be shown
const PIECE = 32768; // of what is pasted, in one frame
const WAITING_MAX = 262144; // unsent bytes that make a paste wait
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 30000;
const TITLE_MAX = 120;
const STATUS_MAX = 300;
const PASTE_SHOWN = 20000; // characters of what is asked about
const ANSWERS = { most: 500, second: 100 }; // of the screen to the host
const PAGES_MAX = 12; // of pictures of characters
const DRAWN_MAX = 100000; // characters, each of which may have its own colours
const TITLE_MS = 50; // between changes that are shown
const ASK_MS = 10000; // for a small answer over HTTP
const CONNECT_TICKS = 8; // for a connection to be made
const NOTE_MS = 8000; // that a note stays
const CLIP_MAX = 1000000; // characters that a program may want to copy
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

/** A browser may forbid it. @param {"localStorage"|"sessionStorage"} store */
function remembered(store, key) {
	try {
		return window[store].getItem(key);
	} catch {
		return null;
	}
}

function remember(store, key, value) {
	try {
		if (value === null)
			window[store].removeItem(key);
		else
			window[store].setItem(key, value);
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
	fontSize: Number(remembered("localStorage", "skypty-font")) || FONT.own,
	scrollback: 10000,
	theme: dark.matches ? themes.dark : themes.light,
	minimumContrastRatio: 4.5,
});
const fit = new FitAddon();
const search = new SearchAddon();
term.loadAddon(fit);
term.loadAddon(search);
new Unicode11Addon().activate(/** @type {any} */ ({ unicode: {
	register: (eleven) => term.unicode.register(withNewer(eleven)),
} }));
term.unicode.activeVersion = "15";
term.loadAddon(new WebLinksAddon((event, uri) => {
	if (/^https?:\/\//i.test(uri))
		window.open(uri, "_blank", "noopener,noreferrer");
}));
term.open($("terminal"));
followFingers($("terminal"), term);
boundHost(term);
const area = /** @type {HTMLTextAreaElement} */ (term.textarea); // what is typed comes through it

/** The faster renderer, as long as there is one. */
function useWebgl() {
	try {
		const addon = new WebglAddon();
		let pages = 0;
		addon.onContextLoss(() => addon.dispose());
		// It forgets no picture that it has made: a film would fill the memory.
		addon.onAddTextureAtlasCanvas(() => {
			if (++pages === PAGES_MAX)
				setTimeout(() => {
					term.options.cursorBlink = false; // its timer keeps all
					addon.dispose();
					term.options.cursorBlink = true;
					useWebgl();
				});
		});
		term.loadAddon(addon);
	} catch {
		// The other one is there already.
	}
}
useWebgl();

// Nor does the screen forget a colour that it has made readable.
let drawn = 0;
term.onRender(({ start, end }) => {
	drawn += (end - start + 1) * term.cols;
	if (drawn < DRAWN_MAX)
		return;
	drawn = 0;
	const colours = /** @type {any} */ (term)._core?._themeService?.colors;
	colours?.contrastCache?.clear();
	colours?.halfContrastCache?.clear();
});

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
	remember("localStorage", "skypty-font", String(term.options.fontSize));
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
	text = visible(text).slice(0, STATUS_MAX);
	$("state").dataset.state = state;
	if ($("status").textContent !== text)
		$("status").textContent = text;
	$("wait").textContent = "";
	$("again").hidden = !(state === "lost" || state === "ended" || state === "failed");
	$("again").textContent = state === "ended" ? "New terminal" : "Reconnect now";
}

let noteTimer = 0;

/** For a while, beside the state. @param {string} text */
function note(text) {
	clearTimeout(noteTimer);
	$("note").textContent = text;
	noteTimer = window.setTimeout(() => ($("note").textContent = ""), NOTE_MS);
}

let titleTimer = 0;

term.onTitleChange((title) => {
	ownTitle = title.slice(0, 2 * TITLE_MAX).replace(/[\p{C}]/gu, "").slice(0, TITLE_MAX);
	titleTimer ||= window.setTimeout(() => {
		titleTimer = 0;
		showTitle();
	}, TITLE_MS);
});

const still = matchMedia("(prefers-reduced-motion: reduce)");
let flashing = false;

// A host may ring a million times.
term.onBell(() => {
	if (document.hidden) {
		if (rung)
			return;
		rung = true;
		showTitle();
	} else if (!flashing && !still.matches) {
		flashing = true;
		$("terminal").classList.add("bell");
		setTimeout(() => {
			flashing = false;
			$("terminal").classList.remove("bell");
		}, 120);
	}
});

// --- the connection -----------------------------------------------------

/** @type {WebSocket|null} */
let socket = null;
let config = null; // what this page is told about the host
let running = false;
let readonly = false;
let sid = remembered("sessionStorage", sidKey);
let retryMs = RETRY_MIN_MS;
let retryTimer = 0;
let countdown = 0;
let connecting = 0; // ticks
let shown = 0; // bytes of this socket that are on the screen
let acked = 0;
let queue = []; // what is typed and not sent
let draining = false;
let commands = new URLSearchParams(location.search).get("commands");
let lastError = "";
let asked = ""; // for this terminal, by its sid
let doubt = 0; // characters that may not have arrived
const pulse = { now: new Pulse(ask) };

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

/** @param {number} id */
function ask(id) {
	say({ type: "ping", id });
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
	pulse.now.typed += bytes.reduce((n, b) => n + Number((b & 0xc0) !== 0x80), 0);
	for (let i = 0; i < bytes.length; i += PIECE)
		queue.push(bytes.slice(i, i + PIECE));
	if (!draining)
		drain();
}

/** What is typed now goes nowhere, and it is said. */
function isDeaf() {
	const state = $("state").dataset.state;

	if (running)
		return false;
	if (state === "connecting" || state === "lost")
		note("nothing is typed: there is no connection");
	return true;
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
		if (!asked)
			beginAsNew();
		running = true;
		doubt = 0;
		retryMs = RETRY_MIN_MS;
		commands = null;
		note("");
		show("open", readonly ? "connected, look only" : "connected");
		say({ type: "resize", cols: term.cols, rows: term.rows });
		break;
	case "session":
		sid = String(message.id);
		if (asked && asked !== sid)
			beginAsNew();
		asked = sid;
		remember("sessionStorage", sidKey, sid);
		break;
	case "pong":
		pulse.now.answered(message.id);
		break;
	case "exit":
		onExit(message);
		break;
	case "error":
		lastError = String(message.text);
	}
}

/** Another program than before: nothing of that one's is left but what it wrote. */
function beginAsNew() {
	ownTitle = "";
	showTitle();
	refuseClip();
	clipAlways = false;
	term.write(asNew(term));
	if (doubt > 0)
		tell(`connection lost; of what was typed last ${doubt} ` +
			(doubt === 1 ? "character" : "characters") + " may not have arrived");
	doubt = 0;
}

/** On the screen, as none of the host's words. @param {string} text */
function tell(text) {
	term.write("\r\n\x1b[7m " + text.replace(/[^\x20-\x7e]/g, "?") + " \x1b[0m\r\n");
}

function onExit(message) {
	let text = "ended";
	if (typeof message.status === "number")
		text = "ended with status " + message.status;
	else if (typeof message.signal === "string")
		text = "ended by signal " + message.signal;
	sid = null;
	remember("sessionStorage", sidKey, null);
	pulse.now.sure = pulse.now.typed; // nobody is there to read it
	beginAsNew();
	tell(text);
	show("ended", text);
}

/** Whatever comes of it later is nobody's business. */
function forsake() {
	if (socket) {
		socket.onmessage = socket.onclose = null;
		socket.close();
	}
	socket = null;
	running = false;
	queue = [];
	pasteDialog.close();
	pasteHere.close();
}

/** @param {CloseEvent} event */
function onClose(event) {
	const unsure = pulse.now.unsure;

	forsake();
	if (event.code === CLOSE.done)
		return;
	if (event.code === CLOSE.idle)
		show("ended", "ended: nothing was typed for too long");
	else if (event.code === CLOSE.many)
		show("failed", "too many terminals are open");
	else
		lose(lastError || event.reason || "connection lost", unsure);
}

/** What is known is told at once, what must be asked for later. */
function lose(why, unsure) {
	doubt += unsure;
	forsake();
	retry(why + (unsure > 0 ? `; of what was typed last ${unsure} may not have arrived` : ""));
	checkLetIn();
}

let checking = false;

/** Whether the cookie is still good; told if not. */
async function checkLetIn() {
	if (checking)
		return;
	checking = true;
	try {
		const reply = await askHost();
		if (!running && (reply.status === 401 || reply.status === 403))
			signedOut();
	} catch {
		// Nobody is there: that may change.
	}
	checking = false;
}

const askHost = () => fetch("config.json",
	{ cache: "no-store", signal: AbortSignal.timeout(ASK_MS) });

function signedOut() {
	clearTimeout(retryTimer);
	clearInterval(countdown);
	forsake();
	show("failed", "signed out: open a new link of skyptyd http");
}

/** @param {string} why */
function retry(why) {
	const wait = retryMs * (0.75 + Math.random() / 2);
	let left = Math.ceil(wait / 1000);

	retryMs = Math.min(RETRY_MAX_MS, retryMs * 2);
	clearTimeout(retryTimer);
	clearInterval(countdown);
	show("lost", why);
	// Beside the text that is read aloud: not each second.
	const count = () => {
		$("wait").textContent = `again in ${left} s`;
		left = Math.max(0, left - 1);
	};
	count();
	countdown = window.setInterval(count, 1000);
	retryTimer = window.setTimeout(connect, wait);
}

function connect() {
	clearTimeout(retryTimer);
	clearInterval(countdown);
	if (socket)
		return;
	if (!config) {
		begin();
		return;
	}
	const query = { cols: term.cols, rows: term.rows };
	if (sid)
		query.sid = sid;
	else if (commands)
		query.commands = commands;
	lastError = "";
	asked = sid ?? "";
	shown = acked = connecting = 0;
	pulse.now = new Pulse(ask);
	show("connecting", "connecting…");
	const mine = new WebSocket(socketUrl(".", query), "skypty.1");
	mine.binaryType = "arraybuffer";
	mine.onmessage = (event) => {
		pulse.now.heard();
		if (typeof event.data === "string")
			onText(event.data);
		else
			write(mine, new Uint8Array(event.data));
	};
	mine.onclose = onClose;
	socket = mine;
}

// A network that has gone away says nothing, and the browser neither.
setInterval(() => {
	if (!socket)
		return;
	const there = socket.readyState === WebSocket.CONNECTING ?
		++connecting < CONNECT_TICKS : pulse.now.tick();
	if (!there && socket.readyState !== WebSocket.CLOSED)
		lose("nothing is heard of the host", pulse.now.unsure);
}, TICK_MS);

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
	else if (running)
		pulse.now.look();
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
	const typed = modified(text, held.ctrl, held.alt);
	hold("ctrl", false);
	hold("alt", false);
	return typed;
}

/** @param {"ctrl"|"alt"} key @param {boolean} on */
function hold(key, on) {
	held[key] = on;
	document.querySelector(`[data-hold=${key}]`)?.setAttribute("aria-pressed", String(on));
}

let pressed = ""; // by a key that is about to be typed
let pasting = false;
const answers = new Budget(ANSWERS.most, ANSWERS.second);

/** @param {string} text */
const typeText = (text) => type(encoder.encode(text));
/** @param {string} text */
const typeHeld = (text) => isDeaf() || typeText(held.ctrl || held.alt ? withHeld(text) : text);

term.onKey(({ key }) => (pressed = key));

// All that the screen sends.  Only keys, and what is ours, may say anything.
term.onData((text) => {
	const isKey = text === pressed;

	pressed = "";
	if (!socket && $("state").dataset.state === "ended" && isKey && text === "\r")
		connect();
	else if (isKey)
		typeHeld(text);
	else if (pasting || isGesture(text))
		typeText(text);
	else if (isAnswer(text)) {
		if (answers.take(performance.now()))
			typeText(text);
	} else
		commit(text);
});
term.onBinary((text) => type(Uint8Array.from(text, (c) => c.charCodeAt(0))));
term.onResize(({ cols, rows }) => say({ type: "resize", cols, rows }));

/** Without https a browser gives pages no clipboard, but copies what is selected. */
function copyOldStyle(text) {
	const own = document.createElement("textarea");
	own.value = text;
	own.style.position = "fixed";
	document.body.append(own);
	own.select();
	const done = document.execCommand("copy");
	own.remove();
	return done;
}

/** @param {string} text */
async function copyText(text) {
	try {
		await navigator.clipboard.writeText(text);
	} catch {
		if (!copyOldStyle(text)) {
			note("the browser forbids the clipboard");
			return false;
		}
	}
	note(`copied, ${text.length} characters`);
	return true;
}

async function copy() {
	if (!term.hasSelection()) {
		note("nothing is selected");
		return;
	}
	await copyText(term.getSelection());
	term.focus();
}

/** By the browser's hands where it gives nothing into ours. */
async function paste() {
	let text;
	try {
		text = await navigator.clipboard.readText();
	} catch {
		const here = /** @type {HTMLTextAreaElement} */ ($("paste-here-text"));
		here.value = "";
		pasteHere.returnValue = "";
		pasteHere.showModal();
		here.focus();
		return;
	}
	await pasteText(text);
}

const pasteHere = /** @type {HTMLDialogElement} */ ($("paste-here"));
pasteHere.addEventListener("close", () => {
	const here = /** @type {HTMLTextAreaElement} */ ($("paste-here-text"));
	const text = pasteHere.returnValue === "yes" ? here.value : "";
	here.value = "";
	if (text)
		pasteText(text);
});

// --- what a program wants to copy -----------------------------------------

let clip = "";
let clipAlways = false; // for the program that runs

function refuseClip() {
	clip = "";
	$("clip").hidden = true;
}

/** @param {string} base64 */
function readClip(base64) {
	try {
		const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
		return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
	} catch {
		return "";
	}
}

// It may write, if the user says so, and never read.
term.parser.registerOscHandler(52, (data) => {
	const text = data.length < 2 * CLIP_MAX ? readClip(data.slice(data.indexOf(";") + 1)) : "";

	if (text === "" || text.length > CLIP_MAX || readonly)
		return true;
	if (clipAlways) {
		copyText(text);
		return true;
	}
	clip = text;
	$("clip-question").textContent = `A program wants to copy ${text.length} characters: ` +
		visible(text.slice(0, 200)) + (text.length > 200 ? "…" : "");
	$("clip").hidden = false;
	return true;
});

/** @param {boolean} always */
function takeClip(always) {
	clipAlways = always;
	copyText(clip);
	refuseClip();
	term.focus();
}
$("clip-yes").onclick = () => takeClip(false);
$("clip-always").onclick = () => takeClip(true);
$("clip-no").onclick = () => {
	refuseClip();
	term.focus();
};

// --- what is pasted -------------------------------------------------------

const pasteDialog = /** @type {HTMLDialogElement} */ ($("paste-dialog"));
/** @type {((yes: boolean) => void) | null} */
let answerPaste = null; // who waits for the answer

// The event comes a while after the end, and there may be a new question then.
pasteDialog.addEventListener("close", () => {
	if (pasteDialog.open)
		return;
	answerPaste?.(pasteDialog.returnValue === "yes");
	answerPaste = null;
});

/** Whether lines are to be typed where each may be a command. @param {string} text */
function mayPaste(text) {
	const lines = text.replace(/\n$/, "").split("\n").length;
	const seen = text.slice(0, PASTE_SHOWN);

	$("paste-question").textContent = (lines === 1 ? "Paste a line with its end" :
		`Paste ${lines} lines`) + "? The program here does not tell what is pasted from " +
		"what is typed, and may run " + (lines === 1 ? "it." : "each of them.");
	$("paste-text").textContent = visibleLines(seen) +
		(seen.length < text.length ? `\n… and ${text.length - seen.length} characters` : "");
	answerPaste?.(false);
	return new Promise((resolve) => {
		answerPaste = resolve;
		pasteDialog.returnValue = "";
		pasteDialog.showModal();
		$("paste-text").scrollTop = 0;
	});
}

/** What the text area holds could be taken for typed later. */
function forget() {
	area.value = "";
}

/** The one way in for text that was not typed here. @param {string} foreign */
async function pasteText(foreign) {
	const text = clean(foreign);
	const mine = socket;

	forget();
	if (readonly || text === "" || pasteDialog.open || isDeaf())
		return;
	if (!term.modes.bracketedPasteMode && text.includes("\n") &&
	    (!(await mayPaste(text)) || mine !== socket))
		return;
	// A held key would stand in front of the bracket, which is none then.
	hold("ctrl", false);
	hold("alt", false);
	pasting = true;
	term.paste(text);
	pasting = false;
}

/**
 * What an input method gives, a word or a clipboard that it keeps; nothing of
 * the screen's comes here.
 * @param {string} foreign
 */
function commit(foreign) {
	if (/^[\t\n\r\x7f]$/.test(foreign))
		return typeHeld(foreign);
	if (/^[\x1b\x80-\x9f]/.test(foreign))
		return; // an answer of a kind that we do not know
	const text = clean(foreign);
	if (text.includes("\n"))
		pasteText(text);
	else {
		if (text !== foreign)
			forget();
		typeHeld(text);
	}
}

const isTextDrag = (data) => data && data.types.includes("text/plain") &&
	!data.types.includes("Files");

// Before the screen's own listeners, which take whatever comes.
$("terminal").addEventListener("paste", (event) => {
	event.preventDefault();
	event.stopImmediatePropagation();
	pasteText(event.clipboardData?.getData("text/plain") ?? "");
}, { capture: true });

// Keyboards of phones change the text area instead of pressing keys, and the
// screen guesses from its text what was typed.  It is kept empty for them, and
// what is no word that grows is typed here.
const NO_KEY = 229;
let lastKey = 0;
let word = ""; // "", "grows", "over" until the screen has read it, "taken" by a held key

$("terminal").addEventListener("keydown", (event) => {
	lastKey = event.keyCode;
	if (lastKey !== NO_KEY || word !== "")
		return;
	forget();
	// The screen would look at the text later, and may find a word there
	// that has come in the meantime.
	event.stopImmediatePropagation();
}, { capture: true });
$("terminal").addEventListener("compositionstart", () => (word = "grows"), { capture: true });
$("terminal").addEventListener("compositionupdate", (event) => {
	const [first] = event.data ?? "";
	if (word !== "grows" || !first || !(held.ctrl || held.alt))
		return;
	// It is for this character, and not for a word.
	word = "taken";
	typeHeld(first);
	setTimeout(() => {
		forget();
		if (word === "taken") // no browser says the same
			area.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true }));
	});
}, { capture: true });
$("terminal").addEventListener("compositionend", () => {
	if (word === "taken")
		forget();
	word = "over";
});
area.addEventListener("compositionend", () => setTimeout(() => {
	if (word !== "over")
		return;
	word = "";
	forget();
}));
$("terminal").addEventListener("beforeinput", (event) => {
	const text = event.dataTransfer?.getData("text/plain") ?? event.data ?? "";
	const how = event.inputType;
	const byPhone = lastKey === NO_KEY && word === "";

	if (how.startsWith("insertFrom") && how !== "insertFromComposition")
		pasteText(text);
	// An input method's word may go on; its lines, or worse, are no word.
	else if (how === "insertText" && !/^(?:[^\x00-\x1f\x7f-\x9f]*|[\t\n])$/.test(text))
		pasteText(text);
	else if (how === "insertText" && byPhone)
		commit(text);
	else if ((how === "insertLineBreak" || how === "insertParagraph") && byPhone)
		typeHeld("\r");
	else if (how === "deleteContentBackward" && byPhone)
		typeHeld("\x7f");
	else
		return;
	event.preventDefault();
}, { capture: true });
for (const name of ["dragover", "drop"])
	$("terminal").addEventListener(name, (event) => {
		const data = /** @type {DragEvent} */ (event).dataTransfer;
		if (!isTextDrag(data))
			return;
		event.preventDefault();
		event.stopImmediatePropagation();
		if (name === "drop")
			pasteText(data.getData("text/plain"));
	}, { capture: true });

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
	"ctrl+Slash": () => typeHeld("\x1f"),
};

term.attachCustomKeyEventHandler((event) => {
	const name = (event.ctrlKey ? "ctrl+" : "") + (event.shiftKey ? "shift+" : "") +
		event.code;
	const action = event.altKey || event.metaKey ? undefined : shortcuts[name];
	if (!action)
		return true;
	// Without leave for the clipboard's text the browser pastes by itself.
	if (action === paste && !navigator.clipboard?.readText)
		return false;
	event.preventDefault();
	if (event.type === "keydown")
		action();
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
	$("found").textContent = "";
	term.focus();
}

const MARKS = { matchOverviewRuler: "#b58900", activeMatchColorOverviewRuler: "#cb4b16",
	matchBorder: "#b58900", activeMatchBorder: "#cb4b16" };

function findNext(back) {
	const text = /** @type {HTMLInputElement} */ ($("needle")).value;
	$("found").textContent = "";
	if (text)
		back ? search.findPrevious(text, { decorations: MARKS }) :
			search.findNext(text, { decorations: MARKS });
}

search.onDidChangeResults(({ resultIndex, resultCount }) => {
	if (!$("search").hidden)
		$("found").textContent = resultCount === 0 ? "not found" :
			resultIndex < 0 ? `${resultCount} or more` : `${resultIndex + 1} of ${resultCount}`;
});

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
	const { key, text, font, hold: holds, act } =
		/** @type {HTMLElement} */ (event.target).dataset;

	if (font)
		setFont(Number(term.options.fontSize) + Number(font));
	else if (holds)
		hold(/** @type {"ctrl"|"alt"} */ (holds), !held[holds]);
	else if (act)
		act === "copy" ? copy() : paste();
	else if (text || key)
		typeHeld(text ?? sequence(key, term.modes.applicationCursorKeysMode));
});

// --- the beginning ------------------------------------------------------

function take(found) {
	config = found;
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
}

async function begin() {
	show("connecting", "connecting…");
	try {
		const reply = await askHost();
		if (reply.status === 401 || reply.status === 403) {
			signedOut();
			return;
		}
		if (!reply.ok)
			throw new Error(String(reply.status));
		take(await reply.json());
	} catch {
		retry("nobody answers");
		return;
	}
	connect();
	term.focus();
}

begin();
