import { constants, type KeyObject, sign, verify } from "node:crypto";
import { Refusal } from "../refusal.js";
import { isCurve, signDigest, verifyDigest } from "./ecdsa-digest.js";
import type { KmsKey } from "./key.js";
import type { SigningAlgorithm } from "./key-spec.js";

export type MessageType = "RAW" | "DIGEST" | "EXTERNAL_MU";

type Hash = "sha256" | "sha384" | "sha512";
const digestBytes: Record<Hash, number> = { sha256: 32, sha384: 48, sha512: 64 };

function hashOf(algorithm: SigningAlgorithm): Hash {
  return `sha${algorithm.slice(-3)}` as Hash;
}

/** Refuses a message type or length that the algorithm does not take. */
export function checkMessage(algorithm: SigningAlgorithm, type: MessageType, message: Uint8Array): void {
  const wanted: readonly MessageType[] =
    algorithm === "ED25519_SHA_512" ? ["RAW"] : algorithm === "ED25519_PH_SHA_512" ? ["DIGEST"] : ["RAW", "DIGEST"];
  if (!wanted.includes(type)) {
    throw new Refusal("ValidationException", `Message type ${type} is incompatible with algorithm ${algorithm}.`);
  }
  if (type === "DIGEST" && message.length !== digestBytes[hashOf(algorithm)]) {
    throw new Refusal("ValidationException", `Digest is invalid length for algorithm ${algorithm}.`);
  }
  // node:crypto has no Ed25519ph, and would sign the digest as a plain message without a word.
  if (algorithm === "ED25519_PH_SHA_512") throw new Refusal("UnsupportedOperationException");
}

function rsaPadding(algorithm: SigningAlgorithm) {
  return algorithm.startsWith("RSASSA_PSS")
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { padding: constants.RSA_PKCS1_PADDING };
}

function pairOf(key: KmsKey): { privateKey: KeyObject; publicKey: KeyObject } {
  if (key.material.kind !== "pair") throw new TypeError(`key ${key.id} has no key pair`);
  return key.material;
}

/** ECDSA: DER. Ed25519: 64 bytes. RSA: the modulus length. The message was checked before. */
export function signMessage(
  key: KmsKey,
  algorithm: SigningAlgorithm,
  type: MessageType,
  message: Uint8Array,
): Uint8Array {
  const { privateKey } = pairOf(key);
  if (algorithm === "ED25519_SHA_512") return new Uint8Array(sign(null, message, privateKey));
  if (type === "DIGEST") {
    if (!isCurve(key.spec)) throw new Refusal("UnsupportedOperationException");
    return signDigest(key.spec, privateKey, message);
  }
  return new Uint8Array(
    sign(hashOf(algorithm), message, { key: privateKey, ...(isCurve(key.spec) ? {} : rsaPadding(algorithm)) }),
  );
}

/** False for any signature that is not right, unparsable ones included. */
export function verifyMessage(
  key: KmsKey,
  algorithm: SigningAlgorithm,
  type: MessageType,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { publicKey } = pairOf(key);
  if (algorithm === "ED25519_SHA_512") return verify(null, message, publicKey, signature);
  if (type === "DIGEST") {
    if (!isCurve(key.spec)) throw new Refusal("UnsupportedOperationException");
    return verifyDigest(key.spec, publicKey, message, signature);
  }
  return verify(
    hashOf(algorithm),
    message,
    { key: publicKey, ...(isCurve(key.spec) ? {} : rsaPadding(algorithm)) },
    signature,
  );
}
