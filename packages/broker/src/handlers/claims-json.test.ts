import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readClaims, sortedJson } from "./claims-json.js";

const read = (text: string) => readClaims(new TextEncoder().encode(text));
const nested = (levels: number, inside = "1") => `${'{"a":'.repeat(levels)}${inside}${"}".repeat(levels)}`;
const TEXTS = ['"', "\\", "[{", "]}", '\\"', '"[', "a"];

describe("readClaims", () => {
  it("reads what JSON.parse reads, whatever brackets, quotes and backslashes stand in strings", () => {
    const text = fc.array(fc.constantFrom(...TEXTS), { maxLength: 8 }).map((parts) => parts.join(""));
    // Names without an escape: V8 may read another name for one that begins with it (nodejs/node#63785).
    const name = fc.array(fc.constantFrom("[{", "]}", "[", "a"), { maxLength: 8 }).map((parts) => parts.join(""));
    const document = fc.dictionary(name, fc.oneof(text, fc.array(text), fc.boolean(), fc.constant(null), fc.integer()));
    fc.assert(
      fc.property(document, (members) => {
        expect(JSON.parse(sortedJson(read(JSON.stringify(members))))).toEqual(members);
      }),
    );
  });

  it("takes 64 levels and no more, and counts none that stand in a string", () => {
    const brackets = JSON.stringify('["[{'.repeat(100));
    expect(sortedJson(read(nested(64, brackets)))).toBe(nested(64, brackets));
    expect(() => read(nested(65))).toThrow(SyntaxError);
    expect(() => read(nested(64, "[]"))).toThrow(SyntaxError);
  });

  it("refuses more than 1,024 members and elements of all levels before it parses them", () => {
    const members = (count: number) => `{${Array.from({ length: count }, (_, n) => `"${n}":1`).join(",")}}`;
    expect(Object.keys(read(members(1024)))).toHaveLength(1024);
    expect(() => read(members(1025))).toThrow("more than 1024 members");
    expect(() => read(`{"a":[${"1,".repeat(1024)}`)).toThrow("more than 1024 members");
    expect(() => read(`{"a":[${"{},".repeat(600)}{}]}`)).toThrow("more than 1024 members");
    expect(read(`{"a":"${",{[".repeat(2000)}"}`)).toEqual({ a: ",{[".repeat(2000) });
  });

  it("refuses a string without an end in one pass, however many quotes are escaped in it", () => {
    expect(() => read(`"${'\\"'.repeat(500_000)}`)).toThrow(SyntaxError);
    expect(() => read(`{"a":"${'\\"'.repeat(500_000)}`)).toThrow(SyntaxError);
  });
});
