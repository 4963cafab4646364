import { createHash, createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { algorithm } from "./authorization-header.js";

export interface SigningScope {
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function hmac(key: Uint8Array | string, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}

export function deriveSigningKey(secretAccessKey: string, scope: SigningScope): KeyObject {
  const key = hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, scope.date), scope.region), scope.service), "aws4_request");
  // As a KeyObject it need not be looked through at each use.
  return createSecretKey(key);
}

/** 64 lower-case hex digits: the signature of a canonical request. `time` is the `X-Amz-Date` text. */
export function signCanonicalRequest(
  signingKey: KeyObject,
  scope: SigningScope,
  time: string,
  canonical: string,
): string {
  const text = `${algorithm}\n${time}\n${scope.date}/${scope.region}/${scope.service}/aws4_request\n${sha256Hex(canonical)}`;
  return createHmac("sha256", signingKey).update(text).digest("hex");
}
