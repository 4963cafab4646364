import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BackendError, verifySignature } from "@basil/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ALICE, NOBODY, testCatalog } from "../test/documents.js";
import { type MemoryAudit, memoryAudit } from "../test/memory-audit.js";
import { type MemoryBackend, memoryBackend } from "../test/memory-backend.js";
import { testBroker } from "../test/test-broker.js";
import type { Broker, BrokerOptions } from "./broker.js";

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

describe("createBroker", () => {
  it("makes the keys whose policy is generate, and reports them", async () => {
    await start();
    expect(broker.report.reconcile?.counts).toMatchObject({ generated: 8, warned: 2 });
    expect(backend.keys.has("alias/p256")).toBe(true);
  });

  it("does not start when a required key is missing, names it, and closes what it was given", async () => {
    const catalog = testCatalog(({ keys }) => {
      keys["app.p256"].missing = "error";
    });
    await expect(start({ catalog })).rejects.toMatchObject({
      code: "RECONCILE_FAILED",
      message: expect.stringContaining("app.p256"),
      details: { report: { ok: false } },
    });
    expect(backend.disposed).toBe(true);
    expect(backend.keys.size).toBe(0);
  });

  it("does not start when the catalog demands what a backend does not offer", async () => {
    const catalog = testCatalog(({ backends }) => {
      backends.mem.mintKeyTypes = ["ed25519"];
    });
    await expect(start({ catalog })).rejects.toMatchObject({
      code: "CAPABILITY_GAPS",
      details: { gaps: expect.arrayContaining([expect.stringContaining("app.p256")]) },
    });
    expect(backend.calls).toEqual([]);
  });

  it.for([
    ["none", [], "is not open"],
    ["another kind", [["mem", "keystore"]], "kind"],
    ["two of one name", [["mem"], ["mem"]], "twice"],
    ["one the catalog lacks", [["mem"], ["extra"]], "not in the catalog"],
  ] as const)("refuses backends that are %s", async ([, given, message]) => {
    const backends = given.map(([id, kind]) => memoryBackend(id, kind));
    await expect(start({ backends })).rejects.toMatchObject({
      code: "BACKEND_MISMATCH",
      message: expect.stringContaining(message),
    });
  });

  it("refuses a limit that is no number of bytes as a wrong argument", async () => {
    await expect(start({ limits: { maxPayloadBytes: 0 } })).rejects.toThrow(/limits.maxPayloadBytes/);
  });
});

describe("Broker", () => {
  it.for([
    ["app.ed", "ed25519", 64, 32],
    ["app.p256", "ecdsa-p256", 64, 65],
    ["app.p384", "ecdsa-p384", 96, 97],
    ["app.p521", "ecdsa-p521", 132, 133],
  ] as const)("signs with %s and verifies what it signed", async ([name, keyType, signatureBytes, keyBytes]) => {
    const alice = await start();
    const message = randomBytes(1000);
    const signature = await alice.sign(name, message);
    expect(signature.length).toBe(signatureBytes);
    expect(await alice.verify(name, message, signature)).toBe(true);
    expect(await alice.verify(name, bytes("another"), signature)).toBe(false);
    const { publicKey, version } = await alice.publicKey(name);
    expect([publicKey.length, version]).toEqual([keyBytes, 1]);
    const entry = backend.keys.get(`alias/${name.slice(4)}`);
    const spki = new Uint8Array(
      (entry as { publicKey: import("node:crypto").KeyObject }).publicKey.export({ type: "spki", format: "der" }),
    );
    expect(verifySignature({ keyType, publicKey: spki, message, signature })).toBe(true);
  });

  it("signs the empty message", async () => {
    const alice = await start();
    expect(await alice.verify("app.p256", new Uint8Array(), await alice.sign("app.p256", new Uint8Array()))).toBe(true);
  });

  it("opens what it encrypted, and only with the AAD it had", async () => {
    const alice = await start();
    for (const aad of [undefined, new Uint8Array(), bytes("context")]) {
      const envelope = await alice.encrypt("app.aead", bytes("plain"), aad ? { aad } : {});
      expect(await alice.decrypt("app.aead", envelope, aad ? { aad } : {})).toEqual(bytes("plain"));
      const other = aad?.length === 0 ? {} : { aad: new Uint8Array() };
      await expect(alice.decrypt("app.aead", envelope, other)).rejects.toMatchObject({
        code: "DECRYPT_FAILED",
        message: "decrypt failed",
        details: { op: "decrypt" },
      });
    }
  });

  it("creates a key that is absent, and refuses to do it twice", async () => {
    const alice = await start();
    const made = await alice.newKey("app.late", "ecdsa-p256");
    expect(made).toMatchObject({ keyId: "app.late" });
    expect(made.publicKey.length).toBe(65);
    await expect(alice.newKey("app.late", "ecdsa-p256")).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    expect(await alice.newKey("app.late_aead", undefined)).toMatchObject({ publicKey: new Uint8Array() });
  });

  it.for([
    ["another type", "app.late", "ed25519"],
    ["no type for an asymmetric key", "app.late", undefined],
    ["a type for a symmetric key", "app.late_aead", "ed25519"],
  ] as const)("refuses to create a key of %s", async ([, name, keyType]) => {
    const alice = await start();
    await expect(alice.newKey(name, keyType)).rejects.toMatchObject({
      code: "INVALID_REQUEST",
      message: expect.stringContaining("key_type"),
      details: { op: "new_key" },
    });
  });

  it("refuses a write to a key that is not writable, and a raw signature by an issuer", async () => {
    const alice = await start();
    const refusal = { code: "UNAUTHORIZED", message: "not authorized" };
    await expect(alice.newKey("app.readonly", "ecdsa-p256")).rejects.toMatchObject(refusal);
    await expect(alice.sign("app.issuer", bytes("m"))).rejects.toMatchObject(refusal);
    expect(audit.records.map(({ reason }) => reason)).toEqual(["not_writable", "issuer_raw_sign"]);
  });

  it("lists what the caller may know about, in order, with its kinds and types", async () => {
    const alice = await start();
    const all = await alice.list();
    expect(all.map(({ name, kind, keyType, latestVersion }) => [name, kind, keyType ?? 0, latestVersion])).toEqual([
      ["app.aead", 3, 0, 1],
      ["app.ed", 1, 1, 1],
      ["app.issuer", 1, 1, 1],
      ["app.late", 1, 10, 0],
      ["app.late_aead", 3, 0, 0],
      ["app.p256", 1, 10, 1],
      ["app.p384", 1, 11, 1],
      ["app.p521", 1, 12, 1],
      ["app.readonly", 1, 10, 1],
    ]);
    expect((await alice.list({ prefix: "app.p" })).map(({ name }) => name)).toEqual([
      "app.p256",
      "app.p384",
      "app.p521",
    ]);
    expect(await broker.as(NOBODY).list()).toEqual([]);
    expect(audit.records).toEqual([]);
  });

  it("lists by the catalog when the backend does not answer", async () => {
    const alice = await start();
    backend.before = () => Promise.reject(new BackendError("UNAVAILABLE", "down", {}));
    expect(
      (await alice.list({ prefix: "app.p256" })).map(({ keyType, latestVersion }) => [keyType, latestVersion]),
    ).toEqual([[10, 0]]);
  });

  it("tells its status to callers the policy knows, its health to all", async () => {
    const alice = await start();
    expect(await alice.status()).toMatchObject({ backend: "aws-kms", version: "1.2.3", protocol: 1 });
    await expect(broker.as(NOBODY).status()).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect(await broker.as(NOBODY).health()).toMatchObject({ alive: true, version: "1.2.3" });
    expect(await broker.as({ kind: "unauthenticated" }).health()).toMatchObject({ alive: true });
  });

  it("is ready when no required key is missing, and says what is", async () => {
    const alice = await start();
    expect(await alice.readiness()).toMatchObject({
      ready: true,
      reason: 1,
      generation: 1n,
      keysTotal: 10,
      keysPresent: 8,
      keysRequiredMissing: 0,
      keysOptionalMissing: 2,
    });
  });

  it("is not ready without counts when a key cannot be asked about", async () => {
    const alice = await start();
    backend.before = (_, key) => {
      if (key.path === "alias/ed") throw new BackendError("ACCESS_DENIED", "no", { action: "kms:DescribeKey" });
    };
    expect(await alice.readiness()).toMatchObject({ ready: false, reason: 2, keysTotal: 0, keysPresent: 0 });
  });

  it("probes once for many who ask at a time", async () => {
    const alice = await start();
    const before = backend.calls.length;
    await Promise.all(Array.from({ length: 20 }, () => alice.readiness()));
    expect(backend.calls.length - before).toBe(10);
  });
});

describe("closing", () => {
  it("answers what is in flight, then refuses, then closes the backends", async () => {
    const alice = await start();
    const hold = Promise.withResolvers<void>();
    backend.before = () => hold.promise;
    const call = alice.sign("app.p256", bytes("m"));
    const closed = broker.close();
    await expect(alice.health()).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
    expect(backend.disposed).toBe(false);
    hold.resolve();
    expect((await call).length).toBe(64);
    await closed;
    expect(backend.disposed).toBe(true);
    await expect(broker.listen({ path: "/nowhere/s" })).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("drops what is not answered in time", async () => {
    const alice = await start();
    backend.before = () => new Promise(() => {});
    const call = alice.sign("app.p256", bytes("m"));
    await Promise.all([broker.close(20), expect(call).rejects.toMatchObject({ code: "CANCELLED" })]);
  });

  it("waits for nothing that never began: a caller without an identity is a TypeError", async () => {
    await start();
    await expect(broker.as(undefined as never).health()).rejects.toThrow(TypeError);
    await broker.close();
    expect(backend.disposed).toBe(true);
  });

  it.for([
    ["socket", (path: string) => broker.listen({ path })],
    ["metrics socket", (path: string) => broker.serveMetrics({ path })],
  ] as const)("leaves no %s behind that was being opened meanwhile", async ([, open]) => {
    await start();
    const folder = await mkdtemp(join(tmpdir(), "basil-closing-"));
    const path = join(folder, "s");
    try {
      const opening = open(path);
      const closed = broker.close();
      await expect(opening).rejects.toMatchObject({ code: "CLOSED" });
      await closed;
      expect((await readdir(folder)).filter((name) => name !== "s.lock")).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
