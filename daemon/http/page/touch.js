// SPDX-License-Identifier: ISC
// Fingers on the screen: a swipe is what the wheel is, a long touch selects.
// @ts-check

const SLOP = 8; // pixels that are no swipe yet
const LONG_MS = 500;
const SLOWER = 0.995; // of the speed is left, each millisecond
const STOP = 0.05; // pixels a millisecond

/**
 * @param {HTMLElement} area around the screen
 * @param {import("@xterm/xterm").Terminal} term
 */
export function followFingers(area, term) {
	const still = matchMedia("(prefers-reduced-motion: reduce)");
	let x = 0;
	let y = 0;
	let time = 0;
	let speed = 0; // pixels a millisecond, down
	let rest = 0; // pixels that are no line yet
	let how = ""; // "", "touch", "swipe", "select", "other"
	let timer = 0;
	let frame = 0;

	const screen = () => /** @type {HTMLElement} */ (area.querySelector(".xterm-screen"));

	/** @param {string} type @param {number} detail */
	function mouse(type, detail) {
		screen().dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true, composed: true,
			clientX: x, clientY: y, detail, buttons: type === "mouseup" ? 0 : 1,
			// Where a program has the mouse this selects all the same.
			shiftKey: term.modes.mouseTrackingMode !== "none" }));
	}

	/** As many lines as the finger has passed. @param {number} pixels */
	function scroll(pixels) {
		const line = screen().clientHeight / term.rows || 1;
		rest += pixels;
		const lines = Math.trunc(rest / line);
		rest -= lines * line;
		if (term.modes.mouseTrackingMode === "none" && term.buffer.active.type === "normal")
			term.scrollLines(-lines);
		else
			for (let i = 0; i < Math.abs(lines); i++)
				screen().dispatchEvent(new WheelEvent("wheel", { bubbles: true, cancelable: true,
					composed: true, clientX: x, clientY: y, deltaMode: WheelEvent.DOM_DELTA_LINE,
					deltaY: -Math.sign(lines) }));
	}

	function glide() {
		let last = performance.now();
		const step = (now) => {
			const passed = Math.max(0, now - last);
			last = now;
			scroll(speed * passed);
			speed *= SLOWER ** passed;
			frame = Math.abs(speed) > STOP ? requestAnimationFrame(step) : 0;
		};
		frame = requestAnimationFrame(step);
	}

	function select() {
		how = "select";
		mouse("mousedown", 2);
	}

	area.addEventListener("touchstart", (event) => {
		clearTimeout(timer);
		cancelAnimationFrame(frame);
		if (how === "select")
			mouse("mouseup", 1);
		how = event.touches.length === 1 ? "touch" : "other";
		({ clientX: x, clientY: y } = event.touches[0]);
		time = event.timeStamp;
		speed = rest = 0;
		if (how === "touch")
			timer = window.setTimeout(select, LONG_MS);
	}, { passive: true });

	area.addEventListener("touchmove", (event) => {
		const { clientX, clientY } = event.touches[0];
		const down = clientY - y;
		if (how === "touch" && Math.hypot(clientX - x, down) > SLOP) {
			clearTimeout(timer);
			how = Math.abs(down) > Math.abs(clientX - x) ? "swipe" : "other";
		}
		if (how !== "swipe" && how !== "select")
			return;
		event.preventDefault();
		[x, y] = [clientX, clientY];
		if (how === "select") {
			mouse("mousemove", 1);
			return;
		}
		const passed = Math.max(1, event.timeStamp - time);
		time = event.timeStamp;
		speed = 0.5 * speed + 0.5 * (down / passed);
		scroll(down);
	}, { passive: false });

	area.addEventListener("touchend", (event) => {
		clearTimeout(timer);
		if (how === "select") {
			event.preventDefault(); // it is no click
			mouse("mouseup", 1);
		} else if (how === "swipe" && !still.matches && event.timeStamp - time < 100)
			glide();
		how = "";
	});

	area.addEventListener("touchcancel", () => {
		clearTimeout(timer);
		if (how === "select")
			mouse("mouseup", 1);
		how = "";
	});

	// A long touch has a menu otherwise.
	area.addEventListener("contextmenu", (event) => {
		if (how !== "touch" && how !== "select")
			return;
		event.preventDefault();
		event.stopImmediatePropagation();
	}, { capture: true });
}
