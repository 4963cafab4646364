import { describe, expect, it } from "vitest";
import { SEED_KEYS } from "../seed-keys.js";
import { openAccount } from "./account.js";

const ALIAS = "alias/basil/jwt-signing-primary";
const SIGNING = ["kms:Sign", "kms:Verify", "kms:GetPublicKey", "kms:DescribeKey"];

interface Report {
  readonly step: string;
  readonly arn: string;
  readonly runtime_statement: object;
}
const report = (stdout: string): Report => JSON.parse(stdout) as Report;

/** An account with the page's two keys; the rotator has the policy that `basil iam policy` writes. */
async function open() {
  const account = await openAccount({ keys: SEED_KEYS });
  const line = "basil iam policy --identity rotator --catalog catalog.json --region us-east-1 --account 111122223333";
  const written = await account.type(line, {});
  const rotator = account.as("rotator", written.stdout);
  const keyAt = (alias: string) => account.emulator.keys.list().find(({ aliases }) => aliases.includes(alias))?.arn;
  const rotate = (flags: string) => account.type(`basil provision rotate ${flags} --catalog catalog.json`, rotator);
  return Object.assign(account, { keyAt, rotate });
}

describe("basil provision rotate", () => {
  it("--prepare makes, names and proves the new key, and prints its ARN and the statement to add", async () => {
    await using account = await open();
    const before = account.keyAt(ALIAS);
    const answer = await account.rotate("jwt.signing.primary --prepare");
    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
    const arn = account.keyAt(`${ALIAS}/v2`);
    expect(report(answer.stdout)).toEqual({
      key: "jwt.signing.primary",
      alias: ALIAS,
      version: 2,
      version_alias: `${ALIAS}/v2`,
      arn,
      previous_arn: before,
      runtime_statement: { Effect: "Allow", Action: SIGNING, Resource: arn },
      step: "prepared",
    });
    expect(account.keyAt(ALIAS)).toBe(before);
    expect(account.keyAt(`${ALIAS}/v1`)).toBe(before);
    expect(account.emulator.calls.filter(({ decision }) => decision === "deny")).toEqual([]);
    expect(account.emulator.calls.map(({ operation }) => operation)).not.toContain("UpdateAlias");
  });

  it("--commit moves the alias to what was prepared, and nothing twice", async () => {
    await using account = await open();
    const { arn } = report((await account.rotate("jwt.signing.primary --prepare")).stdout);
    const again = report((await account.rotate("jwt.signing.primary --prepare")).stdout);
    expect(again.arn).toBe(arn);
    const answer = await account.rotate("jwt.signing.primary --commit --yes");
    expect(answer).toMatchObject({ exitCode: 0 });
    expect(report(answer.stdout)).toMatchObject({ step: "committed", arn, version: 2 });
    expect(answer.stderr).toContain(`to   ${arn}`);
    expect(account.keyAt(ALIAS)).toBe(arn);
    const twice = await account.rotate("jwt.signing.primary --commit --yes");
    expect(twice).toMatchObject({ exitCode: 1, stdout: "" });
    expect(twice.stderr).toContain('no new version of key "jwt.signing.primary" is prepared');
    expect(account.emulator.keys.list()).toHaveLength(3);
  });

  it("--commit asks, unless the runtime policy covers the new ARN", { timeout: 60_000 }, async () => {
    await using account = await open();
    const prepared = report((await account.rotate("jwt.signing.primary --prepare")).stdout);
    const before = account.keyAt(ALIAS);
    const asked = await account.rotate("jwt.signing.primary --commit");
    expect(asked).toMatchObject({ exitCode: 2, stdout: "" });
    expect(asked.stderr).toContain("nobody is there to confirm");
    // The policy of today lists the ARN of the old key.
    const arns = `--arn jwt.signing.primary=${before} --arn payload.aead=${account.keyAt("alias/basil/payload-aead")}`;
    const today = await account.type(`basil iam policy --identity runtime --catalog catalog.json ${arns}`, {});
    const policy = JSON.parse(today.stdout) as { Statement: object[] };
    await account.write("runtime.json", policy);
    const refused = await account.rotate("jwt.signing.primary --commit --runtime-policy runtime.json");
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toContain(`runtime.json does not allow ${SIGNING.join(", ")} on ${prepared.arn}`);
    expect(account.keyAt(ALIAS)).toBe(before);
    // With the statement that --prepare printed it does.
    await account.write("runtime.json", { ...policy, Statement: [...policy.Statement, prepared.runtime_statement] });
    const done = await account.rotate("jwt.signing.primary --commit --runtime-policy runtime.json");
    expect(done, done.stderr).toMatchObject({ exitCode: 0 });
    expect(account.keyAt(ALIAS)).toBe(prepared.arn);
  });

  it("asks nobody when the runtime policy is of the request-alias form, and prepares by itself", async () => {
    await using account = await open();
    const line =
      "basil iam policy --identity runtime --style request-alias --catalog catalog.json --region us-east-1 --account 111122223333";
    await account.write("runtime.json", (await account.type(line, {})).stdout);
    const answer = await account.rotate("payload.aead --runtime-policy runtime.json");
    expect(answer, answer.stderr).toMatchObject({ exitCode: 0 });
    expect(report(answer.stdout)).toMatchObject({
      step: "committed",
      runtime_statement: { Action: ["kms:DescribeKey", "kms:Encrypt", "kms:Decrypt"] },
    });
    expect(account.keyAt("alias/basil/payload-aead")).toBe(report(answer.stdout).arn);
    expect(account.emulator.calls.filter(({ decision }) => decision === "deny")).toEqual([]);
  });

  it("prepares no key for an identity that may not rotate, and says what it needs", async () => {
    await using account = await open();
    account.emulator.principals.setPolicies("rotator", [
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:DescribeKey","Resource":"*"}]}',
    ]);
    const answer = await account.rotate("jwt.signing.primary --prepare");
    expect(answer).toMatchObject({ exitCode: 1, stdout: "" });
    expect(answer.stderr).toMatch(/this identity cannot rotate: .*kms:Create/);
    expect(answer.stderr).toContain("basil iam policy --identity rotator");
  });

  it.for([
    ["", "missing required argument 'key'", 2],
    ["no.such --prepare", 'is "no.such"', 2],
    ["jwt.signing.primary --prepare --commit", "cannot be used with", 2],
    ["jwt.signing.primary --commit", "is prepared\nhint: run it with --prepare in place of --commit first\n", 1],
    ["jwt.signing.primary", "nobody is there to confirm; nothing was made", 2],
    ["jwt.signing.primary --runtime-policy absent.json", "absent.json cannot be read", 1],
    ["jwt.signing.primary --runtime-policy catalog.json", "the runtime policy catalog.json is refused", 1],
  ] as const)("rotate %s is refused, and nothing is made", async ([flags, what, code]) => {
    await using account = await open();
    const answer = await account.rotate(flags);
    expect(answer.stderr).toContain(what);
    expect(answer).toMatchObject({ exitCode: code, stdout: "" });
    expect(account.emulator.keys.list().map(({ aliases }) => aliases)).toEqual(SEED_KEYS.map(({ aliases }) => aliases));
  });
});
