import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CreateKeyCommand, KMSClient, UpdateAliasCommand } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.ts";
import { GrpcJs } from "../protocol/drivers/grpc-js.ts";
import { SEED_KEYS } from "../seed-keys.ts";
import { type RunningAgent, Stack, seed } from "../stack.ts";

const uid = process.getuid?.() ?? 0;
const SIGN = "SigningService/Sign";
const forever = Number.POSITIVE_INFINITY;

async function scrape(socketPath: string): Promise<string> {
  const [response] = await once(get({ socketPath, path: "/metrics", agent: false }), "response");
  return text(response);
}

describe("[metrics] socket", () => {
  it("is where the agent's metrics are read, and is gone when the agent is", async () => {
    await using stack = await Stack.start({
      catalog: JSON.stringify({
        schemaVersion: 1,
        backends: { kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"] } },
        keys: {},
      }),
      policy: { schemaVersion: 2, subjects: { me: { allOf: [{ kind: "unix", uid }] } }, roles: {}, rules: [] },
    });
    const metrics = join(stack.folder, "metrics.sock");
    const config = await readFile(join(stack.folder, "agent.toml"), "utf8");
    await writeFile(join(stack.folder, "agent.toml"), `${config}\n[metrics]\nsocket = "${metrics}"\n`);
    await using agent = await stack.startAgent();
    expect(await stack.basil(["status"])).toMatchObject({ code: 0 });
    expect((await stat(metrics)).mode & 0o777).toBe(0o600);
    expect(await scrape(metrics)).toContain('basil_requests_total{op="status",code="OK",backend="none"} 1\n');
    await agent.stop();
    await expect(stat(metrics)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("the metrics of an agent on AWS KMS", () => {
  let stack: Stack;
  let agent: RunningAgent;
  let driver: GrpcJs;
  beforeAll(async () => {
    stack = await Stack.start({
      catalog: await seed.text("catalog.json"),
      policy: policyOfMe(
        { id: "keys", subjects: ["me"], action: ["*"], target: ["payload.**", "jwt.**"] },
        { id: "reload", subjects: ["me"], action: ["op:reload"], target: ["broker.reload"] },
      ),
      emulator: { keys: SEED_KEYS },
    });
    const config = await readFile(join(stack.folder, "agent.toml"), "utf8");
    const table = `[metrics]\nsocket = "${join(stack.folder, "m")}"\n`;
    await writeFile(join(stack.folder, "agent.toml"), `${config}\n${table}`);
    agent = await stack.startAgent();
    driver = new GrpcJs();
  }, 60_000);
  afterAll(async () => {
    await driver?.[Symbol.asyncDispose]();
    await agent?.[Symbol.asyncDispose]();
    await stack?.[Symbol.asyncDispose]();
  });

  const metrics = () => scrape(join(stack.folder, "m"));
  const sign = () => driver.call(stack.socket, SIGN, { keyId: "jwt.signing.primary", message: "eA==" });

  it("tell of requests by operation, outcome and backend, their latencies, connections and generation", async () => {
    expect(await sign()).toMatchObject({ code: "OK" });
    expect(await driver.call(stack.socket, "AdminService/Reload", {})).toMatchObject({ code: "OK" });
    const lines = (await metrics()).split("\n");
    for (const line of [
      'basil_requests_total{op="sign",code="OK",backend="aws-kms"} 1',
      'basil_request_duration_seconds_bucket{le="+Inf",op="sign"} 1',
      'basil_request_duration_seconds_count{op="sign"} 1',
      "basil_connections 1",
      "basil_generation 2",
      'basil_backend_breaker_open{backend="kms"} 0',
    ]) {
      expect(lines).toContain(line);
    }
  });

  it("show the breaker open while KMS fails for good, and closed after the first success", async () => {
    stack.emulator.faults.add({ fault: { kind: "error", status: 500 }, operation: "Sign", times: forever });
    const failing = async () => {
      while (!(await metrics()).includes('basil_backend_breaker_open{backend="kms"} 1\n')) {
        expect(await sign()).toMatchObject({ code: "UNAVAILABLE" });
      }
    };
    await Promise.all(Array.from({ length: 4 }, failing));
    stack.emulator.faults.clear();
    await expect.poll(sign, { timeout: 10_000 }).toMatchObject({ code: "OK" });
    expect(await metrics()).toContain('basil_backend_breaker_open{backend="kms"} 0\n');
    expect(await metrics()).toMatch(
      /^basil_requests_total\{op="sign",code="BACKEND_UNAVAILABLE",backend="aws-kms"\} \d+$/m,
    );
  }, 60_000);

  it("count what an alias moved by hand made another key answer", async () => {
    const kms = new KMSClient({
      region: "us-east-1",
      requestHandler: stack.emulator.requestHandler,
      credentials: stack.runtime,
    });
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" }));
    await kms.send(
      new UpdateAliasCommand({ AliasName: "alias/basil/jwt-signing-primary", TargetKeyId: KeyMetadata?.KeyId }),
    );
    expect(await metrics()).not.toContain("basil_key_drift_total{");
    await expect
      .poll(() => sign().then(metrics), { timeout: 20_000 })
      .toMatch(/^basil_key_drift_total\{key="jwt\.signing\.primary"\} [1-9]/m);
  }, 60_000);
});
