import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { BackendError } from "@basil/core";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** The hash is a property of the key type, never the caller's choice. Ed25519 signs the message itself (RFC 8032 §5.1). */
const HASHES = /** @type {Readonly<Record<string, string | null>>} */ ({ ed25519: null, "ecdsa-p256": "sha256" });
/** `r ‖ s` of fixed width (RFC 7518 §3.4), never DER. */
const dsaEncoding = /** @type {const} */ ("ieee-p1363");

/**
 * A fresh secret as the text a file holds: PKCS #8 in base64, or the 32 bytes of an AES key.
 *
 * @param {import("@basil/core").KeyType} keyType One that is claimed.
 */
export function makeSecret(keyType) {
  if (keyType === "aes-256-gcm") return randomBytes(32).toString("base64");
  const { privateKey } =
    keyType === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "der" }).toString("base64");
}

/** @param {string} secret */
export function spkiOf(secret) {
  return Uint8Array.from(createPublicKey(privateKeyOf(secret)).export({ type: "spki", format: "der" }));
}

/**
 * @param {string} keyType
 * @param {string} secret
 * @param {Uint8Array} message
 */
export function signWith(keyType, secret, message) {
  return Uint8Array.from(sign(HASHES[keyType], message, { key: privateKeyOf(secret), dsaEncoding }));
}

/**
 * @param {string} keyType
 * @param {string} secret
 * @param {Uint8Array} message
 * @param {Uint8Array} signature
 */
export function verifyWith(keyType, secret, message, signature) {
  return verify(HASHES[keyType], message, { key: createPublicKey(privateKeyOf(secret)), dsaEncoding }, signature);
}

/**
 * @param {string} secret
 * @param {Uint8Array} plaintext
 * @param {Uint8Array | undefined} aad
 */
export function encryptWith(secret, plaintext, aad) {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", Buffer.from(secret, "base64"), nonce).setAAD(tagged(aad));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return { nonce: Uint8Array.from(nonce), ciphertext: Uint8Array.from(ciphertext) };
}

/**
 * @param {string} secret
 * @param {import("@basil/core").CiphertextEnvelope} envelope
 * @param {Uint8Array | undefined} aad
 */
export function decryptWith(secret, { nonce, ciphertext }, aad) {
  try {
    const end = ciphertext.length - TAG_BYTES;
    const decipher = createDecipheriv("aes-256-gcm", Buffer.from(secret, "base64"), nonce, { authTagLength: TAG_BYTES })
      .setAAD(tagged(aad))
      .setAuthTag(ciphertext.subarray(end));
    return Uint8Array.from(Buffer.concat([decipher.update(ciphertext.subarray(0, end)), decipher.final()]));
  } catch (cause) {
    // Wrong key, wrong AAD and damage are one answer.
    throw new BackendError("DECRYPT_FAILED", "it does not open", {}, { cause });
  }
}

/** @param {string} secret */
function privateKeyOf(secret) {
  return createPrivateKey({ key: Buffer.from(secret, "base64"), format: "der", type: "pkcs8" });
}

/**
 * Absent and empty AAD are different contexts.
 *
 * @param {Uint8Array | undefined} aad
 */
function tagged(aad) {
  return aad === undefined ? Uint8Array.of(0) : Uint8Array.of(1, ...aad);
}
