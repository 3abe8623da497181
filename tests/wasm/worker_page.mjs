// Runs the worker of docs/wasm.md under node, with what a browser would give it.
//
//   node worker_page.mjs WORKER KEY PROOF WRONG_PROOF
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [worker, key, proof, wrong] = process.argv.slice(2);
let answer;
globalThis.fetch = async (name) => (assert.equal(name, "vk.postcard"), new Response(readFileSync(key)));
globalThis.postMessage = (data) => answer(data);
globalThis.onmessage = null;
await import(pathToFileURL(path.resolve(worker)));

async function ask(request, file) {
    const bytes = Uint8Array.from(readFileSync(file)).buffer;
    return new Promise((resolve) => {
        answer = resolve;
        globalThis.onmessage({ data: { request, bytes } });
    });
}
const [accepted, rejected] = [await ask(1, proof), await ask(2, wrong)];
assert.deepEqual([accepted.request, accepted.publicValues.length, accepted.failure], [1, 3, undefined]);
assert.deepEqual([rejected.request, rejected.publicValues], [2, undefined]);
assert.match(rejected.failure, /proof-of-work/);
