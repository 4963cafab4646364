import type { KeySpec } from "@basil/aws-kms-emulator";
import type { KeyRef } from "@basil/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Emulated, emulated, KEY_TYPES, keyRef, type PolicyDocument, useProfiles } from "../test/emulated.js";
import { checkAwsKms, type KmsLiveReport } from "./live-check.js";
import type { KmsLiveKey } from "./live-key.js";
import type { AwsKmsOptions } from "./options.js";

beforeAll(useProfiles);
afterAll(() => vi.unstubAllEnvs());

const NEEDS: Readonly<Record<string, readonly string[]>> = {
  signing: ["kms:Sign", "kms:Verify", "kms:GetPublicKey"],
  sealing: ["kms:Encrypt", "kms:Decrypt"],
};
const needsOf = (key: KeyRef): readonly string[] => NEEDS[key.keyType === "aes-256-gcm" ? "sealing" : "signing"] ?? [];
const KEYS: readonly KmsLiveKey[] = KEY_TYPES.map(keyRef).map((key) => ({ key, needs: needsOf(key) }));
const SIGNERS = KEYS.slice(1, 4);

const statement = (Action: string | readonly string[], Resource: string | readonly string[]) =>
  ({ Effect: "Allow", Action, Resource }) as const;
const policy = (...Statement: PolicyDocument["Statement"]): PolicyDocument => ({ Version: "2012-10-17", Statement });

const EVERY_ACTION = ["kms:DescribeKey", ...Object.values(NEEDS).flat()];
/** Six actions on every key: for each key exactly what `KEYS` needs. */
const LEAST = policy(statement(EVERY_ACTION, "*"));

async function check(
  test: Emulated,
  keys: readonly KmsLiveKey[] = KEYS,
  options: Partial<AwsKmsOptions> = {},
): Promise<KmsLiveReport> {
  const { endpoint, region } = test.emulator;
  const { credentials, ...rest } = options;
  const who = credentials === undefined ? { profile: "runtime" } : { credentials };
  return checkAwsKms({ endpoint, region, ...who, ...rest }, keys, { signal: new AbortController().signal });
}

const READING = ["DescribeKey", "GetPublicKey", "GetCallerIdentity"];

/** Nothing but reads and dry runs reached KMS. */
function expectNothingDone({ emulator }: Emulated): void {
  for (const { operation, status, dryRun } of emulator.calls) {
    if (READING.includes(operation)) continue;
    expect({ operation, dryRun }).toEqual({ operation, dryRun: true });
    expect({ operation, status }).not.toEqual({ operation, status: 200 });
  }
  expect(emulator.keys.list()).toHaveLength(KEY_TYPES.length);
}

const idOf = ({ emulator }: Emulated, alias: string): string =>
  emulator.keys.list().find(({ aliases }) => aliases.includes(alias))?.id ?? "";
const arnOf = ({ emulator }: Emulated, alias: string): string =>
  emulator.keys.list().find(({ aliases }) => aliases.includes(alias))?.arn ?? "";

const P256 = "alias/basil/ecdsa-p256";

describe("checkAwsKms", () => {
  it("is quiet when all is well, and does nothing but read and ask", async () => {
    await using test = await emulated({ policies: { runtime: LEAST } });
    const report = await check(test);
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({
      region: "us-east-1",
      identity: {
        source: 'profile "runtime" (shared config and credentials files)',
        arn: "arn:aws:iam::111122223333:user/runtime",
      },
    });
    expect(Math.abs(report.skewMs ?? Number.NaN)).toBeLessThan(5000);
    expect(report.keys.map(({ arn, keyState }) => [arn, keyState])).toEqual(
      KEY_TYPES.map((type) => [arnOf(test, `alias/basil/${type}`), "Enabled"]),
    );
    for (const [at, { allowed }] of report.keys.entries()) {
      expect(allowed).toEqual(["kms:DescribeKey", ...(KEYS[at]?.needs ?? [])]);
    }
    const asked = new Set(test.emulator.calls.map(({ operation }) => operation));
    expect(asked).toEqual(
      new Set([
        ...READING,
        ...["Sign", "Verify", "Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"],
        ...["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"],
        ...["CreateGrant", "RetireGrant", "RevokeGrant"],
      ]),
    );
    expectNothingDone(test);
  });

  it("names a missing DescribeKey, with its ARN and who is asking", async () => {
    await using test = await emulated({ policies: { runtime: policy(statement(EVERY_ACTION.slice(1), "*")) } });
    const { findings, identity } = await check(test, KEYS.slice(1, 2));
    const resource = arnOf(test, P256);
    expect(findings).toMatchObject([
      { code: "denied", severity: "fatal", key: "key.ecdsa-p256", action: "kms:DescribeKey", resource },
    ]);
    expect(findings[0]).toMatchObject({ denial: "identity-policy", message: expect.stringContaining(resource) });
    expect(identity?.arn).toBe("arn:aws:iam::111122223333:user/runtime");
    expectNothingDone(test);
  });

  it("names the one key of three that it may not sign with", async () => {
    await using test = await emulated();
    const others = [arnOf(test, "alias/basil/ecdsa-p384"), arnOf(test, "alias/basil/ecdsa-p521")];
    test.setPolicy(
      "runtime",
      policy(statement("kms:Sign", others), statement(["kms:DescribeKey", "kms:Verify", "kms:GetPublicKey"], "*")),
    );
    const { findings } = await check(test, SIGNERS);
    expect(findings).toMatchObject([
      { code: "denied", key: "key.ecdsa-p256", action: "kms:Sign", resource: arnOf(test, P256) },
    ]);
    expectNothingDone(test);
  });

  it.for([
    ["an explicit deny", "explicit-deny"],
    ["a key policy that leaves nothing to IAM", "key-policy"],
  ] as const)("tells %s from a permission that is not given", async ([how, denial]) => {
    const only = {
      Version: "2012-10-17",
      Statement: [{ ...statement("kms:*", "*"), Principal: { AWS: "arn:aws:iam::111122223333:user/admin" } }],
    };
    const reading = { ...statement("kms:DescribeKey", "*"), Principal: "*" };
    const deny = { Effect: "Deny", Action: "kms:Sign", Resource: "*" } as const;
    const byKey = denial === "key-policy";
    await using test = await emulated({
      keys: [
        {
          spec: "ECC_NIST_P256",
          aliases: [P256],
          ...(byKey && { policy: { ...only, Statement: [...only.Statement, reading] } }),
        },
      ],
      policies: { runtime: byKey ? LEAST : policy(...LEAST.Statement, deny) },
    });
    const { findings } = await check(test, [{ key: keyRef("ecdsa-p256"), needs: ["kms:Sign"] }]);
    expect(
      findings.filter(({ code }) => code === "denied"),
      how,
    ).toMatchObject([{ action: "kms:Sign", denial }]);
  });

  it.for([
    ["Disabled", /KeyState is Disabled/],
    ["PendingDeletion", /KeyState is PendingDeletion/],
  ] as const)("finds a key that is %s", async ([state, message]) => {
    await using test = await emulated({
      keys: [{ spec: "ECC_NIST_P256", aliases: [P256], state }],
      policies: { runtime: LEAST },
    });
    const { findings } = await check(test, KEYS.slice(1, 2));
    expect(findings).toMatchObject([
      { code: "state", severity: "fatal", key: "key.ecdsa-p256", message: expect.stringMatching(message) },
    ]);
    const asked = new Set(test.emulator.calls.map(({ operation }) => operation));
    expect(asked).toEqual(new Set(["DescribeKey", "GetCallerIdentity"]));
  });

  it("finds a key of another spec", async () => {
    const spec: KeySpec = "ECC_NIST_P384";
    await using test = await emulated({ keys: [{ spec, aliases: [P256] }], policies: { runtime: LEAST } });
    const { findings } = await check(test, KEYS.slice(1, 2));
    expect(findings).toMatchObject([
      {
        code: "spec",
        message: expect.stringContaining("its KeySpec is ECC_NIST_P384, ecdsa-p256 needs ECC_NIST_P256"),
      },
    ]);
  });

  it("finds an alias that is not there, and goes on with the other keys", async () => {
    await using test = await emulated({ policies: { runtime: LEAST } });
    test.emulator.keys.removeAlias(P256);
    const { findings, keys } = await check(test, SIGNERS);
    expect(findings).toMatchObject([
      { code: "absent", key: "key.ecdsa-p256", message: expect.stringContaining(`${P256} in us-east-1`) },
    ]);
    expect(keys.map(({ keyState }) => keyState)).toEqual([undefined, "Enabled", "Enabled"]);
  });

  it("finds an alias that was moved to a key that is no version", async () => {
    await using test = await emulated({ policies: { runtime: LEAST } });
    const { keys } = test.emulator;
    keys.setAlias(`${P256}/v1`, idOf(test, P256));
    expect((await check(test, KEYS.slice(1, 2))).findings).toEqual([]);
    const stranger = await keys.create({ spec: "ECC_NIST_P256" });
    keys.setAlias(P256, stranger.id);
    expect((await check(test, KEYS.slice(1, 2))).findings).toMatchObject([
      { code: "alias-moved", severity: "warning", message: expect.stringContaining(stranger.arn) },
    ]);
  });

  it("finds a wrong region, by the answer of KMS and by the ARN of a key", async () => {
    await using test = await emulated({ policies: { runtime: LEAST } });
    expect((await check(test, KEYS, { region: "eu-west-1" })).findings).toMatchObject([
      { code: "region", severity: "fatal", message: expect.stringContaining("eu-west-1") },
    ]);
    const path = "arn:aws:kms:eu-west-1:111122223333:key/1111abcd-12ab-34cd-56ef-1234567890ab";
    const key: KeyRef = { ...keyRef("ecdsa-p256"), path };
    test.emulator.clearCalls();
    expect((await check(test, [{ key, needs: [] }])).findings).toMatchObject([
      { code: "region", key: key.name, message: expect.stringContaining("us-east-1") },
    ]);
    expect(test.emulator.calls).toEqual([]);
  });

  it("finds expired credentials once, not once a key", async () => {
    await using test = await emulated({ roles: [{ name: "broker", policies: [LEAST] }] });
    const { expiration, ...session } = test.emulator.principals.issueSession("broker", { seconds: 1 });
    test.emulator.clock.advance(2000);
    const { findings } = await check(test, KEYS, { credentials: async () => session });
    expect(findings).toMatchObject([{ code: "credentials", message: expect.stringContaining("ExpiredToken") }]);
    expect(expiration).toBeInstanceOf(Date);
  });

  it("says when credentials end", async () => {
    await using test = await emulated({ roles: [{ name: "broker", policies: [LEAST] }] });
    const session = test.emulator.principals.issueSession("broker");
    const { findings, identity } = await check(test, KEYS, { credentials: async () => session });
    expect(findings).toEqual([]);
    expect(identity?.expiresAt).toEqual(session.expiration);
  });

  it("finds that there are no credentials at all, and asks KMS nothing", async () => {
    await using test = await emulated();
    const { findings, identity } = await check(test, KEYS, { profile: "nobody" });
    expect(findings).toMatchObject([{ code: "credentials", message: expect.stringContaining("nobody") }]);
    expect(identity).toBeUndefined();
    expect(test.emulator.calls).toEqual([]);
  });

  it.for([120_000, 3_600_000])(
    "warns of a clock that is %i ms off, since the agent starts with one",
    async (milliseconds) => {
      await using test = await emulated({ policies: { runtime: LEAST } });
      test.emulator.clock.advance(milliseconds);
      const { findings, skewMs } = await check(test);
      expect(findings).toMatchObject([{ code: "clock", severity: "warning" }]);
      expect(skewMs).toBeGreaterThan(milliseconds - 5000);
      expectNothingDone(test);
    },
  );

  it("warns of what an over-broad identity may do besides", async () => {
    await using test = await emulated({ policies: { runtime: policy(statement("kms:*", "*")) } });
    const { findings, keys } = await check(test, [
      { key: keyRef("ecdsa-p256"), needs: ["kms:Sign"] },
      { key: keyRef("aes-256-gcm"), needs: ["kms:Encrypt", "kms:Decrypt"] },
    ]);
    expect(findings.map(({ code, severity, key, action }) => [code, severity, key, action])).toEqual([
      ["excess", "warning", "key.ecdsa-p256", "kms:Verify"],
      ["excess", "warning", "key.ecdsa-p256", "kms:GetPublicKey"],
      ["excess", "warning", "key.ecdsa-p256", "kms:CreateGrant"],
      ["excess", "warning", "key.aes-256-gcm", "kms:GenerateDataKey"],
      ["excess", "warning", "key.aes-256-gcm", "kms:GenerateDataKeyWithoutPlaintext"],
      ["excess", "warning", "key.aes-256-gcm", "kms:GenerateDataKeyPair"],
      ["excess", "warning", "key.aes-256-gcm", "kms:GenerateDataKeyPairWithoutPlaintext"],
      ["excess", "warning", "key.aes-256-gcm", "kms:ReEncryptFrom"],
      ["excess", "warning", "key.aes-256-gcm", "kms:ReEncryptTo"],
      ["excess", "warning", "key.aes-256-gcm", "kms:CreateGrant"],
    ]);
    expect(keys.map(({ unproved }) => unproved.map((text) => text.split(" ")[0]))).toEqual([
      ["kms:RetireGrant:", "kms:RevokeGrant:"],
      ["kms:RetireGrant:", "kms:RevokeGrant:"],
    ]);
    expectNothingDone(test);
  });

  it.for([
    ["kms:GenerateDataKeyWithoutPlaintext", ["kms:GenerateDataKeyWithoutPlaintext"]],
    ["kms:GenerateDataKeyPair", ["kms:GenerateDataKeyPair"]],
    ["kms:ReEncryptFrom", ["kms:ReEncryptFrom"]],
    ["kms:ReEncrypt*", ["kms:ReEncryptFrom", "kms:ReEncryptTo"]],
    ["kms:CreateGrant", ["kms:CreateGrant"]],
  ] as const)("tells %s from the rest of what nothing needs", async ([more, told]) => {
    await using test = await emulated({ policies: { runtime: policy(...LEAST.Statement, statement(more, "*")) } });
    const { findings } = await check(test, KEYS.slice(4));
    expect(findings.map(({ code, action }) => [code, action])).toEqual(told.map((action) => ["excess", action]));
    expectNothingDone(test);
  });

  it("needs GetPublicKey in place of Verify where signatures are verified here", async () => {
    const runtime = policy(statement(["kms:DescribeKey", "kms:GetPublicKey"], "*"));
    await using test = await emulated({ policies: { runtime } });
    const keys = [{ key: keyRef("ecdsa-p256"), needs: ["kms:Verify"] }];
    expect((await check(test, keys, { verify: "local" })).findings).toEqual([]);
    expect((await check(test, keys)).findings).toMatchObject([
      { code: "denied", action: "kms:Verify" },
      { code: "excess", action: "kms:GetPublicKey" },
    ]);
  });

  it("says that nothing answers", async () => {
    const test = await emulated();
    await test.emulator.close();
    const { findings } = await check(test, KEYS, { maxAttempts: 1 });
    expect(findings).toMatchObject([{ code: "unreachable", message: expect.stringContaining("ECONNREFUSED") }]);
  });
});
