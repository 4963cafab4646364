import { createPrivateKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

const generate = promisify(generateKeyPair);

/** A fresh P-256 key, which every TLS peer of today takes. */
export async function makeTlsKey(): Promise<KeyObject> {
  const { privateKey } = await generate("ec", { namedCurve: "P-256" });
  return privateKey;
}

/** PKCS#8 as PEM (RFC 7468 §10). */
export function encodeTlsKey(key: KeyObject): Uint8Array {
  return new TextEncoder().encode(key.export({ type: "pkcs8", format: "pem" }) as string);
}

/** Undefined for what is no unencrypted private key in PEM: PKCS#8, PKCS#1 or SEC 1. */
export function decodeTlsKey(pem: Uint8Array): KeyObject | undefined {
  try {
    return createPrivateKey({ key: Buffer.from(pem.buffer, pem.byteOffset, pem.byteLength), format: "pem" });
  } catch {
    return undefined;
  }
}
