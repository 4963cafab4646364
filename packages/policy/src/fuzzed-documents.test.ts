import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyChange, documentChange } from "../../../tests/document-changes.js";
import { many, TEN_MEGABYTES } from "../../../tests/megabytes.js";
import { PolicyError, type PolicyRefusalCode } from "./errors.js";
import { OPERATIONS } from "./operations.js";
import { parsePolicy } from "./parse-policy.js";
import { policyJsonSchema } from "./policy-json-schema.js";

/** How many times longer than usual; the script `test:long` sets it. */
const LENGTH = Number(process.env.BASIL_TEST_LENGTH ?? 1);

const pairs = ["a", "b", "c"].map((pair) =>
  readFileSync(new URL(`../../../vectors/documents/pair-${pair}.policy.json`, import.meta.url), "utf8"),
);

/** Rules about names that refer to each other: the JSON Schema cannot say them. */
const SILENT: readonly PolicyRefusalCode[] = [
  "DuplicateSubjectName",
  "InvalidUnauthenticatedPrincipal",
  "UnknownUnauthenticatedSubject",
  "DuplicateRuleId",
  "UnknownSubject",
  "UnknownRole",
  "NonBreakGlassAnyTarget",
];

const words = [
  ...OPERATIONS.slice(0, 3),
  "op:get",
  "op:fly",
  "role:app",
  "role:x",
  "*",
  "**",
  "a.*",
  "a*",
  "a..b",
  "",
  " ",
  "unix",
  "unauthenticated",
  "signature-key",
  "ed25519",
  "svc.shop",
  "guest",
  "__proto__",
  "日本",
  "\u0085",
  "a\tb",
];
const members = [
  "kind",
  "uid",
  "gid",
  "allOf",
  "anyOf",
  "breakGlass",
  "algorithm",
  "public",
  "id",
  "subjects",
  "action",
  "target",
  "comment",
  "roles",
  "rules",
  "config",
  "names",
  "users",
  "memberships",
  "unauthenticatedSubject",
  "$schema",
  "__proto__",
  "0",
  "01",
  "x",
  " ",
  " spaced ",
];
const change = documentChange({
  maxSteps: 6,
  members,
  words,
  values: [
    null,
    true,
    0,
    1,
    -1,
    4294967295,
    {},
    [],
    [""],
    { kind: "unix", uid: 1 },
    { kind: "unauthenticated" },
    { anyOf: [{ kind: "unix", gid: 2 }] },
  ],
});

describe("parsePolicy", () => {
  it("takes or refuses whatever is made of an example, as the JSON Schema does", () => {
    const validate = new Ajv2020({ allErrors: true }).compile(policyJsonSchema);
    fc.assert(
      fc.property(fc.constantFrom(...pairs), fc.array(change, { minLength: 1, maxLength: 3 }), (text, changes) => {
        const document = JSON.parse(text);
        for (const one of changes) applyChange(document, structuredClone(one));
        const codes = codesOf(JSON.stringify(document));
        expect([validate(document), codes]).toEqual([codes.every((code) => SILENT.includes(code)), codes]);
      }),
      { numRuns: 1000 * LENGTH },
    );
  });

  it("takes or refuses any JSON text", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        codesOf(text);
      }),
      { numRuns: 200 * LENGTH },
    );
  });
});

/** For what is slow to state: issues of a wrong shape. The long run takes ten. */
const MEGABYTES = LENGTH > 1 ? TEN_MEGABYTES : 2 * 1024 * 1024;

const subject = (i: number) => `"s${i}":{"allOf":[{"kind":"unix","uid":${i}}]}`;
const rule = (i: number) => `{"id":"r${i}","subjects":["s0"],"action":["*"],"target":["t${i}.**"]}`;

describe("parsePolicy, given megabytes of", () => {
  it.for([
    ["rules, reads them", () => `{"subjects":{${subject(0)}},"rules":[${many(rule)}]}`, []],
    ["subjects, reads them", () => `{"subjects":{${many(subject, MEGABYTES)}}}`, []],
    ["memberships, reads them", () => `{"config":{"memberships":{${many((i) => `"${i}":[${i}]`, MEGABYTES)}}}}`, []],
    [
      "rules that name nothing",
      () => `{"rules":[${many((i) => `{"id":"r${i}","subjects":["s"],"action":["role:q${i}"]}`)}]}`,
      ["UnknownRole", "UnknownSubject"],
    ],
    [
      "roles and near misses of their names",
      () =>
        `{"subjects":{${subject(0)}},"roles":{${many((i) => `"r${i}":["get"]`, MEGABYTES / 2)}},"rules":[${many((i) => `{"id":"r${i}","subjects":["s0"],"action":["role:R${i}x"]}`, MEGABYTES / 2)}]}`,
      ["UnknownRole"],
    ],
    [
      "wild targets",
      () =>
        `{"subjects":{${subject(0)}},"rules":[{"id":"r","subjects":["s0"],"target":["${"a*".repeat(MEGABYTES / 2)}"]}]}`,
      ["BadGlob"],
    ],
    ["one role name", () => `{"roles":{"${"x".repeat(TEN_MEGABYTES)}":["get"]}}`, []],
    [
      "control characters in a name",
      () => `{"subjects":{"${"\\u0001".repeat(TEN_MEGABYTES / 6)}":{"allOf":[{"kind":"unix","uid":1}]}}}`,
      ["BadSubjectName"],
    ],
    ["repeated principals", () => `{"subjects":{"s":{"allOf":[${many(() => "1", MEGABYTES)}]}}}`, ["Json"]],
  ] as [string, () => string, string[]][])("%s, answers", ([, make, codes]) => {
    expect([...new Set(codesOf(make()))].sort()).toEqual(codes);
  });

  it("subjects and targets in one rule, reads it: their product is never made", () => {
    const list = (make: (i: number) => string) => many(make, 500_000);
    const subjects = `"subjects":{${many(subject, 3_000_000)}}`;
    const rules = `"rules":[{"id":"r","subjects":[${list((i) => `"s${i}"`)}],"action":["*"],"target":[${list((i) => `"t${i}.**"`)}]}]`;
    const policy = parsePolicy(`{${subjects},${rules}}`);
    expect(policy.index.find("s7", "get", "t30000.x")?.rule.id).toBe("r");
  });
});

function codesOf(text: string): PolicyRefusalCode[] {
  try {
    parsePolicy(text);
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return error.refusals.map(({ code }) => code as PolicyRefusalCode);
    throw error;
  }
}
