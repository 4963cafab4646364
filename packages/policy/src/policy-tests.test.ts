import { readFileSync } from "node:fs";
import { parseCatalog } from "@basil/catalog";
import { describe, expect, it } from "vitest";
import { PolicyError } from "./errors.js";
import { parsePolicy } from "./parse-policy.js";
import { parsePolicyTests, runPolicyTests } from "./policy-tests.js";

const read = (name: string) => readFileSync(new URL(`../../../vectors/documents/pair-a.${name}.json`, import.meta.url));
const catalog = parseCatalog(read("catalog"));
const policy = parsePolicy(read("policy"));

function report(...cases: object[]) {
  return runPolicyTests(policy, catalog, parsePolicyTests(JSON.stringify({ cases })));
}

/** What each question's answer gets wrong; null for nothing. */
function problems(...cases: object[]): (string | null)[] {
  return report(...cases).results.map(({ problem }) => problem ?? null);
}

describe("runPolicyTests", () => {
  it("passes the table of example pair A (§8.1)", () => {
    const { passed, failed } = report(
      { uid: 7001, op: "sign", key: "shop.api.token_signer", expect: "allow", rule: "shop-app" },
      { uid: 7001, op: "get", key: "shop.partner.api_key", expect: "deny", reason: "not_permitted" },
      { uid: 7001, op: "get", key: "shop.tls.ca", expect: "allow", via: "public_class" },
      { uid: 7050, op: ["rotate", "set"], key: ["shop.db.password", "shop.db.field_key"], expect: "allow" },
      { uid: 7050, op: "reload", key: "broker.reload", expect: "allow" },
      { uid: 7101, op: "list", key: "shop.tls.ca", expect: "deny", reason: "ambiguous_actor_subject:7101" },
      { unauthenticated: true, op: "list", key: "shop.tls.ca", expect: "deny", reason: "no_actor_subject" },
      { subject: "glass.root", op: "get", key: "nope.key", expect: "deny", reason: "unknown_key" },
    );
    expect({ passed, failed }).toEqual({ passed: 11, failed: 0 });
  });

  it("says what is not as expected", () => {
    expect(
      problems(
        { uid: 7001, op: "sign", key: "shop.api.token_signer", expect: "deny" },
        { uid: 7001, op: "get", key: "shop.tls.ca", expect: "deny" },
        { uid: 7001, op: "set", key: "shop.db.password", expect: "allow" },
        { uid: 7001, op: "sign", key: "shop.api.token_signer", expect: "allow", rule: "root" },
        { uid: 7001, op: "get", key: "shop.tls.ca", expect: "allow", rule: "root" },
        { uid: 7001, op: "get", key: "shop.tls.ca", expect: "allow", via: "subject:svc.shop" },
        { uid: 7050, op: "set", key: "shop.partner.api_key", expect: "deny", reason: "not_permitted" },
      ),
    ).toEqual([
      "allowed via subject:svc.shop, rule shop-app",
      "allowed via public_class, rule none",
      "denied: not_permitted",
      "the rule is shop-app, not root",
      "the rule is none, not root",
      "via is public_class, not subject:svc.shop",
      "the reason is not_writable, not not_permitted",
    ]);
  });

  it("takes a slip in a name for a failure, not for a denial that came true", () => {
    expect(
      problems(
        { subject: "svc.shop", op: "get", key: "shop.db.pasword", expect: "deny" },
        { subject: "svc.shopp", op: "get", key: "shop.db.password", expect: "deny" },
      ),
    ).toEqual([
      'no key "shop.db.pasword" in the catalog; expect it with "reason": "unknown_key"',
      'no subject "svc.shopp"',
    ]);
  });

  it("names cases by name or place, one result for each question", () => {
    const { results } = report(
      { uid: 0, op: ["get", "list"], key: ["shop.tls.ca"], expect: "allow" },
      { name: "root signs", uid: 0, op: "sign", key: "shop.api.token_signer", expect: "allow" },
    );
    expect(results.map(({ name, got }) => `${name}: ${got.op} ${got.decision}`)).toEqual([
      "case 0: get allow",
      "case 0: list allow",
      "root signs: sign allow",
    ]);
  });

  it("gives a caller the groups of its host where the policy has no memberships", () => {
    const open = parsePolicy('{"subjects":{"g":{"allOf":[{"kind":"unix","gid":50}]}}}');
    const cases = parsePolicyTests(
      '{"cases":[{"uid":1,"groups":[50],"op":"get","key":"shop.tls.ca","expect":"allow"},{"uid":1,"gid":51,"op":"get","key":"shop.tls.ca","expect":"deny"}]}',
    );
    expect(runPolicyTests(open, catalog, cases)).toMatchObject({ passed: 2, failed: 0 });
  });
});

describe("parsePolicyTests", () => {
  it.for([
    ["nothing", "{}", ["Json /cases"]],
    ["a list", "[]", ["Json "]],
    ["an unknown member", '{"cases":[],"case":[]}', ["Json /case"]],
    ["a repeated member", '{"cases":[],"cases":[]}', ["Json /cases"]],
    ["an unknown operation", '{"cases":[{"uid":1,"op":"sing","key":"k","expect":"deny"}]}', ["Json /cases/0/op/0"]],
    ["no expectation", '{"cases":[{"uid":1,"op":"sign","key":"k"}]}', ["Json /cases/0/expect"]],
    ["no caller", '{"cases":[{"op":"sign","key":"k","expect":"deny"}]}', ["InvalidCase /cases/0"]],
    [
      "two callers",
      '{"cases":[{"uid":1,"subject":"s","op":"sign","key":"k","expect":"deny"}]}',
      ["InvalidCase /cases/0"],
    ],
    [
      "groups of a subject",
      '{"cases":[{"subject":"s","gid":1,"op":"sign","key":"k","expect":"deny"}]}',
      ["InvalidCase /cases/0"],
    ],
    [
      "a rule of a denial",
      '{"cases":[{"uid":1,"op":"sign","key":"k","expect":"deny","rule":"r"}]}',
      ["InvalidCase /cases/0"],
    ],
    [
      "a reason of an allowance",
      '{"cases":[{"uid":1,"op":"sign","key":"k","expect":"allow","reason":"r"}]}',
      ["InvalidCase /cases/0"],
    ],
  ] as [string, string, string[]][])("refuses %s", ([, text, refusals]) => {
    let error: unknown;
    try {
      parsePolicyTests(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(PolicyError);
    const refused = error as PolicyError;
    expect(refused.code).toBe("POLICY_TESTS_REFUSED");
    expect(refused.refusals.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual(refusals);
  });
});
