import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, FaultRule } from "@basil/aws-kms-emulator";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type RunningAgent, Stack } from "../stack.js";
import { zeros } from "./case.js";
import { KMS_CATALOG, KMS_KEYS, policyFor } from "./documents.js";
import type { Json, Outcome } from "./drivers/driver.js";
import { GrpcJs } from "./drivers/grpc-js.js";
import { HealthWatch } from "./health-watch.js";
import { ending, prefixed, RawConnections } from "./raw-connection.js";

const SIGN = "SigningService/Sign";
const ENCRYPT = "AeadService/Encrypt";
const forever = Number.POSITIVE_INFINITY;

/** Verify is never answered, from the first test to the last, while the others go on. */
const silence: FaultRule = { fault: { kind: "hang" }, operation: "Verify", times: forever };

let stack: Stack;
let agent: RunningAgent;
let driver: GrpcJs;
let unanswered: ReturnType<typeof timedCall>;
beforeAll(async () => {
  stack = await Stack.start({
    catalog: JSON.stringify(KMS_CATALOG),
    policy: policyFor("known"),
    emulator: { keys: KMS_KEYS },
  });
  agent = await stack.startAgent();
  driver = new GrpcJs();
  resetFaults();
  const request = { keyId: "app.ed", message: "eA==", signature: zeros(64) };
  unanswered = timedCall("SigningService/Verify", request, 120_000);
}, 120_000);
afterEach(() => resetFaults());
afterAll(async () => {
  await driver[Symbol.asyncDispose]();
  await agent[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
});

function resetFaults(): void {
  stack.emulator.faults.clear();
  stack.emulator.faults.add(silence);
}

async function timedCall(
  method: string,
  request: Json,
  timeoutMs?: number,
): Promise<Outcome & { readonly ms: number }> {
  const startedAt = performance.now();
  const outcome = await driver.call(stack.socket, method, request, timeoutMs);
  return { ...outcome, ms: performance.now() - startedAt };
}

const timed = (keyId: string) => timedCall(SIGN, { keyId, message: "eA==" });

/** Connections of this host to the emulator that are established (proc(5), `net/tcp`). */
async function connectionsToKms(): Promise<number> {
  const port = Number(new URL(stack.emulator.endpoint).port).toString(16).toUpperCase().padStart(4, "0");
  const lines = (await readFile("/proc/self/net/tcp", "utf8")).split("\n").slice(1);
  return lines.filter((line) => {
    const [, , remote, state] = line.trim().split(/\s+/);
    return remote?.endsWith(`:${port}`) && state === "01";
  }).length;
}

describe("an agent whose KMS", () => {
  it.for<[string, Fault, number]>([
    ["throttles twice", { kind: "throttle" }, 2],
    ["fails twice", { kind: "error", status: 500 }, 2],
    ["is not there twice", { kind: "error", status: 503, code: "DependencyTimeoutException" }, 2],
    ["resets a connection", { kind: "reset" }, 1],
    ["cuts an answer off", { kind: "truncate" }, 1],
  ])("%s in a row answers all the same", async ([, fault, times]) => {
    for (const [method, operation, request] of [
      [SIGN, "Sign", { keyId: "app.p256", message: "eA==" }],
      [ENCRYPT, "Encrypt", { keyId: "app.aead", algorithm: 2, plaintext: "eA==" }],
    ] as const) {
      stack.emulator.faults.add({ fault, operation, times });
      expect(await driver.call(stack.socket, method, request)).toMatchObject({ code: "OK" });
      expect(stack.emulator.faults.pending).toEqual([silence]);
    }
  });

  it("does not answer lets go of the request at the caller's deadline, while other keys answer", async () => {
    expect((await timed("app.p521")).code).toBe("OK");
    using raw = new RawConnections(stack.socket);
    const stream = raw.request(SIGN, { "grpc-timeout": "1500m" });
    stack.emulator.faults.add({ fault: { kind: "hang" }, operation: "Sign", times: 1 });
    const startedAt = performance.now();
    // SignRequest with key_id `app.p384`.
    stream.end(prefixed(Buffer.concat([Buffer.of(0x0a, 8), Buffer.from("app.p384")])));
    await expect.poll(() => stack.emulator.faults.pending.length).toBe(1);
    const hanging = await connectionsToKms();
    for (let n = 0; n < 5; n++) expect(await timed("app.p256")).toMatchObject({ code: "OK" });
    const { grpcStatus } = await ending(stream);
    expect(["1", "4", "14"]).toContain(grpcStatus);
    expect(performance.now() - startedAt).toBeLessThan(3000);
    await expect.poll(connectionsToKms, { timeout: 2000 }).toBeLessThan(hanging);
  });

  it("fails for a moment answers the next call at once, and one that failed for long within a second", async () => {
    await using health = new HealthWatch(stack.socket);
    stack.emulator.faults.add({ fault: { kind: "error" }, operation: "Sign", times: forever });
    const brief = await Promise.all(Array.from({ length: 30 }, () => timed("app.p384")));
    expect(new Set(brief.map(({ code }) => code))).toEqual(new Set(["UNAVAILABLE"]));
    resetFaults();
    expect(await timed("app.p384")).toMatchObject({ code: "OK" });

    stack.emulator.faults.add({ fault: { kind: "error" }, operation: "Sign", times: forever });
    const until = performance.now() + 6000;
    let last = await timed("app.p384");
    while (performance.now() < until) {
      await sleep(200);
      last = await timed("app.p384");
    }
    // The breaker is open: the answer does not wait for KMS, and says when to come again.
    const before = stack.emulator.calls.length;
    const fast = await Promise.all(Array.from({ length: 20 }, () => timed("app.p384")));
    expect(fast.every(({ code }) => code === "UNAVAILABLE")).toBe(true);
    expect(stack.emulator.calls.length - before).toBeLessThan(20);
    expect(Number(last.trailers["grpc-retry-pushback-ms"])).toBeLessThanOrEqual(1000);
    // It is this key's alone.
    resetFaults();
    expect(await timed("app.p521")).toMatchObject({ code: "OK" });
    await expect.poll(async () => (await timed("app.p384")).code, { timeout: 1500 }).toBe("OK");
    expect(health.misses).toEqual([]);
  });

  it("never answers is BACKEND_UNAVAILABLE before 30 seconds, however patient the caller", async () => {
    const outcome = await unanswered;
    expect(outcome).toMatchObject({ code: "UNAVAILABLE", message: "backend unavailable" });
    expect(Number(outcome.trailers["grpc-retry-pushback-ms"])).toBeGreaterThanOrEqual(0);
    expect(outcome.ms).toBeLessThan(30_000);
    stack.emulator.faults.clear();
    const request = { keyId: "app.ed", message: "eA==", signature: zeros(64) };
    expect(await timedCall("SigningService/Verify", request)).toMatchObject({ code: "OK" });
  }, 60_000);
});
