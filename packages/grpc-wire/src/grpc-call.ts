import type { GrpcStatus } from "./grpc-status.js";

/**
 * One request with its message, and the way to answer it. Every answer after the first end is ignored, as is every answer
 * to a call that was cancelled.
 */
export interface GrpcCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** The serialized message of the request. Its memory belongs to the handler, which may zero it. */
  readonly message: Uint8Array;
  /** Milliseconds the caller waits (`grpc-timeout`), counted from the arrival of the header; the handler keeps the time. */
  readonly timeoutMs: number | undefined;
  /** Whether the caller reset the stream or closed the connection. */
  readonly cancelled: boolean;
  /** Called once, when {@link cancelled} becomes true before the answer has ended. */
  onCancel: (() => void) | undefined;
  /** The first value of a field of the request's metadata, as it was sent. @param name - In lower case. */
  metadata(name: string): string | undefined;
  /** Answers a unary call with a message and status 0. The bytes belong to the connection, which zeroes them once they are sent. */
  respond(message: Uint8Array): void;
  /** Ends the call with a status: of a call that has answered nothing yet, or after messages of a stream. */
  end(status: GrpcStatus): void;
  /** Sends the response header of a stream that has no message yet. */
  start(): void;
  /** Sends one message of a stream. The bytes belong to the connection. @returns False where the caller should wait for {@link drained}. */
  write(message: Uint8Array): boolean;
  /** Settles when the peer has read what was written, or the call is over. */
  drained(): Promise<void>;
}

/**
 * Answers the calls of a method. What it throws ends the call with INTERNAL and goes to `onFault`.
 *
 * @typeParam Context - What the owner of the connection knows of its peer.
 */
export type GrpcHandler<Context = undefined> = (call: GrpcCall, context: Context) => void;

/** What a {@link StreamLedger} sees of a stream. */
export interface HeldStream {
  /** Bytes of its request and of its answer that is not sent. */
  readonly heldBytes: number;
  /** Whether it waits for the peer: for the rest of the request, or to send the answer. */
  readonly waitsForPeer: boolean;
  /** Ends it and frees what it holds: with the status that `refusal` makes of the reason, or with CANCEL where the answer has begun. */
  refuse(reason: string): void;
}

/** Accounts for what the streams of a connection hold, and decides which may open. */
export interface StreamLedger {
  /** @returns A reason to refuse the stream, before anything of it is read. */
  opened(stream: HeldStream): string | undefined;
  /** `heldBytes` changed by so many bytes. The ledger may refuse this stream or another. */
  held(stream: HeldStream, bytes: number): void;
  /** The stream holds nothing any more. Called once for each stream that opened, a refused one included. */
  closed(stream: HeldStream): void;
}
