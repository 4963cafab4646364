import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareNames } from "./compare-names.js";

describe("compareNames", () => {
  it("orders as the UTF-8 bytes do (§0)", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
        expect(Math.sign(compareNames(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  it("orders dots before digits before underscores before letters (§0)", () => {
    expect(["ab", "a_b", "a0b", "a.b"].sort(compareNames)).toEqual(["a.b", "a0b", "a_b", "ab"]);
  });
});
