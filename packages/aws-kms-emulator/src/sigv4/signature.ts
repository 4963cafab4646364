import { createHash, createHmac } from "node:crypto";
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

export function deriveSigningKey(secretAccessKey: string, scope: SigningScope): Uint8Array {
  return hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, scope.date), scope.region), scope.service), "aws4_request");
}

/** 64 lower-case hex digits: the signature of a canonical request. `time` is the `X-Amz-Date` text. */
export function signCanonicalRequest(
  signingKey: Uint8Array,
  scope: SigningScope,
  time: string,
  canonical: string,
): string {
  const text = `${algorithm}\n${time}\n${scope.date}/${scope.region}/${scope.service}/aws4_request\n${sha256Hex(canonical)}`;
  return createHmac("sha256", signingKey).update(text).digest("hex");
}
