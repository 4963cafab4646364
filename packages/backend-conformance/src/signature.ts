import { constants, createPublicKey, verify } from "node:crypto";
import { isEcdsaKeyType, isEd25519KeyType, type KeyType, signatureBytes, verifySignature } from "@basil/core";

/** Of a type that does not sign, what Ed25519 has: something to call with. @internal */
export function signatureLength(keyType: KeyType): number {
  return signatureBytes(keyType) ?? 64;
}

/**
 * Whether the signature is one of the whole message, hashed as the key type has it and not otherwise, found without the
 * backend. Undefined for ML-DSA, which no Node.js of the supported range verifies alike.
 *
 * @internal
 */
export function verifiesElsewhere(
  keyType: KeyType,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean | undefined {
  if (isEcdsaKeyType(keyType) || isEd25519KeyType(keyType)) {
    return verifySignature({ keyType, publicKey, message, signature });
  }
  if (keyType !== "rsa-2048") return undefined;
  const key = createPublicKey({ key: Buffer.from(publicKey), type: "spki", format: "der" });
  return verify("sha256", message, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
}

/** Signatures of the right width that no key and message have: zeros, the order of the group, all ones. @internal */
export function impossibleSignatures(keyType: KeyType, genuine: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const crafted = new Map<string, Uint8Array>([
    ["all zeros", new Uint8Array(genuine.length)],
    ["all ones", new Uint8Array(genuine.length).fill(0xff)],
  ]);
  if (isEcdsaKeyType(keyType)) {
    const order = Uint8Array.from(Buffer.from(ORDERS[keyType], "hex"));
    const [r, s] = [genuine.subarray(0, order.length), genuine.subarray(order.length)];
    const zero = new Uint8Array(order.length);
    crafted.set("r of zero", join(zero, s)).set("s of zero", join(r, zero));
    crafted.set("r of the order", join(order, s)).set("s of the order", join(r, order));
    crafted.set("r and s swapped", join(s, r));
  }
  if (isEd25519KeyType(keyType)) crafted.set("S plus the order", plusOrder(genuine));
  return crafted;
}

/** SP 800-186 §3.2.1. */
const ORDERS = {
  "ecdsa-p256": "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
  "ecdsa-p384": `${"f".repeat(48)}c7634d81f4372ddf581a0db248b0a77aecec196accc52973`,
  "ecdsa-p521": `01${"f".repeat(64)}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`,
} as const;

/** 2^252 + 27742317777372353535851937790883648493 (RFC 8032 §5.1). */
const ED25519_ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;

function plusOrder(signature: Uint8Array): Uint8Array {
  const out = Uint8Array.from(signature);
  const scalar = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`) + ED25519_ORDER;
  out.set(Buffer.from(scalar.toString(16).padStart(64, "0"), "hex").reverse(), 32);
  return out;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Uint8Array.of(...a, ...b);
}
