import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { durationMs, isDuration, isKeyName, KEY_NAME } from "./grammar.js";

describe("isKeyName", () => {
  it("agrees with the pattern the JSON Schema holds (§1.4)", () => {
    const texts = fc.string({ unit: fc.constantFrom("a", "z", "0", "9", "_", ".", "-", "A", "é", "\n"), maxLength: 8 });
    fc.assert(
      fc.property(texts, (text) => {
        expect(isKeyName(text)).toBe(KEY_NAME.test(text));
      }),
      { numRuns: 5000 },
    );
  });

  it("has no length limit (§1.4)", () => {
    expect(isKeyName("a.".repeat(8_000_000))).toBe(false);
    expect(isKeyName(`${"a.".repeat(8_000_000)}a`)).toBe(true);
  });
});

describe("isDuration", () => {
  it("answers in bounded time on a huge text", () => expect(isDuration("1h".repeat(5_000_000))).toBe(false));
});

describe("durationMs", () => {
  it.for([
    ["8760h", 31_536_000_000],
    ["1h30m", 5_400_000],
    ["1.5s", 1500],
    ["250ms", 250],
    ["10us", 0.01],
    ["10µs", 0.01],
  ] as const)("reads %s", ([text, milliseconds]) => expect(durationMs(text)).toBeCloseTo(milliseconds, 9));

  it("reads what isDuration takes as a time that is more than nothing, and nothing else", () => {
    const texts = fc.string({
      unit: fc.constantFrom("0", "1", "9", ".", "n", "u", "µ", "m", "s", "h", " "),
      maxLength: 9,
    });
    fc.assert(
      fc.property(fc.oneof(texts, fc.string()), (text) => {
        if (isDuration(text)) expect(durationMs(text)).toBeGreaterThan(0);
        else expect(() => durationMs(text)).toThrow(TypeError);
      }),
      { numRuns: 5000 },
    );
  });

  it.for(["", "0h", "1", "1d", "-1h", "1h ", "8760 h"])("refuses %j by name", (text) => {
    expect(() => durationMs(text)).toThrow(`${JSON.stringify(text)} is not a duration`);
  });
});
