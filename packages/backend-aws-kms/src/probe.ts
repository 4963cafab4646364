import type { CallContext, KeyProbe, KeyRef } from "@basil/core";
import { onKms } from "./capabilities.js";
import type { KmsKeyMetadata } from "./client.js";
import { describeKey } from "./describe-key.js";
import { keyReference } from "./key-ref.js";
import type { Keyring } from "./keyring.js";

/** DescribeKey and nothing else: it works in every key state and reads no key material. */
export async function probe(on: Keyring, key: KeyRef, context: CallContext): Promise<KeyProbe> {
  onKms(key);
  // To KMS it is only NotFound; to the operator it is a wrong region in the catalog or in the credential.
  const region = regionOfArn(key.path);
  if (on.region !== undefined && region !== undefined && region !== on.region) {
    return {
      state: "unusable",
      reason: `its ARN is of region ${region}, this backend calls ${on.region}`,
      resource: key.path,
    };
  }
  const metadata = await describeKey(on.calls, key, keyReference(key.path).keyId, context, "callOnce");
  if (metadata === undefined) return { state: "absent" };
  const reason = whyUnusable(key, metadata);
  if (reason !== undefined) return { state: "unusable", reason, resource: metadata.Arn };
  const { current } = await on.versions.described(key, metadata.Arn, context);
  return { state: "present", latestVersion: current, resource: metadata.Arn, keyType: key.keyType };
}

/** Why a key that is there cannot serve as `key.keyType`; undefined when it can. */
export function whyUnusable(key: KeyRef, metadata: KmsKeyMetadata): string | undefined {
  const { spec, usage } = onKms(key);
  if (metadata.KeySpec !== spec) return `its KeySpec is ${metadata.KeySpec}, ${key.keyType} needs ${spec}`;
  if (metadata.KeyUsage !== usage) return `its KeyUsage is ${metadata.KeyUsage}, ${key.keyType} needs ${usage}`;
  // Updating: a change of the primary region is under way; every cryptographic operation goes on.
  if (metadata.KeyState === "Enabled" || metadata.KeyState === "Updating") return undefined;
  return `its KeyState is ${metadata.KeyState}, it must be Enabled`;
}

export function regionOfArn(path: string): string | undefined {
  return /^arn:[^:]+:kms:([^:]+):/.exec(path)?.[1];
}
