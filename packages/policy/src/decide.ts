import { type Catalog, isCredentialIssuer } from "@basil/catalog";
import type { Grant } from "./authority-index.js";
import { type AdminOperation, adminTarget, type Operation, WRITE_OPERATIONS } from "./operations.js";
import type { Policy } from "./policy.js";

/** Which rule allowed, in the spelling of the document. */
export interface MatchedRule {
  /** The rule's id. */
  readonly rule: string;
  readonly via: `subject:${string}`;
  readonly subject: string;
  readonly action: string;
  readonly target: string;
}

export type DenyReason = "unknown_key" | "not_writable" | "issuer_raw_sign" | "not_permitted";

export type Decision =
  | {
      readonly allowed: true;
      readonly via: `subject:${string}` | "public_class";
      /** Null when the class of the key allows, and no rule is needed. */
      readonly matched: MatchedRule | null;
    }
  | { readonly allowed: false; readonly reason: DenyReason };

const DENIALS = {
  unknown_key: Object.freeze({ allowed: false, reason: "unknown_key" }),
  not_writable: Object.freeze({ allowed: false, reason: "not_writable" }),
  issuer_raw_sign: Object.freeze({ allowed: false, reason: "issuer_raw_sign" }),
  not_permitted: Object.freeze({ allowed: false, reason: "not_permitted" }),
} as const satisfies Record<DenyReason, Decision>;
const PUBLIC_CLASS: Decision = Object.freeze({ allowed: true, via: "public_class", matched: null });

const WRITES: ReadonlySet<string> = new Set(WRITE_OPERATIONS);

/**
 * Decides whether `subject` may do `operation` on the key named `key`. The first of these answers: a key the catalog lacks,
 * a write to a key that is not writable, a raw signature by a credential issuer; the first rule that allows; a read of a
 * public key's material; and otherwise no. Nothing but these inputs counts, and nothing is allocated that grows with them.
 *
 * @param subject - A name of `policy.subjects`; any other name is denied.
 * @throws TypeError when `operation` is none.
 */
export function decide(policy: Policy, catalog: Catalog, subject: string, operation: Operation, key: string): Decision {
  const entry = catalog.keys.get(key);
  if (entry === undefined) return DENIALS.unknown_key;
  if (!entry.writable && WRITES.has(operation)) return DENIALS.not_writable;
  if (operation === "sign" && isCredentialIssuer(entry)) return DENIALS.issuer_raw_sign;
  const grant = policy.index.find(subject, operation, key);
  if (grant !== undefined) return allow(grant, subject, operation);
  if (
    entry.class === "public" &&
    (operation === "get" || operation === "get_public_key") &&
    policy.index.has(subject)
  ) {
    return PUBLIC_CLASS;
  }
  return DENIALS.not_permitted;
}

/**
 * Decides whether `subject` may do an admin operation: some rule grants exactly it on a target that covers the operation's
 * reserved text, `broker.reload` and alike. No key, cap or class counts.
 */
export function decideAdmin(policy: Policy, subject: string, operation: AdminOperation): Decision {
  const grant = policy.index.find(subject, operation, adminTarget(operation));
  return grant === undefined ? DENIALS.not_permitted : allow(grant, subject, operation);
}

function allow(grant: Grant, subject: string, operation: Operation): Decision {
  const via = `subject:${subject}` as const;
  const action = grant.rule.operations.get(operation)!;
  return { allowed: true, via, matched: { rule: grant.rule.id, via, subject, action, target: grant.target.spelling } };
}
