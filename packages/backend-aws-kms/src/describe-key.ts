import { type CallContext, isBackendError, type KeyRef } from "@basil/core";
import type { KmsKeyMetadata } from "./client.js";
import { incompleteAnswer } from "./errors.js";
import type { GuardedCalls } from "./guarded-calls.js";

export type DescribedKey = KmsKeyMetadata & { readonly Arn: string };

/** What KMS says of a key; undefined when there is none. `callOnce` may join a call that was under way already. */
export async function describeKey(
  calls: GuardedCalls,
  key: KeyRef,
  keyId: string,
  context: CallContext,
  how: "call" | "callOnce" = "call",
): Promise<DescribedKey | undefined> {
  try {
    const input = { KeyId: keyId };
    const asked =
      how === "call"
        ? calls.call("DescribeKey", key, input, context)
        : calls.callOnce("DescribeKey", key, input, context);
    const { output, requestId } = await asked;
    const metadata = output.KeyMetadata;
    if (typeof metadata?.Arn !== "string")
      throw incompleteAnswer({ action: "DescribeKey", key, keyId }, "KeyMetadata", requestId);
    return { ...metadata, Arn: metadata.Arn };
  } catch (error) {
    if (isBackendError(error) && error.code === "KEY_NOT_FOUND") return undefined;
    throw error;
  }
}
