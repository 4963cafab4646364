import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { CredentialStore } from "./credentials.js";
import { kmsError } from "./errors.js";

let folder: string;
let emulator: Awaited<ReturnType<typeof startKmsEmulator>>;

beforeAll(async () => {
  emulator = await startKmsEmulator({
    account: "111122223333",
    roles: [
      {
        name: "host",
        trust: {
          Version: "2012-10-17",
          Statement: { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
        },
      },
    ],
    instanceProfiles: [{ name: "host", role: "host" }],
    instanceMetadata: { instanceProfile: "host" },
  });
});
afterAll(() => emulator.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "default-chain-"));
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_CONFIG_FILE", join(folder, "config"));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder, "credentials"));
  vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", emulator.endpoint);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const resolve = () => new CredentialStore({ region: "us-east-1" }).resolve();
const config = (text: string) => writeFile(join(folder, "config"), text);

describe("the default chain on a host whose EC2 metadata answers", () => {
  it.for([
    ["a profile that is absent", { AWS_PROFILE: "gone" }, "", /AWS_PROFILE "gone" does not exist/],
    [
      "a credential_process that exits 3",
      { AWS_PROFILE: "tool" },
      "[profile tool]\ncredential_process = exit 3\n",
      /AWS_PROFILE "tool" gave no credentials: Command failed/,
    ],
    [
      "a source_profile that is missing",
      { AWS_PROFILE: "deputy" },
      "[profile deputy]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = gone\n",
      /AWS_PROFILE "deputy" gave no credentials: .*\[gone\]/,
    ],
    [
      "an access key id without its secret",
      { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE" },
      "",
      /AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not/,
    ],
    [
      "an access key id of a profile without its secret",
      { AWS_PROFILE: "half" },
      "[profile half]\naws_access_key_id = AKIDEXAMPLE\n",
      /AWS_PROFILE "half" gave no credentials/,
    ],
    [
      "a process of the default profile that prints no JSON",
      {},
      "[default]\ncredential_process = echo Login first!\n",
      /the default AWS profile gave no credentials: .*returned invalid JSON/,
    ],
    [
      "a process that prints an Expiration in the past",
      { AWS_PROFILE: "old" },
      `[profile old]\ncredential_process = echo '{"Version":1,"AccessKeyId":"a","SecretAccessKey":"s","Expiration":"2020-01-01T00:00:00Z"}'\n`,
      /returned expired credentials/,
    ],
    [
      "a web identity token without a role",
      { AWS_WEB_IDENTITY_TOKEN_FILE: "/nowhere" },
      "",
      /AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not/,
    ],
    [
      "a container endpoint at a host that is not allowed",
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://192.0.2.1/creds" },
      "",
      /AWS_CONTAINER_CREDENTIALS_FULL_URI gave no credentials: URL not accepted/,
    ],
  ] as const)("refuses %s instead of the host's role", async ([, environment, text, message]) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    await config(text);
    const failure = await resolve().catch((error: unknown) => error);
    expect(failure).toMatchObject({
      permanent: true,
      remedy: expect.any(String),
      message: expect.stringMatching(message),
    });
  });

  it.for([{}, { AWS_PROFILE: "place" }])(
    "uses the host's role when the profile names a region only: %j",
    async (env) => {
      for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
      await config("[default]\nregion = us-east-1\n[profile place]\nregion = us-east-1\n");
      expect(await resolve()).toMatchObject({ $source: { CREDENTIALS_IMDS: "0" } });
    },
  );

  it("is named in the log by its source and access key id, once", async () => {
    const lines: unknown[][] = [];
    const logger = { info: (...line: unknown[]) => lines.push(line), warn: () => {}, error: () => {} };
    const store = new CredentialStore({ region: "us-east-1", id: "kms", logger });
    const { accessKeyId } = await store.resolve();
    await store.resolve();
    const source = "the default AWS chain (EC2 instance metadata)";
    expect(lines).toEqual([[{ backend: "kms", source, accessKeyId }, "AWS credentials in use"]]);
  });

  it("uses the keys of the environment when AWS_PROFILE names a region only", async () => {
    vi.stubEnv("AWS_PROFILE", "place");
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDENV");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
    await config("[profile place]\nregion = us-east-1\n");
    expect(await resolve()).toMatchObject({ accessKeyId: "AKIDENV" });
  });
});

describe("the container endpoint of the default chain", () => {
  async function serve(status: number, body = "") {
    const tokens: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      tokens.push(request.headers.authorization);
      response.writeHead(status).end(body);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `http://127.0.0.1:${(server.address() as AddressInfo).port}/c`);
    return { tokens, [Symbol.asyncDispose]: () => new Promise<void>((done) => void server.close(() => done())) };
  }

  it.for([
    [400, true],
    [401, true],
    [403, true],
    [429, false],
    [500, false],
    [503, false],
  ] as const)("names the status %i after one request; permanent: %s", async ([status, permanent]) => {
    await using server = await serve(status);
    await expect(resolve()).rejects.toMatchObject({
      message: expect.stringContaining(
        `AWS_CONTAINER_CREDENTIALS_FULL_URI gave no credentials: Server responded with status: ${status}`,
      ),
      permanent,
    });
    expect(server.tokens).toHaveLength(1);
  });

  it("may answer later when it refuses the connection", async () => {
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/c");
    await expect(resolve()).rejects.toMatchObject({
      message: expect.stringContaining("ECONNREFUSED"),
      permanent: false,
    });
  });

  it.for(["token", "token\n", "token\r\n"])(
    "sends the token of a file without one trailing line end: %j",
    async (text) => {
      const Expiration = new Date(Date.now() + 3_600_000).toISOString();
      const answer = { AccessKeyId: "a", SecretAccessKey: "s", Token: "t", Expiration };
      await using server = await serve(200, JSON.stringify(answer));
      await writeFile(join(folder, "token"), text);
      vi.stubEnv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", join(folder, "token"));
      await resolve();
      expect(server.tokens).toEqual(["token"]);
    },
  );
});

describe("kmsError for credentials", () => {
  const subject = { action: "DescribeKey", key: { name: "k", path: "alias/k", keyType: "ecdsa-p256" } } as const;
  const fault = (name: string, message = "", code?: string) =>
    Object.assign(new Error(message), { name, ...(code && { code }) });

  it.for([
    [
      "wrong secret",
      fault("InvalidSignatureException", "The request signature we calculated does not match"),
      true,
      "AWS_SECRET_ACCESS_KEY",
    ],
    [
      "wrong region",
      fault("InvalidSignatureException", "Credential should be scoped to a valid region"),
      true,
      "region",
    ],
    ["a clock that is off", fault("InvalidSignatureException", "Signature expired: now"), undefined, "NTP"],
    ["a new access key", fault("UnrecognizedClientException"), undefined, "access key"],
    ["an expired session", fault("ExpiredTokenException"), true, "aws sso login"],
    ["an endpoint without http://", fault("TypeError", "Invalid URL", "ERR_INVALID_URL"), true, "http://"],
    [
      "a host name that does not exist",
      fault("Error", "getaddrinfo ENOTFOUND", "ENOTFOUND"),
      undefined,
      "region and endpoint",
    ],
  ] as const)("gives %s a remedy that fits", ([, failure, permanent, remedy]) => {
    const { code, details } = kmsError(subject, failure);
    expect(code).toBe("UNAVAILABLE");
    expect(details).toMatchObject({ remedy: expect.stringContaining(remedy) });
    expect((details as { permanent?: boolean }).permanent).toBe(permanent);
  });
});
