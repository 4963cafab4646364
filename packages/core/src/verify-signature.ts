import type { KeyType } from "@basil/catalog";
import { ed25519 } from "@noble/curves/ed25519.js";
import { ecdsaCurve, isEcdsaKeyType, NOBLE_CURVES } from "./curves.js";
import { requireBytes } from "./require-bytes.js";
import { spkiToPoint } from "./spki.js";

export interface VerifySignatureInput {
  /** ed25519, ed25519-nkey, ecdsa-p256, ecdsa-p384 or ecdsa-p521. */
  readonly keyType: KeyType;
  /** SPKI DER of that key type. */
  readonly publicKey: Uint8Array;
  /** The whole message; hashed here with SHA-256, -384, -512 for ECDSA, taken as it is for Ed25519. */
  readonly message: Uint8Array;
  /** `r ‖ s`, 64, 96 or 132 bytes (RFC 7518 §3.4), or the 64 bytes of RFC 8032 §5.1.6; never DER. */
  readonly signature: Uint8Array;
}

/**
 * Whether the signature is one of this message by this key, found out on this machine, without a backend.
 *
 * False for every signature that is not, one of the wrong width included; a high `s` is a valid ECDSA signature.
 * Ed25519 is strict: points and scalars in canonical encoding, no public key of small order (RFC 8032 §5.1.7,
 * cofactored equation). It blocks: about 2 ms for P-256, 16 ms for P-521.
 *
 * @throws {@link BackendError} `PUBLIC_KEY_MALFORMED`; `UNSUPPORTED_ALGORITHM` for another key type.
 * @throws TypeError for a public key, message or signature that is not a `Uint8Array`.
 */
export function verifySignature({ keyType, publicKey, message, signature }: VerifySignatureInput): boolean {
  requireBytes(publicKey, "publicKey");
  requireBytes(message, "message");
  requireBytes(signature, "signature");
  const key = spkiToPoint(publicKey, keyType);
  if (!isEcdsaKeyType(keyType)) {
    return signature.length === 64 && ed25519.verify(signature, message, key, { zip215: false });
  }
  if (signature.length !== 2 * ecdsaCurve(keyType).bytes) return false;
  return NOBLE_CURVES[keyType].verify(signature, message, key, { format: "compact", lowS: false, prehash: true });
}
