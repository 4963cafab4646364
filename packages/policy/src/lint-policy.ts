import { type Catalog, escapeControls } from "@basil/catalog";
import { lintRules } from "./lint-rules.js";
import { lintSubjects } from "./lint-subjects.js";
import type { Policy } from "./policy.js";
import { grantCount } from "./reload.js";

/** What a lint may say. `warning`: not what was meant, most likely; `notice`: worth a look. */
export const LINT_CODES = {
  /** A policy whose rules grant nothing: every caller is denied everything, `reload` included. */
  PolicyGrantsNothing: "warning",
  /** A uid that matches several subjects, and is therefore denied everything. */
  AmbiguousSubjects: "warning",
  /** Two subjects that one caller can match, depending on the groups the host gives it. */
  OverlappingSubjects: "notice",
  /** An expression no caller can ever match. */
  SubjectNeverMatches: "warning",
  /** A group that `config.memberships` gives to nobody. */
  GroupWithoutMembers: "warning",
  /** A subject no rule names. */
  UnusedSubject: "notice",
  /** `unauthenticatedSubject` names a subject that does not match a caller without credentials. */
  UnauthenticatedSubjectNeverMatches: "warning",
  /** A role no rule names. */
  UnusedRole: "notice",
  BlankRuleId: "notice",
  /** A rule without actions or without targets. */
  RuleGrantsNothing: "warning",
  /** A rule whose every grant another rule, or the public class, gives as well. */
  DeadRule: "warning",
  /** A target that covers neither a key of the catalog nor an admin operation of the rule. */
  UnmatchedTarget: "warning",
  /** An operation that none of the keys it is granted on can ever serve. */
  UnusableGrant: "warning",
} as const;
export type LintCode = keyof typeof LINT_CODES;

export interface LintFinding {
  readonly code: LintCode;
  readonly severity: "warning" | "notice";
  /** JSON pointer (RFC 6901) into the policy document. */
  readonly pointer: string;
  /** One line for a person, beginning with the place. */
  readonly message: string;
}

/** @internal */
export type Tell = (code: LintCode, pointer: string, problem: string) => void;

/** What a policy that loads may still get wrong, held against the catalog it is used with. Subjects first, then rules, then the policy. */
export function lintPolicy(policy: Policy, catalog: Catalog): LintFinding[] {
  const findings: LintFinding[] = [];
  const tell: Tell = (code, pointer, problem) => {
    findings.push({ code, severity: LINT_CODES[code], pointer, message: `${escapeControls(pointer)}: ${problem}` });
  };
  lintSubjects(policy, tell);
  lintRules(policy, catalog, tell);
  if (grantCount(policy) === 0) {
    tell(
      "PolicyGrantsNothing",
      "/rules",
      "no rule grants anything: every caller is denied, and none may reload a corrected policy",
    );
  }
  return findings;
}
