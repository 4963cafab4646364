import { Refusal } from "../refusal.js";
import type { KeyState, KmsKey } from "./key.js";

/** Groups of operations that behave alike in every state (KMS Developer Guide, "Key states of AWS KMS keys"). */
export type StateRule =
  | "use"
  | "public-key"
  | "alias-target"
  | "tag"
  | "grant"
  | "rotate"
  | "rotation-status"
  | "switch"
  | "schedule-deletion"
  | "cancel-deletion";

type Answer =
  | "ok"
  | "disabled"
  | "pending deletion"
  | "pending import"
  | "unavailable"
  | "creating"
  | "updating"
  | "unsupported"
  | "not pending deletion";

const pendingOnly: Record<KeyState, Answer> = {
  Enabled: "ok",
  Disabled: "ok",
  PendingDeletion: "pending deletion",
  PendingReplicaDeletion: "pending deletion",
  PendingImport: "ok",
  Unavailable: "ok",
  Creating: "ok",
  Updating: "ok",
};

const use: Record<KeyState, Answer> = {
  ...pendingOnly,
  Disabled: "disabled",
  PendingImport: "pending import",
  Unavailable: "unavailable",
  Creating: "creating",
};

const answers: Record<StateRule, Record<KeyState, Answer>> = {
  use,
  // The documentation says DisabledException; the service answers.
  "public-key": { ...use, Disabled: "ok", Unavailable: "ok" },
  "alias-target": pendingOnly,
  tag: pendingOnly,
  grant: { ...use, Unavailable: "ok" },
  // Keys with imported material and keys of custom key stores, which alone reach these states, are not rotated.
  rotate: { ...use, PendingImport: "unsupported", Unavailable: "unsupported" },
  "rotation-status": {
    ...pendingOnly,
    PendingDeletion: "ok",
    PendingReplicaDeletion: "ok",
    PendingImport: "unsupported",
    Unavailable: "unsupported",
  },
  switch: { ...pendingOnly, PendingImport: "pending import", Creating: "creating", Updating: "updating" },
  "schedule-deletion": { ...pendingOnly, Updating: "updating" },
  "cancel-deletion": {
    Enabled: "not pending deletion",
    Disabled: "not pending deletion",
    PendingDeletion: "ok",
    PendingReplicaDeletion: "ok",
    PendingImport: "not pending deletion",
    Unavailable: "not pending deletion",
    Creating: "not pending deletion",
    Updating: "not pending deletion",
  },
};

/** Refuses an operation that the key's state does not allow. */
export function checkState(key: KmsKey, rule: StateRule): void {
  const answer = answers[rule][key.state];
  if (answer === "ok") return;
  if (answer === "unsupported") throw new Refusal("UnsupportedOperationException");
  if (answer === "disabled") throw new Refusal("DisabledException", `${key.arn} is disabled.`);
  throw new Refusal("KMSInvalidStateException", `${key.arn} is ${answer}.`);
}
