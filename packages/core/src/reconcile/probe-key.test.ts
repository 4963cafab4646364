import { type KeyEntry, parseCatalog } from "@basil/catalog";
import { describe, expect, it } from "vitest";
import type { Backend, KeyProbe, KeyRef } from "../backend.js";
import { probeKey } from "./probe-key.js";

const context = { signal: new AbortController().signal, requestId: "test" };

function entryOf(key: Record<string, unknown>): KeyEntry {
  const backends = { b: { kind: "vault", addr: "" } };
  const entry = { backend: "b", path: "p", writable: false, description: "a key", ...key };
  const { keys } = parseCatalog(JSON.stringify({ schemaVersion: 1, backends, keys: { k: entry } }));
  return keys.get("k") as KeyEntry;
}

/** Every engine, and a note of what was asked of which. */
function backendWith(values: Record<string, KeyProbe>) {
  const asked: (string | KeyRef)[] = [];
  const backend = {
    id: "b",
    kind: "vault",
    capabilities: { engines: ["transit", "kv2", "pki"], keyTypes: { ed25519: { operations: ["sign"] } }, features: [] },
    transit: {},
    pki: {},
    kv2: {
      probe: async (path: string) => {
        asked.push(path);
        return values[path] ?? { state: "absent" };
      },
    },
    probe: async (key: KeyRef) => {
      asked.push(key);
      return { state: "present", latestVersion: 3, resource: "r" };
    },
  } as unknown as Backend;
  return { asked, backend };
}

const there: KeyProbe = { state: "present", latestVersion: 2, resource: "r" };
const SEALING = { class: "sealing", keyType: "x25519", path: "private", publicPath: "public" };

describe("probeKey", () => {
  it("asks the value store for a value, and never the transit engine", async () => {
    const { asked, backend } = backendWith({ p: there });
    expect(await probeKey(entryOf({ class: "value" }), backend, context)).toEqual(there);
    expect(asked).toEqual(["p"]);
  });

  it.each([
    ["a sealing key", SEALING],
    ["a signing key in kv2", { ...SEALING, class: "asymmetric", keyType: "ed25519", engine: "kv2" }],
  ])("finds %s absent unless both halves are there", async (_, key) => {
    const entry = entryOf(key);
    const probe = async (values: Record<string, KeyProbe>) =>
      (await probeKey(entry, backendWith(values).backend, context)).state;
    expect(await probe({ private: there, public: there })).toBe("present");
    expect(await probe({ private: there })).toBe("absent");
    expect(await probe({ public: there })).toBe("absent");
    expect(await probe({})).toBe("absent");
  });

  it("asks for a certificate issuer by its engine, whatever key types the kind backs", async () => {
    const { asked, backend } = backendWith({});
    const issuer = { class: "asymmetric", keyType: "rsa-2048", engine: "pki", path: "pki/issue/role" };
    expect(await probeKey(entryOf(issuer), backend, context)).toMatchObject({ state: "present" });
    expect(asked).toEqual([{ name: "k", path: "pki/issue/role", keyType: "rsa-2048", engine: "pki" }]);
  });

  it.each([
    ["kv2", { class: "value" }, "UNSUPPORTED"],
    ["pki", { class: "asymmetric", keyType: "ed25519", engine: "pki", path: "pki/issue/role" }, "UNSUPPORTED"],
    ["transit", { class: "asymmetric", keyType: "ed25519" }, "UNSUPPORTED"],
  ] as const)("refuses, before any call, what needs %s where there is none", async (engine, key, code) => {
    const { asked, backend } = backendWith({});
    const { [engine]: _, ...without } = backend;
    await expect(probeKey(entryOf(key), without as Backend, context)).rejects.toMatchObject({ code });
    expect(asked).toEqual([]);
  });

  it("refuses, before any call, a key type the kind does not back, and names those it does", async () => {
    const { asked, backend } = backendWith({});
    const call = probeKey(entryOf({ class: "asymmetric", keyType: "ecdsa-p256" }), backend, context);
    await expect(call).rejects.toMatchObject({
      code: "UNSUPPORTED_ALGORITHM",
      message: expect.stringContaining("ed25519"),
    });
    expect(asked).toEqual([]);
  });
});
