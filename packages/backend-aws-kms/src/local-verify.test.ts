import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { type KeyType, rawToSpki, verifySignature } from "@basil/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verifyOffLoop } from "./local-verify.js";

const CURVES = { "ecdsa-p256": "P-256", "ecdsa-p384": "P-384", "ecdsa-p521": "P-521" } as const;
const HASHES = { "ecdsa-p256": "sha256", "ecdsa-p384": "sha384", "ecdsa-p521": "sha512" } as const;

function keyPair(keyType: "ed25519" | keyof typeof CURVES) {
  const { privateKey, publicKey } =
    keyType === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: CURVES[keyType] });
  const hash = keyType === "ed25519" ? null : HASHES[keyType];
  const signRaw = (message: Uint8Array) =>
    new Uint8Array(sign(hash, message, { key: privateKey, dsaEncoding: "ieee-p1363" }));
  return { publicKey, spki: new Uint8Array(publicKey.export({ type: "spki", format: "der" })), signRaw };
}

describe.for(["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"] as const)("verifyOffLoop: %s", (keyType) => {
  const { publicKey, spki, signRaw } = keyPair(keyType);

  it("agrees with verifySignature on signatures, changed in a byte or not", async () => {
    const changes = fc.option(fc.tuple(fc.nat(131), fc.integer({ min: 1, max: 255 })), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), changes, async (message, change) => {
        const signature = signRaw(message);
        if (change) signature[change[0] % signature.length]! ^= change[1];
        const expected = verifySignature({ keyType, publicKey: spki, message, signature });
        expect(await verifyOffLoop(keyType, publicKey, message, signature)).toBe(expected);
        if (!change) expect(expected).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it("agrees with verifySignature on halves of nothing but zeros or ones", async () => {
    const message = new Uint8Array(32);
    const half = signRaw(message).length / 2;
    for (const r of [0, 255]) {
      for (const s of [0, 255]) {
        const signature = new Uint8Array(2 * half).fill(r, 0, half).fill(s, half);
        const expected = verifySignature({ keyType, publicKey: spki, message, signature });
        expect(await verifyOffLoop(keyType, publicKey, message, signature)).toBe(expected);
      }
    }
  });
});

interface VectorFile {
  testGroups: {
    publicKey: { pk?: string; uncompressed?: string };
    tests: { msg: string; sig: string; result: string; tcId: number }[];
  }[];
}
const vectors = (name: string): VectorFile =>
  JSON.parse(readFileSync(new URL(`../../../vectors/wycheproof/${name}`, import.meta.url), "utf8"));

describe("verifyOffLoop", () => {
  it.for([
    ["ed25519", "ed25519_test.json", 64],
    ["ecdsa-p256", "ecdsa_secp256r1_sha256_p1363_test.json", 64],
    ["ecdsa-p384", "ecdsa_secp384r1_sha384_p1363_test.json", 96],
    ["ecdsa-p521", "ecdsa_secp521r1_sha512_p1363_test.json", 132],
  ] as [KeyType, string, number][])("gives Wycheproof's answer for %s", async ([keyType, file, width]) => {
    let checked = 0;
    for (const { publicKey, tests } of vectors(file).testGroups) {
      const raw = new Uint8Array(Buffer.from(publicKey.pk ?? publicKey.uncompressed ?? "", "hex"));
      const spki = createPublicKey({ key: Buffer.from(rawToSpki(raw, keyType)), format: "der", type: "spki" });
      for (const { msg, sig, result, tcId } of tests) {
        const signature = new Uint8Array(Buffer.from(sig, "hex"));
        if (signature.length !== width) continue;
        checked += 1;
        const valid = await verifyOffLoop(keyType, spki, new Uint8Array(Buffer.from(msg, "hex")), signature);
        expect(valid, `tcId ${tcId}`).toBe(result === "valid");
      }
    }
    expect(checked).toBeGreaterThan(50);
  });
});
