import { parseCatalog } from "@basil/catalog";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Capabilities } from "../capabilities.js";
import type { CapabilityMode } from "./capability-report.js";
import { checkCapabilities } from "./check-capabilities.js";
import { renderCapabilityReport } from "./render-capability-report.js";
import { requiredCapabilities } from "./required-capabilities.js";

type Json = Record<string, unknown>;

const SIGNER = { class: "asymmetric", keyType: "ecdsa-p256" };
const AEAD = { class: "symmetric", keyType: "aes-256-gcm" };
const VALUE = { class: "value" };

/** Backend `b` of kind vault, which no plugin here stands for, unless `backend` says otherwise. */
function catalogOf(backend: Json, keys: Record<string, Json>) {
  const entries = Object.entries(keys).map(([name, key]) => [
    name,
    { backend: "b", path: `p/${name}`, writable: false, description: "a key", ...key },
  ]);
  const backends = { b: { kind: "vault", addr: "", ...backend } };
  return parseCatalog(JSON.stringify({ schemaVersion: 1, backends, keys: Object.fromEntries(entries) }));
}

/** A kind as AWS KMS is: transit, P-256 and AES, nothing else. */
const KMS: Capabilities = {
  engines: ["transit"],
  keyTypes: {
    "ecdsa-p256": { operations: ["sign", "verify", "publicKey", "createKey"], message: { min: 0 } },
    "ecdsa-p384": { operations: ["sign", "verify", "publicKey"] },
    "aes-256-gcm": { operations: ["encrypt", "decrypt", "createKey"], plaintext: { min: 1, max: 4096 } },
  },
  features: [],
};
const LOADED = new Map([["aws-kms", KMS]]);

function check(backend: Json, keys: Record<string, Json>, mode: CapabilityMode = "strict", provided = LOADED) {
  return checkCapabilities({ catalog: catalogOf(backend, keys), provided, mode });
}

const generate = { missing: "generate" };

describe("checkCapabilities, what the catalog declares", () => {
  it.each([
    ["an engine a signer needs", { engines: ["kv2"] }, SIGNER, { missingEngines: ["transit"] }],
    [
      "a mint key type, when the key may have to be made",
      { engines: ["transit"], mintKeyTypes: ["ed25519"] },
      { ...SIGNER, keyType: "rsa-2048", ...generate },
      { missingEngines: [], missingMintKeyTypes: ["rsa-2048"] },
    ],
    ["an engine a value needs", { engines: ["transit"] }, VALUE, { missingEngines: ["kv2"] }],
    [
      "an engine an issuer needs",
      { engines: ["transit", "kv2"] },
      { ...SIGNER, engine: "pki", path: "pki/issue/role" },
      { missingEngines: ["pki"] },
    ],
    [
      "an engine, when only capabilities are declared",
      { capabilities: ["pki-crl"] },
      VALUE,
      { missingEngines: ["kv2"] },
    ],
    [
      "an engine and a mint key type, in one gap",
      { mintKeyTypes: ["rsa-2048"] },
      { ...SIGNER, ...generate },
      { missingEngines: ["transit"], missingMintKeyTypes: ["ecdsa-p256"] },
    ],
  ])("tells a gap: %s", (_, backend, key, gap) => {
    const report = check(backend, { k: key });
    expect(report).toMatchObject({ ok: false, enforced: 1, gaps: [{ backend: "b", key: "k", fatal: true, ...gap }] });
  });

  it("tells a backend-level gap for what requires names and capabilities do not", () => {
    const report = check({ engines: ["transit"], requires: ["byok-import", "hsm"], capabilities: ["hsm"] }, {});
    expect(report.gaps).toMatchObject([{ backend: "b", fatal: true, missingCapabilities: ["byok-import"] }]);
    expect(report.gaps[0]).not.toHaveProperty("key");
  });

  it("skips a backend that declares nothing, and counts it", () => {
    const report = check({}, { k: { ...SIGNER, ...generate }, v: VALUE });
    expect(report).toMatchObject({
      ok: true,
      enforced: 0,
      skippedUndeclared: 1,
      gaps: [],
      notes: [{ note: "undeclared" }],
    });
  });

  it("does not skip a backend that requires something, though it declares nothing", () => {
    const report = check({ requires: ["byok-import"] }, { k: SIGNER });
    expect(report).toMatchObject({ ok: false, enforced: 1, skippedUndeclared: 0 });
    expect(report.gaps.map(({ key }) => key)).toEqual([undefined, "k"]);
  });

  it("leaves symmetric generation ungated, except on kind aws-kms", () => {
    const key = { k: { ...AEAD, ...generate } };
    expect(check({ engines: ["transit"], mintKeyTypes: ["ed25519"] }, key).ok).toBe(true);
    const kms = { kind: "aws-kms", engines: ["transit"] };
    expect(check({ ...kms, mintKeyTypes: ["ecdsa-p256"] }, key).gaps).toMatchObject([
      { missingMintKeyTypes: ["aes-256-gcm"] },
    ]);
    expect(check({ ...kms, mintKeyTypes: ["aes-256-gcm"] }, key).ok).toBe(true);
  });

  it("does not ask for a mint key type when the key is never made", () => {
    expect(check({ engines: ["transit"] }, { k: SIGNER, w: { ...SIGNER, missing: "warn" } }).ok).toBe(true);
  });
});

describe("checkCapabilities, what the kind can do", () => {
  const kms = { kind: "aws-kms", engines: ["transit", "kv2"], mintKeyTypes: ["ecdsa-p256", "ecdsa-p384"] };

  it("tells an engine that is declared and beyond the kind", () => {
    const report = check(kms, { v: VALUE });
    expect(report.gaps).toMatchObject([
      { missingEngines: ["kv2"], needs: [{ lacking: "kind", offered: ["transit"] }] },
    ]);
    expect(report.notes).toContainEqual(expect.objectContaining({ note: "overdeclared", token: "kv2" }));
  });

  it("tells a key type that the kind does not back", () => {
    const report = check(kms, { k: { ...SIGNER, keyType: "rsa-2048" }, c: { ...AEAD, keyType: "chacha20-poly1305" } });
    expect(report.gaps.map(({ needs }) => needs)).toMatchObject([
      [{ dimension: "keyType", need: "chacha20-poly1305", lacking: "kind" }],
      [{ dimension: "keyType", need: "rsa-2048", offered: ["ecdsa-p256", "ecdsa-p384", "aes-256-gcm"] }],
    ]);
  });

  it("tells an operation that the kind does not offer for the key type", () => {
    const report = check(kms, { k: { ...SIGNER, keyType: "ecdsa-p384", ...generate } });
    expect(report.gaps).toMatchObject([
      { needs: [{ dimension: "operation", need: "createKey", keyType: "ecdsa-p384" }] },
    ]);
    const overdeclared = expect.objectContaining({
      note: "overdeclared",
      dimension: "mintKeyType",
      token: "ecdsa-p384",
    });
    expect(report.notes).toContainEqual(overdeclared);
  });

  it("holds a backend that declares nothing to what its kind can do", () => {
    const keys = { k: { ...SIGNER, ...generate }, r: { ...SIGNER, keyType: "rsa-2048" }, v: VALUE };
    const report = check({ kind: "aws-kms" }, keys);
    expect(report).toMatchObject({ enforced: 0, skippedUndeclared: 1 });
    expect(report.gaps.map(({ key }) => key)).toEqual(["r", "v"]);
  });

  it("tells a known capability that is declared and beyond the kind, and leaves unknown ones to the deployment", () => {
    const requires = ["pki-crl", "hsm-2027"];
    const report = check({ ...kms, requires, capabilities: requires }, {});
    expect(report.gaps).toMatchObject([{ missingCapabilities: ["pki-crl"], needs: [{ lacking: "kind" }] }]);
    expect(report.notes).toContainEqual(expect.objectContaining({ note: "unknown-capability", token: "hsm-2027" }));
  });

  it("names each backend whose kind is not loaded, in every mode, and checks its declaration alone", () => {
    for (const mode of ["strict", "degraded", "off"] as const) {
      const report = check({ engines: ["transit"] }, { k: { ...SIGNER, keyType: "rsa-2048" } }, mode);
      expect(report).toMatchObject({ ok: true, unloaded: [{ backend: "b", kind: "vault" }] });
    }
    expect(check({ kind: "aws-kms", engines: ["transit"] }, {}).unloaded).toEqual([]);
  });
});

describe("checkCapabilities, modes", () => {
  const backend = { engines: ["transit"], mintKeyTypes: ["ed25519"], requires: ["byok-import"] };
  const keys = {
    c: { ...SIGNER, ...generate },
    e: { ...VALUE, missing: "error" },
    w: { ...VALUE, missing: "warn" },
  };

  it("finds every gap fatal in strict", () => {
    const report = check(backend, keys, "strict");
    expect(report).toMatchObject({ ok: false, warnings: 0 });
    expect(report.gaps.map(({ key, fatal }) => [key, fatal])).toEqual([
      [undefined, true],
      ["c", true],
      ["e", true],
      ["w", true],
    ]);
  });

  it("finds only the gap of a key whose missing is error fatal in degraded", () => {
    const report = check(backend, keys, "degraded");
    expect(report).toMatchObject({ ok: false, warnings: 3 });
    expect(report.gaps.filter(({ fatal }) => fatal).map(({ key }) => key)).toEqual(["e"]);
    expect(check(backend, { c: keys.c, w: keys.w }, "degraded")).toMatchObject({ ok: true, warnings: 3 });
  });

  it("checks nothing when off", () => {
    const nothing = { ok: true, enforced: 0, skippedUndeclared: 0, warnings: 0, gaps: [], notes: [] };
    expect(check(backend, keys, "off")).toMatchObject(nothing);
  });

  it("refuses another mode as a wrong argument", () => {
    expect(() => check(backend, keys, "lenient" as CapabilityMode)).toThrow(TypeError);
  });

  it("is ok in strict exactly when no requirement is missing, and never stricter in degraded", () => {
    const engines = fc.subarray(["transit", "kv2"]);
    const mintKeyTypes = fc.subarray(["ecdsa-p256", "aes-256-gcm"]);
    const key = fc.record({ base: fc.constantFrom(SIGNER, AEAD, VALUE), missing: fc.constantFrom("error", "warn") });
    fc.assert(
      fc.property(engines, mintKeyTypes, fc.array(key, { maxLength: 5 }), (engines, mintKeyTypes, list) => {
        const keys = Object.fromEntries(list.map(({ base, missing }, i) => [`k${i}`, { ...base, missing }]));
        const [strict, degraded] = (["strict", "degraded"] as const).map((mode) =>
          check({ engines, mintKeyTypes }, keys, mode),
        );
        const declared = engines.length + mintKeyTypes.length > 0;
        const lacking = list.filter(({ base }) => !engines.includes(base === VALUE ? "kv2" : "transit"));
        expect(strict?.ok).toBe(!declared || lacking.length === 0);
        expect(degraded?.ok).toBe(!declared || lacking.every(({ missing }) => missing === "warn"));
        expect(degraded?.gaps.length).toBe(strict?.gaps.length);
      }),
    );
  });
});

describe("requiredCapabilities", () => {
  it("asks for the operations the class of a key stands for, and for creation only when the key may have to be made", () => {
    const catalog = catalogOf({}, { a: SIGNER, b: { ...AEAD, ...generate }, c: { ...SIGNER, ...generate }, v: VALUE });
    expect(requiredCapabilities(catalog).keys).toMatchObject([
      { key: "a", engine: "transit", transit: { keyType: "ecdsa-p256", operations: ["sign", "verify", "publicKey"] } },
      { key: "b", transit: { operations: ["encrypt", "decrypt", "createKey"] } },
      { key: "c", mintKeyType: "ecdsa-p256" },
      { key: "v", engine: "kv2" },
    ]);
  });
});

describe("renderCapabilityReport", () => {
  it("names the key, the need, what there is instead and the remedy", () => {
    const backend = { kind: "aws-kms", engines: ["transit"], mintKeyTypes: ["aes-256-gcm"], requires: ["pki-crl"] };
    const lines = renderCapabilityReport(check(backend, { k: { ...SIGNER, ...generate }, v: VALUE }));
    expect(lines).toEqual([
      "capability check (strict) failed: 1 backend checked, 0 undeclared, 3 fatal gaps, 0 tolerated",
      'requires on backend "b" (aws-kms): needs capability pki-crl, the catalog declares none: add it to capabilities of backend "b" if the server has it, or take it out of requires',
      'key "k" on backend "b" (aws-kms): needs mint key type ecdsa-p256, the catalog declares aes-256-gcm: add it to mintKeyTypes of backend "b", or create the key by other means and set missing to "error"',
      'key "v" on backend "b" (aws-kms): needs engine kv2, kind "aws-kms" offers transit: move the key to a backend whose kind has kv2',
    ]);
  });

  it("tells kinds that are not loaded, tolerated gaps and notes", () => {
    const report = check(
      { engines: ["transit"], capabilities: ["hsm"] },
      { v: { ...VALUE, missing: "warn" } },
      "degraded",
    );
    const text = renderCapabilityReport(report).join("\n");
    for (const word of ['no plugin for kind "vault"', "tolerated", '"hsm"']) expect(text).toContain(word);
    expect(renderCapabilityReport(check({}, {}, "off"))[0]).toBe("capability check off: nothing was checked");
    expect(renderCapabilityReport(check({}, {})).join("\n")).toContain("declares no engines");
    const over = check({ kind: "aws-kms", engines: ["pki"] }, {});
    expect(renderCapabilityReport(over).join("\n")).toContain("declares engine pki, which its kind does not have");
  });
});
