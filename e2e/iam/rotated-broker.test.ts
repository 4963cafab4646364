import { awsKmsRotator } from "@basil/backend-aws-kms";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { typed } from "../cli/typed.js";
import { policyOfMe } from "../policy-of-me.js";
import { SEED_KEYS } from "../seed-keys.js";
import { type RunningAgent, Stack, seed } from "../stack.js";
import { credentials, type Document } from "./iam-folder.js";

const AEAD = { name: "payload.aead", keyType: "aes-256-gcm", path: "alias/basil/payload-aead" } as const;
const SIGNER = { name: "jwt.signing.primary", keyType: "ecdsa-p256", path: "alias/basil/jwt-signing-primary" } as const;

let stack: Stack;
let agent: RunningAgent;
beforeAll(async () => {
  stack = await Stack.start({
    catalog: await seed.text("catalog.json"),
    policy: policyOfMe(
      { id: "signs", subjects: ["me"], action: ["op:sign", "op:verify"], target: [SIGNER.name] },
      { id: "seals", subjects: ["me"], action: ["op:encrypt", "op:decrypt"], target: [AEAD.name] },
    ),
    emulator: { keys: SEED_KEYS },
  });
  await allow(await policy());
  agent = await stack.startAgent();
}, 60_000);
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
});

/** What `basil iam policy --policy` writes for the keys as they are now, for somebody who may see them all. */
async function policy(): Promise<Document> {
  const { exitCode, stdout, stderr } = await typed(
    "basil iam policy --identity runtime --catalog catalog.json --policy policy.json --region us-east-1",
    { cwd: stack.folder, env: { ...stack.env, ...credentials(stack.emulator.rootCredentials) } },
  );
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout) as Document;
}

async function allow(document: Document): Promise<void> {
  stack.emulator.principals.setPolicies("basil-runtime", [JSON.stringify(document)]);
}

async function rotate(key: typeof AEAD | typeof SIGNER): Promise<void> {
  const { endpoint, rootCredentials } = stack.emulator;
  await using rotator = awsKmsRotator({ endpoint, region: "us-east-1", credentials: rootCredentials });
  const call = { signal: new AbortController().signal, requestId: "test" };
  await rotator.prepare(key, call);
  await rotator.commit(key, call);
}

const basil = (line: string) => typed(`basil ${line}`, { cwd: stack.folder, env: stack.env });

/** What is not ok of the rows about AWS. */
async function doctor() {
  const { exitCode, stdout } = await basil("doctor -c agent.toml --live --json");
  const { checks } = JSON.parse(stdout) as { checks: Record<"name" | "status" | "detail" | "remediation", string>[] };
  const found = checks.filter(({ name, status }) => name.startsWith("live") && status !== "ok");
  return { exitCode, found };
}

describe("a deployment whose keys were rotated", { timeout: 120_000 }, () => {
  it("opens and verifies what is old by the policy that iam policy writes; doctor is quiet, and names a statement that is gone", async () => {
    const sealed = JSON.parse((await basil(`encrypt --key-id ${AEAD.name} --json secret`)).stdout) as Record<
      string,
      string
    >;
    const signature = (await basil(`sign --key-id ${SIGNER.name} message`)).stdout.trim();
    await rotate(AEAD);
    await rotate(SIGNER);
    const document = await policy();
    await allow(document);

    const open = `decrypt --key-id ${AEAD.name} --algorithm ${sealed.algorithm} --version ${sealed.version} --nonce= --ciphertext ${sealed.ciphertext}`;
    const opened = await basil(open);
    expect(opened).toMatchObject({ exitCode: 0, stdout: `${Buffer.from("secret").toString("hex")}\n` });
    expect(await basil(`verify --key-id ${SIGNER.name} --signature ${signature} message`)).toMatchObject({
      exitCode: 0,
    });
    expect(await basil(`sign --key-id ${SIGNER.name} message`)).toMatchObject({ exitCode: 0 });
    expect(await doctor()).toEqual({ exitCode: 0, found: [] });

    const first = stack.emulator.keys.list().find(({ aliases }) => aliases.includes(`${AEAD.path}/v1`))?.arn ?? "";
    const less = document.Statement.filter(({ Resource }) => Resource !== first);
    expect(less).toHaveLength(document.Statement.length - 1);
    await allow({ ...document, Statement: less });
    const { exitCode, found } = await doctor();
    expect(exitCode).toBe(1);
    expect(found).toMatchObject([{ name: `live:${AEAD.name}`, status: "fatal" }]);
    expect(found[0]?.detail).toMatch(/^version 1: kms:DescribeKey is denied: /);
    expect(found[0]?.remediation).toContain(
      JSON.stringify({ Effect: "Allow", Action: "kms:DescribeKey", Resource: first }),
    );
    expect(await basil(open)).not.toMatchObject({ exitCode: 0 });
  });
});
