import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CliError } from "../cli-error.js";
import { parsePolicyText } from "./read-policy.js";

const read = (text: string) => parsePolicyText(new TextEncoder().encode(text), "policy.json", "policy");
const document = (statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
const statement = { Effect: "Allow", Action: "kms:Sign", Resource: "*" };

describe("parsePolicyText", () => {
  it("reads one statement or several, single values or lists", () => {
    const expected = { place: "Statement", Effect: "Allow", Action: ["kms:Sign"], Resource: ["*"], variables: false };
    expect(read(JSON.stringify({ Statement: statement }))).toEqual([expected]);
    expect(read(document({ ...statement, Sid: "A" }))).toEqual([
      { ...expected, place: 'Statement[0] "A"', variables: true },
    ]);
  });

  it.for([
    ["get-policy-version", { PolicyVersion: { VersionId: "v1", Document: { Statement: statement } } }],
    ["get-role-policy", { RoleName: "basil-agent", PolicyName: "p", PolicyDocument: { Statement: statement } }],
  ] as const)("reads what aws iam %s prints", ([, printed]) => {
    expect(read(JSON.stringify(printed))).toHaveLength(1);
  });

  it.for([
    ["{", "it is not JSON"],
    ["[]", "document: is []; allowed: an object"],
    ["{}", "Statement: is missing"],
    ['{"Version":"2020-01-01","Statement":[]}', 'Version: is "2020-01-01"; allowed: 2012-10-17, 2008-10-17'],
    ['{"Statement":[],"Rules":1}', "Rules: is no member here; allowed: Version, Id, Statement"],
    [document({ ...statement, Effect: "allow" }), 'Statement[0].Effect: is "allow"; allowed: "Allow", "Deny"'],
    [document({ ...statement, Sid: 1 }), "Statement[0].Sid: is 1; allowed: text"],
    [document({ ...statement, Action: [] }), "Statement[0].Action: has []"],
    [
      document({ ...statement, Action: "Sign" }),
      'Statement[0].Action: has "Sign"; allowed: actions such as "kms:Sign"',
    ],
    [
      document({ ...statement, Resource: "alias/basil/x" }),
      'Statement[0].Resource: has "alias/basil/x"; allowed: ARNs',
    ],
    [document({ Effect: "Allow", Resource: "*" }), "Statement[0].Action: is missing; allowed: it or NotAction"],
    [document({ Effect: "Allow", Action: "kms:Sign" }), "Statement[0].Resource: is missing"],
    [document({ ...statement, NotAction: "kms:Sign" }), "Statement[0].NotAction: stands beside Action"],
    [document({ ...statement, Principal: "*" }), "Statement[0].Principal: is there; an identity's policy has none"],
    [
      document({ ...statement, Condition: { Like: {} } }),
      "Statement[0].Condition.Like: is no condition operator of IAM",
    ],
    [document({ ...statement, Condition: { Bool: { a: null } } }), "Statement[0].Condition.Bool.a: has null"],
    [document({ ...statement, Condition: [] }), "Statement[0].Condition: is []; allowed: an object"],
  ] as const)("refuses %s, and names the place", ([text, what]) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        code: "DOCUMENT_REFUSED",
        details: { path: "policy.json", problems: expect.arrayContaining([expect.stringContaining(what)]) },
      }),
    );
  });

  it("refuses any other text in the same way", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.json().map((one) => `{"Statement":${one}}`),
        ),
        (text) => {
          try {
            read(text);
          } catch (error) {
            expect(error).toBeInstanceOf(CliError);
          }
        },
      ),
    );
  });
});
