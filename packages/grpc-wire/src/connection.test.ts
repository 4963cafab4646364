import { describe, expect, it } from "vitest";
import { ECHO, prefixed, RawPeer } from "../test/raw-peer.js";
import { ErrorCode } from "./error-code.js";
import { encodeFrame, encodeIntegerFrame, FrameFlag, FrameType } from "./frame.js";
import type { GrpcCall, GrpcHandler } from "./grpc-call.js";
import { encodeHeaders } from "./hpack/header-encoder.js";

const text = (value: string) => Buffer.from(value);
const EMPTY = Buffer.alloc(0);
const PING = encodeFrame(FrameType.PING, 0, 0, Buffer.alloc(8));

/** A connection whose method keeps each call for the test to answer. */
async function held(options: Parameters<typeof RawPeer.open>[0] = {}) {
  const calls: GrpcCall[] = [];
  const handler: GrpcHandler = (call) => void calls.push(call);
  const peer = await RawPeer.open({ methods: new Map([[ECHO, handler]]), ...options });
  return { peer, calls };
}

describe("a unary call", () => {
  it("is answered with its message and status 0", async () => {
    await using peer = await RawPeer.open();
    peer.begin([], peer.request(text("hello")));
    await expect.poll(() => peer.status(1)).toBe("0");
    expect(peer.of(FrameType.DATA).map(({ payload }) => payload)).toEqual([prefixed(text("hello"))]);
    expect(peer.answers(1)[0]).toEqual({ ":status": "200", "content-type": "application/grpc+proto" });
    expect(peer.connection.streams).toBe(0);
  });

  it("is read however its bytes are cut", async () => {
    await using peer = await RawPeer.open();
    peer.begin();
    for (const byte of peer.request(text("cut"))) {
      peer.send(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    await expect.poll(() => peer.status(1)).toBe("0");
  });

  it("knows its metadata and its timeout", async () => {
    const { peer, calls } = await held();
    await using _ = peer;
    peer.begin([], peer.request(EMPTY, { "x-name": "value", "grpc-timeout": "1500u" }));
    await expect.poll(() => calls.length).toBe(1);
    expect([calls[0]?.metadata("x-name"), calls[0]?.metadata("none"), calls[0]?.timeoutMs]).toEqual([
      "value",
      undefined,
      2,
    ]);
  });

  it("is cancelled by RST_STREAM and by the end of the connection", async () => {
    const { peer, calls } = await held();
    await using _ = peer;
    const cancelled: number[] = [];
    peer.begin([], peer.request(EMPTY), peer.request(EMPTY));
    await expect.poll(() => calls.length).toBe(2);
    calls.forEach((call, n) => {
      call.onCancel = () => cancelled.push(n);
    });
    peer.send(encodeIntegerFrame(FrameType.RST_STREAM, 1, ErrorCode.CANCEL));
    await expect.poll(() => cancelled).toEqual([0]);
    peer.end();
    await expect.poll(() => cancelled).toEqual([0, 1]);
    expect(peer.connection.streams).toBe(0);
    calls[1]?.respond(text("too late"));
  });

  it.for([
    ["an unknown method", { ":path": "/test.Test/None" }, [text("m")], "12"],
    ["a grpc-encoding other than identity", { "grpc-encoding": "gzip" }, [text("m")], "12"],
    ["a grpc-timeout of nine digits", { "grpc-timeout": "123456789S" }, [text("m")], "13"],
    ["no message", {}, [], "12"],
    ["two messages", {}, [text("a"), text("b")], "12"],
  ] as const)("with %s is refused", async ([, fields, messages, status]) => {
    await using peer = await RawPeer.open();
    const headers = peer.headers(fields);
    const body = Buffer.concat(messages.map((message) => prefixed(message)));
    peer.begin([], headers, encodeFrame(FrameType.DATA, FrameFlag.END_STREAM, 1, body));
    await expect.poll(() => peer.status(1)).toBe(status);
  });

  it("with a prefix over the limit is refused before its bytes arrive", async () => {
    await using peer = await RawPeer.open({ limits: { maxMessageBytes: 1000 } });
    peer.begin([], peer.headers(), encodeFrame(FrameType.DATA, 0, 1, prefixed(EMPTY, 1001)));
    await expect.poll(() => peer.status(1)).toBe("8");
    expect(peer.errors).toEqual([[1, ErrorCode.NO_ERROR]]);
  });

  it("whose handler throws ends with INTERNAL, and the fault is reported", async () => {
    const faults: unknown[] = [];
    const methods = new Map<string, GrpcHandler>([
      [
        ECHO,
        () => {
          throw new Error("broken");
        },
      ],
    ]);
    await using peer = await RawPeer.open({ methods, onFault: (error, path) => faults.push([String(error), path]) });
    peer.begin([], peer.request(EMPTY));
    await expect.poll(() => peer.status(1)).toBe("13");
    expect(faults).toEqual([["Error: broken", ECHO]]);
  });

  it("that ends with details sends them as grpc-status-details-bin, and escapes its message", async () => {
    const { peer, calls } = await held();
    await using _ = peer;
    peer.begin([], peer.request(EMPTY));
    await expect.poll(() => calls.length).toBe(1);
    calls[0]?.end({ code: 7, message: "näh 100%\n", details: Buffer.of(1, 2), metadata: [["x-more", "y"]] });
    await expect.poll(() => peer.status(1)).toBe("7");
    expect(peer.answers(1)).toEqual([
      {
        ":status": "200",
        "content-type": "application/grpc+proto",
        "grpc-status": "7",
        "grpc-message": "n%C3%A4h 100%25%0A",
        "grpc-status-details-bin": "AQI",
        "x-more": "y",
      },
    ]);
  });

  it("splits trailers that exceed a frame into CONTINUATION frames", async () => {
    const { peer, calls } = await held();
    await using _ = peer;
    peer.begin([], peer.request(EMPTY));
    await expect.poll(() => calls.length).toBe(1);
    calls[0]?.end({ code: 7, message: "x".repeat(40_000) });
    await expect.poll(() => peer.of(FrameType.CONTINUATION).length).toBe(2);
    expect(peer.frames.slice(-3).map(({ flags }) => flags & FrameFlag.END_HEADERS)).toEqual([
      0,
      0,
      FrameFlag.END_HEADERS,
    ]);
  });
});

describe("flow control", () => {
  it("sends no more than the peer's windows allow, and the rest when they open", async () => {
    const { peer, calls } = await held();
    await using _ = peer;
    peer.begin([[4, 10]], peer.request(EMPTY));
    await expect.poll(() => calls.length).toBe(1);
    calls[0]?.respond(Buffer.alloc(100, 7));
    const received = () => peer.of(FrameType.DATA).reduce((sum, { payload }) => sum + payload.length, 0);
    await expect.poll(received).toBe(10);
    peer.send(encodeIntegerFrame(FrameType.WINDOW_UPDATE, 1, 20));
    await expect.poll(received).toBe(30);
    expect(peer.status(1)).toBeUndefined();
    peer.send(encodeIntegerFrame(FrameType.WINDOW_UPDATE, 1, 1000));
    await expect.poll(() => peer.status(1)).toBe("0");
    expect(received()).toBe(105);
  });

  it("changes the windows of open streams with SETTINGS_INITIAL_WINDOW_SIZE, below zero too", async () => {
    const { peer, calls } = await held();
    await using _ = peer;
    peer.begin([[4, 10]], peer.request(EMPTY));
    await expect.poll(() => calls.length).toBe(1);
    calls[0]?.respond(Buffer.alloc(45, 7));
    await expect.poll(() => peer.of(FrameType.DATA).length).toBe(1);
    const settings = (value: number) => {
      const payload = Buffer.alloc(6);
      payload.writeUInt16BE(4);
      payload.writeUInt32BE(value, 2);
      return encodeFrame(FrameType.SETTINGS, 0, 0, payload);
    };
    peer.send(settings(0), encodeIntegerFrame(FrameType.WINDOW_UPDATE, 1, 5), PING);
    await expect.poll(() => peer.of(FrameType.PING).length).toBe(1);
    expect(peer.of(FrameType.DATA).length).toBe(1);
    peer.send(settings(50));
    await expect.poll(() => peer.status(1)).toBe("0");
  });

  it("opens its own windows for messages longer than them", async () => {
    await using peer = await RawPeer.open();
    const message = Buffer.alloc(300_000, 3);
    const framed = prefixed(message);
    peer.begin([[4, 1_000_000]], encodeIntegerFrame(FrameType.WINDOW_UPDATE, 0, 1_000_000), peer.headers());
    let window = 65_535;
    let seen = 0;
    for (let at = 0; at < framed.length; at += 16_000) {
      const part = framed.subarray(at, at + 16_000);
      await expect
        .poll(() => {
          const updates = peer.of(FrameType.WINDOW_UPDATE).filter(({ stream }) => stream === 1);
          for (; seen < updates.length; seen++) window += updates[seen]?.payload.readUInt32BE(0) ?? 0;
          return window;
        })
        .toBeGreaterThanOrEqual(part.length);
      window -= part.length;
      peer.send(encodeFrame(FrameType.DATA, at + 16_000 >= framed.length ? FrameFlag.END_STREAM : 0, 1, part));
    }
    await expect.poll(() => peer.status(1)).toBe("0");
  });
});

describe("a server stream", () => {
  it("sends its header at once, its messages, and its status", async () => {
    const { peer, calls } = await held();
    await using _ = peer;
    peer.begin([], peer.request(EMPTY));
    await expect.poll(() => calls.length).toBe(1);
    calls[0]?.start();
    await expect.poll(() => peer.answers(1).length).toBe(1);
    for (const part of ["a", "b"]) calls[0]?.write(text(part));
    calls[0]?.end({ code: 0 });
    await expect.poll(() => peer.status(1)).toBe("0");
    expect(peer.of(FrameType.DATA).map(({ payload }) => payload)).toEqual([prefixed(text("a")), prefixed(text("b"))]);
  });

  it("waits for a slow reader", async () => {
    const { peer, calls } = await held();
    await using _ = peer;
    peer.begin([[4, 0]], peer.request(EMPTY));
    await expect.poll(() => calls.length).toBe(1);
    const [call] = calls as [GrpcCall];
    expect(call.write(Buffer.alloc(60_000))).toBe(true);
    expect(call.write(Buffer.alloc(60_000))).toBe(false);
    let drained = false;
    void call.drained().then(() => {
      drained = true;
    });
    peer.send(PING);
    await expect.poll(() => peer.of(FrameType.PING).length).toBe(1);
    expect(drained).toBe(false);
    peer.send(encodeIntegerFrame(FrameType.WINDOW_UPDATE, 1, 100_000));
    await expect.poll(() => drained).toBe(true);
  });
});

describe("the limits of a connection", () => {
  const settings = encodeFrame(FrameType.SETTINGS, 0, 0, EMPTY);
  const priority = encodeFrame(FrameType.PRIORITY, 0, 1, Buffer.of(0, 0, 0, 3, 0));
  const emptyData = encodeFrame(FrameType.DATA, 0, 1, EMPTY);
  const window = encodeIntegerFrame(FrameType.WINDOW_UPDATE, 0, 1);
  const unknown = encodeFrame(0xbe, 0, 0, EMPTY);

  it.for([
    ["SETTINGS", settings],
    ["PING", PING],
    ["PRIORITY", priority],
    ["empty DATA", emptyData],
    ["WINDOW_UPDATE", window],
    ["frames of an unknown type", unknown],
  ] as const)("end it with ENHANCE_YOUR_CALM after a flood of %s", async ([, frame]) => {
    await using peer = await RawPeer.open();
    peer.begin([], peer.headers(), ...Array.from({ length: 5000 }, () => frame));
    await expect.poll(() => peer.errors.at(-1)).toEqual([0, ErrorCode.ENHANCE_YOUR_CALM]);
    await expect.poll(() => peer.closed).toBe(true);
  });

  it("end it with ENHANCE_YOUR_CALM when streams are opened and reset without end", async () => {
    const { peer, calls } = await held();
    await using _ = peer;
    peer.begin();
    for (let n = 0; n < 3000; n++) {
      const headers = peer.headers();
      peer.send(headers, encodeIntegerFrame(FrameType.RST_STREAM, peer.stream, ErrorCode.CANCEL));
    }
    await expect.poll(() => peer.errors.at(-1)).toEqual([0, ErrorCode.ENHANCE_YOUR_CALM]);
    expect([calls.length, peer.connection.streams]).toEqual([0, 0]);
  });

  it("end it with ENHANCE_YOUR_CALM for a header block over its limit, or of too many frames", async () => {
    for (const part of [Buffer.alloc(16_000), EMPTY]) {
      await using peer = await RawPeer.open();
      const next = encodeFrame(FrameType.CONTINUATION, 0, 1, part);
      peer.begin([], encodeFrame(FrameType.HEADERS, 0, 1, part), ...Array.from({ length: 20 }, () => next));
      await expect.poll(() => peer.errors.at(-1)).toEqual([0, ErrorCode.ENHANCE_YOUR_CALM]);
    }
  });

  it("refuse a header list over its limit, and keep the decoder's state", async () => {
    await using peer = await RawPeer.open({ limits: { maxHeaderListBytes: 1000 } });
    peer.begin([], peer.request(EMPTY, { "x-long": "x".repeat(2000) }), peer.request(EMPTY));
    await expect.poll(() => peer.status(1)).toBe("8");
    await expect.poll(() => peer.status(3)).toBe("0");
  });

  it("refuse one stream more than maxStreams with REFUSED_STREAM", async () => {
    const { peer, calls } = await held({ limits: { maxStreams: 3 } });
    await using _ = peer;
    peer.begin([], ...Array.from({ length: 4 }, () => peer.request(EMPTY)));
    await expect.poll(() => peer.errors).toEqual([[7, ErrorCode.REFUSED_STREAM]]);
    expect(calls.length).toBe(3);
  });

  it("refuse a request that does not arrive in time, and reset an answer that is not read in time", async () => {
    const { peer, calls } = await held({ limits: { receiveTimeoutMs: 50, sendTimeoutMs: 50 } });
    await using _ = peer;
    peer.begin([[4, 0]], peer.headers());
    await expect.poll(() => peer.status(1)).toBe("8");
    peer.send(peer.request(EMPTY));
    await expect.poll(() => calls.length).toBe(1);
    calls[0]?.respond(text("m"));
    await expect.poll(() => peer.errors.at(-1)).toEqual([3, ErrorCode.CANCEL]);
    expect(peer.connection.streams).toBe(0);
  });

  it("close a connection whose peer reads nothing", async () => {
    const { peer, calls } = await held({ limits: { sendTimeoutMs: 50, maxUnsentBytes: 1000 } });
    await using _ = peer;
    peer.pause();
    peer.begin([[4, 10_000_000]], encodeIntegerFrame(FrameType.WINDOW_UPDATE, 0, 10_000_000), peer.request(EMPTY));
    await expect.poll(() => calls.length).toBe(1);
    calls[0]?.respond(Buffer.alloc(3_000_000));
    await expect.poll(() => peer.socket.destroyed).toBe(true);
    expect(peer.connection.streams).toBe(0);
  });

  it("close a connection without a stream with GOAWAY", async () => {
    await using peer = await RawPeer.open({ limits: { idleTimeoutMs: 50 } });
    peer.begin([], peer.request(EMPTY));
    await expect.poll(() => peer.errors).toEqual([[0, ErrorCode.NO_ERROR]]);
    await expect.poll(() => peer.closed).toBe(true);
  });
});

describe("a ledger", () => {
  it("hears of each stream once, and of bytes that add up to nothing in the end", async () => {
    const open = new Map<object, number>();
    const seen: string[] = [];
    const ledger = {
      opened: (stream: object) => void open.set(stream, 0),
      held: (stream: object, bytes: number) => void open.set(stream, (open.get(stream) ?? Number.NaN) + bytes),
      closed: (stream: { heldBytes: number }) => {
        seen.push(open.get(stream) === stream.heldBytes ? "right" : "wrong");
        open.delete(stream);
      },
    };
    const { peer, calls } = await held({ ledger });
    await using _ = peer;
    peer.begin(
      [[4, 5]],
      peer.request(text("one")),
      peer.headers(),
      peer.data(text("two"), 0),
      peer.request(text("three")),
    );
    await expect.poll(() => calls.length).toBe(2);
    calls[0]?.respond(Buffer.alloc(1000));
    await expect.poll(() => [...open.values()]).toEqual([1003, 3, 5]);
    peer.end();
    await expect.poll(() => open.size).toBe(0);
    expect(seen).toEqual(["right", "right", "right"]);
  });

  it("refuses a stream with the status of `refusal`", async () => {
    const ledger = { opened: () => "full", held() {}, closed() {} };
    const refusal = (path: string, reason: string) => ({ code: 8, message: `${path} ${reason}` });
    await using peer = await RawPeer.open({ ledger, refusal });
    peer.begin([], peer.headers());
    await expect.poll(() => peer.answers(1)[0]?.["grpc-message"]).toBe(`${ECHO} full`);
    expect(peer.errors).toEqual([[1, ErrorCode.NO_ERROR]]);
  });
});

describe("drain", () => {
  it("announces the last stream, answers what is open, refuses what is new, and closes", async () => {
    const { peer, calls } = await held();
    await using _ = peer;
    peer.begin([], peer.request(EMPTY));
    await expect.poll(() => calls.length).toBe(1);
    peer.connection.drain();
    await expect.poll(() => peer.errors).toEqual([[0, ErrorCode.NO_ERROR]]);
    peer.send(peer.request(EMPTY));
    await expect.poll(() => peer.errors.at(-1)).toEqual([3, ErrorCode.REFUSED_STREAM]);
    calls[0]?.respond(text("last"));
    await expect.poll(() => peer.closed).toBe(true);
    expect(peer.status(1)).toBe("0");
  });
});

describe("a request below gRPC", () => {
  it.for([
    [{ "content-type": "text/plain" }, "415"],
    [{ "content-type": "application/grpcx" }, "415"],
    [{ ":method": "PUT" }, "405"],
  ] as const)("with %o is answered %s with a text", async ([fields, status]) => {
    await using peer = await RawPeer.open();
    peer.begin([], peer.request(EMPTY, fields));
    await expect.poll(() => peer.answers(1)[0]?.[":status"]).toBe(status);
    await expect.poll(() => String(peer.of(FrameType.DATA)[0]?.payload)).toMatch(/^this server speaks gRPC/);
  });
});

describe("a closed stream", () => {
  it("ignores what the peer sent before it knew of the answer", async () => {
    await using peer = await RawPeer.open();
    peer.begin([], peer.headers({ ":path": "/none" }));
    await expect.poll(() => peer.status(1)).toBe("12");
    const trailers = encodeFrame(FrameType.HEADERS, FrameFlag.END_HEADERS | FrameFlag.END_STREAM, 1, encodeHeaders([]));
    peer.send(peer.data(text("late"), 0), trailers, peer.request(EMPTY));
    await expect.poll(() => peer.status(3)).toBe("0");
  });
});
