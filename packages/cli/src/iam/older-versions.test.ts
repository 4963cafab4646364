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

/** Of a key at `version` whose versions `hidden` could not be described. */
function remarks(name: string, version?: number, hidden: readonly number[] = []): string[] {
  const key = keys.get(name);
  if (key === undefined) throw new TypeError(name);
  if (version === undefined) return olderVersionRemarks([{ key, arn: "arn" }]);
  const others = Array.from({ length: version - 1 }, (_, at) => ({ version: at + 1, arn: `arn${at + 1}` }));
  return olderVersionRemarks([
    { key, arn: "arn", version, others: others.filter((one) => !hidden.includes(one.version)), hidden },
  ]);
}

describe("olderVersionRemarks", () => {
  it("is silent for a key that was never rotated, for an ARN that was given, and where every version is covered", () => {
    expect([...remarks("aead", 1), ...remarks("aead"), ...remarks("aead", 4)]).toEqual([]);
  });

  it.for([
    ["aead", 2, [1], "only version 2 of aead is covered", "kms:Decrypt on version 1 while what was sealed"],
    ["jwt", 4, [1, 2, 3], "only version 4 of jwt is covered", "kms:Verify on versions 1 to 3 while what was signed"],
    ["jwt", 4, [1, 3], "only versions 2, 4 of jwt are covered", "kms:Verify on versions 1, 3 while what was signed"],
    ["aead", 5, [1], "only versions 2 to 5 of aead are covered", "kms:Decrypt on version 1 while"],
    // All of them, so that the number of the one in use is a guess.
    ["aead", 1, [1, 2, 3], "only the version in use of aead is covered", "kms:Decrypt on versions 1 to 3 while"],
  ] as const)("says what %s at version %i, with %j hidden, still needs", ([name, version, hidden, covered, what]) => {
    expect(remarks(name, version, hidden)).toEqual([expect.stringContaining(what)]);
    expect(remarks(name, version, hidden)).toEqual([expect.stringContaining(covered)]);
  });
});
