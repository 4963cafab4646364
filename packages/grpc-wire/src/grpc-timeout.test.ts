import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTimeout } from "./grpc-timeout.js";

describe("parseTimeout", () => {
  it.for([
    ["1H", 3_600_000],
    ["2M", 120_000],
    ["3S", 3000],
    ["4m", 4],
    ["1500u", 2],
    ["1n", 1],
    ["0S", 0],
    ["99999999H", 359_999_996_400_000],
  ] as const)("reads %s", ([text, ms]) => {
    expect(parseTimeout(text)).toBe(ms);
  });

  it("reads one to eight digits and a unit, and nothing else", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9]{0,10}[HMSmunx]?$/)), (text) => {
        expect(parseTimeout(text) !== undefined).toBe(/^[0-9]{1,8}[HMSmun]$/.test(text));
      }),
    );
  });
});
