import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Emulated, emulated, keyRef, type PolicyDocument, SPECS, useProfiles } from "../test/emulated.js";
import { checkAwsKms } from "./live-check.js";
import type { AwsKmsOptions } from "./options.js";

beforeAll(useProfiles);
afterAll(() => vi.unstubAllEnvs());

type Type = "ecdsa-p256" | "aes-256-gcm";
const ALL: Readonly<Record<Type, readonly string[]>> = {
  "ecdsa-p256": ["kms:Sign", "kms:Verify", "kms:GetPublicKey"],
  "aes-256-gcm": ["kms:Encrypt", "kms:Decrypt"],
};

/** A key of which some versions exist, and one of them in use. */
async function rotated(type: Type, versions: number, current = versions) {
  const test = await emulated();
  const { keys } = test.emulator;
  const { path } = keyRef(type);
  const arns: string[] = [];
  for (let version = 1; version <= versions; version += 1) {
    const { id, arn } = await keys.create({ spec: SPECS[type] ?? "ECC_NIST_P256", aliases: [`${path}/v${version}`] });
    arns.push(arn);
    if (version === current) keys.setAlias(path, id);
  }
  return { test, arns };
}

type Grant = readonly [actions: readonly string[], arn: string | undefined];

function allow(test: Emulated, ...grants: readonly Grant[]): void {
  const Statement: PolicyDocument["Statement"] = grants.map(([actions, Resource = ""]) => ({
    Effect: "Allow",
    Action: actions.map((action) => `kms:${action}`),
    Resource,
  }));
  test.setPolicy("runtime", { Version: "2012-10-17", Statement });
}

async function check({ emulator }: Emulated, type: Type, options: Partial<AwsKmsOptions> = {}, needs = ALL[type]) {
  const { endpoint, region } = emulator;
  emulator.clearCalls();
  const report = await checkAwsKms(
    { endpoint, region, profile: "runtime", ...options },
    [{ key: keyRef(type), needs, versionNeeds: needs }],
    { signal: new AbortController().signal },
  );
  for (const { operation, dryRun, status } of emulator.calls) {
    if (/^(?:DescribeKey|GetPublicKey|GetCallerIdentity)$/.test(operation)) continue;
    expect({ operation, dryRun, done: status === 200 }).toEqual({ operation, dryRun: true, done: false });
  }
  return report;
}

const SIGNING = ["DescribeKey", "Sign", "Verify", "GetPublicKey"];

describe("checkAwsKms on a rotated key", () => {
  it("is quiet when each version may do what is called on it, and shows them", async () => {
    const { test, arns } = await rotated("ecdsa-p256", 3);
    await using _ = test;
    const [v1, v2, v3] = arns;
    allow(test, [SIGNING, v3], [["DescribeKey", "Verify", "GetPublicKey"], v2], [["DescribeKey", "GetPublicKey"], v1]);
    const { findings, keys } = await check(test, "ecdsa-p256");
    expect(findings).toEqual([]);
    expect(keys[0]).toMatchObject({
      arn: v3,
      allowed: ["kms:DescribeKey", "kms:Sign", "kms:Verify", "kms:GetPublicKey"],
      versions: [
        { version: 1, arn: v1, keyState: "Enabled", allowed: ["kms:DescribeKey", "kms:GetPublicKey"] },
        { version: 2, arn: v2, allowed: ["kms:DescribeKey", "kms:Verify", "kms:GetPublicKey"] },
      ],
    });
  });

  it("names what old ciphertexts lack, with the version and its ARN", async () => {
    const { test, arns } = await rotated("aes-256-gcm", 3);
    await using _ = test;
    const [v1, v2, v3] = arns;
    const newest: Grant = [["DescribeKey", "Encrypt", "Decrypt"], v3];
    allow(test, newest, [["DescribeKey", "Decrypt"], v2], [["DescribeKey"], v1]);
    expect((await check(test, "aes-256-gcm")).findings).toMatchObject([
      {
        ...{ code: "denied", severity: "fatal", version: 1, action: "kms:Decrypt", resource: v1 },
        message: expect.stringMatching(/^version 1: kms:Decrypt is denied: /),
        denial: "identity-policy",
      },
    ]);
    allow(test, newest, [["DescribeKey", "Decrypt"], v1]);
    expect((await check(test, "aes-256-gcm")).findings).toMatchObject([
      { code: "denied", severity: "fatal", version: 2, action: "kms:DescribeKey", resource: v2 },
    ]);
  });

  it("does not block for a version that nothing but its number is needed of, nor for one that is only prepared", async () => {
    const signer = await rotated("ecdsa-p256", 2);
    await using _ = signer.test;
    allow(signer.test, [["DescribeKey", "Sign"], signer.arns[1]]);
    const hidden = { code: "denied", severity: "warning", action: "kms:DescribeKey" };
    expect((await check(signer.test, "ecdsa-p256", {}, ["kms:Sign"])).findings).toMatchObject([
      { ...hidden, version: 1, resource: signer.arns[0] },
    ]);
    const prepared = await rotated("aes-256-gcm", 2, 1);
    await using __ = prepared.test;
    allow(prepared.test, [["DescribeKey", "Encrypt", "Decrypt"], prepared.arns[0]]);
    expect((await check(prepared.test, "aes-256-gcm")).findings).toMatchObject([
      { ...hidden, version: 2, resource: prepared.arns[1] },
    ]);
  });

  it("warns of what an older version may be used for besides", async () => {
    const { test, arns } = await rotated("ecdsa-p256", 2);
    await using _ = test;
    allow(test, [SIGNING, arns[1]], [SIGNING, arns[0]]);
    expect((await check(test, "ecdsa-p256")).findings).toMatchObject([
      { code: "excess", severity: "warning", version: 1, action: "kms:Sign", resource: arns[0] },
    ]);
  });

  it("asks as the backend verifies: so many versions back, or here with public keys", async () => {
    const { test, arns } = await rotated("ecdsa-p256", 3);
    await using _ = test;
    const [v1, v2, v3] = arns;
    const needs = ["kms:Verify"];
    allow(test, ...[v1, v2, v3].map((arn): Grant => [["DescribeKey", "Verify"], arn]));
    expect((await check(test, "ecdsa-p256", { graceVersions: 2 }, needs)).findings).toEqual([]);
    expect((await check(test, "ecdsa-p256", {}, needs)).findings).toMatchObject([{ code: "excess", version: 1 }]);
    const publicKey: Grant = [["DescribeKey", "GetPublicKey"], v3];
    allow(test, publicKey, [["DescribeKey", "GetPublicKey"], v2], [["DescribeKey"], v1]);
    expect((await check(test, "ecdsa-p256", { verify: "local" }, needs)).findings).toEqual([]);
    allow(test, publicKey, [["DescribeKey"], v2], [["DescribeKey"], v1]);
    expect((await check(test, "ecdsa-p256", { verify: "local" }, needs)).findings).toMatchObject([
      { code: "denied", version: 2, action: "kms:GetPublicKey" },
    ]);
  });

  it("asks about a key once, as the last version that leads to it", async () => {
    const { test, arns } = await rotated("ecdsa-p256", 3);
    await using _ = test;
    test.emulator.keys.setAlias(`${keyRef("ecdsa-p256").path}/v1`, arns[1]?.split("/")[1] ?? "");
    allow(test, [SIGNING, arns[2]], [["DescribeKey", "Verify", "GetPublicKey"], arns[1]]);
    const { findings, keys } = await check(test, "ecdsa-p256");
    expect(findings).toEqual([]);
    expect(keys[0]?.versions).toMatchObject([{ version: 2, arn: arns[1] }]);
  });

  it("tells an older version that cannot be used any more, and asks nothing of it", async () => {
    const { test, arns } = await rotated("aes-256-gcm", 2);
    await using _ = test;
    test.emulator.keys.setState(arns[0]?.split("/")[1] ?? "", "PendingDeletion");
    allow(test, [["DescribeKey", "Encrypt", "Decrypt"], arns[1]], [["DescribeKey", "Decrypt"], arns[0]]);
    const { findings, keys } = await check(test, "aes-256-gcm");
    expect(findings).toMatchObject([
      { code: "state", severity: "warning", version: 1, message: expect.stringContaining("PendingDeletion") },
    ]);
    expect(keys[0]?.versions).toMatchObject([
      { version: 1, keyState: "PendingDeletion", allowed: ["kms:DescribeKey"] },
    ]);
    expect(test.emulator.calls.filter(({ keyId }) => keyId?.endsWith("/v1"))).toMatchObject([
      { operation: "DescribeKey" },
    ]);
  });
});
