import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { type KmsEmulator, type KmsEmulatorOptions, startKmsEmulator } from "@basil/aws-kms-emulator";
import { describe, expect, it } from "vitest";
import { hasPython, pythonVenv } from "../peers/python.js";
import { kmsPeers } from "./kms-peers.js";
import { bareEnvironment, runWithDefaultChain } from "./run-scripts.js";
import type { Step } from "./scripts.js";
import { blockWith, dataKey, pageFiles, signingKey } from "./seed-page.js";
import { OidcIssuer } from "./web-identity.js";

const run = promisify(execFile);
const issuer = new OidcIssuer("oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE");
const serviceAccount = "system:serviceaccount:basil:basil-agent";

const policies = blockWith("--policy-name BasilKmsRuntime");
const ec2 = blockWith("ec2-trust.json", "create-role");
const irsa = blockWith("irsa-trust.json", "create-role");
const accessKeyPath = blockWith("create-access-key");
const provisioning = [...blockWith("ECC_NIST_P256"), ...blockWith("SYMMETRIC_DEFAULT")];

interface Host {
  readonly emulator: KmsEmulator;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Runs the lines in order and returns what each printed; `<key-id-from-create-key>` is the id printed before it. */
  type(lines: readonly string[]): Promise<string[]>;
}

/** A folder with the page's documents and a shell whose `aws` talks to a fresh emulator as the account's root user. */
async function onFreshHost(options: KmsEmulatorOptions, use: (host: Host) => Promise<void>): Promise<void> {
  const python = await pythonVenv(kmsPeers);
  const folder = await mkdtemp(join(tmpdir(), "walk-through-"));
  await using emulator = await startKmsEmulator({
    ...options,
    keys: [
      { id: signingKey, spec: "ECC_NIST_P256" },
      { id: dataKey, spec: "SYMMETRIC_DEFAULT" },
      { id: "3333abcd-12ab-34cd-56ef-1234567890ab", spec: "ECC_NIST_P256" },
    ],
  });
  try {
    for (const [name, text] of Object.entries(pageFiles)) await writeFile(join(folder, name), text);
    const { accessKeyId, secretAccessKey } = emulator.rootCredentials;
    const environment = { AWS_ENDPOINT_URL: emulator.endpoint, AWS_REGION: "us-east-1" };
    const env = {
      ...bareEnvironment,
      ...environment,
      PATH: `${dirname(python)}${delimiter}${bareEnvironment.PATH}`,
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    };
    const type = async (lines: readonly string[]) => {
      const printed: string[] = [];
      let keyId = "";
      for (const line of lines) {
        const { stdout } = await run("sh", ["-c", line.replace("<key-id-from-create-key>", keyId)], {
          cwd: folder,
          env,
        });
        if (line.includes("create-key ")) keyId = JSON.parse(stdout).KeyMetadata.KeyId;
        printed.push(stdout);
      }
      return printed;
    };
    await use({ emulator, folder, environment, type });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const message = { bytes: Buffer.from("message").toString("base64") };
const signed = { KeyId: signingKey, Message: message, SigningAlgorithm: "ECDSA_SHA_256" };
const other = "3333abcd-12ab-34cd-56ef-1234567890ab";

const permitted: readonly Step[] = [
  { call: "Sign", with: signed, save: { signature: "Signature" } },
  { call: "Verify", with: { ...signed, Signature: "$signature" } },
  { call: "GetPublicKey", with: { KeyId: signingKey } },
  { call: "DescribeKey", with: { KeyId: signingKey } },
  { call: "DescribeKey", with: { KeyId: dataKey } },
  { call: "Encrypt", with: { KeyId: dataKey, Plaintext: message }, save: { blob: "CiphertextBlob" } },
  { call: "Decrypt", with: { KeyId: dataKey, CiphertextBlob: "$blob" } },
];

const forbidden: readonly Step[] = [
  { call: "Sign", with: { ...signed, KeyId: other } },
  { call: "DescribeKey", with: { KeyId: other } },
  { call: "CreateKey", with: {} },
  { call: "CreateAlias", with: { AliasName: "alias/basil/x", TargetKeyId: signingKey } },
  { call: "UpdateAlias", with: { AliasName: "alias/basil/jwt-signing-primary", TargetKeyId: signingKey } },
  { call: "DeleteAlias", with: { AliasName: "alias/basil/jwt-signing-primary" } },
  { call: "GenerateDataKey", with: { KeyId: dataKey, KeySpec: "AES_256" } },
  { call: "TagResource", with: { KeyId: signingKey, Tags: [] } },
  { call: "UntagResource", with: { KeyId: signingKey, TagKeys: [] } },
  { call: "ListResourceTags", with: { KeyId: signingKey } },
  { call: "ScheduleKeyDeletion", with: { KeyId: signingKey } },
  { call: "CancelKeyDeletion", with: { KeyId: signingKey } },
  { call: "EnableKey", with: { KeyId: signingKey } },
  { call: "DisableKey", with: { KeyId: signingKey } },
  { call: "GetKeyPolicy", with: { KeyId: signingKey } },
  { call: "PutKeyPolicy", with: { KeyId: signingKey, Policy: "{}" } },
  { call: "ListKeys", with: {} },
  { call: "ListAliases", with: {} },
];

/** The identity that the SDK's default chain finds may do the six things of the runtime policy and nothing else. */
async function expectRuntimeIdentity(host: Host, credentials: Readonly<Record<string, string>>, principal: RegExp) {
  host.emulator.clearCalls();
  const { outcomes } = await runWithDefaultChain({ ...host.environment, ...credentials }, [...permitted, ...forbidden]);
  const results = outcomes.map((outcome) => outcome.error ?? "done");
  expect(results).toEqual([...permitted.map(() => "done"), ...forbidden.map(() => "AccessDeniedException")]);
  const calls = host.emulator.calls.filter(({ service }) => service === "kms");
  expect(calls).toHaveLength(permitted.length + forbidden.length);
  for (const call of calls) expect(call.principal).toMatch(principal);
}

describe.skipIf(!hasPython())("the page's walk-through with the AWS CLI", { timeout: 300_000 }, () => {
  it("EC2: makes an instance profile whose role is handed out by IMDS and may do exactly what the runtime policy says", () =>
    onFreshHost({ instanceMetadata: { instanceProfile: "basil-agent" } }, async (host) => {
      await host.type([...policies, ...ec2, ...provisioning]);
      const credentials = {
        AWS_EC2_METADATA_DISABLED: "false",
        AWS_EC2_METADATA_SERVICE_ENDPOINT: host.emulator.endpoint,
      };
      await expectRuntimeIdentity(host, credentials, /:assumed-role\/basil-agent\/i-/);
    }));

  it("IRSA: makes a role that the service account's token gets, and no other token", () =>
    onFreshHost({ oidcProviders: [issuer] }, async (host) => {
      await host.type([...policies, ...irsa, ...provisioning]);
      const file = join(host.folder, "token");
      const credentials = {
        AWS_WEB_IDENTITY_TOKEN_FILE: file,
        AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/basil-agent",
      };
      await writeFile(file, issuer.token({ sub: serviceAccount }));
      await expectRuntimeIdentity(host, credentials, /:assumed-role\/basil-agent\//);
      await writeFile(file, issuer.token({ sub: "system:serviceaccount:basil:another" }));
      const { outcomes } = await runWithDefaultChain({ ...host.environment, ...credentials }, permitted.slice(0, 1));
      expect(outcomes[0]?.message).toBe("Not authorized to perform sts:AssumeRoleWithWebIdentity");
    }));

  it("access key: makes a user whose printed key may do exactly what the runtime policy says", () =>
    onFreshHost({}, async (host) => {
      const printed = await host.type([...policies, ...accessKeyPath, ...provisioning]);
      const { AccessKey } = JSON.parse(printed[policies.length + accessKeyPath.length - 1] ?? "");
      const credentials = {
        AWS_ACCESS_KEY_ID: AccessKey.AccessKeyId,
        AWS_SECRET_ACCESS_KEY: AccessKey.SecretAccessKey,
      };
      await expectRuntimeIdentity(host, credentials, /:user\/basil-agent$/);
    }));

  it("provisioning: makes the two keys behind the aliases that the catalog names", () =>
    onFreshHost({}, async ({ emulator, type }) => {
      await type(provisioning);
      expect(emulator.keys.list().slice(3)).toMatchObject([
        { spec: "ECC_NIST_P256", aliases: ["alias/basil/jwt-signing-primary"] },
        { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/basil/payload-aead"] },
      ]);
    }));
});
