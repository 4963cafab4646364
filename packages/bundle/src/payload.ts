import { ByteReader } from "./byte-reader.js";
import { BundleError } from "./errors.js";
import { LIMITS } from "./limits.js";
import { isSortedSet, nameProblem } from "./name.js";

const SCHEMA_VERSION = 1;

/** One backend's credential as it is sealed: `json` is a JSON text, held as bytes so that it can be zeroed. */
export interface PayloadBackend {
  readonly id: string;
  readonly kind: string;
  readonly json: Uint8Array;
}

/** The sealed part in memory. */
export interface Payload {
  /** Sorted by id. */
  readonly backends: readonly PayloadBackend[];
  /** The X25519 private key that opens deposits, 32 bytes; absent until a deposit key is made. */
  readonly depositKey: Uint8Array | undefined;
}

/**
 * `u16` schema version (1), `u8` length of the deposit key (0 or 32), the deposit key, `u16` number of backends, and for
 * each of them, sorted by id: `u16` length and UTF-8 id, `u16` length and UTF-8 kind, `u32` length and JSON text.
 * Integers are big-endian. Binary and not JSON, so that no secret passes through a string that cannot be zeroed.
 */
export function encodePayload(payload: Payload): Uint8Array {
  const encoder = new TextEncoder();
  const named = payload.backends.map(({ id, kind, json }) => ({
    id: encoder.encode(id),
    kind: encoder.encode(kind),
    json,
  }));
  const keyLength = payload.depositKey?.length ?? 0;
  const size = named.reduce(
    (sum, { id, kind, json }) => sum + 8 + id.length + kind.length + json.length,
    5 + keyLength,
  );
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const put = (field: Uint8Array): void => {
    bytes.set(field, at);
    at += field.length;
  };
  view.setUint16(at, SCHEMA_VERSION);
  view.setUint8(at + 2, keyLength);
  at += 3;
  if (payload.depositKey !== undefined) put(payload.depositKey);
  view.setUint16(at, named.length);
  at += 2;
  for (const { id, kind, json } of named) {
    for (const name of [id, kind]) {
      view.setUint16(at, name.length);
      at += 2;
      put(name);
    }
    view.setUint32(at, json.length);
    at += 4;
    put(json);
  }
  return bytes;
}

/** Copies what it returns, so that `bytes` can be zeroed. @throws {@link BundleError} `MALFORMED`. */
export function decodePayload(bytes: Uint8Array): Payload {
  const reader = new ByteReader(bytes);
  const version = reader.u16("payload version");
  if (version !== SCHEMA_VERSION) {
    throw new BundleError("UNSUPPORTED_VERSION", `the payload is of version ${version}, expected ${SCHEMA_VERSION}`, {
      version,
    });
  }
  const keyLength = reader.u8("deposit key length");
  if (keyLength !== 0 && keyLength !== 32) malformed("deposit key length", "is neither 0 nor 32");
  const depositKey = keyLength === 0 ? undefined : reader.take(keyLength, "deposit key").slice();
  const count = reader.u16("number of backends");
  if (count > LIMITS.backends) malformed("number of backends", `is over ${LIMITS.backends}`);
  const backends: PayloadBackend[] = [];
  for (let index = 0; index < count; index++) {
    const id = readName(reader, `backends.${index}.id`);
    const kind = readName(reader, `backends.${index}.kind`);
    const field = `backends.${index}.credential`;
    const length = reader.u32(field);
    if (length > LIMITS.credentialBytes) malformed(field, `is over ${LIMITS.credentialBytes} bytes`);
    backends.push({ id, kind, json: reader.take(length, field).slice() });
  }
  reader.end("payload");
  if (!isSortedSet(backends.map(({ id }) => id))) malformed("backends", "are not a sorted set");
  return { backends, depositKey };
}

export function zeroPayload(payload: Payload): void {
  payload.depositKey?.fill(0);
  for (const { json } of payload.backends) json.fill(0);
}

function readName(reader: ByteReader, field: string): string {
  const bytes = reader.take(reader.u16(field), field);
  let name: string;
  try {
    name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new BundleError("MALFORMED", `${field} is not UTF-8`, { field }, { cause });
  }
  const problem = nameProblem(name);
  if (problem !== undefined) malformed(field, problem);
  return name;
}

function malformed(field: string, problem: string): never {
  throw new BundleError("MALFORMED", `${field} ${problem}`, { field });
}
