import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** RFC 9113 §3.4. */
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Connections to a socket below gRPC; all are cut at disposal. */
export class RawConnections implements Disposable {
  readonly #path: string;
  readonly #open = new Set<{ destroy(): void }>();

  constructor(path: string) {
    this.#path = path;
  }

  /** Connects and sends the bytes; settles when they are written or the other side cut the connection. */
  async send(...chunks: readonly Uint8Array[]): Promise<Socket> {
    const socket = await this.#connect();
    const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
    for (const chunk of chunks) {
      await Promise.race([new Promise<void>((resolve) => void socket.write(chunk, () => resolve())), closed]);
    }
    return socket;
  }

  async #connect(): Promise<Socket> {
    for (;;) {
      const socket = connect(this.#path);
      socket.resume();
      try {
        await once(socket, "connect");
        socket.on("error", () => {});
        this.#keep(socket);
        return socket;
      } catch (error) {
        // More connections wait to be accepted than the kernel keeps (unix(7)).
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        await sleep(5);
      }
    }
  }

  session(): ClientHttp2Session {
    const session = connectHttp2("http://localhost", { createConnection: () => connect(this.#path) });
    session.on("error", () => {});
    this.#keep(session);
    return session;
  }

  /** A request to a method, with its headers sent. */
  request(method: string, headers: Readonly<Record<string, string>> = {}, session = this.session()): ClientHttp2Stream {
    const stream = session.request({
      ":method": "POST",
      ":path": `/basil.broker.v1.${method}`,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    stream.on("error", () => {});
    return stream;
  }

  /** Cuts every connection that is open. */
  [Symbol.dispose](): void {
    for (const each of this.#open) each.destroy();
    this.#open.clear();
  }

  #keep(connection: { destroy(): void; once(event: "close", listener: () => void): unknown }): void {
    this.#open.add(connection);
    connection.once("close", () => this.#open.delete(connection));
  }
}

/** How a request ended; nothing of it for one that was reset. */
export interface RawEnding {
  readonly httpStatus: number | undefined;
  readonly grpcStatus: string | undefined;
  readonly grpcMessage: string | undefined;
}

/** Reads until the status has come, or the stream was closed without one. */
export async function ending(stream: ClientHttp2Stream): Promise<RawEnding> {
  let fields: Record<string, unknown> = {};
  const settled = new Promise<void>((resolve) => {
    const take = (headers: object) => {
      fields = { ...fields, ...headers };
      if ("grpc-status" in fields) resolve();
    };
    stream.on("response", take).on("trailers", take).once("close", resolve);
    if (stream.closed) resolve();
  });
  stream.resume();
  await settled;
  return {
    httpStatus: fields[":status"] as number | undefined,
    grpcStatus: fields["grpc-status"] as string | undefined,
    grpcMessage: fields["grpc-message"] as string | undefined,
  };
}

/** A gRPC message with its prefix of 5 bytes. */
export function prefixed(message: Uint8Array, announced = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(announced, 1);
  return Buffer.concat([prefix, message]);
}

/** A frame of RFC 9113 §4.1. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
