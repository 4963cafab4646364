import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { ECHO, RawPeer } from "../test/raw-peer.js";
import { GrpcConnection } from "./connection.js";
import { ErrorCode } from "./error-code.js";
import { encodeFrame, encodeIntegerFrame, FrameFlag, FrameType } from "./frame.js";
import type { GrpcCall, GrpcHandler, HeldStream } from "./grpc-call.js";
import { encodeHeaders } from "./hpack/header-encoder.js";
import { PREFACE } from "./preface.js";

const EMPTY = Buffer.alloc(0);
const NO_SETTINGS = encodeFrame(FrameType.SETTINGS, 0, 0, EMPTY);

function keeper(): { readonly calls: GrpcCall[]; readonly methods: Map<string, GrpcHandler> } {
  const calls: GrpcCall[] = [];
  return { calls, methods: new Map([[ECHO, (call) => void calls.push(call)]]) };
}

/** A socket whose peer reads nothing and sends nothing by itself. */
function silentSocket(): Socket {
  return new Duplex({ read() {}, write() {}, final() {} }) as unknown as Socket;
}

describe("a connection that has ended", () => {
  it("zeroes and drops what its peer still sends", () => {
    const connection = new GrpcConnection(silentSocket(), { methods: new Map(), context: undefined });
    const unread = Buffer.from("PRI * HTTP/1.1\r\n");
    connection.push(Buffer.from("GET / HTTP/1.1\r\n"));
    connection.push(unread);
    connection.read();
    expect(unread).toEqual(Buffer.alloc(unread.length));
    const late = Buffer.from("more");
    connection.push(late);
    expect(late).toEqual(Buffer.alloc(4));
    connection.destroy();
  });

  it("zeroes what it received and did not read when it is destroyed", () => {
    const connection = new GrpcConnection(silentSocket(), { methods: new Map(), context: undefined });
    const unread = Buffer.concat([PREFACE, NO_SETTINGS]);
    connection.push(unread);
    connection.destroy();
    expect(unread).toEqual(Buffer.alloc(unread.length));
  });
});

describe("a peer that makes the server reset its streams (CVE-2025-8671)", () => {
  const trailers = (stream: number) => {
    return encodeFrame(FrameType.HEADERS, FrameFlag.END_HEADERS | FrameFlag.END_STREAM, stream, encodeHeaders([]));
  };
  it.for([
    ["DATA after the end", (stream: number) => encodeFrame(FrameType.DATA, 0, stream, Buffer.of(1))],
    ["trailers after the end", trailers],
    ["WINDOW_UPDATE of 0", (stream: number) => encodeIntegerFrame(FrameType.WINDOW_UPDATE, stream, 0)],
  ] as const)("is closed with ENHANCE_YOUR_CALM after a flood of %s", async ([, violation]) => {
    const { calls, methods } = keeper();
    await using peer = await RawPeer.open({ methods });
    peer.begin();
    for (let n = 0; n < 3000; n++) peer.send(peer.request(EMPTY), violation(peer.stream));
    await expect.poll(() => peer.errors.at(-1)).toEqual([0, ErrorCode.ENHANCE_YOUR_CALM]);
    expect(calls.length).toBeLessThan(1500);
    expect(calls.every(({ cancelled }) => cancelled)).toBe(true);
  });
});

describe("a request that does not arrive in time", () => {
  it("is refused while an older stream of its connection stays open", async () => {
    const { calls, methods } = keeper();
    await using peer = await RawPeer.open({ methods, limits: { receiveTimeoutMs: 50 } });
    peer.begin([], peer.request(EMPTY), peer.headers());
    await expect.poll(() => calls.length).toBe(1);
    await expect.poll(() => peer.status(3)).toBe("8");
    expect(peer.connection.streams).toBe(1);
  });
});

describe("answers that a peer does not read from its socket", () => {
  it("count in the ledger, which may close the connection", async () => {
    const open = new Map<HeldStream, number>();
    const ledger = {
      opened: (stream: HeldStream) => void open.set(stream, 0),
      held: (stream: HeldStream, bytes: number) => void open.set(stream, (open.get(stream) ?? Number.NaN) + bytes),
      closed: (stream: HeldStream) => void open.delete(stream),
    };
    const { calls, methods } = keeper();
    await using peer = await RawPeer.open({ methods, ledger });
    peer.pause();
    peer.begin(
      [
        [4, 0x7fff_ffff],
        [5, 16_777_215],
      ],
      encodeIntegerFrame(FrameType.WINDOW_UPDATE, 0, 0x7fff_0000),
      peer.request(EMPTY),
    );
    await expect.poll(() => calls.length).toBe(1);
    calls[0]?.respond(Buffer.alloc(3_000_000));
    const bytes = () => [...open.values()].reduce((sum, held) => sum + held, 0);
    expect(bytes()).toBeGreaterThan(2_900_000);
    const unread = [...open.keys()].find((stream) => stream !== (calls[0] as unknown));
    expect(unread?.waitsForPeer).toBe(true);
    unread?.refuse("too much");
    await expect.poll(() => peer.socket.destroyed).toBe(true);
    expect(open.size).toBe(0);
  });

  it("count no more once the peer has read them", async () => {
    let open = 0;
    const ledger = { opened: () => void open++, held() {}, closed: () => void open-- };
    const { calls, methods } = keeper();
    await using peer = await RawPeer.open({ methods, ledger });
    peer.begin([[4, 0x7fff_ffff]], encodeIntegerFrame(FrameType.WINDOW_UPDATE, 0, 0x7fff_0000), peer.request(EMPTY));
    await expect.poll(() => calls.length).toBe(1);
    calls[0]?.respond(Buffer.alloc(3_000_000));
    await expect.poll(() => peer.status(1)).toBe("0");
    await expect.poll(() => open).toBe(0);
  });

  it("travel in frames of at most 16,384 bytes, whatever a peer accepts", async () => {
    const { calls, methods } = keeper();
    await using peer = await RawPeer.open({ methods });
    peer.begin(
      [
        [4, 0x7fff_ffff],
        [5, 16_777_215],
      ],
      encodeIntegerFrame(FrameType.WINDOW_UPDATE, 0, 0x7fff_0000),
      peer.request(EMPTY),
    );
    await expect.poll(() => calls.length).toBe(1);
    calls[0]?.respond(Buffer.alloc(100_000));
    await expect.poll(() => peer.status(1)).toBe("0");
    expect(Math.max(...peer.frames.map(({ payload }) => payload.length))).toBe(16_384);
  });
});

describe("drained", () => {
  it("settles for each caller that waits", async () => {
    const { calls, methods } = keeper();
    await using peer = await RawPeer.open({ methods });
    peer.begin([[4, 0]], peer.request(EMPTY));
    await expect.poll(() => calls.length).toBe(1);
    expect(calls[0]?.write(Buffer.alloc(100_000))).toBe(false);
    const both = Promise.all([calls[0]?.drained(), calls[0]?.drained()]);
    peer.end();
    await both;
  });
});
