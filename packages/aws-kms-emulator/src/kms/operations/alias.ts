import { kmsArn } from "../../place.js";
import { Refusal } from "../../refusal.js";
import type { Input } from "../../shape.js";
import { checkAliasName } from "../alias-name.js";
import type { KmsCall } from "../call.js";
import type { inputShapes } from "../input-shapes.js";
import { timestamp } from "../key.js";
import { familyOf } from "../key-spec.js";
import { checkState } from "../key-state.js";
import type { Alias } from "../key-store.js";
import { page } from "../page.js";
import { aliasNotFound, resolveKeyOnly, resolveTarget, visibleAlias } from "../resolve.js";

type AliasInput = Input<typeof inputShapes.CreateAlias>;

const aliasesPerKey = 50;

function checkQuota(call: KmsCall, keyId: string): void {
  if (call.store.aliasesOf(keyId).length >= aliasesPerKey) {
    throw new Refusal("LimitExceededException", `The key already has ${aliasesPerKey} aliases.`);
  }
}

export function createAliasOperation(input: AliasInput, call: KmsCall): undefined {
  checkAliasName(input.AliasName);
  const arn = kmsArn(call.place, input.AliasName);
  const key = resolveTarget(call, "CreateAlias", input.TargetKeyId);
  call.authorize("CreateAlias", { kind: "alias", arn });
  call.authorize("CreateAlias", { kind: "key", key });
  if (call.store.aliases.has(input.AliasName)) {
    throw new Refusal("AlreadyExistsException", `An alias with the name ${arn} already exists`);
  }
  checkState(key, "alias-target");
  checkQuota(call, key.id);
  call.store.addAlias({
    name: input.AliasName,
    arn,
    createdAt: call.now,
    visibleAt: call.now + call.propagation.aliasLag(),
    updatedAt: call.now,
    targetId: key.id,
    previous: undefined,
  });
}

/** The alias by its name, whether or not every caller sees it yet. */
function knownAlias(call: KmsCall, name: string): { alias: Alias; arn: string } {
  checkAliasName(name);
  const arn = kmsArn(call.place, name);
  const alias = visibleAlias(call, name);
  if (alias === undefined) throw aliasNotFound(arn);
  return { alias, arn };
}

export function updateAliasOperation(input: AliasInput, call: KmsCall): undefined {
  const { alias, arn } = knownAlias(call, input.AliasName);
  const current = call.store.keys.get(alias.targetId);
  const next = resolveTarget(call, "UpdateAlias", input.TargetKeyId);
  call.authorize("UpdateAlias", { kind: "alias", arn });
  if (current !== undefined) call.authorize("UpdateAlias", { kind: "key", key: current });
  call.authorize("UpdateAlias", { kind: "key", key: next });
  checkState(next, "alias-target");
  if (current !== undefined && (current.usage !== next.usage || familyOf(current.spec) !== familyOf(next.spec))) {
    throw new Refusal(
      "ValidationException",
      `Alias ${alias.name} cannot be changed from a CMK with key usage ${current.usage} to a CMK with key usage ${next.usage}. The key usage of the current CMK and the new CMK must be the same.`,
    );
  }
  if (next.id !== alias.targetId) checkQuota(call, next.id);
  const lag = call.propagation.aliasLag();
  alias.previous = lag > 0 ? { targetId: alias.targetId, until: call.now + lag } : undefined;
  call.store.moveAlias(alias, next.id);
  alias.updatedAt = call.now;
}

export function deleteAliasOperation(input: Input<typeof inputShapes.DeleteAlias>, call: KmsCall): undefined {
  const { alias, arn } = knownAlias(call, input.AliasName);
  const key = call.store.keys.get(alias.targetId);
  call.authorize("DeleteAlias", { kind: "alias", arn });
  if (key !== undefined) call.authorize("DeleteAlias", { kind: "key", key });
  call.store.removeAlias(alias);
}

export function listAliasesOperation(input: Input<typeof inputShapes.ListAliases>, call: KmsCall) {
  const key = input.KeyId === undefined ? undefined : resolveKeyOnly(call, "ListAliases", input.KeyId);
  call.authorize("ListAliases", { kind: "any" });
  const visible = [...call.store.aliases.values()].filter(
    (alias) => alias.visibleAt <= call.now && (key === undefined || alias.targetId === key.id),
  );
  const { items, tail } = page(visible, Math.min(input.Limit ?? 50, 100), input.Marker, "aliases");
  return {
    Aliases: items.map((alias) => ({
      AliasName: alias.name,
      AliasArn: alias.arn,
      TargetKeyId: alias.targetId,
      CreationDate: timestamp(alias.createdAt),
      LastUpdatedDate: timestamp(alias.updatedAt),
    })),
    ...tail,
  };
}
