import { BackendError, type BackendErrorCode } from "@basil/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ALICE } from "../../test/documents.js";
import { type MemoryAudit, memoryAudit } from "../../test/memory-audit.js";
import { type MemoryBackend, memoryBackend } from "../../test/memory-backend.js";
import { testBroker } from "../../test/test-broker.js";
import type { Broker, BrokerOptions } from "../broker.js";

const bytes = (text: string) => new TextEncoder().encode(text);
let backend: MemoryBackend;
let audit: MemoryAudit;
let broker: Broker;

beforeEach(() => {
  backend = memoryBackend();
  audit = memoryAudit();
});
afterEach(() => broker?.close(0));

async function start(options: Partial<BrokerOptions> = {}) {
  broker = await testBroker({ backends: [backend], audit, version: "1.2.3", ...options });
  return broker.as(ALICE);
}

describe("a failing backend", () => {
  const details = { key: "k", reason: "r", operation: "o", action: "kms:Sign", limit: 1, actual: 2 };
  it.for([
    ["UNSUPPORTED", "UNSUPPORTED"],
    ["UNSUPPORTED_ALGORITHM", "UNSUPPORTED_ALGORITHM"],
    ["KEY_NOT_FOUND", "INTERNAL"],
    ["KEY_UNUSABLE", "BACKEND_ERROR"],
    ["INVALID_REQUEST", "INVALID_REQUEST"],
    ["PAYLOAD_TOO_LARGE", "PAYLOAD_TOO_LARGE"],
    ["ACCESS_DENIED", "BACKEND_ERROR"],
    ["UNAVAILABLE", "BACKEND_UNAVAILABLE"],
    ["REJECTED", "BACKEND_ERROR"],
    ["PROTOCOL", "BACKEND_ERROR"],
    ["CANCELLED", "BACKEND_UNAVAILABLE"],
    ["DEADLINE_EXCEEDED", "BACKEND_UNAVAILABLE"],
  ] as const)("that says %s is %s to the caller, who reads nothing of its text", async ([given, code]) => {
    const alice = await start();
    const secret = "arn:aws:kms:us-east-1:111122223333:alias/secret";
    backend.before = () => {
      throw new BackendError<BackendErrorCode>(given, `text with ${secret}`, details);
    };
    const error = await alice.sign("app.p256", bytes("m")).catch((thrown) => thrown);
    expect(error).toMatchObject({ code, details: { op: "sign" } });
    expect(error.message).not.toContain("arn:");
    expect(audit.records.at(-1)).toMatchObject({ decision: "allow", outcome: "allow", result: code });
  });

  it("passes on how long to wait", async () => {
    const alice = await start();
    backend.before = () => {
      throw new BackendError("UNAVAILABLE", "slow down", { retryAfterMs: 321 });
    };
    await expect(alice.sign("app.p256", bytes("m"))).rejects.toMatchObject({ details: { retryAfterMs: 321 } });
  });

  it("that throws nonsense is BACKEND_ERROR", async () => {
    const alice = await start();
    backend.before = () => {
      throw "a string";
    };
    await expect(alice.sign("app.p256", bytes("m"))).rejects.toMatchObject({
      code: "BACKEND_ERROR",
      message: "backend operation failed",
    });
  });

  it("that gives a signature of the wrong width is BACKEND_ERROR", async () => {
    const alice = await start();
    const { transit } = backend;
    const sign = transit!.sign.bind(transit);
    transit!.sign = async (...call) => ({ ...(await sign(...call)), signature: new Uint8Array(70) });
    await expect(alice.sign("app.p256", bytes("m"))).rejects.toMatchObject({ code: "BACKEND_ERROR" });
  });

  it("that never answers is unavailable after its time, and its call is dropped", async () => {
    const alice = await start({ limits: { backendTimeoutMs: 50 } });
    backend.before = () => new Promise(() => {});
    await expect(alice.sign("app.p256", bytes("m"))).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
    expect(backend.calls.at(-1)?.context.signal.aborted).toBe(true);
  });

  it("that never answers ends at the caller's deadline, and with the caller's signal", async () => {
    const alice = await start();
    backend.before = () => new Promise(() => {});
    await expect(alice.sign("app.p256", bytes("m"), { timeoutMs: 30 })).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
    });
    const controller = new AbortController();
    const call = alice.sign("app.p256", bytes("m"), { signal: controller.signal });
    controller.abort(new Error("gone"));
    await expect(call).rejects.toMatchObject({ code: "CANCELLED" });
    expect(audit.records.map(({ result }) => result)).toEqual(["DEADLINE_EXCEEDED", "CANCELLED"]);
  });
});
