import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeFrame } from "./frame.js";
import { FrameReader } from "./frame-reader.js";
import { ConnectionFault } from "./protocol-error.js";

const frames = fc.array(
  fc.record({
    type: fc.integer({ min: 0, max: 255 }),
    flags: fc.integer({ min: 0, max: 255 }),
    stream: fc.integer({ min: 0, max: 0x7fff_ffff }),
    payload: fc.uint8Array({ maxLength: 300 }),
  }),
  { maxLength: 10 },
);

/** Cuts bytes at random places into chunks of their own memory. */
const cut = (bytes: Buffer, cuts: readonly number[]) => {
  const at = [0, ...cuts.map((where) => where % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return at.slice(1).map((end, n) => Buffer.from(bytes.subarray(at[n], end)));
};

describe("FrameReader", () => {
  it("reads the same frames however their bytes are cut, and zeroes the chunks", () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 20 }), (sent, cuts) => {
        const bytes = Buffer.concat(
          sent.map(({ type, flags, stream, payload }) => encodeFrame(type, flags, stream, payload)),
        );
        const chunks = cut(bytes, cuts);
        const reader = new FrameReader();
        const received: object[] = [];
        for (const chunk of chunks) {
          reader.push(chunk);
          while (reader.next()) {
            const { type, flags, stream, start, end } = reader;
            received.push({ type, flags, stream, payload: new Uint8Array(reader.bytes.subarray(start, end)) });
          }
        }
        expect(received).toEqual(sent);
        expect(reader.hasInput).toBe(false);
        for (const chunk of chunks) expect(chunk.every((byte) => byte === 0)).toBe(true);
      }),
    );
  });

  it("rejects a frame over 16,384 bytes before it allocates anything for it", () => {
    const reader = new FrameReader();
    reader.push(Buffer.of(0x00, 0x40, 0x01, 0, 0, 0, 0, 0, 1));
    expect(() => reader.next()).toThrow(ConnectionFault);
    expect(reader.partialBytes).toBeLessThanOrEqual(9);
  });

  it("skips expected bytes in parts, and knows others", () => {
    const reader = new FrameReader();
    reader.push(Buffer.from("ab"));
    expect(reader.skip(Buffer.from("abc"))).toBe(2);
    expect(reader.skip(Buffer.from("c"))).toBe(0);
    reader.push(Buffer.from("x"));
    expect(reader.skip(Buffer.from("c"))).toBe(-1);
  });
});
