// SPDX-License-Identifier: ISC
// Runs the tests, each by its name, and counts them.
import { cleanUp, complaints } from "./lib.mjs";
import { tests as terminal } from "./terminal.mjs";
import { tests as connection } from "./connection.mjs";
import { tests as safety } from "./safety.mjs";
import { tests as files } from "./files.mjs";
import { tests as looks } from "./looks.mjs";

const wanted = process.argv.slice(2);
const all = Object.entries({ ...terminal, ...connection, ...safety, ...files, ...looks });
let passed = 0;
let failed = 0;

for (const [name, test] of all) {
	if (wanted.length > 0 && !wanted.includes(name))
		continue;
	const late = new Promise((_, reject) => {
		setTimeout(() => reject(new Error("takes too long")), 60000).unref();
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
