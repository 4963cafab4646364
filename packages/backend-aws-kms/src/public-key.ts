import { BackendError, type CallContext, type KeyRef, type PublicKeyResult, spkiKeyType } from "@basil/core";
import { onKms, signingScheme } from "./capabilities.js";
import { incompleteAnswer } from "./errors.js";
import type { GuardedCalls } from "./guarded-calls.js";
import { keyReference } from "./key-ref.js";

export async function publicKey(
  calls: GuardedCalls,
  key: KeyRef,
  context: CallContext,
  keyId: string = keyReference(key.path).keyId,
): Promise<PublicKeyResult> {
  signingScheme(key, "publicKey");
  const { output, requestId } = await calls.callOnce("GetPublicKey", key, { KeyId: keyId }, context);
  const fromKms = requestId === undefined ? {} : { backendRequestId: requestId };
  if (!output.PublicKey) throw incompleteAnswer({ action: "GetPublicKey", key, keyId }, "PublicKey", requestId);
  const { spec, usage } = onKms(key);
  if (output.KeySpec !== spec || output.KeyUsage !== usage) {
    const reason = `it is ${output.KeySpec} for ${output.KeyUsage}, ${key.keyType} needs ${spec} for ${usage}`;
    throw new BackendError(
      "KEY_UNUSABLE",
      `key "${key.name}" (${keyId}): ${reason}`,
      { key: key.name, reason },
      fromKms,
    );
  }
  return {
    publicKey: asSpki(output.PublicKey, key, fromKms),
    keyType: key.keyType,
    keyVersion: 1,
    resource: output.KeyId ?? keyId,
    ...fromKms,
  };
}

function asSpki(der: Uint8Array, key: KeyRef, fromKms: { backendRequestId?: string }): Uint8Array {
  const refuse = (what: string, cause?: unknown) =>
    new BackendError(
      "PROTOCOL",
      `kms:GetPublicKey for key "${key.name}" answered with ${what}`,
      {},
      { ...fromKms, ...(cause !== undefined && { cause }) },
    );
  let keyType: string;
  try {
    keyType = spkiKeyType(der);
  } catch (cause) {
    throw refuse("what is not a public key in SPKI DER", cause);
  }
  if (keyType !== key.keyType) throw refuse(`a public key of ${keyType}`);
  return Uint8Array.from(der);
}
