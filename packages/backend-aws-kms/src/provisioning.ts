import {
  BackendError,
  type BackendLogger,
  type CallContext,
  type CreateKeyResult,
  isBackendError,
  type KeyRef,
} from "@basil/core";
import { onKms } from "./capabilities.js";
import { describeKey } from "./describe-key.js";
import { incompleteAnswer } from "./errors.js";
import { throwIfStopped } from "./guarded-calls.js";
import type { ProvisioningJournal } from "./journal.js";
import { creatableAlias } from "./key-ref.js";
import type { Keyring } from "./keyring.js";
import { findByDescription, lostKeyError, mayHaveCreated } from "./lost-key.js";
import { whyUnusable } from "./probe.js";
import { oncePropagated } from "./propagation.js";

export interface ProvisioningOptions {
  /** How long a new key or alias may take to be seen everywhere in the region, in milliseconds. */
  readonly propagationTimeoutMs: number;
  /** Part of every Description, so that the keys of one run can be found. */
  readonly runId: string;
  readonly journal?: ProvisioningJournal;
  /** Tags for CreateKey, which then needs `kms:TagResource` besides. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly logger?: BackendLogger;
}

export interface NewKey {
  readonly arn: string;
  /** Of CreateKey; absent when the key was taken over from an earlier run. */
  readonly requestId?: string;
}

/**
 * CreateKey, CreateAlias, then a look through the alias: when this returns, the key answers at `key.path`. What an
 * earlier run left in the journal is brought to its end instead of made again.
 *
 * @throws {@link BackendError} `KEY_EXISTS` when the alias is there before CreateKey, or when somebody else took it in
 *   between; then the message names the key that was made and has no alias.
 */
export async function createKey(
  on: Keyring,
  key: KeyRef,
  context: CallContext,
  options: ProvisioningOptions,
): Promise<CreateKeyResult> {
  const { signing } = onKms(key);
  const alias = creatableAlias(key.path);
  const { arn, requestId } = await keyAtAlias(on, key, alias, context, options);
  const result = { keyVersion: 1, resource: arn, ...(requestId !== undefined && { backendRequestId: requestId }) };
  if (!signing) return result;
  const publicKey = await oncePropagated(context, options.propagationTimeoutMs, () =>
    on.publicKeys.ofNew(key, arn, context),
  );
  return { ...result, publicKey };
}

/** A new key at a new alias, seen there. @throws {@link BackendError} as {@link createKey}. */
export async function keyAtAlias(
  on: Keyring,
  key: KeyRef,
  alias: string,
  context: CallContext,
  options: ProvisioningOptions,
): Promise<NewKey> {
  const left = await keyLeftBehind(on, key, alias, context, options);
  const there = await describeKey(on.calls, key, alias, context);
  if (there && there.Arn !== left?.arn) {
    if (left) await reportOrphan(alias, left.arn, there.Arn, options);
    throw exists(key, alias, there.Arn, left?.arn);
  }
  const made = left ?? (await create(on, key, alias, context, options));
  if (!there) await pointAlias(on, key, alias, made.arn, context, options);
  await oncePropagated(context, options.propagationTimeoutMs, async () => {
    const seen = await describeKey(on.calls, key, alias, context);
    if (!seen) throw new BackendError("KEY_NOT_FOUND", `${alias} for key "${key.name}" is not seen`, { key: key.name });
  });
  await options.journal?.settled(alias);
  return made;
}

/** What an earlier run made and did not bring to its alias, when it still serves. */
async function keyLeftBehind(
  on: Keyring,
  key: KeyRef,
  alias: string,
  context: CallContext,
  { journal, logger, propagationTimeoutMs }: ProvisioningOptions,
): Promise<NewKey | undefined> {
  const unsettled = await journal?.unsettled(alias);
  if (!unsettled) return undefined;
  const { arn, description } = unsettled;
  const found = arn
    ? await describeOncePropagated(on, key, arn, context, propagationTimeoutMs)
    : await findByDescription(on.calls, key, description, context);
  const fields = { key: key.name, alias, description, ...(arn !== undefined && { arn }) };
  if (!found) {
    logger?.warn(fields, "an earlier run may have left a key that nothing names; look for its Description");
    return undefined;
  }
  const reason = whyUnusable(key, found);
  if (reason === undefined) return { arn: found.Arn };
  logger?.warn(
    { ...fields, arn: found.Arn, reason },
    "an earlier run left a key that cannot be used; a new one is made",
  );
  return undefined;
}

/** KMS has answered CreateKey with this ARN once, so NotFound is a lag, unless it lasts. */
async function describeOncePropagated(on: Keyring, key: KeyRef, arn: string, context: CallContext, timeoutMs: number) {
  try {
    return await oncePropagated(context, timeoutMs, async () => {
      const metadata = await describeKey(on.calls, key, arn, context);
      if (!metadata) throw new BackendError("KEY_NOT_FOUND", `${arn} is not seen`, { key: key.name });
      return metadata;
    });
  } catch (error) {
    if (isBackendError(error) && error.code === "KEY_NOT_FOUND") return undefined;
    throw error;
  }
}

async function create(
  on: Keyring,
  key: KeyRef,
  alias: string,
  context: CallContext,
  { runId, tags, journal, logger }: ProvisioningOptions,
): Promise<NewKey> {
  const { spec, usage } = onKms(key);
  const description = `Basil ${key.keyType} key ${key.name} at ${key.path} for ${alias}, run ${runId}`;
  throwIfStopped(context);
  await journal?.creating(alias, description);
  const input = {
    KeySpec: spec,
    KeyUsage: usage,
    Description: description,
    ...(tags && { Tags: Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })) }),
  };
  try {
    const { output, requestId } = await on.calls.call("CreateKey", key, input, context);
    const arn = output.KeyMetadata?.Arn;
    if (!arn) throw incompleteAnswer({ action: "CreateKey", key }, "KeyMetadata", requestId);
    await journal?.created(alias, arn);
    return { arn, ...(requestId !== undefined && { requestId }) };
  } catch (error) {
    if (!isBackendError(error)) throw error;
    if (!mayHaveCreated(error)) {
      await journal?.settled(alias);
      throw error;
    }
    logger?.error({ key: key.name, alias, description }, "the answer to CreateKey was lost");
    const found = await findByDescription(on.calls, key, description, context).catch(() => undefined);
    if (!found) throw lostKeyError(error, description);
    await journal?.created(alias, found.Arn);
    return { arn: found.Arn };
  }
}

async function pointAlias(
  on: Keyring,
  key: KeyRef,
  alias: string,
  arn: string,
  context: CallContext,
  options: ProvisioningOptions,
): Promise<void> {
  const input = { AliasName: alias, TargetKeyId: keyIdOf(arn) };
  try {
    await oncePropagated(context, options.propagationTimeoutMs, () =>
      on.calls.call("CreateAlias", key, input, context),
    );
  } catch (error) {
    if (!isBackendError(error)) throw error;
    if (error.code === "KEY_EXISTS") {
      // Ours, when the answer to a first CreateAlias was lost and a second was sent; somebody else's otherwise.
      const holder = await describeKey(on.calls, key, alias, context);
      if (holder?.Arn === arn) return;
      await reportOrphan(alias, arn, holder?.Arn ?? "another key", options);
      throw exists(key, alias, holder?.Arn ?? "another key", arn);
    }
    throw new BackendError(error.code, `${error.message}; key ${arn} was created and has no alias yet`, error.details, {
      cause: error,
      ...(error.backendRequestId !== undefined && { backendRequestId: error.backendRequestId }),
    });
  }
}

/** The last segment of a key ARN: CreateAlias and UpdateAlias take it in place of the ARN. */
export function keyIdOf(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}

async function reportOrphan(alias: string, arn: string, holder: string, { journal, logger }: ProvisioningOptions) {
  logger?.warn(
    { alias, arn, holder },
    "a key was made and has no alias, for another took it: delete it, or give it one",
  );
  await journal?.settled(alias);
}

function exists(key: KeyRef, alias: string, holder: string, orphan: string | undefined): BackendError {
  const lost =
    orphan === undefined ? "" : `; key ${orphan} was made for it and has no alias: delete it, or give it one`;
  return new BackendError("KEY_EXISTS", `${alias} for key "${key.name}" is already at ${holder}${lost}`, {
    key: key.name,
  });
}
