import { connect, type Socket } from "node:net";
import { frame, PREFACE, prefixed } from "../../e2e/protocol/raw-connection.ts";

export interface GrpcLoadTarget {
  readonly socket: string;
  /** For example `/basil.broker.v1.AdminService/Health`. */
  readonly path: string;
  readonly message: Uint8Array;
  /** What each answer must hold: a message, or a status alone. */
  readonly expect: "message" | "status";
}

export interface LoadLength {
  readonly inFlight: number;
  readonly milliseconds?: number;
  readonly calls?: number;
}

const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;

/**
 * Unary calls over one connection in a few microseconds each, so that the load takes little of the machine that it
 * shares with what is measured. It writes frames by hand and tells answers apart by whether a message came.
 */
export class GrpcLoad implements Disposable {
  readonly #socket: Socket;
  readonly #target: GrpcLoadTarget;
  readonly #headers: Buffer;
  readonly #body: Buffer;
  readonly #startedAt = new Map<number, number>();
  readonly #answered = new Set<number>();
  #nextStream = 1;
  #rest: Buffer = Buffer.alloc(0);
  #onEnd: (milliseconds: number) => void = () => {};
  #fail: (error: Error) => void = (error) => {
    throw error;
  };

  private constructor(socket: Socket, target: GrpcLoadTarget) {
    this.#socket = socket;
    this.#target = target;
    this.#headers = requestHeaders(target.path);
    this.#body = prefixed(target.message);
    socket.write(PREFACE);
    const ample = Buffer.alloc(4);
    ample.writeUInt32BE(2 ** 30);
    socket.write(frame(SETTINGS, 0, 0, new Uint8Array()));
    socket.write(frame(WINDOW_UPDATE, 0, 0, ample));
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the connection was closed")));
  }

  static open(target: GrpcLoadTarget): Promise<GrpcLoad> {
    return new Promise((resolve, reject) => {
      const socket = connect(target.socket, () => resolve(new GrpcLoad(socket, target))).once("error", reject);
    });
  }

  /** Keeps so many calls in flight until the time is over or all are made. @returns how long each took, in milliseconds. */
  run({ inFlight, milliseconds = Infinity, calls = Infinity }: LoadLength): Promise<number[]> {
    return new Promise((resolve, reject) => {
      const until = performance.now() + milliseconds;
      const times: number[] = [];
      this.#fail = reject;
      this.#onEnd = (took) => {
        times.push(took);
        if (performance.now() < until && times.length + this.#startedAt.size < calls) this.#call();
        else if (this.#startedAt.size === 0) resolve(times);
      };
      this.#socket.cork();
      for (let lane = 0; lane < inFlight; lane++) this.#call();
      this.#socket.uncork();
    });
  }

  [Symbol.dispose](): void {
    this.#fail = () => {};
    this.#socket.destroy();
  }

  #call(): void {
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#startedAt.set(stream, performance.now());
    this.#socket.write(
      Buffer.concat([frame(HEADERS, END_HEADERS, stream, this.#headers), frame(DATA, END_STREAM, stream, this.#body)]),
    );
  }

  #read(chunk: Buffer): void {
    this.#socket.cork();
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const end = 9 + bytes.readUIntBE(0, 3);
      this.#take(bytes.readUInt8(3), bytes.readUInt8(4), bytes.readUInt32BE(5), bytes.subarray(9, end));
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    this.#socket.uncork();
  }

  #take(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === SETTINGS && !(flags & ACK)) this.#socket.write(frame(SETTINGS, ACK, 0, new Uint8Array()));
    else if (type === PING && !(flags & ACK)) this.#socket.write(frame(PING, ACK, 0, payload));
    else if (type === GOAWAY || type === RST_STREAM) this.#fail(new Error(`frame ${type}: ${payload.toString("hex")}`));
    else if (type === DATA || type === HEADERS) {
      if (type === DATA && payload.length > 0) this.#answered.add(stream);
      if (flags & END_STREAM) this.#ended(stream);
    }
  }

  #ended(stream: number): void {
    const came = this.#answered.delete(stream) ? "message" : "status";
    if (came !== this.#target.expect) this.#fail(new Error(`${this.#target.path} was answered with a ${came}`));
    const startedAt = this.#startedAt.get(stream) ?? Number.NaN;
    this.#startedAt.delete(stream);
    this.#onEnd(performance.now() - startedAt);
  }
}

/** A header block without the dynamic table (RFC 7541 §6.1, §6.2.2), the same for every call. */
function requestHeaders(path: string): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
  const named = (index: Buffer, value: string) => Buffer.concat([index, text(value)]);
  const literal = (name: string, value: string) => Buffer.concat([Buffer.of(0), text(name), text(value)]);
  return Buffer.concat([
    Buffer.of(0x83, 0x86),
    named(Buffer.of(0x04), path),
    named(Buffer.of(0x01), "localhost"),
    named(Buffer.of(0x0f, 0x10), "application/grpc"),
    literal("te", "trailers"),
    literal("grpc-timeout", "30S"),
  ]);
}
