import { createHash, timingSafeEqual } from "node:crypto";
import { type ClearPart, decodeClearPart, encodeClearPart } from "./clear-part.js";
import { BundleError } from "./errors.js";
import { LIMITS } from "./limits.js";

const MAGIC = new TextEncoder().encode("BASILBDL");
const VERSION = 1;
const HEAD = MAGIC.length + 2 + 4;
export const TAG_BYTES = 32;
export const NONCE_BYTES = 12;
const DIGEST_BYTES = 32;
const GCM_TAG_BYTES = 16;

/** A whole bundle, taken apart; every part is a view of the file. */
export interface Container {
  readonly clear: ClearPart;
  /** Magic, version, length and clear part as they stand in the file: what `clearTag` and the payload authenticate. */
  readonly prefix: Uint8Array;
  /** HMAC-SHA256 of `prefix`. */
  readonly clearTag: Uint8Array;
  readonly nonce: Uint8Array;
  /** AES-256-GCM ciphertext and tag of the payload. */
  readonly ciphertext: Uint8Array;
}

/**
 * Frames the clear part: 8 bytes `BASILBDL`, `u16` version (1), `u32` length, the clear part.
 * @throws {@link BundleError} `MALFORMED` for a clear part that is not valid.
 */
export function encodePrefix(clear: ClearPart): Uint8Array {
  const body = encodeClearPart(clear);
  const prefix = new Uint8Array(HEAD + body.length);
  prefix.set(MAGIC);
  const view = new DataView(prefix.buffer);
  view.setUint16(MAGIC.length, VERSION);
  view.setUint32(MAGIC.length + 2, body.length);
  prefix.set(body, HEAD);
  return prefix;
}

/** `prefix`, 32 bytes clear tag, 12 bytes nonce, ciphertext to 32 bytes before the end, SHA-256 of all before. */
export function encodeContainer(parts: Omit<Container, "clear">): Uint8Array {
  const body = Buffer.concat([parts.prefix, parts.clearTag, parts.nonce, parts.ciphertext]);
  const file = new Uint8Array(body.length + DIGEST_BYTES);
  file.set(body);
  file.set(createHash("sha256").update(body).digest(), body.length);
  if (file.length > LIMITS.bundleBytes) {
    throw new BundleError(
      "LIMIT",
      `the bundle would be ${file.length} bytes, at most ${LIMITS.bundleBytes} are allowed`,
      {
        field: "bundle",
        limit: LIMITS.bundleBytes,
        actual: file.length,
      },
    );
  }
  return file;
}

/**
 * Checks the frame and the digest, then parses. The digest finds accidents, not attackers; {@link Container.clearTag}
 * is what authenticates.
 * @throws {@link BundleError} `NOT_A_BUNDLE`, `UNSUPPORTED_VERSION`, `DAMAGED`, `LIMIT`, `MALFORMED`.
 */
export function decodeContainer(file: Uint8Array): Container {
  if (file.length > LIMITS.bundleBytes) {
    throw new BundleError("LIMIT", `the file is over ${LIMITS.bundleBytes} bytes`, {
      field: "bundle",
      limit: LIMITS.bundleBytes,
      actual: file.length,
    });
  }
  if (file.length < MAGIC.length || !MAGIC.every((byte, index) => file[index] === byte)) {
    throw new BundleError("NOT_A_BUNDLE", "not a bundle: the file does not begin with BASILBDL", {});
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < HEAD) throw damaged("it ends inside its header");
  const version = view.getUint16(MAGIC.length);
  if (version !== VERSION) {
    throw new BundleError(
      "UNSUPPORTED_VERSION",
      `the bundle is of format version ${version}, this program reads ${VERSION}`,
      {
        version,
      },
    );
  }
  const bodyEnd = file.length - DIGEST_BYTES;
  if (bodyEnd < HEAD) throw damaged("it ends inside its header");
  const digest = createHash("sha256").update(file.subarray(0, bodyEnd)).digest();
  if (!timingSafeEqual(digest, file.subarray(bodyEnd))) throw damaged("its checksum does not match");
  const clearEnd = HEAD + view.getUint32(MAGIC.length + 2);
  const nonceStart = clearEnd + TAG_BYTES;
  const ciphertextStart = nonceStart + NONCE_BYTES;
  if (ciphertextStart + GCM_TAG_BYTES > bodyEnd) {
    throw new BundleError("MALFORMED", "the length of the clear part is past the end of the file", { field: "length" });
  }
  return {
    clear: decodeClearPart(file.subarray(HEAD, clearEnd)),
    prefix: file.subarray(0, clearEnd),
    clearTag: file.subarray(clearEnd, nonceStart),
    nonce: file.subarray(nonceStart, ciphertextStart),
    ciphertext: file.subarray(ciphertextStart, bodyEnd),
  };
}

function damaged(how: string): BundleError<"DAMAGED"> {
  return new BundleError("DAMAGED", `the bundle is damaged: ${how}`, {});
}
