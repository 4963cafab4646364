import { generateKeyPairSync, type KeyObject, randomBytes, sign, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ecdsaDerToRaw, ecdsaRawToDer } from "./ecdsa-signature.js";
import { verifySignature } from "./verify-signature.js";

/** Signatures a curve that node:crypto makes and both judge; `pnpm run test:long` asks for 10,000. */
const SIGNATURES = Number(process.env.BASIL_TEST_SIGNATURES ?? 300);

const CURVES = [
  { keyType: "ecdsa-p256", namedCurve: "P-256", hash: "sha256" },
  { keyType: "ecdsa-p384", namedCurve: "P-384", hash: "sha384" },
  { keyType: "ecdsa-p521", namedCurve: "P-521", hash: "sha512" },
] as const;

describe.each(CURVES)("verifySignature, $keyType", ({ keyType, namedCurve, hash }) => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
  const spki = spkiOf(publicKey);

  it(`agrees with node:crypto on ${SIGNATURES} signatures, one in four of them damaged`, () => {
    for (let i = 0; i < SIGNATURES; i++) {
      const message = randomBytes(i % 200);
      const der = sign(hash, message, { key: privateKey, dsaEncoding: "der" });
      const signature = ecdsaDerToRaw(der, keyType);
      expect(Buffer.from(ecdsaRawToDer(signature, keyType)).equals(der)).toBe(true);
      if (i % 4 === 3) damage(signature);
      const expected = verify(hash, message, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature);
      expect(expected).toBe(i % 4 !== 3);
      expect(verifySignature({ keyType, publicKey: spki, message, signature })).toBe(expected);
    }
  });

  it("takes both s and n - s", () => {
    const message = randomBytes(32);
    const signature = Uint8Array.from(sign(hash, message, { key: privateKey, dsaEncoding: "ieee-p1363" }));
    const width = signature.length / 2;
    const s = BigInt(`0x${Buffer.from(signature.subarray(width)).toString("hex")}`);
    const other = signature.slice();
    other.set(Buffer.from((ORDERS[keyType] - s).toString(16).padStart(2 * width, "0"), "hex"), width);
    for (const candidate of [signature, other]) {
      expect(verifySignature({ keyType, publicKey: spki, message, signature: candidate })).toBe(true);
    }
  });

  it("is false for a signature in DER, of another width, of zeros, or of the order of the group", () => {
    const message = randomBytes(32);
    const der = Uint8Array.from(sign(hash, message, privateKey));
    const raw = ecdsaDerToRaw(der, keyType);
    const width = raw.length / 2;
    const order = Buffer.from(ORDERS[keyType].toString(16).padStart(2 * width, "0"), "hex");
    const zeroR = Uint8Array.from([...new Uint8Array(width), ...raw.subarray(width)]);
    const orderS = Uint8Array.from([...raw.subarray(0, width), ...order]);
    const candidates = [der, new Uint8Array(), raw.subarray(1), new Uint8Array(2 * width), zeroR, orderS];
    for (const signature of candidates) {
      expect(verifySignature({ keyType, publicKey: spki, message, signature })).toBe(false);
    }
  });
});

describe.each(["ed25519", "ed25519-nkey"] as const)("verifySignature, %s", (keyType) => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const spki = spkiOf(publicKey);

  it(`agrees with node:crypto on ${SIGNATURES} signatures, one in four of them damaged`, () => {
    for (let i = 0; i < SIGNATURES; i++) {
      const message = randomBytes(i % 200);
      const signature = Uint8Array.from(sign(null, message, privateKey));
      if (i % 4 === 3) damage(signature);
      const expected = verify(null, message, publicKey, signature);
      expect(expected).toBe(i % 4 !== 3);
      expect(verifySignature({ keyType, publicKey: spki, message, signature })).toBe(expected);
    }
  });

  it("is false for another width", () => {
    for (const length of [0, 63, 65]) {
      const signature = new Uint8Array(length);
      expect(verifySignature({ keyType, publicKey: spki, message: new Uint8Array(), signature })).toBe(false);
    }
  });
});

describe("verifySignature", () => {
  const spki = spkiOf(generateKeyPairSync("ed25519").publicKey);
  const rest = { publicKey: spki, message: new Uint8Array(), signature: new Uint8Array(64) };

  it("is false for every signature by a public key of small order", () => {
    // The neutral element: with R neutral and S zero the equation holds for any message.
    const neutral = Uint8Array.from([1, ...new Uint8Array(31)]);
    const publicKey = Uint8Array.from([...spki.subarray(0, 12), ...neutral]);
    const signature = Uint8Array.from([...neutral, ...new Uint8Array(32)]);
    expect(verifySignature({ ...rest, keyType: "ed25519", publicKey, signature })).toBe(false);
  });

  it("refuses a public key that is not one of the key type", () => {
    const code = "PUBLIC_KEY_MALFORMED";
    expect(() => verifySignature({ ...rest, keyType: "ecdsa-p256" })).toThrow(expect.objectContaining({ code }));
    const publicKey = new Uint8Array(44);
    expect(() => verifySignature({ ...rest, keyType: "ed25519", publicKey })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it("refuses a key type that does not sign here", () => {
    const refused = expect.objectContaining({ code: "UNSUPPORTED_ALGORITHM" });
    expect(() => verifySignature({ ...rest, keyType: "rsa-2048" })).toThrow(refused);
    expect(() => verifySignature({ ...rest, keyType: "aes-256-gcm" })).toThrow(refused);
  });

  it("refuses what is not bytes as a wrong argument", () => {
    const message = "text" as unknown as Uint8Array;
    expect(() => verifySignature({ ...rest, keyType: "ed25519", message })).toThrow(TypeError);
  });
});

/** FIPS 186-5 / SP 800-186 §3.2.1. */
const ORDERS = {
  "ecdsa-p256": 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  "ecdsa-p384": 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  "ecdsa-p521":
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
} as const;

function spkiOf(publicKey: KeyObject): Uint8Array {
  return Uint8Array.from(publicKey.export({ type: "spki", format: "der" }));
}

/** Flips one bit anywhere. */
function damage(signature: Uint8Array): void {
  const [at, bit] = [randomBytes(2).readUInt16BE() % signature.length, randomBytes(1)[0]! % 8];
  signature[at]! ^= 1 << bit;
}
