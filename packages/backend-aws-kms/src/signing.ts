import { createHash } from "node:crypto";
import {
  BackendError,
  type CallContext,
  ecdsaDerToRaw,
  ecdsaRawToDer,
  isBackendError,
  type KeyRef,
  type SignResult,
  type VerifyResult,
} from "@basil/core";
import { requireSize, type SigningScheme, signingScheme } from "./capabilities.js";
import { incompleteAnswer } from "./errors.js";
import { type GuardedCalls, isWrongSignature } from "./guarded-calls.js";
import { keyReference } from "./key-ref.js";

export async function sign(
  calls: GuardedCalls,
  key: KeyRef,
  message: Uint8Array,
  context: CallContext,
): Promise<SignResult> {
  const scheme = signingScheme(key, "sign");
  requireSize("the message", message, scheme.message);
  const { keyId } = keyReference(key.path);
  const { output, requestId } = await calls.call("Sign", key, { KeyId: keyId, ...toSign(scheme, message) }, context);
  if (!output.Signature) throw incompleteAnswer({ action: "Sign", key, keyId }, "Signature", requestId);
  return {
    signature: scheme.hash
      ? fromDer(output.Signature, key, requestId)
      : exactly(output.Signature, key, scheme, requestId),
    keyVersion: 1,
    resource: output.KeyId ?? keyId,
    ...(requestId !== undefined && { backendRequestId: requestId }),
  };
}

export async function verify(
  calls: GuardedCalls,
  key: KeyRef,
  message: Uint8Array,
  signature: Uint8Array,
  context: CallContext,
): Promise<VerifyResult> {
  const scheme = signingScheme(key, "verify");
  requireSize("the message", message, scheme.message);
  if (signature.length !== scheme.signatureBytes) {
    throw new BackendError(
      "SIGNATURE_MALFORMED",
      `a raw ${key.keyType} signature has ${scheme.signatureBytes} bytes, found ${signature.length}`,
      { keyType: key.keyType },
    );
  }
  const { keyId } = keyReference(key.path);
  const wire = scheme.hash ? ecdsaRawToDer(signature, key.keyType) : signature;
  try {
    const { output, requestId } = await calls.call(
      "Verify",
      key,
      { KeyId: keyId, ...toSign(scheme, message), Signature: wire },
      context,
    );
    if (output.SignatureValid === undefined) {
      throw incompleteAnswer({ action: "Verify", key, keyId }, "SignatureValid", requestId);
    }
    return {
      valid: output.SignatureValid,
      keyVersion: 1,
      resource: output.KeyId ?? keyId,
      ...(requestId !== undefined && { backendRequestId: requestId }),
    };
  } catch (error) {
    if (!isBackendError(error) || !isWrongSignature(error)) throw error;
    return {
      valid: false,
      keyVersion: 1,
      resource: keyId,
      ...(error.backendRequestId !== undefined && { backendRequestId: error.backendRequestId }),
    };
  }
}

/** KMS caps a RAW message at 4,096 bytes, so ECDSA is hashed here; pure Ed25519 signs the message itself (RFC 8032 §5.1.6). */
function toSign(scheme: SigningScheme, message: Uint8Array) {
  return {
    Message: scheme.hash ? new Uint8Array(createHash(scheme.hash).update(message).digest()) : message,
    MessageType: scheme.messageType,
    SigningAlgorithm: scheme.algorithm,
  };
}

function fromDer(der: Uint8Array, key: KeyRef, requestId: string | undefined): Uint8Array {
  try {
    return ecdsaDerToRaw(der, key.keyType);
  } catch (cause) {
    throw unreadable(key, "a signature that is not DER of its curve", requestId, cause);
  }
}

function exactly(signature: Uint8Array, key: KeyRef, scheme: SigningScheme, requestId: string | undefined): Uint8Array {
  if (signature.length === scheme.signatureBytes) return Uint8Array.from(signature);
  throw unreadable(key, `a signature of ${signature.length} bytes`, requestId);
}

function unreadable(key: KeyRef, what: string, requestId: string | undefined, cause?: unknown): BackendError {
  return new BackendError(
    "PROTOCOL",
    `kms:Sign for key "${key.name}" answered with ${what}`,
    {},
    { ...(cause !== undefined && { cause }), ...(requestId !== undefined && { backendRequestId: requestId }) },
  );
}
