import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { AdminService } from "@basil/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ServedBroker, serveTestBroker } from "../../test/served-broker.js";
import type { SocketClient } from "../../test/socket-client.js";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const HEALTH_WITHIN_MS = 1000;

let served: ServedBroker;
let path: string;
let client: SocketClient;
const open: { destroy(): void }[] = [];

beforeEach(async () => {
  served = await serveTestBroker({ limits: { maxConnections: 100 } });
  ({ path, client } = served);
  await health();
});
afterEach(async () => {
  for (const each of open.splice(0)) each.destroy();
  await served[Symbol.asyncDispose]();
});

async function health() {
  const deadline = Date.now() + 5 * HEALTH_WITHIN_MS;
  expect(await client.call(AdminService, "health", {}, { deadline })).toMatchObject({ alive: true });
}

function raw(...chunks: readonly Uint8Array[]): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      for (const chunk of chunks) socket.write(chunk);
      resolve(socket);
    });
    socket.on("error", () => resolve(socket));
    socket.resume();
    open.push(socket);
  });
}

function session(): ClientHttp2Session {
  const http2 = connectHttp2("http://localhost", { createConnection: () => connect(path) });
  http2.on("error", () => {});
  open.push(http2);
  return http2;
}

function request(http2: ClientHttp2Session, headers: Record<string, string> = {}) {
  const stream = http2.request({
    ":method": "POST",
    ":path": "/basil.broker.v1.SigningService/Sign",
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  stream.on("error", () => {});
  return stream;
}

/** A frame of RFC 9113 §4.1 with this payload. */
function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

describe("a broker's socket under", () => {
  it.for([
    ["random bytes", () => [randomBytes(5000)]],
    ["random bytes after the preface", () => [PREFACE, randomBytes(5000)]],
    [
      "frames of every type with random payloads",
      () => [PREFACE, ...Array.from({ length: 20 }, (_, type) => frame(type, 0xff, type, randomBytes(64)))],
    ],
    [
      "a flood of settings and pings",
      () => [
        PREFACE,
        ...Array.from({ length: 2000 }, (_, n) =>
          n % 2 ? frame(4, 0, 0, Buffer.alloc(0)) : frame(6, 0, 0, Buffer.alloc(8)),
        ),
      ],
    ],
    [
      "endless headers",
      () => [
        PREFACE,
        frame(4, 0, 0, Buffer.alloc(0)),
        frame(1, 0, 1, randomBytes(16_000)),
        ...Array.from({ length: 50 }, () => frame(9, 0, 1, randomBytes(16_000))),
      ],
    ],
    ["half a preface", () => [PREFACE.subarray(0, 10)]],
  ] as const)("%s goes on answering", async ([, chunks]) => {
    for (let n = 0; n < 20; n++) await raw(...chunks());
    await health();
  });

  it("a length prefix of 100 MB answers an error without waiting for the bytes", async () => {
    const stream = request(session());
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(100_000_000, 1);
    const status = new Promise((resolve) => {
      stream.on("response", (headers) => headers["grpc-status"] && resolve(headers["grpc-status"]));
      stream.on("trailers", (trailers) => resolve(trailers["grpc-status"]));
    });
    stream.write(prefix);
    expect(await status).toBe("8");
    await health();
  });

  it.for([
    ["a message that is no protobuf", Buffer.from("00000000030affff", "hex"), "13"],
    ["a compressed flag without a compression", Buffer.from("0100000001ff", "hex"), undefined],
    ["two messages where one belongs", Buffer.from("00000000000000000000", "hex"), undefined],
    ["no message", Buffer.alloc(0), undefined],
  ] as const)("%s answers an error", async ([, body, expected]) => {
    const stream = request(session());
    const status = new Promise<string>((resolve) => {
      const settle = (headers: Record<string, unknown>) =>
        headers["grpc-status"] && resolve(String(headers["grpc-status"]));
      stream.on("response", settle);
      stream.on("trailers", settle);
    });
    stream.end(body);
    stream.resume();
    const answered = await status;
    if (expected === undefined) expect(answered).not.toBe("0");
    else expect(answered).toBe(expected);
    await health();
  });

  it("slow senders and silent ones goes on answering, and gives memory and descriptors back", async () => {
    const descriptors = async () => (await readdir("/proc/self/fd")).length;
    const before = { files: await descriptors(), bytes: process.memoryUsage().rss };
    for (let n = 0; n < 30; n++) {
      const stream = request(session());
      const prefix = Buffer.alloc(5 + 1000);
      prefix.writeUInt32BE(4_000_000, 1);
      stream.write(prefix);
    }
    for (let n = 0; n < 600; n++) {
      await raw(PREFACE);
      if (n % 200 === 0) await health();
    }
    await health();
    expect(process.memoryUsage().rss - before.bytes).toBeLessThan(200e6);
    for (const each of open.splice(0)) each.destroy();
    await expect.poll(descriptors, { timeout: 5000 }).toBeLessThanOrEqual(before.files + 2);
    await health();
  });
});
