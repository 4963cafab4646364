import { Refusal } from "../../refusal.js";
import type { Input } from "../../shape.js";
import type { KmsCall } from "../call.js";
import type { inputShapes } from "../input-shapes.js";
import { keyMetadata } from "../key.js";
import { algorithmsMember, algorithmsOf, customerMasterKeySpecs } from "../key-spec.js";
import { checkState } from "../key-state.js";
import { page } from "../page.js";
import { resolveKey } from "../resolve.js";

const aliasEntry = (requestAlias: string | undefined) => ({
  "kms:requestalias": requestAlias === undefined ? undefined : [requestAlias],
});

export function describeKeyOperation(input: Input<typeof inputShapes.DescribeKey>, call: KmsCall) {
  const { key, requestAlias } = resolveKey(call, "DescribeKey", input.KeyId);
  call.authorize("DescribeKey", { kind: "key", key }, aliasEntry(requestAlias));
  return { KeyMetadata: keyMetadata(key, call.place.partition) };
}

export function getPublicKeyOperation(input: Input<typeof inputShapes.GetPublicKey>, call: KmsCall) {
  const { key, requestAlias } = resolveKey(call, "GetPublicKey", input.KeyId);
  call.authorize("GetPublicKey", { kind: "key", key }, aliasEntry(requestAlias));
  if (key.material.kind !== "pair") throw new Refusal("UnsupportedOperationException");
  checkState(key, "public-key");
  return {
    KeyId: key.arn,
    PublicKey: Buffer.from(key.material.spki).toString("base64"),
    ...((customerMasterKeySpecs as readonly string[]).includes(key.spec) && { CustomerMasterKeySpec: key.spec }),
    KeySpec: key.spec,
    KeyUsage: key.usage,
    [algorithmsMember[key.usage]]: algorithmsOf(key.spec, key.usage),
  };
}

export function listKeysOperation(input: Input<typeof inputShapes.ListKeys>, call: KmsCall) {
  call.authorize("ListKeys", { kind: "any" });
  const visible = [...call.store.keys.values()].filter((key) => key.visibleAt <= call.now);
  const { items, tail } = page(visible, input.Limit ?? 100, input.Marker, "keys");
  return { Keys: items.map((key) => ({ KeyId: key.id, KeyArn: key.arn })), ...tail };
}
