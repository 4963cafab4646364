import { type Catalog, isCredentialIssuer, jsonPointer, type KeyEntry } from "@basil/catalog";
import { type Decision, decide, decideAdmin } from "./decide.js";
import { KeyCoverage } from "./key-coverage.js";
import type { Tell } from "./lint-policy.js";
import { operationFits } from "./operation-fit.js";
import {
  ADMIN_OPERATIONS,
  type AdminOperation,
  adminTarget,
  isAdminOperation,
  type Operation,
  WRITE_OPERATIONS,
} from "./operations.js";
import type { Policy, Rule } from "./policy.js";
import { matchesTarget, type Target } from "./target.js";

const WRITES: ReadonlySet<string> = new Set(WRITE_OPERATIONS);

export function lintRules(policy: Policy, catalog: Catalog, tell: Tell): void {
  const coverage = new KeyCoverage(catalog.keys.keys());
  const usedRoles = new Set<string>();
  policy.rules.forEach((rule, index) => {
    const pointer = jsonPointer("/rules", index);
    for (const term of rule.action) if (term.startsWith("role:")) usedRoles.add(term.slice(5));
    if (rule.id.trim() === "") tell("BlankRuleId", jsonPointer(pointer, "id"), "explanations cannot name this rule");
    if (rule.operations.size === 0 || rule.targets.length === 0) {
      const what = rule.targets.length === 0 ? "targets" : "operations";
      tell("RuleGrantsNothing", pointer, `the rule ${JSON.stringify(rule.id)} has no ${what}`);
      return;
    }
    const matched = lintTargets(rule, pointer, coverage, tell);
    lintUsability(policy, catalog, rule, pointer, coverage, tell);
    if (matched) lintDeath(policy, catalog, rule, pointer, coverage, tell);
  });
  for (const role of policy.roles.keys()) {
    if (!usedRoles.has(role)) tell("UnusedRole", jsonPointer("/roles", role), "no rule names this role");
  }
}

/** @returns True when some target covers something. */
function lintTargets(rule: Rule, pointer: string, coverage: KeyCoverage, tell: Tell): boolean {
  let matched = false;
  rule.targets.forEach((target, index) => {
    if (coverage.covered(target).length > 0 || adminOperations(rule, target).length > 0) {
      matched = true;
      return;
    }
    const at = jsonPointer(pointer, "target", index);
    tell("UnmatchedTarget", at, `${JSON.stringify(target.spelling)} covers no key of the catalog`);
  });
  return matched;
}

/** The admin operations of the rule whose reserved text the target covers. */
function adminOperations(rule: Rule, target: Target): AdminOperation[] {
  return ADMIN_OPERATIONS.filter((op) => rule.operations.has(op) && matchesTarget(target, adminTarget(op)));
}

function lintUsability(
  policy: Policy,
  catalog: Catalog,
  rule: Rule,
  pointer: string,
  coverage: KeyCoverage,
  tell: Tell,
): void {
  const keys = new Set(rule.targets.flatMap((target) => coverage.covered(target)));
  const entries = [...keys].map((name) => catalog.keys.get(name)!);
  const remote = rule.subjects.every((name) => name === policy.unauthenticatedSubject);
  rule.action.forEach((term, index) => {
    if (term === "*") return;
    const unusable = [...rule.operations]
      .filter(
        ([operation, spelling]) => spelling === term && whyUnusable(operation, rule, entries, remote) !== undefined,
      )
      .map(([operation]) => `${operation} (${whyUnusable(operation, rule, entries, remote)})`);
    if (unusable.length === 0) return;
    const problem = `${JSON.stringify(term)} in rule ${JSON.stringify(rule.id)} grants what nothing can use: ${unusable.join(", ")}`;
    tell("UnusableGrant", jsonPointer(pointer, "action", index), problem);
  });
}

/** These ask for a peer uid besides the grant. */
const NEEDS_UID: ReadonlySet<Operation> = new Set(["sign", "verify", "new_key", "reload"]);

function whyUnusable(
  operation: Operation,
  rule: Rule,
  entries: readonly KeyEntry[],
  remote: boolean,
): string | undefined {
  if (remote && NEEDS_UID.has(operation)) return "a caller without a uid may not";
  if (isAdminOperation(operation)) {
    const target = adminTarget(operation);
    return rule.targets.some((covering) => matchesTarget(covering, target)) ? undefined : `only on ${target}`;
  }
  // A rule whose targets cover nothing is told by its targets.
  if (entries.length === 0) return undefined;
  const fitting = entries.filter((key) => operationFits(operation, key));
  if (fitting.length === 0) return "no covered key is of a class that can";
  if (WRITES.has(operation) && fitting.every(({ writable }) => !writable)) return "no covered key is writable";
  if (operation === "sign" && fitting.every(isCredentialIssuer)) return "credential issuers never sign raw bytes";
  return undefined;
}

/** A rule is dead when it is never the one that allows, and an earlier one is. */
function lintDeath(
  policy: Policy,
  catalog: Catalog,
  rule: Rule,
  pointer: string,
  coverage: KeyCoverage,
  tell: Tell,
): void {
  let allowedByOthers = false;
  for (const decision of decisionsOf(policy, catalog, rule, coverage)) {
    if (!decision.allowed) continue;
    if (decision.matched?.rule === rule.id) return;
    allowedByOthers = true;
  }
  if (!allowedByOthers) return;
  tell(
    "DeadRule",
    pointer,
    `the rule ${JSON.stringify(rule.id)} is never the one that allows: earlier rules allow all it does`,
  );
}

/** The decision on everything the rule grants. */
function* decisionsOf(policy: Policy, catalog: Catalog, rule: Rule, coverage: KeyCoverage): Generator<Decision> {
  for (const subject of rule.subjects) {
    for (const target of rule.targets) {
      for (const operation of adminOperations(rule, target)) yield decideAdmin(policy, subject, operation);
      for (const operation of rule.operations.keys()) {
        if (isAdminOperation(operation)) continue;
        for (const key of coverage.covered(target)) yield decide(policy, catalog, subject, operation, key);
      }
    }
  }
}
