import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ALICE, testPolicy } from "../../test/documents.js";
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

describe("a refusal", () => {
  it("is the same for a key that does not exist and for one that is forbidden", async () => {
    const alice = await start();
    const failures = await Promise.all(
      ["no.such.key", "other.p256"].map((name) => alice.sign(name, bytes("m")).catch((error) => error)),
    );
    const seen = failures.map(({ code, message, details }) => ({ code, message, details }));
    expect(seen[0]).toEqual({ code: "UNAUTHORIZED", message: "not authorized", details: { op: "sign" } });
    expect(seen[1]).toEqual(seen[0]);
    expect(audit.records.map(({ reason, result }) => [reason, result])).toEqual([
      ["unknown_key", "UNAUTHORIZED"],
      ["not_permitted", "UNAUTHORIZED"],
    ]);
  });

  it("comes before anything is said about the input, and no backend is asked", async () => {
    const alice = await start();
    const before = backend.calls.length;
    const huge = new Uint8Array(2_000_000);
    await expect(alice.sign("other.p256", huge)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    await expect(alice.encrypt("other.p256", huge)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect(backend.calls.length).toBe(before);
  });

  it("is UNAUTHENTICATED for a caller without credentials", async () => {
    await start();
    await expect(broker.as({ kind: "unauthenticated" }).sign("app.p256", bytes("m"))).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
      message: "missing peer credentials",
    });
  });

  it("is UNAUTHENTICATED where a local process is needed", async () => {
    const policy = testPolicy((document) => {
      Object.assign(document, { unauthenticatedSubject: "guest" });
      Object.assign(document.subjects, { guest: { anyOf: [{ kind: "unauthenticated" }] } });
      document.rules[0]?.subjects.push("guest");
    });
    await start({ policy });
    const guest = broker.as({ kind: "unauthenticated" });
    await expect(guest.sign("app.p256", bytes("m"))).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
      message: "operation requires local peer credentials",
    });
    expect((await guest.publicKey("app.p256")).publicKey.length).toBe(65);
  });
});

describe("the input checks", () => {
  it.for([
    ["a class that does not sign", "sign", "app.aead", 1, "INVALID_REQUEST"],
    ["a message over the broker's cap", "sign", "app.p256", 1_048_577, "PAYLOAD_TOO_LARGE"],
    ["a message over the backend's cap", "sign", "app.ed", 4097, "PAYLOAD_TOO_LARGE"],
    ["a class that does not encrypt", "encrypt", "app.p256", 1, "INVALID_REQUEST"],
    ["a plaintext over the broker's cap", "encrypt", "app.aead", 1_048_577, "PAYLOAD_TOO_LARGE"],
    ["a plaintext over the backend's cap", "encrypt", "app.aead", 4097, "PAYLOAD_TOO_LARGE"],
    ["a plaintext below the backend's range", "encrypt", "app.aead", 0, "INVALID_REQUEST"],
  ] as const)("refuse %s before any call", async ([, method, name, size, code]) => {
    const alice = await start();
    const before = backend.calls.length;
    await expect(alice[method](name, new Uint8Array(size))).rejects.toMatchObject({ code, details: { op: method } });
    expect(backend.calls.length).toBe(before);
  });

  it("take exactly the cap", async () => {
    const alice = await start();
    expect((await alice.sign("app.p256", new Uint8Array(1_048_576))).length).toBe(64);
  });

  it("refuse a signature of another width", async () => {
    const alice = await start();
    await expect(alice.verify("app.p256", bytes("m"), new Uint8Array(63))).rejects.toMatchObject({
      code: "INVALID_REQUEST",
      message: expect.stringContaining("its length is 63"),
    });
  });

  it("refuse another cipher than the key's", async () => {
    const alice = await start();
    await expect(alice.encrypt("app.aead", bytes("p"), { algorithm: "chacha20-poly1305" })).rejects.toMatchObject({
      code: "INVALID_REQUEST",
    });
  });
});
