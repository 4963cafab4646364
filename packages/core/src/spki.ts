import type { KeyType } from "@basil/catalog";
import { ed25519 } from "@noble/curves/ed25519.js";
import {
  ECDSA_KEY_TYPES,
  type EcdsaKeyType,
  ecdsaCurve,
  isEcdsaKeyType,
  isEd25519KeyType,
  NOBLE_CURVES,
} from "./curves.js";
import { DER_TAG, DerReader, encodeDer } from "./der.js";
import { BackendError } from "./errors.js";
import { requireBytes } from "./require-bytes.js";

// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7):
//   SEQUENCE { SEQUENCE { algorithm OID, parameters }, BIT STRING }
//   Ed25519 (RFC 8410 §4): OID 1.3.101.112, no parameters, 32 bytes
//   ECDSA (RFC 5480 §2):   OID id-ecPublicKey, the curve's OID, 04 ‖ X ‖ Y

const ED25519_OID = "2b6570";
const EC_PUBLIC_KEY_OID = "2a8648ce3d0201";
const ED25519_BYTES = 32;

/**
 * The public key out of its SPKI DER.
 *
 * @param spki - SPKI DER of exactly this key type; 44, 91, 120 or 158 bytes.
 * @returns ed25519, ed25519-nkey: the 32 bytes of RFC 8032 §5.1.5. ecdsa-p256, -p384, -p521: the uncompressed point
 *   `04 ‖ X ‖ Y` of SEC 1 §2.3.3, 65, 97 or 133 bytes. A copy; the point is on the curve.
 * @throws {@link BackendError} `PUBLIC_KEY_MALFORMED`, also for an Ed25519 key of small order; `UNSUPPORTED_ALGORITHM` for another key type.
 */
export function spkiToRaw(spki: Uint8Array, keyType: KeyType): Uint8Array {
  const raw = spkiToPoint(spki, keyType);
  requireLargeOrder(raw, keyType);
  return raw;
}

/**
 * As {@link spkiToRaw}, but returns an Ed25519 key of small order, so that a verifier can answer false for it.
 *
 * @internal
 */
export function spkiToPoint(spki: Uint8Array, keyType: KeyType): Uint8Array {
  const { raw, keyType: found } = readSpki(spki, keyType);
  const same = found === keyType || (found === "ed25519" && isEd25519KeyType(keyType));
  if (!same) throw malformed(`a public key of ${found}`, keyType);
  requirePoint(raw, keyType);
  return Uint8Array.from(raw);
}

/**
 * SPKI DER from the raw 32 bytes or the uncompressed SEC 1 point. The inverse of {@link spkiToRaw}.
 *
 * @throws {@link BackendError} `PUBLIC_KEY_MALFORMED` for a wrong width, a compressed point, a point that is not on
 *   the curve, or an Ed25519 key of small order; `UNSUPPORTED_ALGORITHM` for another key type.
 */
export function rawToSpki(raw: Uint8Array, keyType: KeyType): Uint8Array {
  requireBytes(raw, "raw");
  requireWidth(raw, keyType);
  requirePoint(raw, keyType);
  requireLargeOrder(raw, keyType);
  const algorithm = isEcdsaKeyType(keyType) ? [EC_PUBLIC_KEY_OID, ecdsaCurve(keyType).oid] : [ED25519_OID];
  const oids = algorithm.map((oid) => encodeDer(DER_TAG.objectIdentifier, Buffer.from(oid, "hex")));
  return encodeDer(
    DER_TAG.sequence,
    encodeDer(DER_TAG.sequence, ...oids),
    encodeDer(DER_TAG.bitString, Uint8Array.of(0), raw),
  );
}

/**
 * Which key type an SPKI DER holds: `ed25519`, `ecdsa-p256`, `ecdsa-p384` or `ecdsa-p521`.
 * An `ed25519-nkey` is told from an `ed25519` only by the catalog.
 *
 * @throws {@link BackendError} `PUBLIC_KEY_MALFORMED` for anything else, and for an Ed25519 key of small order.
 */
export function spkiKeyType(spki: Uint8Array): "ed25519" | EcdsaKeyType {
  const { raw, keyType } = readSpki(spki);
  requirePoint(raw, keyType);
  requireLargeOrder(raw, keyType);
  return keyType;
}

function readSpki(spki: Uint8Array, wanted?: KeyType): { raw: Uint8Array; keyType: "ed25519" | EcdsaKeyType } {
  requireBytes(spki, "spki");
  if (wanted !== undefined && !isEd25519KeyType(wanted)) ecdsaCurve(wanted);
  const refuse = (reason: string) => malformed(reason, wanted);
  const frame = new DerReader(spki, refuse);
  const body = frame.sequence("public key");
  frame.end("public key");
  const algorithm = body.sequence("algorithm");
  const oid = hexOf(algorithm.element(DER_TAG.objectIdentifier, "algorithm identifier"));
  let keyType: "ed25519" | EcdsaKeyType | undefined;
  if (oid === ED25519_OID) keyType = "ed25519";
  if (oid === EC_PUBLIC_KEY_OID) {
    const curve = hexOf(algorithm.element(DER_TAG.objectIdentifier, "named curve"));
    keyType = ECDSA_KEY_TYPES.find((type) => ecdsaCurve(type).oid === curve);
  }
  if (keyType === undefined) throw refuse("an algorithm or curve that is not Ed25519, P-256, P-384 or P-521");
  algorithm.end("algorithm");
  const bits = body.element(DER_TAG.bitString, "key");
  body.end("public key");
  if (bits[0] !== 0) throw refuse("key: a bit string that does not end on a byte");
  const raw = bits.subarray(1);
  requireWidth(raw, keyType);
  return { raw, keyType };
}

function requireWidth(raw: Uint8Array, keyType: KeyType): void {
  const bytes = isEd25519KeyType(keyType) ? ED25519_BYTES : 1 + 2 * ecdsaCurve(keyType).bytes;
  if (raw.length !== bytes) throw malformed(`${raw.length} bytes of key, expected ${bytes}`, keyType);
  if (isEcdsaKeyType(keyType) && raw[0] !== 0x04) throw malformed("a point that is not uncompressed", keyType);
}

function requirePoint(raw: Uint8Array, keyType: KeyType): void {
  const valid = isEcdsaKeyType(keyType)
    ? NOBLE_CURVES[keyType].utils.isValidPublicKey(raw)
    : ed25519.utils.isValidPublicKey(raw, false);
  if (!valid) throw malformed("a point that is not on the curve", keyType);
}

/** A signature that fits every message exists for a key of small order. P-256, P-384 and P-521 have cofactor 1. */
function requireLargeOrder(raw: Uint8Array, keyType: KeyType): void {
  if (isEd25519KeyType(keyType) && ed25519.Point.fromBytes(raw).isSmallOrder()) {
    throw malformed("a point of small order, with which any message can be signed", keyType);
  }
}

function malformed(reason: string, keyType: KeyType | undefined): BackendError {
  const expected = keyType === undefined ? "" : ` of ${keyType}`;
  return new BackendError(
    "PUBLIC_KEY_MALFORMED",
    `not an SPKI DER public key${expected}: ${reason}`,
    keyType === undefined ? {} : { keyType },
  );
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
