import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { ClearPart } from "./clear-part.js";
import { type Container, encodeContainer, encodePrefix, NONCE_BYTES } from "./container.js";
import { deriveKey } from "./derived-key.js";
import { BundleError } from "./errors.js";
import { decodePayload, encodePayload, type Payload } from "./payload.js";
import { decodeToken } from "./token.js";

const GCM_TAG_BYTES = 16;

/** The bytes of a whole bundle, with a fresh nonce. The clear part is both under its own tag and the payload's associated data. */
export async function sealBundle(clear: ClearPart, payload: Payload, masterKey: Uint8Array): Promise<Uint8Array> {
  const bundleId = decodeToken(clear.bundleId) as Uint8Array;
  const prefix = encodePrefix(clear);
  const clearTag = await tagOf(prefix, masterKey, bundleId);
  const key = await deriveKey(masterKey, bundleId, "payload");
  const plaintext = encodePayload(payload);
  try {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.concat([prefix, clearTag]));
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    return encodeContainer({ prefix, clearTag, nonce, ciphertext });
  } finally {
    key.fill(0);
    plaintext.fill(0);
  }
}

/** Authenticates the clear part, then opens the payload. @throws {@link BundleError} `AUTHENTICATION`, `MALFORMED`, `UNSUPPORTED_VERSION`. */
export async function unsealBundle(container: Container, masterKey: Uint8Array): Promise<Payload> {
  const bundleId = decodeToken(container.clear.bundleId) as Uint8Array;
  const clearTag = await tagOf(container.prefix, masterKey, bundleId);
  if (!timingSafeEqual(clearTag, container.clearTag)) {
    throw new BundleError(
      "AUTHENTICATION",
      "the slots or other clear parts of the bundle were changed by somebody without its key",
      {
        part: "clear part",
      },
    );
  }
  const key = await deriveKey(masterKey, bundleId, "payload");
  let plaintext: Buffer | undefined;
  try {
    const body = container.ciphertext.subarray(0, -GCM_TAG_BYTES);
    const decipher = createDecipheriv("aes-256-gcm", key, container.nonce, { authTagLength: GCM_TAG_BYTES })
      .setAAD(Buffer.concat([container.prefix, container.clearTag]))
      .setAuthTag(container.ciphertext.subarray(-GCM_TAG_BYTES));
    plaintext = decipher.update(body);
    try {
      decipher.final();
    } catch (cause) {
      throw new BundleError("AUTHENTICATION", "the payload of the bundle was changed", { part: "payload" }, { cause });
    }
    return decodePayload(plaintext);
  } finally {
    key.fill(0);
    plaintext?.fill(0);
  }
}

async function tagOf(prefix: Uint8Array, masterKey: Uint8Array, bundleId: Uint8Array): Promise<Uint8Array> {
  const key = await deriveKey(masterKey, bundleId, "clear-part");
  try {
    return new Uint8Array(createHmac("sha256", key).update(prefix).digest());
  } finally {
    key.fill(0);
  }
}
