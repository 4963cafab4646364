import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KmsEmulatorOptions } from "@basil/aws-kms-emulator";
import { describe, expect, it } from "vitest";
import { openShell } from "../backend-aws-kms/operators-page.js";
import { hasPython, pythonVenv } from "../peers/python.js";
import { policyOfMe } from "../policy-of-me.js";
import { Stack, seed } from "../stack.js";
import { kmsPeers } from "./kms-peers.js";
import { pageFiles } from "./seed-page.js";
import { OidcIssuer } from "./web-identity.js";

/** The blocks of the page, comments and continued lines as they are printed. */
const blocks = (await seed.text("commands.txt")).split("\n\n").map((text) => text.trimEnd());

function block(part: string, without = "\0"): string {
  const found = blocks.filter((one) => one.includes(part) && !one.includes(without));
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} blocks hold ${part}`);
  return only;
}

const KEYS = [block("ECC_NIST_P256"), block("SYMMETRIC_DEFAULT")];
const POLICIES = block("--policy-name BasilKmsRuntime");
const EC2 = block("ec2-trust.json");
const IRSA = block("irsa-trust.json");
const ACCESS_KEY = block("create-access-key");
const BUNDLE = block("set-backend", "profile=");
const PROFILE_BUNDLE = block("profile=basil-agent");
/** In its place two installations: e2e/packed/doctor-without-backend.test.ts. */
const CARGO = block("cargo build");

const ISSUER = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";
const policy = policyOfMe({
  id: "use",
  subjects: ["me"],
  action: ["op:sign", "op:verify", "op:encrypt", "op:decrypt", "op:get_public_key"],
  target: ["jwt.signing.primary", "payload.aead"],
});

/** What the page tells to do after the start: one real sign and verify, and encrypt and decrypt. */
const VERIFY_IT = `
basil ready --wait 30
signature=$(basil sign --key-id jwt.signing.primary "a message")
basil verify --key-id jwt.signing.primary --signature "$signature" "a message"
basil encrypt --key-id payload.aead "a plaintext" > sealed.txt
field() { sed -n "s/^$1: *//p" sealed.txt; }
basil decrypt --key-id payload.aead --algorithm "$(field algorithm)" --version "$(field version)" --nonce "$(field nonce)" --ciphertext "$(field ciphertext)"
`;

/** A host with the page's documents and an account with nothing in it; the page's keys are made first, their ids filled in. */
async function openHost(options: KmsEmulatorOptions = {}) {
  const python = await pythonVenv(kmsPeers);
  const stack = await Stack.start({ catalog: await seed.text("catalog.json"), policy, emulator: options });
  const { emulator, folder } = stack;
  const shell = await openShell(folder, python);
  const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, AWS_EC2_METADATA_DISABLED: ___, ...bare } = stack.env;
  const env = {
    ...bare,
    AWS_ENDPOINT_URL: emulator.endpoint,
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
  };
  const { accessKeyId, secretAccessKey } = emulator.rootCredentials;
  const root = { ...env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const type = (text: string) => shell(text, root);
  for (const one of KEYS) await type(one);
  const [signing, aead] = emulator.keys.list();
  for (const [name, text] of Object.entries(pageFiles)) {
    const filled = text
      .replaceAll("1111abcd-12ab-34cd-56ef-1234567890ab", signing?.id ?? "")
      .replaceAll("2222abcd-12ab-34cd-56ef-1234567890ab", aead?.id ?? "");
    await writeFile(join(folder, name), filled);
  }
  await type(POLICIES);
  await type(BUNDLE);
  /** Runs the agent with these credentials, uses it, and stops it. */
  const serve = async (credentials: Record<string, string>): Promise<string> => {
    const program = join(import.meta.dirname, "../../packages/cli/bin/basil.js");
    const agent = spawn(process.execPath, [program, "agent", "--config", join(folder, "agent.toml")], {
      env: { ...env, PATH: process.env.PATH, ...credentials },
      stdio: "ignore",
    });
    const ended = once(agent, "close");
    try {
      return await shell(VERIFY_IT, env);
    } finally {
      agent.kill();
      await ended;
    }
  };
  const usedAs = () =>
    new Set(emulator.calls.filter(({ operation }) => operation === "Sign").map(({ principal }) => principal));
  return {
    stack,
    emulator,
    folder,
    type,
    serve,
    shell,
    root,
    usedAs,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

const SEALED = Buffer.from("a plaintext").toString("hex");

describe("the page's commands", () => {
  it("are run below, each of them, but for the cargo block, in whose place two installations stand", () => {
    const run = new Set([...KEYS, POLICIES, EC2, IRSA, ACCESS_KEY, BUNDLE, PROFILE_BUNDLE]);
    expect(blocks.filter((one) => !run.has(one))).toEqual([CARGO]);
  });
});

describe.skipIf(!hasPython())("the page's blocks, as they are printed", { timeout: 300_000 }, () => {
  it("EC2: keys, policies, a role by instance profile, a bundle; a broker serves as that role", async () => {
    await using host = await openHost({ instanceMetadata: { instanceProfile: "basil-agent" } });
    await host.type(EC2);
    host.emulator.clearCalls();
    const line = "basil doctor --catalog catalog.json --policy policy.json --bundle creds.sealed";
    expect(await host.shell(line, host.root)).toMatch(/\[OK {3}\] feature_compatibility/);
    expect(host.emulator.calls).toEqual([]);
    const used = await host.serve({ AWS_EC2_METADATA_SERVICE_ENDPOINT: host.emulator.endpoint });
    expect(used).toContain("\ntrue\n");
    expect(used).toContain(SEALED);
    expect([...host.usedAs()].join()).toMatch(/^arn:aws:sts::111122223333:assumed-role\/basil-agent\/i-\w+$/);
  });

  it("EKS: the same by the token of the pod's service account", async () => {
    const issuer = new OidcIssuer(ISSUER);
    await using host = await openHost({ oidcProviders: [issuer] });
    await host.type(IRSA);
    const file = join(host.folder, "token");
    await writeFile(file, issuer.token({ sub: "system:serviceaccount:basil:basil-agent" }));
    const used = await host.serve({
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/basil-agent",
      AWS_EC2_METADATA_DISABLED: "true",
    });
    expect(used).toContain("\ntrue\n");
    expect([...host.usedAs()].join()).toContain(":assumed-role/basil-agent/");
  });

  it("access key: the same by a user's key, in a named profile that the bundle names", async () => {
    await using host = await openHost();
    const printed = await host.type(ACCESS_KEY);
    const { AccessKey } = JSON.parse(printed.slice(printed.lastIndexOf('{\n    "AccessKey"'))) as {
      AccessKey: { AccessKeyId: string; SecretAccessKey: string };
    };
    const file = join(host.folder, "credentials");
    const lines = ["[basil-agent]", `aws_access_key_id = ${AccessKey.AccessKeyId}`];
    await writeFile(file, [...lines, `aws_secret_access_key = ${AccessKey.SecretAccessKey}`, ""].join("\n"));
    await host.type(PROFILE_BUNDLE);
    const used = await host.serve({ AWS_SHARED_CREDENTIALS_FILE: file, AWS_EC2_METADATA_DISABLED: "true" });
    expect(used).toContain("\ntrue\n");
    expect([...host.usedAs()]).toEqual(["arn:aws:iam::111122223333:user/basil-agent"]);
  });
});
