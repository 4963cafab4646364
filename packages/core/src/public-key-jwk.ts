import type { KeyType } from "@basil/catalog";
import { ECDSA_KEY_TYPES, ecdsaCurve, isEcdsaKeyType } from "./curves.js";
import { BackendError } from "./errors.js";
import { rawToSpki, spkiToRaw } from "./spki.js";

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

/**
 * SPKI DER from a public key as JWK. The inverse of {@link spkiToJwk}; only `kty`, `crv`, `x` and `y` are looked at.
 *
 * @param jwk - Parsed JSON of any shape. A private key is refused: it has no place where a public one is meant.
 * @throws {@link BackendError} `PUBLIC_KEY_MALFORMED`
 */
export function jwkToSpki(jwk: unknown): Uint8Array {
  if (typeof jwk !== "object" || jwk === null) throw malformed("not an object");
  const { kty, crv, x, y, d } = jwk as Readonly<Record<string, unknown>>;
  if (d !== undefined) throw malformed("it holds a private key");
  if (kty === "OKP" && crv === "Ed25519") return rawToSpki(coordinate(x, "x", 32), "ed25519");
  const keyType = ECDSA_KEY_TYPES.find((type) => kty === "EC" && ecdsaCurve(type).jwk.crv === crv);
  if (keyType === undefined) throw malformed("kty and crv are not those of Ed25519, P-256, P-384 or P-521");
  const { bytes } = ecdsaCurve(keyType);
  const point = Buffer.concat([Uint8Array.of(0x04), coordinate(x, "x", bytes), coordinate(y, "y", bytes)]);
  return rawToSpki(Uint8Array.from(point), keyType);
}

function coordinate(value: unknown, name: string, length: number): Uint8Array {
  const bytes = typeof value === "string" ? Buffer.from(value, "base64url") : Buffer.alloc(0);
  // Buffer skips what is not base64url, so only text that comes back unchanged was base64url.
  if (bytes.length === length && base64url(bytes) === value) return Uint8Array.from(bytes);
  throw malformed(`${name} is not base64url of ${length} bytes`);
}

function malformed(reason: string): BackendError {
  return new BackendError("PUBLIC_KEY_MALFORMED", `not a public key as JWK: ${reason}`, {});
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
