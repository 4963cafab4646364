import type { Caller } from "../iam/caller.js";
import type { KeySpec, KeyUsage } from "./key-spec.js";

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

const EVERY_KEY: readonly GrantOperation[] = ["CreateGrant", "RetireGrant", "DescribeKey"];
const BY_USAGE: Readonly<Record<KeyUsage, readonly GrantOperation[]>> = {
  SIGN_VERIFY: ["Sign", "Verify", "GetPublicKey"],
  ENCRYPT_DECRYPT: ["Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo"],
  GENERATE_VERIFY_MAC: ["GenerateMac", "VerifyMac"],
  KEY_AGREEMENT: ["DeriveSharedSecret", "GetPublicKey"],
  ENCAPSULATE_DECAPSULATE: ["Encapsulate", "Decapsulate", "GetPublicKey"],
};
const RSA_CIPHER: readonly GrantOperation[] = ["GetPublicKey"];
const SYMMETRIC_ONLY: readonly GrantOperation[] = [
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
];

/** What a grant on such a key may name (KMS Developer Guide, "Grants", "Grant operations"). */
export function grantableOn(spec: KeySpec, usage: KeyUsage): readonly GrantOperation[] {
  const more = usage !== "ENCRYPT_DECRYPT" ? [] : spec === "SYMMETRIC_DEFAULT" ? SYMMETRIC_ONLY : RSA_CIPHER;
  return [...EVERY_KEY, ...BY_USAGE[usage], ...more];
}

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

/** Whether a grant of CreateGrant lets its holder give another: one of the same operations at most, held at least as tightly. */
export function coversChild(parent: Grant, child: Pick<Grant, "operations" | "constraint">): boolean {
  if (!child.operations.every((operation) => parent.operations.includes(operation))) return false;
  const { constraint } = parent;
  if (constraint === undefined) return true;
  if (child.constraint === undefined) return false;
  const { kind, pairs } = child.constraint;
  return (
    hasPairs(pairs, constraint.pairs) &&
    (constraint.kind === "subset" || (kind === "equals" && pairs.size === constraint.pairs.size))
  );
}

/** Operations whose encryption context a constraint tests. */
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

/** Operations that may be in a grant with a constraint, which does not apply to them. */
const besideConstraint: ReadonlySet<string> = new Set(["CreateGrant", "DescribeKey", "RetireGrant"]);

/** Whether a grant with an encryption context constraint may name an operation (KMS API reference, `CreateGrant`). */
export function allowsConstraint(operation: GrantOperation): boolean {
  return withContext.has(operation) || besideConstraint.has(operation);
}

/**
 * Whether an encryption context has every pair of a constraint: names in any case, values exactly (KMS API reference,
 * `GrantConstraints`).
 */
function hasPairs(context: ReadonlyMap<string, string>, pairs: ReadonlyMap<string, string>): boolean {
  const found = [...context].map(([name, value]) => [name.toLowerCase(), value] as const);
  return [...pairs].every(([name, value]) =>
    found.some(([other, held]) => other === name.toLowerCase() && held === value),
  );
}

/** What a grant is checked against besides its operations. */
export interface GrantedRequest {
  /** Of an operation that has one. */
  readonly encryptionContext?: ReadonlyMap<string, string>;
  /** Whether the grant reaches as far as the request. */
  readonly covers?: (grant: Grant) => boolean;
}

const noContext: ReadonlyMap<string, string> = new Map();

/** Whether some grant lets the caller do `operation`. */
export function isGranted(
  grants: Iterable<Grant>,
  caller: Caller,
  operation: string,
  { encryptionContext: context = noContext, covers = () => true }: GrantedRequest,
): boolean {
  for (const grant of grants) {
    const { grantee, operations, constraint } = grant;
    if (!isNamed(grantee, caller) || !(operations as readonly string[]).includes(operation)) continue;
    if (!covers(grant)) continue;
    if (constraint === undefined || !withContext.has(operation)) return true;
    if (hasPairs(context, constraint.pairs) && (constraint.kind === "subset" || context.size === constraint.pairs.size))
      return true;
  }
  return false;
}
