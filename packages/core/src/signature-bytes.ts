import type { KeyType } from "@basil/catalog";

const SIGNATURE_BYTES: Readonly<Partial<Record<KeyType, number>>> = {
  ed25519: 64,
  "ed25519-nkey": 64,
  "rsa-2048": 256,
  "ecdsa-p256": 64,
  "ecdsa-p384": 96,
  "ecdsa-p521": 132,
  "ml-dsa-44": 2420,
  "ml-dsa-65": 3309,
  "ml-dsa-87": 4627,
};

/**
 * Bytes that every signature of the key type has (RFC 8032 §5.1.6, RFC 8017 §8.2, RFC 7518 §3.4, FIPS 204 table 2);
 * undefined for a type that does not sign.
 */
export function signatureBytes(keyType: KeyType): number | undefined {
  return SIGNATURE_BYTES[keyType];
}
