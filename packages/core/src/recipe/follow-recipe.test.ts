import { createPrivateKey, X509Certificate } from "node:crypto";
import { type Catalog, parseCatalog } from "@basil/catalog";
import { identityToRecipient } from "age-encryption";
import { beforeEach, describe, expect, it } from "vitest";
import type { Kv2Engine } from "../backend.js";
import { BackendError } from "../errors.js";
import { makeValues, type RecipeOptions, recipePartner, writeValues } from "./follow-recipe.js";

const TLS = { format: "self-signed-tls", commonName: "dev.internal", validity: "720h" };
const pairOf = (name: string) => ({ format: "self-signed-tls-pair-of", pairOf: name });
const RECIPES = {
  age: { format: "age-x25519" },
  alone: { ...TLS, commonName: "alone" },
  base64: { format: "base64", bytes: 33 },
  cert: TLS,
  hex: { format: "hex", bytes: 8 },
  key: pairOf("cert"),
  key_too: pairOf("cert"),
  printable: { format: "ascii-printable", bytes: 200 },
};

const catalog: Catalog = parseCatalog(
  JSON.stringify({
    schemaVersion: 1,
    backends: { store: { kind: "keystore", addr: "", engines: ["kv2"] } },
    keys: Object.fromEntries(
      Object.entries(RECIPES).map(([name, generate]) => [
        name,
        { class: "value", backend: "store", path: name, writable: true, generate, description: "a value" },
      ]),
    ),
  }),
);
const entryOf = (name: keyof typeof RECIPES) => catalog.keys.get(name)!;

let stored: Map<string, Uint8Array>;
let puts: string[];
let options: RecipeOptions;
beforeEach(() => {
  stored = new Map();
  puts = [];
  const store: Kv2Engine = {
    async get(path) {
      return { value: stored.get(path)!.slice(), version: 1, resource: path };
    },
    async put(path, value, { signal }, { createOnly = false } = {}) {
      signal.throwIfAborted();
      if (createOnly && stored.has(path)) throw new BackendError("KEY_EXISTS", path, { key: path });
      puts.push(path);
      stored.set(path, value.slice());
      return { version: 1, resource: path };
    },
    async probe(path) {
      return stored.has(path) ? { state: "present", latestVersion: 1, resource: path } : { state: "absent" };
    },
  };
  const context = { signal: new AbortController().signal, requestId: "r" };
  options = { catalog, storeOf: () => store, context };
});

async function follow(name: keyof typeof RECIPES) {
  return writeValues(await makeValues(entryOf(name), options), options);
}
const text = (path: string) => new TextDecoder().decode(stored.get(path));
const certificate = (path: string) => new X509Certificate(stored.get(path)!);
const key = (path: string) => createPrivateKey(text(path));

describe("makeValues", () => {
  it.for([
    ["printable", /^[!-~]{200}$/],
    ["base64", /^[A-Za-z0-9+/]{44}$/],
    ["hex", /^[0-9a-f]{16}$/],
  ] as const)("makes %s of the size asked for, another each time", async ([name, form]) => {
    await follow(name);
    const first = text(name);
    expect(first).toMatch(form);
    await follow(name);
    expect(text(name)).not.toBe(first);
  });

  it("makes an age identity that age-encryption reads", async () => {
    await follow("age");
    expect(await identityToRecipient(text("age"))).toMatch(/^age1[0-9a-z]{58}$/);
  });

  it("makes a certificate whose key nobody keeps where no key is the pair of it", async () => {
    await follow("alone");
    expect(puts).toEqual(["alone"]);
    expect(certificate("alone").subject).toBe("CN=alone");
  });

  it("makes a certificate and the key of the first pair, the certificate first", async () => {
    await follow("cert");
    expect(puts).toEqual(["cert", "key"]);
    expect(certificate("cert").checkPrivateKey(key("key"))).toBe(true);
  });

  it("makes a certificate by the key of its pair that is stored, which it leaves as it is", async () => {
    await follow("cert");
    const before = text("key");
    await follow("cert");
    expect(puts).toEqual(["cert", "key", "cert"]);
    expect(text("key")).toBe(before);
    expect(certificate("cert").checkPrivateKey(key("key"))).toBe(true);
  });

  it("makes a private key and a certificate of it by the other half's recipe, the certificate first", async () => {
    await follow("cert");
    const before = text("key_too");
    await follow("key_too");
    expect(puts.slice(2)).toEqual(["cert", "key_too"]);
    expect(text("key_too")).not.toBe(before);
    expect(certificate("cert").checkPrivateKey(key("key_too"))).toBe(true);
    expect(certificate("cert").subject).toBe("CN=dev.internal");
  });

  it.for(["", "-----BEGIN CERTIFICATE-----\n", "no key"])("refuses %j in place of the pair's key", async (value) => {
    stored.set("key", new TextEncoder().encode(value));
    await expect(makeValues(entryOf("cert"), options)).rejects.toMatchObject({
      code: "KEY_UNUSABLE",
      details: { key: "key" },
    });
  });
});

describe("writeValues", () => {
  it("zeroes what it wrote and what it did not come to, and leaves to the store what it may be reading", async () => {
    const made = await makeValues(entryOf("cert"), options);
    await writeValues(made, options);
    expect(made.every(({ value }) => value.every((byte) => byte === 0))).toBe(true);
    const again = await makeValues(entryOf("key"), options);
    const context = { signal: AbortSignal.abort(new Error("gone")), requestId: "r" };
    await expect(writeValues(again, { ...options, context })).rejects.toThrow("gone");
    expect(again.map(({ value }) => value.every((byte) => byte === 0))).toEqual([false, true]);
  });

  it("writes the second half of a pair also for a caller who goes away after the first", async () => {
    const caller = new AbortController();
    const { storeOf } = options;
    const leaving = (entry: Parameters<typeof storeOf>[0]): Kv2Engine => {
      const store = storeOf(entry);
      return { ...store, put: (...given) => store.put(...given).finally(() => caller.abort()) };
    };
    const made = await makeValues(entryOf("key"), options);
    await writeValues(made, { ...options, storeOf: leaving, context: { signal: caller.signal, requestId: "r" } });
    expect(puts).toEqual(["cert", "key"]);
  });
});

describe("recipePartner", () => {
  it("is the other half of a TLS pair, from either side, and of nothing else", () => {
    const partner = (name: keyof typeof RECIPES) => recipePartner(catalog, entryOf(name))?.name;
    expect([partner("cert"), partner("key"), partner("key_too"), partner("alone"), partner("age")]).toEqual([
      "key",
      "cert",
      "cert",
      undefined,
      undefined,
    ]);
  });
});
