import type { Catalog } from "@basil/catalog";
import type { DenyReason, MatchedRule } from "./decide.js";
import { describeSubject } from "./describe-principal.js";
import { explain } from "./explain.js";
import { knownUids, resolveUid } from "./known-callers.js";
import type { Operation } from "./operations.js";
import type { Policy } from "./policy.js";

export interface WhoCan {
  readonly op: Operation;
  readonly key: string;
  /** Every subject that may, in the order of the names. */
  readonly subjects: readonly AllowedSubject[];
  /** Why nobody may, whatever the rules say; absent when the rules decide. */
  readonly reason?: Exclude<DenyReason, "not_permitted">;
}

export interface AllowedSubject {
  readonly subject: string;
  /** The subject's expression in one line. */
  readonly matches: string;
  readonly via: `subject:${string}` | "public_class";
  readonly matched_rule: MatchedRule | null;
  /** The uids the document mentions that are this subject and no other. */
  readonly uids: readonly number[];
}

/** Who may do `operation` on `key`, asked of the enforcing code for every subject. */
export function whoCan(policy: Policy, catalog: Catalog, operation: Operation, key: string): WhoCan {
  const subjects: AllowedSubject[] = [];
  const uidsOf = Map.groupBy(knownUids(policy), (uid) => {
    const who = resolveUid(policy, uid);
    return who.resolved ? who.subject : undefined;
  });
  let reason: WhoCan["reason"];
  for (const subject of policy.subjects.values()) {
    const { name } = subject;
    const answer = explain(policy, catalog, name, operation, key);
    if (answer.decision === "deny") {
      if (answer.reason !== "not_permitted") reason = answer.reason as WhoCan["reason"];
      continue;
    }
    const { via, matched_rule } = answer;
    const matches = describeSubject(policy, subject);
    subjects.push({
      subject: name,
      matches,
      via: via!,
      matched_rule: matched_rule ?? null,
      uids: uidsOf.get(name) ?? [],
    });
  }
  return { op: operation, key, subjects, ...(reason === undefined ? {} : { reason }) };
}
