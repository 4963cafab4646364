import { startKmsEmulator } from "@basil/aws-kms-emulator";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Deployment } from "../../packages/cli/src/iam/asked-policy.ts";
import { comparePolicies, type GrantDifference } from "../../packages/cli/src/iam/compare-policies.ts";
import { parsePolicyText } from "../../packages/cli/src/iam/read-policy.ts";
import { DECIDABLE, kmsDecision } from "./kms-decision.ts";

const ARN = "arn:aws:kms:us-east-1:111122223333";
const IDS = ["1111abcd-12ab-34cd-56ef-1234567890ab", "2222abcd-12ab-34cd-56ef-1234567890ab"];
const OTHER = "3333abcd-12ab-34cd-56ef-1234567890ab";
const ALIASES = ["alias/basil/jwt-signing-primary", "alias/basil/payload-aead"];
const ACTIONS = ["kms:Sign", "kms:Verify", "kms:GetPublicKey", "kms:DescribeKey", "kms:Encrypt", "kms:Decrypt"];
const deployment: Deployment = {
  place: { partition: "aws", region: "us-east-1", account: "111122223333" },
  keys: IDS.map((id, at) => ({ name: `key.${at}`, arn: `${ARN}:key/${id}`, alias: ALIASES[at] ?? "" })),
  aliases: ALIASES,
};

const some = <T>(values: readonly T[]) => fc.subarray([...values], { minLength: 1, maxLength: 3 });
const actions = some([
  ...ACTIONS,
  "kms:*",
  "KMS:sign",
  "kms:?ign",
  "kms:*crypt",
  "kms:Describe*",
  "kms:Get*",
  "*",
  "kms:CreateKey",
  "kms:List*",
]);
const resources = some([
  ...deployment.keys.map(({ arn }) => arn),
  ...[`${ARN}:key/*`, `${ARN}:key/${OTHER}`, `${ARN}:key/?111abcd-*`, `${ARN}:key/*0ab`, `${ARN}:key/2*`, "*"],
  ...["arn:aws:kms:*:111122223333:key/*", `${ARN}:alias/basil/*`, "arn:*:kms:us-*:*:*", "arn:aws:s3:::bucket/*"],
  ...[`${ARN}:key/\${aws:username}`],
]);
const text = fc.constantFrom(...ALIASES, "alias/basil/*", "alias/other/*", "alias/*-primary", "*");
const aliasOperator = fc.constantFrom(
  "StringEquals",
  "StringLike",
  "StringNotLike",
  "StringNotEquals",
  "StringLikeIfExists",
  "ForAnyValue:StringLike",
  "ForAllValues:StringLike",
);
const condition = fc.oneof(
  fc.tuple(aliasOperator, fc.constantFrom("kms:RequestAlias", "kms:requestalias", "kms:ResourceAliases"), text),
  fc.tuple(
    fc.constant("Null"),
    fc.constantFrom("kms:RequestAlias", "kms:ViaService"),
    fc.constantFrom("true", "false"),
  ),
  fc.tuple(
    fc.constantFrom("StringEquals", "StringNotEquals"),
    fc.constant("kms:ViaService"),
    fc.constant("s3.us-east-1.amazonaws.com"),
  ),
  fc.tuple(
    fc.constant("Bool"),
    fc.constantFrom("aws:SecureTransport", "kms:MultiRegion"),
    fc.constantFrom("true", "false"),
  ),
  fc.tuple(
    fc.constant("StringEquals"),
    fc.constant("aws:RequestedRegion"),
    fc.constantFrom("us-east-1", "eu-central-1"),
  ),
  fc.tuple(fc.constant("StringEquals"), fc.constant("aws:PrincipalTag/team"), fc.constant("payments")),
  fc.tuple(fc.constant("IpAddress"), fc.constant("aws:SourceIp"), fc.constant("10.0.0.0/8")),
);
const statement = fc
  .record({
    Effect: fc.constantFrom("Allow", "Allow", "Allow", "Deny"),
    actions: fc.tuple(fc.constantFrom("Action", "Action", "Action", "NotAction"), actions),
    resources: fc.tuple(fc.constantFrom("Resource", "Resource", "Resource", "NotResource"), resources),
    condition: fc.option(condition, { nil: undefined, freq: 2 }),
  })
  .map(({ Effect, actions, resources, condition }) => ({
    Effect,
    [actions[0]]: actions[1],
    [resources[0]]: resources[1],
    ...(condition && { Condition: { [condition[0]]: { [condition[1]]: condition[2] } } }),
  }));
const document = fc.record({
  Version: fc.constant("2012-10-17"),
  Statement: fc.array(statement, { minLength: 1, maxLength: 4 }),
});

const wanted = fc.constantFrom(
  [{ Effect: "Allow", Action: ACTIONS, Resource: deployment.keys.map(({ arn }) => arn) }],
  [
    { Effect: "Allow", Action: ["kms:Sign", "kms:DescribeKey"], Resource: deployment.keys[0]?.arn },
    { Effect: "Allow", Action: ["kms:Decrypt", "kms:DescribeKey"], Resource: deployment.keys[1]?.arn },
  ],
  [
    { Effect: "Allow", Action: "kms:CreateKey", Resource: "*" },
    { Effect: "Allow", Action: "kms:DescribeKey", Resource: `${ARN}:key/*` },
  ],
);

const read = (value: unknown) => parsePolicyText(new TextEncoder().encode(JSON.stringify(value)), "-", "policy");
const here = (arn: string) => arn === "*" || arn.startsWith(`${ARN}:key/`);

describe("basil iam diff", { timeout: 60_000 }, () => {
  it("tells of random documents only what the emulator's IAM decides, too", async () => {
    await using emulator = await startKmsEmulator({
      keys: [...IDS, OTHER].map((id, at) => ({ id, spec: "ECC_NIST_P256", aliases: ALIASES.slice(at, at + 1) })),
    });
    const deployedUser = emulator.principals.createUser({ name: "deployed" });
    let asked = 0;
    const told = async (decision: "allow" | "deny", { key, resource, example, alias, actions }: GrantDifference) => {
      const arn = example ?? resource;
      if (!here(arn)) return;
      const id = arn.split("key/")[1];
      const there = emulator.keys.list().some((one) => one.id === id);
      if (id !== undefined && !there) await emulator.keys.create({ id, spec: "ECC_NIST_P256" });
      if (alias !== undefined && key === undefined) {
        // A catalog's alias stays with its key: what is told of another key under it cannot be tried here.
        if (ALIASES.includes(alias) || id === undefined) return;
        emulator.keys.setAlias(alias, id);
      }
      for (const action of actions.filter((one) => DECIDABLE.includes(one))) {
        asked += 1;
        const how = `${action} on ${arn} as ${alias ?? "ARN"}`;
        expect([how, await kmsDecision(emulator, deployedUser, action, alias ?? arn)]).toEqual([how, decision]);
      }
    };
    await fc.assert(
      fc.asyncProperty(wanted, document, async (Statement, deployed) => {
        emulator.principals.setPolicies("deployed", [JSON.stringify(deployed)]);
        const difference = comparePolicies(read({ Version: "2012-10-17", Statement }), read(deployed), deployment);
        for (const row of difference.lacking) await told("deny", row);
        for (const row of difference.excess) await told("allow", row);
        // And nothing that the emulator decides otherwise than wanted is left out.
        const [{ name = "", arn = "", alias = "" } = {}] = deployment.keys;
        const mentioned = (action: string) =>
          [...difference.lacking, ...difference.excess, ...difference.unjudged].some(
            (row) => row.key === name && row.actions.includes(action),
          );
        const statements = read({ Version: "2012-10-17", Statement });
        for (const action of ACTIONS.filter((one) => !mentioned(one))) {
          const isWanted = statements.some(
            (one) => one.Action?.includes(action) && one.Resource?.some((r) => r === arn || r.endsWith("key/*")),
          );
          expect([action, await kmsDecision(emulator, deployedUser, action, isWanted ? alias : arn)]).toEqual([
            action,
            isWanted ? "allow" : "deny",
          ]);
        }
      }),
      { numRuns: 150 },
    );
    expect(asked).toBeGreaterThan(1000);
  });

  it("finds nothing between a document and itself, whatever stands in it that can be judged", () => {
    fc.assert(
      fc.property(document, (deployed) => {
        const { lacking, excess } = comparePolicies(read(deployed), read(deployed), deployment);
        expect({ lacking, excess }).toEqual({ lacking: [], excess: [] });
      }),
      { numRuns: 50 },
    );
  });
});
