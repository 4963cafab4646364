import { hash } from "node:crypto";
import { BackendError, type CallContext, ecdsaDerToRaw, type KeyRef, type SignResult } from "@basil/core";
import { requireSize, type SigningScheme, signingScheme } from "./capabilities.js";
import { incompleteAnswer } from "./errors.js";
import { keyReference } from "./key-ref.js";
import type { Keyring } from "./keyring.js";

export async function sign(on: Keyring, key: KeyRef, message: Uint8Array, context: CallContext): Promise<SignResult> {
  const scheme = signingScheme(key, "sign");
  requireSize("the message", message, scheme.message);
  const { keyId } = keyReference(key.path);
  const { output, requestId } = await on.calls.call("Sign", key, { KeyId: keyId, ...toSign(scheme, message) }, context);
  const missing = (member: string) => incompleteAnswer({ action: "Sign", key, keyId }, member, requestId);
  if (!(output.Signature instanceof Uint8Array)) throw missing("Signature");
  if (typeof output.KeyId !== "string") throw missing("KeyId");
  return {
    signature: rawSignature(output.Signature, key, scheme, requestId),
    keyVersion: await on.versions.answeredBy(key, output.KeyId, context),
    resource: output.KeyId,
    ...(requestId !== undefined && { backendRequestId: requestId }),
  };
}

/** KMS caps a RAW message at 4,096 bytes, so ECDSA is hashed here; pure Ed25519 signs the message itself (RFC 8032 §5.1.6). */
export function toSign(scheme: SigningScheme, message: Uint8Array) {
  return {
    Message: scheme.hash ? new Uint8Array(hash(scheme.hash, message, "buffer")) : message,
    MessageType: scheme.messageType,
    SigningAlgorithm: scheme.algorithm,
  };
}

/** What KMS answers, as the contract has it. @throws {@link BackendError} `PROTOCOL` for what is no signature of the key's type. */
function rawSignature(
  signature: Uint8Array,
  key: KeyRef,
  scheme: SigningScheme,
  requestId: string | undefined,
): Uint8Array {
  const unreadable = (what: string, cause?: unknown) =>
    new BackendError(
      "PROTOCOL",
      `kms:Sign for key "${key.name}" answered with ${what}`,
      {},
      { ...(cause !== undefined && { cause }), ...(requestId !== undefined && { backendRequestId: requestId }) },
    );
  if (scheme.hash) {
    try {
      return ecdsaDerToRaw(signature, key.keyType);
    } catch (cause) {
      throw unreadable("a signature that is not DER of its curve", cause);
    }
  }
  if (signature.length !== scheme.signatureBytes) throw unreadable(`a signature of ${signature.length} bytes`);
  return Uint8Array.from(signature);
}
