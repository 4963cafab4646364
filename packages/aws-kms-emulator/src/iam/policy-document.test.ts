import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parsePolicyDocument } from "./policy-document.js";

const good = { Effect: "Allow", Action: "kms:Sign", Resource: "*" };
const seed = (name: string) => readFileSync(new URL(`../../../../vectors/seed/${name}`, import.meta.url), "utf8");

describe("parsePolicyDocument", () => {
  it.for([
    ["iam-runtime.json", "identity"],
    ["iam-provisioner.json", "identity"],
    ["ec2-trust.json", "trust"],
    ["irsa-trust.json", "trust"],
  ] as const)("takes %s as printed", ([name, kind]) => {
    const document = parsePolicyDocument(seed(name), kind);
    expect(document.text).toBe(seed(name));
    expect(document.statements.length).toBeGreaterThan(0);
  });

  it.for([
    ["text that is not JSON", "{", "", "is not JSON"],
    ["an array", "[]", "", "must be a JSON object"],
    ["an unknown member", { Statement: good, Extra: 1 }, "Extra", "allowed: Version, Id, Statement"],
    ["another version", { Version: "2020-01-01", Statement: good }, "Version", '"2012-10-17"'],
    ["no statement", { Version: "2012-10-17" }, "Statement", "is required"],
    ["a statement that is text", { Statement: ["x"] }, "Statement[0]", "must be an object"],
    [
      "an effect in lower case",
      { Statement: [good, { ...good, Effect: "allow" }] },
      "Statement[1].Effect",
      '"Allow" or "Deny"',
    ],
    ["an action without a service", { Statement: { ...good, Action: "Sign" } }, "Statement.Action", '"kms:Sign"'],
    ["an action that is a number", { Statement: { ...good, Action: [1] } }, "Statement.Action[0]", "found 1"],
    ["a resource that is no ARN", { Statement: { ...good, Resource: "alias/x" } }, "Statement.Resource", "ARNs"],
    [
      "both Action and NotAction",
      { Statement: { ...good, NotAction: "kms:*" } },
      "Statement.NotAction",
      "beside Action",
    ],
    [
      "neither Resource nor NotResource",
      { Statement: { Effect: "Allow", Action: "*" } },
      "Statement.Resource",
      "is required",
    ],
    ["a principal", { Statement: { ...good, Principal: "*" } }, "Statement.Principal", "is not a member"],
    [
      "a condition operator that is none",
      { Statement: { ...good, Condition: { Is: { a: "b" } } } },
      "Statement.Condition.Is",
      "operator",
    ],
    [
      "a condition that is a list",
      { Statement: { ...good, Condition: [] } },
      "Statement.Condition",
      "must be an object",
    ],
  ] as const)("refuses %s and names the place", ([, input, path, message]) => {
    expect(() => parsePolicyDocument(input, "identity")).toThrow(
      expect.objectContaining({
        code: "POLICY_MALFORMED",
        details: { path },
        message: expect.stringContaining(message),
      }),
    );
  });

  it("needs a principal in a key policy, and takes a statement without Action or Resource there", () => {
    expect(() => parsePolicyDocument({ Statement: good }, "key")).toThrow("Statement.Principal is required");
    expect(parsePolicyDocument({ Statement: { Effect: "Allow", Principal: "*" } }, "key").statements).toHaveLength(1);
  });

  it.for([
    [
      "NotPrincipal with Allow",
      "key",
      { Effect: "Allow", NotPrincipal: "*", Action: "*", Resource: "*" },
      "NotPrincipal",
    ],
    ["NotPrincipal in a trust policy", "trust", { Effect: "Deny", NotPrincipal: "*", Action: "sts:*" }, "NotPrincipal"],
    [
      "an action of another service in a trust policy",
      "trust",
      { Effect: "Allow", Principal: "*", Action: "kms:Sign" },
      "Action",
    ],
    ["a Sid with a space in an identity policy", "identity", { ...good, Sid: "a b" }, "Sid"],
  ] as const)("refuses %s", ([, kind, statement, member]) => {
    expect(() => parsePolicyDocument({ Statement: statement }, kind)).toThrow(
      expect.objectContaining({ code: "POLICY_MALFORMED", details: { path: `Statement.${member}` } }),
    );
  });

  it("refuses a Sid that is used twice in an identity policy, and allows it in a key policy", () => {
    const Statement = [
      { ...good, Sid: "a" },
      { ...good, Sid: "a" },
    ];
    expect(() => parsePolicyDocument({ Statement }, "identity")).toThrow("Statement[1].Sid is used twice");
    const inKeyPolicy = Statement.map((one) => ({ ...one, Principal: "*" }));
    expect(parsePolicyDocument({ Statement: inKeyPolicy }, "key").statements).toHaveLength(2);
  });

  it("refuses a kind of principal that there is not", () => {
    expect(() => parsePolicyDocument({ Statement: { ...good, Principal: { IAM: "x" } } }, "key")).toThrow(
      "Principal.IAM",
    );
  });
});
