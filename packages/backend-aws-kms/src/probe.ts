import { type CallContext, isBackendError, type KeyProbe, type KeyRef } from "@basil/core";
import { onKms } from "./capabilities.js";
import type { KmsKeyMetadata } from "./client.js";
import { incompleteAnswer } from "./errors.js";
import type { GuardedCalls } from "./guarded-calls.js";
import { keyReference } from "./key-ref.js";

/** DescribeKey and nothing else: it works in every key state and reads no key material. */
export async function probe(calls: GuardedCalls, key: KeyRef, context: CallContext): Promise<KeyProbe> {
  onKms(key);
  const metadata = await describeKey(calls, key, keyReference(key.path).keyId, context);
  if (metadata === undefined) return { state: "absent" };
  const reason = whyUnusable(key, metadata);
  if (reason !== undefined) return { state: "unusable", reason, resource: metadata.Arn };
  return { state: "present", latestVersion: 1, resource: metadata.Arn, keyType: key.keyType };
}

export type DescribedKey = KmsKeyMetadata & { readonly Arn: string };

/** What KMS says of a key; undefined when there is none. */
export async function describeKey(
  calls: GuardedCalls,
  key: KeyRef,
  keyId: string,
  context: CallContext,
): Promise<DescribedKey | undefined> {
  try {
    const { output, requestId } = await calls.callOnce("DescribeKey", key, { KeyId: keyId }, context);
    const metadata = output.KeyMetadata;
    if (!metadata?.Arn) throw incompleteAnswer({ action: "DescribeKey", key, keyId }, "KeyMetadata", requestId);
    return { ...metadata, Arn: metadata.Arn };
  } catch (error) {
    if (isBackendError(error) && error.code === "KEY_NOT_FOUND") return undefined;
    throw error;
  }
}

/** Why a key that is there cannot serve as `key.keyType`; undefined when it can. */
export function whyUnusable(key: KeyRef, metadata: KmsKeyMetadata): string | undefined {
  const { spec, usage } = onKms(key);
  if (metadata.KeySpec !== spec) return `its KeySpec is ${metadata.KeySpec}, ${key.keyType} needs ${spec}`;
  if (metadata.KeyUsage !== usage) return `its KeyUsage is ${metadata.KeyUsage}, ${key.keyType} needs ${usage}`;
  // Updating: a change of the primary region is under way; every cryptographic operation goes on.
  if (metadata.KeyState === "Enabled" || metadata.KeyState === "Updating") return undefined;
  return `its KeyState is ${metadata.KeyState}, it must be Enabled`;
}
