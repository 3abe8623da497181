/** The verifier for SWIRL proofs as WebAssembly. docs/wasm.md has examples. */

/** What failed. `code` is that of whorl/whorl.h, in lower case. */
export class WhorlError extends Error {
    /** `rejected`: the proof, key or statement is not accepted. `machine` and `internal`: not judged. */
    readonly code:
        | "invalid_argument" | "bad_format" | "io" | "unsatisfied" | "machine" | "internal" | "cancelled" | "rejected";
    /** The operation, e.g. "key"; of `rejected` the rule that is broken, e.g. "gkr_layer_claim". */
    readonly stage: string;
    constructor(code: WhorlError["code"], stage: string, message: string);
}

export type Bytes = ArrayBuffer | ArrayBufferView;
/** Canonical words of field elements, below `Key.modulus`. */
export type Words = Iterable<number>;

/** Memory of the WebAssembly module: freed by dispose(), by `using`, or when the object is collected. */
interface Handle {
    dispose(): void;
    [Symbol.dispose](): void;
}

/** A verifying key (vk.postcard), checked. */
export interface Key extends Handle {
    encode(): Uint8Array;
    readonly modulus: number;
    /** Words of a digest. */
    readonly digestWords: number;
    /** The hash that names the key. */
    readonly preHash: Uint32Array;
    /** Bits of security by the published calculator. */
    readonly securityBits: number;
    /** The bytes of the largest proof that the key admits: refuse more before reading them. */
    readonly maxProofBytes: bigint;
    readonly numAirs: number;
    air(airId: number): AirInfo;
}

export interface AirInfo {
    commonMainWidth: number;
    cachedMainWidths: number[];
    /** 0: no such part. */
    preprocessedWidth: number;
    numPublicValues: number;
    numConstraints: number;
    numInteractions: number;
    isRequired: boolean;
}

/** A proof. What it says is not judged before verify() has accepted it. */
export interface Proof extends Handle {
    encode(): Uint8Array;
    readonly numAirs: number;
    hasTrace(airId: number): boolean;
    height(airId: number): bigint;
    publicValues(airId: number): Uint32Array;
    /** One digest after another. */
    cachedCommitments(airId: number): Uint32Array;
}

/** What a proof must be about (docs/statement.md). A member that is misspelt or undefined is an error. */
export interface StatementOptions {
    /** 100 where it is left out. */
    minSecurityBits?: number;
    /** The pre-hash of the key that is meant. */
    preHash?: Words;
    /** AIRs that must have a trace; and what they must have, where it is given. */
    airs?: { airId: number; publicValues?: Words; cachedCommitments?: Words }[];
}

export interface Statement extends Handle {}

/** One instance of the module. Objects of one instance are no arguments for another. */
export interface Whorl {
    readonly Key: new (bytes: Bytes) => Key;
    readonly Proof: new (bytes: Bytes) => Proof;
    readonly Statement: new (options?: StatementOptions) => Statement;
    /**
     * Returns where the proof is accepted, and throws a WhorlError where it is not. Without a statement, 100 bits of security are
     * asked for and nothing else; null judges the proof alone, whatever it is about and however weak the key is.
     */
    verify(key: Key, proof: Proof, statement?: Statement | StatementOptions | null): void;
    /** "0.1.0" */
    readonly version: string;
    /** The size of the instance's memory now. It grows, and does not shrink. */
    readonly memoryBytes: number;
}

/**
 * Makes an instance of whorl_verifier.wasm: of the file beside this module, of a URL (also file: in node), a response of fetch(), the
 * file's bytes, or a module that was compiled before.
 */
export function load(
    source?: URL | string | Response | Promise<Response> | Bytes | WebAssembly.Module,
): Promise<Whorl>;
