import { Refusal } from "../../refusal.js";
import type { Input } from "../../shape.js";
import type { KmsCall } from "../call.js";
import type { inputShapes } from "../input-shapes.js";
import { timestamp } from "../key.js";
import { checkState } from "../key-state.js";
import { resolveKeyOnly } from "../resolve.js";

type KeyIdInput = Input<typeof inputShapes.EnableKey>;

function switchKey(
  input: KeyIdInput,
  call: KmsCall,
  operation: "EnableKey" | "DisableKey",
  state: "Enabled" | "Disabled",
): undefined {
  const key = resolveKeyOnly(call, operation, input.KeyId);
  call.authorize(operation, { kind: "key", key });
  checkState(key, "switch");
  if (key.state !== "Unavailable") key.state = state;
}

export function updateKeyDescriptionOperation(
  input: Input<typeof inputShapes.UpdateKeyDescription>,
  call: KmsCall,
): undefined {
  const key = resolveKeyOnly(call, "UpdateKeyDescription", input.KeyId);
  call.authorize("UpdateKeyDescription", { kind: "key", key });
  checkState(key, "tag");
  key.description = input.Description;
}

export function enableKeyOperation(input: KeyIdInput, call: KmsCall): undefined {
  switchKey(input, call, "EnableKey", "Enabled");
}

export function disableKeyOperation(input: KeyIdInput, call: KmsCall): undefined {
  switchKey(input, call, "DisableKey", "Disabled");
}

const dayMs = 86_400_000;

export function scheduleKeyDeletionOperation(input: Input<typeof inputShapes.ScheduleKeyDeletion>, call: KmsCall) {
  const days = input.PendingWindowInDays ?? 30;
  const key = resolveKeyOnly(call, "ScheduleKeyDeletion", input.KeyId);
  call.authorize(
    "ScheduleKeyDeletion",
    { kind: "key", key },
    { "kms:schedulekeydeletionpendingwindowindays": [String(days)] },
  );
  if (days < 7 || days > 30) {
    throw new Refusal("ValidationException", "Pending window in days must be between 7 and 30.");
  }
  checkState(key, "schedule-deletion");
  key.state = "PendingDeletion";
  key.deleteAt = call.now + days * dayMs;
  call.store.scheduleDeletion(key.deleteAt);
  return { KeyId: key.arn, DeletionDate: timestamp(key.deleteAt), KeyState: key.state, PendingWindowInDays: days };
}

export function cancelKeyDeletionOperation(input: KeyIdInput, call: KmsCall) {
  const key = resolveKeyOnly(call, "CancelKeyDeletion", input.KeyId);
  call.authorize("CancelKeyDeletion", { kind: "key", key });
  checkState(key, "cancel-deletion");
  key.state = "Disabled";
  key.deleteAt = undefined;
  return { KeyId: key.arn };
}
