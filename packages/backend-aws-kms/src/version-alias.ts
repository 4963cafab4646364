import { type CallContext, isBackendError, type KeyRef } from "@basil/core";
import { describeKey } from "./describe-key.js";
import type { GuardedCalls } from "./guarded-calls.js";
import { keyReference } from "./key-ref.js";
import { type KnownVersions, lastOfEachKey } from "./known-versions.js";

const MOST_VERSIONS = 1000;
/** An identity that may describe none of them is not asked about all of them. */
const MOST_DENIED = 3;

/** `alias/x/vN`, for an alias or an alias ARN; undefined where AWS names the key and there can be no version. */
export function versionReference(path: string, version: number): string | undefined {
  const { form, keyId } = keyReference(path);
  const named = form === "alias" || (form === "arn" && /^arn:[^:]+:kms:[^:]*:[^:]*:alias\//.test(keyId));
  return named ? `${keyId}/v${version}` : undefined;
}

/**
 * The ARNs behind `/v1`, `/v2`, … up to the first that is not there; those that are known already are not asked for again.
 * Old versions that a policy no longer lists are passed over, so that the newer ones keep their numbers.
 */
export async function versionArns(
  calls: GuardedCalls,
  key: KeyRef,
  before: KnownVersions | undefined,
  context: CallContext,
): Promise<ReadonlyMap<number, string>> {
  const arns = new Map(before?.rotated ? before.arns : []);
  let denied = 0;
  for (let version = Math.max(0, ...arns.keys()) + 1; version <= MOST_VERSIONS; version += 1) {
    const reference = versionReference(key.path, version);
    if (reference === undefined) break;
    const described = await describeVersion(calls, key, reference, context);
    denied = described === "denied" ? denied + 1 : 0;
    if (described === "absent" || denied === MOST_DENIED) break;
    if (described !== "denied") arns.set(version, described.arn);
  }
  return new Map(lastOfEachKey([...arns], ([, arn]) => arn));
}

async function describeVersion(
  calls: GuardedCalls,
  key: KeyRef,
  reference: string,
  context: CallContext,
): Promise<"absent" | "denied" | { readonly arn: string }> {
  try {
    const described = await describeKey(calls, key, reference, context);
    return described ? { arn: described.Arn } : "absent";
  } catch (error) {
    if (isBackendError(error) && error.code === "ACCESS_DENIED") return "denied";
    throw error;
  }
}
