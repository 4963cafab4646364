import { parseCatalog } from "@basil/catalog";
import { describe, expect, it } from "vitest";
import { olderVersionRemarks } from "./older-versions.js";

const entry = { backend: "kms", engine: "transit", writable: false, missing: "error", description: "A key" };
const keys = parseCatalog(
  JSON.stringify({
    schemaVersion: 1,
    backends: { kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"] } },
    keys: {
      aead: { ...entry, class: "symmetric", keyType: "aes-256-gcm", path: "alias/aead" },
      jwt: { ...entry, class: "asymmetric", keyType: "ecdsa-p256", path: "alias/jwt" },
    },
  }),
).keys;

function remarks(name: string, version?: number): string[] {
  const key = keys.get(name);
  if (key === undefined) throw new TypeError(name);
  return olderVersionRemarks([{ key, arn: "arn", ...(version !== undefined && { version }) }]);
}

describe("olderVersionRemarks", () => {
  it("is silent for a key that was never rotated, and for an ARN that was given", () => {
    expect([...remarks("aead", 1), ...remarks("aead")]).toEqual([]);
  });

  it.for([
    ["aead", 2, "kms:Decrypt on version 1 while what was sealed"],
    ["jwt", 4, "kms:Verify on versions 1 to 3 while what was signed"],
  ] as const)("says what %s at version %i still needs", ([name, version, what]) => {
    expect(remarks(name, version)).toEqual([expect.stringContaining(what)]);
  });
});
