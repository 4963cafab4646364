import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeBinaryValue, percentEncode } from "./grpc-status.js";

describe("percentEncode", () => {
  it("writes printable ASCII alone, and decodes to the same text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const encoded = percentEncode(text);
        expect(encoded).toMatch(/^[ -~]*$/);
        expect(decodeURIComponent(encoded)).toBe(text.toWellFormed());
      }),
    );
  });
});

describe("encodeBinaryValue", () => {
  it("is base64 without padding", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const value = encodeBinaryValue(bytes);
        expect(value).not.toContain("=");
        expect(new Uint8Array(Buffer.from(value, "base64"))).toEqual(bytes);
      }),
    );
  });
});
