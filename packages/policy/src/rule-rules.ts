import { jsonPointer, type RefusalList } from "@basil/catalog";
import { readAction } from "./action.js";
import type { PolicyRefusalCode } from "./errors.js";
import { OPERATIONS, type Operation } from "./operations.js";
import type { Rule } from "./policy.js";
import type { RuleShape } from "./policy-schema.js";
import { readTarget, type Target, type TargetProblem } from "./target.js";

type Refusals = Pick<RefusalList<PolicyRefusalCode>, "add">;

/** What a rule refers to. A subject or role that is itself refused is still one that is defined. */
export interface RuleSurroundings {
  /** Every defined subject; false for one that lacks `breakGlass`. */
  readonly subjects: ReadonlyMap<string, boolean>;
  readonly roles: ReadonlyMap<string, readonly Operation[]>;
}

/** Resolves a rule; what is wrong with it is added to `refusals`. */
export function checkRule(
  shape: Partial<RuleShape>,
  pointer: string,
  around: RuleSurroundings,
  refusals: Refusals,
): Rule {
  const { id = "", subjects = [], action = [], target = [], comment } = shape;
  subjects.forEach((name, index) => {
    if (around.subjects.has(name)) return;
    refusals.add({
      code: "UnknownSubject",
      pointer: jsonPointer(pointer, "subjects", index),
      problem: "no such subject in this document",
      found: name,
      allowed: "a name in subjects, as it reads once trimmed",
      vocabulary: around.subjects.keys(),
    });
  });
  const operations = checkActions(action, pointer, around.roles, refusals);
  const targets = checkTargets(target, subjects, pointer, around.subjects, refusals);
  return { id, subjects, action, operations, targets, ...(comment == null ? {} : { comment }) };
}

function checkActions(
  terms: readonly string[],
  pointer: string,
  roles: RuleSurroundings["roles"],
  refusals: Refusals,
): Map<Operation, string> {
  const operations = new Map<Operation, string>();
  terms.forEach((term, index) => {
    const action = readAction(term, roles);
    if ("operations" in action) {
      for (const operation of action.operations) if (!operations.has(operation)) operations.set(operation, term);
      return;
    }
    const isRole = action.problem === "unknown-role";
    refusals.add({
      code: isRole ? "UnknownRole" : "BadTerm",
      pointer: jsonPointer(pointer, "action", index),
      problem: isRole ? "no such role in this document" : "not an action",
      found: term,
      allowed: isRole ? "role: and a name in roles" : "op:<operation>, role:<name>, or *",
      vocabulary: isRole ? roleTerms(roles) : OPERATION_TERMS,
      suggestion: isRole ? undefined : action.suggestion,
    });
  });
  return operations;
}

function* roleTerms(roles: RuleSurroundings["roles"]): Generator<string> {
  for (const name of roles.keys()) yield `role:${name}`;
}

const OPERATION_TERMS = OPERATIONS.map((operation) => `op:${operation}`);

const TARGET_PROBLEMS: Readonly<Record<TargetProblem, string>> = {
  empty: "an empty target or segment",
  "wildcard-not-last": "a wildcard before the last segment",
  "intra-segment": "a wildcard inside a segment",
};

function checkTargets(
  spellings: readonly string[],
  subjects: readonly string[],
  pointer: string,
  defined: RuleSurroundings["subjects"],
  refusals: Refusals,
): Target[] {
  const targets: Target[] = [];
  const unfit = subjects.find((name) => defined.get(name) === false);
  spellings.forEach((spelling, index) => {
    const target = readTarget(spelling);
    const at = jsonPointer(pointer, "target", index);
    if ("problem" in target) {
      const problem = TARGET_PROBLEMS[target.problem];
      const allowed = "a.b, prefix.*, prefix.**, * or **";
      refusals.add({ code: "BadGlob", pointer: at, problem, found: spelling, allowed });
      return;
    }
    if (target.covers === "any" && unfit !== undefined) {
      refusals.add({
        code: "NonBreakGlassAnyTarget",
        pointer: at,
        problem: `covers every key, and the subject ${JSON.stringify(unfit)} is not breakGlass`,
        found: spelling,
        allowed: "only when every subject of the rule has breakGlass true",
      });
    }
    targets.push(target);
  });
  return targets;
}
