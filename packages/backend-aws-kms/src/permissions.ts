import { isWithinGrace } from "./known-versions.js";

/** Who calls KMS: the daemon, whoever makes keys, and whoever rotates them. */
export type AwsKmsIdentity = "runtime" | "provisioner" | "rotator";

export interface AwsKmsPermission {
  readonly action: `kms:${string}`;
  /** What an IAM statement names for it: the key's ARN, the alias and the key, or `*` for a key that is not there yet. */
  readonly resource: "key" | "alias and key" | "*";
  /** What it is called for. */
  readonly neededFor: string;
}

const RUNTIME: readonly AwsKmsPermission[] = [
  { action: "kms:Sign", resource: "key", neededFor: "sign" },
  { action: "kms:Verify", resource: "key", neededFor: "verify, unless `verify=local`" },
  { action: "kms:GetPublicKey", resource: "key", neededFor: "get public key, and verify with `verify=local`" },
  { action: "kms:DescribeKey", resource: "key", neededFor: "start, readiness, and to tell versions" },
  { action: "kms:Encrypt", resource: "key", neededFor: "encrypt" },
  { action: "kms:Decrypt", resource: "key", neededFor: "decrypt" },
];

const PROVISIONER: readonly AwsKmsPermission[] = [
  { action: "kms:CreateKey", resource: "*", neededFor: "a new key" },
  { action: "kms:CreateAlias", resource: "alias and key", neededFor: "its alias" },
  { action: "kms:GetPublicKey", resource: "key", neededFor: "its public half, read back at once" },
  { action: "kms:DescribeKey", resource: "key", neededFor: "to see what is there, before and after" },
];

const PROOF = "one real use of the new key before its alias moves";
const ROTATOR: readonly AwsKmsPermission[] = [
  ...PROVISIONER.filter(({ action }) => action !== "kms:GetPublicKey"),
  { action: "kms:UpdateAlias", resource: "alias and key", neededFor: "to move the alias to the new key" },
  { action: "kms:Sign", resource: "key", neededFor: `${PROOF}, where a signing key is rotated` },
  { action: "kms:Verify", resource: "key", neededFor: `${PROOF}, where a signing key is rotated` },
  { action: "kms:Encrypt", resource: "key", neededFor: `${PROOF}, where an AES key is rotated` },
  { action: "kms:Decrypt", resource: "key", neededFor: `${PROOF}, where an AES key is rotated` },
];

/** The IAM actions each identity calls, and no other. */
export const awsKmsPermissions: Readonly<Record<AwsKmsIdentity, readonly AwsKmsPermission[]>> = {
  runtime: RUNTIME,
  provisioner: PROVISIONER,
  rotator: ROTATOR,
};

/** One version of a rotated key, beside the one that is in use. */
export interface OtherVersion {
  readonly version: number;
  /** The version in use. */
  readonly current: number;
  /** As the backend is opened with, 1 by default. */
  readonly graceVersions?: number;
}

/** What is called on any version: envelopes and callers name one, and each has to be told. */
const ON_EVERY_VERSION: ReadonlySet<string> = new Set(["kms:GetPublicKey", "kms:DescribeKey", "kms:Decrypt"]);

/**
 * Of these runtime actions, those that are called on a version which is not in use. Nothing signs or encrypts with one,
 * and it verifies only as long as its signatures count.
 */
export function awsKmsActionsOnVersion(
  actions: readonly string[],
  { version, current, graceVersions = 1 }: OtherVersion,
): string[] {
  const verifies = isWithinGrace(version, current, graceVersions);
  return actions.filter((action) => ON_EVERY_VERSION.has(action) || (action === "kms:Verify" && verifies));
}
