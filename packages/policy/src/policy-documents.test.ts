import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { POLICY_REFUSAL_CODES, PolicyError } from "./errors.js";
import { parsePolicy } from "./parse-policy.js";
import { policyJsonSchema } from "./policy-json-schema.js";

interface Mutation {
  readonly section: string;
  readonly title: string;
  readonly base: string;
  readonly patch: readonly PatchOperation[];
  readonly refusals: readonly string[];
  /** The rule is one that JSON Schema cannot say. */
  readonly schemaSilent?: true;
}
type PatchOperation =
  | { readonly op: "add"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

const mutations: Mutation[] = JSON.parse(vector("documents/policy-mutations.json"));
const cases = mutations.map((mutation) => [`${mutation.section} ${mutation.title}`, mutation] as const);
const validate = new Ajv2020({ allErrors: true }).compile(policyJsonSchema);

describe("parsePolicy", () => {
  it.for(["a", "b", "c"])("reads example pair %s (§8)", (pair) => {
    const text = vector(`documents/pair-${pair}.policy.json`);
    expect(parsePolicy(text).schemaVersion).toBe(2);
    expect(parsePolicy(new TextEncoder().encode(text)).rules).toEqual(parsePolicy(text).rules);
    expect(validate(JSON.parse(text))).toBe(true);
  });

  it.for(cases)("answers %s", ([, mutation]) => {
    expect(codesOf(JSON.stringify(mutated(mutation))).sort()).toEqual([...mutation.refusals].sort());
  });

  it("has a mutation for every code it may answer", () => {
    const told = new Set(mutations.flatMap(({ refusals }) => refusals));
    expect(POLICY_REFUSAL_CODES.filter((code) => !told.has(code))).toEqual([]);
  });

  it("refuses repeated subjects, roles, names and memberships (§0, §9.17)", () => {
    const one = '{"allOf":[{"kind":"unix","uid":1}]}';
    expect(refusalsOf(`{"subjects":{"a":${one},"a":${one}}}`)).toEqual([["Json", "/subjects/a"]]);
    expect(refusalsOf('{"roles":{"r":[],"r":[]}}')).toEqual([["Json", "/roles/r"]]);
    expect(refusalsOf('{"config":{"memberships":{"1":[],"1":[]}}}')).toEqual([["Json", "/config/memberships/1"]]);
    expect(refusalsOf('{"config":{"names":{"users":{"1":"a","1":"b"}}}}')).toEqual([["Json", "/config/names/users/1"]]);
  });

  it("names near misses (§9.16)", () => {
    const text = JSON.stringify({
      subjects: { "svc.shop": { allOf: [{ kind: "unix", uid: 1 }] } },
      roles: { reader: ["gett"] },
      rules: [{ id: "r", subjects: ["svc.shp"], action: ["get", "op:sing", "role:readers", "reader"], target: [] }],
    });
    expect(errorOf(text).refusals.map(({ pointer, suggestion }) => [pointer, suggestion])).toEqual([
      ["/roles/reader/0", "get"],
      ["/rules/0/subjects/0", "svc.shop"],
      ["/rules/0/action/0", "op:get"],
      ["/rules/0/action/1", "op:sign"],
      ["/rules/0/action/2", "role:reader"],
      ["/rules/0/action/3", "role:reader"],
    ]);
  });

  it("holds what the document says (§2.1, §2.2, §2.5, §2.6)", () => {
    const policy = parsePolicy(vector("documents/pair-a.policy.json"));
    expect([...policy.subjects.keys()]).toEqual(["glass.root", "ops.keyadmins", "ops.oncall", "svc.shop"]);
    expect(policy.subjects.get("ops.oncall")).toEqual({
      name: "ops.oncall",
      breakGlass: false,
      match: "anyOf",
      principals: [
        { kind: "unix", uid: 7100, gid: 401 },
        { kind: "unix", uid: 7101 },
      ],
    });
    expect(policy.rules[4]!.operations.size).toBe(17);
    expect(Object.fromEntries(policy.rules[1]!.operations)).toEqual({
      rotate: "role:rotator",
      set: "role:rotator",
      list: "op:list",
    });
    expect(policy.config.users.get(7050)).toBe("dana");
    expect(policy.config.memberships?.get(7050)).toEqual([7050, 400]);
  });

  it("tells an absent memberships table from an empty one", () => {
    expect(parsePolicy("{}").config.memberships).toBeUndefined();
    expect(parsePolicy('{"config":{"memberships":{}}}').config.memberships?.size).toBe(0);
  });

  it("keeps the first of several terms that stand for one operation (§2.5)", () => {
    const text = JSON.stringify({
      subjects: { s: { allOf: [{ kind: "unix", uid: 1 }] } },
      roles: { r: ["get", "set", "get"] },
      rules: [{ id: "x", subjects: ["s"], action: ["op:set", "role:r", "*", "op:get"], target: [] }],
    });
    const { operations } = parsePolicy(text).rules[0]!;
    expect([operations.get("set"), operations.get("get"), operations.get("list")]).toEqual(["op:set", "role:r", "*"]);
  });
});

describe("policyJsonSchema", () => {
  it.for(cases)("agrees with the loader on %s", ([, mutation]) => {
    const good = mutation.refusals.length === 0 || mutation.schemaSilent === true;
    expect([validate(mutated(mutation)), validate.errors]).toEqual([good, good ? null : expect.anything()]);
  });

  it("is the committed policy.schema.json", async () => {
    await expect(`${JSON.stringify(policyJsonSchema, null, 2)}\n`).toMatchFileSnapshot("../policy.schema.json");
  });
});

function vector(path: string): string {
  return readFileSync(new URL(`../../../vectors/${path}`, import.meta.url), "utf8");
}

function errorOf(text: string): PolicyError<"POLICY_REFUSED"> {
  try {
    parsePolicy(text);
  } catch (error) {
    if (error instanceof PolicyError && error.code === "POLICY_REFUSED") return error;
    throw error;
  }
  throw new Error("the document was taken");
}

function refusalsOf(text: string): [code: string, pointer: string][] {
  return errorOf(text).refusals.map(({ code, pointer }) => [code, pointer]);
}

function codesOf(text: string): string[] {
  try {
    parsePolicy(text);
    return [];
  } catch (error) {
    if (error instanceof PolicyError) return error.refusals.map(({ code }) => code);
    throw error;
  }
}

/** The base document changed by a JSON Patch (RFC 6902) of `add` and `remove`. */
function mutated({ base, patch }: Mutation): unknown {
  let document = JSON.parse(vector(`documents/${base}.policy.json`));
  for (const operation of structuredClone(patch)) {
    if (operation.path === "") {
      document = (operation as { value: unknown }).value;
      continue;
    }
    const tokens = operation.path
      .slice(1)
      .split("/")
      .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
    const member = tokens.pop()!;
    const holder = tokens.reduce((at, token) => at[token], document);
    if (operation.op === "remove") delete holder[member];
    else if (member === "-") holder.push(operation.value);
    else {
      const { value } = operation;
      Object.defineProperty(holder, member, { value, enumerable: true, configurable: true, writable: true });
    }
  }
  return document;
}
