import { createPrivateKey, X509Certificate } from "node:crypto";
import { parseCatalog } from "@basil/catalog";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Backend, Kv2Engine } from "../backend.js";
import { BackendError } from "../errors.js";
import { reconcile } from "./reconcile.js";
import { renderReconcileReport } from "./render-report.js";

const CERT = { class: "public", generate: { format: "self-signed-tls", commonName: "dev.internal", validity: "720h" } };
const KEY = { generate: { format: "self-signed-tls-pair-of", pairOf: "tls.cert" } };
const HEX = { generate: { format: "hex", bytes: 8 } };

function catalogOf(keys: Record<string, object>) {
  const backend = { addr: "", engines: ["transit", "kv2"] };
  const entries = Object.entries(keys).map(([name, key]) => [
    name,
    { class: "value", backend: "store", path: name, writable: false, missing: "generate", description: "a", ...key },
  ]);
  const backends = { store: { kind: "keystore", ...backend }, poor: { kind: "aws-kms", ...backend } };
  return parseCatalog(JSON.stringify({ schemaVersion: 1, backends, keys: Object.fromEntries(entries) }));
}

let values: Map<string, Uint8Array>;
let writes: string[];
/** What comes between a call of the store and what it does. */
let pause: () => Promise<unknown>;
/** What a write runs into. */
let before: (path: string) => void;
let backends: ReadonlyMap<string, Backend>;
beforeEach(() => {
  values = new Map();
  writes = [];
  pause = async () => undefined;
  before = () => undefined;
  const kv2: Kv2Engine = {
    async get(path) {
      await pause();
      return { value: values.get(path)!.slice(), version: 1, resource: `store:${path}` };
    },
    async put(path, value, _context, { createOnly = false } = {}) {
      await pause();
      before(path);
      if (createOnly && values.has(path)) throw new BackendError("KEY_EXISTS", path, { key: path });
      writes.push(path);
      values.set(path, value.slice());
      return { version: 1, resource: `store:${path}` };
    },
    async probe(path) {
      await pause();
      const resource = `store:${path}`;
      return values.has(path) ? { state: "present", latestVersion: 1, resource } : { state: "absent" };
    },
  };
  const common = {
    capabilities: { engines: ["kv2" as const], keyTypes: {}, features: [] },
    probe: async () => ({ state: "absent" as const }),
    health: async () => ({ healthy: true }),
    [Symbol.asyncDispose]: async () => undefined,
  };
  backends = new Map<string, Backend>([
    ["store", { ...common, id: "store", kind: "keystore", kv2 }],
    ["poor", { ...common, id: "poor", kind: "aws-kms" }],
  ]);
});

const run = (keys: Record<string, object>, more: { readonly dryRun?: boolean } = {}) => {
  const context = { signal: new AbortController().signal, requestId: "r" };
  return reconcile({ catalog: catalogOf(keys), backends, context, ...more });
};
const outcomes = ({ keys }: Awaited<ReturnType<typeof run>>) =>
  Object.fromEntries(keys.map(({ key, outcome }) => [key, outcome]));
const isPair = () =>
  new X509Certificate(values.get("tls.cert")!).checkPrivateKey(
    createPrivateKey(new TextDecoder().decode(values.get("tls.key"))),
  );

describe("reconcile of values with a recipe (§5.4)", () => {
  it("makes what is absent, whether or not callers may write it, and makes it once", async () => {
    const keys = { pin: HEX, phrase: { ...HEX, missing: "warn" } };
    expect(outcomes(await run(keys))).toEqual({ pin: "generated", phrase: "warned" });
    const pin = values.get("pin");
    expect(outcomes(await run(keys))).toEqual({ pin: "present", phrase: "warned" });
    expect(values.get("pin")).toBe(pin);
  });

  it.for([
    ["the certificate first", { "tls.cert": CERT, "tls.key": KEY }],
    ["the key first", { "tls.cert": CERT, "a.key": { ...KEY, path: "tls.key" } }],
  ] as const)("makes a TLS pair once, %s", async ([, keys]) => {
    const report = await run(keys);
    expect(report).toMatchObject({ ok: true, counts: { generated: 1, present: 1 } });
    expect(writes).toEqual(["tls.cert", "tls.key"]);
    expect(isPair()).toBe(true);
    expect(await run(keys)).toMatchObject({ ok: true, counts: { generated: 0, present: 2 } });
  });

  it("makes a certificate for the key that is there", async () => {
    await run({ "tls.cert": CERT, "tls.key": KEY });
    values.delete("tls.cert");
    expect(outcomes(await run({ "tls.cert": CERT, "tls.key": KEY }))).toMatchObject({ "tls.cert": "generated" });
    expect(writes).toEqual(["tls.cert", "tls.key", "tls.cert"]);
    expect(isPair()).toBe(true);
  });

  it("makes the pair whole when a run ended between its two halves", async () => {
    before = (path) => {
      if (path === "tls.key") throw new Error("killed");
    };
    expect(await run({ "tls.cert": CERT, "tls.key": KEY })).toMatchObject({ ok: false });
    expect([...values.keys()]).toEqual(["tls.cert"]);
    before = () => undefined;
    expect(await run({ "tls.cert": CERT, "tls.key": KEY })).toMatchObject({ ok: true });
    expect(isPair()).toBe(true);
  });

  it("refuses, before anything is made, what cannot be stored, the other half of a pair included", async () => {
    const keys = { pin: HEX, "tls.cert": { ...CERT, backend: "poor", missing: "warn" }, "tls.key": KEY };
    const report = await run(keys);
    expect(outcomes(report)).toEqual({ pin: "pending", "tls.cert": "probe-failed", "tls.key": "generate-refused" });
    const because = 'key "tls.cert" of class public is in backend "poor", which keeps no values';
    expect(renderReconcileReport(report).join("\n")).toContain(because);
    expect(writes).toEqual([]);
  });

  it("makes one value and one whole pair, however the steps of two agents that start at once fall", async () => {
    const keys = { pin: HEX, "tls.cert": CERT, "tls.key": KEY };
    const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      values.clear();
      writes.length = 0;
      pause = () => scheduler.schedule(Promise.resolve(), "store");
      const reports = await scheduler.waitFor(Promise.all([run(keys), run(keys)]));
      expect(reports.map(({ ok }) => ok)).toEqual([true, true]);
      expect(writes.filter((path) => path === "pin").length).toBe(1);
      expect(writes.filter((path) => path === "tls.key").length).toBe(1);
      expect(isPair()).toBe(true);
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it("makes nothing in a dry run", async () => {
    expect(await run({ pin: HEX }, { dryRun: true })).toMatchObject({ ok: true, counts: { pending: 1 } });
    expect(writes).toEqual([]);
  });
});
