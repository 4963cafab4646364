import { readFileSync } from "node:fs";
import { parseCatalog } from "@basil/catalog";
import { describe, expect, it } from "vitest";
import { LINT_CODES, lintPolicy } from "./lint-policy.js";
import { parsePolicy } from "./parse-policy.js";

const key = (path: string, more: object = {}) => ({
  class: "value",
  backend: "m",
  path,
  writable: true,
  description: "d",
  ...more,
});
const catalog = parseCatalog(
  JSON.stringify({
    schemaVersion: 1,
    backends: { m: { kind: "vault", addr: "" } },
    keys: {
      "app.secret": key("a"),
      "app.fixed": key("b", { writable: false }),
      "app.signer": key("c", { class: "asymmetric", keyType: "ecdsa-p256" }),
      "id.issuer": key("d", { class: "asymmetric", keyType: "ecdsa-p256", labels: ["svid_kind=jwt"] }),
    },
  }),
);
const uid = (value: number, gid?: number) => ({ kind: "unix", uid: value, ...(gid === undefined ? {} : { gid }) });
const gid = (value: number) => ({ kind: "unix", gid: value });
const signer = { kind: "signature-key", algorithm: "ed25519", public: "Eiu3CxrlQDugtOjSn4tG2w6D3UItrKUnEj9mrmtKpDM" };
const s = { allOf: [uid(1)] };
const rule = (more: object) => ({ id: "r", subjects: ["s"], action: ["op:get"], target: ["app.secret"], ...more });

function findings(document: object): string[] {
  return lintPolicy(parsePolicy(JSON.stringify(document)), catalog)
    .filter(({ code }) => code !== "PolicyGrantsNothing")
    .map(({ code, pointer }) => `${code} ${pointer}`);
}

describe("lintPolicy", () => {
  it("has nothing to say about a policy in order", () => {
    expect(findings({ subjects: { s }, rules: [rule({})] })).toEqual([]);
  });

  it("finds uids that match several subjects, by memberships (§9.4)", () => {
    const document = {
      subjects: { s, g: { allOf: [gid(50)] } },
      rules: [rule({ subjects: ["s", "g"] })],
      config: { memberships: { 1: [50], 2: [50] }, names: { users: { 1: "ann" } } },
    };
    expect(findings(document)).toEqual(["AmbiguousSubjects /subjects/s"]);
    const [finding] = lintPolicy(parsePolicy(JSON.stringify(document)), catalog);
    expect(finding).toMatchObject({
      severity: "warning",
      message: '/subjects/s: uid ann(1) matches "g" and "s", so it is denied everything',
    });
  });

  it("finds subjects that may meet where the kernel's groups count (§9.4)", () => {
    const rules = [rule({ subjects: ["s", "g"] })];
    expect(findings({ subjects: { s, g: { allOf: [gid(50)] } }, rules })).toEqual(["OverlappingSubjects /subjects/g"]);
    expect(findings({ subjects: { s, g: { allOf: [gid(50)] } }, rules, config: { memberships: { 2: [50] } } })).toEqual(
      [],
    );
    expect(findings({ subjects: { s, g: { allOf: [gid(50), uid(2)] } }, rules })).toEqual([]);
    expect(findings({ subjects: { s, g: { anyOf: [uid(1, 50)] } }, rules })).toEqual([
      "OverlappingSubjects /subjects/g",
    ]);
    const groups = { subjects: { s: { allOf: [gid(51)] }, g: { allOf: [gid(50)] } }, rules };
    expect(findings(groups)).toEqual(["OverlappingSubjects /subjects/s"]);
  });

  it("finds expressions no caller can match (§2.4)", () => {
    const rules = [rule({ subjects: ["s", "t"] })];
    const code = ["SubjectNeverMatches /subjects/t"];
    expect(findings({ subjects: { s, t: { allOf: [uid(2), uid(3)] } }, rules })).toEqual(code);
    expect(findings({ subjects: { s, t: { allOf: [uid(2), signer] } }, rules })).toEqual(code);
    expect(findings({ subjects: { s, t: { anyOf: [uid(2), signer] } }, rules })).toEqual([]);
    expect(findings({ subjects: { s, t: { allOf: [uid(2), uid(2)] } }, rules })).toEqual([]);
  });

  it("finds groups that memberships gives to nobody (§2.14)", () => {
    const document = { subjects: { s, g: { allOf: [gid(50)] } }, rules: [rule({ subjects: ["s", "g"] })] };
    expect(findings({ ...document, config: { memberships: { 2: [51] } } })).toEqual([
      "GroupWithoutMembers /subjects/g",
    ]);
  });

  it("finds subjects and roles nothing uses (§2.14, §9.23)", () => {
    const document = { subjects: { s, t: { allOf: [uid(2)] } }, roles: { a: [], b: ["get"] } };
    expect(findings({ ...document, rules: [rule({ action: ["op:get", "role:a"] })] })).toEqual([
      "UnusedSubject /subjects/t",
      "UnusedRole /roles/b",
    ]);
  });

  it("finds an unauthenticated subject that does not match (§2.1)", () => {
    const document = { unauthenticatedSubject: "s", subjects: { s }, rules: [rule({})] };
    expect(findings(document)).toEqual(["UnauthenticatedSubjectNeverMatches /unauthenticatedSubject"]);
  });

  it("finds blank rule ids and rules that grant nothing (§2.5, §9.23)", () => {
    expect(findings({ subjects: { s }, rules: [rule({ id: " " })] })).toEqual(["BlankRuleId /rules/0/id"]);
    expect(findings({ subjects: { s }, rules: [rule({ action: [] })] })).toEqual(["RuleGrantsNothing /rules/0"]);
    expect(findings({ subjects: { s }, rules: [rule({ target: [] })] })).toEqual(["RuleGrantsNothing /rules/0"]);
    expect(findings({ subjects: { s }, roles: { e: [] }, rules: [rule({ action: ["role:e"] })] })).toEqual([
      "RuleGrantsNothing /rules/0",
    ]);
  });

  it("finds targets that cover nothing (§2.8, §9.23)", () => {
    expect(findings({ subjects: { s }, rules: [rule({ target: ["app.secret", "App.*", "app.secret.*"] })] })).toEqual([
      "UnmatchedTarget /rules/0/target/1",
      "UnmatchedTarget /rules/0/target/2",
    ]);
  });

  it("takes a reserved target for covered when the rule grants its operation", () => {
    expect(findings({ subjects: { s }, rules: [rule({ action: ["op:reload"], target: ["broker.*"] })] })).toEqual([]);
    expect(findings({ subjects: { s }, rules: [rule({ action: ["op:get"], target: ["broker.*"] })] })).toEqual([
      "UnmatchedTarget /rules/0/target/0",
    ]);
  });

  it("finds rules that are never the one that allows (§9.23)", () => {
    const rules = [
      rule({ id: "wide", action: ["op:get", "op:set"], target: ["app.*"] }),
      rule({ id: "narrow" }),
      rule({ id: "half", action: ["op:get", "op:list"] }),
    ];
    expect(findings({ subjects: { s }, rules })).toEqual(["DeadRule /rules/1"]);
  });

  it("finds no dead rule in administration that another key rule seems to cover", () => {
    const rules = [
      rule({ id: "a", action: ["op:reload"], target: ["broker.reload"] }),
      rule({ id: "b", action: ["op:reload"], target: ["broker.**"] }),
    ];
    expect(findings({ subjects: { s }, rules })).toEqual(["DeadRule /rules/1"]);
  });

  it.for([
    ["an operation no covered class can do", ["op:sign"], ["app.secret"]],
    ["a write to keys that are not writable", ["op:set"], ["app.fixed"]],
    ["a raw signature of issuers only", ["op:sign"], ["id.*"]],
    ["an admin operation on a key", ["op:reload"], ["app.secret"]],
    ["an operation out of a role", ["role:w"], ["app.secret", "app.signer"]],
  ] as const)("finds %s (§2.7, §2.10)", ([, action, target]) => {
    const roles = action[0] === "role:w" ? { w: ["encrypt", "verify"] } : {};
    const document = { subjects: { s }, roles, rules: [rule({ action, target })] };
    expect(findings(document)).toEqual(["UnusableGrant /rules/0/action/0"]);
  });

  it("finds operations the unauthenticated subject cannot use (§2.7)", () => {
    const document = {
      unauthenticatedSubject: "s",
      subjects: { s: { anyOf: [{ kind: "unauthenticated" }] } },
      rules: [rule({ action: ["op:verify", "op:list"], target: ["app.signer"] })],
    };
    expect(findings(document)).toEqual(["UnusableGrant /rules/0/action/0"]);
  });

  it("does not blame the star for what some keys cannot do", () => {
    const root = { breakGlass: true, allOf: [uid(0)] };
    expect(
      findings({ subjects: { root }, rules: [rule({ subjects: ["root"], action: ["*"], target: ["*"] })] }),
    ).toEqual([]);
  });

  it("speaks of the example pairs as they are (§8)", () => {
    const read = (name: string) => readFileSync(new URL(`../../../vectors/documents/${name}.json`, import.meta.url));
    const lint = (pair: string) =>
      lintPolicy(parsePolicy(read(`${pair}.policy`)), parseCatalog(read(`${pair}.catalog`))).map(
        ({ message }) => message,
      );
    expect(lint("pair-a")).toMatchSnapshot();
    expect(lint("pair-b")).toMatchSnapshot();
    expect(lint("pair-c")).toMatchSnapshot();
  });

  it.each([
    ["no rule", {}],
    [
      "a rule without operations",
      {
        subjects: { s: { allOf: [{ kind: "unix", uid: 1 }] } },
        rules: [{ id: "r", subjects: ["s"], action: [], target: ["app.secret"] }],
      },
    ],
  ])("warns of a policy that grants nothing: %s", (_, more) => {
    const codes = lintPolicy(parsePolicy(JSON.stringify({ schemaVersion: 2, ...more })), catalog).map(
      ({ code }) => code,
    );
    expect(codes).toContain("PolicyGrantsNothing");
  });

  it("has a severity for every code", () => {
    expect(new Set(Object.values(LINT_CODES))).toEqual(new Set(["warning", "notice"]));
  });
});
