import { type KmsEmulator, startKmsEmulator } from "@basil/aws-kms-emulator";
import { awsKmsRotator } from "@basil/backend-aws-kms";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.js";
import { SEED_KEYS } from "../seed-keys.js";
import { credentials, type Document, IamFolder } from "./iam-folder.js";

const SIGNER = "jwt.signing.primary";
const AEAD = "payload.aead";
const ALIASES: Readonly<Record<string, string>> = {
  [SIGNER]: "alias/basil/jwt-signing-primary",
  [AEAD]: "alias/basil/payload-aead",
};
const POLICY = policyOfMe(
  { id: "signs", subjects: ["me"], action: ["op:sign", "op:verify"], target: [SIGNER] },
  { id: "seals", subjects: ["me"], action: ["op:encrypt", "op:decrypt"], target: [AEAD] },
);

let folder: IamFolder;
let emulator: KmsEmulator;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await IamFolder.open();
  await folder.write("rules.json", POLICY);
});
afterAll(() => folder[Symbol.asyncDispose]());
beforeEach(async () => {
  emulator = await startKmsEmulator({ keys: SEED_KEYS });
  env = environment(emulator.rootCredentials);
});
afterEach(() => emulator.close());

function environment(who: { readonly accessKeyId: string; readonly secretAccessKey: string }) {
  return { ...credentials(who), AWS_REGION: "us-east-1", AWS_ENDPOINT_URL_KMS: emulator.endpoint };
}

async function rotate(name: string, keyType: "ecdsa-p256" | "aes-256-gcm", times: number): Promise<void> {
  const { endpoint, rootCredentials: credentials } = emulator;
  await using rotator = awsKmsRotator({ endpoint, credentials, region: "us-east-1" });
  const key = { name, keyType, path: ALIASES[name] ?? "" };
  const call = { signal: new AbortController().signal, requestId: "test" };
  for (let time = 0; time < times; time += 1) {
    await rotator.prepare(key, call);
    await rotator.commit(key, call);
  }
}
const rotateSigner = (times: number) => rotate(SIGNER, "ecdsa-p256", times);
const rotateAead = (times: number) => rotate(AEAD, "aes-256-gcm", times);

function arnOf(alias: string): string {
  return emulator.keys.list().find(({ aliases }) => aliases.includes(alias))?.arn ?? "";
}

/** The version in use without a number. */
const arn = (key: string, version?: number): string =>
  arnOf(`${ALIASES[key]}${version === undefined ? "" : `/v${version}`}`);

const policyLine = "basil iam policy --identity runtime --catalog catalog.json";
const least = `${policyLine} --policy rules.json`;
const diffLine = "basil iam diff deployed.json --catalog catalog.json --policy rules.json";
const written = async (line: string) => JSON.parse(await folder.printed(line, env)) as Document;

describe("basil iam policy after rotations", { timeout: 60_000 }, () => {
  it("writes for each older version what is called on it, once more than the key in use needs", async () => {
    await rotateSigner(2);
    await rotateAead(1);
    const statement = (Sid: string, Action: readonly string[], Resource: string) => ({
      Sid,
      Effect: "Allow",
      Action,
      Resource,
    });
    expect((await written(least)).Statement).toEqual([
      statement("BasilSignVerifyDescribeKey", ["kms:Sign", "kms:Verify", "kms:DescribeKey"], arn(SIGNER)),
      statement("BasilDescribeKeyEncryptDecrypt", ["kms:DescribeKey", "kms:Encrypt", "kms:Decrypt"], arn(AEAD)),
      { ...statement("BasilDescribeKey", [], arn(SIGNER, 1)), Action: "kms:DescribeKey" },
      statement("BasilVerifyDescribeKey", ["kms:Verify", "kms:DescribeKey"], arn(SIGNER, 2)),
      statement("BasilDescribeKeyDecrypt", ["kms:DescribeKey", "kms:Decrypt"], arn(AEAD, 1)),
    ]);
    const { Statement } = await written(`${least} --grace-versions 2`);
    expect(Statement[2]).toEqual(
      statement("BasilVerifyDescribeKey", ["kms:Verify", "kms:DescribeKey"], [arn(SIGNER, 1), arn(SIGNER, 2)] as never),
    );
    expect((await written(`${least} --grace-versions 0`)).Statement[2]).toMatchObject({ Action: "kms:DescribeKey" });
  });

  it("keeps the page's statement as it is, and adds one for older versions", async () => {
    const before = await written(policyLine);
    expect(before.Statement).toHaveLength(1);
    await rotateAead(1);
    expect((await written(policyLine)).Statement).toEqual([
      { ...before.Statement[0], Resource: [arn(SIGNER), arn(AEAD)] },
      {
        Sid: "BasilVerifyGetPublicKeyDescribeKeyDecrypt",
        Effect: "Allow",
        Action: ["kms:Verify", "kms:GetPublicKey", "kms:DescribeKey", "kms:Decrypt"],
        Resource: arn(AEAD, 1),
      },
    ]);
  });

  it("notes the versions that whoever asks may not see, and so does iam diff", async () => {
    await rotateAead(2);
    const host = emulator.principals.createUser({ name: "host" });
    const describe = { Effect: "Allow", Action: "kms:DescribeKey", Resource: [arn(SIGNER), arn(AEAD), arn(AEAD, 2)] };
    emulator.principals.setPolicies("host", [JSON.stringify({ Version: "2012-10-17", Statement: [describe] })]);
    const note =
      "note: only versions 2 to 3 of payload.aead are covered: keep kms:DescribeKey and kms:Decrypt on version 1 while what was sealed with them matters; 'basil keys' prints their ARNs\n";
    const policy = await folder.type(least, environment(host));
    expect(policy).toMatchObject({ exitCode: 0, stderr: note });
    expect(policy.stdout).toContain(arn(AEAD, 2));
    expect(policy.stdout).not.toContain(arn(AEAD, 1));
    await folder.write("deployed.json", policy.stdout);
    expect(await folder.type(diffLine, environment(host))).toMatchObject({ exitCode: 0, stderr: note });
    expect(
      new Set(emulator.calls.filter(({ principal }) => principal === host.arn).map((call) => call.operation)),
    ).toEqual(new Set(["DescribeKey"]));
  });

  it.for(["100", "some"])("refuses --grace-versions %s", async (count) => {
    const { exitCode, stdout, stderr } = await folder.type(`${least} --grace-versions=${count}`, env);
    expect(stderr).toContain("--grace-versions");
    expect(stderr).toContain("from 0 to 99");
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  });
});

describe("basil iam diff after rotations", { timeout: 60_000 }, () => {
  it("is equal for what was written, and names the version of a statement that is gone or too wide", async () => {
    await rotateSigner(1);
    await rotateAead(1);
    const document = await written(least);
    await folder.write("deployed.json", document);
    expect(await folder.printed(diffLine, env)).toContain("equal: they grant what the identity needs");

    const before = document.Statement.filter(({ Resource }) => Resource !== arn(AEAD, 1));
    await folder.write("deployed.json", { ...document, Statement: before });
    const lacking = await folder.type(diffLine, env);
    expect(lacking).toMatchObject({ exitCode: 1, stderr: "" });
    expect(lacking.stdout).toContain(
      `lacking\t${AEAD}\tkms:DescribeKey, kms:Decrypt\t${arn(AEAD, 1)}\tversion 1; asked for as ${ALIASES[AEAD]}/v1\n`,
    );

    // What the first key was given while it was in use.
    const kept = { Effect: "Allow", Action: ["kms:Sign", "kms:Verify", "kms:DescribeKey"], Resource: arn(SIGNER, 1) };
    await folder.write("deployed.json", { ...document, Statement: [...document.Statement, kept] });
    const { exitCode, stdout } = await folder.type(`${diffLine} --json`, env);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      lacking: [],
      excess: [{ key: SIGNER, version: 1, resource: arn(SIGNER, 1), actions: ["kms:Sign"] }],
    });
  });

  it("finds the request-alias form enough for older versions, too", async () => {
    await rotateAead(1);
    const style = "--style request-alias --region us-east-1 --account 111122223333";
    await folder.write("deployed.json", await written(`${policyLine} ${style}`));
    const { stdout } = await folder.type("basil iam diff deployed.json --catalog catalog.json --json", env);
    expect(JSON.parse(stdout)).toMatchObject({ lacking: [], unjudged: [] });
  });
});
