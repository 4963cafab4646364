import { AeadAlgorithm, KeyType } from "./gen/basil/broker/v1/broker_pb.js";

/** The key types that have a number on the wire, by the names that documents and command lines use. */
export const KEY_TYPE_NUMBERS = {
  ed25519: KeyType.ED25519,
  "ed25519-nkey": KeyType.ED25519_NKEY,
  "rsa-2048": KeyType.RSA_2048,
  "ecdsa-p256": KeyType.ECDSA_P256,
  "ecdsa-p384": KeyType.ECDSA_P384,
  "ecdsa-p521": KeyType.ECDSA_P521,
  "ml-dsa-44": KeyType.ML_DSA_44,
  "ml-dsa-65": KeyType.ML_DSA_65,
  "ml-dsa-87": KeyType.ML_DSA_87,
  "ml-kem-512": KeyType.ML_KEM_512,
  "ml-kem-768": KeyType.ML_KEM_768,
  "ml-kem-1024": KeyType.ML_KEM_1024,
} as const;
export type KeyTypeName = keyof typeof KEY_TYPE_NUMBERS;

/** The ciphers of symmetric keys, by the same names. */
export const AEAD_NUMBERS = {
  "aes-256-gcm": AeadAlgorithm.AES_256_GCM,
  "chacha20-poly1305": AeadAlgorithm.CHACHA20_POLY1305,
} as const;
export type AeadName = keyof typeof AEAD_NUMBERS;

/** The name of a key type's number; undefined for `KEY_TYPE_UNSPECIFIED` and for a number this version does not know. */
export function keyTypeName(number: KeyType): KeyTypeName | undefined {
  return nameOf(KEY_TYPE_NUMBERS, number);
}

/** The name of a cipher's number; undefined for `AEAD_ALGORITHM_UNSPECIFIED` and for an unknown number. */
export function aeadName(number: AeadAlgorithm): AeadName | undefined {
  return nameOf(AEAD_NUMBERS, number);
}

function nameOf<T extends Record<string, number>>(numbers: T, number: number): keyof T | undefined {
  return Object.keys(numbers).find((name) => numbers[name] === number);
}
