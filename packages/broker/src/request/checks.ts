import type { KeyClass, KeyEntry } from "@basil/catalog";
import { type Backend, type ByteRange, type KeyRef, keyRef, servingEngine, type TransitEngine } from "@basil/core";
import type { Call } from "./call.js";

/** @throws `INVALID_REQUEST` for a number that this version of the protocol does not know. */
export function requireKnown(
  call: Call,
  numbers: Readonly<Record<number, string>>,
  field: string,
  value: number,
): void {
  if (numbers[value] === undefined) throw call.fail("INVALID_REQUEST", `${field}: unknown value ${value}`);
}

/** Exactly `limit` bytes are allowed. @throws `PAYLOAD_TOO_LARGE`. */
export function requireSize(call: Call, field: string, bytes: Uint8Array | number, limit: number): void {
  const size = typeof bytes === "number" ? bytes : bytes.length;
  if (size > limit) throw call.fail("PAYLOAD_TOO_LARGE", `${field}: ${size} bytes, at most ${limit} are allowed`);
}

/** @throws `INVALID_REQUEST` naming the key and its class. */
export function requireClass(call: Call, { name, class: found }: KeyEntry, ...allowed: readonly KeyClass[]): void {
  if (allowed.includes(found)) return;
  throw call.fail("INVALID_REQUEST", `key ${name} is of class ${found}, this needs class ${allowed.join(" or ")}`);
}

export interface TransitKey {
  readonly ref: KeyRef;
  readonly backend: Backend;
  readonly transit: TransitEngine;
}

/** Where a key is used in place. @throws `UNSUPPORTED` when it is not kept by a transit engine. */
export function transitKey(call: Call, entry: KeyEntry): TransitKey {
  const backend = backendOf(call, entry);
  if (servingEngine(entry) !== "transit" || backend.transit === undefined) {
    throw call.fail("UNSUPPORTED", `key ${entry.name} is kept by engine ${entry.engine}, which does not offer this`);
  }
  return { ref: keyRef(entry), backend, transit: backend.transit };
}

export function backendOf(call: Call, entry: KeyEntry): Backend {
  const backend = call.services.backends.get(entry.backend);
  if (backend === undefined) throw call.fail("INTERNAL", "the key's backend is not open");
  return backend;
}

/**
 * Holds the input against the sizes the backend claims, before any call.
 *
 * @throws `INVALID_REQUEST` below the range, `PAYLOAD_TOO_LARGE` above it.
 */
export function requireInRange(call: Call, field: string, bytes: Uint8Array, range: ByteRange | undefined): void {
  if (range === undefined) return;
  if (bytes.length < range.min) {
    throw call.fail(
      "INVALID_REQUEST",
      `${field}: ${bytes.length} bytes, the key's backend takes at least ${range.min}`,
    );
  }
  if (range.max !== undefined) requireSize(call, field, bytes, range.max);
}
