import { once } from "node:events";
import { connect } from "node:net";
import { Client, credentials } from "@grpc/grpc-js";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EchoServer } from "./echo-server.js";

/** Times as many sequences in the long run. */
const LENGTH = Number(process.env.BASIL_TEST_LENGTH ?? 1);
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const literal = (name: string, value: string) =>
  Buffer.concat([Buffer.of(0, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)]);
const head = (path: string) =>
  Buffer.concat([Buffer.of(0x83, 0x86), literal(":path", path), literal("content-type", "application/grpc")]);

const stream = fc.oneof(fc.constantFrom(0, 1, 1, 1, 3, 5, 7, 9), fc.integer({ min: 0, max: 0x7fff_ffff }));
const flags = fc.oneof(fc.constantFrom(0, 1, 4, 5, 5, 8, 0x20, 0x2d), fc.integer({ min: 0, max: 255 }));
const message = fc.uint8Array({ maxLength: 100 }).map((bytes) => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
});
const u32 = fc.oneof(fc.constantFrom(0, 1, 65_535, 0x7fff_ffff), fc.nat()).map((value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
});
const path = fc.constantFrom("/test.Test/Echo", "/test.Test/Count", "/test.Test/Silent", "/test.Test/Refuse", "/none");
const setting = fc
  .tuple(fc.integer({ min: 0, max: 9 }), u32)
  .map(([id, value]) => Buffer.concat([Buffer.of(0, id), value]));

/** Well-formed frames on streams that are likely to be open, and some that are not well-formed. */
const anyFrame = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(stream, flags, path).map(([id, bits, at]) => frame(1, bits, id, head(at))) },
  { weight: 4, arbitrary: fc.tuple(stream, flags, message).map(([id, bits, bytes]) => frame(0, bits, id, bytes)) },
  { weight: 2, arbitrary: fc.tuple(stream, u32).map(([id, code]) => frame(3, 0, id, code)) },
  { weight: 2, arbitrary: fc.tuple(stream, u32).map(([id, size]) => frame(8, 0, id, size)) },
  { weight: 2, arbitrary: fc.array(setting, { maxLength: 4 }).map((all) => frame(4, 0, 0, Buffer.concat(all))) },
  { weight: 1, arbitrary: fc.constant(frame(6, 0, 0, Buffer.alloc(8))) },
  {
    weight: 1,
    arbitrary: fc.tuple(stream, fc.constantFrom(0, 4), path).map(([id, bits, at]) => frame(9, bits, id, head(at))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 12 }), flags, stream, fc.uint8Array({ maxLength: 60 }))
      .map(([type, bits, id, bytes]) => frame(type, bits, id, bytes)),
  },
);
const sequence = fc.array(anyFrame, { maxLength: 40 }).map((frames): Buffer => Buffer.concat(frames));
/** A sequence of which some bytes are others. */
const damaged = fc
  .tuple(sequence, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }))
  .map(([bytes, changes]): Buffer => {
    const copy = Buffer.from(bytes);
    for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value;
    return copy;
  });

describe("a server under random frames", () => {
  let server: EchoServer;
  let client: Client;
  beforeAll(async () => {
    server = await EchoServer.start();
    client = new Client(`unix:${server.path}`, credentials.createInsecure());
  });
  afterAll(async () => {
    client.close();
    await server[Symbol.asyncDispose]();
  });

  const echo = (bytes: Buffer) =>
    new Promise<Buffer | undefined>((resolve, reject) => {
      const same = (value: Buffer) => value;
      const deadline = { deadline: Date.now() + 20_000 };
      client.makeUnaryRequest("/test.Test/Echo", same, same, bytes, deadline, (error, value) =>
        error ? reject(error) : resolve(value),
      );
    });

  const inputs: readonly (readonly [string, fc.Arbitrary<Buffer>])[] = [
    ["in sequences", sequence],
    ["in damaged sequences", damaged],
    ["that are no frames", fc.uint8Array({ maxLength: 3000 }).map((bytes): Buffer => Buffer.from(bytes))],
  ];
  const title = "%s keeps answering, faults nothing and keeps nothing of a closed connection";
  it.for(inputs)(title, { timeout: 3_600_000 }, async ([, bytes]) => {
    await echo(Buffer.from("first"));
    await fc.assert(
      fc.asyncProperty(bytes, fc.boolean(), async (sent, rest) => {
        const socket = connect(server.path);
        socket.on("error", () => {});
        socket.resume();
        socket.write(Buffer.concat([PREFACE, frame(4, 0, 0, Buffer.alloc(0)), sent]));
        // Either side may end it: half of the time the client does so before it has read anything.
        if (rest) await Promise.race([once(socket, "close"), echo(Buffer.from("beside"))]);
        socket.destroy();
      }),
      { numRuns: 150 * LENGTH },
    );
    expect(await echo(Buffer.from("last"))).toEqual(Buffer.from("last"));
    expect(server.faults).toEqual([]);
    await expect.poll(() => server.connections.size).toBe(1);
    for (const { streams } of server.connections.values()) expect(streams).toBe(0);
  });
});
