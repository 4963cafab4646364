import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { awsKms } from "@basil/backend-aws-kms";
import { parseCatalog } from "@basil/catalog";
import { type Backend, type ReconcileProgress, reconcile } from "@basil/core";
import { afterEach, describe, expect, it, vi } from "vitest";

afterEach(() => void vi.unstubAllEnvs());

/**
 * The emulator's time moves by calls, and not with the machine's: a second takes more calls than the quota has, and the
 * wait after a throttle is in it.
 */
const QUOTA = 100;
const CALL_MS = 4;
const THROTTLED_MS = 250;

function catalogOf(count: number, missing: "error" | "generate") {
  const keys = Array.from({ length: count }, (_, i) => [
    `k${i}`,
    {
      class: "symmetric",
      keyType: "aes-256-gcm",
      backend: "kms",
      path: `alias/basil/k${i}`,
      writable: false,
      missing,
      description: "one of many",
    },
  ]);
  const kms = { kind: "aws-kms", addr: "", engines: ["transit"], mintKeyTypes: ["aes-256-gcm"] };
  return parseCatalog(JSON.stringify({ schemaVersion: 1, backends: { kms }, keys: Object.fromEntries(keys) }));
}

async function start(count: number, options: Parameters<typeof startKmsEmulator>[0] = {}) {
  const keys = Array.from({ length: count }, (_, i) => ({
    spec: "SYMMETRIC_DEFAULT" as const,
    aliases: [`alias/basil/k${i}`],
  }));
  const emulator = await startKmsEmulator({ keys, ...options });
  vi.stubEnv("AWS_SESSION_TOKEN", undefined);
  vi.stubEnv("AWS_ACCESS_KEY_ID", emulator.rootCredentials.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", emulator.rootCredentials.secretAccessKey);
  const { region, endpoint } = emulator;
  return { emulator, backend: awsKms({ id: "kms", region, endpoint, propagationTimeoutMs: 2000 }) };
}

function run(
  backend: Backend,
  catalog: ReturnType<typeof catalogOf>,
  signal = new AbortController().signal,
  watch: (event: ReconcileProgress) => void = () => {},
) {
  const events: ReconcileProgress[] = [];
  const backends = new Map([["kms", backend]]);
  const context = { signal, requestId: "test" };
  const onProgress = (event: ReconcileProgress) => {
    events.push(event);
    watch(event);
  };
  const report = reconcile({ catalog, backends, context, onProgress });
  return { events, report };
}

describe("reconcile over the emulator", () => {
  it("finds 1,000 keys against a quota of 100 DescribeKey a second, with 8 in flight at most", {
    timeout: 120_000,
  }, async () => {
    let now = Date.now();
    const { emulator, backend } = await start(1000, {
      now: () => now,
      callLog: {
        onCall: ({ errorCode }) => {
          now += errorCode === "ThrottlingException" ? THROTTLED_MS : CALL_MS;
        },
      },
      quotas: { DescribeKey: QUOTA },
    });
    await using _emulator = emulator;
    await using _backend = backend;
    let [inFlight, most] = [0, 0];
    const counted: Backend = {
      ...backend,
      probe: (key, context) => {
        most = Math.max(most, ++inFlight);
        return backend.probe(key, context).finally(() => --inFlight);
      },
    };
    const { events, report } = run(counted, catalogOf(1000, "error"));
    expect(await report).toMatchObject({ ok: true, counts: { present: 1000 } });
    expect(most).toBe(8);
    expect(events.map(({ done }) => done)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
    const throttled = emulator.calls.filter(({ errorCode }) => errorCode === "ThrottlingException");
    expect(throttled.length).toBeGreaterThanOrEqual(5);
  });

  it("ends in the same state when it is cancelled half-way and run again", async () => {
    const { emulator, backend } = await start(0);
    await using _emulator = emulator;
    await using _backend = backend;
    const controller = new AbortController();
    const catalog = catalogOf(20, "generate");
    const first = run(backend, catalog, controller.signal, ({ pass, done }) => {
      if (pass === "generate" && done === 10) controller.abort();
    });
    const { ok, counts } = await first.report;
    expect(ok).toBe(false);
    expect(counts.pending).toBeGreaterThan(0);
    const second = await run(backend, catalog).report;
    expect(second.ok).toBe(true);
    expect(second.counts.present + second.counts.generated).toBe(20);
    expect(second.counts.present).toBeGreaterThanOrEqual(10);
    const made = emulator.calls.filter(({ operation, status }) => operation === "CreateKey" && status === 200);
    const resources = second.keys.map((key) =>
      key.outcome === "present" || key.outcome === "generated" ? key.resource : "",
    );
    expect(new Set(resources).size).toBe(20);
    // The one creation that was under way when the run was cancelled may have left a key without an alias, and no more.
    expect(made.length).toBeLessThanOrEqual(21);
  });
});
