import { createHash, generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { signDigest, verifyDigest } from "./ecdsa-digest.js";

describe.each([
  ["ECC_NIST_P256", "prime256v1", "sha256"],
  ["ECC_NIST_P384", "secp384r1", "sha384"],
  ["ECC_NIST_P521", "secp521r1", "sha512"],
] as const)("ECDSA over a digest, %s", (spec, namedCurve, hash) => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
  const message = () => {
    const bytes = randomBytes(40);
    return [bytes, createHash(hash).update(bytes).digest()] as const;
  };

  it("makes signatures that node:crypto verifies over the message", () => {
    for (let i = 0; i < 300; i += 1) {
      const [bytes, digest] = message();
      expect(verify(hash, bytes, publicKey, signDigest(spec, privateKey, digest))).toBe(true);
    }
  });

  it("verifies what node:crypto signed, and nothing else", () => {
    for (let i = 0; i < 10; i += 1) {
      const [bytes, digest] = message();
      const signature = new Uint8Array(sign(hash, bytes, privateKey));
      expect(verifyDigest(spec, publicKey, digest, signature)).toBe(true);
      expect(verifyDigest(spec, publicKey, message()[1], signature)).toBe(false);
      expect(verifyDigest(spec, publicKey, digest, signature.subarray(1))).toBe(false);
      signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
      expect(verifyDigest(spec, publicKey, digest, signature)).toBe(false);
    }
  });

  it("never makes the same signature twice", () => {
    const [, digest] = message();
    expect(signDigest(spec, privateKey, digest)).not.toEqual(signDigest(spec, privateKey, digest));
  });
});
