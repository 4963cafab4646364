import type { Socket } from "node:net";
import { ErrorCode, type ErrorCodeName } from "./error-code.js";
import {
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_WINDOW,
  encodeFrame,
  encodeGoaway,
  encodeIntegerFrame,
  FrameFlag,
  FrameType,
  LARGEST_WINDOW,
} from "./frame.js";
import { FrameRates, type RatedFrame } from "./frame-rates.js";
import { FrameReader } from "./frame-reader.js";
import type { GrpcHandler, HeldStream, StreamLedger } from "./grpc-call.js";
import { encodeTrailersOnly, type GrpcStatus, StatusCode } from "./grpc-status.js";
import { GrpcStream, type StreamConnection } from "./grpc-stream.js";
import { parseTimeout } from "./grpc-timeout.js";
import { type FieldList, HeaderDecoder } from "./hpack/header-decoder.js";
import { DEFAULT_WIRE_LIMITS, type WireLimits } from "./limits.js";
import { Outbox } from "./outbox.js";
import { PREFACE } from "./preface.js";
import { ConnectionFault } from "./protocol-error.js";
import { areFields, type RequestHead, readRequestHead } from "./request-head.js";
import { applySettings, defaultPeerSettings, encodeSettings } from "./settings.js";

/** What {@link GrpcConnection.read} counts for a stream that opens, in bytes: about as much work as reading so many. */
export const STREAM_COST_BYTES = 16_384;

/** Streams that this side reset while the peer may still send on them; older ones are forgotten. */
const MAX_RESET_STREAMS = 512;
/**
 * Received bytes after which the peer's window is opened again. A frame has at most 16,384 bytes, so a window is never
 * exceeded: what a peer sends without leave is bounded by what its streams may hold.
 */
const WINDOW_UPDATE_BYTES = DEFAULT_WINDOW >> 1;
/** Frames of one header block. */
const MAX_BLOCK_FRAMES = 16;

export interface GrpcConnectionOptions<Context> {
  /** The handler of each path. Another path is answered UNIMPLEMENTED. */
  readonly methods: ReadonlyMap<string, GrpcHandler<Context>>;
  /** Passed to each handler. */
  readonly context: Context;
  readonly limits?: Partial<WireLimits>;
  /** Accounts for memory. Without it only the limits of a connection hold. */
  readonly ledger?: StreamLedger;
  /** The status of a request that a limit refuses. Default: RESOURCE_EXHAUSTED with the reason. */
  readonly refusal?: (path: string, reason: string) => GrpcStatus;
  /** Gets what a handler throws. Without it nothing is reported; the call ends with INTERNAL all the same. */
  readonly onFault?: (error: unknown, path: string) => void;
  /** Called when the peer has read enough after {@link GrpcConnection.blocked} was true. */
  readonly onUnblocked?: () => void;
}

/** A header block that is not complete. */
interface OpenBlock {
  readonly stream: number;
  readonly endStream: boolean;
  readonly parts: Buffer[];
  bytes: number;
}

/**
 * Serves gRPC on one socket (RFC 9113, RFC 7541, gRPC over HTTP/2): unary calls and server streams, messages without
 * compression. The owner of the socket passes its bytes to {@link push} and calls {@link read}, so it decides how much work
 * a connection gets. A peer that violates the protocol or a limit gets GOAWAY or RST_STREAM with the code of the RFC.
 */
export class GrpcConnection<Context> implements StreamConnection {
  sendWindow = DEFAULT_WINDOW;
  readonly #socket: Socket;
  readonly #options: GrpcConnectionOptions<Context>;
  readonly #limits: WireLimits;
  readonly #reader = new FrameReader();
  readonly #decoder: HeaderDecoder;
  readonly #rates = new FrameRates();
  readonly #outbox: Outbox;
  readonly #peer = defaultPeerSettings();
  readonly #streams = new Map<number, GrpcStream>();
  /** Streams with data that waits for a window or for the socket. */
  readonly #waiting = new Set<GrpcStream>();
  /** Closed streams: whether frames of the peer may still be on their way, so that they are ignored. */
  readonly #closedStreams = new Map<number, boolean>();
  #prefaceBytes = 0;
  #settled = false;
  #block: OpenBlock | undefined;
  #lastStream = 0;
  #unacknowledged = 0;
  #draining = false;
  #ended = false;
  #idleSince = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #lastFields: FieldList | undefined;
  #lastHead: RequestHead | undefined;
  #cost = 0;
  /** Streams that opened in this {@link read} without their end. */
  readonly #incomplete: GrpcStream[] = [];
  /** Stands in the ledger for the bytes that wait for the socket while it is blocked. */
  #unsent: (HeldStream & { heldBytes: number }) | undefined;

  constructor(socket: Socket, options: GrpcConnectionOptions<Context>) {
    this.#socket = socket;
    this.#options = options;
    this.#limits = { ...DEFAULT_WIRE_LIMITS, ...options.limits };
    this.#decoder = new HeaderDecoder({
      tableBytes: this.#limits.headerTableBytes,
      listBytes: this.#limits.maxHeaderListBytes,
    });
    this.#outbox = new Outbox(socket, this.#limits.maxUnsentBytes, () => this.#onDrained());
    socket.once("close", () => this.#closed());
    this.#send(encodeSettings(this.#limits));
    this.#watch(this.#idleSince + this.#limits.idleTimeoutMs);
  }

  /** Calls that are not answered completely. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Calls whose request has arrived completely. */
  get working(): number {
    let count = 0;
    for (const { receiving } of this.#streams.values()) if (!receiving) count += 1;
    return count;
  }

  /** Whether {@link read} has work. */
  get readable(): boolean {
    return this.#reader.hasInput && !this.#outbox.blocked && !this.#ended;
  }

  /** Whether the peer reads so slowly that nothing more should be read from it. `onUnblocked` says when to go on. */
  get blocked(): boolean {
    return this.#outbox.blocked;
  }

  /** @internal */
  get maxMessageBytes(): number {
    return this.#limits.maxMessageBytes;
  }

  /** Adds bytes that the socket received, the preface included. The memory belongs to the connection, which zeroes it. */
  push(chunk: Buffer): void {
    if (this.#ended) chunk.fill(0);
    else this.#reader.push(chunk);
  }

  /**
   * Handles the frames that are complete.
   *
   * @param budget - Bytes after which it returns; a frame is never divided.
   * @returns What was used of it: bytes of frames, and {@link STREAM_COST_BYTES} for each stream.
   */
  read(budget: number = Number.POSITIVE_INFINITY): number {
    this.#cost = 0;
    try {
      while (this.#cost < budget && this.readable && this.#readOne());
    } catch (error) {
      if (!(error instanceof ConnectionFault)) throw error;
      this.#fail(error);
    }
    const late = this.#incomplete.find(({ receiving, closed }) => receiving && !closed);
    if (late !== undefined) this.#watch(late.openedAt + this.#limits.receiveTimeoutMs);
    this.#incomplete.length = 0;
    return this.#cost;
  }

  /** Accepts no new stream, and closes the socket once the open ones are answered. */
  drain(): void {
    if (this.#draining || this.#ended) return;
    this.#draining = true;
    this.#send(encodeGoaway(this.#lastStream, ErrorCode.NO_ERROR, ""));
    this.#endWhenDrained();
  }

  /** Closes the socket at once. Calls at work are cancelled. */
  destroy(): void {
    this.#socket.destroy();
    this.#closed();
  }

  /** @internal */
  writeFrame(frame: Buffer): void {
    this.#rates.answered();
    this.#send(frame);
  }

  #send(frame: Buffer): void {
    this.#outbox.write(frame);
    if (!this.#outbox.blocked) return;
    this.#watch(performance.now() + this.#limits.sendTimeoutMs);
    this.#countUnsent();
  }

  #countUnsent(): void {
    const { ledger } = this.#options;
    if (ledger === undefined || this.#socket.destroyed) return;
    if (this.#unsent === undefined) {
      this.#unsent = { heldBytes: 0, waitsForPeer: true, refuse: () => this.destroy() };
      ledger.opened(this.#unsent);
    }
    const change = this.#outbox.unsentBytes - this.#unsent.heldBytes;
    this.#unsent.heldBytes += change;
    ledger.held(this.#unsent, change);
  }

  #forgetUnsent(): void {
    if (this.#unsent === undefined) return;
    const unsent = this.#unsent;
    this.#unsent = undefined;
    this.#options.ledger?.closed(unsent);
  }

  /** @internal */
  writeHeaders(stream: number, block: Buffer, endStream: boolean): void {
    const max = DEFAULT_MAX_FRAME_BYTES;
    const end = endStream ? FrameFlag.END_STREAM : 0;
    for (let at = 0; at === 0 || at < block.length; at += max) {
      const last = at + max >= block.length ? FrameFlag.END_HEADERS : 0;
      const [type, flags] = at === 0 ? [FrameType.HEADERS, end | last] : [FrameType.CONTINUATION, last];
      this.writeFrame(encodeFrame(type, flags, stream, block.subarray(at, at + max)));
    }
  }

  /** @internal */
  wait(stream: GrpcStream): void {
    this.#waiting.add(stream);
    this.#watch(stream.progressAt + this.#limits.sendTimeoutMs);
  }

  /** @internal */
  held(stream: GrpcStream, bytes: number): void {
    this.#options.ledger?.held(stream, bytes);
  }

  /** @internal */
  refusal(path: string, reason: string): GrpcStatus {
    return this.#options.refusal?.(path, reason) ?? { code: StatusCode.RESOURCE_EXHAUSTED, message: reason };
  }

  /** @internal */
  reset(stream: GrpcStream, code: ErrorCodeName): void {
    if (stream.closed) return;
    this.#send(encodeIntegerFrame(FrameType.RST_STREAM, stream.id, ErrorCode[code]));
    this.#close(stream, true);
  }

  /** @internal */
  answered(stream: GrpcStream): void {
    // RFC 9113 §8.1: a complete answer to an incomplete request, then a reset without an error.
    if (stream.receiving) {
      this.#send(encodeIntegerFrame(FrameType.RST_STREAM, stream.id, ErrorCode.NO_ERROR));
    }
    this.#close(stream, false);
  }

  /** Resets a stream for a violation. It counts as a reset by the peer, which could cause them without end (CVE-2025-8671). */
  #violated(stream: GrpcStream, code: ErrorCodeName): void {
    this.reset(stream, code);
    this.#take("RST_STREAM");
  }

  #readOne(): boolean {
    if (this.#prefaceBytes < PREFACE.length) return this.#readPreface();
    const reader = this.#reader;
    if (!reader.next()) return false;
    this.#cost += reader.end - reader.start + 9;
    if (!this.#settled && reader.type !== FrameType.SETTINGS) {
      throw new ConnectionFault("PROTOCOL_ERROR", "the first frame is not SETTINGS");
    }
    if (this.#block !== undefined && (reader.type !== FrameType.CONTINUATION || reader.stream !== this.#block.stream)) {
      throw new ConnectionFault("PROTOCOL_ERROR", "a header block that is not continued");
    }
    switch (reader.type) {
      case FrameType.DATA:
        this.#onData();
        break;
      case FrameType.HEADERS:
        this.#onHeaders();
        break;
      case FrameType.PRIORITY:
        this.#onPriority();
        break;
      case FrameType.RST_STREAM:
        this.#onReset();
        break;
      case FrameType.SETTINGS:
        this.#onSettings();
        break;
      case FrameType.PUSH_PROMISE:
        throw new ConnectionFault("PROTOCOL_ERROR", "PUSH_PROMISE from a client");
      case FrameType.PING:
        this.#onPing();
        break;
      case FrameType.GOAWAY:
        this.#expectConnection();
        if (reader.end - reader.start < 8) throw new ConnectionFault("FRAME_SIZE_ERROR", "a short GOAWAY");
        // The client opens no more streams, and reads the answers of those that are open.
        this.#draining = true;
        this.#endWhenDrained();
        break;
      case FrameType.WINDOW_UPDATE:
        this.#onWindowUpdate();
        break;
      case FrameType.CONTINUATION:
        this.#onContinuation();
        break;
      default:
        this.#take("unknown");
    }
    return true;
  }

  #readPreface(): boolean {
    const found = this.#reader.skip(PREFACE.subarray(this.#prefaceBytes));
    if (found < 0) throw new ConnectionFault("PROTOCOL_ERROR", "the preface of HTTP/2 is missing");
    this.#prefaceBytes += found;
    return found > 0;
  }

  #onData(): void {
    const { stream: id, flags, bytes } = this.#reader;
    const size = this.#reader.end - this.#reader.start;
    if (id === 0) throw new ConnectionFault("PROTOCOL_ERROR", "DATA on stream 0");
    const [start, end] = this.#unpadded();
    this.#acknowledge(size);
    const endStream = (flags & FrameFlag.END_STREAM) !== 0;
    if (start === end && !endStream) this.#take("DATA");
    const stream = this.#streams.get(id);
    if (stream === undefined || !stream.receiving) {
      if (this.#ignores(id, endStream)) return;
      if (stream === undefined) throw new ConnectionFault("STREAM_CLOSED", "DATA on a closed stream");
      this.#violated(stream, "STREAM_CLOSED");
      return;
    }
    stream.unacknowledged += size;
    stream.received += end - start;
    const { contentLength } = stream.head;
    if (
      contentLength !== undefined &&
      (stream.received > contentLength || (endStream && stream.received < contentLength))
    ) {
      this.#violated(stream, "PROTOCOL_ERROR");
      return;
    }
    const problem = stream.receive(bytes, start, end);
    if (stream.closed) return;
    if (endStream) {
      this.#finish(stream, problem);
    } else if (problem !== undefined) {
      stream.end(problem);
    } else if (stream.unacknowledged >= WINDOW_UPDATE_BYTES) {
      this.#send(encodeIntegerFrame(FrameType.WINDOW_UPDATE, id, stream.unacknowledged));
      stream.unacknowledged = 0;
    }
  }

  #onHeaders(): void {
    const { stream, flags, bytes } = this.#reader;
    if (stream === 0) throw new ConnectionFault("PROTOCOL_ERROR", "HEADERS on stream 0");
    let [start, end] = this.#unpadded();
    if (flags & FrameFlag.PRIORITY) {
      if (end - start < 5) throw new ConnectionFault("FRAME_SIZE_ERROR", "HEADERS without its priority");
      if ((bytes.readUInt32BE(start) & 0x7fff_ffff) === stream) {
        throw new ConnectionFault("PROTOCOL_ERROR", "a stream that depends on itself");
      }
      start += 5;
    }
    const endStream = (flags & FrameFlag.END_STREAM) !== 0;
    if (flags & FrameFlag.END_HEADERS) {
      this.#onBlock(stream, bytes.subarray(start, end), endStream);
      return;
    }
    this.#block = { stream, endStream, parts: [Buffer.from(bytes.subarray(start, end))], bytes: end - start };
  }

  #onContinuation(): void {
    const { flags, bytes, start, end } = this.#reader;
    const block = this.#block;
    if (block === undefined) throw new ConnectionFault("PROTOCOL_ERROR", "CONTINUATION without HEADERS");
    this.#take("CONTINUATION");
    block.bytes += end - start;
    if (block.bytes > this.#limits.maxHeaderBlockBytes || block.parts.length >= MAX_BLOCK_FRAMES) {
      throw new ConnectionFault("ENHANCE_YOUR_CALM", "a header block over its limit");
    }
    block.parts.push(Buffer.from(bytes.subarray(start, end)));
    if ((flags & FrameFlag.END_HEADERS) === 0) return;
    this.#block = undefined;
    this.#onBlock(block.stream, Buffer.concat(block.parts), block.endStream);
  }

  /** A complete header block: of a request that begins, or the trailers of one. */
  #onBlock(id: number, block: Buffer, endStream: boolean): void {
    const fields = this.#decoder.decode(block);
    const open = this.#streams.get(id);
    if (open !== undefined) {
      this.#onTrailers(open, fields, endStream);
      return;
    }
    if (id <= this.#lastStream) {
      if (this.#ignores(id, endStream)) return;
      const code = this.#closedStreams.has(id) ? "STREAM_CLOSED" : "PROTOCOL_ERROR";
      throw new ConnectionFault(code, "HEADERS on a closed stream");
    }
    if (id % 2 === 0) throw new ConnectionFault("PROTOCOL_ERROR", "a stream with an even number from a client");
    this.#cost += STREAM_COST_BYTES;
    this.#lastStream = id;
    if (this.#draining || this.#streams.size >= this.#limits.maxStreams) {
      this.#rejectStream(id, "REFUSED_STREAM", endStream);
      return;
    }
    if (fields === undefined) {
      const message = `header fields of more than ${this.#limits.maxHeaderListBytes} bytes`;
      this.#answerHead(id, encodeTrailersOnly({ code: StatusCode.RESOURCE_EXHAUSTED, message }), endStream);
      return;
    }
    const head = this.#head(fields);
    if (head === undefined || (endStream && (head.contentLength ?? 0) > 0)) {
      this.#rejectStream(id, "PROTOCOL_ERROR", endStream);
      return;
    }
    this.#open(id, head, endStream);
  }

  #head(fields: FieldList): RequestHead | undefined {
    if (fields === this.#lastFields) return this.#lastHead;
    this.#lastFields = fields;
    this.#lastHead = readRequestHead(fields);
    return this.#lastHead;
  }

  #open(id: number, head: RequestHead, endStream: boolean): void {
    const timeoutMs = head.timeout === undefined ? undefined : parseTimeout(head.timeout);
    const stream = new GrpcStream(this, id, head, timeoutMs, this.#peer.initialWindow);
    this.#streams.set(id, stream);
    if (!endStream) this.#incomplete.push(stream);
    const refused = this.#options.ledger?.opened(stream);
    if (refused !== undefined) {
      stream.receiving = !endStream;
      stream.end(this.refusal(head.path, refused));
      return;
    }
    const problem = stream.httpStatus === undefined ? this.#problem(head, timeoutMs) : undefined;
    if (endStream) this.#finish(stream, problem);
    else if (problem !== undefined) stream.end(problem);
    // One without a content type, such as a GET, is answered when it is complete.
    else if (stream.httpStatus !== undefined && head.contentType !== "") stream.rejectHttp(stream.httpStatus);
  }

  /** What no handler needs to see. */
  #problem(head: RequestHead, timeoutMs: number | undefined): GrpcStatus | undefined {
    if (head.encoding !== "identity") {
      const metadata = [["grpc-accept-encoding", "identity"]] as const;
      return { code: StatusCode.UNIMPLEMENTED, message: "this grpc-encoding is not supported", metadata };
    }
    if (head.timeout !== undefined && timeoutMs === undefined) {
      return { code: StatusCode.INTERNAL, message: "a grpc-timeout that is not valid" };
    }
    if (!this.#options.methods.has(head.path)) return { code: StatusCode.UNIMPLEMENTED, message: "unknown method" };
    return undefined;
  }

  #onTrailers(stream: GrpcStream, fields: FieldList | undefined, endStream: boolean): void {
    if (!stream.receiving) {
      this.#violated(stream, "STREAM_CLOSED");
    } else if (!endStream || fields === undefined || !areFields(fields)) {
      this.#violated(stream, "PROTOCOL_ERROR");
    } else if (stream.head.contentLength !== undefined && stream.received !== stream.head.contentLength) {
      this.#violated(stream, "PROTOCOL_ERROR");
    } else {
      this.#finish(stream, undefined);
    }
  }

  /** The request is complete: calls its handler. */
  #finish(stream: GrpcStream, problem: GrpcStatus | undefined): void {
    stream.receiving = false;
    if (problem === undefined && stream.httpStatus !== undefined) {
      stream.rejectHttp(stream.httpStatus);
      return;
    }
    const incomplete = problem ?? stream.finishRequest();
    if (incomplete !== undefined) {
      stream.end(incomplete);
      return;
    }
    try {
      this.#options.methods.get(stream.path)?.(stream, this.#options.context);
    } catch (error) {
      this.#options.onFault?.(error, stream.path);
      stream.end({ code: StatusCode.INTERNAL, message: "internal error" });
    }
  }

  #onPriority(): void {
    const { stream, bytes, start, end } = this.#reader;
    if (stream === 0) throw new ConnectionFault("PROTOCOL_ERROR", "PRIORITY on stream 0");
    this.#take("PRIORITY");
    if (end - start !== 5) {
      this.#resetId(stream, "FRAME_SIZE_ERROR");
    } else if ((bytes.readUInt32BE(start) & 0x7fff_ffff) === stream) {
      this.#resetId(stream, "PROTOCOL_ERROR");
    }
  }

  #onReset(): void {
    const { stream: id } = this.#reader;
    this.#expectStream(4);
    this.#take("RST_STREAM");
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#close(stream, true);
    this.#closedStreams.delete(id);
  }

  #onSettings(): void {
    const { flags, bytes, start, end } = this.#reader;
    this.#expectConnection();
    if (flags & FrameFlag.ACK) {
      if (end !== start) throw new ConnectionFault("FRAME_SIZE_ERROR", "an acknowledgement with settings");
      if (!this.#settled) throw new ConnectionFault("PROTOCOL_ERROR", "an acknowledgement before SETTINGS");
      return;
    }
    this.#take("SETTINGS");
    this.#settled = true;
    const before = this.#peer.initialWindow;
    applySettings(this.#peer, bytes, start, end);
    this.#send(encodeFrame(FrameType.SETTINGS, FrameFlag.ACK, 0, Buffer.alloc(0)));
    const change = this.#peer.initialWindow - before;
    if (change === 0) return;
    for (const stream of this.#streams.values()) {
      stream.sendWindow += change;
      if (stream.sendWindow > LARGEST_WINDOW)
        throw new ConnectionFault("FLOW_CONTROL_ERROR", "a window above 2^31 - 1");
    }
    if (change > 0) this.#flushWaiting();
  }

  #onPing(): void {
    const { flags, bytes, start, end } = this.#reader;
    this.#expectConnection();
    if (end - start !== 8) throw new ConnectionFault("FRAME_SIZE_ERROR", `PING of ${end - start} bytes`);
    if (flags & FrameFlag.ACK) return;
    this.#take("PING");
    this.#send(encodeFrame(FrameType.PING, FrameFlag.ACK, 0, bytes.subarray(start, end)));
  }

  #onWindowUpdate(): void {
    const { stream: id, bytes, start, end } = this.#reader;
    if (end - start !== 4) throw new ConnectionFault("FRAME_SIZE_ERROR", `WINDOW_UPDATE of ${end - start} bytes`);
    const increment = bytes.readUInt32BE(start) & 0x7fff_ffff;
    this.#take("WINDOW_UPDATE");
    if (id === 0) {
      if (increment === 0) throw new ConnectionFault("PROTOCOL_ERROR", "WINDOW_UPDATE of 0");
      this.sendWindow += increment;
      if (this.sendWindow > LARGEST_WINDOW) throw new ConnectionFault("FLOW_CONTROL_ERROR", "a window above 2^31 - 1");
      this.#flushWaiting();
      return;
    }
    this.#expectOpened(id);
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.sendWindow += increment;
    if (increment === 0) this.#violated(stream, "PROTOCOL_ERROR");
    else if (stream.sendWindow > LARGEST_WINDOW) this.#violated(stream, "FLOW_CONTROL_ERROR");
    else if (this.#waiting.delete(stream)) stream.flush();
  }

  #onDrained(): void {
    this.#forgetUnsent();
    this.#flushWaiting();
    if (!this.#outbox.blocked) this.#options.onUnblocked?.();
  }

  /** Sends what may be sent now of the answers that wait, those first that have waited longest. */
  #flushWaiting(): void {
    for (const stream of [...this.#waiting]) {
      if (this.#outbox.blocked || this.sendWindow <= 0) return;
      this.#waiting.delete(stream);
      stream.flush();
    }
  }

  /** The payload of DATA or HEADERS without its padding (RFC 9113 §6.1). */
  #unpadded(): readonly [start: number, end: number] {
    const { flags, bytes, start, end } = this.#reader;
    if ((flags & FrameFlag.PADDED) === 0) return [start, end];
    const padding = start < end ? (bytes[start] as number) : 0;
    if (padding >= end - start) throw new ConnectionFault("PROTOCOL_ERROR", "padding longer than its frame");
    return [start + 1, end - padding];
  }

  #expectConnection(): void {
    if (this.#reader.stream !== 0) throw new ConnectionFault("PROTOCOL_ERROR", "a frame of the connection on a stream");
  }

  #expectStream(length: number): void {
    const { stream, start, end } = this.#reader;
    if (stream === 0) throw new ConnectionFault("PROTOCOL_ERROR", "a frame of a stream on the connection");
    if (end - start !== length) throw new ConnectionFault("FRAME_SIZE_ERROR", `a frame of ${end - start} bytes`);
    this.#expectOpened(stream);
  }

  #expectOpened(id: number): void {
    if (id > this.#lastStream || id % 2 === 0) throw new ConnectionFault("PROTOCOL_ERROR", "a frame on an idle stream");
  }

  /** Whether a frame belongs to a stream that this side ended first. */
  #ignores(id: number, endStream: boolean): boolean {
    this.#expectOpened(id);
    const ignored = this.#closedStreams.get(id) === true;
    if (ignored && endStream) this.#closedStreams.set(id, false);
    return ignored;
  }

  /** Opens the connection's window again for bytes that were read. */
  #acknowledge(size: number): void {
    this.#unacknowledged += size;
    if (this.#unacknowledged < WINDOW_UPDATE_BYTES) return;
    this.#send(encodeIntegerFrame(FrameType.WINDOW_UPDATE, 0, this.#unacknowledged));
    this.#unacknowledged = 0;
  }

  #take(frame: RatedFrame): void {
    this.#rates.take(frame, performance.now());
  }

  /** Answers a request that gets no stream. */
  #answerHead(id: number, block: Buffer, endStream: boolean): void {
    this.writeHeaders(id, block, true);
    if (!endStream) this.#send(encodeIntegerFrame(FrameType.RST_STREAM, id, ErrorCode.NO_ERROR));
    this.#remember(id, !endStream);
  }

  #rejectStream(id: number, code: ErrorCodeName, endStream: boolean): void {
    this.#send(encodeIntegerFrame(FrameType.RST_STREAM, id, ErrorCode[code]));
    this.#remember(id, !endStream);
  }

  #resetId(id: number, code: ErrorCodeName): void {
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#violated(stream, code);
    else throw new ConnectionFault(code, "a frame that is not valid on a stream that is not open");
  }

  #close(stream: GrpcStream, cancelled: boolean): void {
    if (!this.#streams.delete(stream.id)) return;
    this.#waiting.delete(stream);
    this.#remember(stream.id, stream.receiving);
    stream.close(cancelled);
    this.#options.ledger?.closed(stream);
    if (this.#streams.size > 0) return;
    this.#idleSince = performance.now();
    this.#endWhenDrained();
  }

  #remember(id: number, sends: boolean): void {
    this.#closedStreams.set(id, sends);
    if (this.#closedStreams.size <= MAX_RESET_STREAMS) return;
    for (const oldest of this.#closedStreams.keys()) {
      this.#closedStreams.delete(oldest);
      break;
    }
  }

  #endWhenDrained(): void {
    if (!this.#draining || this.#streams.size > 0 || this.#ended) return;
    this.#end();
  }

  #fail({ code, message }: ConnectionFault): void {
    this.#send(encodeGoaway(this.#lastStream, ErrorCode[code], message));
    this.#end();
    for (const stream of [...this.#streams.values()]) this.#close(stream, true);
  }

  /** Reads no more; what was written still goes out. */
  #end(): void {
    this.#ended = true;
    this.#reader.clear();
    this.#outbox.flush();
    this.#socket.end();
    this.#watch(performance.now() + Math.min(this.#limits.sendTimeoutMs, 1000));
  }

  #closed(): void {
    this.#ended = true;
    this.#reader.clear();
    this.#block = undefined;
    this.#forgetUnsent();
    clearTimeout(this.#timer);
    for (const stream of [...this.#streams.values()]) this.#close(stream, true);
    this.#waiting.clear();
    this.#closedStreams.clear();
  }

  /** Has {@link #sweep} run at a time, or earlier. */
  #watch(at: number): void {
    if (at >= this.#timerAt || this.#socket.destroyed) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#sweep(), Math.max(1, at - performance.now())).unref();
  }

  /** Ends what has taken too long. */
  #sweep(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    const { receiveTimeoutMs, sendTimeoutMs, idleTimeoutMs } = this.#limits;
    const stalled = this.#outbox.stalledSince;
    if (this.#ended || (stalled !== undefined && this.#outbox.blocked && now - stalled >= sendTimeoutMs)) {
      this.destroy();
      return;
    }
    if (stalled !== undefined) this.#watch(stalled + sendTimeoutMs);
    for (const stream of [...this.#streams.values()]) {
      if (stream.receiving) {
        const late = now - stream.openedAt >= receiveTimeoutMs;
        if (late) stream.refuse(`the request did not arrive completely within ${receiveTimeoutMs} ms`);
        else this.#watch(stream.openedAt + receiveTimeoutMs);
      } else if (stream.sending) {
        if (now - stream.progressAt >= sendTimeoutMs) this.reset(stream, "CANCEL");
        else this.#watch(stream.progressAt + sendTimeoutMs);
      }
    }
    if (this.#streams.size > 0) this.#watch(now + Math.min(idleTimeoutMs, receiveTimeoutMs));
    else if (now - this.#idleSince >= idleTimeoutMs) this.drain();
    else this.#watch(this.#idleSince + idleTimeoutMs);
  }
}
