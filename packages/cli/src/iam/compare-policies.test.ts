import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CliError } from "../cli-error.js";
import type { Deployment } from "./asked-policy.js";
import { comparePolicies } from "./compare-policies.js";
import { parsePolicyText } from "./read-policy.js";

const ARN = "arn:aws:kms:us-east-1:111122223333";
const ONE = `${ARN}:key/1111abcd-12ab-34cd-56ef-1234567890ab`;
const TWO = `${ARN}:key/2222abcd-12ab-34cd-56ef-1234567890ab`;
const deployment: Deployment = {
  place: { partition: "aws", region: "us-east-1", account: "111122223333" },
  keys: [
    { name: "by.alias", arn: ONE, alias: "alias/basil/one" },
    { name: "by.arn", arn: TWO },
  ],
  aliases: ["alias/basil/one"],
};
const SIGN = [{ Effect: "Allow", Action: "kms:Sign", Resource: [ONE, TWO] }];
const ANY_KEY = [{ Effect: "Allow", Action: "kms:DescribeKey", Resource: `${ARN}:key/*` }];

const read = (value: unknown) => parsePolicyText(new TextEncoder().encode(JSON.stringify(value)), "-", "policy");
const compare = (wanted: readonly object[], deployed: readonly object[], of = deployment) =>
  comparePolicies(
    read({ Version: "2012-10-17", Statement: wanted }),
    read({ Version: "2012-10-17", Statement: deployed }),
    of,
  );

describe("comparePolicies", () => {
  it("finds that a condition on aliases does not help a key that is asked for by its ARN", () => {
    const Condition = { "ForAnyValue:StringLike": { "kms:RequestAlias": "alias/basil/*" } };
    const deployed = [{ Effect: "Allow", Action: "kms:Sign", Resource: [ONE, TWO], Condition }];
    expect(compare(SIGN, deployed)).toMatchObject({
      lacking: [{ key: "by.arn", resource: TWO, actions: ["kms:Sign"] }],
      excess: [],
    });
  });

  it("finds a policy that lists today's keys too little for keys that are still to be made", () => {
    const deployed = [{ Effect: "Allow", Action: "kms:DescribeKey", Resource: [ONE, TWO] }];
    const { lacking } = compare(ANY_KEY, deployed, { ...deployment, keys: [] });
    expect(lacking).toMatchObject([{ resource: `${ARN}:key/*`, example: expect.stringContaining(`${ARN}:key/`) }]);
  });

  it("finds several patterns that cover all keys together enough only where that is certain", () => {
    const whole = [{ Effect: "Allow", Action: "kms:Describe*", Resource: `${ARN}:*` }];
    expect(compare(ANY_KEY, whole, { ...deployment, keys: [] }).lacking).toEqual([]);
    const parts = [..."0123456789abcdefm"].map((digit) => `${ARN}:key/${digit}*`);
    const { lacking, unjudged } = compare(ANY_KEY, [{ Effect: "Allow", Action: "kms:DescribeKey", Resource: parts }], {
      ...deployment,
      keys: [],
    });
    expect(lacking).toEqual([]);
    expect(unjudged).toMatchObject([{ resource: `${ARN}:key/*`, because: [expect.stringContaining("whether all")] }]);
    const hole = { Effect: "Deny", Action: "kms:DescribeKey", Resource: `${ARN}:key/*77*` };
    expect(compare(ANY_KEY, [...ANY_KEY, hole], { ...deployment, keys: [] })).toMatchObject({ equal: false });
  });

  it("follows NotAction and NotResource", () => {
    const deployed = [{ Effect: "Allow", NotAction: ["kms:Decrypt"], NotResource: TWO }];
    const { lacking, excess, remarks } = compare(SIGN, deployed);
    expect(lacking).toMatchObject([{ key: "by.arn", actions: ["kms:Sign"] }]);
    expect(excess.find(({ key }) => key === "by.alias")?.actions).toContain("kms:Encrypt");
    expect(excess.flatMap(({ actions }) => actions)).not.toContain("kms:Decrypt");
    expect(excess.map(({ resource }) => resource)).toContain(`all but ${TWO}`);
    expect(remarks).toEqual([expect.stringContaining("by NotAction")]);
  });

  it("names keys of other accounts and regions that a pattern reaches", () => {
    const deployed = [...SIGN, { Effect: "Allow", Action: "kms:Sign", Resource: "arn:aws:kms:*:999999999999:key/*" }];
    expect(compare(SIGN, deployed).excess).toMatchObject([
      { resource: "arn:aws:kms:*:999999999999:key/*", example: expect.stringMatching(/:us-east-1:999999999999:key\//) },
    ]);
  });

  it("judges nothing by a variable, in documents of the version that has them", () => {
    const Statement = [{ Effect: "Allow", Action: "kms:Sign", Resource: `${ARN}:key/\${aws:PrincipalTag/key}` }];
    expect(compare(SIGN, [...SIGN, ...Statement])).toMatchObject({ excess: [], unjudged: [{}] });
    const old = read({ Version: "2008-10-17", Statement: [...SIGN, ...Statement] });
    expect(comparePolicies(read({ Statement: SIGN }), old, deployment)).toMatchObject({ excess: [], unjudged: [] });
  });

  it("takes any document that is read, and answers soon", () => {
    const pattern = fc.string({ unit: fc.constantFrom("a", "1", ":", "*", "?", "/", "-", "${"), maxLength: 24 });
    const resource = fc.oneof(
      pattern,
      pattern.map((text) => `${ARN}:key/${text}`),
      pattern.map((text) => `arn:${text}:::${text}::`),
    );
    const statement = fc.record({
      Effect: fc.constantFrom("Allow", "Deny"),
      Action: fc.constantFrom("kms:*", "*", "kms:?*gn", "s3:*"),
      Resource: fc.array(resource, { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 3 }), (deployed) => {
        try {
          compare(SIGN, deployed);
        } catch (error) {
          expect(error).toBeInstanceOf(CliError);
        }
      }),
      { numRuns: 60 },
    );
  });
});
