import { randomBytes } from "node:crypto";
import type { Backend, ByteRange, CallContext, KeyRef, KeyType, TransitEngine, TransitOperation } from "@basil/core";
import { must } from "./must.js";
import type { ConformanceOptions } from "./options.js";

/** The backend under test, with keys and inputs that suit what it claims. @internal */
export class Subject {
  readonly backend: Backend;
  readonly #options: ConformanceOptions;
  readonly #nextName: () => string;

  constructor(backend: Backend, options: ConformanceOptions, nextName: () => string) {
    this.backend = backend;
    this.#options = options;
    this.#nextName = nextName;
  }

  get shared(): boolean {
    return this.#options.shared ?? false;
  }

  get abortMs(): number {
    return this.#options.abortMs ?? 5000;
  }

  /** The engine; a case that calls this has made sure that it is claimed. */
  get transit(): TransitEngine {
    must(this.backend.transit, "engine transit is claimed, and `transit` is absent");
    return this.backend.transit;
  }

  claims(keyType: KeyType, operation: TransitOperation): boolean {
    const { engines, keyTypes } = this.backend.capabilities;
    return engines.includes("transit") && (keyTypes[keyType]?.operations.includes(operation) ?? false);
  }

  context(overrides: Partial<CallContext> = {}): CallContext {
    return { signal: new AbortController().signal, requestId: `conformance-${this.#nextName()}`, ...overrides };
  }

  /** A key that nobody has made. */
  absentKey(keyType: KeyType): KeyRef {
    const name = this.freshName();
    return { name: name.replaceAll("-", "_"), path: (this.#options.path ?? String)(name), keyType };
  }

  freshName(): string {
    return `conformance-${this.#nextName()}`;
  }

  freshPath(): string {
    return (this.#options.path ?? String)(this.freshName());
  }

  /** A key that is there; the same type and slot may be the same key each time, so no case may change it. */
  async key(keyType: KeyType, slot: "first" | "second" = "first"): Promise<KeyRef> {
    const { provision } = this.#options;
    if (provision !== undefined) return provision(this.backend, this.absentKey(keyType), slot, this.context());
    must(
      this.claims(keyType, "createKey"),
      `createKey is not claimed for ${keyType}, so give the suite the option "provision" to have keys by other means`,
    );
    return this.freshKey(keyType);
  }

  /** A key of the case's own, made by `createKey`. */
  async freshKey(keyType: KeyType): Promise<KeyRef> {
    const key = this.absentKey(keyType);
    await this.transit.createKey(key, this.context());
    return key;
  }

  messageRange(keyType: KeyType): ByteRange {
    return this.backend.capabilities.keyTypes[keyType]?.message ?? { min: 0 };
  }

  plaintextRange(keyType: KeyType): ByteRange {
    return this.backend.capabilities.keyTypes[keyType]?.plaintext ?? { min: 0 };
  }

  /** A message the key type takes. */
  message(keyType: KeyType): Uint8Array {
    return bytesWithin(this.messageRange(keyType));
  }

  plaintext(keyType: KeyType): Uint8Array {
    return bytesWithin(this.plaintextRange(keyType));
  }
}

/** 32 random bytes, or as near to it as the range allows. */
function bytesWithin({ min, max = Number.POSITIVE_INFINITY }: ByteRange): Uint8Array {
  return Uint8Array.from(randomBytes(Math.max(min, Math.min(max, 32))));
}
