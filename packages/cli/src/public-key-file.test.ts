import { generateKeyPairSync } from "node:crypto";
import { isBackendError, spkiKeyType, spkiToJwk, spkiToPem, spkiToRaw, spkiToSsh } from "@basil/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { publicKeyOf } from "./public-key-file.js";

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const KEYS = [
  generateKeyPairSync("ed25519"),
  ...["P-256", "P-384", "P-521"].map((namedCurve) => generateKeyPairSync("ec", { namedCurve })),
].map(({ publicKey }) => {
  const spki = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
  return { spki, keyType: spkiKeyType(spki) };
});

describe.each(KEYS)("publicKeyOf, $keyType", ({ spki, keyType }) => {
  it("reads every form that basil pubkey prints", async () => {
    const forms = {
      pem: text(spkiToPem(spki)),
      jwk: text(`${JSON.stringify({ ...spkiToJwk(spki, keyType), kid: "1", use: "sig" }, null, 2)}\n`),
      ssh: text(`${spkiToSsh(spki, keyType)}\n`),
      raw: spkiToRaw(spki, keyType),
      der: spki,
    };
    for (const [form, file] of Object.entries(forms)) expect(await publicKeyOf(file), form).toEqual(spki);
  });

  it("takes no line of text for raw bytes, however long its comment", async () => {
    for (let length = 0; length < 140; length++) {
      const line = spkiToSsh(spki, keyType, "c".repeat(length));
      for (const file of [line, `${line}\n`]) expect(await publicKeyOf(text(file))).toEqual(spki);
    }
  });
});

describe("publicKeyOf", () => {
  it("refuses whatever else by a code", async () => {
    const attempt = async (file: Uint8Array): Promise<void> => {
      try {
        spkiKeyType(await publicKeyOf(file));
      } catch (error) {
        expect(isBackendError(error)).toBe(true);
      }
    };
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 140 }), attempt));
    await fc.assert(fc.asyncProperty(fc.oneof(fc.string(), fc.json()), (content) => attempt(text(content))));
    for (const start of ["-----BEGIN ", "ssh-", "ecdsa-", "sk-", "{"]) await attempt(text(`${start}nothing more`));
  });
});
