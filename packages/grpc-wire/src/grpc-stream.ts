import type { ErrorCodeName } from "./error-code.js";
import {
  DEFAULT_MAX_FRAME_BYTES,
  encodeFrame,
  FRAME_HEADER_BYTES,
  FrameFlag,
  FrameType,
  writeFrameHeader,
} from "./frame.js";
import type { GrpcCall, HeldStream } from "./grpc-call.js";
import { answerBlocks, encodeTrailers, encodeTrailersOnly, type GrpcStatus } from "./grpc-status.js";
import { encodeHttpRejection, HTTP_REJECTION_TEXT, type HttpRejection, httpRejection } from "./http-rejection.js";
import { MESSAGE_PREFIX_BYTES, MessageReader } from "./message-reader.js";
import type { RequestHead } from "./request-head.js";

/** Messages of a stream that wait to be sent before {@link GrpcCall.write} returns false. */
const WRITE_AHEAD_BYTES = 65_536;
const EMPTY = Buffer.alloc(0);
/** Marks an answer that ends with its data. */
const NO_TRAILERS = Buffer.alloc(0);

/** What a stream needs of its connection. */
export interface StreamConnection {
  readonly maxMessageBytes: number;
  /** Bytes the peer lets this side send on all streams. */
  sendWindow: number;
  /** Whether the socket takes no more data now. */
  readonly blocked: boolean;
  writeFrame(frame: Buffer): void;
  writeHeaders(stream: number, block: Buffer, endStream: boolean): void;
  /** The stream has data that the peer does not let through. */
  wait(stream: GrpcStream): void;
  held(stream: GrpcStream, bytes: number): void;
  refusal(path: string, reason: string): GrpcStatus;
  reset(stream: GrpcStream, code: ErrorCodeName): void;
  /** Everything was sent. */
  answered(stream: GrpcStream): void;
}

/** One stream of a connection: its request until that is complete, its answer until that is sent. */
export class GrpcStream implements GrpcCall, HeldStream {
  readonly id: number;
  readonly head: RequestHead;
  readonly timeoutMs: number | undefined;
  readonly openedAt = performance.now();
  onCancel: (() => void) | undefined;
  message: Uint8Array = EMPTY;
  receiving = true;
  cancelled = false;
  closed = false;
  sendWindow: number;
  /** Bytes received since the peer's window was last opened. */
  unacknowledged = 0;
  /** The status below gRPC that the request gets once it is complete; undefined for a gRPC request. */
  readonly httpStatus: HttpRejection | undefined;
  /** Bytes of DATA received, for `content-length`. */
  received = 0;
  /** When data of the answer was last sent while more waits, as `performance.now()`. */
  progressAt = 0;
  readonly #connection: StreamConnection;
  #reader: MessageReader | undefined;
  #heldBytes = 0;
  /** Memory of the message, until the stream closes. */
  #requestBytes = 0;
  #started = false;
  /** The answer is complete; what remains is to send it. */
  #ended = false;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes of the first pending message that were sent. */
  #sent = 0;
  #trailers: Buffer | undefined;
  #draining: PromiseWithResolvers<void> | undefined;

  constructor(
    connection: StreamConnection,
    id: number,
    head: RequestHead,
    timeoutMs: number | undefined,
    sendWindow: number,
  ) {
    this.#connection = connection;
    this.id = id;
    this.head = head;
    this.httpStatus = httpRejection(head);
    this.timeoutMs = timeoutMs;
    this.sendWindow = sendWindow;
  }

  get path(): string {
    return this.head.path;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether the answer has begun, or is complete. */
  get answering(): boolean {
    return this.#started || this.#ended;
  }

  /** Whether the answer waits for the peer. */
  get sending(): boolean {
    return this.#pendingBytes > 0 || this.#trailers !== undefined;
  }

  get waitsForPeer(): boolean {
    return this.receiving || this.sending;
  }

  metadata(name: string): string | undefined {
    const { fields } = this.head;
    for (let n = 0; n < fields.length; n += 2) if (fields[n] === name) return fields[n + 1];
    return undefined;
  }

  /** Takes the payload of a DATA frame; that of a request below gRPC is not kept. @returns The status to end the call with. */
  receive(bytes: Buffer, start: number, end: number): GrpcStatus | undefined {
    if (this.httpStatus !== undefined) return undefined;
    this.#reader ??= new MessageReader(this.#connection.maxMessageBytes);
    const problem = this.#reader.read(bytes, start, end);
    this.#requestBytes = this.#reader.heldBytes;
    this.#count();
    return problem;
  }

  /** The request ended. @returns The status to end the call with where the message is not complete. */
  finishRequest(): GrpcStatus | undefined {
    this.receiving = false;
    this.#reader ??= new MessageReader(this.#connection.maxMessageBytes);
    const message = this.#reader.finish();
    if (!Buffer.isBuffer(message)) return message;
    this.message = message;
    return undefined;
  }

  respond(message: Uint8Array): void {
    if (this.closed || this.answering) {
      message.fill(0);
      return;
    }
    this.#ended = true;
    const { head, ok } = answerBlocks();
    const data = MESSAGE_PREFIX_BYTES + message.length;
    const connection = this.#connection;
    if (connection.blocked || data > Math.min(this.sendWindow, connection.sendWindow, DEFAULT_MAX_FRAME_BYTES)) {
      this.#started = true;
      connection.writeHeaders(this.id, head, false);
      this.#queue(message);
      this.#trailers = Buffer.from(ok);
      this.flush();
      return;
    }
    this.sendWindow -= data;
    connection.sendWindow -= data;
    const frames = Buffer.allocUnsafe(3 * FRAME_HEADER_BYTES + head.length + data + ok.length);
    let at = writeFrameHeader(frames, 0, head.length, FrameType.HEADERS, FrameFlag.END_HEADERS, this.id);
    frames.set(head, at);
    at = writeFrameHeader(frames, at + head.length, data, FrameType.DATA, 0, this.id);
    at = writePrefix(frames, at, message.length);
    frames.set(message, at);
    message.fill(0);
    const last = FrameFlag.END_HEADERS | FrameFlag.END_STREAM;
    at = writeFrameHeader(frames, at + message.length, ok.length, FrameType.HEADERS, last, this.id);
    frames.set(ok, at);
    connection.writeFrame(frames);
    connection.answered(this);
  }

  end(status: GrpcStatus): void {
    if (this.closed || this.#ended) return;
    this.#ended = true;
    if (this.#started) {
      this.#trailers = encodeTrailers(status);
      this.flush();
      return;
    }
    this.#connection.writeHeaders(this.id, encodeTrailersOnly(status), true);
    this.#connection.answered(this);
  }

  /** Answers a request that is not gRPC. */
  rejectHttp(status: HttpRejection): void {
    if (this.closed || this.answering) return;
    this.#ended = true;
    this.#started = true;
    this.#connection.writeHeaders(this.id, encodeHttpRejection(status), false);
    this.#pending.push(Buffer.from(HTTP_REJECTION_TEXT));
    this.#pendingBytes = HTTP_REJECTION_TEXT.length;
    this.progressAt = performance.now();
    this.#trailers = NO_TRAILERS;
    this.flush();
  }

  start(): void {
    if (this.closed || this.answering) return;
    this.#started = true;
    this.#connection.writeHeaders(this.id, answerBlocks().head, false);
  }

  write(message: Uint8Array): boolean {
    if (this.closed || this.#ended) {
      message.fill(0);
      return true;
    }
    this.start();
    this.#queue(message);
    this.flush();
    return this.#pendingBytes <= WRITE_AHEAD_BYTES;
  }

  drained(): Promise<void> {
    if (this.closed || this.#pendingBytes <= WRITE_AHEAD_BYTES) return Promise.resolve();
    this.#draining ??= Promise.withResolvers();
    return this.#draining.promise;
  }

  refuse(reason: string): void {
    if (this.closed) return;
    if (this.answering) this.#connection.reset(this, "CANCEL");
    else this.end(this.#connection.refusal(this.path, reason));
  }

  /** Sends what the windows and the socket let through, then the trailers. */
  flush(): void {
    const connection = this.#connection;
    while (this.#pendingBytes > 0) {
      const first = this.#pending[0] as Buffer;
      const size = Math.min(first.length - this.#sent, this.sendWindow, connection.sendWindow, DEFAULT_MAX_FRAME_BYTES);
      if (size <= 0 || connection.blocked) {
        connection.wait(this);
        this.#count();
        return;
      }
      this.#sendData(first, size);
    }
    this.#count();
    if (this.closed) return;
    if (this.#trailers === undefined) return;
    const trailers = this.#trailers;
    this.#trailers = undefined;
    if (trailers === NO_TRAILERS) {
      connection.writeFrame(encodeFrame(FrameType.DATA, FrameFlag.END_STREAM, this.id, EMPTY));
    } else {
      connection.writeHeaders(this.id, trailers, true);
    }
    connection.answered(this);
  }

  /** The stream is over: frees what it holds. @param cancelled - Whether the peer, or a limit, ended it before its answer. */
  close(cancelled: boolean): void {
    if (this.closed) return;
    this.closed = true;
    this.#reader?.discard();
    this.#reader = undefined;
    for (const message of this.#pending) message.fill(0);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#trailers = undefined;
    if (cancelled && !this.#ended) {
      this.cancelled = true;
      this.onCancel?.();
    } else {
      this.cancelled ||= cancelled;
    }
    this.onCancel = undefined;
    this.#drain();
  }

  #queue(message: Uint8Array): void {
    if (this.#pendingBytes === 0) this.progressAt = performance.now();
    const framed = Buffer.allocUnsafe(MESSAGE_PREFIX_BYTES + message.length);
    framed.set(message, writePrefix(framed, 0, message.length));
    message.fill(0);
    this.#pending.push(framed);
    this.#pendingBytes += framed.length;
  }

  #sendData(message: Buffer, size: number): void {
    const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + size);
    const at = writeFrameHeader(frame, 0, size, FrameType.DATA, 0, this.id);
    message.copy(frame, at, this.#sent, this.#sent + size);
    this.#sent += size;
    this.#pendingBytes -= size;
    this.sendWindow -= size;
    this.#connection.sendWindow -= size;
    this.progressAt = performance.now();
    this.#connection.writeFrame(frame);
    if (this.#sent < message.length) return;
    message.fill(0);
    this.#pending.shift();
    this.#sent = 0;
    if (this.#pendingBytes <= WRITE_AHEAD_BYTES) this.#drain();
  }

  #drain(): void {
    this.#draining?.resolve();
    this.#draining = undefined;
  }

  /** Reports to the connection what the request and the unsent answer take. */
  #count(): void {
    const change = this.#requestBytes + this.#pendingBytes - this.#heldBytes;
    if (change === 0 || this.closed) return;
    this.#heldBytes += change;
    this.#connection.held(this, change);
  }
}

function writePrefix(into: Buffer, at: number, length: number): number {
  into[at] = 0;
  into.writeUInt32BE(length, at + 1);
  return at + MESSAGE_PREFIX_BYTES;
}
