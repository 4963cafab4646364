import { ENGINES, KEY_CLASSES, KEY_TYPES, type KeyEntry, MISSING_POLICIES, parseCatalog } from "@basil/catalog";
import { describe, expect, it } from "vitest";
import type { Backend } from "../backend.js";
import type { Capabilities } from "../capabilities.js";
import { reconcile } from "../reconcile/reconcile.js";
import { CAPABILITY_MODES } from "./capability-report.js";
import { checkCapabilities } from "./check-capabilities.js";

const TRANSIT_ONLY: Capabilities = {
  engines: ["transit"],
  keyTypes: {
    "ecdsa-p256": { operations: ["sign", "verify", "publicKey", "createKey"] },
    "aes-256-gcm": { operations: ["encrypt", "decrypt", "createKey"] },
  },
  features: [],
};
const KINDS: Readonly<Record<string, Capabilities>> = {
  "aws-kms": TRANSIT_ONLY,
  keystore: { engines: ["kv2"], keyTypes: {}, features: [] },
  "gcp-kms": {
    engines: ["transit", "kv2"],
    keyTypes: { ed25519: { operations: ["sign", "verify", "publicKey"] } },
    features: [],
  },
  vault: {
    engines: ["transit", "kv2", "pki"],
    keyTypes: Object.fromEntries(
      KEY_TYPES.map((keyType) => [
        keyType,
        { operations: ["sign", "verify", "publicKey", "encrypt", "decrypt", "createKey"] as const },
      ]),
    ),
    features: [],
  },
};

/** Every entry that a catalog accepts, of each class, key type, engine, kind and `missing`. */
function everyEntry(): { readonly name: string; readonly kind: string; readonly text: string }[] {
  const types = [undefined, ...KEY_TYPES];
  return Object.keys(KINDS).flatMap((kind) =>
    KEY_CLASSES.flatMap((keyClass) =>
      types.flatMap((keyType) =>
        [undefined, ...ENGINES].flatMap((engine) =>
          MISSING_POLICIES.map((missing) => {
            const materialized = keyClass === "sealing" || (keyClass === "asymmetric" && engine === "kv2");
            const recipe = keyClass === "value" && missing === "generate";
            const key = {
              class: keyClass,
              ...(keyType && { keyType }),
              ...(engine && { engine }),
              backend: "b",
              path: engine === "pki" ? "pki/issue/role" : "p",
              ...(materialized && { publicPath: "q" }),
              ...(recipe && { generate: { format: "hex", bytes: 8 } }),
              writable: false,
              description: "a key",
              missing,
            };
            const backends = { b: { kind, addr: "" } };
            const name = [kind, keyClass, keyType ?? "-", engine ?? "-", missing].join(" ");
            return { name, kind, text: JSON.stringify({ schemaVersion: 1, backends, keys: { k: key } }) };
          }),
        ),
      ),
    ),
  );
}

/** A backend that offers what its kind claims and holds no key. */
function emptyBackend(kind: string): Backend {
  const capabilities = KINDS[kind] as Capabilities;
  const probe = async () => ({ state: "absent" }) as const;
  return {
    id: "b",
    kind,
    capabilities,
    probe,
    ...(capabilities.engines.includes("transit") && { transit: {} }),
    ...(capabilities.engines.includes("kv2") && { kv2: { probe } }),
    ...(capabilities.engines.includes("pki") && { pki: {} }),
  } as unknown as Backend;
}

function parsed(text: string) {
  try {
    return parseCatalog(text);
  } catch {
    return undefined;
  }
}

/** What the reconcile run of an agent says of the key: refused before the backend's answer matters, or not. */
async function refusedByReconcile(catalog: ReturnType<typeof parseCatalog>, kind: string): Promise<boolean> {
  const context = { signal: new AbortController().signal, requestId: "test" };
  const options = { catalog, backends: new Map([["b", emptyBackend(kind)]]), dryRun: true, context };
  const { keys } = await reconcile(options);
  return keys.some(({ outcome }) => outcome === "probe-failed" || outcome === "generate-refused");
}

describe("the capability check and the agent's start", () => {
  const entries = everyEntry().flatMap(({ text, ...entry }) => {
    const catalog = parsed(text);
    return catalog === undefined ? [] : [{ ...entry, catalog, key: catalog.keys.get("k") as KeyEntry }];
  });

  it("agree on every class, key type, engine, kind and `missing` that a catalog accepts", async () => {
    expect(new Set(entries.map(({ key }) => key.class))).toEqual(new Set(KEY_CLASSES));
    const apart: string[] = [];
    for (const { name, kind, catalog, key } of entries) {
      const refused = await refusedByReconcile(catalog, kind);
      const report = checkCapabilities({ catalog, provided: new Map(Object.entries(KINDS)), mode: "strict" });
      const needs = report.gaps.flatMap((gap) => gap.needs);
      // An operation that the kind lacks does not stop reconcile, unless the key has to be made.
      const stops = needs.filter(({ dimension, need }) => dimension !== "operation" || need === "createKey");
      if (refused !== stops.length > 0) apart.push(`${name}: reconcile ${refused}, check ${JSON.stringify(needs)}`);
      if (refused && key.missing === "warn") {
        const degraded = checkCapabilities({ catalog, provided: new Map(Object.entries(KINDS)), mode: "degraded" });
        if (degraded.ok) apart.push(`${name}: degraded tolerates what reconcile refuses`);
      }
    }
    expect(apart).toEqual([]);
  });

  it.each(["x25519", "ml-kem-768"])(
    "refuse a sealing key of type %s on a kind without kv2, also with `missing: warn`",
    (keyType) => {
      for (const engine of ["transit", "kv2"]) {
        for (const mode of CAPABILITY_MODES.filter((mode) => mode !== "off")) {
          const found = entries.find(({ name }) => name === `aws-kms sealing ${keyType} ${engine} warn`);
          const { catalog } = found as (typeof entries)[number];
          const report = checkCapabilities({ catalog, provided: new Map([["aws-kms", TRANSIT_ONLY]]), mode });
          expect(report).toMatchObject({ ok: false, gaps: [{ key: "k", missingEngines: ["kv2"] }] });
        }
      }
    },
  );
});
