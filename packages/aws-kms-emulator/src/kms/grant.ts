import type { Caller } from "../iam/caller.js";

/** What a grant may let its grantee do (KMS API reference, `GrantOperation`). */
export const grantOperations = [
  "Decrypt",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "ReEncryptFrom",
  "ReEncryptTo",
  "Sign",
  "Verify",
  "GetPublicKey",
  "CreateGrant",
  "RetireGrant",
  "DescribeKey",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
  "GenerateMac",
  "VerifyMac",
  "DeriveSharedSecret",
  "Encapsulate",
  "Decapsulate",
] as const;
export type GrantOperation = (typeof grantOperations)[number];

/** A permission that hangs on the key itself. */
export interface Grant {
  /** 64 hex digits. */
  readonly id: string;
  readonly token: string;
  readonly name: string | undefined;
  /** ARN of a user, a role, a role's session, or an account's root. */
  readonly grantee: string;
  readonly retiring: string | undefined;
  readonly operations: readonly GrantOperation[];
  /** Only where the encryption context has these pairs, or is these pairs. */
  readonly constraint: { readonly kind: "subset" | "equals"; readonly pairs: ReadonlyMap<string, string> } | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** Whether an ARN in a grant names the caller: itself, or the role behind its session. */
export function isNamed(arn: string | undefined, caller: Caller): boolean {
  return arn === caller.arn || arn === caller.principalArn;
}

/** Operations whose encryption context a constraint speaks of. */
const withContext: ReadonlySet<string> = new Set([
  "Decrypt",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
  "ReEncryptFrom",
  "ReEncryptTo",
]);

/** Whether some grant lets the caller do `operation` with this encryption context. */
export function isGranted(
  grants: Iterable<Grant>,
  caller: Caller,
  operation: string,
  context: ReadonlyMap<string, string>,
): boolean {
  for (const { grantee, operations, constraint } of grants) {
    if (!isNamed(grantee, caller) || !(operations as readonly string[]).includes(operation)) continue;
    if (constraint === undefined || !withContext.has(operation)) return true;
    const holds = [...constraint.pairs].every(([name, value]) => context.get(name) === value);
    if (holds && (constraint.kind === "subset" || context.size === constraint.pairs.size)) return true;
  }
  return false;
}
