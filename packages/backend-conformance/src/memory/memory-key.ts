import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { BackendError, type CiphertextEnvelope, type KeyType } from "@basil/core";

/** The key types node:crypto makes here, with what it calls their hash or cipher. */
export const MEMORY_KEY_TYPES = {
  ed25519: { sign: null, make: () => generateKeyPairSync("ed25519") },
  "ed25519-nkey": { sign: null, make: () => generateKeyPairSync("ed25519") },
  "rsa-2048": { sign: "sha256", make: () => generateKeyPairSync("rsa", { modulusLength: 2048 }) },
  "ecdsa-p256": { sign: "sha256", make: () => generateKeyPairSync("ec", { namedCurve: "P-256" }) },
  "ecdsa-p384": { sign: "sha384", make: () => generateKeyPairSync("ec", { namedCurve: "P-384" }) },
  "ecdsa-p521": { sign: "sha512", make: () => generateKeyPairSync("ec", { namedCurve: "P-521" }) },
  "aes-256-gcm": { cipher: "aes-256-gcm" },
  "chacha20-poly1305": { cipher: "chacha20-poly1305" },
} as const;
export type MemoryKeyType = keyof typeof MEMORY_KEY_TYPES;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** One version of a key. */
export interface MemoryKeyVersion {
  sign(message: Uint8Array): Uint8Array;
  verify(message: Uint8Array, signature: Uint8Array): boolean;
  /** SPKI DER; absent for a symmetric key. */
  readonly publicKey?: Uint8Array;
  encrypt(plaintext: Uint8Array, aad: Uint8Array | undefined): Omit<CiphertextEnvelope, "keyVersion">;
  decrypt(envelope: CiphertextEnvelope, aad: Uint8Array | undefined): Uint8Array;
}

export function isMemoryKeyType(keyType: KeyType): keyType is MemoryKeyType {
  return Object.hasOwn(MEMORY_KEY_TYPES, keyType);
}

export function isSigningKeyType(keyType: MemoryKeyType): boolean {
  return "sign" in MEMORY_KEY_TYPES[keyType];
}

export function makeKeyVersion(keyType: MemoryKeyType): MemoryKeyVersion {
  const type = MEMORY_KEY_TYPES[keyType];
  return "cipher" in type ? cipherKey(type.cipher) : signingKey(type.sign, type.make());
}

function signingKey(hash: string | null, pair: { privateKey: KeyObject; publicKey: KeyObject }): MemoryKeyVersion {
  const dsaEncoding = "ieee-p1363";
  const { privateKey, publicKey } = pair;
  return {
    sign: (message) => Uint8Array.from(sign(hash, message, { key: privateKey, dsaEncoding })),
    verify: (message, signature) => verify(hash, message, { key: publicKey, dsaEncoding }, signature),
    publicKey: Uint8Array.from(publicKey.export({ type: "spki", format: "der" })),
    encrypt: wrongUse,
    decrypt: wrongUse,
  };
}

function cipherKey(cipher: "aes-256-gcm" | "chacha20-poly1305"): MemoryKeyVersion {
  const key = randomBytes(32);
  // Both are AEADs with a nonce of 12 bytes and a tag of 16, which node:crypto types for GCM alone.
  const [gcm, options] = [cipher as CipherGCMTypes, { authTagLength: TAG_BYTES }];
  return {
    sign: wrongUse,
    verify: wrongUse,
    encrypt(plaintext, aad) {
      const nonce = Uint8Array.from(randomBytes(NONCE_BYTES));
      const seal = createCipheriv(gcm, key, nonce, options).setAAD(tagged(aad));
      return { nonce, ciphertext: joined(seal.update(plaintext), seal.final(), seal.getAuthTag()) };
    },
    decrypt({ nonce, ciphertext }, aad) {
      try {
        const end = ciphertext.length - TAG_BYTES;
        const open = createDecipheriv(gcm, key, nonce, options)
          .setAAD(tagged(aad))
          .setAuthTag(ciphertext.subarray(end));
        return joined(open.update(ciphertext.subarray(0, end)), open.final());
      } catch (cause) {
        throw new BackendError("DECRYPT_FAILED", "wrong key, wrong AAD or not a ciphertext of it", {}, { cause });
      }
    },
  };
}

/** Absent and empty AAD are different. */
function tagged(aad: Uint8Array | undefined): Uint8Array {
  return aad === undefined ? Uint8Array.of(0) : Uint8Array.of(1, ...aad);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function wrongUse(): never {
  throw new TypeError("the capabilities refuse this before");
}
