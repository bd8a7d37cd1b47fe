// SPDX-License-Identifier: ISC
// Runs the tests, each by its name, and counts them.
import { PATIENCE_MS, cleanUp, complaints } from "./lib.mjs";
import { tests as terminal } from "./terminal.mjs";
import { tests as connection } from "./connection.mjs";
import { tests as paste } from "./paste.mjs";
import { tests as safety } from "./safety.mjs";
import { tests as phone } from "./phone.mjs";
import { tests as files } from "./files.mjs";
import { tests as looks } from "./looks.mjs";

// "part NAME": the tests of one file, and nothing but them.
const parts = { terminal, connection, paste, phone, safety, files, looks };
const args = process.argv.slice(2);
if (args[0] === "parts") {
	console.log(Object.keys(parts).join("\n"));
	await cleanUp();
	process.exit(0);
}
const part = args[0] === "part" ? parts[args[1]] : Object.assign({}, ...Object.values(parts));
const wanted = args[0] === "part" ? [] : args;
const all = Object.entries(part);
let passed = 0;
let failed = 0;

for (const [name, test] of all) {
	if (wanted.length > 0 && !wanted.includes(name))
		continue;
	const late = new Promise((_, reject) => {
		setTimeout(() => reject(new Error("takes too long")), 4 * PATIENCE_MS).unref();
	});
	try {
		complaints.length = 0;
		await Promise.race([test(), late]);
		if (complaints.length > 0)
			throw new Error("the browser complained: " + complaints.join("; "));
		console.log(`${name}: ok`);
		passed++;
	} catch (error) {
		console.log(`${name}: failed\n    ${String(error.stack).replaceAll("\n", "\n    ")}`);
		failed++;
	}
}
await cleanUp();
console.log(`${passed} passed, ${failed} failed, 0 skipped`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
