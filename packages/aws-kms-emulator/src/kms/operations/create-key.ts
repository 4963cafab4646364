import { kmsArn } from "../../place.js";
import { Refusal } from "../../refusal.js";
import type { Input } from "../../shape.js";
import type { KmsCall } from "../call.js";
import type { inputShapes } from "../input-shapes.js";
import { type KmsKey, keyMetadata } from "../key.js";
import { generateMaterial } from "../key-material.js";
import { defaultKeyPolicy, keyPolicyFromRequest } from "../key-policy.js";
import { algorithmsOf, isKeySpec, type KeySpec, type KeyUsage } from "../key-spec.js";
import { newKeyId, newMaterialId } from "../new-key-id.js";
import { tagsFromRequest } from "../tags.js";

type CreateKeyInput = Input<typeof inputShapes.CreateKey>;

function specAndUsage(input: CreateKeyInput, unoffered: ReadonlySet<KeySpec>): { spec: KeySpec; usage: KeyUsage } {
  if (input.KeySpec !== undefined && input.CustomerMasterKeySpec !== undefined) {
    throw new Refusal(
      "ValidationException",
      "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.",
    );
  }
  const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT";
  const usage = input.KeyUsage ?? (spec === "SYMMETRIC_DEFAULT" ? "ENCRYPT_DECRYPT" : undefined);
  if (usage === undefined) {
    throw new Refusal(
      "ValidationException",
      "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
    );
  }
  if (spec === "SM2" || (isKeySpec(spec) && unoffered.has(spec))) {
    throw new Refusal("UnsupportedOperationException", `KeySpec ${spec} is not supported in this Region`);
  }
  if (!isKeySpec(spec)) {
    throw new Refusal("UnsupportedOperationException", `KeySpec ${spec} is not supported by this emulator.`);
  }
  if (algorithmsOf(spec, usage) === undefined) {
    throw new Refusal("ValidationException", `KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  }
  return { spec, usage };
}

export async function createKeyOperation(input: CreateKeyInput, call: KmsCall) {
  const { spec, usage } = specAndUsage(input, call.unoffered);
  const origin = input.Origin ?? "AWS_KMS";
  if (origin !== "AWS_KMS" || input.CustomKeyStoreId !== undefined || input.XksKeyId !== undefined) {
    throw new Refusal("UnsupportedOperationException", `Origin ${origin} is not supported by this emulator.`);
  }
  const multiRegion = input.MultiRegion === true;
  const tags = tagsFromRequest(input.Tags ?? []);
  const tagEntries: Record<string, readonly string[] | undefined> = {
    "aws:tagkeys": tags.size === 0 ? undefined : [...tags.keys()],
  };
  for (const [name, value] of tags) tagEntries[`aws:requesttag/${name.toLowerCase()}`] = [value];
  const bypass = input.BypassPolicyLockoutSafetyCheck === true;
  const entries = {
    ...tagEntries,
    "kms:calleraccount": [call.caller.account],
    "kms:keyspec": [spec],
    "kms:customermasterkeyspec": [spec],
    "kms:keyusage": [usage],
    "kms:customermasterkeyusage": [usage],
    "kms:keyorigin": [origin],
    "kms:multiregion": [String(multiRegion)],
    "kms:bypasspolicylockoutsafetycheck": [String(bypass)],
  };
  call.authorize("CreateKey", { kind: "any" }, entries);
  if (tags.size > 0) call.authorize("TagResource", { kind: "any", unnamed: true }, entries);
  const id = newKeyId(call.random, multiRegion);
  const arn = kmsArn(call.place, `key/${id}`);
  const policy =
    input.Policy === undefined ? defaultKeyPolicy(call.place) : keyPolicyFromRequest(call, input.Policy, arn, bypass);
  const key: KmsKey = {
    id,
    arn,
    account: call.place.account,
    region: call.place.region,
    spec,
    usage,
    multiRegion,
    description: input.Description ?? "",
    createdAt: call.now,
    visibleAt: call.now + call.propagation.keyLag(),
    material: await generateMaterial(spec),
    materialId: newMaterialId(call.random),
    tags,
    grants: new Map(),
    policy,
    rotation: undefined,
    state: "Enabled",
    deleteAt: undefined,
  };
  call.store.add(key);
  return { KeyMetadata: keyMetadata(key, call.place.partition) };
}
