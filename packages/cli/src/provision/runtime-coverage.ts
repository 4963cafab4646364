import { AskedPolicy } from "../iam/asked-policy.js";
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
  const [, partition = "", , region = "", account = ""] = arn.split(":");
  const [alias] = aliases;
  const key = { name: arn, arn, ...(alias !== undefined && { alias }) };
  const policy = new AskedPolicy(statements, { place: { partition, region, account }, keys: [key], aliases });
  return policy.allows({ action, kind: "key", resource: arn, alias });
}
