import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isBackendError } from "./errors.js";
import { rawToSpki, spkiKeyType, spkiToRaw } from "./spki.js";
import { verifySignature } from "./verify-signature.js";

const KEYS = [
  { keyType: "ed25519", bytes: 32, spkiBytes: 44, pair: () => generateKeyPairSync("ed25519") },
  { keyType: "ecdsa-p256", bytes: 65, spkiBytes: 91, pair: () => generateKeyPairSync("ec", { namedCurve: "P-256" }) },
  { keyType: "ecdsa-p384", bytes: 97, spkiBytes: 120, pair: () => generateKeyPairSync("ec", { namedCurve: "P-384" }) },
  { keyType: "ecdsa-p521", bytes: 133, spkiBytes: 158, pair: () => generateKeyPairSync("ec", { namedCurve: "P-521" }) },
] as const;

const refusal = expect.objectContaining({ name: "BackendError", code: "PUBLIC_KEY_MALFORMED" });

describe.each(KEYS)("SPKI, $keyType", ({ keyType, bytes, spkiBytes, pair }) => {
  it("agrees with node:crypto in both directions", () => {
    for (let i = 0; i < 20; i++) {
      const { publicKey } = pair();
      const spki = spkiOf(publicKey);
      const raw = spkiToRaw(spki, keyType);
      expect(spki).toHaveLength(spkiBytes);
      expect(raw).toHaveLength(bytes);
      expect(Buffer.from(raw).equals(rawOf(publicKey))).toBe(true);
      expect(rawToSpki(raw, keyType)).toEqual(spki);
      expect(spkiKeyType(spki)).toBe(keyType);
    }
  });

  it("refuses or reads whatever one damaged byte, a cut or an appended byte makes of it, and never differs from node:crypto", () => {
    const keys = Array.from({ length: 8 }, () => spkiOf(pair().publicKey));
    const damaged = fc
      .record({
        spki: fc.constantFrom(...keys),
        at: fc.nat(spkiBytes - 1),
        byte: fc.nat(255),
        cut: fc.constantFrom(0, 0, 1, 2),
        tail: fc.nat(1),
      })
      .map(({ spki, at, byte, cut, tail }) => {
        const out = Uint8Array.from([...spki.subarray(0, spki.length - cut), ...new Uint8Array(tail)]);
        out[Math.min(at, out.length - 1)] = byte;
        return out;
      });
    const seen = new Set<string>();
    fc.assert(
      // Of an elliptic curve nearly every damaged key is refused.
      fc.property(fc.oneof({ weight: 3, arbitrary: damaged }, fc.constantFrom(...keys)), (candidate) => {
        const raw = attempt(() => spkiToRaw(candidate, keyType));
        seen.add(raw === undefined ? "refused" : "read");
        if (raw === undefined) return;
        const read = createPublicKey({ key: Buffer.from(candidate), type: "spki", format: "der" });
        expect(Buffer.from(raw).equals(rawOf(read))).toBe(true);
        expect(rawToSpki(raw, keyType)).toEqual(candidate);
      }),
      { numRuns: 300 },
    );
    expect(seen).toEqual(new Set(["refused", "read"]));
  });

  it("refuses a key of every other type", () => {
    const spki = spkiOf(pair().publicKey);
    for (const other of KEYS) {
      if (other.keyType !== keyType) expect(() => spkiToRaw(spki, other.keyType)).toThrow(refusal);
    }
  });

  it("refuses a width that is not the key type's", () => {
    for (const length of [0, bytes - 1, bytes + 1]) {
      expect(() => rawToSpki(new Uint8Array(length).fill(4), keyType)).toThrow(refusal);
    }
  });
});

describe("Ed25519 keys of small order", () => {
  const prefix = Buffer.from("302a300506032b6570032100", "hex");
  // The eight points of order 1, 2, 4 and 8 in their canonical encodings (RFC 7748 §6 names their u coordinates).
  const points = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  ];

  it.each(points)("rawToSpki, spkiToRaw and spkiKeyType refuse %s, and verifySignature answers false", (hex) => {
    const raw = new Uint8Array(Buffer.from(hex, "hex"));
    const spki = new Uint8Array(Buffer.concat([prefix, raw]));
    expect(() => rawToSpki(raw, "ed25519")).toThrow(/small order/);
    expect(() => rawToSpki(raw, "ed25519-nkey")).toThrow(refusal);
    expect(() => spkiToRaw(spki, "ed25519")).toThrow(refusal);
    expect(() => spkiKeyType(spki)).toThrow(refusal);
    for (const signature of [new Uint8Array(64), Uint8Array.from([...raw, ...new Uint8Array(32)])]) {
      const message = new Uint8Array([1]);
      expect(verifySignature({ keyType: "ed25519", publicKey: spki, message, signature })).toBe(false);
    }
  });
});

describe("spkiToRaw", () => {
  const ed = spkiOf(generateKeyPairSync("ed25519").publicKey);
  const p256 = spkiOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey);

  it("reads an Ed25519 key as an ed25519-nkey, which only the catalog tells apart", () => {
    expect(spkiToRaw(ed, "ed25519-nkey")).toEqual(spkiToRaw(ed, "ed25519"));
    expect(rawToSpki(ed.subarray(12), "ed25519-nkey")).toEqual(ed);
  });

  it.each([
    ["parameters with Ed25519", "302c300706032b65700500032100"],
    ["an X25519 key", "302a300506032b656e032100"],
    ["unused bits in the bit string", "302a300506032b6570032101"],
  ])("refuses %s", (_, prefix) => {
    const candidate = Uint8Array.from([...Buffer.from(prefix, "hex"), ...ed.subarray(12)]);
    expect(() => spkiToRaw(candidate, "ed25519")).toThrow(refusal);
  });

  it("refuses a compressed point, a point off the curve and the point at infinity", () => {
    const x = p256.subarray(27, 59);
    const compressed = Uint8Array.of(
      ...Buffer.from("3039301306072a8648ce3d020106082a8648ce3d030107032200", "hex"),
      2,
      ...x,
    );
    const off = p256.slice();
    off[90]! ^= 1;
    const infinity = Uint8Array.of(...Buffer.from("3019301306072a8648ce3d020106082a8648ce3d030107030200", "hex"), 0);
    for (const candidate of [compressed, off, infinity]) {
      expect(() => spkiToRaw(candidate, "ecdsa-p256")).toThrow(refusal);
    }
    expect(() => rawToSpki(off.subarray(26), "ecdsa-p256")).toThrow(refusal);
  });

  it("refuses 32 bytes that are no point of Edwards25519", () => {
    // 2^255 - 1: a y coordinate that is not reduced.
    const y = new Uint8Array(32).fill(0xff);
    expect(() => rawToSpki(y, "ed25519")).toThrow(refusal);
  });

  it("refuses secp256k1, RSA and X25519 keys", () => {
    const others = [
      generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey,
      generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey,
      generateKeyPairSync("x25519").publicKey,
    ];
    for (const publicKey of others) expect(() => spkiKeyType(spkiOf(publicKey))).toThrow(refusal);
  });

  it("refuses a key type that is not a curve's by its own code", () => {
    const refused = expect.objectContaining({ code: "UNSUPPORTED_ALGORITHM", details: { keyType: "rsa-2048" } });
    expect(() => spkiToRaw(ed, "rsa-2048")).toThrow(refused);
    expect(() => rawToSpki(ed, "rsa-2048")).toThrow(refused);
  });

  it("gives a copy, of a Buffer too", () => {
    for (const given of [ed, Buffer.from(ed)]) {
      const raw = spkiToRaw(given, "ed25519");
      expect(Buffer.isBuffer(raw)).toBe(false);
      raw.fill(0);
      expect(Buffer.compare(given, ed)).toBe(0);
    }
  });

  it("refuses what is not bytes as a wrong argument", () => {
    expect(() => spkiToRaw("302a" as unknown as Uint8Array, "ed25519")).toThrow(TypeError);
    expect(() => spkiKeyType([] as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => rawToSpki(undefined as unknown as Uint8Array, "ed25519")).toThrow(TypeError);
  });
});

function spkiOf(publicKey: KeyObject): Uint8Array {
  return Uint8Array.from(publicKey.export({ type: "spki", format: "der" }));
}

function rawOf(publicKey: KeyObject): Buffer {
  const { x, y } = publicKey.export({ format: "jwk" });
  const coordinates = [x, y].filter((text) => text !== undefined).map((text) => Buffer.from(text, "base64url"));
  return Buffer.concat(y === undefined ? coordinates : [Buffer.of(4), ...coordinates]);
}

function attempt(read: () => Uint8Array): Uint8Array | undefined {
  try {
    return read();
  } catch (error) {
    if (isBackendError(error) && error.code === "PUBLIC_KEY_MALFORMED") return undefined;
    throw error;
  }
}
