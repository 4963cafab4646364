import { createECDH, type KeyObject } from "node:crypto";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import type { KeySpec } from "./key-spec.js";

/**
 * ECDSA over a digest made elsewhere, which node:crypto does not offer: given no algorithm it hashes once more.
 * To sign, OpenSSL draws `k` and multiplies the point, and what is left is one line of FIPS 186-5 in integers; it is not
 * constant in time, as nothing of an emulator is. noble verifies. `order` is `n` of SP 800-186 §3.2.1.
 */
const curves = {
  ECC_NIST_P256: {
    curve: p256,
    name: "prime256v1",
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  ECC_NIST_P384: {
    curve: p384,
    name: "secp384r1",
    order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  ECC_NIST_P521: {
    curve: p521,
    name: "secp521r1",
    order:
      0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  },
} as const;
export type CurveSpec = keyof typeof curves;

export function isCurve(spec: KeySpec): spec is CurveSpec {
  return Object.hasOwn(curves, spec);
}

function fromBase64Url(text: string | undefined): Uint8Array {
  return new Uint8Array(Buffer.from(text ?? "", "base64url"));
}

const scalars = new WeakMap<KeyObject, bigint>();
const points = new WeakMap<KeyObject, Uint8Array>();

function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

function scalarOf(privateKey: KeyObject): bigint {
  let scalar = scalars.get(privateKey);
  if (scalar === undefined) {
    scalar = number(fromBase64Url(privateKey.export({ format: "jwk" }).d));
    scalars.set(privateKey, scalar);
  }
  return scalar;
}

/** SEC1 uncompressed. */
function pointOf(publicKey: KeyObject): Uint8Array {
  let point = points.get(publicKey);
  if (point === undefined) {
    const { x, y } = publicKey.export({ format: "jwk" });
    point = new Uint8Array(Buffer.concat([Uint8Array.of(4), fromBase64Url(x), fromBase64Url(y)]));
    points.set(publicKey, point);
  }
  return point;
}

/** DER (FIPS 186-5 §6.4.1). The digest is no longer than the group order, as the hash of each curve is. */
export function signDigest(spec: CurveSpec, privateKey: KeyObject, digest: Uint8Array): Uint8Array {
  const { name, order } = curves[spec];
  const ephemeral = createECDH(name);
  for (;;) {
    const point = ephemeral.generateKeys();
    const k = number(ephemeral.getPrivateKey());
    const r = number(point.subarray(1, (point.length + 1) / 2)) % order;
    const s = (inverse(k, order) * (number(digest) + r * scalarOf(privateKey))) % order;
    if (r !== 0n && s !== 0n) return derSignature(r, s);
  }
}

/** `1 / value` modulo a prime, by Euclid's extended algorithm. */
function inverse(value: bigint, prime: bigint): bigint {
  let [a, b, x, y] = [value % prime, prime, 1n, 0n];
  while (a !== 0n) {
    const quotient = b / a;
    [a, b, x, y] = [b - quotient * a, a, y - quotient * x, x];
  }
  return ((y % prime) + prime) % prime;
}

/** SEQUENCE { r INTEGER, s INTEGER } (RFC 3279 §2.2.3); no longer than 255 bytes inside. */
function derSignature(r: bigint, s: bigint): Uint8Array {
  const body = Buffer.concat([derInteger(r), derInteger(s)]);
  const length = body.length < 0x80 ? [body.length] : [0x81, body.length];
  return new Uint8Array(Buffer.concat([Uint8Array.of(0x30, ...length), body]));
}

function derInteger(value: bigint): Uint8Array {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  const positive = (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Uint8Array.of(0), bytes]);
  return Buffer.concat([Uint8Array.of(0x02, positive.length), positive]);
}

/** False for any signature that is not right, unparsable ones included. */
export function verifyDigest(
  spec: CurveSpec,
  publicKey: KeyObject,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    return curves[spec].curve.verify(signature, digest, pointOf(publicKey), {
      prehash: false,
      lowS: false,
      format: "der",
    });
  } catch {
    return false;
  }
}
