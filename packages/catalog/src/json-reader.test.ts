import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonValue, MAX_JSON_DEPTH, MAX_JSON_LENGTH, readJson } from "./json-reader.js";
import { type Refusal, RefusalList } from "./refusal.js";

function read(source: string | Uint8Array): { value: JsonValue | undefined; refusals: Refusal<"Json">[] } {
  const refusals = new RefusalList<"Json">();
  return { value: readJson(source, refusals), refusals: refusals.items };
}

const bytes = (...codes: number[]) => Uint8Array.from(codes);
const utf8 = (text: string) => new TextEncoder().encode(text);

describe("readJson", () => {
  it("agrees with JSON.parse on every value whose numbers are integers", () => {
    const integers = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }).map((n) => n + 0);
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constant(null),
        fc.boolean(),
        integers,
        fc.string({ unit: "binary" }),
        tie("array"),
        tie("object"),
      ),
      array: fc.array(tie("value")),
      object: fc.dictionary(fc.string({ unit: "grapheme" }), tie("value")),
    }));
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1, "\t", " \r\n"), (expected, space) => {
        const text = JSON.stringify(expected, null, space === " \r\n" ? 2 : space);
        expect(JSON.stringify(read(text).value)).toBe(JSON.stringify(expected));
        expect(JSON.stringify(read(utf8(text)).value)).toBe(JSON.stringify(expected));
        expect(read(text).refusals).toEqual([]);
      }),
    );
  });

  it("never takes a text that JSON.parse refuses, whatever the text", () => {
    const characters = fc.constantFrom(...'{}[]:,"\\/bfnrtu0123456789+-.eE \n\ttruefalsenull_é\u0000\ud83d\ude00');
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: characters, maxLength: 30 }), fc.string({ unit: "binary" })), (text) => {
        const { value, refusals } = read(text);
        if (refusals.length > 0) return;
        expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 2000 },
    );
  });

  it("reads or refuses any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (source) => {
        const { value, refusals } = read(source);
        expect(value === undefined ? refusals.length : 1).toBe(1);
      }),
    );
  });

  it.for([
    ["a byte order mark (bytes)", bytes(0xef, 0xbb, 0xbf, 0x7b, 0x7d), "the document: begins with a byte order mark"],
    ["a byte order mark (text)", "\ufeff{}", "the document: begins with a byte order mark"],
    ["an overlong encoding", bytes(0x22, 0xc0, 0xaf, 0x22), "not valid UTF-8"],
    ["an encoded surrogate", bytes(0x22, 0xed, 0xa0, 0x80, 0x22), "not valid UTF-8"],
    ["a cut sequence", bytes(0x22, 0xe2, 0x82, 0x22), "not valid UTF-8"],
    ["an unpaired surrogate in the text", '"\ud800"', "holds an unpaired surrogate"],
    ["an unpaired surrogate escape", '"\\ud800"', "a string holds an unpaired surrogate"],
    ["a reversed surrogate pair", '"\\udc00\\ud800"', "a string holds an unpaired surrogate"],
    ["nothing", "", "line 1, column 1: not a JSON value; found the end of the document"],
    ["data after the value", "{} {}", "line 1, column 4: text after the end of the document"],
    ["a comment", "{} // x", "text after the end of the document"],
    ["a trailing comma in an object", '{"a":1,}', "line 1, column 8: a member name is missing"],
    ["a trailing comma in an array", "[1,]", "line 1, column 4: not a JSON value"],
    ["a name without quotes", "{a:1}", "a member name is missing"],
    ["single quotes", "{'a':1}", "a member name is missing"],
    ["no colon", '{"a" 1}', 'a member has no value; found "1"'],
    ["no comma", "[1\n 2]", "line 2, column 2: a separator is missing"],
    ["an open string", '"abc', "a string does not end; found the end of the document"],
    ["a line break in a string", '"a\nb"', "a string does not end"],
    ["an unknown escape", '"\\x41"', "an unknown escape"],
    ["a short escape", '"\\u12g4"', "a malformed escape"],
    ["a plus sign", "+1", "not a JSON value"],
    ["a leading zero", "01", "not a JSON value"],
    ["a bare fraction", ".5", "not a JSON value"],
    ["hexadecimal", "0x10", "text after the end of the document"],
    ["NaN", "NaN", "not a JSON value"],
    ["a number of 65 characters", "1".repeat(65), "a number is too long"],
    ["an unfinished word", "tru", "not a JSON value"],
  ] as const)("refuses %s", ([, source, message]) => {
    const { value, refusals } = read(source);
    expect(value).toBeUndefined();
    expect(refusals).toHaveLength(1);
    expect(refusals[0]!.message).toContain(message);
  });

  it.for(["1.0", "1e0", "1E2", "-0", "0.5", "10e-1"])(
    "tells that %s is not written as an integer, and reads on",
    (literal) => {
      const { value, refusals } = read(`{"a":{"b":[7,${literal}]},"c":1}`);
      expect(value).toMatchObject({ c: 1 });
      expect(refusals).toMatchObject([{ pointer: "/a/b/1", found: literal }]);
      expect(refusals[0]!.message).toContain("line 1, column 14: not written as an integer");
    },
  );

  it("tells every repeated member, keeps the first, and reads on", () => {
    const { value, refusals } = read('{"a":1,\n"b":{"x~/":1,"x~/":2},\n"a":{"a":1,"\\u0061":2}}');
    expect(value).toEqual(
      Object.assign(Object.create(null), { a: 1, b: Object.assign(Object.create(null), { "x~/": 1 }) }),
    );
    expect(refusals.map(({ pointer, message }) => [pointer, /line \d+/.exec(message)?.[0]])).toEqual([
      ["/b/x~0~1", "line 2"],
      ["/a", "line 3"],
      ["/a/a", "line 3"],
    ]);
  });

  it("holds __proto__, constructor and toString as members like any other", () => {
    const { value } = read('{"__proto__":{"polluted":1},"constructor":2,"toString":3}');
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(Object.entries(value as object)).toEqual([
      ["__proto__", { polluted: 1 }],
      ["constructor", 2],
      ["toString", 3],
    ]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it("reads as deep as the limit and not deeper", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(read(nested(MAX_JSON_DEPTH)).refusals).toEqual([]);
    expect(read(nested(MAX_JSON_DEPTH + 1)).refusals[0]!.message).toContain("nested too deeply");
    expect(read('{"a":'.repeat(MAX_JSON_DEPTH + 1)).refusals[0]!.message).toContain("nested too deeply");
  });

  it("refuses what is longer than the limit unread", () => {
    const { refusals } = read(new Uint8Array(MAX_JSON_LENGTH + 1));
    expect(refusals[0]!.message).toContain(`too long; found ${MAX_JSON_LENGTH + 1}`);
  });

  it("takes a string or bytes and nothing else", () => {
    expect(() => read({} as never)).toThrow(TypeError);
    expect(() => read(undefined as never)).toThrow(TypeError);
  });
});
