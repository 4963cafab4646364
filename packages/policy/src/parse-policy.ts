import {
  compareNames,
  isJsonObject,
  type JsonValue,
  jsonPointer,
  RefusalList,
  readFrame,
  readJson,
  readShape,
} from "@basil/catalog";
import { AuthorityIndex } from "./authority-index.js";
import { type PolicyRefusalCode, policyRefused } from "./errors.js";
import { OPERATIONS, type Operation } from "./operations.js";
import type { Policy, Rule, Subject } from "./policy.js";
import { readConfig } from "./policy-config.js";
import { policyFrameSchema, ruleSchema, subjectSchema } from "./policy-schema.js";
import { checkRule, type RuleSurroundings } from "./rule-rules.js";
import { checkSubject, checkSubjectName } from "./subject-rules.js";

type Refusals = RefusalList<PolicyRefusalCode>;

/**
 * Reads a policy document: UTF-8 JSON, at most 64 MiB, strict at every level.
 *
 * @param source - The text or the bytes of the file.
 * @throws {@link PolicyError} `POLICY_REFUSED` with every refusal, each with the JSON pointer of its place.
 * @throws TypeError when `source` is neither a string nor a `Uint8Array`.
 */
export function parsePolicy(source: string | Uint8Array): Policy {
  const refusals: Refusals = new RefusalList();
  const document = readJson(source, refusals);
  if (document === undefined || isOtherVersion(document, refusals)) throw policyRefused(refusals);

  const walked = ["subjects", "roles", "rules", "config"];
  const frame = readFrame(policyFrameSchema, document, walked, "", refusals);
  const unauthenticated = typeof frame.unauthenticatedSubject === "string" ? frame.unauthenticatedSubject : undefined;
  const roles = readRoles(frame.roles, refusals);
  const { subjects, defined } = readSubjects(frame.subjects, unauthenticated, refusals);
  if (unauthenticated !== undefined && !defined.has(unauthenticated)) {
    refusals.add({
      code: "UnknownUnauthenticatedSubject",
      pointer: "/unauthenticatedSubject",
      problem: "no such subject in this document",
      found: unauthenticated,
      allowed: "a name in subjects, as it reads once trimmed",
      vocabulary: defined.keys(),
    });
  }
  const rules = readRules(frame.rules, { subjects: defined, roles }, refusals);
  const config = readConfig(frame.config, refusals);
  if (!refusals.empty) throw policyRefused(refusals);

  return {
    schemaVersion: 2,
    subjects,
    ...(unauthenticated === undefined ? {} : { unauthenticatedSubject: unauthenticated }),
    roles,
    rules,
    config,
    index: new AuthorityIndex(subjects.keys(), rules),
  };
}

/** A document of another version is told by its version alone: what else it holds cannot be judged. */
function isOtherVersion(document: JsonValue, refusals: Refusals): boolean {
  const version = isJsonObject(document) ? document.schemaVersion : undefined;
  if (typeof version !== "number" || version === 2 || !(version >= 0 && version <= 4294967295)) return false;
  refusals.add({
    code: "UnsupportedPolicySchema",
    pointer: "/schemaVersion",
    problem: "a policy of another version",
    found: version,
    allowed: "2",
  });
  return true;
}

function namedEntries(map: JsonValue | undefined): [name: string, value: JsonValue][] {
  return isJsonObject(map) ? Object.entries(map).sort(([a], [b]) => compareNames(a, b)) : [];
}

function readRoles(map: JsonValue | undefined, refusals: Refusals): Map<string, readonly Operation[]> {
  const roles = new Map<string, readonly Operation[]>();
  for (const [name, value] of namedEntries(map)) {
    if (refusals.full) break;
    const pointer = jsonPointer("/roles", name);
    roles.set(name, []);
    if (!Array.isArray(value)) {
      refusals.add({ code: "Json", pointer, problem: "not allowed here", found: value, allowed: "an array" });
      continue;
    }
    const operations = new Set<Operation>();
    value.forEach((token, index) => {
      const operation = OPERATIONS.find((known) => known === token);
      if (operation !== undefined) operations.add(operation);
      else {
        refusals.add({
          code: "Json",
          pointer: jsonPointer(pointer, index),
          problem: "no such operation",
          found: token,
          allowed: OPERATIONS.join(", "),
          vocabulary: OPERATIONS,
          suggestion: OPERATIONS.find((known) => `op:${known}` === token),
        });
      }
    });
    roles.set(name, [...operations]);
  }
  return roles;
}

/** `defined` holds every name, those of refused subjects too, so that a rule is not blamed for them. */
function readSubjects(map: JsonValue | undefined, unauthenticated: string | undefined, refusals: Refusals) {
  const subjects = new Map<string, Subject>();
  const defined = new Map<string, boolean>();
  for (const [written, value] of namedEntries(map)) {
    if (refusals.full) break;
    const pointer = jsonPointer("/subjects", written);
    const name = checkSubjectName(written, pointer, refusals);
    const shape = readShape(subjectSchema, value, pointer, refusals);
    const subject = shape && checkSubject(name ?? written, shape, pointer, name === unauthenticated, refusals);
    if (name === undefined) continue;
    if (defined.has(name)) {
      const allowed = "names that differ once trimmed";
      const problem = "another subject reads the same once trimmed";
      refusals.add({ code: "DuplicateSubjectName", pointer, problem, found: written, allowed });
    }
    // What is wrong with a subject is told once; its rules are not judged by it.
    defined.set(name, shape === undefined || shape.wrong.has("breakGlass") || shape.members.breakGlass === true);
    if (subject !== undefined) subjects.set(name, subject);
  }
  return { subjects: new Map([...subjects].sort(([a], [b]) => compareNames(a, b))), defined };
}

function readRules(list: JsonValue | undefined, around: RuleSurroundings, refusals: Refusals): Rule[] {
  const rules: Rule[] = [];
  const ids = new Map<string, number>();
  for (const [index, value] of (Array.isArray(list) ? list : []).entries()) {
    if (refusals.full) break;
    const pointer = jsonPointer("/rules", index);
    const shape = readShape(ruleSchema, value, pointer, refusals);
    checkRuleId(shape?.members.id, index, ids, refusals);
    if (shape?.members.subjects?.length === 0) {
      refusals.add({
        code: "EmptyRuleSubjects",
        pointer: jsonPointer(pointer, "subjects"),
        problem: "a rule for nobody",
        found: isJsonObject(value) ? value.subjects : undefined,
        allowed: "at least one name in subjects",
      });
    }
    rules.push(checkRule(shape?.members ?? {}, pointer, around, refusals));
  }
  return rules;
}

function checkRuleId(id: string | undefined, index: number, ids: Map<string, number>, refusals: Refusals): void {
  if (id === undefined) return;
  const first = ids.get(id);
  if (first === undefined) {
    ids.set(id, index);
    return;
  }
  refusals.add({
    code: "DuplicateRuleId",
    pointer: jsonPointer("/rules", index, "id"),
    problem: `rule ${first} has the same id`,
    found: id,
    allowed: "an id of its own",
  });
}
