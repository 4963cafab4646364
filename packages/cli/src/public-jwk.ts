import type { KeyTypeName } from "@basil/client";

/** A public key of the broker as JWK; `kid` is its thumbprint (RFC 7638), so that the same key has the same id everywhere. */
export async function publicJwk(raw: Uint8Array, keyType: KeyTypeName): Promise<object> {
  const { rawToSpki, spkiToJwk } = await import("@basil/core");
  const { calculateJwkThumbprint } = await import("jose");
  const jwk = spkiToJwk(rawToSpki(raw, keyType), keyType);
  return { ...jwk, use: "sig", kid: await calculateJwkThumbprint({ ...jwk }) };
}
