import { type Catalog, compareNames } from "@basil/catalog";
import { type Decision, type DenyReason, decide, decideAdmin, type MatchedRule } from "./decide.js";
import type { Identity } from "./identity.js";
import { adminTarget, isAdminOperation, OPERATIONS, type Operation } from "./operations.js";
import type { Policy } from "./policy.js";
import { type Resolution, resolveSubject } from "./resolve-subject.js";
import { matchesTarget } from "./target.js";

/** A decision and why, with the member names of the JSON form. */
export interface Explanation {
  /** The subject asked about; null when the caller is none. */
  readonly subject: string | null;
  readonly op: Operation;
  readonly key: string;
  readonly decision: "allow" | "deny";
  /** On allow. */
  readonly via?: `subject:${string}` | "public_class";
  /** On allow; null when the class of the key allows, and no rule is needed. */
  readonly matched_rule?: MatchedRule | null;
  /** On deny: a {@link DenyReason}, or why the caller is nobody (see {@link Resolution}). */
  readonly reason?: DenyReason | (string & {});
  /** The subjects a caller matches, when there are too many. */
  readonly candidates?: readonly string[];
  /** On deny `not_permitted`: rules that lack one thing only, at most ten of them, in document order. */
  readonly near_misses?: readonly NearMiss[];
}

export interface NearMiss {
  readonly rule: string;
  /** What the rule would have to name as well. */
  readonly lacks: "subject" | "op" | "target";
}

/**
 * Why `subject` may or may not do `operation` on `key`, as {@link decide} has it; for an admin operation on its reserved
 * target, `broker.reload` and alike, as {@link decideAdmin} has it. An admin operation is never asked on any other key, so
 * that is a denial.
 */
export function explain(
  policy: Policy,
  catalog: Catalog,
  subject: string,
  operation: Operation,
  key: string,
): Explanation {
  const decision = evaluate(policy, catalog, subject, operation, key);
  const asked = { subject, op: operation, key };
  if (decision.allowed) return { ...asked, decision: "allow", via: decision.via, matched_rule: decision.matched };
  const { reason } = decision;
  // No rule would help where an operation is never asked: administration on a key.
  const isAsked = !isAdminOperation(operation) || key === adminTarget(operation);
  if (reason !== "not_permitted" || !isAsked) return { ...asked, decision: "deny", reason };
  return { ...asked, decision: "deny", reason, near_misses: nearMisses(policy, subject, operation, key) };
}

/** {@link explain} for a caller: why it is nobody, or what its subject may do. */
export function explainCaller(
  policy: Policy,
  catalog: Catalog,
  identity: Identity,
  operation: Operation,
  key: string,
): Explanation {
  const who: Resolution = resolveSubject(policy, identity);
  if (who.resolved) return explain(policy, catalog, who.subject, operation, key);
  const { reason, candidates } = who;
  return {
    subject: null,
    op: operation,
    key,
    decision: "deny",
    reason,
    ...(candidates.length > 0 ? { candidates } : {}),
  };
}

function evaluate(policy: Policy, catalog: Catalog, subject: string, operation: Operation, key: string): Decision {
  if (!isAdminOperation(operation)) return decide(policy, catalog, subject, operation, key);
  if (key === adminTarget(operation)) return decideAdmin(policy, subject, operation);
  return { allowed: false, reason: catalog.keys.has(key) ? "not_permitted" : "unknown_key" };
}

const MOST_NEAR_MISSES = 10;

function nearMisses(policy: Policy, subject: string, operation: Operation, key: string): NearMiss[] {
  const misses: NearMiss[] = [];
  for (const rule of policy.rules) {
    const names = rule.subjects.includes(subject);
    const allows = rule.operations.has(operation);
    if (!names && !allows) continue;
    const covers = rule.targets.some((target) => matchesTarget(target, key));
    if (Number(names) + Number(allows) + Number(covers) !== 2) continue;
    misses.push({ rule: rule.id, lacks: !names ? "subject" : !allows ? "op" : "target" });
    if (misses.length === MOST_NEAR_MISSES) break;
  }
  return misses;
}

/** One thing a subject may do. */
export interface EffectiveGrant {
  /** A key, or the reserved target of an admin operation. */
  readonly key: string;
  readonly op: Operation;
  readonly via: `subject:${string}` | "public_class";
  /** The rule's id; null when the class of the key allows. */
  readonly rule: string | null;
}

export interface EffectiveGrants {
  readonly subject: string;
  readonly effective: readonly EffectiveGrant[];
}

/** Everything `subject` may do: every operation on every key of the catalog, and administration. Ordered by key, then op. */
export function effectiveGrants(policy: Policy, catalog: Catalog, subject: string): EffectiveGrants {
  const effective: EffectiveGrant[] = [];
  for (const { operation, key } of everythingAsked(catalog)) {
    const decision = evaluate(policy, catalog, subject, operation, key);
    if (!decision.allowed) continue;
    effective.push({ key, op: operation, via: decision.via, rule: decision.matched?.rule ?? null });
  }
  return { subject, effective: effective.sort((a, b) => compareNames(a.key, b.key) || compareNames(a.op, b.op)) };
}

/** Every pair that enforcement can ask about. */
function* everythingAsked(catalog: Catalog): Generator<{ operation: Operation; key: string }> {
  for (const operation of OPERATIONS) {
    if (isAdminOperation(operation)) yield { operation, key: adminTarget(operation) };
    else for (const key of catalog.keys.keys()) yield { operation, key };
  }
}
