import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CatalogError } from "./errors.js";
import { parseCatalog } from "./parse-catalog.js";

const seed = readFileSync(new URL("../../../vectors/seed/catalog.json", import.meta.url));

describe("parseCatalog", () => {
  it("reads the AWS KMS page's catalog verbatim, as bytes and as text", () => {
    const catalog = parseCatalog(seed);
    expect(parseCatalog(seed.toString("utf8"))).toEqual(catalog);
    expect([...catalog.keys.keys()]).toEqual(["jwt.signing.primary", "payload.aead"]);
    expect(catalog.backends.get("kms")).toEqual({
      name: "kms",
      kind: "aws-kms",
      addr: "aws-kms:us-east-1",
      engines: ["transit"],
      capabilities: [],
      mintKeyTypes: ["ecdsa-p256", "aes-256-gcm"],
      requires: [],
    });
    expect(catalog.warnings).toEqual([]);
  });

  it("loads a pki path without a role, as Basil 0.7.1 does, with a warning", () => {
    const read = (path: string) => {
      const entry = { class: "asymmetric", keyType: "ecdsa-p256", engine: "pki", backend: "b", path };
      const keys = { k: { ...entry, writable: false, description: "d" } };
      return parseCatalog(JSON.stringify({ schemaVersion: 1, backends: { b: { kind: "vault", addr: "" } }, keys }));
    };
    expect(read("pki/issue/").warnings).toMatchObject([{ code: "PkiPathWithoutRole", pointer: "/keys/k/path" }]);
    expect(read("pki/issue/web").warnings).toEqual([]);
    expect(() => read("pki/issue")).toThrow(CatalogError);
  });

  it("says to serialize an object that is not text", () => {
    expect(() => parseCatalog({ schemaVersion: 1 } as unknown as string)).toThrow(/JSON\.stringify/);
  });

  it("tells every refusal at once, each with its place", () => {
    const document = JSON.parse(seed.toString("utf8"));
    document.keys["jwt.signing.primary"].backend = "kmz";
    document.keys["payload.aead"].description = " ";
    document.keys["payload.aead"].writeable = true;
    document.keys["Bad-Name"] = { ...document.keys["payload.aead"], path: "" };
    const error = refusalOf(JSON.stringify(document));
    expect(error.code).toBe("CATALOG_REFUSED");
    expect(error.refusals.map(({ code, pointer, suggestion }) => [code, pointer, suggestion])).toEqual([
      ["Json", "/keys/Bad-Name/writeable", "writable"],
      ["BadKeyName", "/keys/Bad-Name", "bad_name"],
      ["BlankDescription", "/keys/Bad-Name/description", undefined],
      ["BlankPath", "/keys/Bad-Name/path", undefined],
      ["Json", "/keys/payload.aead/writeable", "writable"],
      ["BlankDescription", "/keys/payload.aead/description", undefined],
      ["UnknownBackend", "/keys/jwt.signing.primary/backend", "kms"],
    ]);
    for (const { message } of error.refusals) expect(error.message).toContain(message);
  });

  it("iterates in byte order of the names, whatever the order of the document (§0)", () => {
    const key = (path: string) => ({ class: "value", backend: "b", path, writable: true, description: "d" });
    const names = ["ab", "a_b", "a0", "a.b", "a", "b0a", "10", "9"];
    const backend = { kind: "vault", addr: "" };
    const text = JSON.stringify({
      schemaVersion: 1,
      backends: { "\u{1f600}": backend, "\uffee": backend, b: backend, B: backend },
      keys: Object.fromEntries(names.map((name) => [name, key(name)])),
    });
    const { keys, backends } = parseCatalog(text);
    expect([...keys.keys()]).toEqual(["10", "9", "a", "a.b", "a0", "a_b", "ab", "b0a"]);
    expect([...backends.keys()]).toEqual(["B", "b", "\uffee", "\u{1f600}"]);
  });

  it("refuses repeated backends, keys and members (§0, §9.17)", () => {
    const text = seed.toString("utf8");
    const twice = (name: string) => text.replace(`"${name}":`, `"${name}": {}, "${name}":`);
    const pointersOf = (document: string) =>
      refusalOf(document)
        .refusals.filter(({ message }) => message.includes("more than once"))
        .map(({ pointer }) => pointer);
    expect(pointersOf(twice("kms"))).toEqual(["/backends/kms"]);
    expect(pointersOf(twice("payload.aead"))).toEqual(["/keys/payload.aead"]);
    expect(pointersOf(text.replace('"writable": false', '"writable": true, "writable": false'))).toEqual([
      "/keys/jwt.signing.primary/writable",
    ]);
  });

  it("infers the engine from the class and keeps what was written (§1.5)", () => {
    const pair = readFileSync(new URL("../../../vectors/documents/pair-b.catalog.json", import.meta.url));
    const { keys } = parseCatalog(pair);
    const engines = [...keys.values()].map(
      ({ name, engine, engineAsWritten }) => `${name} ${engine} ${engineAsWritten}`,
    );
    expect(engines).toEqual([
      "broker.request_key kv2 undefined",
      "broker.response_signer transit undefined",
      "edge.inbox kv2 kv2",
      "edge.seed_signer kv2 kv2",
      "mesh.deny_list kv2 undefined",
      "mesh.jwt_issuer transit undefined",
      "mesh.x509_issuer pki pki",
      "nats.account transit undefined",
      "pq.release_signer transit undefined",
    ]);
  });

  it("fills in every default and keeps pins as they are (§1.2, §1.4, §1.8)", () => {
    const pair = readFileSync(new URL("../../../vectors/documents/pair-b.catalog.json", import.meta.url), "utf8");
    const { keys } = parseCatalog(pair);
    expect(keys.get("edge.seed_signer")).toMatchObject({ missing: "error", labels: [] });
    expect(keys.get("edge.inbox")?.sealingPin).toEqual({
      parties: { partyU: "edge.sender", partyV: "basil://lab/edge" },
      externalAad: ["v1", ""],
    });
    const pinOf = (pin: string) =>
      parseCatalog(pair.replace(/"sealingPin": \{.*\]\}/, `"sealingPin": ${pin}`)).keys.get("edge.inbox");
    expect(pinOf('{"parties":{"partyU":null}}')?.sealingPin).toEqual({ parties: {}, externalAad: [] });
    expect(pinOf('{"externalAad":["x"]}')?.sealingPin).toEqual({ externalAad: ["x"] });
  });

  it("takes text or bytes and nothing else", () => {
    expect(() => parseCatalog(JSON.parse(seed.toString("utf8")))).toThrow(TypeError);
  });
});

function refusalOf(text: string): CatalogError {
  try {
    parseCatalog(text);
  } catch (error) {
    if (error instanceof CatalogError) return error;
    throw error;
  }
  throw new Error("the document was taken");
}
