import { createPrivateKey, X509Certificate } from "node:crypto";
import { parseCatalog } from "@basil/catalog";
import { AdminService, grpcMethods, RevokeRequestSchema, SecretService } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ALICE, CATALOG_DOCUMENT, testPolicy } from "../../test/documents.js";
import { type MemoryAudit, memoryAudit } from "../../test/memory-audit.js";
import { memoryBackend } from "../../test/memory-backend.js";
import { type MemoryStore, memoryStore } from "../../test/memory-store.js";
import { type ServedBroker, serveTestBroker } from "../../test/served-broker.js";
import type { SocketClient } from "../../test/socket-client.js";

const value = (more: object) => ({
  class: "value",
  backend: "store",
  writable: true,
  missing: "warn",
  description: "a value of the tests",
  ...more,
});
const TLS = { format: "self-signed-tls", commonName: "dev.internal", validity: "720h" };
const CATALOG = {
  ...CATALOG_DOCUMENT,
  backends: { ...CATALOG_DOCUMENT.backends, store: { kind: "keystore", addr: "here", engines: ["kv2"] } },
  keys: {
    ...CATALOG_DOCUMENT.keys,
    "app.password": value({ path: "password" }),
    "app.pin": value({ path: "pin", generate: { format: "hex", bytes: 8 } }),
    "app.phrase": value({ path: "phrase", generate: { format: "ascii-printable", bytes: 40 } }),
    "app.identity": value({ path: "identity", generate: { format: "age-x25519" } }),
    "app.fixed": value({ path: "fixed", writable: false }),
    "app.cert": { ...value({ path: "cert" }), class: "public" },
    "app.tls_cert": { ...value({ path: "tls-cert", generate: TLS }), class: "public" },
    "app.tls_key": value({ path: "tls-key", generate: { format: "self-signed-tls-pair-of", pairOf: "app.tls_cert" } }),
    "app.chain": value({ path: "chain", generate: TLS }),
    "app.chain_key": value({ path: "chain-key", generate: { format: "self-signed-tls-pair-of", pairOf: "app.chain" } }),
    "app.half": { ...value({ path: "half", generate: TLS }), class: "public", writable: false },
    "app.half_key": value({ path: "half-key", generate: { format: "self-signed-tls-pair-of", pairOf: "app.half" } }),
  },
};
const REVOCATIONS = { "app.revoked": value({ path: "revoked", labels: ["revocation_store=jwt-svid"] }) };

const bytes = (text: string) => new TextEncoder().encode(text);
let served: ServedBroker;
let store: MemoryStore;
let audit: MemoryAudit;
let client: SocketClient;

beforeEach(() => {
  store = memoryStore();
  audit = memoryAudit();
});
afterEach(() => served[Symbol.asyncDispose]());

async function serve(keys: object = {}) {
  const policy = testPolicy(({ rules }) => {
    rules[1]?.action.push("op:revoke");
  });
  served = await serveTestBroker({
    catalog: parseCatalog(JSON.stringify({ ...CATALOG, keys: { ...CATALOG.keys, ...keys } })),
    policy,
    backends: [memoryBackend(), store],
    audit,
  });
  client = served.client;
}
const get = (secretId: string, version?: number) =>
  client.call(SecretService, "getSecret", { secretId, ...(version && { version }) });
const set = (secretId: string, text: string | Uint8Array) =>
  client.call(SecretService, "setSecret", { secretId, value: typeof text === "string" ? bytes(text) : text });
const rotate = (secretId: string) => client.call(SecretService, "rotateSecret", { secretId });

describe("SecretService", () => {
  it("keeps every version of a value", async () => {
    await serve();
    expect(await set("app.password", "one")).toMatchObject({ version: 1 });
    expect(await set("app.password", "two")).toMatchObject({ version: 2 });
    expect(await get("app.password")).toMatchObject({ value: bytes("two"), version: 2 });
    expect(await get("app.password", 1)).toMatchObject({ value: bytes("one"), version: 1 });
  });

  it("is listed at once with the version that was set", async () => {
    await serve();
    const versions = async () =>
      (await client.stream(SecretService, "listCatalog", { prefix: "app.password" })).map(
        ({ latestVersion }) => latestVersion,
      );
    expect(await versions()).toEqual([0]);
    await set("app.password", "one");
    expect(await versions()).toEqual([1]);
  });

  it("answers INTERNAL for a value or version that was never set", async () => {
    await serve();
    await set("app.password", "one");
    for (const call of [get("app.pin"), get("app.password", 9)]) {
      await expect(call).rejects.toMatchObject({ code: 13, reason: "INTERNAL", op: "get_secret" });
      await expect(call).rejects.toMatchObject({ message: expect.stringMatching(/^key not found/) });
    }
  });

  it("reads a public value and does not write it", async () => {
    await serve();
    store.values.set("cert", [bytes("pem")]);
    expect(await get("app.cert")).toMatchObject({ value: bytes("pem") });
    await expect(set("app.cert", "x")).rejects.toMatchObject({ reason: "INVALID_REQUEST", op: "set_secret" });
  });

  it("refuses a key where a value is wanted, a value that is not writable, and one that is too large", async () => {
    await serve();
    await expect(get("app.p256")).rejects.toMatchObject({ reason: "INVALID_REQUEST", op: "get_secret" });
    await expect(set("app.fixed", "x")).rejects.toMatchObject({ code: 7, op: "set" });
    await expect(set("app.password", new Uint8Array(1_048_577))).rejects.toMatchObject({
      code: 8,
      reason: "PAYLOAD_TOO_LARGE",
      op: "set_secret",
    });
  });

  it("makes a value anew by its recipe, each time another", async () => {
    await serve();
    expect(await rotate("app.pin")).toMatchObject({ version: 1 });
    expect(await rotate("app.pin")).toMatchObject({ version: 2 });
    const [one, two] = (store.values.get("pin") ?? []).map((each) => new TextDecoder().decode(each));
    expect(one).toMatch(/^[0-9a-f]{16}$/);
    expect(two).not.toBe(one);
    await rotate("app.phrase");
    expect(new TextDecoder().decode(store.values.get("phrase")?.[0])).toMatch(/^[!-~]{40}$/);
  });

  it("makes an age identity anew", async () => {
    await serve();
    await rotate("app.identity");
    expect(new TextDecoder().decode(store.values.get("identity")?.[0])).toMatch(/^AGE-SECRET-KEY-1[0-9A-Z]{58}$/);
  });

  it("makes both halves of a TLS pair anew when the key is rotated, tells of both and records both", async () => {
    await serve();
    store.values.set("tls-cert", [bytes("old")]);
    expect(await rotate("app.tls_key")).toMatchObject({ version: 1 });
    const key = createPrivateKey(Buffer.from(store.values.get("tls-key")?.[0] ?? []));
    const certificate = new X509Certificate(store.values.get("tls-cert")?.[1] ?? new Uint8Array());
    expect(certificate.checkPrivateKey(key)).toBe(true);
    expect(certificate.subject).toBe("CN=dev.internal");
    const records = audit.records.filter(({ op }) => op === "rotate");
    expect(records).toMatchObject([
      { target_id: "app.tls_key", key_version: 1, resource: "store:tls-key", result: "ok" },
      { target_id: "app.tls_cert", key_version: 2, resource: "store:tls-cert", result: "ok" },
    ]);
  });

  it("writes one pair after the other, also when the first caller goes away between its halves", async () => {
    await serve();
    const begun = Promise.withResolvers<void>();
    let keys = 0;
    store.before = async (operation, path) => {
      if (operation !== "put" || path !== "chain-key" || ++keys > 1) return;
      begun.resolve();
      await new Promise((later) => setTimeout(later, 100));
    };
    const leaving = new AbortController();
    const request = { secretId: "app.chain_key" };
    const first = client.call(SecretService, "rotateSecret", request, { signal: leaving.signal });
    await begun.promise;
    const second = rotate("app.chain_key");
    leaving.abort();
    await expect(first).rejects.toMatchObject({ code: 1 });
    expect(await second).toMatchObject({ version: 2 });
    const pairs = ["chain", "chain-key"].map((path) => store.values.get(path) ?? []);
    const [certificates = [], privateKeys = []] = pairs;
    expect([certificates.length, privateKeys.length]).toEqual([2, 2]);
    for (const [n, pem] of privateKeys.entries()) {
      const certificate = new X509Certificate(certificates[n] ?? new Uint8Array());
      expect(certificate.checkPrivateKey(createPrivateKey(Buffer.from(pem)))).toBe(true);
    }
  });

  it("makes other pairs wait ten seconds, and no longer, for a write that never ends and whose caller is gone", async () => {
    await serve();
    const begun = Promise.withResolvers<void>();
    store.before = async (operation, path) => {
      if (operation !== "put" || path !== "chain") return;
      begun.resolve();
      await new Promise(() => {});
    };
    const leaving = new AbortController();
    const request = { secretId: "app.chain_key" };
    const first = client.call(SecretService, "rotateSecret", request, { signal: leaving.signal });
    await begun.promise;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      leaving.abort();
      await expect(first).rejects.toMatchObject({ code: 1 });
      await expect.poll(() => audit.records.filter(({ op }) => op === "rotate").length).toBeGreaterThan(0);
      await vi.advanceTimersByTimeAsync(10_000);
    } finally {
      vi.useRealTimers();
    }
    expect(await rotate("app.tls_key")).toMatchObject({ version: 1 });
  });

  it("makes a certificate anew by the key that is stored, and a key for it where there is none", async () => {
    await serve();
    expect(await rotate("app.chain")).toMatchObject({ version: 1 });
    const key = createPrivateKey(Buffer.from(store.values.get("chain-key")?.[0] ?? []));
    expect(await rotate("app.chain")).toMatchObject({ version: 2 });
    expect(store.values.get("chain-key")).toHaveLength(1);
    const [one, two] = (store.values.get("chain") ?? []).map((pem) => new X509Certificate(pem));
    for (const certificate of [one, two]) expect(certificate?.checkPrivateKey(key)).toBe(true);
    expect(two?.serialNumber).not.toBe(one?.serialNumber);
  });

  it("refuses to rotate half of a pair whose other half the caller may not rotate, and writes neither", async () => {
    await serve();
    await expect(rotate("app.half_key")).rejects.toMatchObject({ code: 7, op: "rotate", message: "not authorized" });
    expect(store.values.size).toBe(0);
    expect(audit.records.at(-1)).toMatchObject({ target_id: "app.half", decision: "deny", reason: "not_writable" });
  });

  it("does not make a certificate for a stored key that is none", async () => {
    await serve();
    store.values.set("chain-key", [bytes("no key")]);
    await expect(rotate("app.chain")).rejects.toMatchObject({ code: 13, reason: "BACKEND_ERROR", op: "rotate_secret" });
    expect(store.values.has("chain")).toBe(false);
  });

  it.for([
    ["a value without a recipe", "app.password", 3, "INVALID_REQUEST"],
    ["a public value", "app.cert", 3, "INVALID_REQUEST"],
    ["a key whose backend cannot", "app.p256", 12, "UNSUPPORTED"],
  ] as const)("does not rotate %s", async ([, name, code, reason]) => {
    await serve();
    await expect(rotate(name)).rejects.toMatchObject({ code, reason, op: "rotate_secret" });
  });
});

describe("AdminService.Revoke", () => {
  const later = BigInt(Math.floor(Date.now() / 1000) + 3600);
  const revoke = (jti: string, expiresAtUnix = later, trustDomain = "example.org") =>
    client.call(AdminService, "revoke", { trustDomain, jti, expiresAtUnix });
  const stored = () => JSON.parse(new TextDecoder().decode(store.values.get("revoked")?.at(-1)));

  it("is FAILED_PRECONDITION without a store", async () => {
    await serve();
    await expect(revoke("a")).rejects.toMatchObject({ code: 9, reason: "NO_REVOCATION_STORE", op: "revoke" });
  });

  it("keeps every revocation, however many come at once, and shortens none", async () => {
    await serve(REVOCATIONS);
    const answers = await Promise.all([revoke(" a "), revoke("b"), revoke("a", later - 60n), revoke("c")]);
    expect(answers[0]).toMatchObject({ jti: "a", trustDomain: "example.org", persisted: true, expiresAtUnix: later });
    const { version, entries } = stored();
    expect(version).toBe(1);
    expect(entries.map(({ jti }: { jti: string }) => jti).sort()).toEqual(["a", "b", "c"]);
    expect(entries.find(({ jti }: { jti: string }) => jti === "a").expires_at_unix).toBe(Number(later));
  });

  it("loses no revocation to one that was given up while the store was slow, nor waits for it beyond its time", async () => {
    await serve(REVOCATIONS);
    const hold = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    let gets = 0;
    store.before = (operation) => {
      if (operation !== "get" || gets++ > 0) return;
      asked.resolve();
      return hold.promise;
    };
    const request = { trustDomain: "example.org", expiresAtUnix: later };
    const gone = new AbortController();
    const slow = client.call(AdminService, "revoke", { ...request, jti: "slow" }, { signal: gone.signal });
    await asked.promise;
    const impatient = served.broker
      .transport(ALICE)
      .unary(grpcMethods(AdminService).revoke, create(RevokeRequestSchema, { ...request, jti: "impatient" }), {
        timeoutMs: 20,
      });
    await expect(impatient).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    gone.abort();
    await expect(slow).rejects.toMatchObject({ code: 1 });
    expect(await revoke("quick")).toMatchObject({ persisted: true });
    hold.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(stored().entries.map(({ jti }: { jti: string }) => jti)).toContain("quick");
    expect(await revoke("last")).toMatchObject({ persisted: true });
    expect(stored().entries.map(({ jti }: { jti: string }) => jti)).toEqual(expect.arrayContaining(["quick", "last"]));
  });

  it.for([
    ["a blank domain", "a", later, " "],
    ["a blank token id", " ", later, "d"],
    ["an expiry that is past", "a", 1n, "d"],
  ] as const)("refuses %s", async ([, jti, at, domain]) => {
    await serve(REVOCATIONS);
    await expect(revoke(jti, at, domain)).rejects.toMatchObject({ code: 3, reason: "INVALID_ARGUMENT", op: "revoke" });
  });

  it.for([
    ["cannot be written", undefined],
    ["holds something else", bytes("{}")],
  ] as const)("is BACKEND_UNAVAILABLE when the store %s, which is then left alone", async ([, content]) => {
    await serve(REVOCATIONS);
    if (content) store.values.set("revoked", [content]);
    else {
      store.before = (operation) => {
        if (operation === "put") throw new Error("down");
      };
    }
    await expect(revoke("a")).rejects.toMatchObject({ code: 14, reason: "BACKEND_UNAVAILABLE" });
    expect(store.values.get("revoked")?.length ?? 0).toBe(content ? 1 : 0);
  });
});
