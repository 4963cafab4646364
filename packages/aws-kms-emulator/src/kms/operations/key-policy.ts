import { Refusal } from "../../refusal.js";
import type { Input } from "../../shape.js";
import type { KmsCall } from "../call.js";
import type { inputShapes } from "../input-shapes.js";
import { keyPolicyFromRequest } from "../key-policy.js";
import { page } from "../page.js";
import { resolveKeyOnly } from "../resolve.js";

export function getKeyPolicyOperation(input: Input<typeof inputShapes.GetKeyPolicy>, call: KmsCall) {
  const name = input.PolicyName ?? "default";
  const key = resolveKeyOnly(call, "GetKeyPolicy", input.KeyId);
  call.authorize("GetKeyPolicy", { kind: "key", key }, { "kms:policyname": [name] });
  if (name !== "default") throw new Refusal("NotFoundException", "No such policy exists");
  return { Policy: key.policy.text, PolicyName: name };
}

export function listKeyPoliciesOperation(input: Input<typeof inputShapes.ListKeyPolicies>, call: KmsCall) {
  const key = resolveKeyOnly(call, "ListKeyPolicies", input.KeyId);
  call.authorize("ListKeyPolicies", { kind: "key", key });
  const { items, tail } = page(["default"], input.Limit ?? 100, input.Marker, "policies");
  return { PolicyNames: items, ...tail };
}

export function putKeyPolicyOperation(input: Input<typeof inputShapes.PutKeyPolicy>, call: KmsCall): undefined {
  const name = input.PolicyName ?? "default";
  const bypass = input.BypassPolicyLockoutSafetyCheck === true;
  const key = resolveKeyOnly(call, "PutKeyPolicy", input.KeyId);
  call.authorize(
    "PutKeyPolicy",
    { kind: "key", key },
    {
      "kms:policyname": [name],
      "kms:bypasspolicylockoutsafetycheck": [String(bypass)],
    },
  );
  if (name === "AWS_RAM")
    throw new Refusal("ValidationException", "The AWS_RAM policy can only be managed by the RAM service");
  if (name !== "default") throw new Refusal("NotFoundException", "No such policy exists");
  key.policy = keyPolicyFromRequest(call, input.Policy, key.arn, bypass);
}
