import type { PolicyDocument } from "../iam/policy-document.js";
import type { Grant } from "./grant.js";
import type { KeyMaterial } from "./key-material.js";
import { algorithmsMember, algorithmsOf, customerMasterKeySpecs, type KeySpec, type KeyUsage } from "./key-spec.js";

export const keyStates = [
  "Creating",
  "Enabled",
  "Disabled",
  "PendingDeletion",
  "PendingImport",
  "PendingReplicaDeletion",
  "Unavailable",
  "Updating",
] as const;
export type KeyState = (typeof keyStates)[number];

export interface KeyRotation {
  /** Milliseconds since the epoch. */
  readonly enabledAt: number;
  /** 90 to 2,560. */
  readonly periodDays: number;
}

/** A customer managed key. */
export interface KmsKey {
  /** UUID, or `mrk-` and 32 hex digits. */
  readonly id: string;
  readonly arn: string;
  readonly account: string;
  readonly region: string;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  readonly multiRegion: boolean;
  description: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** From then on the key is found; later than `createdAt` where propagation is slow. */
  readonly visibleAt: number;
  readonly material: KeyMaterial;
  /** 64 lower-case hex digits; ciphertexts carry it. */
  readonly materialId: string;
  readonly tags: Map<string, string>;
  /** By id. */
  readonly grants: Map<string, Grant>;
  policy: PolicyDocument;
  /** Undefined while automatic rotation is off. */
  rotation: KeyRotation | undefined;
  state: KeyState;
  /** Set while the state is PendingDeletion. */
  deleteAt: number | undefined;
}

/** Seconds since the epoch with milliseconds, as JSON 1.1 writes timestamps. */
export function timestamp(time: number): number {
  return time / 1000;
}

/** The `KeyMetadata` of CreateKey and DescribeKey. */
export function keyMetadata(key: KmsKey, partition: string): Record<string, unknown> {
  const oldSpec = (customerMasterKeySpecs as readonly string[]).includes(key.spec);
  return {
    AWSAccountId: key.account,
    KeyId: key.id,
    Arn: key.arn,
    CreationDate: timestamp(key.createdAt),
    Enabled: key.state === "Enabled",
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: key.state,
    ...(key.deleteAt !== undefined && { DeletionDate: timestamp(key.deleteAt) }),
    Origin: "AWS_KMS",
    KeyManager: "CUSTOMER",
    ...(oldSpec && { CustomerMasterKeySpec: key.spec }),
    KeySpec: key.spec,
    [algorithmsMember[key.usage]]: algorithmsOf(key.spec, key.usage),
    ...(key.spec === "SYMMETRIC_DEFAULT" && { CurrentKeyMaterialId: key.materialId }),
    MultiRegion: key.multiRegion,
    ...(key.multiRegion && {
      MultiRegionConfiguration: {
        MultiRegionKeyType: "PRIMARY",
        PrimaryKey: { Arn: `arn:${partition}:kms:${key.region}:${key.account}:key/${key.id}`, Region: key.region },
        ReplicaKeys: [],
      },
    }),
  };
}
