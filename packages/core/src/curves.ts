import type { KeyType } from "@basil/catalog";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { BackendError } from "./errors.js";

/** The key types that sign with ECDSA over the digest of their curve (FIPS 186-5 §6, RFC 7518 §3.4). */
export type EcdsaKeyType = "ecdsa-p256" | "ecdsa-p384" | "ecdsa-p521";

/** The key types that sign with pure Ed25519 (RFC 8032 §5.1). */
export type Ed25519KeyType = "ed25519" | "ed25519-nkey";

/** The key types whose signatures and public keys this package reads. */
export type CurveKeyType = EcdsaKeyType | Ed25519KeyType;

/** One NIST curve with the hash that goes with it. */
export interface EcdsaCurve {
  /** Bytes of one field element, of one coordinate and of one half of `r ‖ s`. */
  readonly bytes: number;
  /** Content of the curve's OBJECT IDENTIFIER (RFC 5480 §2.1.1.1), hexadecimal. */
  readonly oid: string;
  /** RFC 7518 §6.2.1.1 and §3.1. */
  readonly jwk: { readonly crv: string; readonly alg: string };
  /** RFC 5656 §10.1. */
  readonly sshName: string;
}

const ECDSA_CURVES: Readonly<Record<EcdsaKeyType, EcdsaCurve>> = {
  "ecdsa-p256": {
    bytes: 32,
    oid: "2a8648ce3d030107",
    jwk: { crv: "P-256", alg: "ES256" },
    sshName: "nistp256",
  },
  "ecdsa-p384": { bytes: 48, oid: "2b81040022", jwk: { crv: "P-384", alg: "ES384" }, sshName: "nistp384" },
  "ecdsa-p521": { bytes: 66, oid: "2b81040023", jwk: { crv: "P-521", alg: "ES512" }, sshName: "nistp521" },
};

export const ECDSA_KEY_TYPES = ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521"] as const satisfies readonly EcdsaKeyType[];

/** True for `ecdsa-p256`, `ecdsa-p384` and `ecdsa-p521`. */
export function isEcdsaKeyType(keyType: KeyType): keyType is EcdsaKeyType {
  return Object.hasOwn(ECDSA_CURVES, keyType);
}

/** True for `ed25519` and `ed25519-nkey`, which are one curve. */
export function isEd25519KeyType(keyType: KeyType): keyType is Ed25519KeyType {
  return keyType === "ed25519" || keyType === "ed25519-nkey";
}

/** The curve of an ECDSA key type. @throws {@link BackendError} `UNSUPPORTED_ALGORITHM` for any other type. */
export function ecdsaCurve(keyType: KeyType): EcdsaCurve {
  if (isEcdsaKeyType(keyType)) return ECDSA_CURVES[keyType];
  throw new BackendError(
    "UNSUPPORTED_ALGORITHM",
    `key type ${String(keyType)} has no ECDSA curve; allowed: ${ECDSA_KEY_TYPES.join(", ")}`,
    { keyType: String(keyType) },
  );
}

/** The same curves in noble, which checks points and verifies. */
export const NOBLE_CURVES = { "ecdsa-p256": p256, "ecdsa-p384": p384, "ecdsa-p521": p521 } as const;
