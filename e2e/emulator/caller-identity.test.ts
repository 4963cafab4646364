import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { type KmsEmulator, startKmsEmulator } from "@basil/aws-kms-emulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasPython, pythonVenv } from "../peers/python.js";
import { kmsPeers } from "./kms-peers.js";
import { bareEnvironment } from "./run-scripts.js";

const run = promisify(execFile);
const backend = createRequire(new URL("../../packages/backend-aws-kms/package.json", import.meta.url));
interface StsClient {
  send(command: unknown): Promise<{ Arn?: string; UserId?: string; Account?: string }>;
  destroy(): void;
}
const sdk = backend("@aws-sdk/client-sts") as {
  readonly STSClient: new (options: object) => StsClient;
  readonly GetCallerIdentityCommand: new (input: object) => unknown;
};

const BOTO3 = `
import json, sys, boto3
from botocore.exceptions import ClientError
client = boto3.client("sts", region_name="us-east-1")
try:
    answer = client.get_caller_identity()
    print(json.dumps({name: answer[name] for name in ("Arn", "UserId", "Account")}))
except ClientError as error:
    print(json.dumps({"error": error.response["Error"]["Code"]}))
`;

type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
type Told = { Arn: string; UserId: string; Account: string } | { error: string };

let python: string;
let emulator: KmsEmulator;
beforeAll(async () => {
  emulator = await startKmsEmulator({
    users: [{ name: "operator" }],
    roles: [{ name: "agent" }],
  });
});
afterAll(() => emulator.close());

async function byBoto3(credentials: Credentials): Promise<Told> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const env = {
    ...bareEnvironment,
    AWS_ENDPOINT_URL_STS: emulator.endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken !== undefined && { AWS_SESSION_TOKEN: sessionToken }),
  };
  return JSON.parse((await run(python, ["-c", BOTO3], { env })).stdout) as Told;
}

async function byJs(credentials: Credentials): Promise<Told> {
  const { endpoint, region } = emulator;
  const client = new sdk.STSClient({ endpoint, region, credentials, maxAttempts: 1 });
  try {
    const { Arn = "", UserId = "", Account = "" } = await client.send(new sdk.GetCallerIdentityCommand({}));
    return { Arn, UserId, Account };
  } catch (error) {
    return { error: (error as Error).name };
  } finally {
    client.destroy();
  }
}

describe.skipIf(!hasPython())("GetCallerIdentity, asked by boto3 and by the AWS SDK for JavaScript", () => {
  beforeAll(async () => {
    python = await pythonVenv(kmsPeers);
  }, 300_000);

  it.for([
    ["a user without any policy", () => emulator.principals.createUser({ name: "nobody" }), ":user/nobody"],
    [
      "a role's session",
      () => emulator.principals.issueSession("agent", { sessionName: "i-0123" }),
      ":assumed-role/agent/i-0123",
    ],
    ["the account's root", () => emulator.rootCredentials, ":root"],
  ] as const)("names %s to both", async ([, who, arn]) => {
    const credentials = who();
    const told = await byBoto3(credentials);
    expect(told).toMatchObject({ Account: emulator.account, Arn: expect.stringMatching(new RegExp(`${arn}$`)) });
    expect(await byJs(credentials)).toEqual(told);
  });

  it.for([
    ["a key that nobody has", { accessKeyId: "AKIDNOBODY0000000000", secretAccessKey: "x" }, /^InvalidClientTokenId/],
    ["a wrong secret", { secretAccessKey: "x" }, /^SignatureDoesNotMatch/],
  ] as const)("refuses %s to both alike", async ([, more, error]) => {
    const credentials = { ...emulator.rootCredentials, ...more };
    expect(await byBoto3(credentials)).toMatchObject({ error: expect.stringMatching(error) });
    expect(await byJs(credentials)).toMatchObject({ error: expect.stringMatching(error) });
  });

  it("refuses a session that ended to both alike", async () => {
    await using later = await startKmsEmulator({ roles: [{ name: "agent" }] });
    const session = later.principals.issueSession("agent", { seconds: 1 });
    later.clock.advance(2000);
    const before = emulator;
    emulator = later;
    try {
      expect(await byBoto3(session)).toEqual({ error: "ExpiredToken" });
      expect(await byJs(session)).toMatchObject({ error: expect.stringMatching(/^ExpiredToken/) });
    } finally {
      emulator = before;
    }
  });
});
