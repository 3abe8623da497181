// Judges the cases of cases.cpp again with the verifier as WebAssembly, and tests its ES module.
//
//   node --expose-gc verify.mjs --build DIR --source DIR --cases FILE
import assert from "node:assert/strict";
import { createReadStream, readFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const text = { type: "string" };
const { values: options } = parseArgs({ options: { build: text, source: text, cases: text } });
const { load, WhorlError } = await import(pathToFileURL(path.join(options.build, "whorl.mjs")));
const whorl = await load();
const moduleBytes = readFileSync(path.join(options.build, "whorl_verifier.wasm"));

const kCodes = ["ok", "invalid_argument", "bad_format", "io", "unsatisfied", "machine", "internal", "cancelled", "rejected"];

const files = new Map();
function file(name) {
    if (!files.has(name)) files.set(name, readFileSync(path.join(options.source, "tests/vectors", name)));
    return files.get(name);
}
const keyOf = (vector, of = whorl) => new of.Key(file(`${vector}/vk.postcard`));
const proofOf = (vector, of = whorl) => new of.Proof(file(`${vector}/proof.bin`));

function failureOf(call) {
    try {
        call();
    } catch (error) {
        assert(error instanceof WhorlError, error);
        return { code: error.code, stage: error.stage, message: error.message };
    }
    return { code: "ok", stage: "", message: "" };
}

const tests = [];
function test(name, body) {
    tests.push({ name, body });
}

// ---- verdicts --------------------------------------------------------------------------------------------------------

function bytesOf({ file: name, size, edits }) {
    const bytes = new Uint8Array(size);
    bytes.set(file(name).subarray(0, size));
    for (const [offset, hex] of edits) bytes.set(Buffer.from(hex, "hex"), offset);
    return bytes;
}

function verdict(given) {
    const handles = [];
    const made = (handle) => {
        handles.push(handle);
        return handle;
    };
    const result = failureOf(() => {
        const key = made(new whorl.Key(bytesOf(given.key)));
        const proof = made(new whorl.Proof(bytesOf(given.proof)));
        whorl.verify(key, proof, given.statement && made(new whorl.Statement(given.statement)));
    });
    for (const handle of handles) handle.dispose();
    return result;
}

test("Verdicts_AreThoseOfTheNativeVerifier", async () => {
    const counts = new Map();
    const differences = [];
    let count = 0;
    for await (const line of createInterface({ input: createReadStream(options.cases), crlfDelay: Infinity })) {
        const given = JSON.parse(line);
        const expected = { code: kCodes[given.code], stage: given.stage, message: given.message };
        const found = verdict(given);
        const kind = found.code === "rejected" ? found.stage : found.code;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        ++count;
        if (JSON.stringify(found) !== JSON.stringify(expected)) differences.push({ name: given.name, expected, found });
    }
    console.log(`${count} cases, ${differences.length} differences:`, [...counts].map(([kind, n]) => `${kind} ${n}`).join(", "));
    assert.deepEqual(differences.slice(0, 5), []);
    for (const kind of ["ok", "bad_format", "gkr_layer_claim", "initial_merkle_path", "statement_public_value"]) {
        assert(counts.has(kind), kind);
    }
});

// ---- the module ------------------------------------------------------------------------------------------------------

test("Module_ImportsNothingAndExportsTheCallsOfTheHeader", () => {
    const module = new WebAssembly.Module(moduleBytes);
    assert.deepEqual(WebAssembly.Module.imports(module), []);
    const header = readFileSync(path.join(options.source, "include/whorl/whorl.h"), "utf8").split("whorl::whorl alone")[0];
    const declared = [...header.matchAll(/^[a-z].*?(whorl_\w+)\(/gm)].map((match) => match[1]);
    assert(declared.length > 30);
    const exported = WebAssembly.Module.exports(module).map(({ name }) => name);
    const expected = [...declared, "memory", "malloc", "free", "_initialize", "whorl_wasm_end"];
    assert.deepEqual(exported.sort(), expected.sort());
});

test("Types_NameEveryMember", () => {
    const types = readFileSync(path.join(options.build, "whorl.d.mts"), "utf8");
    const members = [...Object.keys(whorl)];
    for (const type of ["Key", "Proof", "Statement"]) {
        for (let shape = whorl[type].prototype; shape !== Object.prototype; shape = Object.getPrototypeOf(shape)) {
            members.push(...Object.getOwnPropertyNames(shape));
        }
    }
    const internal = ["constructor", "pointer", "instance"];
    for (const name of members.filter((member) => !internal.includes(member))) assert.match(types, new RegExp(`\\b${name}\\b`));
});

test("Load_TakesBytesAndModulesAndUrlsAndResponses", async () => {
    const served = createServer((request, response) => {
        if (request.url !== "/whorl_verifier.wasm") return response.writeHead(404).end();
        return response.writeHead(200, { "Content-Type": "application/wasm" }).end(moduleBytes);
    });
    await new Promise((resolve) => served.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${served.address().port}/whorl_verifier.wasm`;
    const buffer = moduleBytes.buffer.slice(moduleBytes.byteOffset, moduleBytes.byteOffset + moduleBytes.byteLength);
    const sources = [
        moduleBytes, buffer, new WebAssembly.Module(moduleBytes), url, new URL(url), fetch(url), await fetch(url),
        pathToFileURL(path.join(options.build, "whorl_verifier.wasm")),
    ];
    for (const source of sources) {
        const loaded = await load(source);
        loaded.verify(keyOf("fib_2e5", loaded), proofOf("fib_2e5", loaded), null);
    }
    await assert.rejects(load(`${url}.gz`), { name: "WhorlError", code: "io", message: /404/ });
    await assert.rejects(load(17), { name: "WhorlError", code: "invalid_argument" });
    await assert.rejects(load(new Uint8Array(8)), WebAssembly.CompileError);
    served.closeAllConnections?.();
    served.close();
});

test("Versions_AreThoseOfTheHeaders", () => {
    const header = readFileSync(path.join(options.source, "include/whorl/version.hpp"), "utf8");
    assert.equal(whorl.version, /#define WHORL_VERSION "(.*)"/.exec(header)[1]);
});

// ---- objects ---------------------------------------------------------------------------------------------------------

test("Keys_SayWhatTheyAre", () => {
    const key = keyOf("preprocessed_and_cached");
    assert.deepEqual(Buffer.from(key.encode()), file("preprocessed_and_cached/vk.postcard"));
    assert.equal(key.modulus, 15 * 2 ** 27 + 1);
    assert.equal(key.digestWords, 8);
    assert.equal(key.numAirs, 1);
    const task = JSON.parse(file("preprocessed_and_cached/task.json"));
    assert.deepEqual([...key.preHash], task.vk_pre_hash);
    assert(key.maxProofBytes >= BigInt(file("preprocessed_and_cached/proof.bin").length));
    assert(keyOf("mixture_app_100_bits").securityBits >= 100);
    const { cachedMainWidths, preprocessedWidth, isRequired } = key.air(0);
    assert.deepEqual({ cachedMainWidths, preprocessedWidth, isRequired }, { cachedMainWidths: [1, 1], preprocessedWidth: 1, isRequired: false });
    assert.equal(failureOf(() => key.air(1)).code, "invalid_argument");
});

test("Proofs_SayWhatTheyAreAbout", () => {
    const proof = proofOf("fib_three_airs_one_absent");
    assert.deepEqual(Buffer.from(proof.encode()), file("fib_three_airs_one_absent/proof.bin"));
    assert.equal(proof.numAirs, 3);
    assert.deepEqual([0, 1, 2].map((air) => proof.hasTrace(air)), [true, false, true]);
    for (const air of JSON.parse(file("fib_three_airs_one_absent/task.json")).airs) {
        assert.equal(proof.height(air.air_id), BigInt(air.height));
        assert.deepEqual([...proof.publicValues(air.air_id)], air.public_values);
    }
    assert.equal(failureOf(() => proof.publicValues(1)).message, "AIR 1 has no trace");
    assert.equal(proofOf("preprocessed_and_cached").cachedCommitments(0).length, 16);
});

test("Verify_TakesAStatementOrItsOptionsOrNull", () => {
    const [key, proof] = [keyOf("fib_2e5"), proofOf("fib_2e5")];
    whorl.verify(key, proof, null);
    assert.equal(failureOf(() => whorl.verify(key, proof)).stage, "statement_security");
    assert.equal(failureOf(() => whorl.verify(key, proof, {})).stage, "statement_security");
    const options = { minSecurityBits: 0, preHash: key.preHash, airs: [{ airId: 0, publicValues: proof.publicValues(0) }] };
    whorl.verify(key, proof, options);
    whorl.verify(key, proof, new whorl.Statement(options));
    options.airs[0].publicValues[2] ^= 1;
    const failure = failureOf(() => whorl.verify(key, proof, options));
    assert.deepEqual([failure.code, failure.stage], ["rejected", "statement_public_value"]);
    whorl.verify(keyOf("mixture_app_100_bits"), proofOf("mixture_app_100_bits"));
});

test("Arguments_ThatJavaScriptWouldConvertAreErrors", async () => {
    const [key, proof] = [keyOf("fib_2e5"), proofOf("fib_2e5")];
    const other = await load(moduleBytes);
    const calls = [
        () => new whorl.Key("bytes"),
        () => new whorl.Key([1, 2, 3]),
        () => new whorl.Key(undefined),
        () => new whorl.Proof(null),
        () => whorl.verify(proof, key, null),
        () => whorl.verify(keyOf("fib_2e5", other), proof, null),
        () => whorl.verify(key, proof, new other.Statement()),
        () => whorl.verify(key, proof, 100),
        () => whorl.verify(key, proof, { minSecurity: 0 }),
        () => whorl.verify(key, proof, { preHash: undefined }),
        () => whorl.verify(key, proof, { preHash: "12345678" }),
        () => whorl.verify(key, proof, { preHash: key.preHash.subarray(1) }),
        () => whorl.verify(key, proof, { minSecurityBits: "0" }),
        () => whorl.verify(key, proof, { minSecurityBits: NaN }),
        () => whorl.verify(key, proof, { airs: { airId: 0 } }),
        () => whorl.verify(key, proof, { airs: [0] }),
        () => whorl.verify(key, proof, { airs: [{}] }),
        () => whorl.verify(key, proof, { airs: [{ airId: 0, publicvalues: [] }] }),
        ...[-1, 0.5, 2 ** 32, "0", null, 0n].map((airId) => () => new whorl.Statement({ airs: [{ airId }] })),
        ...[-1, 0.5, 2 ** 32, 2 ** 32 + 1, key.modulus, "0", null].map((word) => () =>
            new whorl.Statement({ airs: [{ airId: 0, publicValues: [word] }] })),
        () => proof.height(2 ** 32),
        () => key.air(-1),
    ];
    for (const call of calls) assert.equal(failureOf(call).code, "invalid_argument", String(call));
});

test("Handles_AreUnusableOnceDisposedOf", () => {
    const [key, proof, statement] = [keyOf("fib_2e5"), proofOf("fib_2e5"), new whorl.Statement()];
    for (const handle of [key, proof, statement]) {
        handle.dispose();
        handle.dispose();
    }
    assert.equal(failureOf(() => key.encode()).message, "the key was disposed of");
    assert.equal(failureOf(() => whorl.verify(keyOf("fib_2e5"), proof, null)).message, "the proof was disposed of");
    assert.equal(failureOf(() => whorl.verify(keyOf("fib_2e5"), proofOf("fib_2e5"), statement)).code, "invalid_argument");
    const scoped = keyOf("fib_2e5");
    scoped[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
    assert.equal(failureOf(() => scoped.encode()).code, "invalid_argument");
});

// ---- memory ----------------------------------------------------------------------------------------------------------

function judgeOften(loaded, rounds) {
    const wrong = Uint8Array.from(file("mixture/proof.bin"));
    wrong[4] ^= 1;
    for (let i = 0; i < rounds; ++i) {
        const [key, proof, altered] = [keyOf("mixture", loaded), proofOf("mixture", loaded), new loaded.Proof(wrong)];
        loaded.verify(key, proof, { minSecurityBits: 0, preHash: key.preHash });
        assert.equal(failureOf(() => loaded.verify(key, altered, null)).code, "rejected");
        assert.equal(failureOf(() => new loaded.Proof(wrong.subarray(1))).code, "bad_format");
        assert.equal(failureOf(() => new loaded.Key(wrong)).code, "bad_format");
        assert.equal(failureOf(() => new loaded.Statement({ preHash: [0] })).code, "invalid_argument");
        for (const handle of [key, proof, altered]) handle.dispose();
    }
}

test("Memory_DoesNotGrowWithTheNumberOfCalls", async () => {
    const loaded = await load(moduleBytes);
    judgeOften(loaded, 10);
    const before = loaded.memoryBytes;
    judgeOften(loaded, 500);
    assert.equal(loaded.memoryBytes, before);
    console.log(`${loaded.memoryBytes} bytes of memory after 510 rounds`);
});

test("Memory_OfForgottenObjectsIsFreed", async () => {
    const loaded = await load(moduleBytes);
    const rounds = 40;
    for (let round = 0; round < rounds; ++round) {
        for (let i = 0; i < 5; ++i) proofOf("keccakf_1024", loaded);
        globalThis.gc();
        await new Promise((resolve) => setTimeout(resolve, 5));  // finalizers are jobs of their own
    }
    // All of them would be 40 * 5 times the proof's 0.86 MB or more.
    assert(loaded.memoryBytes < 64 * 2 ** 20, `${loaded.memoryBytes} bytes`);
});

test("Lengths_ThatAreHugeTakeNoMemory", async () => {
    const loaded = await load(moduleBytes);
    const before = loaded.memoryBytes;
    for (const name of ["interactions", "mixture"]) {
        const proof = file(`${name}/proof.bin`);
        for (let offset = 0; offset + 4 <= proof.length; offset += 4) {
            const altered = Uint8Array.from(proof);
            altered.fill(0xff, offset, offset + 4);
            failureOf(() => new loaded.Proof(altered).dispose());
            altered.set([0xff, 0xff, 0xff, 0x0f], offset);
            failureOf(() => new loaded.Proof(altered).dispose());
        }
    }
    assert(loaded.memoryBytes - before < 16 * 2 ** 20, `${loaded.memoryBytes - before} bytes`);
});

// The module with a limit on its memory, which its own has not: `pages` of 64 KiB.
function withMemoryLimit(bytes, pages) {
    const leb = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]);
    let at = 8;
    const readLeb = () => {
        let value = 0;
        for (let shift = 0; ; shift += 7) {
            const byte = bytes[at++];
            value += (byte & 127) * 2 ** shift;
            if (byte < 128) return value;
        }
    };
    while (at < bytes.length) {
        const start = at;
        const id = bytes[at++];
        const size = readLeb();
        const end = at + size;
        if (id === 5) {
            assert.deepEqual([readLeb(), readLeb()], [1, 0]); // one memory, without a limit
            const section = [1, 1, ...leb(readLeb()), ...leb(pages)];
            return Buffer.concat([bytes.subarray(0, start), Buffer.from([5, section.length, ...section]), bytes.subarray(end)]);
        }
        at = end;
    }
    return assert.fail("no memory section");
}

test("LackOfMemory_EndsTheInstanceAndSaysSo", async () => {
    const before = (await load(moduleBytes)).memoryBytes / 2 ** 16;
    for (const pages of [14, 18, 22]) { // room for the bytes (14 pages), not for what they are decoded to
        const loaded = await load(withMemoryLimit(moduleBytes, before + pages));
        const key = keyOf("fib_2e5", loaded);
        const failure = failureOf(() => proofOf("keccakf_1024", loaded));
        assert.equal(failure.code, "machine", JSON.stringify(failure));
        assert.match(failure.message, /not enough memory.*load\(\)/);
        assert.deepEqual(failureOf(() => key.encode()), failure);
        key.dispose();
    }
    // Bytes that find no room do not end it.
    const loaded = await load(withMemoryLimit(moduleBytes, before + 4));
    const failure = failureOf(() => proofOf("keccakf_1024", loaded));
    assert.deepEqual([failure.code, failure.message], ["machine", `not enough memory for ${file("keccakf_1024/proof.bin").length} bytes`]);
    loaded.verify(keyOf("fib_2e5", loaded), proofOf("fib_2e5", loaded), null);
});

// ----------------------------------------------------------------------------------------------------------------------

let failures = 0;
for (const { name, body } of tests) {
    const started = performance.now();
    try {
        await body();
        console.log(`ok ${name} (${Math.round(performance.now() - started)} ms)`);
    } catch (error) {
        ++failures;
        console.log(`FAILED ${name}\n${error.stack}`);
    }
}
console.log(`${tests.length} tests, ${failures} failures`);
process.exitCode = failures === 0 ? 0 : 1;
