import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateIdentityPolicies } from "./evaluate.js";
import { parsePolicyDocument } from "./policy-document.js";
import { matchesArn, matchesWildcard } from "./wildcard.js";

const key = "arn:aws:kms:us-east-1:111122223333:key/1111abcd-12ab-34cd-56ef-1234567890ab";

/** As it stands in a document. */
const variable = (name: string) => `\${${name}}`;

function effect(
  statements: object | object[],
  action: string,
  resource = key,
  context: Record<string, readonly string[]> = {},
  Version = "2012-10-17",
) {
  const policy = parsePolicyDocument({ Version, Statement: statements }, "identity");
  return evaluateIdentityPolicies([policy], { action, resource, context: () => new Map(Object.entries(context)) });
}

describe("evaluateIdentityPolicies", () => {
  it.for([
    ["an action in another case", { Action: "KMS:sign", Resource: "*" }, "Allow"],
    ["an action with wildcards", { Action: "kms:S?g*", Resource: "*" }, "Allow"],
    ["a lone star", { Action: "*", Resource: "*" }, "Allow"],
    ["another action", { Action: "kms:Verify", Resource: "*" }, undefined],
    ["NotAction of another action", { NotAction: "kms:Verify", Resource: "*" }, "Allow"],
    ["NotAction of this action", { NotAction: "kms:*", Resource: "*" }, undefined],
    ["the key ARN", { Action: "kms:Sign", Resource: key }, "Allow"],
    ["a key ARN pattern", { Action: "kms:Sign", Resource: "arn:aws:kms:*:111122223333:key/*" }, "Allow"],
    ["a pattern that spans segments", { Action: "kms:Sign", Resource: "arn:aws:kms:*:key/*:*:*" }, undefined],
    ["an alias ARN", { Action: "kms:Sign", Resource: "arn:aws:kms:us-east-1:111122223333:alias/*" }, undefined],
    [
      "NotResource of another key",
      { Action: "kms:Sign", NotResource: "arn:aws:kms:us-east-1:111122223333:key/2*" },
      "Allow",
    ],
    ["NotResource of this key", { Action: "kms:Sign", NotResource: key }, undefined],
  ] as const)("%s", ([, statement, expected]) => {
    expect(effect({ Effect: "Allow", ...statement }, "kms:Sign")).toBe(expected);
  });

  it("lets a deny beat every allow", () => {
    const allow = { Effect: "Allow", Action: "*", Resource: "*" };
    const deny = { Effect: "Deny", Action: "kms:Sign", Resource: key };
    expect(effect([allow, deny, allow], "kms:Sign")).toBe("Deny");
    expect(effect([allow, deny], "kms:Verify")).toBe("Allow");
  });

  it("fills in variables of the request, and matches nothing where one has no value", () => {
    const statement = {
      Effect: "Allow",
      Action: "kms:Sign",
      Resource: `arn:aws:kms:us-east-1:111122223333:key/${variable("aws:username")}`,
    };
    const resource = "arn:aws:kms:us-east-1:111122223333:key/ann";
    expect(effect(statement, "kms:Sign", resource, { "aws:username": ["ann"] })).toBe("Allow");
    expect(effect(statement, "kms:Sign", resource, { "aws:username": ["bob"] })).toBe(undefined);
    expect(effect(statement, "kms:Sign", resource)).toBe(undefined);
    expect(effect(statement, "kms:Sign", resource, { "aws:username": ["ann"] }, "2008-10-17")).toBe(undefined);
  });

  it("takes the default of a variable, and the escaped characters as themselves", () => {
    const condition = {
      Effect: "Allow",
      Action: "*",
      Resource: "*",
      Condition: { StringEquals: { "aws:PrincipalTag/team": variable("aws:PrincipalTag/unit, 'core'") } },
    };
    expect(effect(condition, "kms:Sign", key, { "aws:principaltag/team": ["core"] })).toBe("Allow");
    const star = { Effect: "Allow", Action: "*", Resource: "*", Condition: { StringLike: { "s:a": variable("*") } } };
    expect(effect(star, "kms:Sign", key, { "s:a": ["*"] })).toBe("Allow");
    expect(effect(star, "kms:Sign", key, { "s:a": ["x"] })).toBe(undefined);
    const arn = `arn:aws:kms:us-east-1:111122223333:key/${variable("?")}*`;
    const named = { Effect: "Allow", Action: "*", Resource: arn };
    expect(effect(named, "kms:Sign", "arn:aws:kms:us-east-1:111122223333:key/?2")).toBe("Allow");
    expect(effect(named, "kms:Sign", "arn:aws:kms:us-east-1:111122223333:key/12")).toBe(undefined);
  });
});

describe("wildcards", () => {
  it("agree with regular expressions on small patterns", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 8 });
    const texts = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 });
    fc.assert(
      fc.property(letters, texts, (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll("*", "[ab]*").replaceAll("?", "[ab]")}$`);
        expect(matchesWildcard(pattern, text)).toBe(expression.test(text));
      }),
    );
  });

  it("take no longer for a hostile pattern", () => {
    expect(matchesWildcard(`${"*a".repeat(2000)}*b`, "a".repeat(4000))).toBe(false);
  });

  it("match ARNs segment by segment, the last with its colons", () => {
    expect(matchesArn("arn:aws:sns:*:*:a:b", "arn:aws:sns:r:1:a:b")).toBe(true);
    expect(matchesArn("arn:aws:sns:*", "arn:aws:sns:r:1:a")).toBe(false);
  });
});
