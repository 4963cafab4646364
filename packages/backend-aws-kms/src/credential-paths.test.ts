import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { context } from "../test/call-context.js";
import { emulated, keyRef, type PolicyDocument, seedDocument } from "../test/emulated.js";
import { awsKms } from "./backend.js";
import { checkAwsKms } from "./live-check.js";
import type { AwsKmsOptions } from "./options.js";

const key = keyRef("ecdsa-p256");
const message = new TextEncoder().encode("hello");
const sign256 = (backend: ReturnType<typeof awsKms>) => backend.transit?.sign(key, message, context());

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "paths-"));
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"]) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv("AWS_CONFIG_FILE", "/dev/null");
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder, "credentials"));
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** Who a live check says is asking, and where from. */
const identity = async (options: AwsKmsOptions) =>
  (await checkAwsKms({ region: "us-east-1", ...options }, [{ key, needs: [] }], context())).identity;

/** The seed's runtime policy for every key. */
function runtimePolicy(): PolicyDocument {
  const policy = seedDocument("iam-runtime.json");
  return { ...policy, Statement: policy.Statement.map((statement) => ({ ...statement, Resource: "*" })) };
}

const writeKey = (accessKeyId: string, secret: string) =>
  writeFile(
    join(folder, "credentials"),
    `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secret}\n`,
  );

describe.for(["lean", "sdk"] as const)("awsKms finds who it is, over the %s wire", (wire) => {
  it("on EC2, by instance metadata and the seed's trust policy", async () => {
    await using test = await emulated({
      roles: [{ name: "basil-agent", trust: seedDocument("ec2-trust.json"), policies: [runtimePolicy()] }],
      instanceProfiles: [{ name: "basil-agent", role: "basil-agent" }],
      instanceMetadata: { instanceProfile: "basil-agent" },
    });
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", undefined);
    vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", test.emulator.endpoint);
    await using backend = awsKms({ wire, region: "us-east-1", endpoint: test.emulator.endpoint });
    await expect(sign256(backend)).resolves.toMatchObject({ keyVersion: 1 });
    expect(test.emulator.calls.at(-1)?.principal).toContain("assumed-role/basil-agent/");
    expect(await identity({ endpoint: test.emulator.endpoint })).toEqual({
      source: "the default AWS chain (EC2 instance metadata)",
      arn: expect.stringContaining("assumed-role/basil-agent/"),
      expiresAt: expect.any(Date),
    });
  });

  it("on EKS, by a web identity token and the seed's trust policy", async () => {
    const trust = seedDocument<{ Statement: { Condition: { StringEquals: Record<string, string> } }[] }>(
      "irsa-trust.json",
    );
    const [[subjectKey = "", sub = ""] = []] = Object.entries(trust.Statement[0]?.Condition.StringEquals ?? {});
    const issuer = subjectKey.replace(/:sub$/, "");
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await using test = await emulated({
      roles: [{ name: "basil-agent", trust, policies: [runtimePolicy()] }],
      oidcProviders: [{ url: issuer, publicKey: publicKey.export({ format: "jwk" }) }],
    });
    const now = Math.floor(Date.now() / 1000);
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
    const claims = { iss: `https://${issuer}`, sub, aud: "sts.amazonaws.com", iat: now, exp: now + 600 };
    const unsigned = `${encode({ alg: "ES256", typ: "JWT" })}.${encode(claims)}`;
    const signature = sign("sha256", Buffer.from(unsigned), { key: privateKey, dsaEncoding: "ieee-p1363" });
    await writeFile(join(folder, "token"), `${unsigned}.${signature.toString("base64url")}`);
    vi.stubEnv("AWS_WEB_IDENTITY_TOKEN_FILE", join(folder, "token"));
    vi.stubEnv("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/basil-agent");
    vi.stubEnv("AWS_ENDPOINT_URL", test.emulator.endpoint);
    await using backend = awsKms({ wire, region: "us-east-1" });
    await expect(sign256(backend)).resolves.toMatchObject({ keyVersion: 1 });
    expect(await identity({})).toEqual({
      source: "the default AWS chain (role assumed by web identity, web identity token named in the environment)",
      arn: expect.stringContaining("assumed-role/basil-agent/"),
      expiresAt: expect.any(Date),
    });
  });

  it("in a container, by its credentials endpoint", async () => {
    const trust = seedDocument<{ Statement: object[] }>("ec2-trust.json");
    const Statement = trust.Statement.map((one) => ({ ...one, Principal: { Service: "pods.eks.amazonaws.com" } }));
    await using test = await emulated({
      roles: [{ name: "pod", trust: { ...trust, Statement }, policies: [runtimePolicy()] }],
      containerCredentials: { role: "pod", authorizationToken: "pod-token" },
    });
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", test.emulator.containerCredentialsUri);
    vi.stubEnv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "pod-token");
    await using backend = awsKms({ wire, region: "us-east-1", endpoint: test.emulator.endpoint });
    await expect(sign256(backend)).resolves.toMatchObject({ keyVersion: 1 });
    expect(await identity({ endpoint: test.emulator.endpoint })).toMatchObject({
      source: "the default AWS chain (container endpoint)",
      arn: expect.stringContaining("assumed-role/pod/"),
    });
  });

  it("by a role that it assumes under a session name", async () => {
    const assume = { Effect: "Allow", Action: "sts:AssumeRole" } as const;
    await using test = await emulated({
      roles: [
        { name: "basil-agent", policies: [runtimePolicy()] },
        { name: "closed", trust: seedDocument("ec2-trust.json") },
      ],
      policies: { runtime: { Version: "2012-10-17", Statement: [{ ...assume, Resource: "*" }] } },
    });
    await writeKey("AKIDEXAMPLERUNTIME", "secret-of-runtime");
    vi.stubEnv("AWS_ENDPOINT_URL", test.emulator.endpoint);
    const role = (name: string) => ({ region: "us-east-1", roleArn: `arn:aws:iam::111122223333:role/${name}` });
    await using backend = awsKms({ wire, ...role("basil-agent"), sessionName: "host-7" });
    await expect(sign256(backend)).resolves.toMatchObject({ keyVersion: 1 });
    expect(test.emulator.calls.at(-1)?.principal).toContain("assumed-role/basil-agent/host-7");
    expect(await identity({ ...role("basil-agent"), sessionName: "host-7" })).toMatchObject({
      source: "arn:aws:iam::111122223333:role/basil-agent, assumed with the default AWS chain",
      arn: "arn:aws:sts::111122223333:assumed-role/basil-agent/host-7",
    });
    await using stranger = awsKms({ wire, ...role("closed") });
    await expect(sign256(stranger)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("could not be assumed"),
    });
  });

  it("and names the external id when it assumes a role", async () => {
    const bodies: string[] = [];
    const sts = createServer((request, response) => {
      request.on("data", (chunk) => bodies.push(String(chunk)));
      request.on("end", () => response.writeHead(403).end());
    });
    await new Promise<void>((resolve) => sts.listen(0, "127.0.0.1", resolve));
    await writeKey("AKIDEXAMPLERUNTIME", "secret-of-runtime");
    vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${(sts.address() as AddressInfo).port}`);
    const roleArn = "arn:aws:iam::111122223333:role/basil-agent";
    await using backend = awsKms({ wire, region: "us-east-1", roleArn, externalId: "basil-42" });
    await expect(sign256(backend)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const sent = new URLSearchParams(bodies[0]);
    expect(Object.fromEntries(sent)).toMatchObject({
      Action: "AssumeRole",
      RoleArn: roleArn,
      RoleSessionName: "basil",
      ExternalId: "basil-42",
    });
    sts.closeAllConnections();
    sts.close();
  });

  it("anew after its access key was rotated, without a restart", async () => {
    await using test = await emulated();
    await writeKey("AKIDRETIRED", "secret-of-admin");
    await using backend = awsKms({ wire, region: "us-east-1", endpoint: test.emulator.endpoint });
    await expect(sign256(backend)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("UnrecognizedClientException"),
    });
    await writeKey("AKIDEXAMPLEADMIN", "secret-of-admin");
    await vi.waitFor(() => sign256(backend), { timeout: 5000, interval: 200 });
  });
});
