import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { keyRef } from "../test/emulated.js";
import { checkAwsKms } from "./live-check.js";
import type { KmsLiveKey } from "./live-key.js";

type Answer = { readonly status: number; readonly body: object };

/** An endpoint that answers each operation as told, or hangs up, and counts what is under way. */
async function endpoint(
  answer: (operation: string, body: Record<string, unknown>) => Promise<Answer> | Answer | undefined,
) {
  const seen: string[] = [];
  let [underWay, most] = [0, 0];
  const server = createServer(async (request, response) => {
    underWay += 1;
    most = Math.max(most, underWay);
    const text = await textOf(request);
    const operation = request.headers["x-amz-target"]?.toString().split(".")[1];
    if (operation !== undefined) seen.push(operation);
    const found = operation === undefined ? { status: 404, body: {} } : await answer(operation, JSON.parse(text));
    underWay -= 1;
    if (found === undefined) return void request.socket.destroy();
    response.writeHead(found.status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(found.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    most: () => most,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}

const described = (body: Record<string, unknown>): Answer => ({
  status: 200,
  body: {
    KeyMetadata: {
      Arn: `arn:aws:kms:us-east-1:111122223333:key/${String(body.KeyId).slice(6)}`,
      KeyId: "k",
      KeySpec: "ECC_NIST_P256",
      KeyUsage: "SIGN_VERIFY",
      KeyState: "Enabled",
    },
  },
});
const refused = (name: string, status = 400): Answer => ({ status, body: { __type: name, message: "as told" } });
const keys = (count: number): KmsLiveKey[] =>
  Array.from({ length: count }, (_, at) => ({
    key: { ...keyRef("ecdsa-p256"), name: `key.${at}`, path: `alias/${at}` },
    needs: ["kms:Sign"],
  }));

function check(url: string, some: readonly KmsLiveKey[], more: Partial<Parameters<typeof checkAwsKms>[2]> = {}) {
  const options = {
    endpoint: url,
    region: "us-east-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    maxAttempts: 1,
  };
  return checkAwsKms(options, some, { signal: new AbortController().signal, ...more });
}

const versioned = (body: Record<string, unknown>) => /\/v\d+$/.test(String(body.KeyId));

describe("checkAwsKms", () => {
  it("asks about many keys with at most eight requests under way besides the one to STS, and tells how far it is", async () => {
    await using kms = await endpoint(async (operation, body) => {
      await sleep(2);
      if (versioned(body)) return refused("NotFoundException");
      return operation === "DescribeKey" ? described(body) : refused("DryRunOperationException");
    });
    const told: number[] = [];
    const report = await check(kms.url, keys(200), { onProgress: (done) => told.push(done) });
    expect(report.keys.map(({ key }) => key)).toEqual(keys(200).map(({ key }) => key.name));
    expect(told).toEqual(Array.from({ length: 200 }, (_, at) => at + 1));
    expect(kms.most()).toBeGreaterThan(2);
    expect(kms.most()).toBeLessThanOrEqual(9);
  });

  it("asks nothing more of what did a call that was marked DryRun", async () => {
    await using kms = await endpoint((operation, body) => {
      if (versioned(body)) return refused("NotFoundException");
      return operation === "DescribeKey" ? described(body) : { status: 200, body: { KeyId: "k" } };
    });
    const { findings } = await check(kms.url, keys(20));
    expect(findings).toMatchObject([{ code: "dry-run-ignored", severity: "fatal", action: "kms:Sign" }]);
    expect(kms.seen.filter((operation) => operation !== "DescribeKey")).toEqual(["Sign"]);
  });

  it("takes an answer that is neither yes nor no for no proof, and goes on", async () => {
    await using kms = await endpoint((operation, body) => {
      if (versioned(body)) return refused("NotFoundException");
      if (operation === "DescribeKey") return described(body);
      return refused(operation === "Sign" ? "InvalidKeyUsageException" : "UnsupportedOperationException");
    });
    const { findings, keys: reports } = await check(kms.url, keys(2));
    expect(findings).toMatchObject([
      { code: "unproved", severity: "warning", key: "key.0", action: "kms:Sign" },
      { code: "unproved", severity: "warning", key: "key.1", action: "kms:Sign" },
    ]);
    expect(reports[0]?.unproved.map((text) => text.split(":")[1])).toEqual([
      ...["Verify", "GetPublicKey", "CreateGrant", "RetireGrant", "RevokeGrant"],
    ]);
  });

  it.for([
    ["answers what it does not know with an outage", "answers", 0],
    ["stops answering", "hangs up", 1],
  ] as const)("goes on when KMS %s only if there is an answer", async ([, how, fatal]) => {
    await using kms = await endpoint((operation, body) => {
      if (versioned(body)) return refused("NotFoundException");
      if (operation === "DescribeKey") return described(body);
      if (operation === "Sign") return refused("DryRunOperationException");
      return how === "answers" ? refused("InternalFailure", 500) : undefined;
    });
    const { findings, keys: reports } = await check(kms.url, keys(30));
    expect(findings.map(({ code }) => code)).toEqual(Array.from({ length: fatal }, () => "unreachable"));
    expect(reports).toHaveLength(fatal === 0 ? 30 : 1);
  });

  it("stops for all keys at what is wrong for all of them", async () => {
    await using kms = await endpoint(() => refused("ExpiredTokenException"));
    const { findings, keys: reports } = await check(kms.url, keys(200));
    expect(findings).toMatchObject([{ code: "credentials" }]);
    expect(reports).toHaveLength(1);
    expect(kms.seen).toEqual(["DescribeKey"]);
  });

  it("ends at once when it is aborted, with the signal's reason", async () => {
    const controller = new AbortController();
    await using kms = await endpoint(async () => {
      controller.abort("SIGINT");
      await sleep(50);
      return refused("NotFoundException");
    });
    await expect(check(kms.url, keys(200), { signal: controller.signal })).rejects.toBe("SIGINT");
    expect(kms.seen).toEqual(["DescribeKey"]);
    await expect(check(kms.url, keys(1), { signal: AbortSignal.abort("SIGTERM") })).rejects.toBe("SIGTERM");
  });

  it("does not wait for credentials that never come", async () => {
    const credentials = () => new Promise<never>(() => {});
    const options = { endpoint: "http://127.0.0.1:1", region: "us-east-1", credentials };
    const controller = new AbortController();
    const checking = checkAwsKms(options, keys(1), { signal: controller.signal });
    controller.abort("SIGINT");
    await expect(checking).rejects.toBe("SIGINT");
    vi.spyOn(AbortSignal, "timeout").mockReturnValue(AbortSignal.abort());
    const { findings } = await checkAwsKms(options, keys(1), { signal: new AbortController().signal });
    expect(findings).toMatchObject([
      { code: "credentials", message: expect.stringContaining("did not answer within") },
    ]);
    vi.restoreAllMocks();
  });
});
