import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeSignaturePublic } from "./signature-key.js";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const PREFIXES = { A: 0x00, C: 0x10, N: 0x68, O: 0x70, U: 0xa0, X: 0xb8 } as const;

/** Encodes as the NKey format states it, bit by bit. */
function encodeNkey(prefix: number, key: Uint8Array): string {
  const body = [prefix, ...key];
  let crc = 0;
  for (const byte of body) {
    for (let bit = 7; bit >= 0; bit--) {
      const top = (crc >> 15) & 1;
      crc = (crc << 1) & 0xffff;
      if (top !== ((byte >> bit) & 1)) crc ^= 0x1021;
    }
  }
  const bits = [...body, crc & 0xff, crc >> 8].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits
    .match(/.{5}/g)!
    .map((five) => BASE32[Number.parseInt(five, 2)])
    .join("");
}

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe("decodeSignaturePublic", () => {
  it("reads 32 bytes of base64url, and only the one text for them (§2.3)", () => {
    fc.assert(
      fc.property(key, (bytes) => {
        const text = Buffer.from(bytes).toString("base64url");
        expect(decodeSignaturePublic("ed25519", text)).toEqual(bytes);
        expect(decodeSignaturePublic("ed25519", `${text}=`)).toBeUndefined();
        const next = String.fromCharCode(text.charCodeAt(42) + 1);
        expect(decodeSignaturePublic("ed25519", text.slice(0, 42) + next)).toBeUndefined();
      }),
    );
  });

  it("reads an NKey of every role letter (§2.3)", () => {
    fc.assert(
      fc.property(key, fc.constantFrom(...(Object.keys(PREFIXES) as (keyof typeof PREFIXES)[])), (bytes, role) => {
        const text = encodeNkey(PREFIXES[role], bytes);
        expect(text).toMatch(new RegExp(`^${role}[A-Z2-7]{55}$`));
        expect(decodeSignaturePublic("nats-nkey", text)).toEqual(bytes);
      }),
    );
  });

  it("refuses an NKey with any character changed (§2.3)", () => {
    fc.assert(
      fc.property(key, fc.nat(55), fc.nat(31), (bytes, at, other) => {
        const text = encodeNkey(PREFIXES.U, bytes);
        const changed = text.slice(0, at) + BASE32[other] + text.slice(at + 1);
        if (changed !== text) expect(decodeSignaturePublic("nats-nkey", changed)).toBeUndefined();
      }),
    );
  });

  it.for(["S", "P", "B", "Z"])("refuses the prefix of %s", (letter) => {
    const bytes = createHash("sha256").update(letter).digest();
    expect(decodeSignaturePublic("nats-nkey", encodeNkey(BASE32.indexOf(letter) << 3, bytes))).toBeUndefined();
  });

  it("reads no key of one algorithm as one of the other", () => {
    const bytes = new Uint8Array(32);
    expect(decodeSignaturePublic("nats-nkey", Buffer.from(bytes).toString("base64url"))).toBeUndefined();
    expect(decodeSignaturePublic("ed25519", encodeNkey(PREFIXES.U, bytes))).toBeUndefined();
  });
});
