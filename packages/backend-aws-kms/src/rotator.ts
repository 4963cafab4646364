import type { CallContext, KeyRef, RotateResult } from "@basil/core";
import type { KmsCalls } from "./client.js";
import { openClient, openKeyring, provisioningOf } from "./open-keyring.js";
import type { AwsKmsOptions } from "./options.js";
import { commitRotation, preparedRotation, prepareRotation, type RotationPlan } from "./rotation.js";

/** A rotation in two steps, with time in between for whoever has to allow the new key. */
export interface AwsKmsRotator extends AsyncDisposable {
  /**
   * Makes the new key and its `/vN` alias, and uses it once; a second call finds what the first made.
   *
   * @throws BackendError `INVALID_REQUEST` for a path that is no alias; `KEY_NOT_FOUND`, `KEY_UNUSABLE` for what is there
   *   now; `UNSUPPORTED` when the identity may not create keys or aliases.
   */
  prepare(key: KeyRef, context: CallContext): Promise<RotationPlan>;
  /** What `prepare` made and `commit` would move to; undefined when there is nothing. Makes nothing. */
  prepared(key: KeyRef, context: CallContext): Promise<RotationPlan | undefined>;
  /**
   * Uses the prepared key once more and moves the alias to it.
   *
   * @throws BackendError `KEY_NOT_FOUND` when nothing is prepared; else as `prepare`.
   */
  commit(key: KeyRef, context: CallContext): Promise<RotateResult>;
}

/**
 * For the rotator identity. `rotation` and `confirmRotation` have no meaning here.
 *
 * @throws TypeError for an option that is out of range.
 */
export function awsKmsRotator(options: AwsKmsOptions = {}): AwsKmsRotator {
  return awsKmsRotatorOver(openClient(options), options);
}

/** @internal */
export function awsKmsRotatorOver(client: KmsCalls, options: AwsKmsOptions): AwsKmsRotator {
  const { on } = openKeyring(client, options.id ?? "aws-kms", options);
  const provisioning = provisioningOf(options);
  return {
    prepare: (key, context) => prepareRotation(on, key, context, provisioning),
    prepared: (key, context) => preparedRotation(on, key, context),
    commit: (key, context) => commitRotation(on, key, context, provisioning),
    [Symbol.asyncDispose]: async () => on.calls.close(),
  };
}
