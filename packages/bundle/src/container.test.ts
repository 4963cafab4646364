import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { ClearPart } from "./clear-part.js";
import { decodeContainer, encodeContainer, encodePrefix } from "./container.js";
import { LIMITS } from "./limits.js";
import { encodeToken } from "./token.js";

const clear: ClearPart = {
  bundleId: encodeToken(new Uint8Array(16)),
  createdAt: "2026-01-02T03:04:05Z",
  epoch: 3,
  slots: [
    {
      id: 0,
      method: "passphrase",
      label: "passphrase",
      createdAt: "2026-01-02T03:04:05Z",
      parameters: [],
      wrapped: "AAAA",
    },
  ],
  deposits: { recipient: null, contributors: [], promoted: [] },
};
const parts = {
  prefix: encodePrefix(clear),
  clearTag: new Uint8Array(32).fill(1),
  nonce: new Uint8Array(12).fill(2),
  ciphertext: new Uint8Array(20).fill(3),
};
const withDigest = (body: Uint8Array) => Buffer.concat([body, createHash("sha256").update(body).digest()]);
const clearText = JSON.stringify(clear);
const framed = (text: string, version = 1) => {
  const head = Buffer.alloc(14);
  head.write("BASILBDL");
  head.writeUInt16BE(version, 8);
  head.writeUInt32BE(Buffer.byteLength(text), 10);
  return withDigest(Buffer.concat([head, Buffer.from(text), Buffer.alloc(32 + 12 + 16)]));
};

describe("the container", () => {
  it("comes back as it was written, in the documented order", () => {
    const file = encodeContainer(parts);
    expect(decodeContainer(file)).toEqual({ clear, ...parts });
    expect(Buffer.from(file.subarray(0, 14)).toString("latin1", 0, 8)).toBe("BASILBDL");
    expect(Buffer.from(file).readUInt32BE(10)).toBe(clearText.length);
  });

  it.each<[string, Uint8Array, string]>([
    ["nothing", new Uint8Array(), "NOT_A_BUNDLE"],
    ["one wrong magic byte", withDigest(Buffer.from("BASILBDM\0\x01")), "NOT_A_BUNDLE"],
    ["a file that ends after the magic", Buffer.from("BASILBDL"), "DAMAGED"],
    ["a file that ends inside the length", Buffer.from("BASILBDL\0\x01\0\0", "latin1"), "DAMAGED"],
    ["a file without a digest", Buffer.from("BASILBDL\0\x01\0\0\0\0", "latin1"), "DAMAGED"],
    ["a digest that does not match", Buffer.concat([encodeContainer(parts).subarray(0, -1), Buffer.of(0)]), "DAMAGED"],
    ["another version", framed(clearText, 2), "UNSUPPORTED_VERSION"],
    ["a length past the end", withDigest(Buffer.from("BASILBDL\0\x01\xff\xff\xff\xff", "latin1")), "MALFORMED"],
    ["a file over the limit", new Uint8Array(LIMITS.bundleBytes + 1), "LIMIT"],
    ["a clear part that is not JSON", framed("{"), "MALFORMED"],
    ["a clear part that is not an object", framed("[]"), "MALFORMED"],
    ["white space in the clear part", framed(`${clearText} `), "MALFORMED"],
    ["a member given twice", framed(clearText.replace("{", '{"epoch":3,')), "MALFORMED"],
    ["an unknown member", framed(clearText.replace("{", '{"more":1,')), "MALFORMED"],
    [
      "members in another order",
      framed(JSON.stringify(Object.fromEntries(Object.entries(clear).reverse()))),
      "MALFORMED",
    ],
    ["an epoch of zero", framed(clearText.replace('"epoch":3', '"epoch":0')), "MALFORMED"],
    ["an epoch with a fraction", framed(clearText.replace('"epoch":3', '"epoch":3.0')), "MALFORMED"],
    ["no slots", framed(JSON.stringify({ ...clear, slots: [] })), "MALFORMED"],
    ["a label with a line break", framed(clearText.replace('"label":"p', '"label":"\\n')), "MALFORMED"],
    ["a token with padding", framed(clearText.replace('"AAAA"', '"AAA="')), "MALFORMED"],
    ["a token in another spelling", framed(clearText.replace('"AAAA"', '"AB"')), "MALFORMED"],
  ])("refuses %s", (_what, file, code) => {
    expect(() => decodeContainer(file)).toThrow(expect.objectContaining({ code }));
  });

  it("refuses to write a clear part it would refuse to read", () => {
    expect(() => encodePrefix({ ...clear, epoch: 0 })).toThrow(expect.objectContaining({ code: "MALFORMED" }));
  });
});
