import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import type { KeyType } from "@basil/catalog";
import { isEcdsaKeyType, isEd25519KeyType, spkiKeyType } from "@basil/core";

const HASHES: Readonly<Partial<Record<KeyType, string>>> = {
  "ecdsa-p256": "sha256",
  "ecdsa-p384": "sha384",
  "ecdsa-p521": "sha512",
  "rsa-2048": "sha256",
};

/** Whether signatures of the key type can be verified here: Ed25519, ECDSA, RSA. No Node.js of the supported range verifies ML-DSA alike. */
export function isVerifiedLocally(keyType: KeyType): boolean {
  return isEcdsaKeyType(keyType) || isEd25519KeyType(keyType) || keyType === "rsa-2048";
}

/**
 * A public key to verify with.
 *
 * @param spki - SubjectPublicKeyInfo, DER.
 * @throws Error for what is no public key of the key type.
 */
export function verificationKey(spki: Uint8Array, keyType: KeyType): KeyObject {
  if (keyType !== "rsa-2048") {
    const expected = keyType === "ed25519-nkey" ? "ed25519" : keyType;
    const found = spkiKeyType(spki);
    if (found !== expected) throw new Error(`it is a public key of ${found}, expected ${expected}`);
  }
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  if (keyType === "rsa-2048" && (asymmetricKeyType !== "rsa" || asymmetricKeyDetails?.modulusLength !== 2048))
    throw new Error(`it is a public key of ${asymmetricKeyType}, expected RSA of 2,048 bits`);
  return key;
}

/**
 * Verifies on a thread of libuv's pool, so that nothing else waits meanwhile. The message is hashed as the key type has it.
 *
 * @param signature - ECDSA: `r ‖ s` of the curve's width; Ed25519: 64 bytes; RSA: PKCS #1 v1.5 with SHA-256.
 */
export function verifyLocally(
  keyType: KeyType,
  publicKey: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const key =
    keyType === "rsa-2048"
      ? { key: publicKey, padding: constants.RSA_PKCS1_PADDING }
      : ({ key: publicKey, dsaEncoding: "ieee-p1363" } as const);
  return new Promise((resolve, reject) => {
    verify(HASHES[keyType] ?? null, message, key, signature, (error, valid) =>
      error ? reject(error) : resolve(valid),
    );
  });
}
