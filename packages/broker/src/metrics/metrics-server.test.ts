import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ALICE } from "../../test/documents.js";
import { memoryBackend } from "../../test/memory-backend.js";
import { testBroker } from "../../test/test-broker.js";
import type { Broker } from "../broker.js";
import { REQUEST_CHANNEL, type RequestEvent } from "../request/request-channel.js";

let broker: Broker;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-metrics-"));
  broker = await testBroker();
});
afterEach(async () => {
  await broker.close(0);
  await rm(folder, { recursive: true });
});

const use = async () => {
  const alice = broker.as(ALICE);
  await alice.sign("app.p256", new Uint8Array());
  await alice.sign("app.p256", new Uint8Array());
  await alice.sign("other.p256", new Uint8Array()).catch(() => undefined);
  await alice.health();
};

describe("Broker.metrics", () => {
  it("counts requests by operation, code and backend, and measures them", async () => {
    await use();
    const metrics = await broker.metrics();
    for (const line of [
      'basil_requests_total{op="sign",code="OK",backend="aws-kms"} 2',
      'basil_requests_total{op="sign",code="UNAUTHORIZED",backend="none"} 1',
      'basil_requests_total{op="health",code="OK",backend="none"} 1',
      'basil_request_duration_seconds_count{op="sign"} 3',
      "basil_generation 1",
      "basil_connections 0",
      "basil_requests_in_flight 0",
      "basil_audit_healthy 1",
    ]) {
      expect(metrics).toContain(`${line}\n`);
    }
  });

  it("says what each backend with a breaker holds back, as it is when it is read", async () => {
    expect(await broker.metrics()).not.toContain("basil_backend_breaker_open{");
    const breaker = { open: 0 };
    await using guarded = await testBroker({ backends: [{ ...memoryBackend(), breaker }] });
    expect(await guarded.metrics()).toContain('basil_backend_breaker_open{backend="mem"} 0\n');
    breaker.open = 2;
    expect(await guarded.metrics()).toContain('basil_backend_breaker_open{backend="mem"} 2\n');
  });

  it("has as many series whatever callers ask for", async () => {
    const alice = broker.as(ALICE);
    for (let n = 0; n < 50; n++) await alice.sign(`no.key_${n}`, new Uint8Array()).catch(() => undefined);
    const series = (await broker.metrics()).split("\n").filter((line) => line.startsWith("basil_requests_total{"));
    expect(series.length).toBe(1);
  });
});

describe("Broker.serveMetrics", () => {
  it("answers GET /metrics at a socket of its own, and nothing else", async () => {
    await use();
    const path = join(folder, "metrics.sock");
    const { address } = await broker.serveMetrics({ path });
    expect(address).toBe(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const ask = async (options: object) => {
      const [response] = await once(get({ socketPath: path, path: "/metrics", agent: false, ...options }), "response");
      return { status: response.statusCode, body: await text(response) };
    };
    expect(await ask({})).toMatchObject({ status: 200, body: expect.stringContaining("basil_requests_total") });
    expect(await ask({ path: "/" })).toMatchObject({ status: 404 });
    expect(await ask({ method: "POST" })).toMatchObject({ status: 405 });
  });

  it("answers at a port of the loopback interface, until the broker closes", async () => {
    const { address } = await broker.serveMetrics({ port: 0 });
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const response = await fetch(`${address}/metrics`);
    expect(response.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    await response.text();
    const port = Number(new URL(address).port);
    await expect(broker.serveMetrics({ port })).rejects.toMatchObject({
      code: "SOCKET_FAILED",
      details: { errno: "EADDRINUSE" },
    });
    await broker.close();
    await expect(fetch(`${address}/metrics`)).rejects.toThrow();
  });
});

describe("the diagnostics channel", () => {
  it("tells of each request what came of it, and no payload", async () => {
    const events: RequestEvent[] = [];
    const listener = (event: unknown) => void events.push(event as RequestEvent);
    subscribe(REQUEST_CHANNEL, listener);
    await use();
    unsubscribe(REQUEST_CHANNEL, listener);
    expect(events).toMatchObject([
      { op: "sign", code: "OK", target: "app.p256", subject: "alice", requestId: expect.any(String) },
      { op: "sign", code: "OK" },
      { op: "sign", code: "UNAUTHORIZED", target: "other.p256" },
      { op: "health", code: "OK", target: undefined },
    ]);
    expect(Object.keys(events[0] ?? {}).sort()).toEqual(["code", "latencyUs", "op", "requestId", "subject", "target"]);
  });
});
