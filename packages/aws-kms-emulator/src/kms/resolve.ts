import { decide } from "../iam/authorize.js";
import { Refusal } from "../refusal.js";
import type { KmsCall } from "./call.js";
import type { KmsKey } from "./key.js";
import { type KeyReference, parseKeyReference } from "./key-id.js";
import type { Alias } from "./key-store.js";

/** A key and how the caller named it. */
export interface ResolvedKey {
  readonly key: KmsKey;
  /** `alias/…` when the caller gave an alias name or ARN. */
  readonly requestAlias: string | undefined;
}

export function aliasNotFound(arn: string): Refusal {
  return new Refusal("NotFoundException", `Alias ${arn} is not found.`);
}

/** The key an alias shows to callers at this moment, which after a move may still be the one before. */
function aliasTarget(alias: Alias, now: number): string {
  return alias.previous !== undefined && now < alias.previous.until ? alias.previous.targetId : alias.targetId;
}

export function visibleAlias(call: KmsCall, name: string): Alias | undefined {
  const alias = call.store.aliases.get(name);
  return alias !== undefined && alias.visibleAt <= call.now ? alias : undefined;
}

function existing(call: KmsCall, operation: string, reference: KeyReference & { form: "key" }): KmsKey {
  const key = reference.local ? call.store.keys.get(reference.id) : undefined;
  if (key !== undefined && key.visibleAt <= call.now) return key;
  // Whoever may not use a key of that ARN does not learn whether there is one.
  const request = call.request(operation, reference.arn);
  const { action } = request;
  const unowned = { policy: undefined, account: call.place.account };
  if (!decide(call.caller, request, unowned, call.place).allowed) {
    call.note.checks.push({ action, resource: reference.arn, decision: "deny", reason: "no such key" });
    throw new Refusal(
      "AccessDeniedException",
      `User: ${call.caller.arn} is not authorized to perform: ${action} on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`,
    );
  }
  throw new Refusal("NotFoundException", `Key '${reference.arn}' does not exist`);
}

/** All four forms. */
export function resolveKey(call: KmsCall, operation: string, keyId: string): ResolvedKey {
  const reference = parseKeyReference(keyId, call.place);
  if (reference.form === "key") return { key: existing(call, operation, reference), requestAlias: undefined };
  const alias = reference.local ? visibleAlias(call, reference.name) : undefined;
  const key = alias === undefined ? undefined : call.store.keys.get(aliasTarget(alias, call.now));
  if (key === undefined) throw aliasNotFound(reference.arn);
  return { key, requestAlias: reference.name };
}

/** Key id or key ARN only. */
export function resolveKeyOnly(call: KmsCall, operation: string, keyId: string): KmsKey {
  const reference = parseKeyReference(keyId, call.place);
  if (reference.form === "alias")
    throw new Refusal("InvalidArnException", "Key Aliases are not supported for this operation.");
  return existing(call, operation, reference);
}

/** `TargetKeyId` of the alias operations. */
export function resolveTarget(call: KmsCall, operation: string, keyId: string): KmsKey {
  const reference = parseKeyReference(keyId, call.place);
  if (reference.form === "alias") throw new Refusal("ValidationException", "Aliases must refer to keys. Not aliases");
  return existing(call, operation, reference);
}
