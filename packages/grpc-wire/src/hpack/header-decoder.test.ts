import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConnectionFault } from "../protocol-error.js";
import { HeaderDecoder } from "./header-decoder.js";
import { encodeHeaders } from "./header-encoder.js";
import { STATIC_TABLE } from "./static-table.js";

const decoder = (limits: { tableBytes?: number; listBytes?: number } = {}) =>
  new HeaderDecoder({ tableBytes: 4096, listBytes: 100_000, ...limits });
const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 300,
});
const field = fc.oneof(fc.constantFrom(...STATIC_TABLE), fc.tuple(latin1, latin1));

describe("HeaderDecoder", () => {
  it("reads what the encoder writes, block after block", () => {
    const one = decoder();
    fc.assert(
      fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
        expect(one.decode(encodeHeaders(fields))).toEqual(fields.flat());
      }),
    );
  });

  it("ends every sequence of bytes in a list or in COMPRESSION_ERROR, with a table within its size", () => {
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0x82, 0xbe, 0x40, 0x7f, 0x3f, 0x20, 0x80, 0xff),
    );
    fc.assert(
      fc.property(fc.array(fc.array(byte, { maxLength: 200 }), { minLength: 1, maxLength: 5 }), (blocks) => {
        const one = decoder({ tableBytes: 200 });
        for (const block of blocks) {
          try {
            const list = one.decode(Buffer.from(block));
            expect((list?.length ?? 0) % 2).toBe(0);
          } catch (error) {
            expect(error).toBeInstanceOf(ConnectionFault);
            expect(error).toMatchObject({ code: "COMPRESSION_ERROR" });
          }
          expect(one.tableSize).toBeLessThanOrEqual(200);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("returns no list over its limit, however small its block, and goes on", () => {
    const one = decoder({ listBytes: 1000 });
    const value = "x".repeat(900);
    const literal = Buffer.concat([Buffer.of(0x40, 0x01, 0x61, 0x7f, 0x85, 0x06), Buffer.from(value)]);
    expect(one.decode(literal)).toEqual(["a", value]);
    expect(one.decode(Buffer.alloc(30_000, 0xbe))).toBeUndefined();
    expect(one.decode(Buffer.of(0xbe))).toEqual(["a", value]);
  });

  it("reads a repeated block anew after the table has changed", () => {
    const one = decoder();
    one.decode(Buffer.of(0x40, 0x01, 0x61, 0x01, 0x62));
    expect(one.decode(Buffer.of(0xbe))).toEqual(["a", "b"]);
    expect(one.decode(Buffer.of(0xbe))).toEqual(["a", "b"]);
    one.decode(Buffer.of(0x40, 0x01, 0x63, 0x01, 0x64));
    expect(one.decode(Buffer.of(0xbe))).toEqual(["c", "d"]);
  });

  it.for([
    ["index 0", "80"],
    ["an index beyond the table", "be"],
    ["a table larger than announced", "3fe21f"],
    ["a table size update after a field", "8220"],
    ["an integer that does not end", "7fffffffffffffff"],
    ["a string longer than its block", "400a61"],
    ["padding of 8 bits", "400181ff"],
    ["a Huffman code with EOS", "40016184ffffffff"],
    ["padding that is not ones", "4001618100"],
  ] as const)("rejects %s", ([, hex]) => {
    expect(() => decoder().decode(Buffer.from(hex, "hex"))).toThrow(ConnectionFault);
  });

  it("evicts the oldest entries when the table is made smaller", () => {
    const one = decoder();
    one.decode(Buffer.of(0x40, 0x01, 0x61, 0x01, 0x62));
    one.decode(Buffer.of(0x20));
    expect(one.tableSize).toBe(0);
    expect(() => one.decode(Buffer.of(0xbe))).toThrow(ConnectionFault);
  });
});
