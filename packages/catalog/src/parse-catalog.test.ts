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
