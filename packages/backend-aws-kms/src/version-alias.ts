import { type CallContext, isBackendError, type KeyRef } from "@basil/core";
import { describeKey } from "./describe-key.js";
import type { GuardedCalls } from "./guarded-calls.js";
import { keyReference } from "./key-ref.js";
import type { KnownVersions } from "./known-versions.js";

const MOST_VERSIONS = 1000;

/** `alias/x/vN`, for an alias or an alias ARN; undefined where AWS names the key and there can be no version. */
export function versionReference(path: string, version: number): string | undefined {
  const { form, keyId } = keyReference(path);
  const named = form === "alias" || (form === "arn" && /^arn:[^:]+:kms:[^:]*:[^:]*:alias\//.test(keyId));
  return named ? `${keyId}/v${version}` : undefined;
}

/** The ARNs behind `/v1`, `/v2`, … up to the first that is not there; those that are known already are not asked for again. */
export async function versionArns(
  calls: GuardedCalls,
  key: KeyRef,
  before: KnownVersions | undefined,
  context: CallContext,
): Promise<ReadonlyMap<number, string>> {
  const arns = new Map(before?.rotated ? before.arns : []);
  for (let version = arns.size + 1; version <= MOST_VERSIONS; version += 1) {
    const reference = versionReference(key.path, version);
    if (reference === undefined) break;
    const described = await describeVersion(calls, key, reference, context);
    if (described === undefined) break;
    arns.set(version, described);
  }
  return arns;
}

/** A version alias that the identity may not describe is as good as none. */
async function describeVersion(
  calls: GuardedCalls,
  key: KeyRef,
  reference: string,
  context: CallContext,
): Promise<string | undefined> {
  try {
    return (await describeKey(calls, key, reference, context))?.Arn;
  } catch (error) {
    if (isBackendError(error) && error.code === "ACCESS_DENIED") return undefined;
    throw error;
  }
}
