import type { KeyType } from "@basil/catalog";
import { isEcdsaKeyType, isEd25519KeyType, spkiToPem, spkiToRaw } from "@basil/core";

/**
 * A public key as the protocol carries it. Ed25519: the 32 bytes of RFC 8032. ECDSA: the uncompressed point of SEC 1
 * §2.3.3, 65, 97 or 133 bytes. Any other type: the ASCII text of its SPKI PEM, without a newline at the end.
 */
export function publicKeyToWire(spki: Uint8Array, keyType: KeyType): Uint8Array {
  if (isEcdsaKeyType(keyType) || isEd25519KeyType(keyType)) return spkiToRaw(spki, keyType);
  return new TextEncoder().encode(spkiToPem(spki).trim());
}
