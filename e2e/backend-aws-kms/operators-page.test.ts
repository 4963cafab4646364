import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openBundle, passphraseSlot } from "@basil/bundle";
import { describe, expect, it } from "vitest";
import { kmsPeers } from "../emulator/kms-peers.js";
import { hasPython, pythonVenv } from "../peers/python.js";
import { policyOfMe } from "../policy-of-me.js";
import { Stack } from "../stack.js";
import { blockWith, commandBlocks, documents, openShell, rotatorStatements } from "./operators-page.js";

const POLICIES = blockWith("--policy-name BasilKmsRuntime");
const EC2 = blockWith("ec2-trust.json");
const IRSA = blockWith("irsa-trust.json");
const ACCESS_KEY = blockWith("create-access-key");
const BY_HAND = blockWith("Basil payload AEAD key");
const PLAIN_BUNDLE = commandBlocks.find((block) => block.includes("set-backend") && !block.includes("profile=")) ?? "";
const PROFILE_BUNDLE = blockWith("profile=basil-agent");
const DOCTOR = blockWith("basil doctor --catalog");
const LIVE = blockWith("basil doctor --config");
const USE = blockWith("basil ready");
const PROVISION = blockWith("--dry-run");
const RUNTIME_POLICY = blockWith("basil iam policy");
const PREPARE = blockWith("--prepare");
const COMMIT = blockWith("--commit");
const AT_ONCE = blockWith("provision rotate payload.aead");
const ROTATE_BY_HAND = blockWith("aws kms update-alias");

/** Where they are run instead. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  [blockWith("npm install"), "with and without the package, from packed files: e2e/packed"],
  [blockWith("test:live"), "with an emulator in the place of AWS: live-suite.test.ts"],
]);

const ALIASES = { signing: "alias/basil/jwt-signing-primary", aead: "alias/basil/payload-aead" };
const policy = policyOfMe({
  id: "use",
  subjects: ["me"],
  action: ["op:sign", "op:verify", "op:get_public_key", "op:encrypt", "op:decrypt"],
  target: ["jwt.signing.primary", "payload.aead"],
});

/** A host with the page's catalog, a bundle, and an account of AWS without a key. */
async function openHost() {
  const python = await pythonVenv(kmsPeers);
  const stack = await Stack.start({ catalog: documents["catalog.json"] ?? "", policy });
  const { emulator } = stack;
  const shell = await openShell(stack.folder, python);
  const env = { ...stack.env, AWS_ENDPOINT_URL: emulator.endpoint, AWS_DEFAULT_REGION: "us-east-1" };
  const credentials = (user: { readonly accessKeyId: string; readonly secretAccessKey: string }) => ({
    ...env,
    AWS_ACCESS_KEY_ID: user.accessKeyId,
    AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
  });
  return {
    stack,
    emulator,
    /** As the account's root user, who may use `aws` for anything. */
    asRoot: (block: string) => shell(block, credentials(emulator.rootCredentials)),
    as: (name: string, ...policies: readonly string[]) => {
      const user = emulator.principals.createUser({ name, policies });
      return (block: string) => shell(block, credentials(user));
    },
    asDaemon: (block: string) => shell(block, env),
    keyAt: (alias: string) => emulator.keys.list().find(({ aliases }) => aliases.includes(alias))?.arn,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

describe("docs/backend-aws-kms.md", () => {
  it("has no command that is not run here, or in the test that is named", () => {
    const run = [POLICIES, EC2, IRSA, ACCESS_KEY, BY_HAND, PLAIN_BUNDLE, PROFILE_BUNDLE, DOCTOR, LIVE, USE];
    const jobs = [PROVISION, RUNTIME_POLICY, PREPARE, COMMIT, AT_ONCE, ROTATE_BY_HAND];
    const known = new Set([...run, ...jobs, ...ELSEWHERE.keys()]);
    expect(commandBlocks.filter((block) => !known.has(block))).toEqual([]);
  });
});

describe.skipIf(!hasPython())("the commands of docs/backend-aws-kms.md", { timeout: 300_000 }, () => {
  it.for([
    ["a role for EC2", EC2, "CreateRole"],
    ["a role for a service account", IRSA, "CreateRole"],
    ["a user with an access key", ACCESS_KEY, "CreateAccessKey"],
  ] as const)("make %s that has the runtime policy", async ([, block, operation]) => {
    await using host = await openHost();
    await host.asRoot(POLICIES);
    await host.asRoot(block);
    const calls = host.emulator.calls.filter(({ service }) => service === "iam");
    expect(calls.map((call) => call.operation)).toEqual(
      expect.arrayContaining([operation, block === ACCESS_KEY ? "AttachUserPolicy" : "AttachRolePolicy"]),
    );
    expect(calls.every(({ status }) => status === 200)).toBe(true);
  });

  it("make keys by hand that a broker serves, and rotate one by hand under it", async () => {
    await using host = await openHost();
    await host.asRoot(BY_HAND);
    await host.asDaemon(DOCTOR);
    await using agent = await host.stack.startAgent();
    const used = await host.asDaemon(USE);
    expect(used, agent.log()).toMatch(/ready[\s\S]*BEGIN PUBLIC KEY[\s\S]*\ntrue\n/);
    expect(used).toContain(Buffer.from("a plaintext").toString("hex"));
    const before = host.keyAt(ALIASES.signing);
    await host.asRoot(ROTATE_BY_HAND);
    expect(host.keyAt(`${ALIASES.signing}/v1`)).toBe(before);
    expect(host.keyAt(ALIASES.signing)).toBe(host.keyAt(`${ALIASES.signing}/v2`));
    expect(host.keyAt(ALIASES.signing)).not.toBe(before);
    expect(await host.asDaemon(USE)).toContain("\ntrue\n");
    expect(agent.log()).not.toContain("leads to another KMS key");
  });

  it("put region and profile into the bundle", async () => {
    await using host = await openHost();
    const sealed = async () => {
      await using bundle = await openBundle(join(host.stack.folder, "creds.sealed"), {
        unlock: [passphraseSlot(new TextEncoder().encode("correct horse battery staple"))],
      });
      return [...bundle.backends.values()].map(({ kind, credential }) => ({ kind, credential }));
    };
    await host.asDaemon(PROFILE_BUNDLE);
    expect(await sealed()).toEqual([{ kind: "aws-kms", credential: { region: "us-east-1", profile: "basil-agent" } }]);
    await host.asDaemon(PLAIN_BUNDLE);
    expect(await sealed()).toEqual([{ kind: "aws-kms", credential: { region: "us-east-1" } }]);
  });

  it("create the keys as a job, write the daemon's policy, and rotate in two steps and in one", async () => {
    await using host = await openHost();
    const { emulator, stack } = host;
    const provisionerPolicy = documents["basil-kms-provisioner.json"] ?? "";
    const asProvisioner = host.as("provisioner", provisionerPolicy);
    const provisioner = JSON.parse(provisionerPolicy) as { Statement: object[] };
    const asRotator = host.as(
      "rotator",
      JSON.stringify({ ...provisioner, Statement: [...provisioner.Statement, ...rotatorStatements] }),
    );
    const json = async (name: string): Promise<Record<string, unknown>> =>
      JSON.parse(await readFile(join(stack.folder, name), "utf8")) as Record<string, unknown>;
    const attach = async (): Promise<void> =>
      emulator.principals.setPolicies(stack.runtime.name, [JSON.stringify(await json("basil-kms-runtime.json"))]);

    await asProvisioner(PROVISION);
    expect(await json("keys.json")).toMatchObject({
      created: 2,
      keys: [
        { key: "jwt.signing.primary", arn: host.keyAt(ALIASES.signing) },
        { key: "payload.aead", arn: host.keyAt(ALIASES.aead) },
      ],
    });
    await asProvisioner(RUNTIME_POLICY);
    await attach();
    expect(await host.asDaemon(LIVE)).toContain("result: OK");
    // The look for what is allowed and not needed ends in denials, as it should.
    emulator.clearCalls();
    await using agent = await stack.startAgent();
    expect(await host.asDaemon(USE), agent.log()).toContain("\ntrue\n");

    await asRotator(PREPARE);
    const { arn, runtime_statement } = await json("prepared.json");
    await expect(asRotator(COMMIT)).rejects.toThrow("does not allow");
    const before = await json("basil-kms-runtime.json");
    const Statement = [...(before.Statement as object[]), runtime_statement];
    await writeFile(join(stack.folder, "basil-kms-runtime.json"), JSON.stringify({ ...before, Statement }));
    await attach();
    await asRotator(COMMIT);
    expect(host.keyAt(ALIASES.signing)).toBe(arn);
    expect(await host.asDaemon(USE), agent.log()).toContain("\ntrue\n");

    await asRotator(AT_ONCE);
    expect(host.keyAt(ALIASES.aead)).toBe(host.keyAt(`${ALIASES.aead}/v2`));
    expect(emulator.calls.filter(({ decision }) => decision === "deny")).toEqual([]);
  });
});
