import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { BackendError, type CallContext, type CreateKeyResult, isBackendError, type KeyRef } from "@basil/core";
import { onKms } from "./capabilities.js";
import { describeKey } from "./describe-key.js";
import { incompleteAnswer } from "./errors.js";
import { type GuardedCalls, throwIfStopped } from "./guarded-calls.js";
import { creatableAlias } from "./key-ref.js";
import type { Keyring } from "./keyring.js";

export interface ProvisioningOptions {
  /** How long a new key or alias may take to be seen everywhere in the region, in milliseconds. */
  readonly propagationTimeoutMs: number;
}

/** Between two looks for a key that was just made. KMS allows 2,000 DescribeKey and 5 CreateAlias a second. */
const PROPAGATION_PAUSE_MS = 250;

/**
 * CreateKey, CreateAlias, then a look through the alias: when this returns, the key answers at `key.path`.
 *
 * @throws {@link BackendError} `KEY_EXISTS` when the alias is there before CreateKey, or when somebody else took it
 *   in between; then the message names the key that was made and has no alias.
 */
export async function createKey(
  on: Keyring,
  key: KeyRef,
  context: CallContext,
  options: ProvisioningOptions,
): Promise<CreateKeyResult> {
  const { calls } = on;
  const { spec, usage, signing } = onKms(key);
  const alias = creatableAlias(key.path);
  const there = await describeKey(calls, key, alias, context);
  if (there) throw exists(key, alias, there.Arn);

  const description = `Basil ${key.keyType} key at ${key.path} run ${randomUUID()}`;
  const { output, requestId } = await calls.call(
    "CreateKey",
    key,
    { KeySpec: spec, KeyUsage: usage, Description: description },
    context,
  );
  const arn = output.KeyMetadata?.Arn;
  if (!arn) throw incompleteAnswer({ action: "CreateKey", key }, "KeyMetadata", requestId);

  await pointAlias(calls, key, alias, arn, context, options);
  if (signing) {
    const created = await oncePropagated(context, options, () => on.publicKeys.get(key, context));
    return {
      keyVersion: 1,
      publicKey: created.publicKey,
      resource: arn,
      ...(requestId && { backendRequestId: requestId }),
    };
  }
  await oncePropagated(context, options, async () => {
    if (!(await describeKey(calls, key, alias, context))) throw notYetSeen(key, alias);
  });
  return { keyVersion: 1, resource: arn, ...(requestId && { backendRequestId: requestId }) };
}

async function pointAlias(
  calls: GuardedCalls,
  key: KeyRef,
  alias: string,
  arn: string,
  context: CallContext,
  options: ProvisioningOptions,
): Promise<void> {
  const target = arn.slice(arn.lastIndexOf("/") + 1);
  try {
    await oncePropagated(context, options, () =>
      calls.call("CreateAlias", key, { AliasName: alias, TargetKeyId: target }, context),
    );
  } catch (error) {
    if (!isBackendError(error)) throw error;
    if (error.code === "KEY_EXISTS") {
      // Ours, when the answer to a first CreateAlias was lost and a second was sent; somebody else's otherwise.
      const holder = await describeKey(calls, key, alias, context);
      if (holder?.Arn === arn) return;
      throw exists(key, alias, holder?.Arn ?? "another key", arn);
    }
    throw new BackendError(error.code, `${error.message}; key ${arn} was created and has no alias yet`, error.details, {
      cause: error,
      ...(error.backendRequestId !== undefined && { backendRequestId: error.backendRequestId }),
    });
  }
}

/** KMS is eventually consistent: what was just made may be NotFound for some seconds. */
async function oncePropagated<T>(
  context: CallContext,
  options: ProvisioningOptions,
  look: () => Promise<T>,
): Promise<T> {
  const until = Date.now() + options.propagationTimeoutMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (!isBackendError(error) || error.code !== "KEY_NOT_FOUND" || Date.now() >= until) throw error;
    }
    await sleep(PROPAGATION_PAUSE_MS, undefined, { signal: context.signal }).catch(() => throwIfStopped(context));
    throwIfStopped(context);
  }
}

function exists(key: KeyRef, alias: string, holder: string, orphan?: string): BackendError {
  const lost =
    orphan === undefined ? "" : `; key ${orphan} was created for it and has no alias: delete it, or give it one`;
  return new BackendError("KEY_EXISTS", `${alias} for key "${key.name}" is already at ${holder}${lost}`, {
    key: key.name,
  });
}

function notYetSeen(key: KeyRef, alias: string): BackendError {
  return new BackendError("KEY_NOT_FOUND", `${alias} for key "${key.name}" is not seen yet`, { key: key.name });
}
