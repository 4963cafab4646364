import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type KmsEmulator, startKmsEmulator } from "@basil/aws-kms-emulator";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { keyRef } from "../test/emulated.js";
import { checkAwsKms } from "./live-check.js";
import type { AwsKmsOptions } from "./options.js";

const READING = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "kms:DescribeKey", Resource: "*" }],
};

let emulator: KmsEmulator;
beforeAll(async () => {
  emulator = await startKmsEmulator({
    roles: [
      { name: "broker", policies: [READING] },
      { name: "nobody", policies: [] },
    ],
    keys: [{ spec: "SYMMETRIC_DEFAULT", aliases: ["alias/basil/aes-256-gcm"] }],
  });
});
afterAll(() => emulator.close());
afterEach(() => {
  vi.unstubAllEnvs();
  emulator.clearCalls();
});

const arn = "arn:aws:sts::111122223333:assumed-role/broker/night";
const key = { key: keyRef("aes-256-gcm"), needs: [] };

async function identity(options: Partial<AwsKmsOptions> = {}) {
  vi.stubEnv("AWS_CONFIG_FILE", "/dev/null");
  const credentials = emulator.principals.issueSession("broker", { sessionName: "night" });
  const { endpoint, region } = emulator;
  const report = await checkAwsKms({ endpoint, region, credentials, ...options }, [key], {
    signal: new AbortController().signal,
  });
  return report.identity;
}

/** Something at an address that never answers, or that answers with this status. */
async function listen(status?: number): Promise<{ url: string; server: Server } & AsyncDisposable> {
  const server = createServer((_, response) => {
    if (status !== undefined) response.writeHead(status, { "content-type": "text/plain" }).end("no");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, [Symbol.asyncDispose]: stop };
}

const sts = () => emulator.calls.filter(({ service }) => service === "sts").map(({ operation }) => operation);

describe("the identity of a live check", () => {
  it("is named by STS, asked where KMS is when that is none of AWS's hosts", async () => {
    expect(await identity()).toMatchObject({ source: "the program", arn });
    expect(sts()).toEqual(["GetCallerIdentity"]);
  });

  it("is asked for where AWS_ENDPOINT_URL_STS says", async () => {
    await using elsewhere = await listen(404);
    vi.stubEnv("AWS_ENDPOINT_URL_STS", elsewhere.url);
    const found = await identity({ credentials: emulator.rootCredentials });
    expect(found).not.toHaveProperty("arn");
    expect(found?.arnUnknown).toMatch(/^STS said /);
    expect(sts()).toEqual([]);
  });

  it.for([["AWS_ENDPOINT_URL"], ["AWS_ENDPOINT_URL_STS"]] as const)("is asked for at %s", async ([name]) => {
    vi.stubEnv(name, emulator.endpoint);
    expect(await identity()).toMatchObject({ arn });
    expect(sts()).toEqual(["GetCallerIdentity"]);
  });

  it("stays unknown where STS cannot be reached, and keeps nothing else from being found out", async () => {
    await using silent = await listen();
    vi.stubEnv("AWS_ENDPOINT_URL_STS", silent.url);
    const credentials = emulator.rootCredentials;
    expect((await identity({ credentials, attemptTimeoutMs: 300 }))?.arnUnknown).toMatch(/^STS said TimeoutError/);
    expect(emulator.calls.map(({ operation }) => operation)).toContain("DescribeKey");
  });

  it("is taken from a denial where STS tells nothing", async () => {
    await using elsewhere = await listen(500);
    vi.stubEnv("AWS_ENDPOINT_URL_STS", elsewhere.url);
    const credentials = emulator.principals.issueSession("nobody", { sessionName: "night" });
    expect(await identity({ credentials })).toMatchObject({
      arn: "arn:aws:sts::111122223333:assumed-role/nobody/night",
    });
  });

  it("says that nothing was asked when the region is not known", async () => {
    vi.stubEnv("AWS_CONFIG_FILE", "/dev/null");
    vi.stubEnv("AWS_REGION", undefined);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    const { endpoint, rootCredentials: credentials } = emulator;
    const signal = new AbortController().signal;
    const report = await checkAwsKms({ endpoint, credentials }, [key], { signal });
    expect(report.identity?.arnUnknown).toBe("KMS could not be asked either");
    expect(report.findings).toMatchObject([
      { severity: "fatal", message: expect.stringContaining("Region is missing") },
    ]);
  });
});
