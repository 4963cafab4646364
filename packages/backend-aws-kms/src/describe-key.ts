import { type CallContext, isBackendError, type KeyRef } from "@basil/core";
import type { KmsKeyMetadata } from "./client.js";
import { incompleteAnswer } from "./errors.js";
import type { GuardedCalls } from "./guarded-calls.js";

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
