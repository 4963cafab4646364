import type { CallOptions, Client } from "@basil/client";
import { keyTypeOf, type SignatureFormat, type SshsigOptions } from "./signature-format.js";

/** The forms of a signature beside its message; a JWS holds its own. */
export type DetachedFormat = Exclude<SignatureFormat, "jws">;

export interface SignatureToVerify extends Pick<SshsigOptions, "namespace"> {
  readonly format: DetachedFormat;
  readonly message: Uint8Array;
  /** The armored text in UTF-8 for sshsig. */
  readonly signature: Uint8Array;
}

/** Whether the broker's key made it. @throws BackendError of core for a malformed signature. */
export async function verifyByBroker(
  client: Client,
  keyId: string,
  { format, message, signature, namespace }: SignatureToVerify,
  call: CallOptions,
): Promise<boolean> {
  if (format === "raw") return client.verify(keyId, message, signature, call);
  const core = await import("@basil/core");
  if (format === "der") {
    const keyType = await keyTypeOf(client, keyId, call);
    return client.verify(keyId, message, core.ecdsaDerToRaw(signature, keyType), call);
  }
  const parts = core.decodeSshsig(new TextDecoder().decode(signature));
  if (parts.namespace !== namespace) return false;
  return client.verify(keyId, core.sshsigSignedData(message, parts), parts.signature, call);
}

/** Whether this key made it. @param publicKey - SPKI DER. @throws BackendError of core for a malformed signature. */
export async function verifyHere(
  publicKey: Uint8Array,
  { format, message, signature, namespace = "" }: SignatureToVerify,
): Promise<boolean> {
  const { ecdsaDerToRaw, spkiKeyType, verifySignature, verifySshsig } = await import("@basil/core");
  if (format === "sshsig") {
    return verifySshsig({ signature: new TextDecoder().decode(signature), message, namespace, publicKey });
  }
  const keyType = spkiKeyType(publicKey);
  const raw = format === "der" ? ecdsaDerToRaw(signature, keyType) : signature;
  return verifySignature({ keyType, publicKey, message, signature: raw });
}
