// SPDX-License-Identifier: ISC
// Whether the other end still hears: found out by asking, as a network that
// has gone away says nothing.  Counted in ticks, which a machine that sleeps
// does not make.  Needs no browser.
// @ts-check

export const TICK_MS = 2000;
const QUIET = 4; // ticks without a word until it is asked
const GONE = 13; // and until it is given up

export class Pulse {
	/** @param {(id: number) => void} ask who answers with the same number */
	constructor(ask) {
		this.ask = ask;
		this.silent = 0; // ticks without a word
		this.id = 0; // of the last question
		this.waiting = false; // for its answer
		this.typed = 0; // characters, all in all
		this.upto = 0; // of them before the last question
		this.sure = 0; // of them that have arrived
	}

	/** Something has come. */
	heard() {
		this.silent = 0;
	}

	/** @param {number} id */
	answered(id) {
		if (!this.waiting || id !== this.id)
			return;
		this.waiting = false;
		this.sure = this.upto;
	}

	/** Characters of which it is not known whether they have arrived. */
	get unsure() {
		return this.typed - this.sure;
	}

	question() {
		this.waiting = true;
		this.upto = this.typed;
		this.ask(++this.id);
	}

	/** Each TICK_MS.  Whether it is still there. */
	tick() {
		this.silent++;
		if (this.silent >= GONE)
			return false;
		if (!this.waiting && (this.unsure > 0 || this.silent >= QUIET))
			this.question();
		return true;
	}

	/** At once, after a time in which nobody may have looked. */
	look() {
		this.silent = Math.max(this.silent, GONE - 5);
		if (!this.waiting)
			this.question();
	}
}
