import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from "node:http2";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import {
  AdminService,
  AeadService,
  DecryptRequestSchema,
  grpcMethods,
  SigningService,
  SignRequestSchema,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hold, type MemoryBackend, memoryBackend } from "../../test/memory-backend.js";
import { type ServedBroker, serveTestBroker } from "../../test/served-broker.js";
import { SocketClient } from "../../test/socket-client.js";
import type { Limits } from "../limits.js";

const KIB = 1024;
let served: ServedBroker;
let path: string;
let backend: MemoryBackend;
let client: SocketClient;
let session: ClientHttp2Session;

beforeEach(() => {
  backend = memoryBackend();
});
afterEach(async () => {
  session.destroy();
  await served[Symbol.asyncDispose]();
});

async function serve(limits: Partial<Limits>) {
  served = await serveTestBroker({ backends: [backend], limits });
  ({ path, client } = served);
  session = connectHttp2("http://localhost", { createConnection: () => connect(path) });
  session.on("error", () => {});
}

interface Sent {
  readonly stream: ClientHttp2Stream;
  /** The status, and when to come again. */
  readonly answer: Promise<{ readonly status: string; readonly retry: unknown }>;
  answered: boolean;
}

/** A request to sign a message of which the first bytes are sent. */
function send(total: number, sent: number, headers: Record<string, string> = {}): Sent {
  const { requestSerialize } = grpcMethods(SigningService).sign;
  const message = requestSerialize(create(SignRequestSchema, { keyId: "app.p256", message: new Uint8Array(total) }));
  const framed = Buffer.alloc(5 + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, 5);
  return begin(framed.subarray(0, sent), headers);
}

function begin(bytes: Uint8Array, headers: Record<string, string> = {}): Sent {
  const stream = session.request({
    ":method": "POST",
    ":path": "/basil.broker.v1.SigningService/Sign",
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  stream.on("error", () => {});
  const answer = new Promise<{ status: string; retry: unknown }>((resolve) => {
    const take = (fields: Record<string, unknown>) => {
      if (fields["grpc-status"] === undefined) return;
      sent.answered = true;
      resolve({ status: String(fields["grpc-status"]), retry: fields["grpc-retry-pushback-ms"] });
    };
    stream.on("response", take).on("trailers", take);
  });
  stream.resume();
  stream.write(bytes);
  const sent: Sent = { stream, answer, answered: false };
  return sent;
}

const health = () => client.call(AdminService, "health", {});

describe("the bytes of open requests", () => {
  it("of one user are bounded: the largest request that has not come whole is refused, with a hint", async () => {
    await serve({ maxOpenBytesPerUser: 600 * KIB });
    const large = send(1000 * KIB, 500 * KIB);
    const small = send(1000 * KIB, 50 * KIB);
    await health();
    const third = send(1000 * KIB, 100 * KIB);
    expect(await large.answer).toEqual({ status: "8", retry: "1000" });
    await health();
    expect([small.answered, third.answered]).toEqual([false, false]);
    // What was given up counts no more.
    send(1000 * KIB, 30 * KIB);
    await health();
    expect([small.answered, third.answered]).toEqual([false, false]);
  });

  it("of all are bounded likewise", async () => {
    await serve({ maxOpenBytes: 100 * KIB });
    const half = send(1000 * KIB, 200 * KIB);
    expect(await half.answer).toMatchObject({ status: "8" });
    const { signature } = await client.call(SigningService, "sign", { keyId: "app.p256", message: new Uint8Array(9) });
    expect(signature).toBeDefined();
  });

  it("count a request that came whole until it is answered, and do not end it for another's sake", async () => {
    await serve({ maxOpenBytesPerUser: 300 * KIB });
    const held = hold(backend);
    const whole = client.call(SigningService, "sign", { keyId: "app.p256", message: new Uint8Array(200 * KIB) });
    await held.called;
    const half = send(1000 * KIB, 150 * KIB);
    expect(await half.answer).toMatchObject({ status: "8" });
    held.release();
    expect((await whole).signature).toBeDefined();
    backend.before = () => {};
    const again = send(150 * KIB, 1000 * KIB);
    again.stream.end();
    expect(await again.answer).toMatchObject({ status: "0" });
  });

  it("do not grow by a compressed message: none is accepted", async () => {
    await serve({});
    const packed = gzipSync(Buffer.alloc(350 * KIB));
    const prefix = Buffer.from([1, 0, 0, 0, 0]);
    prefix.writeUInt32BE(packed.length, 1);
    const bomb = begin(Buffer.concat([prefix, packed]), { "grpc-encoding": "gzip" });
    expect(await bomb.answer).toMatchObject({ status: "12" });
  });

  it("of a slow sender are what it sent, not what a length announces", async () => {
    await serve({ maxOpenBytesPerUser: 300 * KIB });
    const prefix = Buffer.from([0, 0, 0x3f, 0, 0]);
    const slow = Array.from({ length: 5 }, () => begin(Buffer.concat([prefix, Buffer.alloc(100)])));
    await health();
    expect(slow.map(({ answered }) => answered)).toEqual([false, false, false, false, false]);
  });
});

describe("answers that are not read", () => {
  it("count like requests: over the bound more are refused, and health is answered", async () => {
    await serve({ maxOpenBytesPerUser: 300 * KIB });
    session.settings({ initialWindowSize: 0 });
    const { requestSerialize, path: method } = grpcMethods(AeadService).decrypt;
    const plaintext = new Uint8Array(4 * KIB);
    const envelope = await client.call(AeadService, "encrypt", { keyId: "app.aead", algorithm: 2, plaintext });
    const request = requestSerialize(create(DecryptRequestSchema, { keyId: "app.aead", ...(envelope as object) }));
    const framed = Buffer.concat([Buffer.alloc(5), request]);
    framed.writeUInt32BE(request.length, 1);
    const sent = Array.from({ length: 40 }, () => begin(framed, { ":path": method }));
    for (const { stream } of sent) stream.end();
    const open = () => sent.filter(({ stream, answered }) => !answered && !stream.closed).length;
    await expect.poll(open).toBeLessThanOrEqual(300 / 20);
    expect(open()).toBeGreaterThan(4);
    await health();
  });

  it("are reset when they wait longer than sendTimeoutMs", async () => {
    await serve({ sendTimeoutMs: 100 });
    session.settings({ initialWindowSize: 0 });
    const { stream } = send(100, 1000);
    const closed = once(stream, "close");
    stream.end();
    await closed;
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    await health();
  });
});

describe("open streams", () => {
  it("count for what is made for them, and leave room for a new connection's first", async () => {
    await serve({ maxOpenBytesPerUser: 20 * 16 * KIB });
    const watching = Array.from({ length: 40 }, () =>
      begin(Buffer.alloc(5), { ":path": "/basil.broker.v1.AdminService/Watch" }),
    );
    for (const { stream } of watching) stream.end();
    const refused = watching.slice(20).map(({ answer }) => answer);
    for (const each of await Promise.all(refused)) expect(each).toEqual({ status: "8", retry: "1000" });
    expect(watching.slice(0, 20).filter(({ answered }) => answered)).toEqual([]);
    const other = new SocketClient(path);
    expect(await other.call(AdminService, "health", {})).toMatchObject({ alive: true });
    other.grpc.close();
    for (const { stream } of watching) stream.close();
    await expect.poll(() => client.call(SigningService, "sign", { keyId: "app.p256" })).toHaveProperty("signature");
  });
});

describe("a request that is answered before it is complete", () => {
  it("is closed with NO_ERROR, and the rest of it is ignored", async () => {
    await serve({ maxMessageBytes: 400 * KIB });
    const tooLarge = send(5000 * KIB, 500 * KIB);
    expect(await tooLarge.answer).toMatchObject({ status: "8" });
    const closed = once(tooLarge.stream, "close");
    tooLarge.stream.write(new Uint8Array(100 * KIB));
    await closed;
    expect(tooLarge.stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    await health();
  });
});

describe("a request that does not come to its end", () => {
  it("is refused after its time, and others are not", async () => {
    await serve({ receiveTimeoutMs: 100 });
    const held = hold(backend);
    const working = client.call(SigningService, "sign", { keyId: "app.p256" });
    await held.called;
    const slow = [send(100, 3), send(100_000, 50_000)];
    for (const each of slow) expect(await each.answer).toEqual({ status: "8", retry: "1000" });
    held.release();
    expect((await working).signature).toBeDefined();
  });
});
