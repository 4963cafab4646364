import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stack, seed } from "../stack.js";
import { typed } from "./typed.js";

const uid = process.getuid?.() ?? 0;
const ARNS = [
  "--arn jwt.signing.primary=arn:aws:kms:us-east-1:111122223333:key/1111abcd-12ab-34cd-56ef-1234567890ab",
  "--arn payload.aead=arn:aws:kms:us-east-1:111122223333:key/2222abcd-12ab-34cd-56ef-1234567890ab",
].join(" ");
/** Somebody signs, somebody decrypts; nobody verifies, encrypts or reads a public key. */
const POLICY = {
  schemaVersion: 2,
  subjects: { me: { allOf: [{ kind: "unix", uid }] } },
  rules: [
    { id: "signs", subjects: ["me"], action: ["op:sign", "op:encrypt"], target: ["jwt.**"] },
    { id: "opens", subjects: ["me"], action: ["op:decrypt"], target: ["payload.aead"] },
  ],
};
const KEYS = [
  { spec: "ECC_NIST_P256", aliases: ["alias/basil/jwt-signing-primary"] },
  { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/basil/payload-aead"] },
] as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-iam-"));
  await writeFile(join(folder, "catalog.json"), await seed.text("catalog.json"));
  await writeFile(join(folder, "policy.json"), JSON.stringify(POLICY));
});
afterAll(() => rm(folder, { recursive: true }));

const type = (line: string, env: Record<string, string> = {}) => typed(line, { cwd: folder, env });

async function printed(line: string, env: Record<string, string> = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await type(line, env);
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  return stdout;
}

describe("basil iam policy", () => {
  it.for(["runtime", "provisioner"] as const)("writes the page's %s policy, to the letter", async (identity) => {
    const text = await printed(`basil iam policy --identity ${identity} --catalog catalog.json ${ARNS}`);
    expect(text.trimEnd()).toBe((await seed.text(`iam-${identity}.json`)).trimEnd());
  });

  it("writes the page's condition for --style request-alias", async () => {
    const line =
      "basil iam policy --identity runtime --style request-alias --catalog catalog.json --region us-east-1 --account 111122223333";
    const { Statement } = JSON.parse(await printed(line)) as { Statement: Record<string, unknown>[] };
    expect(Statement[0]).toMatchObject((await seed.json("condition-request-alias.json")) as object);
  });

  it("refuses request-alias for a key that is reached by its ARN, and names it", async () => {
    const catalog = (await seed.json("catalog.json")) as { keys: Record<string, { path: string }> };
    catalog.keys["payload.aead"]!.path = "2222abcd-12ab-34cd-56ef-1234567890ab";
    await writeFile(join(folder, "direct.json"), JSON.stringify(catalog));
    const line =
      "basil iam policy --identity runtime --style request-alias --catalog direct.json --region us-east-1 --account 111122223333";
    const { exitCode, stderr } = await type(line);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('key "payload.aead"');
  });

  it("with --policy grants what some rule lets somebody do with the class of the key, and DescribeKey", async () => {
    const text = await printed(
      `basil iam policy --identity runtime --catalog catalog.json --policy policy.json ${ARNS}`,
    );
    expect(JSON.parse(text)).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "BasilSignDescribeKey",
          Effect: "Allow",
          Action: ["kms:Sign", "kms:DescribeKey"],
          Resource: "arn:aws:kms:us-east-1:111122223333:key/1111abcd-12ab-34cd-56ef-1234567890ab",
        },
        {
          Sid: "BasilDescribeKeyDecrypt",
          Effect: "Allow",
          Action: ["kms:DescribeKey", "kms:Decrypt"],
          Resource: "arn:aws:kms:us-east-1:111122223333:key/2222abcd-12ab-34cd-56ef-1234567890ab",
        },
      ],
    });
  });

  it("asks KMS for the ARNs that are not given, and a broker runs on what it wrote", async () => {
    await using emulator = await startKmsEmulator({ keys: KEYS });
    const env = {
      AWS_ENDPOINT_URL_KMS: emulator.endpoint,
      AWS_ACCESS_KEY_ID: emulator.rootCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: emulator.rootCredentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: "true",
    };
    const text = await printed("basil iam policy --identity runtime --catalog catalog.json --region us-east-1", env);
    const arns = emulator.keys.list().map(({ arn }) => arn);
    expect((JSON.parse(text) as { Statement: { Resource: string[] }[] }).Statement[0]?.Resource).toEqual(arns);
  });

  it("writes a least policy that lets every granted operation through, and nothing else", async () => {
    await using stack = await Stack.start({
      catalog: await seed.text("catalog.json"),
      policy: POLICY,
      emulator: { keys: [...KEYS] },
    });
    const line = `basil iam policy --identity runtime --region us-east-1 --catalog catalog.json --policy policy.json`;
    const document = await printed(line, stack.env);
    stack.emulator.principals.setPolicies("basil-runtime", [document]);
    await using _agent = await stack.startAgent();
    const sign = await typed("basil sign --key-id jwt.signing.primary text", { env: stack.env });
    expect(sign).toMatchObject({ exitCode: 0 });
    expect(stack.emulator.calls.filter(({ decision }) => decision === "deny")).toEqual([]);
    expect(document).not.toMatch(/kms:(Verify|GetPublicKey|Encrypt)/);
  });

  it.for([
    ["basil iam policy --catalog catalog.json", "required option '--identity <name>'", 2],
    ["basil iam policy --identity root --catalog catalog.json", "Allowed choices are runtime, provisioner, rotator", 2],
    [
      "basil iam policy --identity runtime --catalog catalog.json",
      "the ARNs of jwt.signing.primary, payload.aead are not known",
      2,
    ],
    ["basil iam policy --identity runtime --catalog catalog.json --arn nokey", "is not KEY=ARN", 2],
    [
      "basil iam policy --identity runtime --catalog catalog.json --arn payload.aead=arn:x",
      "is not the ARN of a KMS key",
      2,
    ],
    [
      `basil iam policy --identity runtime --catalog catalog.json ${ARNS.replace("payload.aead", "other.key")}`,
      "no key of an aws-kms backend",
      2,
    ],
    ["basil iam policy --identity provisioner --catalog catalog.json --region us-east-1 --account 1", "12 digits", 2],
    ["basil iam policy --identity runtime --catalog absent.json", "absent.json cannot be read", 1],
  ] as const)("%s is refused", async ([line, what, code]) => {
    const { exitCode, stdout, stderr } = await type(line);
    expect(stderr).toContain(what);
    expect(exitCode).toBe(code);
    expect(stdout).toBe("");
  });
});

describe("basil iam trust", () => {
  it("writes the page's documents for EC2 and for a service account", async () => {
    expect(JSON.parse(await printed("basil iam trust ec2"))).toEqual(await seed.json("ec2-trust.json"));
    const issuer = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";
    const line = `basil iam trust irsa --account 111122223333 --oidc-provider ${issuer} --service-account basil/basil-agent`;
    expect(JSON.parse(await printed(line))).toEqual(await seed.json("irsa-trust.json"));
  });

  it("names what irsa needs", async () => {
    expect(await type("basil iam trust irsa")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("--oidc-provider is missing"),
    });
    expect(await type("basil iam trust gke")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("ec2, irsa, pod-identity"),
    });
  });
});
