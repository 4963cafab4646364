import type { KeyRef } from "@basil/core";
import { describe, expect, it } from "vitest";
import { context } from "../test/call-context.js";
import { FakeKms, kmsFailure } from "../test/fake-kms.js";
import { Breaker } from "./breaker.js";
import { GuardedCalls } from "./guarded-calls.js";
import type { BreakerEvent, KmsCallEvent } from "./observer.js";

const key: KeyRef = { name: "k", path: "alias/k", keyType: "ed25519" };
const DESCRIBE = { KeyId: "alias/k" };

function open(options: { operationTimeoutMs?: number; breaker?: Breaker } = {}) {
  const kms = new FakeKms();
  kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "alias/k");
  const events: (KmsCallEvent | BreakerEvent)[] = [];
  const calls = new GuardedCalls(kms, {
    operationTimeoutMs: 10_000,
    breaker: new Breaker(),
    observer: { onCall: (event) => events.push(event), onBreaker: (event) => events.push(event) },
    ...options,
  });
  return { kms, calls, events };
}

const untilAborted = (_action: unknown, _input: unknown, signal: AbortSignal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

describe("GuardedCalls", () => {
  it("makes no call for a caller that has left, or whose deadline has passed", async () => {
    const { kms, calls } = open();
    const gone = { signal: AbortSignal.abort() };
    await expect(calls.call("DescribeKey", key, DESCRIBE, context(gone))).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(calls.call("DescribeKey", key, DESCRIBE, context({ deadline: Date.now() }))).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
    });
    expect(kms.requests).toEqual([]);
  });

  it("answers CANCELLED at once when the caller leaves, and drops the call", async () => {
    const { kms, calls } = open();
    let dropped = false;
    kms.before = (action, input, signal) => {
      signal.addEventListener("abort", () => {
        dropped = true;
      });
      return untilAborted(action, input, signal);
    };
    const caller = new AbortController();
    const refused = expect(
      calls.call("DescribeKey", key, DESCRIBE, context({ signal: caller.signal })),
    ).rejects.toMatchObject({ code: "CANCELLED" });
    caller.abort();
    await refused;
    expect(dropped).toBe(true);
  });

  it("waits for a deadline that is further away than a timer reaches", async () => {
    const { calls } = open();
    const patient = context({ deadline: Date.now() + 2 ** 31 + 60_000 });
    await expect(calls.call("DescribeKey", key, DESCRIBE, patient)).resolves.toMatchObject({ attempts: 1 });
    const { kms, calls: slow } = open({ operationTimeoutMs: 50 });
    kms.before = () => new Promise(() => {});
    await expect(slow.call("DescribeKey", key, DESCRIBE, patient)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("answers DEADLINE_EXCEEDED at the deadline, even when the wire does not listen", async () => {
    const { kms, calls } = open();
    kms.before = () => new Promise(() => {});
    const refused = calls.call("DescribeKey", key, DESCRIBE, context({ deadline: Date.now() + 20 }));
    await expect(refused).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  it("takes a signal that timed out as the deadline", async () => {
    const { kms, calls } = open();
    kms.before = untilAborted;
    const refused = calls.call("DescribeKey", key, DESCRIBE, context({ signal: AbortSignal.timeout(20) }));
    await expect(refused).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  it("answers UNAVAILABLE with a retry hint when KMS never answers a patient caller", async () => {
    const { kms, calls, events } = open({ operationTimeoutMs: 20 });
    kms.before = untilAborted;
    await expect(calls.call("DescribeKey", key, DESCRIBE, context())).rejects.toMatchObject({
      code: "UNAVAILABLE",
      details: { retryAfterMs: expect.any(Number) },
    });
    expect(events).toMatchObject([{ action: "DescribeKey", key: "k", outcome: "UNAVAILABLE" }]);
  });

  it("makes identical reads that overlap once, whoever leaves in between", async () => {
    const { kms, calls, events } = open();
    const gate = Promise.withResolvers<void>();
    kms.before = () => gate.promise;
    const caller = new AbortController();
    const leaves = calls.callOnce("DescribeKey", key, DESCRIBE, context({ signal: caller.signal }));
    const left = expect(leaves).rejects.toMatchObject({ code: "CANCELLED" });
    const others = Array.from({ length: 10 }, () => calls.callOnce("DescribeKey", key, DESCRIBE, context()));
    caller.abort();
    await left;
    gate.resolve();
    expect(new Set((await Promise.all(others)).map(({ requestId }) => requestId)).size).toBe(1);
    expect(kms.count("DescribeKey")).toBe(1);
    expect(events).toHaveLength(1);
  });

  it("fails fast after sustained failure, and recovers with the first call that gets through", async () => {
    let now = 0;
    const breaker = new Breaker({ failures: 3, sustainedMs: 1000, probeIntervalMs: 1000 }, () => now);
    const { kms, calls, events } = open({ breaker });
    kms.before = () => {
      throw kmsFailure("KMSInternalException");
    };
    const call = () => calls.call("DescribeKey", key, DESCRIBE, context());
    for (let i = 0; i < 3; i += 1) {
      await expect(call()).rejects.toMatchObject({ code: "UNAVAILABLE" });
      now += 1000;
    }
    expect(events.at(-2)).toEqual({ action: "DescribeKey", key: "k", state: "open" });
    now -= 500;
    await expect(call()).rejects.toMatchObject({ code: "UNAVAILABLE", details: { retryAfterMs: 500 } });
    expect(kms.requests).toHaveLength(3);
    kms.before = () => {};
    now += 500;
    await call();
    await call();
    expect(events.filter((event) => "state" in event)).toMatchObject([{ state: "open" }, { state: "closed" }]);
  });

  it("does not hold a key back for what another key does", async () => {
    const breaker = new Breaker({ failures: 1, sustainedMs: 0, probeIntervalMs: 60_000 });
    const { kms, calls } = open({ breaker });
    kms.aliases.set("alias/other", [...kms.keys.keys()][0] ?? "");
    kms.before = (_, { KeyId }) => {
      if (KeyId === "alias/k") throw kmsFailure("ThrottlingException");
    };
    await expect(calls.call("DescribeKey", key, DESCRIBE, context())).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(calls.call("DescribeKey", key, { KeyId: "alias/other" }, context())).resolves.toBeDefined();
  });

  it("takes a refusal as a sign that KMS is up", async () => {
    const breaker = new Breaker({ failures: 2, sustainedMs: 0, probeIntervalMs: 60_000 });
    const { kms, calls } = open({ breaker });
    for (const name of ["KMSInternalException", "AccessDeniedException", "KMSInternalException"]) {
      kms.before = () => {
        throw kmsFailure(name);
      };
      await expect(calls.call("DescribeKey", key, DESCRIBE, context())).rejects.toThrow();
    }
    expect(breaker.open).toBe(0);
  });

  it("reports each operation with its outcome, attempts and request id", async () => {
    const { kms, calls, events } = open();
    const { requestId } = await calls.call("DescribeKey", key, DESCRIBE, context());
    kms.before = () => {
      throw Object.assign(kmsFailure("ThrottlingException"), { $metadata: { attempts: 3, requestId: "r" } });
    };
    await expect(calls.call("DescribeKey", key, DESCRIBE, context())).rejects.toThrow();
    expect(events).toMatchObject([
      { action: "DescribeKey", key: "k", outcome: "ok", attempts: 1, requestId, durationMs: expect.any(Number) },
      { outcome: "UNAVAILABLE", attempts: 3, requestId: "r" },
    ]);
  });
});
