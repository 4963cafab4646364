import { readFileSync } from "node:fs";
import { join } from "node:path";
import { awsKmsPlugin } from "@basil/backend-aws-kms";
import { ENGINES, KEY_TYPES, parseCatalog } from "@basil/catalog";
import {
  CAPABILITY_MODES,
  type Capabilities,
  type CapabilityMode,
  checkCapabilities,
  KNOWN_CAPABILITIES,
  requireMintable,
  TRANSIT_OPERATIONS,
} from "@basil/core";
import { describe, expect, it } from "vitest";

/** The capability check by the example documents, and rule by rule. Section numbers are those docs/differences.md uses. */

type Json = Record<string, unknown>;
interface Document {
  readonly backends: Record<string, Json>;
  readonly keys: Record<string, Json>;
}

const KMS = new Map<string, Capabilities>([["aws-kms", awsKmsPlugin.capabilities]]);
const NO_PLUGIN = new Map<string, Capabilities>();

function pair(name: "a" | "b" | "c"): Document {
  return JSON.parse(readFileSync(join(import.meta.dirname, `../vectors/documents/pair-${name}.catalog.json`), "utf8"));
}

function check(document: Document, mode: CapabilityMode = "strict", provided = KMS) {
  return checkCapabilities({ catalog: parseCatalog(JSON.stringify(document)), provided, mode });
}

/** A catalog of one vault backend, `b`. */
function documentOf(backend: Json, keys: Record<string, Json> = {}): Document & Json {
  const entries = Object.entries(keys).map(([name, key]) => [
    name,
    { backend: "b", path: `p/${name}`, writable: false, description: "a key", ...key },
  ]);
  return {
    schemaVersion: 1,
    backends: { b: { kind: "vault", addr: "", ...backend } },
    keys: Object.fromEntries(entries),
  };
}

const signer = (keyType: string, more: Json = {}) => ({ class: "asymmetric", keyType, ...more });
const value = { class: "value" };
const generate = { missing: "generate" };

describe("checkCapabilities, the example pairs", () => {
  it.for([
    ["a", 1, 0],
    ["b", 1, 0],
    ["c", 3, 1],
  ] as const)("passes pair %s in strict (§8)", ([name, enforced, skippedUndeclared]) => {
    expect(check(pair(name))).toMatchObject({ ok: true, enforced, skippedUndeclared, warnings: 0, gaps: [] });
  });

  it("tells the unknown token of pair c and its undeclared backend, and neither is a gap (§8.3)", () => {
    expect(check(pair("c")).notes).toEqual([
      { note: "unknown-capability", backend: "gcp", kind: "gcp-kms", token: "hsm-2027" },
      { note: "undeclared", backend: "old", kind: "vault" },
    ]);
  });

  it("has one gap when a value of pair c is routed to aws-kms (§8.3)", () => {
    const document = pair("c");
    Object.assign(document.keys["legacy.pin"] ?? {}, { backend: "aws" });
    const [gap, ...others] = check(document).gaps;
    expect(others).toEqual([]);
    expect(gap).toMatchObject({ backend: "aws", key: "legacy.pin", missingEngines: ["kv2"], fatal: true });
  });

  it("misses a mint type that pair a does not declare (§8.4)", () => {
    const document = pair("a");
    Object.assign(document.backends.main ?? {}, { mintKeyTypes: ["ed25519"] });
    const { ok, gaps } = check(document);
    expect(ok).toBe(false);
    expect(gaps).toMatchObject([{ key: "shop.api.token_signer", missingMintKeyTypes: ["ecdsa-p256"] }]);
  });

  it.for([
    ["strict", false, true],
    ["degraded", true, false],
  ] as const)("holds pair a to its requires in %s (§8.4)", ([mode, ok, fatal]) => {
    const document = pair("a");
    Object.assign(document.backends.main ?? {}, { capabilities: [] });
    const report = check(document, mode);
    expect(report.ok).toBe(ok);
    expect(report.gaps).toMatchObject([{ backend: "main", fatal, missingCapabilities: ["byok-import"] }]);
    expect(report.gaps[0]).not.toHaveProperty("key");
  });
});

describe("the vocabulary of the capability check (§4.1)", () => {
  it("has three engines and six capabilities", () => {
    expect(ENGINES).toEqual(["transit", "kv2", "pki"]);
    expect(KNOWN_CAPABILITIES).toEqual([
      "byok-import",
      "prehash-sign",
      "pqc-transit",
      "pki-crl",
      "jwt-auth",
      "approle-auth",
    ]);
  });

  it("compares any other capability as text", () => {
    const declared = { engines: ["transit"], capabilities: ["Hsm 2027"] };
    expect(check(documentOf({ ...declared, requires: ["Hsm 2027"] })).ok).toBe(true);
    expect(check(documentOf({ ...declared, requires: ["hsm 2027"] })).gaps).toMatchObject([
      { missingCapabilities: ["hsm 2027"] },
    ]);
  });
});

describe("what servers are suggested to declare (§4.2)", () => {
  const vault = ["byok-import", "prehash-sign", "pki-crl", "jwt-auth", "approle-auth"];
  const classical = ["ed25519", "ed25519-nkey", "rsa-2048", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"];
  it.for([
    ["vault", ["transit", "kv2", "pki"], vault, classical],
    ["vault", ["transit", "kv2", "pki"], [...vault, "pqc-transit"], classical],
    ["keystore", ["transit", "kv2"], [], ["ed25519"]],
    ["aws-kms", ["transit"], [], ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521"]],
    ["gcp-kms", ["transit"], [], ["ed25519", "ecdsa-p256", "ecdsa-p384"]],
  ] as const)(
    "%s with %j, %j and %j generates every key type it mints",
    ([kind, engines, capabilities, mintKeyTypes]) => {
      const keys = Object.fromEntries(mintKeyTypes.map((keyType, i) => [`k${i}`, signer(keyType, generate)]));
      const report = check(documentOf({ kind, engines, capabilities, mintKeyTypes }, keys));
      expect(report).toMatchObject({ ok: true, gaps: [], enforced: 1 });
      expect(report.notes).toEqual([]);
    },
  );
});

describe("what aws-kms really does (§4.3)", () => {
  const { engines, features, keyTypes } = awsKmsPlugin.capabilities;
  const operations = (keyType: string) => [
    ...((keyTypes as Record<string, { operations: readonly string[] }>)[keyType]?.operations ?? []),
  ];

  it("is transit alone: no values, no certificates, no import", () => {
    expect(engines).toEqual(["transit"]);
    expect(features).toEqual([]);
  });

  it.for(["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"])("signs, verifies and creates %s", (keyType) => {
    expect(operations(keyType)).toEqual(expect.arrayContaining(["sign", "verify", "publicKey", "createKey"]));
  });

  it("encrypts, decrypts and creates aes-256-gcm, at most 4,096 bytes", () => {
    expect(operations("aes-256-gcm")).toEqual(expect.arrayContaining(["encrypt", "decrypt", "createKey"]));
    expect(keyTypes["aes-256-gcm"]?.plaintext?.max).toBe(4096);
  });

  it("backs no other key type, and rotates none by itself", () => {
    const backed = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "aes-256-gcm"];
    expect(KEY_TYPES.filter((keyType) => operations(keyType).length > 0)).toEqual(backed);
    expect(
      TRANSIT_OPERATIONS.filter((operation) => backed.every((type) => !operations(type).includes(operation))),
    ).toEqual(["rotate"]);
  });
});

describe("what a catalog requires (§4.4)", () => {
  it.for([
    ["asymmetric", { class: "asymmetric", keyType: "ecdsa-p256" }, "transit"],
    ["symmetric", { class: "symmetric", keyType: "aes-256-gcm" }, "transit"],
    ["value", value, "kv2"],
    ["public", { class: "public" }, "kv2"],
    ["sealing", { class: "sealing", keyType: "x25519", publicPath: "p/pub" }, "kv2"],
    ["asymmetric in kv2", { class: "asymmetric", keyType: "ed25519", engine: "kv2", publicPath: "p/pub" }, "kv2"],
    ["asymmetric in pki", { class: "asymmetric", keyType: "ecdsa-p256", engine: "pki", path: "pki/issue/r" }, "pki"],
    ["a value said to be in transit", { ...value, engine: "transit" }, "transit"],
  ] as const)("the effective engine of a key of class %s", ([, key, engine]) => {
    const others = ENGINES.filter((other) => other !== engine);
    expect(check(documentOf({ engines: others }, { k: key })).gaps).toMatchObject([{ missingEngines: [engine] }]);
    expect(check(documentOf({ engines: [engine] }, { k: key })).gaps).toEqual([]);
  });

  it("the mint type of an asymmetric transit key that may have to be made, and of no other", () => {
    const backend = { engines: ["transit", "kv2", "pki"] };
    const gaps = (key: Json) => check(documentOf(backend, { k: key })).gaps;
    expect(gaps(signer("rsa-2048", generate))).toMatchObject([{ missingMintKeyTypes: ["rsa-2048"] }]);
    expect(gaps(signer("rsa-2048", { missing: "warn" }))).toEqual([]);
    expect(gaps(signer("ecdsa-p256", { ...generate, engine: "pki", path: "pki/issue/r" }))).toMatchObject([
      { missingMintKeyTypes: [], needs: [{ dimension: "operation", need: "createKey" }] },
    ]);
    expect(gaps({ class: "symmetric", keyType: "chacha20-poly1305", ...generate })).toEqual([]);
  });

  it("each capability that requires lists", () => {
    const backend = {
      engines: ["transit"],
      capabilities: ["pki-crl"],
      requires: ["byok-import", "pki-crl", "jwt-auth"],
    };
    expect(check(documentOf(backend)).gaps).toMatchObject([{ missingCapabilities: ["byok-import", "jwt-auth"] }]);
  });

  it("nothing of who may write or import the key", () => {
    const backend = { engines: ["transit"] };
    expect(check(documentOf(backend, { k: signer("ecdsa-p256", { writable: true }) })).gaps).toEqual([]);
  });
});

describe("the modes of the capability check (§4.5)", () => {
  const declared = { engines: ["kv2"] };
  const per = (missing: string) => documentOf(declared, { k: signer("ecdsa-p256", { missing }) });
  const fatal = (document: Document, mode: CapabilityMode) =>
    check(document, mode, NO_PLUGIN).gaps.map((gap) => gap.fatal);

  it.for([
    ["error", [true], [true]],
    ["warn", [true], [false]],
    ["generate", [true], [false]],
  ] as const)("a key with missing %s", ([missing, strict, degraded]) => {
    expect([fatal(per(missing), "strict"), fatal(per(missing), "degraded")]).toEqual([strict, degraded]);
  });

  it("a backend's requires", () => {
    const document = documentOf({ ...declared, requires: ["jwt-auth"] });
    expect([fatal(document, "strict"), fatal(document, "degraded")]).toEqual([[true], [false]]);
  });

  it("a backend that declares nothing is skipped in both", () => {
    for (const mode of ["strict", "degraded"] as const) {
      const report = check(documentOf({}, { k: signer("ecdsa-p256") }), mode, NO_PLUGIN);
      expect(report).toMatchObject({ ok: true, enforced: 0, skippedUndeclared: 1, gaps: [] });
    }
  });

  it("nothing runs when it is off", () => {
    expect(check(per("error"), "off")).toMatchObject({
      ok: true,
      enforced: 0,
      skippedUndeclared: 0,
      warnings: 0,
      gaps: [],
    });
    expect(CAPABILITY_MODES).toEqual(["strict", "degraded", "off"]);
  });

  it("one gap a key, sorted by backend, then key, the backend's own first", () => {
    const document = documentOf(
      { mintKeyTypes: ["ed25519"], requires: ["jwt-auth"] },
      { z: value, a: signer("rsa-2048", generate) },
    );
    document.backends.a = { kind: "vault", addr: "", engines: ["pki"] };
    Object.assign(document.keys, { m: { ...document.keys.z, backend: "a", path: "p/m" } });
    expect(check(document).gaps.map(({ backend, key }) => [backend, key])).toEqual([
      ["a", "m"],
      ["b", undefined],
      ["b", "a"],
      ["b", "z"],
    ]);
  });

  it("a declared backend makes only the key types of its mintKeyTypes, in every mode", () => {
    const of = (backend: Json) => parseCatalog(JSON.stringify(documentOf(backend))).backends.get("b")!;
    const refusal = expect.objectContaining({ code: "UNSUPPORTED_ALGORITHM" });
    expect(() => requireMintable(of({ engines: ["transit"], mintKeyTypes: ["ed25519"] }), "rsa-2048")).toThrow(refusal);
    expect(() => requireMintable(of({ engines: ["transit"], mintKeyTypes: ["rsa-2048"] }), "rsa-2048")).not.toThrow();
    expect(() => requireMintable(of({}), "rsa-2048")).not.toThrow();
  });
});

describe("combinations that fail (§4.6)", () => {
  const none = { missingEngines: [], missingCapabilities: [], missingMintKeyTypes: [] };
  it.for([
    [{ engines: ["kv2"] }, { k: signer("ed25519", { engine: "transit" }) }, { missingEngines: ["transit"] }],
    [
      { engines: ["transit"], mintKeyTypes: ["ed25519"] },
      { k: signer("rsa-2048", generate) },
      { missingMintKeyTypes: ["rsa-2048"] },
    ],
    [{ engines: ["transit"] }, { k: value }, { missingEngines: ["kv2"] }],
    [
      { engines: ["transit", "kv2"] },
      { k: signer("ecdsa-p256", { engine: "pki", path: "pki/issue/r" }) },
      { missingEngines: ["pki"] },
    ],
    [{ capabilities: ["pki-crl"], engines: [] }, { k: value }, { missingEngines: ["kv2"] }],
    [{ engines: ["transit"], requires: ["byok-import"] }, {}, { missingCapabilities: ["byok-import"] }],
    [
      { mintKeyTypes: ["rsa-2048"], engines: [] },
      { k: signer("ecdsa-p256", generate) },
      { missingEngines: ["transit"], missingMintKeyTypes: ["ecdsa-p256"] },
    ],
  ] as [Json, Record<string, Json>, Json][])("%j with %j", ([backend, keys, missing]) => {
    const { ok, gaps } = check(documentOf(backend, keys), "strict", NO_PLUGIN);
    expect(ok).toBe(false);
    expect(gaps).toMatchObject([{ ...none, ...missing }]);
  });

  it("nothing declared and nothing required is skipped", () => {
    const keys = { k: signer("rsa-2048", generate), v: value };
    expect(check(documentOf({}, keys), "strict", NO_PLUGIN)).toMatchObject({
      ok: true,
      skippedUndeclared: 1,
      gaps: [],
    });
  });
});
