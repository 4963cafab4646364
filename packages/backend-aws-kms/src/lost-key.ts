import { BackendError, type CallContext, isBackendError, type KeyRef } from "@basil/core";
import { type DescribedKey, describeKey } from "./describe-key.js";
import type { GuardedCalls } from "./guarded-calls.js";
import { mayHaveActed } from "./may-have-acted.js";

const PAGE = 1000;
const MOST_KEYS = 10_000;
const AT_ONCE = 8;

/**
 * True when KMS may have made a key although CreateKey failed: its answer was lost. False when KMS said that it did not,
 * or no byte of the request left.
 */
export function mayHaveCreated(error: BackendError): boolean {
  switch (error.code) {
    case "CANCELLED":
    case "DEADLINE_EXCEEDED":
    case "PROTOCOL":
      return true;
    case "UNAVAILABLE":
      return error.cause !== undefined && mayHaveActed(error.cause);
    default:
      return false;
  }
}

/** The same error with what the operator has to look for. */
export function lostKeyError(error: BackendError, description: string): BackendError {
  const search = `KMS may hold a key that nothing names; look for the Description "${description}"`;
  return new BackendError(error.code, `${error.message}; ${search}`, error.details, {
    cause: error,
    ...(error.backendRequestId !== undefined && { backendRequestId: error.backendRequestId }),
  });
}

/** The key with this Description, of the first 10,000; undefined when there is none or the identity may not ListKeys. */
export async function findByDescription(
  calls: GuardedCalls,
  key: KeyRef,
  description: string,
  context: CallContext,
): Promise<DescribedKey | undefined> {
  try {
    let marker: string | undefined;
    for (let seen = 0; seen < MOST_KEYS; seen += PAGE) {
      const { output } = await calls.call("ListKeys", key, { Limit: PAGE, ...(marker && { Marker: marker }) }, context);
      const arns = (output.Keys ?? []).flatMap(({ KeyArn }) => (KeyArn === undefined ? [] : [KeyArn]));
      const found = await firstDescribed(calls, key, arns, description, context);
      if (found || !output.Truncated || !output.NextMarker) return found;
      marker = output.NextMarker;
    }
  } catch (error) {
    if (!isBackendError(error) || error.code !== "ACCESS_DENIED") throw error;
  }
  return undefined;
}

async function firstDescribed(
  calls: GuardedCalls,
  key: KeyRef,
  arns: readonly string[],
  description: string,
  context: CallContext,
): Promise<DescribedKey | undefined> {
  for (let i = 0; i < arns.length; i += AT_ONCE) {
    const described = await Promise.all(
      arns.slice(i, i + AT_ONCE).map((arn) => describeUnlessDenied(calls, key, arn, context)),
    );
    const found = described.find((metadata) => metadata?.Description === description);
    if (found) return found;
  }
  return undefined;
}

/** Among all keys of an account there are some that are nobody's business here. */
async function describeUnlessDenied(calls: GuardedCalls, key: KeyRef, arn: string, context: CallContext) {
  try {
    return await describeKey(calls, key, arn, context);
  } catch (error) {
    if (isBackendError(error) && error.code === "ACCESS_DENIED") return undefined;
    throw error;
  }
}
