// Verifies SWIRL proofs with whorl_verifier.wasm, in browsers and in node. Types and documentation: whorl.d.mts.
//
// The WebAssembly module imports nothing: it computes on bytes it is given, and can reach nothing else.

const kCodes = [
    "ok", "invalid_argument", "bad_format", "io", "unsatisfied", "machine", "internal", "cancelled", "rejected",
];
const kNoMemory = 1; // whorl_wasm_end()
const kDispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

export class WhorlError extends Error {
    constructor(code, stage, message) {
        super(message);
        this.name = "WhorlError";
        this.code = code;
        this.stage = stage;
    }
}

function badArgument(stage, message) {
    return new WhorlError("invalid_argument", stage, message);
}

function shown(value) {
    return typeof value === "string" ? JSON.stringify(value) : String(value?.constructor?.name ?? value);
}

// ---- arguments: what JavaScript would convert in silence is an error -------------------------------------------------

function bytesOf(stage, value) {
    if (value instanceof Uint8Array) return value;
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    throw badArgument(stage, `expected a Uint8Array or an ArrayBuffer, found ${shown(value)}`);
}

function wordOf(stage, what, value) {
    if (Number.isInteger(value) && value >= 0 && value <= 0xffffffff) return value;
    const found = typeof value === "number" ? value : shown(value);
    throw badArgument(stage, `expected ${what} from 0 to 2^32 - 1, found ${found}`);
}

function wordsOf(stage, value) {
    if (typeof value === "string" || typeof value?.[Symbol.iterator] !== "function") {
        throw badArgument(stage, `expected a list of words, found ${shown(value)}`);
    }
    return Uint32Array.from(value, (word) => wordOf(stage, "words", word));
}

// A misspelt or undefined member would be a check that is left out.
function membersOf(stage, value, names) {
    if (value === null || typeof value !== "object") throw badArgument(stage, `expected an object, found ${shown(value)}`);
    for (const [name, member] of Object.entries(value)) {
        if (!names.includes(name)) throw badArgument(stage, `expected members ${names.join(", ")}, found ${name}`);
        if (member === undefined) throw badArgument(stage, `expected a value for ${name}, found undefined`);
    }
    return value;
}

// ---- the instance ----------------------------------------------------------------------------------------------------

// A place for a result (8 bytes) and one for an error's handle (4), which calls fill.
const kResult = 0;
const kError = 8;
const kPlaceBytes = 12;
const kAirInfoBytes = 32;

class Instance {
    #exports;
    #place;
    #end = null;
    #lost;

    constructor(exports) {
        this.#exports = exports;
        exports._initialize();
        this.#place = exports.malloc(kPlaceBytes);
        this.#lost = new FinalizationRegistry(({ free, pointer }) => this.release(free, pointer));
    }

    get memoryBytes() {
        return this.#exports.memory.buffer.byteLength;
    }

    // A trap leaves memory as it was in the middle of a call, so it is the last one.
    call(name, ...args) {
        if (this.#end) throw new WhorlError(this.#end.code, this.#end.stage, this.#end.message);
        try {
            return this.#exports[name](...args);
        } catch (error) {
            const [code, reason] = this.#exports.whorl_wasm_end() === kNoMemory
                ? ["machine", "not enough memory"]
                : ["internal", `the instance trapped: ${error.message}`];
            this.#end = new WhorlError(code, name, `${reason}; this instance has ended, load() makes a new one`);
            this.#end.cause = error;
            throw this.#end;
        }
    }

    // A call that returns a size or a pointer, which JavaScript takes for signed.
    size(name, ...args) {
        return this.call(name, ...args) >>> 0;
    }

    // A call that returns a whorl_code and takes a place for an error last.
    checked(name, ...args) {
        this.#view().setUint32(this.#place + kError, 0, true);
        const code = this.call(name, ...args, this.#place + kError);
        if (code === 0) return;
        const error = this.#view().getUint32(this.#place + kError, true);
        const stage = this.#text(this.size("whorl_error_stage", error));
        const message = this.#text(this.size("whorl_error_message", error));
        this.call("whorl_error_free", error);
        throw new WhorlError(kCodes[code] ?? "internal", stage, message || kCodes[code]);
    }

    // The same for calls with a place for a result before it.
    u32(name, ...args) {
        this.checked(name, ...args, this.#place + kResult);
        return this.#view().getUint32(this.#place + kResult, true);
    }
    u64(name, ...args) {
        this.checked(name, ...args, this.#place + kResult);
        return this.#view().getBigUint64(this.#place + kResult, true);
    }
    u8(name, ...args) {
        this.checked(name, ...args, this.#place + kResult);
        return this.#view().getUint8(this.#place + kResult);
    }
    // Calls that say how many words there are, and write as many as there is room for.
    words(name, ...args) {
        const count = this.u32(name, ...args, 0, 0);
        return this.filledWords(count, (pointer) => this.u32(name, ...args, pointer, count));
    }
    filledWords(count, fill) {
        return this.withMemory("words", 4 * count, (pointer) => {
            fill(pointer);
            return new Uint32Array(this.#copy(pointer, 4 * count));
        });
    }
    encoded(name, handle) {
        const bytes = this.u32(name, handle);
        try {
            return new Uint8Array(this.#copy(this.size("whorl_bytes_data", bytes), this.size("whorl_bytes_size", bytes)));
        } finally {
            this.release("whorl_bytes_free", bytes);
        }
    }

    // Memory that lives as long as `use`.
    withMemory(stage, size, use) {
        const pointer = this.size("malloc", Math.max(size, 1));
        if (pointer === 0) throw new WhorlError("machine", stage, `not enough memory for ${size} bytes`);
        try {
            return use(pointer);
        } finally {
            this.release("free", pointer);
        }
    }
    // `bytes`, copied, as long as `use` takes.
    withBytes(stage, bytes, use) {
        return this.withMemory(stage, bytes.length, (pointer) => {
            new Uint8Array(this.#exports.memory.buffer).set(bytes, pointer);
            return use(pointer, bytes.length);
        });
    }
    withWords(stage, words, use) {
        return this.withMemory(stage, 4 * words.length, (pointer) => {
            new Uint32Array(this.#exports.memory.buffer).set(words, pointer / 4);
            return use(pointer, words.length);
        });
    }
    airInfo(key, airId) {
        return this.withMemory("key", kAirInfoBytes, (pointer) => {
            this.#view().setUint32(pointer, kAirInfoBytes, true);
            this.checked("whorl_key_air", key, airId, pointer);
            const word = (index) => this.#view().getUint32(pointer + 4 * index, true);
            return {
                commonMainWidth: word(1),
                numCachedMains: word(2),
                preprocessedWidth: word(3),
                numPublicValues: word(4),
                numConstraints: word(5),
                numInteractions: word(6),
                isRequired: this.#view().getUint8(pointer + 28) !== 0,
            };
        });
    }
    versionText() {
        return this.#text(this.size("whorl_version"));
    }

    // Frees what `pointer` stands for when `owner` is collected.
    own(owner, free, pointer) {
        this.#lost.register(owner, { free, pointer }, owner);
    }
    disown(owner, free, pointer) {
        this.#lost.unregister(owner);
        this.release(free, pointer);
    }
    release(free, pointer) {
        if (!this.#end) this.call(free, pointer);
    }

    #copy(pointer, size) {
        return this.#exports.memory.buffer.slice(pointer, pointer + size);
    }
    #view() {
        return new DataView(this.#exports.memory.buffer); // a new one, since memory that grows is another buffer
    }
    #text(pointer) {
        const bytes = new Uint8Array(this.#exports.memory.buffer, pointer);
        return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
    }
}

// ---- handles ---------------------------------------------------------------------------------------------------------

class Handle {
    #instance;
    #stage;
    #free;
    #pointer;

    constructor(instance, stage, make) {
        this.#instance = instance;
        this.#stage = stage;
        this.#free = `whorl_${stage}_free`;
        this.#pointer = make();
        instance.own(this, this.#free, this.#pointer);
    }

    // The handle, for calls of `instance`.
    static pointerOf(handle, type, stage, instance) {
        if (!(handle instanceof type)) throw badArgument(stage, `expected a ${type.name}, found ${shown(handle)}`);
        if (handle.#instance !== instance) throw badArgument(stage, `expected a ${type.name} of the same load()`);
        return handle.pointer;
    }
    get pointer() {
        if (this.#pointer === 0) throw badArgument(this.#stage, `the ${this.#stage} was disposed of`);
        return this.#pointer;
    }
    get instance() {
        return this.#instance;
    }

    dispose() {
        if (this.#pointer === 0) return;
        this.#instance.disown(this, this.#free, this.#pointer);
        this.#pointer = 0;
    }
    [kDispose]() {
        this.dispose();
    }
}

class Key extends Handle {
    constructor(instance, bytes) {
        super(instance, "key", () =>
            instance.withBytes("key", bytesOf("key", bytes), (data, size) => instance.u32("whorl_key_decode", data, size)));
    }
    encode() {
        return this.instance.encoded("whorl_key_encode", this.pointer);
    }
    get modulus() {
        return this.instance.size("whorl_key_modulus", this.pointer);
    }
    get digestWords() {
        return this.instance.size("whorl_key_digest_words", this.pointer);
    }
    get preHash() {
        const count = this.digestWords;
        return this.instance.filledWords(count, (words) =>
            this.instance.checked("whorl_key_pre_hash", this.pointer, words, count));
    }
    get securityBits() {
        return this.instance.call("whorl_key_security_bits", this.pointer);
    }
    get maxProofBytes() {
        return BigInt.asUintN(64, this.instance.call("whorl_key_max_proof_bytes", this.pointer));
    }
    get numAirs() {
        return this.instance.size("whorl_key_num_airs", this.pointer);
    }
    air(airId) {
        const id = wordOf("key", "an AIR", airId);
        const { numCachedMains, ...info } = this.instance.airInfo(this.pointer, id);
        const width = (_, part) => this.instance.u32("whorl_key_cached_main_width", this.pointer, id, part);
        return { ...info, cachedMainWidths: Array.from({ length: numCachedMains }, width) };
    }
}

class Proof extends Handle {
    constructor(instance, bytes) {
        super(instance, "proof", () =>
            instance.withBytes("proof", bytesOf("proof", bytes), (data, size) =>
                instance.u32("whorl_proof_decode", data, size)));
    }
    encode() {
        return this.instance.encoded("whorl_proof_encode", this.pointer);
    }
    get numAirs() {
        return this.instance.size("whorl_proof_num_airs", this.pointer);
    }
    hasTrace(airId) {
        return this.instance.u8("whorl_proof_has_trace", this.pointer, wordOf("proof", "an AIR", airId)) !== 0;
    }
    height(airId) {
        return this.instance.u64("whorl_proof_height", this.pointer, wordOf("proof", "an AIR", airId));
    }
    publicValues(airId) {
        return this.instance.words("whorl_proof_public_values", this.pointer, wordOf("proof", "an AIR", airId));
    }
    cachedCommitments(airId) {
        return this.instance.words("whorl_proof_cached_commitments", this.pointer, wordOf("proof", "an AIR", airId));
    }
}

class Statement extends Handle {
    constructor(instance, options = {}) {
        super(instance, "statement", () => instance.u32("whorl_statement_new"));
        try {
            this.#set(options);
        } catch (error) {
            this.dispose();
            throw error;
        }
    }

    #set(options) {
        const { minSecurityBits, preHash, airs } = membersOf("statement", options, ["minSecurityBits", "preHash", "airs"]);
        const { instance, pointer } = this;
        if (minSecurityBits !== undefined) {
            if (typeof minSecurityBits !== "number") {
                throw badArgument("statement", `expected a number of bits, found ${shown(minSecurityBits)}`);
            }
            instance.checked("whorl_statement_set_min_security_bits", pointer, minSecurityBits);
        }
        const setWords = (name, value, ...args) =>
            instance.withWords("statement", wordsOf("statement", value), (words, count) =>
                instance.checked(name, pointer, ...args, words, count));
        if (preHash !== undefined) setWords("whorl_statement_set_pre_hash", preHash);
        if (airs === undefined) return;
        if (!Array.isArray(airs)) throw badArgument("statement", `expected a list of AIRs, found ${shown(airs)}`);
        for (const air of airs) {
            const names = ["airId", "publicValues", "cachedCommitments"];
            const { airId, publicValues, cachedCommitments } = membersOf("statement", air, names);
            const id = wordOf("statement", "an airId", airId);
            instance.checked("whorl_statement_require_air", pointer, id);
            if (publicValues !== undefined) setWords("whorl_statement_set_public_values", publicValues, id);
            if (cachedCommitments !== undefined) setWords("whorl_statement_set_cached_commitments", cachedCommitments, id);
        }
    }
}

// ---- loading ---------------------------------------------------------------------------------------------------------

async function compile(source) {
    const given = await source;
    if (given instanceof WebAssembly.Module) return given;
    if (typeof Response !== "undefined" && given instanceof Response) {
        if (!given.ok) throw new WhorlError("io", "load", `${given.url}: HTTP status ${given.status}`);
        return WebAssembly.compile(await given.arrayBuffer());
    }
    if (given instanceof URL || typeof given === "string") {
        const url = new URL(given, globalThis.document?.baseURI ?? import.meta.url);
        if (url.protocol !== "file:") return compile(fetch(url));
        const { readFile } = await import("node:fs/promises"); // node's fetch() does not read files
        return WebAssembly.compile(await readFile(url));
    }
    return WebAssembly.compile(bytesOf("load", given));
}

export async function load(source = new URL("whorl_verifier.wasm", import.meta.url)) {
    const { exports } = await WebAssembly.instantiate(await compile(source), {});
    const instance = new Instance(exports);
    const bound = {
        Key: class extends Key {
            constructor(bytes) {
                super(instance, bytes);
            }
        },
        Proof: class extends Proof {
            constructor(bytes) {
                super(instance, bytes);
            }
        },
        Statement: class extends Statement {
            constructor(options) {
                super(instance, options);
            }
        },
        verify(key, proof, statement = {}) {
            const pointers = [
                Handle.pointerOf(key, Key, "verify", instance),
                Handle.pointerOf(proof, Proof, "verify", instance),
            ];
            if (statement === null) return instance.checked("whorl_verify", ...pointers, 0);
            const stated = statement instanceof Statement ? statement : new bound.Statement(statement);
            try {
                instance.checked("whorl_verify", ...pointers, Handle.pointerOf(stated, Statement, "verify", instance));
            } finally {
                if (stated !== statement) stated.dispose();
            }
        },
        version: instance.versionText(),
        get memoryBytes() {
            return instance.memoryBytes;
        },
    };
    return Object.freeze(bound);
}
