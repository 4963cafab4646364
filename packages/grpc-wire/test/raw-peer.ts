import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GrpcConnection, GrpcConnectionOptions } from "../src/connection.js";
import { encodeFrame, FrameFlag, FrameType } from "../src/frame.js";
import { FrameReader } from "../src/frame-reader.js";
import type { GrpcHandler } from "../src/grpc-call.js";
import { HeaderDecoder } from "../src/hpack/header-decoder.js";
import { encodeHeaders } from "../src/hpack/header-encoder.js";
import { PREFACE } from "../src/preface.js";
import { serveSocket } from "../src/serve-socket.js";

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export const ECHO = "/test.Test/Echo";

/** A client that sends and sees single frames, and the connection at the other end of its socket. */
export class RawPeer implements AsyncDisposable {
  readonly frames: ReceivedFrame[] = [];
  closed = false;
  readonly connection: GrpcConnection<undefined>;
  /** The server's end. */
  readonly socket: Socket;
  readonly #client: Socket;
  readonly #dispose: () => Promise<void>;
  readonly #decoder = new HeaderDecoder({ tableBytes: 4096, listBytes: 65_536 });
  #next = -1;

  static async open(options: Partial<GrpcConnectionOptions<undefined>> = {}): Promise<RawPeer> {
    const folder = await mkdtemp(join(tmpdir(), "basil-grpc-wire-"));
    const server = createServer();
    const accepted = new Promise<Socket>((resolve) => void server.once("connection", resolve));
    server.listen(join(folder, "s"));
    await once(server, "listening");
    const client = connect(join(folder, "s"));
    const socket = await accepted;
    const methods = new Map<string, GrpcHandler>([[ECHO, (call) => call.respond(Buffer.from(call.message))]]);
    const connection = serveSocket(socket, { methods, context: undefined, ...options });
    return new RawPeer(connection, socket, client, async () => {
      client.destroy();
      socket.destroy();
      server.close();
      await rm(folder, { recursive: true });
    });
  }

  private constructor(
    connection: GrpcConnection<undefined>,
    socket: Socket,
    client: Socket,
    dispose: () => Promise<void>,
  ) {
    this.connection = connection;
    this.socket = socket;
    this.#client = client;
    this.#dispose = dispose;
    const reader = new FrameReader();
    client.on("data", (chunk) => {
      reader.push(chunk);
      while (reader.next()) {
        const { type, flags, stream, bytes, start, end } = reader;
        this.frames.push({ type, flags, stream, payload: Buffer.from(bytes.subarray(start, end)) });
      }
    });
    client.on("error", () => {});
    client.on("close", () => {
      this.closed = true;
    });
  }

  /** Sends the preface, SETTINGS with these pairs, and more. */
  begin(settings: readonly (readonly [id: number, value: number])[] = [], ...more: readonly Uint8Array[]): void {
    const payload = Buffer.alloc(settings.length * 6);
    settings.forEach(([id, value], n) => {
      payload.writeUInt16BE(id, n * 6);
      payload.writeUInt32BE(value, n * 6 + 2);
    });
    this.send(PREFACE, encodeFrame(FrameType.SETTINGS, 0, 0, payload), ...more);
  }

  send(...chunks: readonly Uint8Array[]): void {
    this.#client.write(Buffer.concat(chunks));
  }

  /** Stops reading, so that the kernel's buffer fills up. */
  pause(): void {
    this.#client.pause();
  }

  end(): void {
    this.#client.destroy();
  }

  /** The HEADERS of a request on the next stream. */
  headers(fields: Readonly<Record<string, string>> = {}, flags: number = FrameFlag.END_HEADERS): Buffer {
    this.#next += 2;
    const all = { ":method": "POST", ":scheme": "http", ":path": ECHO, "content-type": "application/grpc", ...fields };
    return encodeFrame(FrameType.HEADERS, flags, this.#next, encodeHeaders(Object.entries(all)));
  }

  /** The stream of the last {@link headers}. */
  get stream(): number {
    return this.#next;
  }

  data(message: Uint8Array, flags: number = FrameFlag.END_STREAM, stream = this.#next): Buffer {
    return encodeFrame(FrameType.DATA, flags, stream, prefixed(message));
  }

  /** A complete request on the next stream. */
  request(message: Uint8Array, fields: Readonly<Record<string, string>> = {}): Buffer {
    return Buffer.concat([this.headers(fields), this.data(message)]);
  }

  of(type: number): ReceivedFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** The fields of each header block that arrived, as objects, by stream. */
  answers(stream: number): Record<string, string>[] {
    return this.of(FrameType.HEADERS)
      .filter((frame) => frame.stream === stream)
      .map(({ payload }) => {
        const list = this.#decoder.decode(payload) ?? [];
        return Object.fromEntries(list.flatMap((name, n) => (n % 2 === 0 ? [[name, list[n + 1] as string]] : [])));
      });
  }

  status(stream: number): string | undefined {
    return this.answers(stream).find((fields) => "grpc-status" in fields)?.["grpc-status"];
  }

  /** Error codes of RST_STREAM by stream, and of GOAWAY as stream 0. */
  get errors(): [stream: number, code: number][] {
    return this.frames.flatMap(({ type, stream, payload }): [number, number][] => {
      if (type === FrameType.RST_STREAM) return [[stream, payload.readUInt32BE(0)]];
      return type === FrameType.GOAWAY ? [[0, payload.readUInt32BE(4)]] : [];
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#dispose();
  }
}

export function prefixed(message: Uint8Array, announced = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(announced, 1);
  return Buffer.concat([prefix, message]);
}
