import {
  BackendError,
  type CallContext,
  type CiphertextEnvelope,
  type DecryptResult,
  type EncryptResult,
  isBackendError,
  type KeyRef,
} from "@basil/core";
import { CIPHERTEXT_BYTES, plaintextRange, requireSize } from "./capabilities.js";
import { incompleteAnswer } from "./errors.js";
import { keyReference } from "./key-ref.js";
import type { Keyring } from "./keyring.js";
import type { KnownVersions } from "./known-versions.js";
import { versionReference } from "./version-alias.js";

/** The one pair of the encryption context; it binds the AAD, and CloudTrail shows it in the clear. */
const AAD_CONTEXT_KEY = "basil-aad";

export async function encrypt(
  on: Keyring,
  key: KeyRef,
  plaintext: Uint8Array,
  aad: Uint8Array | undefined,
  context: CallContext,
): Promise<EncryptResult> {
  requireSize("the plaintext", plaintext, plaintextRange(key, "encrypt"));
  const { keyId } = keyReference(key.path);
  const input = { KeyId: keyId, Plaintext: plaintext, ...encryptionContext(aad) };
  const { output, requestId } = await on.calls.call("Encrypt", key, input, context);
  const missing = (member: string) => incompleteAnswer({ action: "Encrypt", key, keyId }, member, requestId);
  if (!(output.CiphertextBlob instanceof Uint8Array)) throw missing("CiphertextBlob");
  if (typeof output.KeyId !== "string") throw missing("KeyId");
  return {
    envelope: {
      keyVersion: await on.versions.certainlyAnsweredBy(key, output.KeyId, context),
      nonce: new Uint8Array(0),
      ciphertext: Uint8Array.from(output.CiphertextBlob),
    },
    resource: output.KeyId,
    ...(requestId !== undefined && { backendRequestId: requestId }),
  };
}

/**
 * Names the key of the envelope's version, so that KMS opens nothing else. A version that is not there is one more way
 * for a ciphertext to be wrong. Version 0 is a client that sent none: the newest.
 */
export async function decrypt(
  on: Keyring,
  key: KeyRef,
  envelope: CiphertextEnvelope,
  aad: Uint8Array | undefined,
  context: CallContext,
): Promise<DecryptResult> {
  plaintextRange(key, "decrypt");
  requireSize("the ciphertext", envelope.ciphertext, CIPHERTEXT_BYTES);
  const reference = referenceOf(key, envelope, await on.versions.of(key, context));
  let refused = noSuchVersion(key, envelope);
  if (reference) {
    try {
      return await decryptWith(on, key, reference, envelope, aad, context);
    } catch (error) {
      if (!isBackendError(error) || error.code !== "DECRYPT_FAILED") throw error;
      refused = error;
    }
  }
  // Somebody else may have rotated since this process looked last.
  const again = referenceOf(key, envelope, await on.versions.doubted(key, context));
  if (!again || again.keyId === reference?.keyId) throw refused;
  return decryptWith(on, key, again, envelope, aad, context);
}

interface VersionedReference {
  readonly keyId: string;
  readonly version?: number;
}

function referenceOf(
  key: KeyRef,
  { keyVersion }: CiphertextEnvelope,
  known: KnownVersions,
): VersionedReference | undefined {
  const newest = { keyId: keyReference(key.path).keyId };
  if (keyVersion === 0) return newest;
  if (!known.rotated) return keyVersion === 1 ? newest : undefined;
  const keyId = known.arns.has(keyVersion) ? versionReference(key.path, keyVersion) : undefined;
  return keyId === undefined ? undefined : { keyId, version: keyVersion };
}

function noSuchVersion(key: KeyRef, { keyVersion }: CiphertextEnvelope): BackendError {
  return new BackendError("DECRYPT_FAILED", `key "${key.name}" (${key.path}) has no version ${keyVersion}`, {});
}

async function decryptWith(
  on: Keyring,
  key: KeyRef,
  { keyId, version }: VersionedReference,
  { ciphertext }: CiphertextEnvelope,
  aad: Uint8Array | undefined,
  context: CallContext,
): Promise<DecryptResult> {
  const input = { KeyId: keyId, CiphertextBlob: ciphertext, ...encryptionContext(aad) };
  const { output, requestId } = await on.calls.call("Decrypt", key, input, context);
  const missing = (member: string) => incompleteAnswer({ action: "Decrypt", key, keyId }, member, requestId);
  if (!(output.Plaintext instanceof Uint8Array)) throw missing("Plaintext");
  if (typeof output.KeyId !== "string") throw missing("KeyId");
  const plaintext = new Uint8Array(output.Plaintext);
  output.Plaintext.fill(0);
  return {
    plaintext,
    keyVersion: version ?? (await on.versions.answeredBy(key, output.KeyId, context)),
    resource: output.KeyId,
    ...(requestId !== undefined && { backendRequestId: requestId }),
  };
}

/** Absent AAD is no context at all; empty AAD is a context with an empty value. The two never open each other. */
function encryptionContext(aad: Uint8Array | undefined): { EncryptionContext?: Record<string, string> } {
  if (aad === undefined) return {};
  return { EncryptionContext: { [AAD_CONTEXT_KEY]: Buffer.from(aad).toString("base64") } };
}
