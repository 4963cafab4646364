import { randomBytes } from "node:crypto";
import { BackendError, type CallContext, isBackendError, type KeyRef, type RotateResult } from "@basil/core";
import { onKms } from "./capabilities.js";
import { describeKey } from "./describe-key.js";
import { incompleteAnswer } from "./errors.js";
import { creatableAlias } from "./key-ref.js";
import type { Keyring } from "./keyring.js";
import { type KnownVersions, versionOf } from "./known-versions.js";
import { whyUnusable } from "./probe.js";
import { oncePropagated } from "./propagation.js";
import { keyAtAlias, keyIdOf, type ProvisioningOptions } from "./provisioning.js";
import { toSign } from "./signing.js";

/** A rotation just before its one step that others see. */
export interface RotationPlan {
  readonly key: string;
  /** The alias that is about to move. */
  readonly alias: string;
  readonly previousArn: string;
  /** The new key. */
  readonly arn: string;
  /** The new key's. */
  readonly version: number;
  /** The line that a runtime policy with listed ARNs needs under `Resource` before the alias moves. */
  readonly policyResource: string;
}

export interface RotationOptions extends ProvisioningOptions {
  /** Called before the alias moves; false leaves the new key as a version that a later run goes on with. */
  readonly confirmRotation?: (plan: RotationPlan) => boolean | Promise<boolean>;
}

/**
 * A new key, its `/vN` alias, a real use of it by ARN, and the main alias moved last. The old key keeps its own `/vN`
 * alias. Interrupted anywhere after CreateKey, the next run goes on from there.
 *
 * @throws {@link BackendError} `INVALID_REQUEST` for a path that is no alias; `KEY_NOT_FOUND`, `KEY_UNUSABLE` for what
 *   is there now; `UNSUPPORTED` when the identity may not create keys or move aliases; `CANCELLED` when not confirmed.
 */
export async function rotate(
  on: Keyring,
  key: KeyRef,
  context: CallContext,
  options: RotationOptions,
): Promise<RotateResult> {
  const plan = await prepareRotation(on, key, context, options);
  options.logger?.info({ ...plan }, "the alias is about to move to the new key");
  if (options.confirmRotation && !(await options.confirmRotation(plan))) {
    const left = `${plan.arn} stays at ${plan.alias}/v${plan.version} for a later run`;
    throw new BackendError("CANCELLED", `not confirmed; ${left}`, {});
  }
  return asRotator(() => moveAlias(on, key, plan, context, options));
}

/** Everything of {@link rotate} but the move: the new key is there, named and proved, and nobody uses it yet. */
export function prepareRotation(
  on: Keyring,
  key: KeyRef,
  context: CallContext,
  options: ProvisioningOptions,
): Promise<RotationPlan> {
  onKms(key);
  const alias = creatableAlias(key.path);
  return asRotator(async () => {
    const { arn: previousArn, known } = await inUse(on, key, alias, context);
    const next = await nextVersion(on, key, alias, previousArn, known, context, options);
    await oncePropagated(context, options.propagationTimeoutMs, () => proveUsable(on, key, next.arn, context));
    return planOf(key, alias, previousArn, next);
  });
}

/** What an earlier {@link prepareRotation} left to be moved to; undefined when there is nothing. Makes nothing. */
export async function preparedRotation(
  on: Keyring,
  key: KeyRef,
  context: CallContext,
): Promise<RotationPlan | undefined> {
  onKms(key);
  const alias = creatableAlias(key.path);
  const { arn, known } = await inUse(on, key, alias, context);
  const left = leftToMoveTo(arn, known);
  return left && planOf(key, alias, arn, left);
}

/**
 * The last step of {@link rotate} for what {@link prepareRotation} made, after another proof of it.
 *
 * @throws {@link BackendError} `KEY_NOT_FOUND` when nothing is prepared; else as {@link rotate}.
 */
export async function commitRotation(
  on: Keyring,
  key: KeyRef,
  context: CallContext,
  options: ProvisioningOptions,
): Promise<RotateResult> {
  const plan = await preparedRotation(on, key, context);
  if (!plan) {
    throw new BackendError("KEY_NOT_FOUND", `no new version of key "${key.name}" is prepared`, { key: key.name });
  }
  return asRotator(async () => {
    await proveUsable(on, key, plan.arn, context);
    return moveAlias(on, key, plan, context, options);
  });
}

function planOf(
  key: KeyRef,
  alias: string,
  previousArn: string,
  { arn, version }: { readonly arn: string; readonly version: number },
): RotationPlan {
  return { key: key.name, alias, previousArn, arn, version, policyResource: `"${arn}"` };
}

async function asRotator<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isBackendError(error) || error.code !== "ACCESS_DENIED" || !ROTATOR_ACTIONS.has(error.details.action)) {
      throw error;
    }
    const message = `this identity cannot rotate: ${error.message}`;
    throw new BackendError("UNSUPPORTED", message, { operation: "rotate" }, { cause: error });
  }
}

/** What only a rotator may do. */
const ROTATOR_ACTIONS: ReadonlySet<string> = new Set(["kms:CreateKey", "kms:CreateAlias", "kms:UpdateAlias"]);

/** The key that is at the alias now, and the versions that are known. */
async function inUse(on: Keyring, key: KeyRef, alias: string, context: CallContext) {
  const current = await describeKey(on.calls, key, alias, context);
  if (!current) {
    throw new BackendError("KEY_NOT_FOUND", `no key is at ${alias} to rotate for "${key.name}"`, { key: key.name });
  }
  const reason = whyUnusable(key, current);
  if (reason !== undefined) {
    throw new BackendError("KEY_UNUSABLE", `key "${key.name}" (${current.Arn}): ${reason}`, { key: key.name, reason });
  }
  return { arn: current.Arn, known: await on.versions.look(key, context) };
}

async function moveAlias(
  on: Keyring,
  key: KeyRef,
  { alias, arn, version }: RotationPlan,
  context: CallContext,
  options: ProvisioningOptions,
): Promise<RotateResult> {
  const input = { AliasName: alias, TargetKeyId: keyIdOf(arn) };
  const { requestId } = await on.calls.call("UpdateAlias", key, input, context);
  await oncePropagated(context, options.propagationTimeoutMs, async () => {
    const seen = await on.versions.look(key, context);
    if (seen.currentArn !== arn) {
      throw new BackendError("KEY_NOT_FOUND", `${alias} is not seen at ${arn}`, { key: key.name });
    }
  });
  return { keyVersion: version, resource: arn, ...(requestId !== undefined && { backendRequestId: requestId }) };
}

/** A version after the one in use, which an interrupted or prepared rotation left. */
function leftToMoveTo(currentArn: string, known: KnownVersions) {
  if (!known.rotated) return undefined;
  const version = Math.max(...known.arns.keys());
  const current = versionOf(known, currentArn);
  const arn = known.arns.get(version);
  return current !== undefined && current < version && arn !== undefined ? { arn, version } : undefined;
}

/** The version to move to: one that an interrupted run left behind the main alias, else a new one. */
async function nextVersion(
  on: Keyring,
  key: KeyRef,
  alias: string,
  currentArn: string,
  known: KnownVersions,
  context: CallContext,
  options: ProvisioningOptions,
): Promise<{ readonly arn: string; readonly version: number }> {
  const left = leftToMoveTo(currentArn, known);
  if (left) return left;
  const highest = known.rotated ? Math.max(...known.arns.keys()) : 0;
  const current = known.rotated ? versionOf(known, currentArn) : undefined;
  // The first time, and after an alias was moved by hand, the key in use has no alias of its own yet.
  const own = current ?? highest + 1;
  if (current === undefined) await nameVersion(on, key, `${alias}/v${own}`, currentArn, context, options);
  const version = own + 1;
  const { arn } = await keyAtAlias(on, key, creatableAlias(`${alias}/v${version}`), context, options);
  return { arn, version };
}

async function nameVersion(
  on: Keyring,
  key: KeyRef,
  alias: string,
  arn: string,
  context: CallContext,
  options: ProvisioningOptions,
): Promise<void> {
  const input = { AliasName: creatableAlias(alias), TargetKeyId: keyIdOf(arn) };
  await on.calls.call("CreateAlias", key, input, context).catch((error: unknown) => {
    if (!isBackendError(error) || error.code !== "KEY_EXISTS") throw error;
  });
  await oncePropagated(context, options.propagationTimeoutMs, async () => {
    const seen = await describeKey(on.calls, key, alias, context);
    if (!seen) throw new BackendError("KEY_NOT_FOUND", `${alias} is not seen`, { key: key.name });
    if (seen.Arn !== arn) throw new BackendError("KEY_EXISTS", `${alias} is already at ${seen.Arn}`, { key: key.name });
  });
}

/** One real use of a key by its ARN; the alias must never lead to a key that was not proved. */
async function proveUsable(on: Keyring, key: KeyRef, arn: string, context: CallContext): Promise<void> {
  const { signing } = onKms(key);
  const probe = new Uint8Array(randomBytes(32));
  if (signing) {
    const input = { KeyId: arn, ...toSign(signing, probe) };
    const { output } = await on.calls.call("Sign", key, input, context);
    if (!output.Signature) throw incompleteAnswer({ action: "Sign", key, keyId: arn }, "Signature");
    await on.calls.call("Verify", key, { ...input, Signature: output.Signature }, context);
    return;
  }
  const { output } = await on.calls.call("Encrypt", key, { KeyId: arn, Plaintext: probe }, context);
  if (!output.CiphertextBlob) throw incompleteAnswer({ action: "Encrypt", key, keyId: arn }, "CiphertextBlob");
  const opened = await on.calls.call("Decrypt", key, { KeyId: arn, CiphertextBlob: output.CiphertextBlob }, context);
  if (!opened.output.Plaintext || !Buffer.from(opened.output.Plaintext).equals(probe)) {
    throw incompleteAnswer({ action: "Decrypt", key, keyId: arn }, "the plaintext that was encrypted");
  }
}
