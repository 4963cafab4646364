import type { KeyType } from "@basil/catalog";
import { ecdsaCurve } from "./curves.js";
import { DER_TAG, DerReader, encodeDer, encodeDerUnsignedInteger } from "./der.js";
import { BackendError } from "./errors.js";
import { requireBytes } from "./require-bytes.js";

// The two encodings of an ECDSA signature:
//   DER   SEQUENCE { r INTEGER, s INTEGER }   (RFC 3279 §2.2.3)
//   raw   r ‖ s, each padded to the width of the curve   (RFC 7518 §3.4; IEEE P1363)

/**
 * DER to `r ‖ s`: 64, 96 or 132 bytes for ecdsa-p256, -p384, -p521.
 *
 * Only the encoding is judged: an `r` or `s` that fits the width and is zero, or not below the order of the group, is
 * converted, and makes no signature verify.
 *
 * @param der - At most 72, 104, 139 bytes. Strict DER: shortest lengths and integers, nothing negative, nothing behind.
 * @throws {@link BackendError} `SIGNATURE_MALFORMED`; `UNSUPPORTED_ALGORITHM` for a key type that is not ECDSA.
 */
export function ecdsaDerToRaw(der: Uint8Array, keyType: KeyType): Uint8Array {
  requireBytes(der, "der");
  const { bytes } = ecdsaCurve(keyType);
  const refuse = (reason: string) =>
    new BackendError("SIGNATURE_MALFORMED", `not a DER ECDSA signature of ${keyType}: ${reason}`, { keyType });
  const frame = new DerReader(der, refuse);
  const sequence = frame.sequence("signature");
  frame.end("signature");
  const r = sequence.unsignedInteger("r");
  const s = sequence.unsignedInteger("s");
  sequence.end("sequence");
  const raw = new Uint8Array(2 * bytes);
  for (const [name, value, end] of [
    ["r", r, bytes],
    ["s", s, 2 * bytes],
  ] as const) {
    if (value.length > bytes) throw refuse(`${name}: ${value.length} bytes, at most ${bytes}`);
    raw.set(value, end - value.length);
  }
  return raw;
}

/**
 * `r ‖ s` to DER. The inverse of {@link ecdsaDerToRaw}, for every value of `r` and `s`.
 *
 * @param raw - Exactly 64, 96 or 132 bytes for ecdsa-p256, -p384, -p521.
 * @throws {@link BackendError} `SIGNATURE_MALFORMED`; `UNSUPPORTED_ALGORITHM` for a key type that is not ECDSA.
 */
export function ecdsaRawToDer(raw: Uint8Array, keyType: KeyType): Uint8Array {
  requireBytes(raw, "raw");
  const { bytes } = ecdsaCurve(keyType);
  if (raw.length !== 2 * bytes) {
    throw new BackendError(
      "SIGNATURE_MALFORMED",
      `a raw ECDSA signature of ${keyType} has ${2 * bytes} bytes, found ${raw.length}`,
      { keyType },
    );
  }
  return encodeDer(
    DER_TAG.sequence,
    encodeDerUnsignedInteger(raw.subarray(0, bytes)),
    encodeDerUnsignedInteger(raw.subarray(bytes)),
  );
}
