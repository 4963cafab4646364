import { createPublicKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { promisify } from "node:util";
import { DER } from "@noble/curves/abstract/der.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ecdsaDerToRaw, ecdsaRawToDer } from "./ecdsa-signature.js";
import { isBackendError } from "./errors.js";

const SIGNATURES = 10_000;
const CURVES = [
  { keyType: "ecdsa-p256", width: 32, namedCurve: "P-256" },
  { keyType: "ecdsa-p384", width: 48, namedCurve: "P-384" },
  { keyType: "ecdsa-p521", width: 66, namedCurve: "P-521" },
] as const;

const refusal = expect.objectContaining({ name: "BackendError", code: "SIGNATURE_MALFORMED" });

describe.each(CURVES)("DER ⇄ raw, $keyType", ({ keyType, width, namedCurve }) => {
  it(`gives back the bytes of ${SIGNATURES} signatures that node:crypto made`, async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve });
    // Off the loop, so that the cores share the work of signing.
    const signOne = promisify(sign);
    let left = SIGNATURES;
    const lane = async (): Promise<void> => {
      while (left-- > 0) {
        const der = await signOne("sha256", randomBytes(32), privateKey);
        const raw = ecdsaDerToRaw(der, keyType);
        if (raw.length !== 2 * width) expect(raw).toHaveLength(2 * width);
        const back = Buffer.from(ecdsaRawToDer(raw, keyType));
        if (!back.equals(der)) expect(back.toString("hex")).toBe(der.toString("hex"));
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
    expect(left).toBeLessThan(0);
  }, 300_000);

  it(`agrees with node:crypto on the integers of ${SIGNATURES} random signatures`, () => {
    for (let i = 0; i < SIGNATURES; i++) {
      const [r, s] = [randomInteger(width), randomInteger(width)];
      const raw = Buffer.concat([r, s]);
      const der = Buffer.from(ecdsaRawToDer(raw, keyType));
      // RSAPublicKey (RFC 8017 §A.1.1) is SEQUENCE { INTEGER, INTEGER } too, so node:crypto reads and writes this DER.
      const jwk = { kty: "RSA", n: r.toString("base64url"), e: s.toString("base64url") };
      const encoded = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "pkcs1", format: "der" });
      const decoded = createPublicKey({ key: der, type: "pkcs1", format: "der" }).export({ format: "jwk" });
      if (!encoded.equals(der)) expect(der.toString("hex")).toBe(encoded.toString("hex"));
      const back = Buffer.from(ecdsaDerToRaw(encoded, keyType));
      const halves = [decoded.n, decoded.e].map((text) => padded(Buffer.from(String(text), "base64url"), width));
      if (!back.equals(Buffer.concat(halves))) expect(back.toString("hex")).toBe(Buffer.concat(halves).toString("hex"));
      if (!back.equals(raw)) expect(back.toString("hex")).toBe(raw.toString("hex"));
    }
  });

  it("accepts exactly the bytes that noble's DER accepts, for signatures damaged anywhere", () => {
    const damaged = fc
      .record({
        raw: fc.uint8Array({ minLength: 2 * width, maxLength: 2 * width }),
        at: fc.nat(),
        byte: fc.nat(255),
        cut: fc.constantFrom(0, 0, 0, 1, 2),
      })
      .map(({ raw, at, byte, cut }) => {
        const der = ecdsaRawToDer(raw, keyType);
        der[at % der.length] = byte;
        return der.subarray(0, der.length - cut);
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 160 })), (der) => {
        expect(attempt(() => ecdsaDerToRaw(der, keyType))).toEqual(attempt(() => nobleDerToRaw(der, width)));
      }),
      { numRuns: 2000 },
    );
  });

  it("keeps values that no signature can have, for the verification to refuse", () => {
    for (const fill of [0x00, 0xff]) {
      const raw = new Uint8Array(2 * width).fill(fill);
      expect(ecdsaDerToRaw(ecdsaRawToDer(raw, keyType), keyType)).toEqual(raw);
    }
  });

  it.each([0, 1, width, 2 * width - 1, 2 * width + 1, 4 * width])("refuses a raw signature of %i bytes", (length) => {
    expect(() => ecdsaRawToDer(new Uint8Array(length), keyType)).toThrow(refusal);
  });
});

describe("ecdsaDerToRaw", () => {
  it.each([
    ["nothing", ""],
    ["a tag alone", "30"],
    ["a set instead of a sequence", "3106020101020101"],
    ["an indefinite length", "30800201010201010000"],
    ["a long length where a short one fits", "308106020101020101"],
    ["a length of two octets where one fits", "30820006020101020101"],
    ["a length of five octets", "308500000000060201010201 01"],
    ["a length that says more than there is", "3007020101020101"],
    ["a length that says less than there is", "3005020101020101"],
    ["a byte behind the sequence", "300602010102010100"],
    ["a byte behind s", "300702010102010100"],
    ["r alone", "3003020101"],
    ["no r and s", "3000"],
    ["a third integer", "3009020101020101020101"],
    ["an empty integer", "30050200020101"],
    ["a negative r", "3006020181020101"],
    ["the smallest negative r", "3006020180020101"],
    ["a negative s", "30060201010201ff"],
    ["an r padded with a zero", "300702020001020101"],
    ["the largest r of one byte, padded with a zero", "30070202007f020101"],
    ["a zero padded with a zero", "300702020000020101"],
    ["an octet string instead of an integer", "3006040101020101"],
    ["a long length inside", "300702810101020101"],
    ["an r that reaches past the sequence", "3006020401020101"],
  ])("refuses %s", (_, text) => {
    const der = Buffer.from(text.replaceAll(" ", ""), "hex");
    expect(() => ecdsaDerToRaw(der, "ecdsa-p256")).toThrow(refusal);
  });

  it("refuses an integer one byte wider than the curve", () => {
    const der = ecdsaRawToDer(new Uint8Array(96).fill(0xff), "ecdsa-p384");
    expect(() => ecdsaDerToRaw(der, "ecdsa-p256")).toThrow(refusal);
  });

  it("takes the long form of a length exactly when P-521 needs it", () => {
    const long = ecdsaRawToDer(new Uint8Array(132).fill(0xff), "ecdsa-p521");
    expect(long.subarray(0, 3)).toEqual(Uint8Array.of(0x30, 0x81, 138));
    expect(long).toHaveLength(141);
    expect(ecdsaDerToRaw(long, "ecdsa-p521")).toHaveLength(132);
  });

  it("reads and writes the smallest r that needs a sign byte", () => {
    const der = Buffer.from("300702020080020101", "hex");
    const raw = ecdsaDerToRaw(der, "ecdsa-p256");
    expect(raw[31]).toBe(0x80);
    expect(Buffer.from(ecdsaRawToDer(raw, "ecdsa-p256"))).toEqual(der);
  });

  it.each([126, 127, 128, 129])("reads and writes a sequence of %i bytes with one form of its length", (length) => {
    // 68 bytes of r, the rest of s.
    const width = length - 68 - 2;
    const raw = new Uint8Array(132).fill(0x11, 0, 66).fill(0x11, 132 - width);
    const header = length < 128 ? [0x30, length] : [0x30, 0x81, length];
    const content = [0x02, 66, ...raw.subarray(0, 66), 0x02, width, ...raw.subarray(132 - width)];
    expect(ecdsaRawToDer(raw, "ecdsa-p521")).toEqual(Uint8Array.from([...header, ...content]));
    expect(ecdsaDerToRaw(Uint8Array.from([...header, ...content]), "ecdsa-p521")).toEqual(raw);
    const other = length < 128 ? [0x30, 0x81, length] : [0x30, 0x82, 0, length];
    expect(() => ecdsaDerToRaw(Uint8Array.from([...other, ...content]), "ecdsa-p521")).toThrow(refusal);
  });

  it.each(["ed25519", "rsa-2048", "aes-256-gcm"] as const)("refuses the key type %s by its own code", (keyType) => {
    const refused = expect.objectContaining({ code: "UNSUPPORTED_ALGORITHM", details: { keyType } });
    expect(() => ecdsaDerToRaw(new Uint8Array(8), keyType)).toThrow(refused);
    expect(() => ecdsaRawToDer(new Uint8Array(64), keyType)).toThrow(refused);
  });

  it("refuses what is not bytes as a wrong argument", () => {
    expect(() => ecdsaDerToRaw("30" as unknown as Uint8Array, "ecdsa-p256")).toThrow(TypeError);
    expect(() => ecdsaRawToDer([] as unknown as Uint8Array, "ecdsa-p256")).toThrow(TypeError);
  });

  it("gives bytes of its own, and leaves the input alone", () => {
    const der = ecdsaRawToDer(new Uint8Array(64).fill(7), "ecdsa-p256");
    const before = der.slice();
    ecdsaDerToRaw(der, "ecdsa-p256").fill(0);
    expect(der).toEqual(before);
  });
});

/** Uniform, with every eighth value short, so that padding and sign bytes are met often. Odd and over 1, as a modulus is. */
function randomInteger(width: number): Buffer {
  const bytes = randomBytes(width);
  const zeros = bytes[width - 1]! % 8 === 0 ? bytes[0]! % (width - 1) : 0;
  bytes.fill(0, 0, zeros);
  bytes[width - 1]! |= 3;
  return bytes;
}

function padded(magnitude: Buffer, width: number): Buffer {
  return Buffer.concat([Buffer.alloc(width - magnitude.length), magnitude]);
}

function nobleDerToRaw(der: Uint8Array, width: number): Uint8Array {
  const { r, s } = DER.toSig(der);
  const halves = [r, s].map((value) => value.toString(16).padStart(2 * width, "0"));
  if (halves.some((half) => half.length > 2 * width)) throw new Error("too wide");
  return Uint8Array.from(Buffer.from(halves.join(""), "hex"));
}

/** The bytes, or "refused"; a failure that is not a coded refusal of the function under test stays a failure. */
function attempt(convert: () => Uint8Array): string {
  try {
    return Buffer.from(convert()).toString("hex");
  } catch (error) {
    if (isBackendError(error) && error.code !== "SIGNATURE_MALFORMED") throw error;
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    return "refused";
  }
}
