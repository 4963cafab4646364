import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { type KeyType, verifySignature } from "@basil/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isVerifiedLocally, verificationKey, verifyLocally } from "./verify-locally.js";

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}
const TYPES: readonly (readonly ["ed25519" | "ecdsa-p256" | "ecdsa-p384" | "ecdsa-p521", string | null, Pair])[] = [
  ["ed25519", null, generateKeyPairSync("ed25519")],
  ["ecdsa-p256", "sha256", generateKeyPairSync("ec", { namedCurve: "P-256" })],
  ["ecdsa-p384", "sha384", generateKeyPairSync("ec", { namedCurve: "P-384" })],
  ["ecdsa-p521", "sha512", generateKeyPairSync("ec", { namedCurve: "P-521" })],
];
const spkiOf = ({ publicKey }: Pair) => Uint8Array.from(publicKey.export({ type: "spki", format: "der" }));

describe.for(TYPES)("verifyLocally, %s", ([keyType, hash, pair]) => {
  it("agrees with noble on genuine signatures and on every damage to them", async () => {
    const publicKey = spkiOf(pair);
    const key = verificationKey(publicKey, keyType);
    const damage = fc.option(fc.tuple(fc.nat(10_000), fc.integer({ min: 1, max: 255 })));
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), damage, damage, async (message, inMessage, inSignature) => {
        const signature = Uint8Array.from(sign(hash, message, { key: pair.privateKey, dsaEncoding: "ieee-p1363" }));
        const damaged = Uint8Array.from(message);
        for (const [bytes, change] of [
          [damaged, inMessage],
          [signature, inSignature],
        ] as const) {
          if (change !== null && bytes.length > 0) bytes[change[0] % bytes.length]! ^= change[1];
        }
        const here = await verifyLocally(keyType, key, damaged, signature);
        expect(here).toBe(verifySignature({ keyType, publicKey, message: damaged, signature }));
        if (inMessage === null && inSignature === null) expect(here).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it("is false for a signature of another width", async () => {
    const key = verificationKey(spkiOf(pair), keyType);
    for (const width of [0, 1, 63, 65, 72, 256])
      expect(await verifyLocally(keyType, key, new Uint8Array(3), new Uint8Array(width))).toBe(false);
  });
});

describe("verificationKey", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });

  it("reads RSA of 2,048 bits, whose signatures are PKCS #1 v1.5 with SHA-256", async () => {
    const key = verificationKey(spkiOf(rsa), "rsa-2048");
    const message = new Uint8Array(7);
    expect(
      await verifyLocally("rsa-2048", key, message, Uint8Array.from(sign("sha256", message, rsa.privateKey))),
    ).toBe(true);
    expect(await verifyLocally("rsa-2048", key, message, new Uint8Array(256))).toBe(false);
  });

  it.for([
    ["another curve", spkiOf(TYPES[2]![2]), "ecdsa-p256"],
    ["Ed25519 for a curve of NIST", spkiOf(TYPES[0]![2]), "ecdsa-p256"],
    ["RSA for Ed25519", spkiOf(rsa), "ed25519"],
    ["a curve for RSA", spkiOf(TYPES[1]![2]), "rsa-2048"],
    ["RSA of 3,072 bits", spkiOf(generateKeyPairSync("rsa", { modulusLength: 3072 })), "rsa-2048"],
    ["no key", new Uint8Array(91), "ecdsa-p256"],
  ] as const)("refuses %s", ([, spki, keyType]) => {
    expect(() => verificationKey(spki, keyType)).toThrow();
  });

  it("leaves ML-DSA out", () => {
    const types: KeyType[] = ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87", "aes-256-gcm"];
    expect(types.filter(isVerifiedLocally)).toEqual([]);
  });
});
