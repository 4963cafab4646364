import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";

export interface RequestBytesLimits {
  /** Bytes of one message. */
  readonly maxMessageBytes: number;
  /** Bytes of the requests that are open, of all callers. */
  readonly maxOpenBytes: number;
  /** The same of one user. */
  readonly maxOpenBytesPerUser: number;
  /** Milliseconds a request gets to come whole. */
  readonly receiveTimeoutMs: number;
}

/** Ends a request with the reason that is given. */
export type Refuse = (stream: ServerHttp2Stream, path: string, reason: string) => void;

/** What of one user is in memory. */
interface User {
  bytes: number;
  readonly connections: Set<ConnectionBytes>;
}

/** A stream's request: how much of it has come, and where that lies. */
interface Request {
  readonly stream: ServerHttp2Stream;
  readonly path: string;
  readonly since: number;
  /** What it counts before its first byte: {@link STREAM_BYTES}, and of a compressed one what it may become. */
  readonly base: number;
  bytes: number;
  readonly buffers: ArrayBufferLike[];
}

/** What a stream takes that is open, with all that is made for it. */
const STREAM_BYTES = 16_384;
/** Streams of each connection that are let in over the limits, and what they may bring, so that health is always answered. */
const FREE_STREAMS = 4;
const FREE_BYTES = STREAM_BYTES + 4096;

/**
 * What requests hold in memory from their first byte until they are answered, whole or not: what a sender that never comes
 * to its end can take. Counted is what keeps memory from being freed: the buffers that were read, once each, however few
 * of their bytes belong to a request, and a sum for the stream itself.
 */
export class RequestBytes {
  readonly limits: RequestBytesLimits;
  readonly refuse: Refuse;
  readonly #users = new Map<number, User>();
  #bytes = 0;

  constructor(limits: RequestBytesLimits, refuse: Refuse) {
    this.limits = limits;
    this.refuse = refuse;
  }

  /** Bytes of all requests that are open. */
  get bytes(): number {
    return this.#bytes;
  }

  connection(uid: number): ConnectionBytes {
    const user = this.#users.get(uid) ?? { bytes: 0, connections: new Set() };
    this.#users.set(uid, user);
    const connection = new ConnectionBytes(this, user, () => {
      user.connections.delete(connection);
      if (user.connections.size === 0) this.#users.delete(uid);
    });
    user.connections.add(connection);
    return connection;
  }

  /** @internal */
  add(user: User, bytes: number, request: Request, connection: ConnectionBytes): void {
    user.bytes += bytes;
    this.#bytes += bytes;
    if (bytes <= 0 || connection.lets(request)) return;
    const { maxOpenBytes, maxOpenBytesPerUser } = this.limits;
    while (user.bytes > maxOpenBytesPerUser) {
      const reason = `requests of this user hold more than ${maxOpenBytesPerUser} bytes`;
      if (!this.#refuseOneOf(user, reason, request, connection)) break;
    }
    while (this.#bytes > maxOpenBytes) {
      const most = [...this.#users.values()].reduce((one, other) => (other.bytes > one.bytes ? other : one));
      const reason = `requests hold more than ${maxOpenBytes} bytes`;
      if (!this.#refuseOneOf(most, reason, request, connection)) break;
    }
  }

  /** The one that is too much when it has just begun; otherwise the largest of the user's that has not come whole. */
  #refuseOneOf(user: User, reason: string, last: Request, lastConnection: ConnectionBytes): boolean {
    if (last.buffers.length === 0) return lastConnection.drop(last, reason);
    let [largest, at]: [Request | undefined, ConnectionBytes] = [undefined, lastConnection];
    for (const connection of user.connections) {
      const candidate = connection.largestUnfinished();
      if (candidate !== undefined && candidate.bytes > (largest?.bytes ?? 0)) [largest, at] = [candidate, connection];
    }
    return at.drop(largest ?? last, reason);
  }
}

/** The requests of one connection. */
export class ConnectionBytes implements Disposable {
  readonly #all: RequestBytes;
  readonly #user: User;
  readonly #left: () => void;
  readonly #requests = new Map<ServerHttp2Stream, Request>();
  /** How many requests keep a buffer. */
  readonly #buffers = new Map<ArrayBufferLike, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(all: RequestBytes, user: User, left: () => void) {
    this.#all = all;
    this.#user = user;
    this.#left = left;
  }

  /** The connection is closed. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const request of this.#requests.values()) this.#forget(request);
    this.#left();
  }

  /** Counts a stream's bytes until it is closed. To be called before anybody reads it. */
  open(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const encoding = headers["grpc-encoding"];
    const inflated = encoding === undefined || encoding === "identity" ? 0 : this.#all.limits.maxMessageBytes;
    const base = STREAM_BYTES + inflated;
    const path = headers[":path"] ?? "";
    const request: Request = { stream, path, since: performance.now(), base, bytes: base, buffers: [] };
    this.#requests.set(stream, request);
    stream.once("close", () => this.#forget(request));
    // A listener for data has a stream read. One that the server leaves unread holds no more than its window.
    const begin = (event: string | symbol) => {
      if (event !== "data") return;
      stream.off("newListener", begin);
      stream.on("data", (chunk: Uint8Array) => this.#received(request, chunk));
    };
    stream.on("newListener", begin);
    this.#timer ??= this.#lookAfter(this.#all.limits.receiveTimeoutMs);
    this.#all.add(this.#user, base, request, this);
  }

  /** @internal Whether a request comes in whatever the others hold. */
  lets({ bytes }: Request): boolean {
    return this.#requests.size <= FREE_STREAMS && bytes <= FREE_BYTES;
  }

  /** @internal */
  largestUnfinished(): Request | undefined {
    let largest: Request | undefined;
    for (const request of this.#requests.values()) {
      if (!request.stream.readableEnded && request.bytes > (largest?.bytes ?? 0)) largest = request;
    }
    return largest;
  }

  /** @internal @returns Whether it was there. */
  drop(request: Request, reason: string): boolean {
    if (!this.#forget(request)) return false;
    this.#all.refuse(request.stream, request.path, reason);
    return true;
  }

  #received(request: Request, { buffer }: Uint8Array): void {
    if (!this.#requests.has(request.stream) || request.buffers.at(-1) === buffer) return;
    // A message that announced too many bytes, say: what is still to come would be read and kept for nobody.
    if (request.stream.writableEnded) {
      this.drop(request, "it was answered before it came whole");
      return;
    }
    request.buffers.push(buffer);
    request.bytes += buffer.byteLength;
    const users = this.#buffers.get(buffer) ?? 0;
    this.#buffers.set(buffer, users + 1);
    if (users === 0) this.#all.add(this.#user, buffer.byteLength, request, this);
  }

  #forget(request: Request): boolean {
    if (!this.#requests.delete(request.stream)) return false;
    let freed = request.base;
    for (const buffer of request.buffers) {
      const users = (this.#buffers.get(buffer) ?? 1) - 1;
      if (users > 0) {
        this.#buffers.set(buffer, users);
      } else {
        this.#buffers.delete(buffer);
        freed += buffer.byteLength;
      }
    }
    this.#all.add(this.#user, -freed, request, this);
    return true;
  }

  #lookAfter(ms: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      const { receiveTimeoutMs } = this.#all.limits;
      const now = performance.now();
      let oldest: number | undefined;
      for (const request of [...this.#requests.values()]) {
        if (request.stream.readableEnded) continue;
        if (now - request.since < receiveTimeoutMs) oldest ??= request.since;
        else this.drop(request, `the request did not come whole within ${receiveTimeoutMs} ms`);
      }
      this.#timer = oldest === undefined ? undefined : this.#lookAfter(oldest + receiveTimeoutMs - now);
    }, ms);
    return timer.unref();
  }
}
