import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KmsEmulator, startKmsEmulator } from "@basil/aws-kms-emulator";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runWithDefaultChain } from "./run-scripts.js";
import { OidcIssuer } from "./web-identity.js";

const listKeys = [{ call: "ListKeys", with: {} }];
const mayListKeys = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "kms:ListKeys", Resource: "*" } };
const account = "111122223333";
const roleArn = (name: string) => `arn:aws:iam::${account}:role/${name}`;
const issuer = new OidcIssuer("oidc.example.test/id/CLUSTER");

function trust(Principal: object, Action: string) {
  return { Version: "2012-10-17", Statement: { Effect: "Allow", Principal, Action } };
}

describe("the default credential chain of the AWS SDK for JavaScript", () => {
  let emulator: KmsEmulator;
  let folder: string;
  let user: { arn: string; accessKeyId: string; secretAccessKey: string };
  let environment: Record<string, string>;

  beforeAll(async () => {
    emulator = await startKmsEmulator({
      account,
      oidcProviders: [issuer],
      instanceMetadata: { instanceProfile: "host" },
      containerCredentials: { role: "pod", authorizationToken: "token-of-the-pod" },
      ssoPortal: { accessToken: "token-of-the-person", roles: ["person"] },
      roles: [
        { name: "deputy", policies: [mayListKeys] },
        {
          name: "service-account",
          policies: [mayListKeys],
          trust: trust(
            { Federated: `arn:aws:iam::${account}:oidc-provider/${issuer.url}` },
            "sts:AssumeRoleWithWebIdentity",
          ),
        },
        { name: "pod", policies: [mayListKeys], trust: trust({ Service: "pods.eks.amazonaws.com" }, "sts:AssumeRole") },
        { name: "host", policies: [mayListKeys], trust: trust({ Service: "ec2.amazonaws.com" }, "sts:AssumeRole") },
        { name: "person", policies: [mayListKeys] },
      ],
      instanceProfiles: [{ name: "host", role: "host" }],
    });
    const assume = {
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Action: "sts:AssumeRole", Resource: roleArn("deputy") },
    };
    user = emulator.principals.createUser({ name: "somebody", policies: [mayListKeys, assume] });
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "default-chain-"));
    emulator.clearCalls();
    environment = {
      HOME: folder,
      AWS_ENDPOINT_URL: emulator.endpoint,
      AWS_REGION: emulator.region,
      AWS_CONFIG_FILE: join(folder, "config"),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials"),
    };
    return () => rm(folder, { recursive: true, force: true });
  });

  afterAll(() => emulator.close());

  /** Lists keys with what the chain finds, and tells who did according to the emulator. */
  async function whoGetsIn(more: Readonly<Record<string, string>>): Promise<string | undefined> {
    const { outcomes } = await runWithDefaultChain({ ...environment, ...more }, listKeys);
    expect(outcomes).toMatchObject([{ status: 200 }]);
    return emulator.calls.find(({ operation }) => operation === "ListKeys")?.principal;
  }

  const staticKeys = () => `aws_access_key_id = ${user.accessKeyId}\naws_secret_access_key = ${user.secretAccessKey}\n`;
  const sessionOf = (role: string) => expect.stringContaining(`:assumed-role/${role}/`);

  it("gets in by environment variables", async () => {
    const keys = { AWS_ACCESS_KEY_ID: user.accessKeyId, AWS_SECRET_ACCESS_KEY: user.secretAccessKey };
    expect(await whoGetsIn(keys)).toBe(user.arn);
  });

  it("gets in by a shared profile", async () => {
    await writeFile(join(folder, "credentials"), `[work]\n${staticKeys()}`);
    expect(await whoGetsIn({ AWS_PROFILE: "work" })).toBe(user.arn);
  });

  it("gets in by a profile with role_arn", async () => {
    await writeFile(join(folder, "credentials"), `[work]\n${staticKeys()}`);
    const role = `[profile deputy]\nrole_arn = ${roleArn("deputy")}\nsource_profile = work\nrole_session_name = shift\n`;
    await writeFile(join(folder, "config"), role);
    expect(await whoGetsIn({ AWS_PROFILE: "deputy" })).toBe(`arn:aws:sts::${account}:assumed-role/deputy/shift`);
  });

  it("gets in by credential_process", async () => {
    const printed = { Version: 1, AccessKeyId: user.accessKeyId, SecretAccessKey: user.secretAccessKey };
    await writeFile(join(folder, "keys.json"), JSON.stringify(printed));
    await writeFile(join(folder, "config"), `[profile tool]\ncredential_process = cat ${join(folder, "keys.json")}\n`);
    expect(await whoGetsIn({ AWS_PROFILE: "tool" })).toBe(user.arn);
  });

  it("gets in by SSO", async () => {
    const cache = join(folder, ".aws", "sso", "cache");
    await mkdir(cache, { recursive: true });
    const token = { accessToken: "token-of-the-person", expiresAt: new Date(Date.now() + 3_600_000).toISOString() };
    await writeFile(join(cache, `${createHash("sha1").update("company").digest("hex")}.json`), JSON.stringify(token));
    const lines = [
      "[profile person]",
      "sso_session = company",
      `sso_account_id = ${account}`,
      "sso_role_name = person",
      "[sso-session company]",
      "sso_region = us-east-1",
      "sso_start_url = https://company.example.test/start",
      "",
    ];
    await writeFile(join(folder, "config"), lines.join("\n"));
    expect(await whoGetsIn({ AWS_PROFILE: "person" })).toEqual(sessionOf("person"));
  });

  it("gets in by web identity (IRSA)", async () => {
    const file = join(folder, "token");
    await writeFile(file, issuer.token({ sub: "system:serviceaccount:default:app" }));
    const more = { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: roleArn("service-account") };
    expect(await whoGetsIn(more)).toEqual(sessionOf("service-account"));
  });

  it("gets in by container credentials (Pod Identity)", async () => {
    const file = join(folder, "token");
    await writeFile(file, "token-of-the-pod");
    const more = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: emulator.containerCredentialsUri,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
    };
    expect(await whoGetsIn(more)).toEqual(sessionOf("pod"));
  });

  it("gets in by instance metadata (IMDSv2)", async () => {
    const more = { AWS_EC2_METADATA_DISABLED: "false", AWS_EC2_METADATA_SERVICE_ENDPOINT: emulator.endpoint };
    expect(await whoGetsIn(more)).toEqual(sessionOf("host"));
  });
});
