import { createECDH, type KeyObject } from "node:crypto";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import type { KeySpec } from "./key-spec.js";

/**
 * ECDSA over a digest made elsewhere, which node:crypto does not offer: given no algorithm it hashes once more.
 * noble does the arithmetic; for signing, `k·G` comes from OpenSSL, which takes a twentieth of the time on P-256.
 */
const curves = {
  ECC_NIST_P256: { curve: p256, name: "prime256v1" },
  ECC_NIST_P384: { curve: p384, name: "secp384r1" },
  ECC_NIST_P521: { curve: p521, name: "secp521r1" },
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
  const { curve, name } = curves[spec];
  const { Fn } = curve.Point;
  const ephemeral = createECDH(name);
  for (;;) {
    const point = ephemeral.generateKeys();
    const k = number(ephemeral.getPrivateKey());
    const r = Fn.create(number(point.subarray(1, (point.length + 1) / 2)));
    const s = Fn.mul(Fn.inv(k), Fn.add(Fn.create(number(digest)), Fn.mul(r, scalarOf(privateKey))));
    if (r !== Fn.ZERO && s !== Fn.ZERO) return new curve.Signature(r, s).toBytes("der");
  }
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
