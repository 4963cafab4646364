import {
  BackendError,
  type CallContext,
  ecdsaRawToDer,
  isBackendError,
  type KeyRef,
  type VerifyResult,
} from "@basil/core";
import { requireSize, type SigningScheme, signingScheme } from "./capabilities.js";
import { incompleteAnswer } from "./errors.js";
import { isWrongSignature, throwIfStopped } from "./guarded-calls.js";
import { keyReference } from "./key-ref.js";
import type { Keyring } from "./keyring.js";
import { isWithinGrace, type KnownVersions } from "./known-versions.js";
import { verifyOffLoop } from "./local-verify.js";
import type { VerificationKey } from "./public-key.js";
import { toSign } from "./signing.js";
import { versionReference } from "./version-alias.js";

interface Claim {
  readonly key: KeyRef;
  readonly scheme: SigningScheme;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly context: CallContext;
}

/** Tries the newest version, then at most `graceVersions` older ones. */
export async function verify(
  on: Keyring,
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
  throwIfStopped(context);
  const claim: Claim = { key, scheme, message, signature, context };
  return on.verify === "local" ? verifyHere(on, claim) : verifyOnKms(on, claim);
}

async function verifyOnKms(on: Keyring, claim: Claim): Promise<VerifyResult> {
  const { key, context } = claim;
  const newest = await callVerify(on, claim, keyReference(key.path).keyId);
  if (newest.valid) {
    return { ...newest, keyVersion: await on.versions.answeredBy(key, newest.resource, context) };
  }
  // The refusal names no key. Somebody else may have rotated since this process looked last.
  const known = await on.versions.doubted(key, context);
  for (const version of versionsThatCount(known, on.graceVersions)) {
    const reference = versionReference(key.path, version);
    const older = reference === undefined ? undefined : await unlessGone(callVerify(on, claim, reference));
    if (older?.valid) return { ...older, keyVersion: version };
  }
  return { ...newest, keyVersion: known.current, resource: known.currentArn ?? newest.resource };
}

async function callVerify(
  on: Keyring,
  { key, scheme, message, signature, context }: Claim,
  keyId: string,
): Promise<Omit<VerifyResult, "keyVersion">> {
  const wire = scheme.hash ? ecdsaRawToDer(signature, key.keyType) : signature;
  try {
    const input = { KeyId: keyId, ...toSign(scheme, message), Signature: wire };
    const { output, requestId } = await on.calls.call("Verify", key, input, context);
    const missing = (member: string) => incompleteAnswer({ action: "Verify", key, keyId }, member, requestId);
    if (typeof output.SignatureValid !== "boolean") throw missing("SignatureValid");
    if (typeof output.KeyId !== "string") throw missing("KeyId");
    return {
      valid: output.SignatureValid,
      resource: output.KeyId,
      ...(requestId !== undefined && { backendRequestId: requestId }),
    };
  } catch (error) {
    if (!isBackendError(error) || !isWrongSignature(error)) throw error;
    const { backendRequestId } = error;
    return { valid: false, resource: keyId, ...(backendRequestId !== undefined && { backendRequestId }) };
  }
}

async function verifyHere(on: Keyring, claim: Claim): Promise<VerifyResult> {
  const { key, context } = claim;
  const newest = await on.publicKeys.newest(key, context);
  if (await holds(claim, newest)) return result(true, newest);
  // A signature by a key that another process rotated in must not be called wrong.
  const known = await on.versions.doubted(key, context);
  const fetched = await on.publicKeys.newest(key, context);
  if (fetched.resource !== newest.resource && (await holds(claim, fetched))) return result(true, fetched);
  for (const version of versionsThatCount(known, on.graceVersions)) {
    const older = await unlessGone(on.publicKeys.ofVersion(key, version, context));
    if (older && (await holds(claim, older))) return result(true, older);
  }
  return result(false, fetched);
}

/** A version that was disabled or deleted since the key was rotated holds no signature; the newest says so by failing. */
async function unlessGone<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (isBackendError(error) && (error.code === "KEY_UNUSABLE" || error.code === "KEY_NOT_FOUND")) return undefined;
    throw error;
  }
}

function holds({ key, message, signature }: Claim, { keyObject }: VerificationKey): Promise<boolean> {
  return verifyOffLoop(key.keyType, keyObject, message, signature);
}

function result(valid: boolean, { keyObject: _, ...from }: VerificationKey): VerifyResult {
  return { valid, ...from };
}

/**
 * The versions whose signatures still hold, the youngest first. The newest is among them under its own alias: for some
 * seconds after a rotation the main alias may lead to either key.
 */
function versionsThatCount({ current, arns, rotated }: KnownVersions, grace: number): number[] {
  if (!rotated) return [];
  return [...arns.keys()].filter((version) => isWithinGrace(version, current, grace)).sort((a, b) => b - a);
}
