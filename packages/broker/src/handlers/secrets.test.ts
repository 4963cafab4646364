import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCatalog } from "@basil/catalog";
import { AdminService, SecretService } from "@basil/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CATALOG_DOCUMENT, testPolicy } from "../../test/documents.js";
import { memoryBackend } from "../../test/memory-backend.js";
import { type MemoryStore, memoryStore } from "../../test/memory-store.js";
import { SocketClient } from "../../test/socket-client.js";
import { type Broker, createBroker } from "../broker.js";

const value = (more: object) => ({
  class: "value",
  backend: "store",
  writable: true,
  missing: "warn",
  description: "a value of the tests",
  ...more,
});
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
  },
};
const REVOCATIONS = { "app.revoked": value({ path: "revoked", labels: ["revocation_store=jwt-svid"] }) };

const bytes = (text: string) => new TextEncoder().encode(text);
let folder: string;
let store: MemoryStore;
let broker: Broker;
let client: SocketClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-secrets-"));
  store = memoryStore();
});
afterEach(async () => {
  client.grpc.close();
  await broker.close(0);
  await rm(folder, { recursive: true });
});

async function serve(keys: object = {}) {
  const policy = testPolicy(({ rules }) => {
    rules[1]?.action.push("op:revoke");
  });
  broker = await createBroker({
    catalog: parseCatalog(JSON.stringify({ ...CATALOG, keys: { ...CATALOG.keys, ...keys } })),
    policy,
    backends: [memoryBackend(), store],
  });
  await broker.listen({ path: join(folder, "s") });
  client = new SocketClient(join(folder, "s"));
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

  it.for([
    ["a value without a recipe", "app.password", 3, "INVALID_REQUEST"],
    ["a public value", "app.cert", 3, "INVALID_REQUEST"],
    ["a recipe it does not know how to follow", "app.identity", 12, "UNSUPPORTED"],
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
