import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PolicyStatement } from "../iam/policy-statement.js";
import { notCovered } from "./runtime-coverage.js";

const key = (n: number) => `arn:aws:kms:us-east-1:111122223333:key/${n}`;
const now = { arn: key(1), aliases: ["alias/basil/k"] };
const next = { arn: key(2), aliases: ["alias/basil/k", "alias/basil/k/v2"] };
const ACTIONS = ["kms:Sign", "kms:Verify"];
const allow = (more: Partial<PolicyStatement>): PolicyStatement => ({
  place: "Statement",
  Effect: "Allow",
  Action: ACTIONS,
  Resource: [key(1)],
  ...more,
});
const requestAlias = (pattern: string, operator = "ForAnyValue:StringLike") => ({
  [operator]: { "kms:RequestAlias": [pattern] },
});

describe("notCovered", () => {
  it.for<[string, PolicyStatement[], string[]]>([
    ["a policy that lists both ARNs", [allow({ Resource: [key(1), key(2)] })], []],
    ["a policy that lists the old ARN", [allow({})], ACTIONS],
    [
      "a policy that lists the new one for some actions",
      [allow({}), allow({ Action: ["kms:sign"], Resource: [key(2)] })],
      ["kms:Verify"],
    ],
    ["an action the daemon may not do now", [allow({ Action: ["kms:Sign"], Resource: [key(1), key(2)] })], []],
    ["a policy of other keys", [allow({ Resource: [key(7)] })], ACTIONS],
    ["an empty policy", [], ACTIONS],
    ["a wildcard", [allow({ Action: ["kms:*"], Resource: ["arn:aws:kms:*:111122223333:key/?"] })], []],
    ["request-alias", [allow({ Resource: ["*"], Condition: requestAlias("alias/basil/*") })], []],
    [
      "request-alias, exactly",
      [allow({ Resource: ["*"], Condition: requestAlias("alias/basil/k", "StringEquals") })],
      [],
    ],
    ["request-alias of another name", [allow({ Resource: ["*"], Condition: requestAlias("alias/other/*") })], ACTIONS],
    ["request-alias on the old key alone", [allow({ Condition: requestAlias("alias/basil/*") })], ACTIONS],
    [
      "a condition that cannot be told",
      [allow({ Resource: ["*"], Condition: { Bool: { "aws:x": ["true"] } } })],
      ACTIONS,
    ],
    [
      "a condition that every call of the daemon meets",
      [allow({ Resource: ["*"], Condition: { Bool: { "aws:SecureTransport": ["true"] } } })],
      [],
    ],
    [
      "an allow for calls of other services",
      [allow({ Resource: ["*"], Condition: { StringEquals: { "kms:ViaService": ["s3.us-east-1.amazonaws.com"] } } })],
      ACTIONS,
    ],
    [
      "an allow without an action",
      [{ place: "Statement", Effect: "Allow", Resource: ["*"], NotAction: ["kms:Sign"] }],
      [],
    ],
  ])("%s", ([, statements, missing]) => {
    expect(notCovered(statements, ACTIONS, now, next)).toEqual(missing);
  });

  it("counts a Deny that might apply, whatever its condition", () => {
    const both = allow({ Resource: [key(1), key(2)] });
    const deny = {
      place: "Statement",
      Effect: "Deny",
      Action: ["kms:Sign"],
      Resource: [key(2)],
      Condition: { Bool: {} },
    } as const;
    expect(
      notCovered([both, { ...deny, Action: [...deny.Action], Resource: [...deny.Resource] }], ACTIONS, now, next),
    ).toEqual(["kms:Sign"]);
    expect(
      notCovered(
        [both, { place: "Statement", Effect: "Deny", NotAction: ["kms:Sign"], NotResource: [key(1)] }],
        ACTIONS,
        now,
        next,
      ),
    ).toEqual(["kms:Verify"]);
  });

  it("never finds more missing for a policy that allows more", () => {
    const resources = fc.subarray([key(1), key(2), "*", "arn:aws:kms:*"]);
    const statement = fc.record({
      place: fc.constant("Statement"),
      Effect: fc.constant("Allow" as const),
      Action: fc.subarray(ACTIONS),
      Resource: resources,
    });
    fc.assert(
      fc.property(fc.array(statement), resources, (statements, Resource) => {
        const before = new Set(notCovered([...statements, allow({})], ACTIONS, now, next));
        const after = notCovered([...statements, allow({}), allow({ Resource })], ACTIONS, now, next);
        expect(after.every((action) => before.has(action))).toBe(true);
      }),
    );
  });
});
