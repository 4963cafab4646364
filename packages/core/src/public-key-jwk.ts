import type { KeyType } from "@basil/catalog";
import { ecdsaCurve, isEcdsaKeyType } from "./curves.js";
import { spkiToRaw } from "./spki.js";

/** A public signing key as JSON Web Key (RFC 7517); members are base64url without padding. */
export type PublicJwk =
  /** RFC 7518 §6.2: coordinates of the full width of the curve. */
  | { readonly kty: "EC"; readonly crv: string; readonly x: string; readonly y: string; readonly alg: string }
  /** RFC 8037 §2. */
  | { readonly kty: "OKP"; readonly crv: "Ed25519"; readonly x: string; readonly alg: "EdDSA" };

/**
 * SPKI DER as JWK, with `alg`: ES256, ES384, ES512 or EdDSA (RFC 7518 §3.1, RFC 8037 §3.1).
 *
 * @throws {@link BackendError} `PUBLIC_KEY_MALFORMED`, `UNSUPPORTED_ALGORITHM`, as {@link spkiToRaw}.
 */
export function spkiToJwk(spki: Uint8Array, keyType: KeyType): PublicJwk {
  const raw = spkiToRaw(spki, keyType);
  if (!isEcdsaKeyType(keyType)) return { kty: "OKP", crv: "Ed25519", x: base64url(raw), alg: "EdDSA" };
  const { bytes, jwk } = ecdsaCurve(keyType);
  const x = raw.subarray(1, 1 + bytes);
  const y = raw.subarray(1 + bytes);
  return { kty: "EC", crv: jwk.crv, x: base64url(x), y: base64url(y), alg: jwk.alg };
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
