import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageReader } from "./message-reader.js";

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

describe("MessageReader", () => {
  it("collects a message from parts, in memory of its own length", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 70_000, size: "max" }),
        fc.integer({ min: 1, max: 20_000 }),
        (message, size) => {
          const reader = new MessageReader(100_000);
          const bytes = framed(message);
          for (let at = 0; at < bytes.length; at += size) {
            expect(reader.read(bytes, at, Math.min(bytes.length, at + size))).toBeUndefined();
          }
          const collected = reader.finish() as Buffer;
          expect(Buffer.compare(collected, message)).toBe(0);
          expect(collected.length).toBe(message.length);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("holds 16 KiB of an announced 4 MiB until more arrives, and at most twice of what arrived", () => {
    const reader = new MessageReader(4_194_304);
    reader.read(Buffer.from([0, 0, 0x40, 0, 0]), 0, 5);
    expect(reader.heldBytes).toBe(16_384);
    const part = Buffer.alloc(10_000);
    for (let n = 1; n <= 50; n++) {
      reader.read(part, 0, part.length);
      expect(reader.heldBytes).toBeLessThanOrEqual(Math.max(16_384, 2 * n * part.length));
    }
  });

  it("zeroes what it collected when it is discarded", () => {
    const reader = new MessageReader(100);
    reader.read(framed(Buffer.alloc(50, 7)), 0, 30);
    reader.discard();
    expect(reader.heldBytes).toBe(0);
  });

  it.for([
    ["a compressed message", Buffer.from([1, 0, 0, 0, 1, 0]), 13],
    ["a message over the limit", Buffer.from([0, 0, 0, 0, 101]), 8],
    ["a second message", Buffer.concat([framed(Buffer.alloc(3)), framed(Buffer.alloc(0))]), 12],
  ] as const)("refuses %s", ([, bytes, code]) => {
    expect(new MessageReader(100).read(bytes, 0, bytes.length)).toMatchObject({ code });
  });

  it.for([
    ["nothing", Buffer.alloc(0), 12],
    ["part of a prefix", Buffer.alloc(3), 13],
    ["part of a message", framed(Buffer.alloc(50)).subarray(0, 20), 13],
  ] as const)("refuses a request that ends after %s", ([, bytes, code]) => {
    const reader = new MessageReader(100);
    expect(reader.read(bytes, 0, bytes.length)).toBeUndefined();
    expect(reader.finish()).toMatchObject({ code });
  });
});
