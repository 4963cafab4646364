import { parseCatalog } from "@basil/catalog";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Backend, KeyProbe, KeyRef } from "../backend.js";
import type { CallContext } from "../call-context.js";
import { BackendError } from "../errors.js";
import { type ReconcileOptions, type ReconcileProgress, reconcile } from "./reconcile.js";
import { renderReconcileReport } from "./render-report.js";
import type { ReconcileReport } from "./report.js";

const P256 = { class: "asymmetric", keyType: "ecdsa-p256" };
const AES = { class: "symmetric", keyType: "aes-256-gcm" };

type KeyInput = Record<string, unknown>;

/** Every key on backend `kms` unless it says otherwise; `missing` is `error` unless it says otherwise. */
function catalogOf(keys: Record<string, KeyInput>, kms: Record<string, unknown> = {}) {
  const backend = {
    kind: "aws-kms",
    addr: "",
    engines: ["transit"],
    mintKeyTypes: ["ecdsa-p256", "aes-256-gcm"],
    ...kms,
  };
  const entries = Object.entries(keys).map(([name, key]) => [
    name,
    { ...P256, backend: "kms", path: `alias/${name}`, writable: false, description: "a key", ...key },
  ]);
  return parseCatalog(
    JSON.stringify({ schemaVersion: 1, backends: { kms: backend }, keys: Object.fromEntries(entries) }),
  );
}

/** Holds keys by path; `before` scripts what a call runs into. */
class FakeBackend implements Backend {
  readonly id = "kms";
  readonly kind = "aws-kms";
  readonly capabilities = {
    engines: ["transit" as const],
    keyTypes: {
      "ecdsa-p256": { operations: ["sign" as const, "createKey" as const] },
      "aes-256-gcm": { operations: ["encrypt" as const, "createKey" as const] },
      "ed25519-nkey": { operations: ["sign" as const] },
      "ecdsa-p384": { operations: ["sign" as const] },
    },
    features: [],
  };
  readonly held = new Map<string, KeyProbe>();
  readonly calls: string[] = [];
  inFlight = 0;
  mostInFlight = 0;
  before: (call: "probe" | "createKey", key: KeyRef, context: CallContext) => unknown = () => undefined;

  readonly transit = {
    createKey: (key: KeyRef, context: CallContext) =>
      this.#call("createKey", key, context, () => {
        if (this.held.has(key.path)) throw new BackendError("KEY_EXISTS", "exists", { key: key.name });
        this.held.set(key.path, present(key.path));
        return { keyVersion: 1, resource: `arn:${key.path}` };
      }),
  } as unknown as NonNullable<Backend["transit"]>;

  hold(...paths: string[]): this {
    for (const path of paths) this.held.set(path, present(path));
    return this;
  }

  probe(key: KeyRef, context: CallContext): Promise<KeyProbe> {
    return this.#call("probe", key, context, () => this.held.get(key.path) ?? { state: "absent" });
  }

  async #call<T>(call: "probe" | "createKey", key: KeyRef, context: CallContext, answer: () => T): Promise<T> {
    this.calls.push(`${call} ${key.path}`);
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    try {
      await this.before(call, key, context);
      return answer();
    } finally {
      this.inFlight -= 1;
    }
  }

  health = async () => ({ healthy: true });
  [Symbol.asyncDispose] = async () => undefined;
}

function present(path: string): KeyProbe {
  return { state: "present", latestVersion: 1, resource: `arn:${path}` };
}

function run(backend: FakeBackend, catalog: ReturnType<typeof catalogOf>, options: Partial<ReconcileOptions> = {}) {
  const context = { signal: new AbortController().signal, requestId: "test" };
  return reconcile({ catalog, backends: new Map([["kms", backend]]), context, ...options });
}

const outcomes = ({ keys }: ReconcileReport) => Object.fromEntries(keys.map(({ key, outcome }) => [key, outcome]));
const creations = ({ calls }: FakeBackend) => calls.filter((call) => call.startsWith("createKey"));
const never = () => new Promise(() => undefined);
const throttled = (retryAfterMs = 1000) => new BackendError("UNAVAILABLE", "was throttled", { retryAfterMs });
const denied = new BackendError("ACCESS_DENIED", "kms:DescribeKey was denied", {
  action: "kms:DescribeKey",
  resource: "arn:x",
});

describe("reconcile", () => {
  it("finds every key that is there, and changes nothing", async () => {
    const backend = new FakeBackend().hold("alias/a", "alias/b");
    const report = await run(backend, catalogOf({ b: { missing: "generate" }, a: {} }));
    expect(report).toMatchObject({ ok: true, counts: { present: 2, generated: 0 } });
    expect(report.keys.map(({ key }) => key)).toEqual(["a", "b"]);
    expect(report.keys[0]).toMatchObject({ resource: "arn:alias/a", latestVersion: 1, backend: "kms", retries: 0 });
    expect(creations(backend)).toEqual([]);
  });

  it("generates a key whose policy is generate, and finds it by a probe before it counts", async () => {
    const backend = new FakeBackend();
    const report = await run(backend, catalogOf({ a: { missing: "generate" }, aead: { ...AES, missing: "generate" } }));
    expect(report).toMatchObject({ ok: true, counts: { generated: 2 } });
    expect(backend.calls.slice(2)).toEqual([
      "createKey alias/a",
      "probe alias/a",
      "createKey alias/aead",
      "probe alias/aead",
    ]);
  });

  it("is idempotent", async () => {
    const backend = new FakeBackend();
    const catalog = catalogOf({ a: { missing: "generate" } });
    await run(backend, catalog);
    const report = await run(backend, catalog);
    expect(outcomes(report)).toEqual({ a: "present" });
    expect(creations(backend)).toHaveLength(1);
  });

  it("tolerates an absent key whose policy is warn", async () => {
    expect(await run(new FakeBackend(), catalogOf({ a: { missing: "warn" } }))).toMatchObject({
      ok: true,
      counts: { warned: 1 },
    });
  });

  it("lists every key that failed, and creates nothing when any did", async () => {
    const backend = new FakeBackend();
    backend.held.set("alias/disabled", { state: "unusable", reason: "its KeyState is Disabled", resource: "arn:d" });
    backend.before = (_, { path }) => {
      if (path === "alias/denied") throw denied;
    };
    const keys = { absent: {}, absent2: {}, denied: {}, disabled: {}, fresh: { missing: "generate" } };
    const report = await run(backend, catalogOf(keys));
    expect(report.ok).toBe(false);
    expect(outcomes(report)).toEqual({
      absent: "missing",
      absent2: "missing",
      denied: "probe-failed",
      disabled: "unusable",
      fresh: "pending",
    });
    expect(creations(backend)).toEqual([]);
    const text = renderReconcileReport(report).join("\n");
    for (const word of ["absent2", "kms:DescribeKey", "arn:x", "KeyState is Disabled", "fresh", "4 failed"]) {
      expect(text).toContain(word);
    }
  });

  it("refuses to generate, before anything is made, what mintKeyTypes does not list", async () => {
    const backend = new FakeBackend();
    const keys = { aead: { ...AES, missing: "generate" }, sig: { missing: "generate" }, ok: { missing: "warn" } };
    const report = await run(backend, catalogOf(keys, { mintKeyTypes: ["ecdsa-p256"] }));
    expect(outcomes(report)).toEqual({ aead: "generate-refused", ok: "warned", sig: "pending" });
    expect(creations(backend)).toEqual([]);
    expect(renderReconcileReport(report).join("\n")).toContain("mintKeyTypes");
  });

  it("refuses to generate a type that the backend cannot create", async () => {
    const catalog = catalogOf({ a: { keyType: "ecdsa-p384", missing: "generate" } }, { mintKeyTypes: ["ecdsa-p384"] });
    expect(outcomes(await run(new FakeBackend(), catalog))).toEqual({ a: "generate-refused" });
  });

  it("refuses, before any call, an engine and a key type that the backend does not offer", async () => {
    const backend = new FakeBackend();
    const value = { class: "value", keyType: undefined, engine: "kv2" };
    const report = await run(backend, catalogOf({ rsa: { keyType: "rsa-2048" }, value }));
    expect(report.keys).toMatchObject([
      { outcome: "probe-failed", error: { code: "UNSUPPORTED_ALGORITHM" } },
      { outcome: "probe-failed", error: { code: "UNSUPPORTED" } },
    ]);
    expect(backend.calls).toEqual([]);
  });

  it("finds a key unusable that the backend says is of another type, and takes an nkey for the Ed25519 key it is", async () => {
    const backend = new FakeBackend();
    backend.held.set("alias/a", { state: "present", latestVersion: 1, resource: "arn:a", keyType: "ecdsa-p384" });
    expect(outcomes(await run(backend, catalogOf({ a: {} })))).toEqual({ a: "unusable" });
    backend.held.set("alias/n", { state: "present", latestVersion: 1, resource: "arn:n", keyType: "ed25519" });
    const nkey = { keyType: "ed25519-nkey", labels: ["nats_type=A"] };
    expect(outcomes(await run(backend, catalogOf({ n: nkey })))).toEqual({ n: "present" });
  });

  it("counts a key as present that another run made first", async () => {
    const backend = new FakeBackend();
    backend.before = (call, { path }) => {
      if (call === "createKey") backend.hold(path);
    };
    expect(outcomes(await run(backend, catalogOf({ a: { missing: "generate" } })))).toEqual({ a: "present" });
  });

  it("stops at the first creation that fails, and says which key was made", async () => {
    const backend = new FakeBackend();
    backend.before = (call, { path }) => {
      if (call === "createKey" && path === "alias/b") throw new BackendError("REJECTED", "limit", {});
    };
    const generate = { missing: "generate" };
    const report = await run(backend, catalogOf({ a: generate, b: generate, c: generate }));
    expect(report.ok).toBe(false);
    expect(outcomes(report)).toEqual({ a: "generated", b: "generate-failed", c: "pending" });
    expect(creations(backend)).toHaveLength(2);
  });

  it("makes nothing in a dry run", async () => {
    const backend = new FakeBackend();
    const report = await run(backend, catalogOf({ a: { missing: "generate" } }), { dryRun: true });
    expect(report).toMatchObject({ ok: true, dryRun: true, counts: { pending: 1 } });
    expect(creations(backend)).toEqual([]);
    expect(renderReconcileReport(report)[0]).toContain("check ok: 1 key,");
  });

  it("tells a failure that is not of the contract by its type alone, and keeps it as the cause", async () => {
    const backend = new FakeBackend();
    const failure = new RangeError("token=hunter2");
    backend.before = () => Promise.reject(failure);
    const report = await run(backend, catalogOf({ a: {} }));
    expect(report.keys[0]).toMatchObject({ outcome: "probe-failed", error: { code: "PROTOCOL", cause: failure } });
    expect(renderReconcileReport(report).join("\n")).not.toContain("hunter2");
  });

  it("fails with what onProgress threw, and lets go of probes that are under way", async () => {
    const backend = new FakeBackend().hold("alias/a");
    const signals: AbortSignal[] = [];
    backend.before = (_, { path }, { signal }) => {
      signals.push(signal);
      return path === "alias/a" ? undefined : never();
    };
    const onProgress = () => {
      throw new RangeError("not the run's fault");
    };
    await expect(run(backend, catalogOf({ a: {}, b: {} }), { onProgress })).rejects.toThrow(RangeError);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
  });

  it("refuses a backend that is not open and a parallelism that is no positive integer as wrong arguments", async () => {
    const catalog = catalogOf({ a: {} });
    await expect(run(new FakeBackend(), catalog, { backends: new Map() })).rejects.toThrow(TypeError);
    for (const parallelism of [0, -1, 1.5, Number.NaN]) {
      await expect(run(new FakeBackend(), catalog, { parallelism })).rejects.toThrow(TypeError);
    }
  });

  it("does not retry a permanent failure, and prints its remedy", async () => {
    const backend = new FakeBackend();
    backend.before = () => {
      throw new BackendError("UNAVAILABLE", "wrong secret", { permanent: true, remedy: "check the secret" });
    };
    const retried: unknown[] = [];
    const report = await run(backend, catalogOf({ a: {} }), { onRetry: (retry) => retried.push(retry) });
    expect(backend.calls).toEqual(["probe alias/a"]);
    expect(retried).toEqual([]);
    expect(renderReconcileReport(report).join("\n")).toContain("wrong secret; check the secret, then start again");
  });

  it("reports the cause before it retries", async () => {
    const backend = new FakeBackend().hold("alias/a");
    const error = throttled(1);
    const retried: unknown[] = [];
    backend.before = () => {
      if (retried.length === 0) throw error;
    };
    const onRetry = (retry: unknown) => retried.push(retry);
    expect(await run(backend, catalogOf({ a: {} }), { onRetry })).toMatchObject({ ok: true });
    expect(retried).toEqual([{ key: "a", backend: "kms", error }]);
  });

  it("is done at once with a catalog that has no keys", async () => {
    expect(await run(new FakeBackend(), catalogOf({}))).toMatchObject({ ok: true, keys: [] });
  });
});

describe("reconcile, in time", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Seconds of fake time until the run ends. */
  async function timed(work: Promise<ReconcileReport>): Promise<{ report: ReconcileReport; seconds: number }> {
    const started = Date.now();
    let report: ReconcileReport | undefined;
    void work.then((done) => {
      report = done;
    });
    while (report === undefined && Date.now() - started < 120_000) await vi.advanceTimersByTimeAsync(50);
    expect(report).toBeDefined();
    return { report: report as ReconcileReport, seconds: (Date.now() - started) / 1000 };
  }

  const many = (count: number, key: KeyInput = {}) =>
    catalogOf(Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, key])));

  it("asks again when the backend is throttled, never with more than its parallelism in flight, and tells progress", async () => {
    const backend = new FakeBackend();
    const catalog = many(1000);
    backend.hold(...[...catalog.keys.values()].map(({ path }) => path));
    // 100 probes a second, as a quota has it.
    let [second, used] = [0, 0];
    backend.before = async (_call, _key) => {
      const now = Math.floor(Date.now() / 1000);
      if (now !== second) [second, used] = [now, 0];
      used += 1;
      if (used > 100) throw throttled(200);
      await new Promise((resolve) => setTimeout(resolve, 10));
    };
    const events: ReconcileProgress[] = [];
    const { report, seconds } = await timed(run(backend, catalog, { onProgress: (event) => events.push(event) }));
    expect(report).toMatchObject({ ok: true, counts: { present: 1000 } });
    expect(backend.mostInFlight).toBe(8);
    expect(report.keys.some(({ retries }) => retries > 0)).toBe(true);
    expect(events.map(({ done }) => done)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
    expect(seconds).toBeGreaterThan(8);
  });

  it.each([
    ["throttled for good", () => Promise.reject(throttled())],
    ["silent for good", never],
  ])("ends within 40 s when the backend is %s, whatever the number of keys", async (_, answer) => {
    const backend = new FakeBackend();
    backend.before = answer;
    const { report, seconds } = await timed(run(backend, many(200, { missing: "generate" })));
    expect(seconds).toBeLessThanOrEqual(40);
    expect(report.counts["probe-failed"]).toBe(200);
    expect(report.keys[0]).toMatchObject({ outcome: "probe-failed", error: { code: "UNAVAILABLE" } });
    expect(backend.calls.some((call) => call.startsWith("createKey"))).toBe(false);
  });

  it("ends within 40 s of the first failure when only one key keeps it waiting", async () => {
    const backend = new FakeBackend();
    const catalog = many(2000);
    backend.before = async (_, { path }) => {
      if (path === "alias/k0") throw throttled();
      await new Promise((resolve) => setTimeout(resolve, 400));
    };
    const { report, seconds } = await timed(run(backend, catalog, { parallelism: 2 }));
    expect(seconds).toBeLessThanOrEqual(40);
    expect(report.counts.missing).toBeGreaterThan(0);
  });

  it("does not give up on a slow catalog that makes progress", async () => {
    const backend = new FakeBackend();
    const catalog = many(100);
    backend.hold(...[...catalog.keys.values()].map(({ path }) => path));
    backend.before = () => new Promise((resolve) => setTimeout(resolve, 900));
    const { report, seconds } = await timed(run(backend, catalog, { parallelism: 1 }));
    expect(report.ok).toBe(true);
    expect(seconds).toBeGreaterThan(80);
  });

  it("waits until a fresh key is seen, and reports one that never is with the name of what was made", async () => {
    const backend = new FakeBackend();
    let hidden = 3;
    const realProbe = backend.probe.bind(backend);
    backend.probe = async (key, context) => {
      const found = await realProbe(key, context);
      return found.state === "present" && hidden-- > 0 ? { state: "absent" } : found;
    };
    const generate = { missing: "generate" };
    expect(outcomes((await timed(run(backend, catalogOf({ a: generate })))).report)).toEqual({ a: "generated" });
    hidden = Number.POSITIVE_INFINITY;
    const { report, seconds } = await timed(run(backend, catalogOf({ b: generate })));
    expect(seconds).toBeLessThanOrEqual(21);
    expect(report.keys[0]).toMatchObject({ outcome: "generate-failed", resource: "arn:alias/b" });
    expect(renderReconcileReport(report)[1]).toContain("made as arn:alias/b");
  });

  it("ends a creation that never answers, and does not repeat it", async () => {
    const backend = new FakeBackend();
    backend.before = (call) => (call === "createKey" ? never() : undefined);
    const { report, seconds } = await timed(run(backend, catalogOf({ a: { missing: "generate" } })));
    expect(seconds).toBeLessThanOrEqual(61);
    expect(report.keys[0]).toMatchObject({ outcome: "generate-failed", error: { code: "UNAVAILABLE" } });
    expect(creations(backend)).toHaveLength(1);
  });

  it.each([
    ["CANCELLED", (abort: () => void) => ({ at: setTimeout(abort, 3000) })],
    ["DEADLINE_EXCEEDED", () => ({ deadline: Date.now() + 3000 })],
  ] as const)("stops at once and makes nothing when it is ended by %s", async (code, ending) => {
    const backend = new FakeBackend().hold("alias/k0");
    backend.before = (_, { path }) => (path === "alias/k0" ? undefined : never());
    const controller = new AbortController();
    const context = { signal: controller.signal, requestId: "test", ...ending(() => controller.abort()) };
    const { report, seconds } = await timed(run(backend, many(20, { missing: "generate" }), { context }));
    expect(seconds).toBeLessThan(4);
    expect(report.ok).toBe(false);
    expect(outcomes(report).k0).toBe("present");
    expect(report.keys[1]).toMatchObject({ outcome: "probe-failed", error: { code } });
    expect(creations(backend)).toEqual([]);
  });

  it("leaves what it had not begun to make when it is cancelled between two creations, and a second run makes it", async () => {
    const backend = new FakeBackend();
    const controller = new AbortController();
    backend.before = (call) => call === "createKey" && controller.abort();
    const catalog = many(3, { missing: "generate" });
    const context = { signal: controller.signal, requestId: "test" };
    const { report } = await timed(run(backend, catalog, { context }));
    expect(report.ok).toBe(false);
    expect(report.counts.pending).toBe(2);
    backend.before = () => undefined;
    expect((await timed(run(backend, catalog))).report).toMatchObject({
      ok: true,
      counts: { present: 1, generated: 2 },
    });
  });
});
