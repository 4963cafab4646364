import type { CallContext, CiphertextEnvelope, DecryptResult, EncryptResult, KeyRef } from "@basil/core";
import { CIPHERTEXT_BYTES, plaintextRange, requireSize } from "./capabilities.js";
import { incompleteAnswer } from "./errors.js";
import type { GuardedCalls } from "./guarded-calls.js";
import { keyReference } from "./key-ref.js";

/** The one pair of the encryption context; it binds the AAD, and CloudTrail shows it in the clear. */
const AAD_CONTEXT_KEY = "basil-aad";

export async function encrypt(
  calls: GuardedCalls,
  key: KeyRef,
  plaintext: Uint8Array,
  aad: Uint8Array | undefined,
  context: CallContext,
): Promise<EncryptResult> {
  requireSize("the plaintext", plaintext, plaintextRange(key, "encrypt"));
  const { keyId } = keyReference(key.path);
  const { output, requestId } = await calls.call(
    "Encrypt",
    key,
    { KeyId: keyId, Plaintext: plaintext, ...encryptionContext(aad) },
    context,
  );
  if (!output.CiphertextBlob) throw incompleteAnswer({ action: "Encrypt", key, keyId }, "CiphertextBlob", requestId);
  return {
    envelope: { keyVersion: 1, nonce: new Uint8Array(0), ciphertext: Uint8Array.from(output.CiphertextBlob) },
    resource: output.KeyId ?? keyId,
    ...(requestId !== undefined && { backendRequestId: requestId }),
  };
}

export async function decrypt(
  calls: GuardedCalls,
  key: KeyRef,
  envelope: CiphertextEnvelope,
  aad: Uint8Array | undefined,
  context: CallContext,
): Promise<DecryptResult> {
  plaintextRange(key, "decrypt");
  requireSize("the ciphertext", envelope.ciphertext, CIPHERTEXT_BYTES);
  const { keyId } = keyReference(key.path);
  const { output, requestId } = await calls.call(
    "Decrypt",
    key,
    { KeyId: keyId, CiphertextBlob: envelope.ciphertext, ...encryptionContext(aad) },
    context,
  );
  if (!output.Plaintext) throw incompleteAnswer({ action: "Decrypt", key, keyId }, "Plaintext", requestId);
  return {
    plaintext: Uint8Array.from(output.Plaintext),
    keyVersion: 1,
    resource: output.KeyId ?? keyId,
    ...(requestId !== undefined && { backendRequestId: requestId }),
  };
}

/** Absent AAD is no context at all; empty AAD is a context with an empty value. The two never open each other. */
function encryptionContext(aad: Uint8Array | undefined): { EncryptionContext?: Record<string, string> } {
  if (aad === undefined) return {};
  return { EncryptionContext: { [AAD_CONTEXT_KEY]: Buffer.from(aad).toString("base64") } };
}
