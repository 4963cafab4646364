import type { Fact } from "../iam/condition.js";
import { judge } from "../iam/judge.js";
import type { PolicyStatement } from "../iam/policy-statement.js";

/** A key as the policy of the daemon sees it. */
interface KeyInUse {
  readonly arn: string;
  /** The aliases of the key; the first is the one that requests name. */
  readonly aliases: readonly string[];
}

/**
 * The actions of `actions` that the policy lets its identity do with the key in use and not yet with the new one; all of
 * them when it says nothing of the key in use. Empty: the alias can move and nobody is refused.
 *
 * Only what the document certainly allows counts: not an Allow on a condition that only AWS can tell, nor one that such a
 * Deny might take back.
 */
export function notCovered(
  statements: readonly PolicyStatement[],
  actions: readonly string[],
  now: KeyInUse,
  next: KeyInUse,
): string[] {
  const granted = actions.filter((action) => allows(statements, action, now));
  if (granted.length === 0) return [...actions];
  return granted.filter((action) => !allows(statements, action, next));
}

function allows(statements: readonly PolicyStatement[], action: string, { arn, aliases }: KeyInUse): boolean {
  const [requested] = aliases;
  const facts = new Map<string, Fact>([
    ["kms:requestalias", requested === undefined ? "absent" : { values: [requested] }],
    ["kms:resourcealiases", { values: aliases, open: true }],
    ["kms:viaservice", "absent"],
  ]);
  return judge(statements, { action, resource: arn, facts }).verdict === "allowed";
}
