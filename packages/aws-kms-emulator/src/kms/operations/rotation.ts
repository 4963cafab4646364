import { Refusal } from "../../refusal.js";
import type { Input } from "../../shape.js";
import type { KmsCall } from "../call.js";
import type { inputShapes } from "../input-shapes.js";
import { type KeyRotation, timestamp } from "../key.js";
import { checkState } from "../key-state.js";
import { resolveKeyOnly } from "../resolve.js";

const dayMs = 86_400_000;
const defaultPeriodDays = 365;

/** The first date after `now` at which the key is due. */
function nextRotation({ enabledAt, periodDays }: KeyRotation, now: number): number {
  const period = periodDays * dayMs;
  return enabledAt + (Math.floor((now - enabledAt) / period) + 1) * period;
}

export function getKeyRotationStatusOperation(input: Input<typeof inputShapes.GetKeyRotationStatus>, call: KmsCall) {
  const key = resolveKeyOnly(call, "GetKeyRotationStatus", input.KeyId);
  call.authorize("GetKeyRotationStatus", { kind: "key", key });
  checkState(key, "rotation-status");
  const rotation = key.state === "PendingDeletion" ? undefined : key.rotation;
  return {
    KeyId: key.id,
    KeyRotationEnabled: rotation !== undefined,
    ...(rotation !== undefined && {
      RotationPeriodInDays: rotation.periodDays,
      NextRotationDate: timestamp(nextRotation(rotation, call.now)),
    }),
  };
}

export function enableKeyRotationOperation(
  input: Input<typeof inputShapes.EnableKeyRotation>,
  call: KmsCall,
): undefined {
  const periodDays = input.RotationPeriodInDays ?? defaultPeriodDays;
  const key = resolveKeyOnly(call, "EnableKeyRotation", input.KeyId);
  call.authorize("EnableKeyRotation", { kind: "key", key }, { "kms:rotationperiodindays": [String(periodDays)] });
  if (key.spec !== "SYMMETRIC_DEFAULT") throw new Refusal("UnsupportedOperationException");
  checkState(key, "rotate");
  key.rotation = { enabledAt: call.now, periodDays };
}

/** A key that cannot be rotated has no rotation to disable. */
export function disableKeyRotationOperation(
  input: Input<typeof inputShapes.DisableKeyRotation>,
  call: KmsCall,
): undefined {
  const key = resolveKeyOnly(call, "DisableKeyRotation", input.KeyId);
  call.authorize("DisableKeyRotation", { kind: "key", key });
  checkState(key, "rotate");
  key.rotation = undefined;
}
