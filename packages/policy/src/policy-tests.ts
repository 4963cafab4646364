import {
  type Catalog,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonPointer,
  RefusalList,
  readFrame,
  readJson,
  readShape,
} from "@basil/catalog";
import * as z from "zod";
import { type PolicyTestRefusalCode, policyTestsRefused } from "./errors.js";
import { type Explanation, explain, explainCaller } from "./explain.js";
import type { Identity } from "./identity.js";
import { OPERATIONS } from "./operations.js";
import type { Policy } from "./policy.js";
import { uint32Schema } from "./policy-schema.js";

const caseSchema = z.strictObject({
  name: z.string().optional(),
  subject: z.string().optional(),
  uid: uint32Schema.optional(),
  gid: uint32Schema.optional(),
  groups: z.array(uint32Schema).optional(),
  unauthenticated: z.literal(true).optional(),
  op: z.array(z.enum(OPERATIONS)),
  key: z.array(z.string()),
  expect: z.enum(["allow", "deny"]),
  via: z.string().optional(),
  rule: z.string().optional(),
  reason: z.string().optional(),
});
const frameSchema = z.strictObject({ $schema: z.string().optional(), cases: z.array(z.unknown()) });

/**
 * One line of a table of expectations. The caller is a subject by name, a local caller by uid (with the groups its host gives
 * it, for policies without `memberships`), or one without credentials. Each operation is asked on each key.
 */
export interface PolicyTestCase extends z.output<typeof caseSchema> {}

/**
 * Reads a table of expectations: `{ "cases": [{ "uid": 7001, "op": "sign", "key": ["a", "b"], "expect": "allow" }] }`.
 * `op` and `key` are one text or several. `via` and `rule` may be demanded of an allow, `reason` of a deny.
 *
 * @throws {@link PolicyError} `POLICY_TESTS_REFUSED` with every refusal.
 */
export function parsePolicyTests(source: string | Uint8Array): PolicyTestCase[] {
  const refusals = new RefusalList<PolicyTestRefusalCode>();
  const document = readJson(source, refusals);
  if (document === undefined) throw policyTestsRefused(refusals);
  const { cases } = readFrame(frameSchema, document, ["cases"], "", refusals);
  const read = (Array.isArray(cases) ? cases : []).map((value, index) =>
    readCase(value, jsonPointer("/cases", index), refusals),
  );
  if (!refusals.empty) throw policyTestsRefused(refusals);
  return read;
}

function readCase(value: JsonValue, pointer: string, refusals: RefusalList<PolicyTestRefusalCode>): PolicyTestCase {
  const shape = readShape(caseSchema, isJsonObject(value) ? withLists(value) : value, pointer, refusals);
  const { subject, uid, gid, groups, unauthenticated, expect, via, rule, reason } = shape?.members ?? {};
  const refuse = (problem: string, allowed: string) =>
    refusals.add({ code: "InvalidCase", pointer, problem, found: value, allowed });
  const callers = [subject, uid, unauthenticated].filter((caller) => caller !== undefined).length;
  if (shape?.wrong.size === 0 && callers !== 1)
    refuse(`names ${callers} callers`, "one of subject, uid, unauthenticated");
  if (uid === undefined && (gid !== undefined || groups !== undefined))
    refuse("groups of no uid", "gid and groups with uid");
  if (expect === "deny" && (via ?? rule) !== undefined) refuse("a denial has no via and no rule", "reason");
  if (expect === "allow" && reason !== undefined) refuse("an allowance has no reason", "via, rule");
  return shape?.members as PolicyTestCase;
}

/** One text stands for a list of one. */
function withLists(value: JsonObject): JsonObject {
  const copy: JsonObject = Object.assign(Object.create(null), value);
  for (const member of ["op", "key"]) if (typeof copy[member] === "string") copy[member] = [copy[member]];
  return copy;
}

export interface PolicyTestResult {
  /** The case's name, else its place in the table. */
  readonly name: string;
  readonly pass: boolean;
  readonly got: Explanation;
  /** What is not as expected. */
  readonly problem?: string;
}

export interface PolicyTestReport {
  readonly passed: number;
  readonly failed: number;
  /** One for each question, in the order of the table. */
  readonly results: readonly PolicyTestResult[];
}

/** Asks the enforcing code every question of the table. */
export function runPolicyTests(policy: Policy, catalog: Catalog, cases: readonly PolicyTestCase[]): PolicyTestReport {
  const results: PolicyTestResult[] = [];
  cases.forEach((test, index) => {
    const name = test.name ?? `case ${index}`;
    for (const op of test.op) {
      for (const key of test.key) {
        const got =
          test.subject === undefined
            ? explainCaller(policy, catalog, identityOf(test), op, key)
            : explain(policy, catalog, test.subject, op, key);
        const problem = problemOf(policy, test, got);
        results.push({ name, pass: problem === undefined, got, ...(problem === undefined ? {} : { problem }) });
      }
    }
  });
  const passed = results.filter(({ pass }) => pass).length;
  return { passed, failed: results.length - passed, results };
}

function identityOf({ uid, gid, groups }: PolicyTestCase): Identity {
  if (uid === undefined) return { kind: "unauthenticated" };
  return { kind: "unix", uid, gid: gid ?? null, groups: groups ?? null, pid: null };
}

function problemOf(policy: Policy, test: PolicyTestCase, got: Explanation): string | undefined {
  if (test.subject !== undefined && !policy.subjects.has(test.subject))
    return `no subject ${JSON.stringify(test.subject)}`;
  if (got.decision !== test.expect) {
    return got.decision === "deny" ? `denied: ${got.reason}` : `allowed via ${got.via}, rule ${ruleOf(got) ?? "none"}`;
  }
  const differs = (what: string, wanted: string | undefined, has: string | undefined) =>
    wanted === undefined || wanted === has ? undefined : `${what} is ${has ?? "none"}, not ${wanted}`;
  const different =
    differs("via", test.via, got.via) ??
    differs("the rule", test.rule, ruleOf(got)) ??
    differs("the reason", test.reason, got.reason);
  // A slip in a key's name would make any expected denial come true.
  if (different === undefined && got.reason === "unknown_key" && test.reason === undefined) {
    return `no key ${JSON.stringify(got.key)} in the catalog; expect it with "reason": "unknown_key"`;
  }
  return different;
}

function ruleOf({ matched_rule }: Explanation): string | undefined {
  return matched_rule?.rule;
}
