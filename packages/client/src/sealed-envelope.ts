import { EnvelopeAlgorithm, KemAlgorithm, type KemEnvelope as KemEnvelopeMessage } from "@basil/proto";
import { ClientError } from "./errors.js";

/** Key encapsulations by the names that documents use (FIPS 203; RFC 7748). */
export const KEM_NUMBERS = {
  "ml-kem-512": KemAlgorithm.ML_KEM_512,
  "ml-kem-768": KemAlgorithm.ML_KEM_768,
  "ml-kem-1024": KemAlgorithm.ML_KEM_1024,
  x25519: KemAlgorithm.X25519,
} as const;
export type KemName = keyof typeof KEM_NUMBERS;

/** Ciphers of a sealed envelope: other numbers than those of symmetric keys, by the same names. */
export const ENVELOPE_CIPHER_NUMBERS = {
  "aes-256-gcm": EnvelopeAlgorithm.AES_256_GCM,
  "chacha20-poly1305": EnvelopeAlgorithm.CHACHA20_POLY1305,
} as const;
export type EnvelopeCipher = keyof typeof ENVELOPE_CIPHER_NUMBERS;

/** A payload sealed to a key encapsulation key. Keep all fields and hand them back unchanged. */
export interface KemEnvelope {
  readonly kem: KemName;
  readonly algorithm: EnvelopeCipher;
  /** The version of the recipient's key. */
  readonly keyVersion: number;
  /** An ML-KEM ciphertext, or the 32 bytes of an ephemeral X25519 key. */
  readonly encapsulatedKey: Uint8Array;
  /** 12 bytes. */
  readonly nonce: Uint8Array;
  /** The sealed payload, its tag at the end. */
  readonly ciphertext: Uint8Array;
}

/** @throws {@link ClientError} `PROTOCOL` */
export function kemEnvelope(message: KemEnvelopeMessage | undefined): KemEnvelope {
  if (message === undefined) throw new ClientError("PROTOCOL", "the broker gave no envelope", {});
  const kem = nameOf(KEM_NUMBERS, message.kemAlgorithm);
  const algorithm = nameOf(ENVELOPE_CIPHER_NUMBERS, message.envelopeAlgorithm);
  if (kem === undefined || algorithm === undefined) {
    throw new ClientError("PROTOCOL", "the broker gave an envelope of unknown algorithms", {});
  }
  const { keyVersion, encapsulatedKey, nonce, ciphertext } = message;
  return { kem, algorithm, keyVersion, encapsulatedKey, nonce, ciphertext };
}

function nameOf<T extends Record<string, number>>(numbers: T, number: number): keyof T | undefined {
  return Object.keys(numbers).find((name) => numbers[name] === number);
}
